//! Thousands of clients that wait for one key.

use crate::support::{Connection, wait_for};
use crate::tools::{Stage, wait};

const CLIENTS: usize = 5_000;

fn number(reply: &crate::support::Value) -> usize {
    reply.elements()[1].text().parse().expect("the number that was pushed")
}

fn elements(numbers: std::ops::Range<usize>) -> String {
    numbers.map(|number| format!(" {number}")).collect()
}

#[test]
fn each_is_served_once_and_in_order() {
    let mut stage = Stage::new();
    stage.check(&format!("CONFIG SET maxclients {}", CLIENTS + 100), "+OK");
    let mut waiters: Vec<Connection> = (0..CLIENTS).map(|_| stage.waiter("BLPOP k 0")).collect();
    stage.assert_waiting(CLIENTS as i64);
    // One push for all.
    stage.check(&format!("RPUSH k{}", elements(0..CLIENTS)), &format!(":{CLIENTS}"));
    for (expected, waiter) in waiters.iter_mut().enumerate() {
        assert_eq!(number(&waiter.value()), expected);
    }
    stage.check("EXISTS k", ":0");
    // Half of them go; each push is for the next that is left.
    waiters.iter_mut().for_each(|waiter| wait(waiter, "BRPOP k 0"));
    let mut left: Vec<Connection> = waiters.into_iter().step_by(2).collect();
    wait_for("the server to see that half of them went", || {
        stage.info("blocked_clients") == left.len() as i64
    });
    let mut pushing = stage.connect();
    let pushes = (0..left.len()).map(|number| format!("RPUSH k {number}\r\n")).collect::<String>();
    pushing.send(pushes.as_bytes());
    (0..left.len()).for_each(|_| assert_eq!(pushing.value().integer(), 1));
    for (expected, waiter) in left.iter_mut().enumerate() {
        assert_eq!(number(&waiter.value()), expected);
    }
    // All go at once.
    left.iter_mut().for_each(|waiter| wait(waiter, "BLPOP k 0"));
    drop(left);
    wait_for("the server to see that all went", || stage.info("blocked_clients") == 0);
    stage.check("RPUSH k 1", ":1");
    stage.check("LLEN k", ":1");
}

#[test]
fn all_get_the_entry_of_a_stream() {
    let mut stage = Stage::new();
    let mut waiters: Vec<Connection> = (0..500).map(|_| stage.waiter("XREAD BLOCK 0 STREAMS s $")).collect();
    stage.check("XADD s 1-1 f v", r#""1-1""#);
    for waiter in &mut waiters {
        assert_eq!(format!("{:?}", waiter.value()), r#"[["s", [["1-1", ["f", "v"]]]]]"#);
    }
    stage.assert_waiting(0);
}

#[test]
fn their_times_end_all() {
    let mut stage = Stage::new();
    let mut waiters: Vec<Connection> = (0..500).map(|_| stage.waiter("BLPOP k 0.2")).collect();
    waiters.iter_mut().for_each(|waiter| assert_eq!(format!("{:?}", waiter.value()), "(nil)"));
    stage.assert_waiting(0);
    assert_eq!(stage.info("clients_in_timeout_table"), 0);
}
