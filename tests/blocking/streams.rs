//! Streams: XREAD and XREADGROUP that wait.

use crate::support::server::is_stand_in;
use crate::tools::{Stage, expect, expect_silence, wait};

const NO_GROUP: &str = "-NOGROUP No such key 'k' or consumer group 'g' in XREADGROUP with GROUP option";
/// What redis-server 7.0 says instead; 7.2 and later run the command again.
const NO_STREAM_7_0: &str = "-UNBLOCKED the stream key no longer exists";
const NO_GROUP_7_0: &str = "-NOGROUP the consumer group this client was blocked on no longer exists";

fn no_stream() -> &'static str {
    if is_stand_in() { NO_STREAM_7_0 } else { NO_GROUP }
}

/// A stream `k` with one entry and a group `g` that has seen it.
fn with_group() -> Stage {
    let mut stage = Stage::new();
    make_group(&mut stage);
    stage
}

fn make_group(stage: &mut Stage) {
    stage.check("XADD k 1-1 f v", r#""1-1""#);
    stage.check("XGROUP CREATE k g $", "+OK");
}

#[test]
fn the_top_is_what_it_was_when_the_wait_began() {
    let mut stage = Stage::new();
    stage.check("XADD k 1-1 f v", r#""1-1""#);
    let mut top = stage.waiter("XREAD BLOCK 0 STREAMS k $");
    let mut one = stage.waiter("XREAD BLOCK 0 COUNT 1 STREAMS k 1-1");
    let mut later = stage.waiter("XREAD BLOCK 0 STREAMS k 5-0");
    let mut absent = stage.waiter("XREAD BLOCK 0 STREAMS n $");
    stage.transaction(&["XADD k 2-1 f 2", "XADD k 3-1 f 3"]);
    expect(&mut top, r#"[["k", [["2-1", ["f", "2"]], ["3-1", ["f", "3"]]]]]"#);
    expect(&mut one, r#"[["k", [["2-1", ["f", "2"]]]]]"#);
    expect_silence(&mut later);
    stage.check("XADD k 5-0 f 5", r#""5-0""#);
    expect_silence(&mut later);
    stage.check("XADD k 5-1 f 6", r#""5-1""#);
    expect(&mut later, r#"[["k", [["5-1", ["f", "6"]]]]]"#);
    stage.check("XADD n 1-1 a b", r#""1-1""#);
    expect(&mut absent, r#"[["n", [["1-1", ["a", "b"]]]]]"#);
    // A stream that went and came again may have smaller IDs.
    wait(&mut top, "XREAD BLOCK 0 STREAMS k $");
    stage.check("DEL k", ":1");
    stage.check("XADD k 1-1 f v", r#""1-1""#);
    expect_silence(&mut top);
    stage.check("XADD k 9-9 f v", r#""9-9""#);
    expect(&mut top, r#"[["k", [["9-9", ["f", "v"]]]]]"#);
}

#[test]
fn several_streams_answer_together() {
    let mut stage = Stage::new();
    let mut waiter = stage.waiter("XREAD BLOCK 0 STREAMS k n $ $");
    stage.check("XADD n 1-1 a b", r#""1-1""#);
    expect(&mut waiter, r#"[["n", [["1-1", ["a", "b"]]]]]"#);
    if is_stand_in() {
        return;
    }
    wait(&mut waiter, "XREAD BLOCK 0 STREAMS k n $ $");
    stage.transaction(&["XADD n 2-1 a b", "XADD k 2-1 c d"]);
    expect(&mut waiter, r#"[["k", [["2-1", ["c", "d"]]]], ["n", [["2-1", ["a", "b"]]]]]"#);
    waiter.run("HELLO 3");
    wait(&mut waiter, "XREAD BLOCK 0 STREAMS k n $ $");
    stage.check("XADD n 3-1 a b", r#""3-1""#);
    expect(&mut waiter, r#"{"n": [["3-1", ["a", "b"]]]}"#);
}

#[test]
fn what_a_transaction_added_and_deleted_serves_nobody() {
    let mut stage = Stage::new();
    let mut waiter = stage.waiter("XREAD BLOCK 0 STREAMS k $");
    stage.check("XADD k NOMKSTREAM 1-1 f v", "(nil)");
    stage.check("XGROUP CREATE k g $ MKSTREAM", "+OK");
    stage.check("XSETID k 1-1", "+OK");
    stage.check("DEL k", ":1");
    if !is_stand_in() {
        // Before 7.2 it was answered with no entries.
        stage.transaction(&["XADD k 1-1 f v", "XDEL k 1-1"]);
        stage.transaction(&["XADD k 2-1 f v", "XTRIM k MAXLEN 0"]);
    }
    expect_silence(&mut waiter);
    stage.check("XADD k 3-1 f v", r#""3-1""#);
    expect(&mut waiter, r#"[["k", [["3-1", ["f", "v"]]]]]"#);
}

#[test]
fn each_entry_goes_to_one_consumer() {
    let mut stage = Stage::new();
    stage.check("XGROUP CREATE k g $ MKSTREAM", "+OK");
    let mut consumers: Vec<_> = ["a", "b", "c"]
        .map(|name| stage.waiter(&format!("XREADGROUP GROUP g {name} COUNT 1 BLOCK 0 STREAMS k >")))
        .into();
    stage.check("XADD k 1-1 f 1", r#""1-1""#);
    stage.transaction(&["XADD k 2-1 f 2", "XADD k 3-1 f 3", "XADD k 4-1 f 4"]);
    for (number, consumer) in consumers.iter_mut().enumerate() {
        let number = number + 1;
        expect(consumer, &format!(r#"[["k", [["{number}-1", ["f", "{number}"]]]]]"#));
    }
    stage.check("XPENDING k g", r#"[:3, "1-1", "3-1", [["a", "1"], ["b", "1"], ["c", "1"]]]"#);
    // The one that is left is had at once; NOACK leaves nothing pending.
    stage.check("XREADGROUP GROUP g d BLOCK 0 NOACK STREAMS k >", r#"[["k", [["4-1", ["f", "4"]]]]]"#);
    stage.check("XREADGROUP GROUP g d BLOCK 0 STREAMS k 0", r#"[["k", []]]"#);
    stage.check("XACK k g 1-1", ":1");
}

#[test]
fn a_consumer_that_was_deleted_comes_again_when_it_is_served() {
    let mut stage = with_group();
    let mut waiter = stage.waiter("XREADGROUP GROUP g c BLOCK 0 STREAMS k >");
    stage.run("XGROUP DELCONSUMER k g c");
    stage.check("XINFO CONSUMERS k g", "[]");
    stage.check("XADD k 2-1 f v", r#""2-1""#);
    expect(&mut waiter, r#"[["k", [["2-1", ["f", "v"]]]]]"#);
    stage.check("XPENDING k g", r#"[:1, "2-1", "2-1", [["c", "1"]]]"#);
}

#[test]
fn a_group_that_is_set_back_serves_with_the_next_entry() {
    let mut stage = with_group();
    let mut waiter = stage.waiter("XREADGROUP GROUP g c BLOCK 0 STREAMS k >");
    stage.check("XGROUP SETID k g 0", "+OK");
    expect_silence(&mut waiter);
    stage.check("XADD k 2-1 f v", r#""2-1""#);
    expect(&mut waiter, r#"[["k", [["1-1", ["f", "v"]], ["2-1", ["f", "v"]]]]]"#);
}

#[test]
fn whoever_reads_a_group_learns_that_the_stream_went() {
    let mut stage = Stage::new();
    for going in ["DEL k", "UNLINK k", "RENAME k other", "MOVE k 3", "FLUSHALL", "FLUSHDB", "SWAPDB 0 5"] {
        stage.check("FLUSHALL", "+OK");
        make_group(&mut stage);
        let mut reader = stage.waiter("XREAD BLOCK 0 STREAMS k $");
        let mut first = stage.waiter("XREADGROUP GROUP g a BLOCK 0 STREAMS k >");
        let mut second = stage.waiter("XREADGROUP GROUP g b BLOCK 0 STREAMS k >");
        stage.run(going);
        expect(&mut first, no_stream());
        expect(&mut second, no_stream());
        stage.assert_waiting(1);
        stage.check("XADD k 7-7 f v", r#""7-7""#);
        expect(&mut reader, r#"[["k", [["7-7", ["f", "v"]]]]]"#);
    }
    assert_eq!(stage.statistic("xreadgroup", "failed_calls"), 14);
}

#[test]
fn a_stream_that_expires_has_gone() {
    let mut stage = with_group();
    let mut reader = stage.waiter("XREAD BLOCK 0 STREAMS k $");
    let mut waiter = stage.waiter("XREADGROUP GROUP g c BLOCK 0 STREAMS k >");
    stage.check("PEXPIRE k 30", ":1");
    expect(&mut waiter, no_stream());
    // By a clock that is found to be over, too.
    make_group(&mut stage);
    wait(&mut waiter, "XREADGROUP GROUP g c BLOCK 0 STREAMS k >");
    stage.check("PEXPIRE k -1", ":1");
    expect(&mut waiter, no_stream());
    stage.check("XADD k 8-8 f v", r#""8-8""#);
    expect(&mut reader, r#"[["k", [["8-8", ["f", "v"]]]]]"#);
}

#[test]
fn whoever_reads_a_group_learns_that_the_group_went() {
    let mut stage = with_group();
    let mut waiter = stage.waiter("XREADGROUP GROUP g c BLOCK 0 STREAMS k >");
    stage.check("XGROUP CREATE k other $", "+OK");
    stage.check("XGROUP DESTROY k other", ":1");
    expect_silence(&mut waiter);
    stage.check("XGROUP DESTROY k g", ":1");
    let gone = if is_stand_in() { NO_GROUP_7_0 } else { NO_GROUP };
    expect(&mut waiter, gone);
    stage.check("XGROUP CREATE k g $", "+OK");
    wait(&mut waiter, "XREADGROUP GROUP g c BLOCK 0 STREAMS k >");
    stage.transaction(&["DEL k", "XADD k 2-2 f v"]);
    expect(&mut waiter, gone);
    // One that came again in the same transaction is as good as the old one.
    stage.check("XGROUP CREATE k g $", "+OK");
    wait(&mut waiter, "XREADGROUP GROUP g c BLOCK 0 STREAMS k >");
    stage.transaction(&["DEL k", "XADD k 3-3 f v", "XGROUP CREATE k g 0"]);
    expect(&mut waiter, r#"[["k", [["3-3", ["f", "v"]]]]]"#);
}

#[test]
fn whoever_reads_a_group_learns_that_the_key_holds_something_else() {
    let mut stage = with_group();
    let mut reader = stage.waiter("XREAD BLOCK 0 STREAMS k $");
    let mut list = stage.waiter("BLPOP k 0");
    let mut waiter = stage.waiter("XREADGROUP GROUP g c BLOCK 0 STREAMS k >");
    expect(&mut list, "-WRONGTYPE Operation against a key holding the wrong kind of value");
    stage.check("SET k text", "+OK");
    let reply = if is_stand_in() {
        NO_STREAM_7_0
    } else {
        "-WRONGTYPE Operation against a key holding the wrong kind of value"
    };
    expect(&mut waiter, reply);
    expect_silence(&mut reader);
    stage.check("DEL k", ":1");
    stage.check("XADD k 9-9 f v", r#""9-9""#);
    expect(&mut reader, r#"[["k", [["9-9", ["f", "v"]]]]]"#);
}

#[test]
fn a_list_in_place_of_the_stream_serves_its_own_and_tells_the_others() {
    let mut stage = with_group();
    let mut group = stage.waiter("XREADGROUP GROUP g c BLOCK 0 STREAMS k >");
    stage.transaction(&["DEL k", "RPUSH k 1"]);
    assert!(group.value().is_error());
    stage.check("LRANGE k 0 -1", r#"["1"]"#);
}

#[test]
fn a_reload_tells_who_reads_a_group_that_is_not_in_the_file() {
    let mut stage = Stage::new();
    stage.check("SAVE", "+OK");
    make_group(&mut stage);
    let mut reader = stage.waiter("XREAD BLOCK 0 STREAMS k $");
    let mut waiter = stage.waiter("XREADGROUP GROUP g c BLOCK 0 STREAMS k >");
    stage.check("DEBUG RELOAD", "+OK");
    stage.assert_waiting(2);
    stage.check("XADD k 2-2 f v", r#""2-2""#);
    expect(&mut waiter, r#"[["k", [["2-2", ["f", "v"]]]]]"#);
    expect(&mut reader, r#"[["k", [["2-2", ["f", "v"]]]]]"#);
    stage.check("DEL k", ":1");
    stage.check("SAVE", "+OK");
    make_group(&mut stage);
    wait(&mut waiter, "XREADGROUP GROUP g c BLOCK 0 STREAMS k >");
    stage.check("DEBUG RELOAD NOSAVE", "+OK");
    expect(&mut waiter, no_stream());
}
