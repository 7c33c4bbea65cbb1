//! Commands on keys whatever their value: DEL, EXISTS, RENAME, MOVE, COPY and their kin.

use crate::base::argv::Args;
use crate::keyspace::settings::Freeing;
use crate::keyspace::{Access, Event, Tx};
use crate::resp::Reply;
use crate::server::{Entry, Flow};
use crate::spec::args::{Options, integer, is_word};
use crate::spec::{Categories, CommandError, Flags, Group, KeyFlags, KeySpec, Spec};

const fn spec(name: &'static str, arity: i32, flags: Flags) -> Spec {
    Spec::new(name, arity, Group::Generic, flags).category(Categories::KEYSPACE)
}

const READ_FAST: Flags = Flags::READONLY.or(Flags::FAST);
const WRITE_FAST: Flags = Flags::WRITE.or(Flags::FAST);
const SUM_OF_SHARDS: &[&str] = &["request_policy:multi_shard", "response_policy:agg_sum"];

const REMOVED: &[KeySpec] = &[KeySpec::rest(1, 1, KeyFlags::RM.or(KeyFlags::DELETE))];
const ALL_SEEN: &[KeySpec] = &[KeySpec::rest(1, 1, KeyFlags::RO)];
const RENAMED: KeySpec = KeySpec::one(1, KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::DELETE));

pub const COMMANDS: &[Entry] = &[
    Entry::data(
        spec("del", -2, Flags::WRITE)
            .keys(REMOVED)
            .tips(SUM_OF_SHARDS)
            .complexity("O(N) where N is the number of keys that will be removed.")
            .doc("1.0.0", "Delete a key", "key [key ...]"),
        del,
    ),
    Entry::data(
        spec("unlink", -2, WRITE_FAST)
            .keys(REMOVED)
            .tips(SUM_OF_SHARDS)
            .complexity("O(1) for each key removed regardless of its size.")
            .doc(
                "4.0.0",
                "Delete a key asynchronously in another thread. Otherwise it is just \
                 as DEL, but non blocking.",
                "key [key ...]",
            ),
        unlink,
    ),
    Entry::data(
        spec("exists", -2, READ_FAST)
            .keys(ALL_SEEN)
            .tips(SUM_OF_SHARDS)
            .complexity("O(N) where N is the number of keys to check.")
            .doc("1.0.0", "Determine if a key exists", "key [key ...]"),
        exists,
    ),
    Entry::data(
        spec("touch", -2, READ_FAST)
            .keys(ALL_SEEN)
            .tips(SUM_OF_SHARDS)
            .complexity("O(N) where N is the number of keys that will be touched.")
            .doc(
                "3.2.1",
                "Alters the last access time of a key(s). Returns the number of \
                 existing keys specified.",
                "key [key ...]",
            ),
        touch,
    ),
    Entry::data(
        spec("type", 2, READ_FAST).keys(&[KeySpec::one(1, KeyFlags::RO)]).complexity("O(1)").doc(
            "1.0.0",
            "Determine the type stored at key",
            "key",
        ),
        type_of,
    ),
    Entry::data(
        spec("rename", 3, Flags::WRITE)
            .keys(&[RENAMED, KeySpec::one(2, KeyFlags::OW.or(KeyFlags::UPDATE))])
            .complexity("O(1)")
            .doc("1.0.0", "Rename a key", "key newkey"),
        rename,
    ),
    Entry::data(
        spec("renamenx", 3, WRITE_FAST)
            .keys(&[RENAMED, KeySpec::one(2, KeyFlags::OW.or(KeyFlags::INSERT))])
            .complexity("O(1)")
            .doc("1.0.0", "Rename a key, only if the new key does not exist", "key newkey"),
        renamenx,
    ),
    Entry::data(
        spec("move", 3, WRITE_FAST)
            .keys(&[KeySpec::one(1, KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::UPDATE))])
            .complexity("O(1)")
            .doc("1.0.0", "Move a key to another database", "key db"),
        move_key,
    ),
    Entry::data(
        spec("copy", -3, Flags::WRITE.or(Flags::DENYOOM))
            .keys(&[
                KeySpec::one(1, KeyFlags::RO.or(KeyFlags::ACCESS)),
                KeySpec::one(2, KeyFlags::OW.or(KeyFlags::UPDATE)),
            ])
            .complexity("O(N) worst case for collections, where N is the number of nested items.")
            .doc("6.2.0", "Copy a key", "source destination [DB destination-db] [REPLACE]"),
        copy,
    ),
    Entry::data(
        spec("randomkey", 1, Flags::READONLY.or(Flags::TOUCHES_ARBITRARY_KEYS))
            .tips(&["request_policy:all_shards", "nondeterministic_output"])
            .complexity("O(1)")
            .doc("1.0.0", "Return a random key from the keyspace", ""),
        randomkey,
    ),
    Entry::data(
        Spec::new("dbsize", 1, Group::Server, READ_FAST)
            .category(Categories::KEYSPACE)
            .tips(&["request_policy:all_shards", "response_policy:agg_sum"])
            .complexity("O(1)")
            .doc("1.0.0", "Return the number of keys in the selected database", ""),
        dbsize,
    ),
];

