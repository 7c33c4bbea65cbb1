//! A snapshot is the keyspace of one instant, for every type: a writer moves units between a string, a hash, a sorted
//! set, a list, a set and a stream, each move a transaction, so that their sum never changes. It writes as fast as it
//! can while the values grow from packed to large ones, and each file must show the sum, and both halves of its work.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::server::is_stand_in;
use crate::support::{Connection, Server, Start, Value};
use crate::tools::{fill, pipeline, wait_for_save_end};

const SUM: i64 = 1_000_000;
const SAVES: usize = 6;
/// So many moves are sent at a time.
const AT_ONCE: u64 = 40;

/// One move of one unit. Elements that are taken away are put back elsewhere, so the small values stay in motion.
fn moves(step: u64) -> Vec<String> {
    let moved = match step % 9 {
        0 => ["DECR string".into(), format!("HINCRBY hash f:{} 1", step / 9 % 700)],
        1 => ["DECR string".into(), format!("ZINCRBY zset 1 m:{}", step / 9 % 300)],
        2 => ["DECR string".into(), format!("RPUSH list {step}-{}", "x".repeat((step % 60) as usize))],
        3 => ["DECR string".into(), format!("SADD set member:{step}")],
        4 => ["DECR string".into(), format!("XADD stream * step {step}")],
        5 => [format!("HINCRBY hash f:{} -1", step % 700), format!("ZINCRBY zset 1 m:{}", step % 300)],
        6 if step % 27 == 6 => ["LPOP list".into(), format!("HINCRBY hash f:{} 1", step % 700)],
        7 if step % 27 == 7 => {
            [format!("SMOVE set other member:{}", step - 4), format!("ZINCRBY zset 0 m:{}", step % 300)]
        }
        _ => [format!("ZINCRBY zset -1 m:{}", step % 300), "INCR string".into()],
    };
    let [from, to] = moved;
    vec!["MULTI".into(), "INCR left".into(), from, to, "INCR right".into(), "EXEC".into()]
}

/// Moves until it is told to stop; `also` goes along with each portion.
fn move_about(connection: &mut Connection, stop: &AtomicBool, also: impl Fn(u64) -> Vec<String>) {
    for portion in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let steps = portion * AT_ONCE..(portion + 1) * AT_ONCE;
        let lines: Vec<String> = steps.flat_map(moves).chain(also(portion)).collect();
        connection.send(&pipeline(&lines));
        for line in &lines {
            let reply = connection.value();
            // Keys that may be evicted are refused when there is nothing more to evict.
            assert!(!reply.is_error() || line.starts_with("SET noise"), "{line}: {reply:?}");
        }
    }
}

/// What a file holds: how many moves had been made.
#[track_caller]
fn assert_sum(start: Start, directory: &Path, file: &str) -> i64 {
    let server = start.with("--save", "").with("--dbfilename", file).in_directory(directory).spawn();
    let mut connection = server.connect();
    let mut sum = connection.run("GET string").text().parse::<i64>().expect("a number");
    let number = |value: &Value| value.text().parse::<i64>().expect("a number");
    sum += connection.run("HVALS hash").elements().iter().map(number).sum::<i64>();
    let scores = connection.run("ZRANGE zset 0 -1 WITHSCORES").elements();
    sum += scores.iter().skip(1).step_by(2).map(number).sum::<i64>();
    for command in ["LLEN list", "SCARD set", "SCARD other", "XLEN stream"] {
        sum += connection.run(command).integer();
    }
    let (left, right) = (connection.run("GET left").text(), connection.run("GET right").text());
    assert_eq!((sum, &left), (SUM, &right), "{file}");
    left.parse().expect("a number")
}

fn file_names(connection: &mut Connection) -> Vec<String> {
    let snapshots = connection.run("SNAPSHOT LIST").elements();
    let file = |snapshot: &Value| {
        let fields = snapshot.elements();
        let at = fields.iter().position(|field| field.text() == "file").expect("a name");
        fields[at + 1].text()
    };
    snapshots.iter().map(file).collect()
}

