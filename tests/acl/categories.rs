//! ACL CAT: every category has the commands that it has in redis-server, as far as they are here, and those of newer
//! servers that their own documents put there.

use crate::pair::Pair;
use crate::support::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Commands that Redis 7.0 does not have, with their categories: of Redis 7.2 and 7.4, Valkey 8 and 9, and our own.
const NEWER: &str = include_str!("newer_categories.txt");

fn words(value: &Value) -> Vec<String> {
    value.elements().iter().map(Value::text).collect()
}

#[test]
fn categories_have_the_members_they_have_in_redis() {
    let pair = Pair::start();
    let mut both = pair.connect();
    both.same("ACL CAT");
    let mut ours: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut theirs = ours.clone();
    for category in words(&both.ours.run("ACL CAT")) {
        let [own, oracle] = both.tell(&format!("ACL CAT {category}"));
        for (members, of) in [(own, &mut ours), (oracle, &mut theirs)] {
            for command in words(&members) {
                of.entry(command).or_default().insert(category.clone());
            }
        }
    }
    let newer: BTreeMap<&str, BTreeSet<String>> = NEWER
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, categories)| (name, categories.split(' ').map(str::to_owned).collect()))
        .collect();
    assert!(ours.len() > 300, "{} commands", ours.len());
    for (command, categories) in &ours {
        let expected = theirs.get(command).or_else(|| newer.get(command.as_str()));
        assert_eq!(Some(categories), expected, "{command}");
    }
}
