//! What is counted: one call for each command that waits, and its own time without that of the wait.

use std::time::Duration;

use crate::support::server::is_stand_in;
use crate::tools::{Stage, expect, wait};

#[test]
fn a_wait_is_one_call() {
    let mut stage = Stage::new();
    stage.check("CONFIG RESETSTAT", "+OK");
    let mut first = stage.waiter("BLPOP k 0");
    let mut second = stage.waiter("BLPOP k 0.02");
    expect(&mut second, "(nil)");
    let before = stage.info("total_commands_processed");
    stage.transaction(&["RPUSH k 1", "LPOP k"]);
    stage.check("RPUSH k 1", ":1");
    expect(&mut first, r#"["k", "1"]"#);
    assert_eq!(stage.statistic("blpop", "calls"), 2);
    assert_eq!(stage.statistic("blpop", "failed_calls"), 0);
    // MULTI, RPUSH, LPOP, EXEC, RPUSH, and the two INFOs for the statistics.
    assert_eq!(stage.info("total_commands_processed") - before, 8);
}

#[test]
fn an_error_at_the_end_of_a_wait_is_a_failed_call() {
    let mut stage = Stage::new();
    stage.check("SET d text", "+OK");
    let mut waiter = stage.waiter("BLMOVE k d LEFT LEFT 0");
    stage.check("RPUSH k 1", ":1");
    assert!(waiter.value().is_error());
    let number = waiter.run("CLIENT ID").integer();
    wait(&mut waiter, "BLMOVE x d LEFT LEFT 0");
    stage.check(&format!("CLIENT UNBLOCK {number} ERROR"), ":1");
    assert!(waiter.value().is_error());
    assert_eq!(stage.statistic("blmove", "failed_calls"), 2);
    assert_eq!(stage.statistic("blmove", "calls"), 2);
}

#[test]
fn the_time_of_the_wait_is_nobodys() {
    let mut stage = Stage::new();
    stage.check("CONFIG SET slowlog-log-slower-than 150000", "+OK");
    stage.check("CONFIG SET latency-monitor-threshold 150", "+OK");
    stage.check("CONFIG RESETSTAT", "+OK");
    let mut waiter = stage.waiter("BLPOP k 0");
    std::thread::sleep(Duration::from_millis(300));
    stage.check("RPUSH k 1", ":1");
    expect(&mut waiter, r#"["k", "1"]"#);
    stage.check("SLOWLOG LEN", ":0");
    stage.check("LATENCY LATEST", "[]");
    assert!(stage.statistic("blpop", "usec") < 150_000);
}

#[test]
fn a_slow_log_has_the_command_when_it_has_ended() {
    let mut stage = Stage::new();
    stage.check("CONFIG SET slowlog-log-slower-than 0", "+OK");
    stage.check("SLOWLOG RESET", "+OK");
    let mut waiter = stage.waiter("BLPOP k 0");
    assert!(!stage.run("SLOWLOG GET").contains("BLPOP"));
    stage.check("RPUSH k 1", ":1");
    expect(&mut waiter, r#"["k", "1"]"#);
    let log = stage.run("SLOWLOG GET");
    assert_eq!(log.matches("BLPOP").count(), 1, "{log}");
    if !is_stand_in() {
        wait(&mut waiter, "BRPOP k 0.01");
        expect(&mut waiter, "(nil)");
        let log = stage.run("SLOWLOG GET");
        assert_eq!(log.matches("BRPOP").count(), 1, "{log}");
    }
}

#[test]
fn the_distribution_has_the_command_when_it_has_ended() {
    let mut stage = Stage::new();
    let mut waiter = stage.waiter("BLPOP k 0");
    stage.check("LATENCY HISTOGRAM blpop", "[]");
    stage.check("RPUSH k 1", ":1");
    expect(&mut waiter, r#"["k", "1"]"#);
    let shown = stage.run("LATENCY HISTOGRAM blpop");
    assert!(shown.contains(r#""calls", :1"#), "{shown}");
}