/// Saves several times beneath the writer; returns what each file holds, the newest first.
fn save_beneath(server: &Server, also: impl Fn(u64) -> Vec<String> + Send) -> Vec<i64> {
    let mut connection = server.connect();
    connection.ok(&format!("SET string {SUM}"));
    let stop = AtomicBool::new(false);
    let mut writer = server.connect();
    std::thread::scope(|scope| {
        scope.spawn(|| move_about(&mut writer, &stop, also));
        for save in 0..SAVES {
            let threads = if save % 2 == 0 { 1 } else { 4 };
            connection.ok(&format!("CONFIG SET rdb-save-threads {threads}"));
            std::thread::sleep(std::time::Duration::from_millis(120));
            assert_eq!(connection.run("BGSAVE"), Value::Simple("Background saving started".into()));
            wait_for_save_end(&mut connection);
            assert_eq!(connection.info("rdb_last_bgsave_status"), "ok");
        }
        stop.store(true, Ordering::Relaxed);
    });
    let files = file_names(&mut connection);
    assert_eq!(files.len(), SAVES);
    files.iter().map(|file| assert_sum(Start::tintype(), server.directory(), file)).collect()
}

/// Each file is of another moment, all of them while the writer was at work.
#[track_caller]
fn assert_moments(moments: &[i64], connection: &mut Connection) {
    assert!(moments.is_sorted_by(|newer, older| newer > older), "{moments:?}");
    assert!(connection.run("GET left").text().parse::<i64>().expect("a number") > moments[0]);
    for (key, encoding) in
        [("hash", "hashtable"), ("zset", "skiplist"), ("set", "hashtable"), ("list", "quicklist")]
    {
        assert_eq!(connection.run(&format!("OBJECT ENCODING {key}")).text(), encoding, "{key} has grown");
    }
}

/// The writer and the server want two processors for themselves: the child would wait for its turn.
fn keeping_all() -> Start {
    Start::tintype().with("--save", "").with("--snapshot-keep", "100").with("--bgsave-nice", "0")
}

#[test]
fn every_type_is_of_one_instant() {
    if is_stand_in() {
        return;
    }
    let server = keeping_all().spawn();
    let mut connection = server.connect();
    // Enough for several threads, and for the save to take its time.
    fill(&mut connection, 3000, 40);
    connection.ok("CONFIG SET rdb-key-save-delay 40");
    let moments = save_beneath(&server, |_| Vec::new());
    assert_moments(&moments, &mut connection);
    assert_eq!(assert_sum(Start::oracle(), server.directory(), "dump.rdb"), moments[0]);
}

#[test]
fn every_type_is_of_one_instant_while_keys_expire_and_are_evicted() {
    if is_stand_in() {
        return;
    }
    let server = keeping_all().with("--maxmemory-policy", "volatile-random").spawn();
    let mut connection = server.connect();
    fill(&mut connection, 2000, 40);
    connection.ok("CONFIG SET rdb-key-save-delay 40");
    let used = connection.info_number("used_memory");
    connection.ok(&format!("CONFIG SET maxmemory {}", used + (40 << 20)));
    let noise = |portion: u64| {
        let key = |n: u64| format!("noise:{}", portion * 20 + n);
        let short = (0..10).map(|n| format!("SET {} {} PX {}", key(n), "y".repeat(300), 1 + n * 20));
        let long = (10..20).map(|n| format!("SET {} {} EX 1000", key(n), "z".repeat(30_000)));
        short.chain(long).collect()
    };
    let moments = save_beneath(&server, noise);
    assert!(moments.is_sorted_by(|newer, older| newer > older), "{moments:?}");
    assert!(connection.info_number("evicted_keys") > 0 && connection.info_number("expired_keys") > 0);
}
