//! Do two servers count the same after the same commands?

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{Connection, Server};

/// Fields of INFO that count commands, not time or memory.
const COUNTERS: &[&str] = &[
    "keyspace_hits",
    "keyspace_misses",
    "expired_keys",
    "evicted_keys",
    "total_error_replies",
    "rdb_changes_since_last_save",
];

/// Counts from zero; a save ends the count of changes.
pub fn reset(server: &Server) {
    let mut connection = server.connect();
    connection.ok("SAVE");
    connection.ok("CONFIG RESETSTAT");
}

/// Fails unless both count the same calls, refusals, failures, errors, hits and changes.
#[track_caller]
pub fn assert_same(what: &str, ours: &Server, theirs: &Server) {
    let lines = difference(ours, theirs).unwrap_or_default();
    assert!(lines.is_empty(), "{what}:\n{lines}");
}

/// What the two count differently.
pub fn difference(ours: &Server, theirs: &Server) -> Option<String> {
    let (ours, theirs) = (read(&mut ours.connect()), read(&mut theirs.connect()));
    let names: BTreeSet<_> = theirs.keys().chain(ours.keys()).collect();
    let differing = names.into_iter().filter(|name| ours.get(*name) != theirs.get(*name));
    let lines: Vec<_> = differing
        .map(|name| format!("{name}: tintype {:?}, oracle {:?}", ours.get(name), theirs.get(name)))
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn read(connection: &mut Connection) -> BTreeMap<String, String> {
    let text = connection.run("INFO everything").text();
    let fields = text.lines().filter_map(|line| line.split_once(':'));
    let counted = fields.filter(|(name, _)| {
        COUNTERS.contains(name) || name.starts_with("cmdstat_") || name.starts_with("errorstat_")
    });
    counted.map(|(name, value)| (name.to_owned(), without_times(value))).collect()
}

/// `calls=1,usec=2,usec_per_call=2.00,rejected_calls=0` without what the clock measured.
fn without_times(value: &str) -> String {
    value.split(',').filter(|part| !part.starts_with("usec")).collect::<Vec<_>>().join(",")
}