fn del(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    del_by(tx, args, tx.keyspace.settings.free_deleted, reply)
}

fn unlink(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    del_by(tx, args, Freeing::Lazy, reply)
}

fn del_by(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    freeing: Freeing,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let mut deleted = 0;
    tx.for_keys(args.from(1).iter(), |tx, key| {
        if tx.remove(key, freeing) {
            tx.changed(key, Event::Del);
            deleted += 1;
        }
    });
    reply.integer(deleted);
    Ok(Flow::Done)
}

fn exists(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    count_found(tx, args, Access::Peek, reply)
}

fn touch(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    count_found(tx, args, Access::Read, reply)
}

fn count_found(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    access: Access,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let mut found = 0;
    tx.for_keys(args.from(1).iter(), |tx, key| found += i64::from(tx.lookup(key, access).is_some()));
    reply.integer(found);
    Ok(Flow::Done)
}

fn type_of(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let found = tx.lookup(args.at(1), Access::Peek).map(|entry| entry.value_type().name());
    reply.simple(found.unwrap_or("none"));
    Ok(Flow::Done)
}

fn rename(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (from, to) = (args.at(1), args.at(2));
    tx.lookup(from, Access::Write).ok_or(CommandError::NoSuchKey)?;
    if from != to {
        rename_found(tx, from, to);
    }
    reply.ok();
    Ok(Flow::Done)
}

fn renamenx(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (from, to) = (args.at(1), args.at(2));
    tx.lookup(from, Access::Write).ok_or(CommandError::NoSuchKey)?;
    if from == to || tx.exists(to) {
        reply.integer(0);
        return Ok(Flow::Done);
    }
    rename_found(tx, from, to);
    reply.integer(1);
    Ok(Flow::Done)
}

/// Moves the value of `from`, which is there, with its expiry and access clock.
fn rename_found(tx: &mut Tx<'_>, from: &[u8], to: &[u8]) {
    // What has expired under the new name expires first, as its own event.
    tx.exists(to);
    let Some(entry) = tx.take(from) else { return };
    tx.put(entry.with_key(to));
    tx.changed(from, Event::RenameFrom);
    tx.also(to, Event::RenameTo);
}

fn move_key(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let key = args.at(1);
    let target = db_index(tx, args.at(2))?;
    if target == tx.db {
        return Err(CommandError::SameObject);
    }
    let moves = tx.lookup(key, Access::Write).is_some() && !tx.at(target).exists(key);
    if moves && let Some(entry) = tx.take(key) {
        tx.at(target).put(entry);
        tx.changed(key, Event::MoveFrom);
        tx.at(target).also(key, Event::MoveTo);
    }
    reply.integer(i64::from(moves));
    Ok(Flow::Done)
}

/// An existing database, by its number.
fn db_index(tx: &Tx<'_>, argument: &[u8]) -> Result<usize, CommandError> {
    const NOT_AN_INT: &str = "ERR value is out of range, value must between -2147483648 and 2147483647";
    let number = i32::try_from(integer(argument)?).map_err(|_| CommandError::text(NOT_AN_INT))?;
    let index = usize::try_from(number).ok().filter(|index| *index < tx.keyspace.databases());
    index.ok_or(CommandError::DbOutOfRange)
}

struct CopyOptions {
    db: usize,
    replace: bool,
}

fn copy_options(tx: &Tx<'_>, args: Args<'_>) -> Result<CopyOptions, CommandError> {
    let mut chosen = CopyOptions { db: tx.db, replace: false };
    let mut options = Options::new(args, 3);
    while let Some(word) = options.next_argument() {
        if is_word(word, "REPLACE") {
            chosen.replace = true;
        } else if is_word(word, "DB") {
            chosen.db = db_index(tx, options.value()?)?;
        } else {
            return Err(CommandError::Syntax);
        }
    }
    Ok(chosen)
}

fn copy(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (from, to) = (args.at(1), args.at(2));
    let options = copy_options(tx, args)?;
    if options.db == tx.db && from == to {
        return Err(CommandError::SameObject);
    }
    let found = tx.lookup(from, Access::Read).is_some();
    let copies = found && (!tx.at(options.db).exists(to) || options.replace);
    if copies && let Some(copied) = tx.peek(from).map(|entry| entry.clone_with_key(to)) {
        // The copy begins its own life: it has been used now, and never before.
        copied.set_lru(tx.fresh_lru());
        let mut target = tx.at(options.db);
        target.put(copied);
        target.changed(to, Event::CopyTo);
    }
    reply.integer(i64::from(copies));
    Ok(Flow::Done)
}

