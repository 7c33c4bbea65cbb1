//! DUMP and RESTORE. They are server handlers, since `rdbcompression` and a switch of DEBUG have a say.

use crate::base::argv::{Args, Argv};
use crate::base::number;
use crate::keyspace::settings::{Freeing, Ranking};
use crate::keyspace::{self, Access, Event, Expiry, StrView, Tx, lru};
use crate::rdb::{self, Checksum, Compression, RestoreError, Restored, StringValue};
use crate::server::{Cx, Entry, Flow};
use crate::spec::args::{Options, integer, integer_in, is_word};
use crate::spec::{Categories, CommandError, Flags, Group, KeyFlags, KeySpec, Spec};

pub const COMMANDS: &[Entry] = &[
    Entry::server(
        Spec::new("dump", 2, Group::Generic, Flags::READONLY)
            .category(Categories::KEYSPACE)
            .keys(&[KeySpec::one(1, KeyFlags::RO.or(KeyFlags::ACCESS))])
            .tips(&["nondeterministic_output"])
            .complexity(
                "O(1) to access the key and additional O(N*M) to serialize it, where N \
                 is the number of Redis objects composing the value and M their \
                 average size.",
            )
            .doc("2.6.0", "Return a serialized version of the value stored at the specified key.", "key"),
        dump,
    ),
    Entry::server(
        Spec::new("restore", -4, Group::Generic, Flags::WRITE.or(Flags::DENYOOM))
            .category(Categories::KEYSPACE.or(Categories::DANGEROUS))
            .keys(&[KeySpec::one(1, KeyFlags::OW.or(KeyFlags::UPDATE))])
            .complexity(
                "O(1) to create the new key and additional O(N*M) to reconstruct the \
                 serialized value, where N is the number of Redis objects composing \
                 the value and M their average size. For small string values the time \
                 complexity is thus O(1)+O(1*M) where M is small, so simply O(1). \
                 However for sorted set values the complexity is O(N*M*log(N)) because \
                 inserting values into sorted sets is O(log(N)).",
            )
            .doc(
                "2.6.0",
                "Create a key using the provided serialized value, previously obtained \
                 using DUMP.",
                "key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ \
                 frequency]",
            ),
        restore,
    ),
];

fn dump(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let compression = if cx.server.config.rdbcompression { Compression::Lzf } else { Compression::Off };
    let mut payload = Vec::new();
    let found = match cx.tx().lookup(args.at(1), Access::Read) {
        None => false,
        Some(entry) => {
            dump_entry(entry, compression, &mut payload);
            true
        }
    };
    if found {
        cx.reply.bulk(&payload)
    } else {
        cx.reply.null()
    }
    Ok(Flow::Done)
}

/// Appends the payload of a key's value.
pub(in crate::commands) fn dump_entry(entry: &keyspace::Entry, compression: Compression, out: &mut Vec<u8>) {
    if let Some(view) = entry.view() {
        return rdb::dump_object(view, compression, out);
    }
    let value = match entry.str_view() {
        StrView::Int(value) => StringValue::Int(value),
        StrView::Bytes(bytes) => StringValue::Bytes(bytes),
    };
    rdb::dump_string(value, compression, out);
}

#[derive(Clone, Copy, Default)]
struct RestoreOptions {
    replace: bool,
    /// The time to live is a Unix time.
    absolute: bool,
    idle_s: Option<u64>,
    frequency: Option<u8>,
}

fn restore_options(args: Args<'_>) -> Result<RestoreOptions, CommandError> {
    let mut chosen = RestoreOptions::default();
    let mut options = Options::new(args, 4);
    while let Some(word) = options.next_argument() {
        if is_word(word, "REPLACE") {
            chosen.replace = true;
        } else if is_word(word, "ABSTTL") {
            chosen.absolute = true;
        } else if is_word(word, "IDLETIME") && chosen.frequency.is_none() {
            let idle_s = integer_in(options.value()?, 0..=i64::MAX, CommandError::InvalidIdletime)?;
            chosen.idle_s = Some(idle_s.unsigned_abs());
        } else if is_word(word, "FREQ") && chosen.idle_s.is_none() {
            let frequency = integer(options.value()?)?;
            chosen.frequency = Some(u8::try_from(frequency).map_err(|_| CommandError::InvalidFreq)?);
        } else {
            return Err(CommandError::Syntax);
        }
    }
    Ok(chosen)
}

