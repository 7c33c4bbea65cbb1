//! Whole databases: FLUSHDB, FLUSHALL, SWAPDB.

use crate::base::argv::Args;
use crate::keyspace::Tx;
use crate::keyspace::settings::Freeing;
use crate::resp::Reply;
use crate::server::{Cx, Entry, Flow};
use crate::spec::args::{integer, is_word};
use crate::spec::{Categories, CommandError, Flags, Group, Spec};

const fn spec(name: &'static str, arity: i32, flags: Flags) -> Spec {
    Spec::new(name, arity, Group::Server, flags).category(Categories::KEYSPACE.or(Categories::DANGEROUS))
}

const ALL_SHARDS: &[&str] = &["request_policy:all_shards", "response_policy:all_succeeded"];

pub const COMMANDS: &[Entry] = &[
    Entry::server(
        spec("flushdb", -1, Flags::WRITE)
            .tips(ALL_SHARDS)
            .complexity("O(N) where N is the number of keys in the selected database")
            .doc("1.0.0", "Remove all keys from the current database", "[ASYNC|SYNC]"),
        flushdb,
    ),
    Entry::server(
        spec("flushall", -1, Flags::WRITE)
            .tips(ALL_SHARDS)
            .complexity("O(N) where N is the total number of keys in all databases")
            .doc("1.0.0", "Remove all keys from all databases", "[ASYNC|SYNC]"),
        flushall,
    ),
    Entry::data(
        spec("swapdb", 3, Flags::WRITE.or(Flags::FAST))
            .complexity(
                "O(N) where N is the count of clients watching or blocking on keys \
                 from both databases.",
            )
            .doc("4.0.0", "Swaps two Redis databases", "index1 index2"),
        swapdb,
    ),
];

fn freeing(cx: &Cx<'_>, args: Args<'_>) -> Result<Freeing, CommandError> {
    match (args.len(), args.get(1)) {
        (1, _) => Ok(cx.server.keyspace.settings.free_flushed),
        (2, Some(word)) if is_word(word, "ASYNC") => Ok(Freeing::Lazy),
        (2, Some(word)) if is_word(word, "SYNC") => Ok(Freeing::Inline),
        _ => Err(CommandError::Syntax),
    }
}

/// Empties a database for everybody who watches it.
fn flush(cx: &mut Cx<'_>, db: usize, freeing: Freeing) {
    let watched: Vec<Box<[u8]>> = cx.server.watches.of_db(db).map(|(key, _)| key.into()).collect();
    let watched: Vec<&[u8]> = watched.iter().map(|key| &key[..]).collect();
    cx.tx().at(db).flush(freeing, &watched);
}

fn flushdb(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let freeing = freeing(cx, args)?;
    let db = cx.client().db;
    flush(cx, db, freeing);
    cx.reply.ok();
    Ok(Flow::Done)
}

fn flushall(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let freeing = freeing(cx, args)?;
    for db in 0..cx.server.keyspace.databases() {
        flush(cx, db, freeing);
    }
    cx.server.kill_child_for_flush();
    cx.reply.ok();
    Ok(Flow::Done)
}

fn swapdb(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let first = number(args.at(1)).ok_or(CommandError::InvalidFirstDb)?;
    let second = number(args.at(2)).ok_or(CommandError::InvalidSecondDb)?;
    let index = |number: i32| {
        let index = usize::try_from(number).ok().filter(|index| *index < tx.keyspace.databases());
        index.ok_or(CommandError::DbOutOfRange)
    };
    let (first, second) = (index(first)?, index(second)?);
    tx.swap(first, second);
    reply.ok();
    Ok(Flow::Done)
}

fn number(argument: &[u8]) -> Option<i32> {
    integer(argument).ok().and_then(|number| i32::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::Fixture;
    use crate::config::SaveRule;

    #[test]
    fn flushes_count_what_went() {
        let mut fixture = Fixture::new();
        fixture.run("MSET a 1 b 2 c 3");
        fixture.check("MOVE c 5", ":1\r\n");
        let dirty = fixture.dirty();
        fixture.check("FLUSHDB FOO", "-ERR syntax error\r\n");
        fixture.check("FLUSHALL ASYNC SYNC", "-ERR syntax error\r\n");
        fixture.check("FLUSHDB sync", "+OK\r\n");
        assert_eq!(fixture.dirty(), dirty + 2);
        fixture.check("DBSIZE", ":0\r\n");
        assert_eq!(fixture.in_db(5, "DBSIZE"), ":1\r\n");
        fixture.check("FLUSHALL ASYNC", "+OK\r\n");
        assert_eq!(fixture.dirty(), dirty + 3);
        assert_eq!(fixture.in_db(5, "DBSIZE"), ":0\r\n");
    }

    #[test]
    fn with_save_rules_the_empty_dataset_is_saved_at_once() {
        let mut fixture = Fixture::new();
        let dir = tempfile::tempdir().expect("a temporary directory");
        fixture.server.config.dir = dir.path().to_owned();
        fixture.server.config.save.push(SaveRule { seconds: 3600, changes: 1 });
        fixture.run("MSET a 1 b 2");
        fixture.check("FLUSHALL", "+OK\r\n");
        assert_eq!(fixture.dirty(), 0);
        assert!(dir.path().join("dump.rdb").exists());
        fixture.run("SET a 1");
        fixture.take_propagated();
        fixture.server.config.dir = dir.path().join("absent");
        fixture.check("FLUSHALL", "+OK\r\n");
        assert_eq!(fixture.dirty(), 2, "what could not be saved counts");
        assert_eq!(fixture.take_propagated(), ["FLUSHALL"]);
    }

    #[test]
    fn databases_swap() {
        let mut fixture = Fixture::new();
        fixture.run("SET k v");
        fixture.check("SWAPDB a b", "-ERR invalid first DB index\r\n");
        fixture.check("SWAPDB 4294967296 0", "-ERR invalid first DB index\r\n");
        fixture.check("SWAPDB 0 b", "-ERR invalid second DB index\r\n");
        fixture.check("SWAPDB 0 16", "-ERR DB index is out of range\r\n");
        fixture.check("SWAPDB -1 0", "-ERR DB index is out of range\r\n");
        fixture.check("SWAPDB 0 0", "+OK\r\n");
        fixture.check("SWAPDB 0 1", "+OK\r\n");
        assert_eq!(fixture.dirty(), 3);
        fixture.check("EXISTS k", ":0\r\n");
        assert_eq!(fixture.in_db(1, "EXISTS k"), ":1\r\n");
        assert_eq!(fixture.take_propagated(), ["SET k v", "SWAPDB 0 0", "SWAPDB 0 1"]);
    }

    #[test]
    fn a_flush_breaks_watches_of_keys_that_were_there() {
        let mut fixture = Fixture::new();
        for (watched, reply) in [("k", "*-1\r\n"), ("absent", "*1\r\n+PONG\r\n")] {
            fixture.run("SET k v");
            fixture.run(&format!("WATCH {watched}"));
            fixture.run("FLUSHALL");
            fixture.run("MULTI");
            fixture.run("SET n 1");
            let executed = fixture.run("EXEC");
            assert_eq!(executed == "*-1\r\n", reply == "*-1\r\n", "{watched}: {executed}");
        }
    }
}
