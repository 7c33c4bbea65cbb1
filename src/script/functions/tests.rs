//! Sets of libraries without a server.

use super::*;
use crate::base::clock::Clock;
use crate::script::ScriptFlags;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn patience() -> Patience {
    Patience::with_client(&Clock::real())
}

fn library(name: &str, functions: &[&str]) -> String {
    let register = |function: &&str| format!("redis.register_function('{function}', function() end)\n");
    format!("#!lua name={name}\n{}", functions.iter().map(register).collect::<String>())
}

fn load(libraries: &mut Libraries, code: &str) -> Result<(), String> {
    let loaded = libraries.load(code.as_bytes(), Existing::Replace, &patience());
    loaded.map(drop).map_err(|error| error.to_string())
}

#[test]
fn functions_are_found_however_they_are_written() {
    let mut libraries = Libraries::default();
    let long = "N".repeat(100);
    load(&mut libraries, &library("a", &["Short", &long])).unwrap();
    for name in ["short", "SHORT", "Short"] {
        assert_eq!(*libraries.find(name.as_bytes()).unwrap().name, *b"Short");
    }
    assert_eq!(*libraries.find(long.to_lowercase().as_bytes()).unwrap().name, *long.as_bytes());
    assert!(libraries.find(b"shor").is_none() && libraries.find(b"").is_none());
    assert_eq!((libraries.len(), libraries.functions()), (1, 2));
    assert!(libraries.heap_bytes() > 100 && libraries.vm_bytes() > 0);
}

#[test]
fn what_is_told_of_a_function_is_kept() {
    let mut libraries = Libraries::default();
    let told = "#!lua name=a\nredis.register_function{function_name='f', description='d', flags={'no-writes', \
                'allow-oom'}, callback=function() end}";
    load(&mut libraries, told).unwrap();
    let function = libraries.find(b"f").unwrap();
    assert_eq!(function.flags, ScriptFlags::NO_WRITES.or(ScriptFlags::ALLOW_OOM));
    assert_eq!(function.description.as_deref(), Some(&b"d"[..]));
}

#[test]
fn what_fails_leaves_nothing() {
    let mut libraries = Libraries::default();
    load(&mut libraries, &library("a", &["f"])).unwrap();
    let callback = libraries.find(b"f").map(|function| function.callback.share());
    let fails = |libraries: &mut Libraries, code: &str| load(libraries, code).unwrap_err();
    assert_eq!(fails(&mut libraries, "#!lua name=a\n"), "ERR No functions registered");
    assert!(fails(&mut libraries, "#!lua name=a\nx = 1").ends_with("Attempt to modify a readonly table"));
    assert_eq!(fails(&mut libraries, &library("b", &["g", "F"])), "ERR Function F already exists");
    let codes = [library("a", &["x"]), library("b", &["y"]), "#!lua name=c\nfoo(".to_owned()];
    let codes = codes.iter().map(String::as_bytes);
    assert!(libraries.add(codes, Existing::Replace, &patience()).is_err());
    assert_eq!(libraries.find(b"f").map(|function| function.callback.share()), callback);
    assert_eq!((libraries.len(), libraries.functions()), (1, 1));
    libraries.flush();
    assert_eq!((libraries.len(), libraries.functions(), libraries.vm_bytes()), (0, 0, 0));
}

/// Callbacks that are released are used again: what a set forgets does not stay in the interpreter.
#[test]
fn replaced_libraries_go() {
    let mut libraries = Libraries::default();
    let code = format!("{}local kept = ('x'):rep(1000000)", library("a", &["f"]));
    for _ in 0..200 {
        load(&mut libraries, &code).unwrap();
    }
    assert!(libraries.vm_bytes() < 100 << 20, "{}", libraries.vm_bytes());
}

#[derive(Clone, Debug)]
enum Step {
    Load(u8, Vec<u8>),
    Add(Vec<(u8, Vec<u8>)>, bool),
    Delete(u8),
    Flush,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let set = || proptest::collection::btree_set(0..6u8, 1..4);
    let functions = || set().prop_map(|set| set.into_iter().collect::<Vec<_>>());
    let several = || proptest::collection::vec((0..4u8, functions()), 1..3);
    let step = prop_oneof![
        4 => (0..4u8, functions()).prop_map(|(name, functions)| Step::Load(name, functions)),
        3 => (several(), any::<bool>()).prop_map(|(new, replace)| Step::Add(new, replace)),
        2 => (0..4u8).prop_map(Step::Delete),
        1 => Just(Step::Flush),
    ];
    proptest::collection::vec(step, 1..25)
}

fn code(name: u8, functions: &[u8]) -> String {
    let names: Vec<String> = functions.iter().map(|function| format!("f{function}")).collect();
    library(&format!("l{name}"), &names.iter().map(String::as_str).collect::<Vec<_>>())
}

fn codes<'l>(libraries: impl Iterator<Item = (&'l u8, &'l Vec<u8>)>) -> Vec<String> {
    libraries.map(|(name, functions)| code(*name, functions)).collect()
}

/// The libraries after more have come, if they may.
fn union(
    old: &BTreeMap<u8, Vec<u8>>,
    new: &[(u8, Vec<u8>)],
    existing: Existing,
) -> Option<BTreeMap<u8, Vec<u8>>> {
    let mut all = old.clone();
    for (index, (name, functions)) in new.iter().enumerate() {
        if new[..index].iter().any(|(other, _)| other == name) {
            return None;
        }
        if existing == Existing::Refuse && old.contains_key(name) {
            return None;
        }
        all.insert(*name, functions.clone());
    }
    let mut names: Vec<u8> = all.values().flatten().copied().collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    (names.len() == count).then_some(all)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn sets_are_what_a_map_is(steps in steps()) {
        let mut libraries = Libraries::default();
        let mut model: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
        for step in steps {
            let (expected, done) = match &step {
                Step::Load(name, functions) => (
                    union(&model, &[(*name, functions.clone())], Existing::Replace),
                    load(&mut libraries, &code(*name, functions)).is_ok(),
                ),
                Step::Add(new, replace) => {
                    let existing = if *replace { Existing::Replace } else { Existing::Refuse };
                    let codes = codes(new.iter().map(|(name, functions)| (name, functions)));
                    let added = libraries.add(codes.iter().map(String::as_bytes), existing, &patience());
                    (union(&model, new, existing), added.is_ok())
                }
                Step::Delete(name) => {
                    let mut left = model.clone();
                    let was_there = left.remove(name).is_some();
                    let deleted = libraries.delete(format!("l{name}").as_bytes());
                    (was_there.then_some(left), deleted)
                }
                Step::Flush => {
                    libraries.flush();
                    (Some(BTreeMap::new()), true)
                }
            };
            prop_assert_eq!(expected.is_some(), done, "{:?}", step);
            model = expected.unwrap_or(model);
            prop_assert_eq!(libraries.len(), model.len());
            prop_assert_eq!(libraries.functions(), model.values().map(Vec::len).sum::<usize>());
            let found = (0..6u8).filter(|f| libraries.find(format!("F{f}").as_bytes()).is_some()).count();
            prop_assert_eq!(found, libraries.functions());
            let expected = codes(model.iter());
            prop_assert_eq!(libraries.codes(), expected.iter().map(String::as_bytes).collect::<Vec<_>>());
        }
    }
}