fn restore(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let key = args.at(1);
    let options = restore_options(args)?;
    if !options.replace && cx.tx().exists(key) {
        return Err(CommandError::BusyKey);
    }
    let ttl_ms = integer_in(args.at(2), 0..=i64::MAX, CommandError::InvalidTtl)?;
    let checksum = if cx.server.debug.skip_checksum_validation { Checksum::Off } else { Checksum::On };
    let mut tx = cx.tx();
    let (rules, now_ms) = (tx.rules(), tx.now_ms);
    let value =
        rdb::restore(args.at(3), &rdb::RestoreOptions { checksum, rules, now_ms }).map_err(payload_error)?;

    let expiry = match ttl_ms {
        0 => Expiry::None,
        _ if options.absolute => Expiry::At(ttl_ms),
        // Beyond the end of time Redis wraps around into the past as well.
        _ => Expiry::At(ttl_ms.wrapping_add(tx.now_ms)),
    };
    match expiry {
        Expiry::At(expire_at_ms) if expire_at_ms <= tx.now_ms => restore_expired(&mut tx, key),
        _ if matches!(value, Restored::Expired) => restore_expired(&mut tx, key),
        _ => {
            restore_value(&mut tx, key, value, expiry);
            set_use(&mut tx, key, options);
            tx.changed(key, Event::Restore);
            propagate_restore(&mut tx, args, expiry, options);
        }
    }
    cx.reply.ok();
    Ok(Flow::Done)
}

fn payload_error(error: RestoreError) -> CommandError {
    match error {
        RestoreError::Footer => CommandError::DumpChecksum,
        RestoreError::Format => CommandError::BadDataFormat,
        RestoreError::Unsupported { .. } => CommandError::text(format!("ERR {error}")),
    }
}

/// A value whose time is over replaces the old one by nothing.
fn restore_expired(tx: &mut Tx<'_>, key: &[u8]) {
    let freeing = tx.keyspace.settings.free_replaced;
    if !tx.remove(key, freeing) {
        return;
    }
    tx.changed(key, Event::Del);
    if tx.ledger.propagates {
        let word: &[u8] = if freeing == Freeing::Lazy { b"UNLINK" } else { b"DEL" };
        tx.ledger.propagate_instead(vec![Argv::from_iter([word, key])]);
    }
}

fn restore_value(tx: &mut Tx<'_>, key: &[u8], value: Restored<'_>, expiry: Expiry) {
    // Not a change of what is there: whatever the old value was, it goes.
    let old_type = tx.peek(key).map(|entry| entry.value_type());
    tx.remove(key, tx.keyspace.settings.free_replaced);
    match value {
        Restored::Int(value) => tx.set(key, StrView::Int(value), expiry),
        Restored::Bytes(bytes) => tx.set_str(key, &bytes, expiry),
        Restored::Object(object) => {
            tx.store(key, object);
            if let Expiry::At(expire_at_ms) = expiry {
                tx.set_expire(key, Some(expire_at_ms));
            }
        }
        Restored::Expired => {}
    }
    let new_type = tx.peek(key).map(|entry| entry.value_type());
    if let (Some(old), Some(new)) = (old_type, new_type) {
        tx.overwrote(key, old, new);
    }
}

/// Idle time and frequency count only under a policy that looks at them.
fn set_use(tx: &mut Tx<'_>, key: &[u8], options: RestoreOptions) {
    let (now_ms, is_lfu) = (tx.now_ms, tx.keyspace.settings.ranking == Ranking::Lfu);
    let field = match (options.idle_s, options.frequency) {
        (_, Some(frequency)) if is_lfu => lru::lfu_with(frequency, now_ms),
        (Some(idle_s), _) if !is_lfu => lru::clock_with_idle(idle_s, now_ms),
        _ => return,
    };
    if let Some(entry) = tx.peek(key) {
        entry.set_lru(field);
    }
}

