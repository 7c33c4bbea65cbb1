//! The expiry of keys: EXPIRE and its kin, TTL and its kin, PERSIST.

use crate::base::argv::{Args, Argv};
use crate::base::number;
use crate::keyspace::{Access, Entry as Key, Event, Tx};
use crate::resp::Reply;
use crate::server::{Entry, Flow};
use crate::spec::args::{Options, integer, is_word};
use crate::spec::{Categories, CommandError, Flags, Group, KeyFlags, KeySpec, Spec};

const fn writing(name: &'static str) -> Spec {
    Spec::new(name, -3, Group::Generic, Flags::WRITE.or(Flags::FAST))
        .category(Categories::KEYSPACE)
        .keys(UPDATED)
        .complexity("O(1)")
}

const fn reading(name: &'static str) -> Spec {
    Spec::new(name, 2, Group::Generic, Flags::READONLY.or(Flags::FAST))
        .category(Categories::KEYSPACE)
        .keys(SEEN)
        .complexity("O(1)")
}

const SEEN: &[KeySpec] = &[KeySpec::one(1, KeyFlags::RO.or(KeyFlags::ACCESS))];
const UPDATED: &[KeySpec] = &[KeySpec::one(1, KeyFlags::RW.or(KeyFlags::UPDATE))];
/// The answer depends on when it is asked for.
const PASSES: &[&str] = &["nondeterministic_output"];

pub const COMMANDS: &[Entry] = &[
    Entry::data(
        writing("expire").doc("1.0.0", "Set a key's time to live in seconds", "key seconds [NX|XX|GT|LT]"),
        expire,
    ),
    Entry::data(
        writing("pexpire").doc(
            "2.6.0",
            "Set a key's time to live in milliseconds",
            "key milliseconds [NX|XX|GT|LT]",
        ),
        pexpire,
    ),
    Entry::data(
        writing("expireat").doc(
            "1.2.0",
            "Set the expiration for a key as a UNIX timestamp",
            "key unix-time-seconds [NX|XX|GT|LT]",
        ),
        expireat,
    ),
    Entry::data(
        writing("pexpireat").doc(
            "2.6.0",
            "Set the expiration for a key as a UNIX timestamp specified in milliseconds",
            "key unix-time-milliseconds [NX|XX|GT|LT]",
        ),
        pexpireat,
    ),
    Entry::data(
        reading("ttl").tips(PASSES).doc("1.0.0", "Get the time to live for a key in seconds", "key"),
        ttl,
    ),
    Entry::data(
        reading("pttl").tips(PASSES).doc("2.6.0", "Get the time to live for a key in milliseconds", "key"),
        pttl,
    ),
    Entry::data(
        reading("expiretime").doc("7.0.0", "Get the expiration Unix timestamp for a key", "key"),
        expiretime,
    ),
    Entry::data(
        reading("pexpiretime").doc(
            "7.0.0",
            "Get the expiration Unix timestamp for a key in milliseconds",
            "key",
        ),
        pexpiretime,
    ),
    Entry::data(
        Spec::new("persist", 2, Group::Generic, Flags::WRITE.or(Flags::FAST))
            .category(Categories::KEYSPACE)
            .keys(UPDATED)
            .complexity("O(1)")
            .doc("2.2.0", "Remove the expiration from a key", "key"),
        persist,
    ),
];

// ----- setting -----

/// How a command gives the time.
#[derive(Clone, Copy)]
struct Form {
    command: &'static str,
    /// Milliseconds in one unit of its argument.
    unit_ms: i64,
    base: Base,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Base {
    Now,
    Epoch,
}

const EXPIRE: Form = Form { command: "expire", unit_ms: 1000, base: Base::Now };
const PEXPIRE: Form = Form { command: "pexpire", unit_ms: 1, base: Base::Now };
const EXPIREAT: Form = Form { command: "expireat", unit_ms: 1000, base: Base::Epoch };
const PEXPIREAT: Form = Form { command: "pexpireat", unit_ms: 1, base: Base::Epoch };

impl Form {
    /// Unix milliseconds.
    fn time(self, argument: &[u8], now_ms: i64) -> Result<i64, CommandError> {
        let base_ms = if self.base == Base::Now { now_ms } else { 0 };
        let time_ms = integer(argument)?.checked_mul(self.unit_ms).and_then(|ms| ms.checked_add(base_ms));
        time_ms.ok_or(CommandError::InvalidExpire(self.command))
    }
}

/// When the expiry may change.
#[derive(Clone, Copy, Default)]
struct Conditions {
    none_yet: bool,
    some_already: bool,
    later: bool,
    sooner: bool,
}

impl Conditions {
    fn parse(args: Args<'_>) -> Result<Conditions, CommandError> {
        let mut given = Conditions::default();
        for word in Options::new(args, 3) {
            match word {
                _ if is_word(word, "NX") => given.none_yet = true,
                _ if is_word(word, "XX") => given.some_already = true,
                _ if is_word(word, "GT") => given.later = true,
                _ if is_word(word, "LT") => given.sooner = true,
                _ => return Err(CommandError::quoting("ERR Unsupported option ", word, "")),
            }
        }
        if given.none_yet && (given.some_already || given.later || given.sooner) {
            return Err(CommandError::ExpireFlagsConflict);
        }
        if given.later && given.sooner {
            return Err(CommandError::ExpireGtLtConflict);
        }
        Ok(given)
    }

