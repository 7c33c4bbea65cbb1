//! When the time of a wait is over.
//!
//! Upper bounds are generous: they must hold on a machine that does much else.

use std::time::Duration;

use crate::support::now;
use crate::tools::{Stage, expect, expect_silence, wait};

#[test]
fn each_command_answers_nothing_when_its_time_is_over() {
    let stage = Stage::new();
    let mut waiter = stage.connect();
    stage.connect().run("XGROUP CREATE s g $ MKSTREAM");
    let cases = [
        ("BLPOP k 0.1", "*-1\r\n"),
        ("BRPOP k l .1", "*-1\r\n"),
        ("BLMOVE k d LEFT RIGHT 0.1", "*-1\r\n"),
        ("BRPOPLPUSH k d 1e-1", "*-1\r\n"),
        ("BLMPOP 0.1 1 k LEFT", "*-1\r\n"),
        ("BZPOPMIN k 0.1", "*-1\r\n"),
        ("BZPOPMAX k 0.1", "*-1\r\n"),
        ("BZMPOP 0.1 1 k MAX", "*-1\r\n"),
        ("XREAD BLOCK 100 STREAMS k $", "*-1\r\n"),
        ("XREADGROUP GROUP g c BLOCK 100 STREAMS s >", "*-1\r\n"),
        ("WAIT 1 100", ":0\r\n"),
    ];
    for protocol in [2, 3] {
        waiter.run(&format!("HELLO {protocol}"));
        for (line, reply) in cases {
            let reply = if protocol == 3 { reply.replace("*-1", "_") } else { reply.to_owned() };
            let began = now();
            wait(&mut waiter, line);
            assert_eq!(String::from_utf8_lossy(&waiter.bytes()), reply, "{line}");
            let took = began.elapsed();
            assert!(took >= Duration::from_millis(95), "{line} answered after {took:?}");
            assert!(took < Duration::from_millis(1_500), "{line} answered after {took:?}");
        }
    }
}

#[test]
fn the_shortest_time_is_no_time_but_not_for_ever() {
    let stage = Stage::new();
    let mut waiter = stage.connect();
    for timeout in ["0.0001", "0.001", "0.0009999", "1e-9"] {
        assert_eq!(format!("{:?}", waiter.run(&format!("BLPOP k {timeout}"))), "(nil)", "{timeout}");
    }
    wait(&mut waiter, "BLPOP k 0.0");
    expect_silence(&mut waiter);
}

#[test]
fn each_waits_for_its_own_time() {
    let stage = Stage::new();
    let began = now();
    let mut waiters: Vec<_> = [400, 100, 300, 200]
        .map(|timeout_ms| (timeout_ms, stage.waiter(&format!("BLPOP k 0.{timeout_ms}"))))
        .into();
    waiters.sort_by_key(|(timeout_ms, _)| *timeout_ms);
    for (timeout_ms, waiter) in &mut waiters {
        expect(waiter, "(nil)");
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(*timeout_ms - 5), "{timeout_ms} ms ended after {took:?}");
        assert!(took < Duration::from_millis(*timeout_ms + 2_000), "{timeout_ms} ms ended after {took:?}");
    }
}

#[test]
fn a_time_that_is_over_takes_nothing() {
    let mut stage = Stage::new();
    let mut waiter = stage.waiter("BLPOP k 0.05");
    expect(&mut waiter, "(nil)");
    stage.check("RPUSH k 1", ":1");
    stage.check("LRANGE k 0 -1", r#"["1"]"#);
    stage.assert_waiting(0);
    // A command that was run again in vain meanwhile still ends in time.
    stage.check("DEL k", ":1");
    let began = now();
    let mut waiter = stage.waiter("XREAD BLOCK 300 STREAMS k 9-9");
    for number in 1..9 {
        stage.check(&format!("XADD k {number}-1 f v"), &format!("\"{number}-1\""));
    }
    expect(&mut waiter, "(nil)");
    assert!(began.elapsed() >= Duration::from_millis(295));
    assert!(began.elapsed() < Duration::from_millis(1_800));
}