fn propagate_restore(tx: &mut Tx<'_>, args: Args<'_>, expiry: Expiry, options: RestoreOptions) {
    let Expiry::At(expire_at_ms) = expiry else { return };
    if !tx.ledger.propagates || options.absolute {
        return;
    }
    let time = number::format_i64(expire_at_ms);
    let mut argv: Argv = [args.at(0), args.at(1), &time].into_iter().collect();
    args.from(3).iter().for_each(|argument| argv.push(argument));
    argv.push(b"ABSTTL");
    tx.ledger.propagate_instead(vec![argv]);
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::Fixture;
    use crate::config::choices::Restriction;
    use crate::keyspace::settings::Ranking;

    /// What redis-server 7.0.15 dumps for "hello".
    const HELLO: &[u8] = b"\x00\x05hello\n\x00cr\xdfve4 \n";

    /// Runs RESTORE with `HELLO` in place of `P`.
    fn restore(fixture: &mut Fixture, line: &str) -> String {
        let words = line.split(' ').map(|word| if word == "P" { HELLO } else { word.as_bytes() });
        fixture.run_args(std::iter::once(&b"RESTORE"[..]).chain(words).collect())
    }

    #[test]
    fn a_dump_is_that_of_redis_and_comes_back() {
        let mut fixture = Fixture::new();
        fixture.run("SET k hello");
        let dumped = fixture.run_bytes(["DUMP", "k"].into_iter().collect());
        assert_eq!(dumped, [b"$17\r\n", HELLO, b"\r\n"].concat());
        fixture.check("DUMP x", "$-1\r\n");
        assert_eq!(restore(&mut fixture, "r 0 P"), "+OK\r\n");
        fixture.check("GET r", "$5\r\nhello\r\n");
        fixture.check("OBJECT ENCODING r", "$6\r\nembstr\r\n");
        for value in ["12", "-1000000", "12345678901234567890", &"long ".repeat(100)] {
            fixture.run_args([&b"SET"[..], b"k", value.as_bytes()].into_iter().collect());
            let reply = fixture.run_bytes(["DUMP", "k"].into_iter().collect());
            let start = reply.iter().position(|byte| *byte == b'\n').expect("a length") + 1;
            let payload = &reply[start..reply.len() - 2];
            fixture.run_args([&b"RESTORE"[..], b"r", b"0", payload, b"REPLACE"].into_iter().collect());
            assert_eq!(fixture.run("GET r"), format!("${}\r\n{value}\r\n", value.len()));
            assert_eq!(fixture.run("OBJECT ENCODING r"), fixture.run("OBJECT ENCODING k"));
        }
    }

    /// What DUMP gives of `key`.
    fn dump(fixture: &mut Fixture, key: &str) -> Vec<u8> {
        let reply = fixture.run_bytes(["DUMP", key].into_iter().collect());
        let start = reply.iter().position(|byte| *byte == b'\n').expect("a length") + 1;
        reply[start..reply.len() - 2].to_vec()
    }

    #[test]
    fn values_of_all_types_move() {
        let mut fixture = Fixture::new();
        fixture.server.config.enable_debug_command = Restriction::Yes;
        let many: String = (0..600).map(|number| format!(" {number} member:{number}")).collect();
        for (key, line) in [
            ("l", "RPUSH l a 1 b".to_owned()),
            ("L", format!("RPUSH L{many}{many}{many}")),
            ("i", "SADD i 3 1 2".to_owned()),
            ("s", "SADD s 3 a".to_owned()),
            ("S", format!("SADD S{many}")),
            ("z", "ZADD z 1.5 a -inf b".to_owned()),
            ("Z", format!("ZADD Z{many}")),
            ("h", "HSET h f v g 5".to_owned()),
            ("H", format!("HSET H{many}")),
            ("x", "XADD x 1-1 f v".to_owned()),
        ] {
            fixture.run(&line);
            let payload = dump(&mut fixture, key);
            assert_eq!(payload[payload.len() - 10], 10, "{key}: the version that Redis 7.0 reads");
            let command = [&b"RESTORE"[..], b"r", b"0", &payload, b"REPLACE"];
            assert_eq!(fixture.run_args(command.into_iter().collect()), "+OK\r\n", "{key}");
            for question in ["TYPE", "OBJECT ENCODING", "DEBUG DIGEST-VALUE"] {
                let asked = |fixture: &mut Fixture, key| fixture.run(&format!("{question} {key}"));
                let found = asked(&mut fixture, "r");
                assert!(!found.starts_with('-') && found == asked(&mut fixture, key), "{question} of {key}");
            }
        }
        fixture.run("XGROUP CREATE x g 0");
        fixture.run("XREADGROUP GROUP g c STREAMS x >");
        let payload = dump(&mut fixture, "x");
        assert_eq!(payload[payload.len() - 10], 10, "seen and active at the same time");
        fixture.run("XGROUP CREATECONSUMER x g d");
        let payload = dump(&mut fixture, "x");
        assert_eq!(payload[payload.len() - 10], 11, "one was never active");
        let command = [&b"RESTORE"[..], b"r", b"0", &payload, b"REPLACE"];
        assert_eq!(fixture.run_args(command.into_iter().collect()), "+OK\r\n");
        assert_eq!(fixture.run("XINFO CONSUMERS r g"), fixture.run("XINFO CONSUMERS x g"));
        assert_eq!(fixture.run("XPENDING r g"), fixture.run("XPENDING x g"));
    }

    #[test]
    fn what_is_newer_says_so() {
        let mut fixture = Fixture::new();
        fixture.run("HSET h f v g w");
        fixture.run("HPEXPIREAT h 1700000001000 FIELDS 1 f");
        let payload = dump(&mut fixture, "h");
        assert_eq!(payload[payload.len() - 10], 12);
        let restored = |fixture: &mut Fixture| {
            let command = [&b"RESTORE"[..], b"r", b"0", &payload, b"REPLACE"];
            fixture.run_args(command.into_iter().collect())
        };
        assert_eq!(restored(&mut fixture), "+OK\r\n");
        fixture.check("HPEXPIRETIME r FIELDS 2 f g", "*2\r\n:1700000001000\r\n:-1\r\n");
        fixture.advance_ms(2000);
        assert_eq!(restored(&mut fixture), "+OK\r\n");
        fixture.check("HKEYS r", "*1\r\n$1\r\ng\r\n");
        fixture.run("HDEL h g");
    }

    #[test]
    fn hostile_payloads_are_refused() {
        let mut fixture = Fixture::new();
        fixture.server.debug.skip_checksum_validation = true;
        let footer = [10, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        for body in [
            // A set with a member that stands twice, in a table and in a listpack.
            &b"\x02\x02\x01a\x01a"[..],
            b"\x14\x0d\x0d\0\0\0\x02\0\x81a\x02\x81a\x02\xff",
            // A hash whose last field has no value.
            b"\x10\x0a\x0a\0\0\0\x01\0\x81a\x02\xff",
            // A sorted set that is out of order.
            b"\x11\x11\x11\0\0\0\x04\0\x81a\x02\x02\x01\x81b\x02\x01\x01\xff",
            // An intset that descends.
            b"\x0b\x0c\x02\0\0\0\x02\0\0\0\x02\0\x01\0",
            // Nothing at all.
            b"\x02\0",
            b"\x12\x81\xff\xff\xff\xff\xff\xff\xff\xff",
        ] {
            let payload = [body, &footer].concat();
            let reply = fixture.run_args([&b"RESTORE"[..], b"k", b"0", &payload].into_iter().collect());
            assert_eq!(reply, "-ERR Bad data format\r\n", "{}", body.escape_ascii());
        }
    }

    #[test]
    fn errors_come_in_order() {
        let mut fixture = Fixture::new();
        fixture.run("SET i v");
        let busy = "-BUSYKEY Target key name already exists.\r\n";
        let payload = "-ERR DUMP payload version or checksum are wrong\r\n";
        let number = "-ERR value is not an integer or out of range\r\n";
        let syntax = "-ERR syntax error\r\n";
        let idle = "-ERR Invalid IDLETIME value, must be >= 0\r\n";
        let frequency = "-ERR Invalid FREQ value, must be >= 0 and <= 255\r\n";
        for (line, reply) in [
            ("i x zz FOO", syntax),
            ("i x zz", busy),
            ("j x zz", number),
            ("j -1 zz", "-ERR Invalid TTL value, must be >= 0\r\n"),
            ("j 0 zz", payload),
            ("j 0 P IDLETIME -1", idle),
            ("j 0 P IDLETIME x", number),
            ("j 0 P IDLETIME", syntax),
            ("j 0 P FREQ 256", frequency),
            ("j 0 P FREQ -1", frequency),
            ("j 0 P FREQ 1 IDLETIME 1", syntax),
            ("j 0 P IDLETIME 1 FREQ 1", syntax),
            ("j 0 P FREQ 1 FREQ 2", "+OK\r\n"),
        ] {
            assert_eq!(restore(&mut fixture, line), reply, "{line}");
        }
        fixture.server.debug.skip_checksum_validation = true;
        let wrong = [&HELLO[..HELLO.len() - 8], &[0; 8]].concat();
        assert_eq!(
            fixture.run_args([&b"RESTORE"[..], b"n", b"0", &wrong[..]].into_iter().collect()),
            "+OK\r\n"
        );
    }

    #[test]
    fn times_to_live() {
        let mut fixture = Fixture::new();
        assert_eq!(restore(&mut fixture, "k 100000 P"), "+OK\r\n");
        fixture.check("PTTL k", ":100000\r\n");
        let seen = fixture.take_propagated_bytes();
        let expected = [&b"RESTORE k 1700000100000 "[..], HELLO, b" ABSTTL"].concat();
        assert_eq!(seen, [expected]);
        assert_eq!(restore(&mut fixture, "k 99999999999999 P ABSTTL REPLACE"), "+OK\r\n");
        fixture.check("PEXPIRETIME k", ":99999999999999\r\n");
        fixture.take_propagated();
        let dirty = fixture.dirty();
        assert_eq!(restore(&mut fixture, "k 1 P ABSTTL REPLACE"), "+OK\r\n");
        assert_eq!((fixture.take_propagated(), fixture.dirty()), (vec!["DEL k".to_owned()], dirty + 1));
        assert_eq!(restore(&mut fixture, "k 1 P ABSTTL"), "+OK\r\n");
        assert_eq!(fixture.dirty(), dirty + 1, "nothing was there and nothing came");
        fixture.check("EXISTS k", ":0\r\n");
    }

    #[test]
    fn use_is_restored_for_the_policy_in_force() {
        let mut fixture = Fixture::new();
        restore(&mut fixture, "k 0 P IDLETIME 100");
        fixture.check("OBJECT IDLETIME k", ":100\r\n");
        restore(&mut fixture, "k 0 P FREQ 100 REPLACE");
        fixture.check("OBJECT IDLETIME k", ":0\r\n");
        fixture.server.keyspace.settings.ranking = Ranking::Lfu;
        restore(&mut fixture, "k 0 P FREQ 100 REPLACE");
        fixture.check("OBJECT FREQ k", ":100\r\n");
        fixture.check("COPY k c", ":1\r\n");
        fixture.check("OBJECT FREQ c", ":5\r\n");
        restore(&mut fixture, "m 0 P FREQ 100 REPLACE");
        fixture.check("MOVE m 1", ":1\r\n");
        assert_eq!(fixture.in_db(1, "OBJECT FREQ m"), ":100\r\n");
        restore(&mut fixture, "k 0 P IDLETIME 9 REPLACE");
        fixture.check("OBJECT FREQ k", ":5\r\n");
    }
}
