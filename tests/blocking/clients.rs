//! What else can happen to a client that waits: CLIENT UNBLOCK, KILL, PAUSE and REPLY, a disconnect, commands behind
//! the one that waits, MONITOR, WATCH, the end of the server.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::support::server::is_stand_in;
use crate::support::{Connection, arguments, encode, wait_for};
use crate::tools::{Stage, expect, expect_silence, id, wait};

const UNBLOCKED: &str = "-UNBLOCKED client unblocked via CLIENT UNBLOCK";

/// Several commands in one piece.
fn pipeline(lines: &[&str]) -> Vec<u8> {
    lines.iter().flat_map(|line| encode(&arguments(line))).collect()
}

/// A client that waits, with more commands behind.
#[track_caller]
fn waiter_with_more(stage: &Stage, lines: &[&str]) -> Connection {
    let mut waiter = stage.connect();
    waiter.send(&[pipeline(&["PING"]), pipeline(lines)].concat());
    assert_eq!(waiter.value().text(), "PONG");
    waiter
}

#[test]
fn client_unblock_ends_a_wait() {
    let mut stage = Stage::new();
    let mut waiter = stage.connect();
    let number = id(&mut waiter);
    for line in [
        "BLPOP k 0",
        "BLMOVE a b LEFT LEFT 0",
        "BRPOPLPUSH a b 0",
        "BZPOPMIN z 0",
        "XREAD BLOCK 0 STREAMS s $",
    ] {
        for (reason, reply) in [("", "(nil)"), ("TIMEOUT", "(nil)"), ("ERROR", UNBLOCKED)] {
            wait(&mut waiter, line);
            stage.check(&format!("CLIENT UNBLOCK {number} {reason}"), ":1");
            expect(&mut waiter, reply);
        }
    }
    wait(&mut waiter, "WAIT 1 0");
    stage.check(&format!("CLIENT UNBLOCK {number}"), ":1");
    expect(&mut waiter, ":0");
    stage.check(&format!("CLIENT UNBLOCK {number}"), ":0");
    stage.check("CLIENT UNBLOCK 99999", ":0");
    stage.check("CLIENT UNBLOCK x", "-ERR value is not an integer or out of range");
    let wrong = "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR";
    stage.check(&format!("CLIENT UNBLOCK {number} NOW"), wrong);
    assert!(stage.run("INFO errorstats").contains("errorstat_UNBLOCKED:count=5"));
    assert_eq!(stage.statistic("blpop", "calls"), 3);
    stage.assert_waiting(0);
    // Who does not wait any more is not served.
    stage.check("RPUSH k 1", ":1");
    stage.check("LLEN k", ":1");
}

#[test]
fn client_unblock_in_a_transaction_comes_before_what_it_pushes() {
    let mut stage = Stage::new();
    let mut waiter = stage.connect();
    let number = id(&mut waiter);
    for (first, second) in
        [("RPUSH k 1", "CLIENT UNBLOCK {} ERROR"), ("CLIENT UNBLOCK {} ERROR", "RPUSH k 2")]
    {
        wait(&mut waiter, "BLPOP k 0");
        let lines = [first, second].map(|line| line.replace("{}", &number.to_string()));
        assert_eq!(stage.transaction(&[&lines[0], &lines[1]]).matches(":1").count(), 2);
        expect(&mut waiter, UNBLOCKED);
        stage.check("DEL k", ":1");
    }
    let own = id(&mut waiter);
    waiter.ok("MULTI");
    waiter.run(&format!("CLIENT UNBLOCK {own}"));
    assert_eq!(format!("{:?}", waiter.run("EXEC")), "[:0]");
}

