//! A shadow: what a server propagates, replayed in another one, gives the same dataset at every moment.

use crate::base::argv::{Args, Argv};
use crate::commands::testing::Fixture;
use crate::config::Restriction;
use std::cell::RefCell;
use std::rc::Rc;

const COMMANDS: usize = 6_000;
const KEYS: usize = 12;

/// A random command; times are short, so that keys expire while they are used.
fn command(rng: &mut fastrand::Rng) -> String {
    let key = |rng: &mut fastrand::Rng| format!("k{}", rng.usize(..KEYS));
    let (one, two) = (key(rng), key(rng));
    let (ms, number) = (rng.u32(1..400), rng.i32(-50..50));
    match rng.usize(..28) {
        0 => format!("SET {one} {number} PX {ms}"),
        1 => format!("SET {one} text{number}"),
        2 => format!("SET {one} {number} KEEPTTL GET"),
        3 => format!("PSETEX {one} {ms} value"),
        4 => format!("GETEX {one} PX {ms}"),
        5 => format!("GETEX {one} PERSIST"),
        6 => format!("GETDEL {one}"),
        7 => format!("GETSET {one} {number}"),
        8 => format!("INCRBY {one} {number}"),
        9 => format!("INCRBYFLOAT {one} 0.1"),
        10 => format!("APPEND {one} tail"),
        11 => format!("SETRANGE {one} 3 patch"),
        12 => format!("MSET {one} 1 {two} 2"),
        13 => format!("MSETNX {one} 1 {two} 2"),
        14 => format!("MSETEX 2 {one} 1 {two} 2 PX {ms}"),
        15 => format!("PEXPIRE {one} {ms}"),
        16 => format!("PEXPIRE {one} {} GT", ms * 2),
        17 => format!("PEXPIRE {one} -1"),
        18 => format!("PERSIST {one}"),
        19 => format!("RENAME {one} {two}"),
        20 => format!("COPY {one} {two} REPLACE"),
        21 => format!("COPY {one} {two} DB 1 REPLACE"),
        22 => format!("MOVE {one} 1"),
        23 => format!("DEL {one} {two}"),
        24 => format!("DELEX {one} IFEQ {number}"),
        25 => format!("SELECT {}", rng.usize(..2)),
        26 => {
            if rng.u8(..) < 8 {
                "SWAPDB 0 1".to_owned()
            } else {
                format!("GET {one}")
            }
        }
        _ => {
            if rng.u8(..) < 4 {
                "FLUSHDB".to_owned()
            } else {
                format!("EXISTS {one} {two}")
            }
        }
    }
}

#[test]
fn a_replayed_stream_gives_the_same_dataset() {
    for seed in 0..4 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (mut primary, mut shadow) = (Fixture::new(), Fixture::new());
        primary.server.config.enable_debug_command = Restriction::Yes;
        shadow.server.config.enable_debug_command = Restriction::Yes;
        // The shadow never looks at expiries itself: its clock stands still, so only what it is told removes a key.
        let stream: Rc<RefCell<Vec<(usize, Argv)>>> = Rc::default();
        let sink = stream.clone();
        primary.server.feed =
            Some(Box::new(move |db, args: Args<'_>| sink.borrow_mut().push((db, args.to_owned()))));
        for number in 0..COMMANDS {
            let line = command(&mut rng);
            primary.run(&line);
            primary.advance_ms(rng.u64(..30));
            // Looking at every key removes what has expired.
            if number % 16 == 0 {
                (0..2).for_each(|db| {
                    drop((0..KEYS).map(|k| primary.in_db(db, &format!("EXISTS k{k}"))).collect::<Vec<_>>())
                });
            }
            for (db, argv) in stream.borrow_mut().drain(..) {
                shadow.client().db = db;
                shadow.run_args(argv);
            }
            if number % 16 == 0 {
                let (digest, shadowed) = (primary.run("DEBUG DIGEST"), shadow.run("DEBUG DIGEST"));
                assert!(digest.starts_with('+'), "{digest}");
                assert_eq!(digest, shadowed, "seed {seed}, command {number}: {line}");
            }
        }
    }
}
