//! INFO's sections, and what counts as a call, a refusal, a failure.

use super::tools::Pair;
use crate::support::{Connection, Server};

/// Those lines of INFO that count commands and errors, sorted, without what a clock measured.
fn counted(client: &mut Connection) -> Vec<String> {
    let text = client.run("INFO everything").text();
    let is_counted = |line: &&str| line.starts_with("cmdstat_") || line.starts_with("errorstat_");
    let without_times = |line: &str| {
        let parts = line.split(',').filter(|part| !part.starts_with("usec"));
        parts.collect::<Vec<_>>().join(",")
    };
    let mut lines: Vec<String> = text.lines().filter(is_counted).map(without_times).collect();
    lines.sort();
    lines
}

#[test]
fn every_way_to_fail_is_counted_as_the_oracle_does() {
    let pair = Pair::start(&["--rename-command", "flushall", ""]);
    // What the start itself has asked for.
    pair.compare(&["CONFIG RESETSTAT"]);
    pair.compare(&[
        "GET",
        "NOSUCH a",
        "CONFIG NOSUCH",
        "CONFIG",
        "FLUSHALL",
        "SET k v",
        "LPUSH k 1",
        "INCR k",
        "DEBUG SLEEP 0",
        "MODULE LOAD x",
        "MULTI",
        "GET k",
        "LPUSH k 1",
        "EXEC",
        "MULTI",
        "NOSUCH",
        "EXEC",
        "EXEC",
        "DISCARD",
        "MULTI",
        "MULTI",
        "WATCH k",
        "DISCARD",
        "CONFIG SET maxmemory 1",
        "SET k v",
        "APPEND k v",
        "DEL k",
        "CONFIG SET maxmemory 0",
        "AUTH x",
        "AUTH a b",
        "CONFIG SET requirepass secret",
        "CLIENT KILL ID 0",
        "RESET",
        "GET k",
        "AUTH secret",
        "CONFIG SET requirepass \"\"",
        "HELLO 9",
        "BLPOP a b 0.01",
        "BLPOP a x",
        "SUBSCRIBE",
        "SLOWLOG GET x",
        "LATENCY GRAPH x",
        "LATENCY NOSUCH",
        "COMMAND GETKEYS",
        "COMMAND GETKEYS GET",
    ]);
    assert_eq!(counted(&mut pair.own.connect()), counted(&mut pair.oracle.connect()));
}

#[test]
fn sections_are_those_of_the_oracle() {
    let pair = Pair::start(&[]);
    let titles = |server: &Server, line: &str| -> Vec<String> {
        let text = server.connect().run(line).text();
        // Valkey's, of 9.1.
        text.lines().filter(|line| line.starts_with('#') && *line != "# TLS").map(str::to_owned).collect()
    };
    for words in
        ["", " all", " everything", " default", " modules", " default commandstats", " NOSUCH", " cpu Memory"]
    {
        let line = format!("INFO{words}");
        assert_eq!(titles(&pair.own, &line), titles(&pair.oracle, &line), "{line}");
    }
}

#[test]
fn the_latency_monitor_sees_what_is_slow() {
    let server = Server::start(&["--enable-debug-command", "yes", "--latency-monitor-threshold", "5"]);
    let mut client = server.connect();
    assert!(client.run("LATENCY DOCTOR").text().contains("nothing to cure"));
    client.ok("DEBUG SLEEP 0.02");
    let latest = client.run("LATENCY LATEST").elements();
    let event = latest[0].elements();
    assert_eq!((latest.len(), event[0].text().as_str()), (1, "command"));
    assert!((20..1000).contains(&event[2].integer()) && event[2] == event[3], "{event:?}");
    let graph = client.run("LATENCY GRAPH command").text();
    assert!(graph.starts_with("command - high ") && graph.lines().count() > 5, "{graph}");
    let report = client.run("LATENCY DOCTOR").text();
    assert!(
        report.contains("1. command: 1 latency spikes (average ") && report.contains("SLOWLOG GET"),
        "{report}"
    );
    assert_eq!(client.run("LATENCY RESET command").integer(), 1);
    assert_eq!(client.run("LATENCY HISTORY command").elements().len(), 0);
}