#[test]
fn a_wait_is_seen_from_outside() {
    let mut stage = Stage::new();
    let mut first = stage.connect();
    let number = id(&mut first);
    wait(&mut first, "BLPOP k l 0");
    let line = stage.run(&format!("CLIENT LIST ID {number}"));
    assert!(line.contains(" flags=b ") && line.contains(" cmd=blpop "), "{line}");
    let mut second = stage.waiter("BLPOP k 100");
    assert_eq!((stage.info("blocked_clients"), stage.info("clients_in_timeout_table")), (2, 1));
    stage.check("XGROUP CREATE s g $ MKSTREAM", "+OK");
    let mut third = stage.waiter("XREADGROUP GROUP g c BLOCK 0 STREAMS s >");
    if !is_stand_in() {
        assert_eq!(stage.info("total_blocking_keys"), 3);
        assert_eq!(stage.info("total_blocking_keys_on_nokey"), 1);
    }
    stage.check("RPUSH k 1 2", ":2");
    expect(&mut first, r#"["k", "1"]"#);
    expect(&mut second, r#"["k", "2"]"#);
    stage.check("DEL s", ":1");
    assert!(third.value().is_error());
    assert_eq!((stage.info("blocked_clients"), stage.info("clients_in_timeout_table")), (0, 0));
    if !is_stand_in() {
        assert_eq!(stage.info("total_blocking_keys"), 0);
    }
    let line = stage.run(&format!("CLIENT LIST ID {number}"));
    assert!(line.contains(" flags=N "), "{line}");
}

#[test]
fn a_killed_waiter_takes_nothing() {
    let mut stage = Stage::new();
    let mut killed = stage.connect();
    let number = id(&mut killed);
    wait(&mut killed, "BLPOP k 0");
    let mut next = stage.waiter("BLPOP k 0");
    stage.check(&format!("CLIENT KILL ID {number}"), ":1");
    stage.check("RPUSH k 1", ":1");
    expect(&mut next, r#"["k", "1"]"#);
    assert!(killed.until_closed().is_empty());
    // Even when the push came first: it serves when the transaction is over.
    let mut killed = stage.connect();
    let number = id(&mut killed);
    wait(&mut killed, "BLPOP k 0");
    let kill = format!("CLIENT KILL ID {number}");
    assert_eq!(stage.transaction(&["RPUSH k 2", &kill, "RPUSH k 3"]), "[:1, :1, :2]");
    assert!(killed.until_closed().is_empty());
    stage.check("LRANGE k 0 -1", r#"["2", "3"]"#);
    stage.assert_waiting(0);
}

#[test]
fn a_waiter_that_went_takes_nothing() {
    let mut stage = Stage::new();
    let gone = stage.waiter("BLPOP k 0");
    let mut next = stage.waiter("BLPOP k 0");
    stage.assert_waiting(2);
    drop(gone);
    wait_for("the server to see that the client went", || stage.info("blocked_clients") == 1);
    stage.check("RPUSH k 1", ":1");
    expect(&mut next, r#"["k", "1"]"#);
    // Half a close is one: there is nobody to ask for more.
    let mut gone = stage.waiter("BLPOP k 0");
    gone.close_sending_half();
    assert!(gone.until_closed().is_empty());
    wait_for("the server to see that the client went", || stage.info("blocked_clients") == 0);
    stage.check("RPUSH k 2", ":1");
    stage.check("LRANGE k 0 -1", r#"["2"]"#);
}

#[test]
fn commands_behind_the_one_that_waits_are_run_after_it() {
    let mut stage = Stage::new();
    let mut waiter = waiter_with_more(
        &stage,
        &["BLPOP k 0", "INCR n", "BLPOP k 0", "MULTI", "INCR n", "EXEC", "BLPOP k 0", "RESET", "GET n"],
    );
    // And what comes while it waits.
    waiter.send(&pipeline(&["ECHO late"]));
    expect_silence(&mut waiter);
    stage.check("EXISTS n", ":0");
    stage.check("RPUSH k 1", ":1");
    expect(&mut waiter, r#"["k", "1"]"#);
    expect(&mut waiter, ":1");
    expect_silence(&mut waiter);
    stage.check("RPUSH k 2 3 4", ":3");
    for reply in [r#"["k", "2"]"#, "+OK", "+QUEUED", "[:2]", r#"["k", "3"]"#, "+RESET", r#""2""#, r#""late""#]
    {
        expect(&mut waiter, reply);
    }
    stage.check("LRANGE k 0 -1", r#"["4"]"#);
}

#[test]
fn who_waits_again_at_once_is_last() {
    let mut stage = Stage::new();
    let mut busy = waiter_with_more(&stage, &["BLPOP k 0", "BLPOP k 0"]);
    let mut other = stage.waiter("BLPOP k 0");
    for (element, left) in [("1", 2), ("2", 1), ("3", 0)] {
        stage.check(&format!("RPUSH k {element}"), ":1");
        // The next wait begins before the next push.
        wait_for("its turn", || stage.info("blocked_clients") == left);
    }
    expect(&mut busy, r#"["k", "1"]"#);
    expect(&mut other, r#"["k", "2"]"#);
    expect(&mut busy, r#"["k", "3"]"#);
}

#[test]
fn a_disconnect_drops_the_commands_behind() {
    let mut stage = Stage::new();
    let waiter = waiter_with_more(&stage, &["BLPOP k 0", "SET mark 1"]);
    stage.assert_waiting(1);
    drop(waiter);
    wait_for("the server to see that the client went", || stage.info("blocked_clients") == 0);
    stage.check("RPUSH k 1", ":1");
    stage.check("EXISTS mark", ":0");
    stage.check("LLEN k", ":1");
}

#[test]
fn a_waiter_that_sends_too_much_is_closed() {
    let mut stage = Stage::new();
    stage.check("CONFIG SET client-query-buffer-limit 1mb", "+OK");
    let mut waiter = stage.waiter("BLPOP k 0");
    let much = encode(&[b"SET".to_vec(), b"k".to_vec(), vec![b'x'; 3 << 20]]);
    let _ = waiter.try_send(&much);
    wait_for("the server to close it", || stage.info("blocked_clients") == 0);
    stage.check("RPUSH k 1", ":1");
    stage.check("LLEN k", ":1");
}

#[test]
fn client_reply_holds_for_a_command_that_waits() {
    let mut stage = Stage::new();
    let mut waiter = stage.connect();
    let number = id(&mut waiter);
    let ends = [
        "RPUSH k 1".to_owned(),
        format!("CLIENT UNBLOCK {number}"),
        format!("CLIENT UNBLOCK {number} ERROR"),
    ];
    for end in &ends {
        waiter.send(&pipeline(&["CLIENT REPLY SKIP", "BLPOP k 0", "ECHO skipped"]));
        wait_for("the wait to begin", || stage.info("blocked_clients") == 1);
        stage.check(end, ":1");
        expect(&mut waiter, r#""skipped""#);
    }
    for end in &ends {
        waiter.send(&pipeline(&["CLIENT REPLY OFF", "BLPOP k 0", "INCR n", "CLIENT REPLY ON"]));
        wait_for("the wait to begin", || stage.info("blocked_clients") == 1);
        stage.check(end, ":1");
        expect(&mut waiter, "+OK");
    }
    stage.check("GET n", r#""3""#);
    stage.check("EXISTS k", ":0");
    waiter.send(&pipeline(&["CLIENT REPLY SKIP", "BLPOP k 0.05", "ECHO timeout"]));
    expect(&mut waiter, r#""timeout""#);
}

#[test]
fn a_pause_lets_waits_end() {
    let mut stage = Stage::new();
    let mut waiter = stage.waiter("BLPOP k 0");
    let mut short = stage.waiter("BLPOP k 0.05");
    let mut unblocked = stage.connect();
    let number = id(&mut unblocked);
    wait(&mut unblocked, "BLPOP k 0");
    stage.check("CLIENT PAUSE 60000 WRITE", "+OK");
    expect(&mut short, "(nil)");
    stage.check(&format!("CLIENT UNBLOCK {number}"), ":1");
    expect(&mut unblocked, "(nil)");
    // Its next command waits for the pause.
    unblocked.send(&pipeline(&["SET a 1", "GET a"]));
    expect_silence(&mut unblocked);
    stage.check("CLIENT UNPAUSE", "+OK");
    expect(&mut unblocked, "+OK");
    expect(&mut unblocked, r#""1""#);
    // A transaction that pauses serves whom it has something for, at its end.
    assert_eq!(stage.transaction(&["RPUSH k 1", "CLIENT PAUSE 60000 WRITE"]), "[:1, +OK]");
    expect(&mut waiter, r#"["k", "1"]"#);
    stage.check("EXISTS k", ":0");
    stage.check("CLIENT UNPAUSE", "+OK");
}

#[test]
fn monitors_see_a_command_once() {
    let mut stage = Stage::new();
    let mut monitor = stage.connect();
    monitor.ok("MONITOR");
    let mut waiter = stage.waiter("BLPOP k 0");
    stage.check("RPUSH k 1", ":1");
    expect(&mut waiter, r#"["k", "1"]"#);
    stage.check("ECHO end", r#""end""#);
    let mut seen = Vec::new();
    while !seen.last().is_some_and(|line: &String| line.contains("end")) {
        let line = monitor.value().text();
        seen.push(line.split_once("] ").map_or("", |(_, command)| command).to_owned());
    }
    assert_eq!(seen, [r#""PING""#, r#""BLPOP" "k" "0""#, r#""RPUSH" "k" "1""#, r#""ECHO" "end""#]);
}

#[test]
fn a_served_waiter_breaks_watches() {
    let mut stage = Stage::new();
    let mut watcher = stage.connect();
    let mut waiter = stage.connect();
    for (line, push, watched) in [
        ("BLPOP k 0", "RPUSH k 1", "k"),
        ("BLMOVE k d LEFT LEFT 0", "RPUSH k 1", "d"),
        ("BZPOPMIN z 0", "ZADD z 1 a", "z"),
    ] {
        watcher.ok(&format!("WATCH {watched}"));
        wait(&mut waiter, line);
        watcher.ok("MULTI");
        watcher.run("PING");
        assert_eq!(format!("{:?}", watcher.run("EXEC")), "[+PONG]", "a wait alone changes nothing");
        watcher.ok(&format!("WATCH {watched}"));
        stage.run(push);
        waiter.value();
        watcher.ok("MULTI");
        watcher.run("PING");
        assert_eq!(format!("{:?}", watcher.run("EXEC")), "(nil)", "{line}");
    }
}

#[test]
fn whoever_waits_is_not_idle() {
    let mut stage = Stage::new();
    let mut waiter = stage.waiter("BLPOP k 0");
    stage.check("CONFIG SET timeout 1", "+OK");
    let mut idle = stage.connect();
    assert_eq!(idle.run("PING").text(), "PONG");
    assert!(idle.until_closed().is_empty());
    let mut control = stage.connect();
    assert_eq!(control.run("RPUSH k 1").integer(), 1);
    expect(&mut waiter, r#"["k", "1"]"#);
}

#[test]
fn a_shutdown_does_not_wait_for_them() {
    let mut stage = Stage::new();
    let mut waiters: Vec<_> = (0..20).map(|_| stage.waiter("BLPOP k 0")).collect();
    let mut last = stage.waiter("BLPOP k 1000");
    stage.server.signal(Signal::SIGTERM);
    assert!(stage.server.wait_for_end().success());
    waiters.iter_mut().for_each(|waiter| assert!(waiter.until_closed().is_empty()));
    assert!(last.until_closed().is_empty());
}

#[test]
fn a_shutdown_by_command_closes_them_too() {
    let mut stage = Stage::new();
    let mut waiter = stage.waiter("XREAD BLOCK 0 STREAMS s $");
    let mut control = stage.connect();
    control.send(&pipeline(&["SHUTDOWN NOSAVE"]));
    assert!(waiter.until_closed().is_empty());
    assert!(stage.server.wait_for_end().success());
    assert!(control.is_silent_for(Duration::from_millis(1)) || control.until_closed().is_empty());
}