fn randomkey(tx: &mut Tx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    match tx.random_key() {
        Some(key) => reply.bulk(&key),
        None => reply.null(),
    }
    Ok(Flow::Done)
}

fn dbsize(tx: &mut Tx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    reply.count(tx.keyspace.db(tx.db).len());
    Ok(Flow::Done)
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::Fixture;

    const SAME: &str = "-ERR source and destination objects are the same\r\n";
    const RANGE: &str = "-ERR DB index is out of range\r\n";

    #[test]
    fn keys_are_counted_and_deleted() {
        let mut fixture = Fixture::new();
        fixture.run("MSET a 1 b 2 c 3");
        fixture.check("EXISTS a a x", ":2\r\n");
        fixture.check("TOUCH a b x", ":2\r\n");
        assert_eq!(fixture.events("DEL a a x"), ["del a@0"]);
        fixture.check("UNLINK b c", ":2\r\n");
        fixture.check("TYPE b", "+none\r\n");
        fixture.check("DBSIZE", ":0\r\n");
        fixture.check("RANDOMKEY", "$-1\r\n");
        let many: Vec<String> = (0..100).map(|number| format!("k{number}")).collect();
        many.iter().for_each(|key| assert_eq!(fixture.run(&format!("SET {key} v")), "+OK\r\n"));
        fixture.check(&format!("EXISTS {}", many.join(" ")), ":100\r\n");
        fixture.check(&format!("DEL {}", many.join(" ")), ":100\r\n");
        assert_eq!((fixture.hits(), fixture.misses()), (2 + 2 + 100, 1 + 1 + 1));
    }

    #[test]
    fn renaming_carries_the_expiry() {
        let mut fixture = Fixture::new();
        fixture.check("RENAME x x", "-ERR no such key\r\n");
        fixture.check("RENAMENX x y", "-ERR no such key\r\n");
        fixture.run("SET a 1 PX 5000");
        fixture.run("SET b 2");
        fixture.check("RENAME a a", "+OK\r\n");
        fixture.check("RENAMENX a a", ":0\r\n");
        fixture.check("RENAMENX a b", ":0\r\n");
        assert_eq!(fixture.events("RENAME a b"), ["rename_from a@0", "rename_to b@0"]);
        fixture.check("PTTL b", ":5000\r\n");
        fixture.check("RENAMENX b c", ":1\r\n");
        assert_eq!(fixture.take_propagated(), ["SET a 1 PXAT 1700000005000", "SET b 2", "RENAMENX b c"]);
        fixture.advance_ms(5001);
        fixture.check("EXISTS c", ":0\r\n");
    }

    #[test]
    fn keys_move_between_databases() {
        let mut fixture = Fixture::new();
        fixture.run("SET a 1 PX 5000");
        fixture.check("MOVE a 0", SAME);
        fixture.check("MOVE x 0", SAME);
        fixture.check("MOVE a 16", RANGE);
        fixture.check("MOVE a -1", RANGE);
        fixture.check("MOVE a x", "-ERR value is not an integer or out of range\r\n");
        let text = "-ERR value is out of range, value must between -2147483648 and 2147483647\r\n";
        fixture.check("MOVE a 4294967296", text);
        assert_eq!(fixture.events("MOVE a 1"), ["move_from a@0", "move_to a@1"]);
        fixture.check("MOVE a 1", ":0\r\n");
        fixture.run("SET a 2");
        fixture.check("MOVE a 1", ":0\r\n");
        assert_eq!(fixture.in_db(1, "PTTL a"), ":5000\r\n");
    }

    #[test]
    fn copies_are_independent() {
        let mut fixture = Fixture::new();
        fixture.run("SET a hello PX 5000");
        fixture.check("COPY a a", SAME);
        fixture.check("COPY x x", SAME);
        fixture.check("COPY a a DB 0", SAME);
        fixture.check("COPY a b DB 99 FOO", RANGE);
        fixture.check("COPY a b FOO", "-ERR syntax error\r\n");
        fixture.check("COPY a b DB", "-ERR syntax error\r\n");
        fixture.check("COPY x b", ":0\r\n");
        fixture.check("COPY a b", ":1\r\n");
        fixture.check("COPY a b", ":0\r\n");
        fixture.run("APPEND a !");
        fixture.check("GET b", "$5\r\nhello\r\n");
        assert_eq!(fixture.events("COPY a b REPLACE"), ["copy_to b@0"]);
        fixture.check("GET b", "$6\r\nhello!\r\n");
        fixture.check("PTTL b", ":5000\r\n");
        assert_eq!(fixture.events("COPY a a DB 3"), ["copy_to a@3"]);
        assert_eq!(fixture.in_db(3, "GET a"), "$6\r\nhello!\r\n");
    }
}
