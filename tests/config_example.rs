//! redis.conf.example documents every directive that is implemented, and no other, and its defaults are the
//! real ones.

use std::collections::BTreeSet;

use tintype::config::directives::{Class, all, find};
use tintype::config::{Config, get};

const EXAMPLE: &str = include_str!("../redis.conf.example");

/// The commented-out defaults: `#name value`, without the blank that follows the `#` of prose.
fn example_lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    EXAMPLE.lines().filter_map(|line| {
        let line = line.strip_prefix('#')?;
        let text = line.strip_prefix(|first: char| first.is_ascii_lowercase()).map(|_| line)?;
        Some(text.split_once(' ').unwrap_or((text, "")))
    })
}

#[test]
fn every_implemented_directive_is_documented_and_no_other() {
    let documented: BTreeSet<&str> = example_lines().map(|(name, _)| name).collect();
    let implemented: BTreeSet<&str> = all()
        .filter(|directive| directive.class == Class::Implemented)
        .map(|directive| directive.name)
        .collect();
    assert_eq!(documented, implemented);
}

#[test]
fn the_defaults_shown_are_the_defaults() {
    let mut lines: Vec<(&str, &str)> = example_lines().collect();
    lines.dedup_by_key(|(name, _)| *name);
    for (name, _) in lines {
        let shown: Vec<&str> =
            example_lines().filter(|(other, _)| *other == name).map(|(_, value)| value).collect();
        let shown = shown.join(" ").replace("\"\"", "").replace('"', "");
        let directive = find(name.as_bytes()).expect("documented directives are known");
        let default = get(&Config::default(), &[directive.name.as_bytes()]).remove(0).1;
        assert_eq!(shown, String::from_utf8(default).expect("defaults are text"), "{name}");
    }
}

/// Uncommented, the whole example is a file that a start accepts.
#[test]
fn the_example_loads_as_the_defaults() {
    let uncommented: String = EXAMPLE
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(text) if text.starts_with(|first: char| first.is_ascii_lowercase()) => format!("{text}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("redis.conf");
    std::fs::write(&path, uncommented).expect("written");
    let argument = path.to_str().expect("a path of text").as_bytes().to_vec();
    let loaded = tintype::config::load(&[argument], &mut tintype::config::SystemFiles);
    let loaded = loaded.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(loaded.config, Config::default());
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
}