    /// No expiry is later than any.
    fn allow(self, old: Option<i64>, new: i64) -> bool {
        match old {
            None => !self.some_already && !self.later,
            Some(old) => !self.none_yet && (!self.later || new > old) && (!self.sooner || new < old),
        }
    }
}

fn expire(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    expire_by(tx, args, EXPIRE, reply)
}

fn pexpire(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    expire_by(tx, args, PEXPIRE, reply)
}

fn expireat(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    expire_by(tx, args, EXPIREAT, reply)
}

fn pexpireat(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    expire_by(tx, args, PEXPIREAT, reply)
}

fn expire_by(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    form: Form,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let key = args.at(1);
    let conditions = Conditions::parse(args)?;
    let time_ms = form.time(args.at(2), tx.now_ms)?;
    let old = tx.lookup(key, Access::Write).map(Key::expire_at_ms);
    let changes = old.is_some_and(|old| conditions.allow(old, time_ms));
    match changes {
        // A time in the past deletes the key at once.
        true if time_ms <= tx.now_ms => tx.delete(key, tx.keyspace.settings.free_expired),
        true => expire_at(tx, args, form, time_ms),
        false => {}
    }
    reply.integer(i64::from(changes));
    Ok(Flow::Done)
}

fn expire_at(tx: &mut Tx<'_>, args: Args<'_>, form: Form, time_ms: i64) {
    let key = args.at(1);
    tx.set_expire(key, Some(time_ms));
    tx.changed(key, Event::Expire);
    if tx.ledger.propagates {
        let mut argv: Argv = [b"PEXPIREAT", key, &number::format_i64(time_ms)].into_iter().collect();
        args.from(3).iter().for_each(|option| argv.push(option));
        let is_absolute = form.base == Base::Epoch && form.unit_ms == 1;
        if !is_absolute {
            tx.ledger.propagate_instead(vec![argv]);
        }
    }
}

fn persist(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let key = args.at(1);
    let had_expiry = tx.lookup(key, Access::Write).and_then(Key::expire_at_ms).is_some();
    if had_expiry {
        tx.set_expire(key, None);
        tx.changed(key, Event::Persist);
    }
    reply.integer(i64::from(had_expiry));
    Ok(Flow::Done)
}

// ----- asking -----

fn ttl(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let now_ms = tx.now_ms;
    answer(tx, args, reply, |expire_at_ms| in_seconds(remaining_ms(expire_at_ms, now_ms)))
}

fn pttl(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let now_ms = tx.now_ms;
    answer(tx, args, reply, |expire_at_ms| remaining_ms(expire_at_ms, now_ms))
}

fn expiretime(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    answer(tx, args, reply, in_seconds)
}

fn pexpiretime(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    answer(tx, args, reply, |expire_at_ms| expire_at_ms)
}

fn answer(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
    show: impl Fn(i64) -> i64,
) -> Result<Flow, CommandError> {
    const NO_KEY: i64 = -2;
    const NO_EXPIRY: i64 = -1;
    reply.integer(match tx.expire_at_ms(args.at(1)) {
        None => NO_KEY,
        Some(None) => NO_EXPIRY,
        Some(Some(expire_at_ms)) => show(expire_at_ms),
    });
    Ok(Flow::Done)
}

fn remaining_ms(expire_at_ms: i64, now_ms: i64) -> i64 {
    expire_at_ms.saturating_sub(now_ms).max(0)
}

/// Rounded to the nearest second. An expiry that is in force is not negative, so the sum fits 64 bits.
fn in_seconds(ms: i64) -> i64 {
    ((ms.max(0).unsigned_abs() + 500) / 1000) as i64
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{Fixture, START_MS};

    #[test]
    fn expiries_are_set_asked_and_removed() {
        let mut fixture = Fixture::new();
        fixture.check("TTL x", ":-2\r\n");
        fixture.check("EXPIRE x 10", ":0\r\n");
        fixture.check("PERSIST x", ":0\r\n");
        fixture.run("SET k v");
        fixture.check("PTTL k", ":-1\r\n");
        fixture.check("EXPIRETIME k", ":-1\r\n");
        assert_eq!(fixture.events("EXPIRE k 10"), ["expire k@0"]);
        fixture.check("PEXPIRE k 1499", ":1\r\n");
        fixture.check("TTL k", ":1\r\n");
        fixture.check("PEXPIRETIME k", &format!(":{}\r\n", START_MS + 1499));
        fixture.check("EXPIREAT k 9999999999", ":1\r\n");
        fixture.check("EXPIRETIME k", ":9999999999\r\n");
        assert_eq!(fixture.events("PERSIST k"), ["persist k@0"]);
        fixture.check("PERSIST k", ":0\r\n");
        fixture.check("PEXPIREAT k 9223372036854775807", ":1\r\n");
        fixture.check("EXPIRETIME k", ":9223372036854776\r\n");
    }

    #[test]
    fn a_key_lives_through_its_last_millisecond() {
        let mut fixture = Fixture::new();
        fixture.run("SET k v PX 10");
        fixture.advance_ms(10);
        fixture.check("PTTL k", ":0\r\n");
        fixture.advance_ms(1);
        fixture.check("PTTL k", ":-2\r\n");
        fixture.check("DBSIZE", ":0\r\n");
        assert_eq!(fixture.dirty(), 1);
    }

    #[test]
    fn the_past_deletes() {
        for command in ["EXPIRE k 0", "EXPIRE k -1 LT", "PEXPIREAT k -100", "PEXPIRE k -9223372036854775808"]
        {
            let mut fixture = Fixture::new();
            fixture.run("SET k v");
            assert_eq!(fixture.events(command), ["del k@0"], "{command}");
            fixture.run("SET k v");
            fixture.take_propagated();
            fixture.check(command, ":1\r\n");
            assert_eq!(fixture.take_propagated(), ["DEL k"]);
            fixture.check("EXISTS k", ":0\r\n");
        }
    }

    #[test]
    fn conditions_compare_with_the_old_expiry() {
        let mut fixture = Fixture::new();
        fixture.run("SET k v");
        for (command, reply) in [
            ("EXPIRE k 100 XX", 0),
            ("EXPIRE k 100 GT", 0),
            ("EXPIRE k 100 LT", 1),
            ("EXPIRE k 100 NX", 0),
            ("EXPIRE k 100 GT", 0),
            ("EXPIRE k 101 GT XX", 1),
            ("EXPIRE k 101 LT", 0),
            ("EXPIRE k 100 xx lt", 1),
            ("EXPIRE k -1 GT", 0),
        ] {
            fixture.check(command, &format!(":{reply}\r\n"));
        }
    }

    #[test]
    fn errors_come_in_order() {
        let mut fixture = Fixture::new();
        fixture.run("SET k v");
        let nx = "-ERR NX and XX, GT or LT options at the same time are not compatible\r\n";
        let gt = "-ERR GT and LT options at the same time are not compatible\r\n";
        let number = "-ERR value is not an integer or out of range\r\n";
        fixture.check("EXPIRE x abc FOO", "-ERR Unsupported option FOO\r\n");
        fixture.check("EXPIRE x abc NX XX", nx);
        fixture.check("EXPIRE x abc NX GT LT", nx);
        fixture.check("EXPIRE x abc GT LT", gt);
        fixture.check("EXPIRE x abc", number);
        fixture.check("EXPIRE x 9223372036854775", "-ERR invalid expire time in 'expire' command\r\n");
        fixture.check("EXPIREAT x -9223372036854776", "-ERR invalid expire time in 'expireat' command\r\n");
        fixture.check("PEXPIRE x 9223372036854775807", "-ERR invalid expire time in 'pexpire' command\r\n");
        fixture.check("EXPIREAT k 9223372036854775", ":1\r\n");
    }

    #[test]
    fn others_see_absolute_times() {
        let mut fixture = Fixture::new();
        fixture.run("SET k v");
        fixture.take_propagated();
        for (command, seen) in [
            ("EXPIRE k 100 NX", "PEXPIREAT k 1700000100000 NX"),
            ("PEXPIRE k 200000", "PEXPIREAT k 1700000200000"),
            ("EXPIREAT k 9999999999 XX", "PEXPIREAT k 9999999999000 XX"),
            ("PEXPIREAT k 99999999999999 GT", "PEXPIREAT k 99999999999999 GT"),
            ("PERSIST k", "PERSIST k"),
        ] {
            fixture.check(command, ":1\r\n");
            assert_eq!(fixture.take_propagated(), [seen]);
        }
    }
}
