//! The commands of the group hyperloglog: how many different elements were seen.
//!
//! The values are strings; what is in them is `object::hyperloglog`'s.

use crate::base::argv::Args;
use crate::keyspace::{Access, Event, StrView, Tx};
use crate::object::Encoding as ValueEncoding;
use crate::object::hyperloglog::{Corrupt, Encoding, Hyperloglog, HyperloglogMut, Registers, selftest};
use crate::resp::Reply;
use crate::server::{Entry, Flow};
use crate::spec::args::is_word;
use crate::spec::{Audience, CommandError, Flags, Group, KeyFlags, KeySpec, Spec};

const GROW: Flags = Flags::WRITE.or(Flags::DENYOOM);
const READ_ACCESS: KeyFlags = KeyFlags::RO.or(KeyFlags::ACCESS);
const CHANGE_ACCESS: KeyFlags = KeyFlags::RW.or(KeyFlags::ACCESS);

const fn spec(name: &'static str, arity: i32, flags: Flags) -> Spec {
    Spec::new(name, arity, Group::Hyperloglog, flags)
}

pub const COMMANDS: &[Entry] = &[
    Entry::data(
        spec("pfadd", -2, GROW.or(Flags::FAST))
            .keys(&[KeySpec::one(1, KeyFlags::RW.or(KeyFlags::INSERT))])
            .complexity("O(1) to add every element.")
            .doc(
                "2.8.9",
                "Adds the specified elements to the specified HyperLogLog.",
                "key [element [element ...]]",
            ),
        pfadd,
    ),
    Entry::data(
        spec("pfcount", -2, Flags::READONLY.or(Flags::MAY_REPLICATE))
            .keys(&[KeySpec::rest(1, 1, CHANGE_ACCESS)])
            .key_notes(&[
                "RW because it may change the internal representation of the key, and propagate to replicas",
            ])
            .complexity(
                "O(1) with a very small average constant time when called with a single key. O(N) with N being \
                 the number of keys, and much bigger constant times, when called with multiple keys.",
            )
            .doc(
                "2.8.9",
                "Return the approximated cardinality of the set(s) observed by the HyperLogLog at key(s).",
                "key [key ...]",
            ),
        pfcount,
    ),
    Entry::data(
        spec("pfmerge", -2, GROW)
            .keys(&[
                KeySpec::one(1, CHANGE_ACCESS.or(KeyFlags::INSERT)),
                KeySpec::rest(2, 1, READ_ACCESS),
            ])
            .complexity("O(N) to merge N HyperLogLogs, but with high constant times.")
            .doc(
                "2.8.9",
                "Merge N different HyperLogLogs into a single one.",
                "destkey [sourcekey [sourcekey ...]]",
            ),
        pfmerge,
    ),
    Entry::data(
        spec("pfdebug", 3, GROW.or(Flags::ADMIN))
            .keys(&[KeySpec::one(2, CHANGE_ACCESS)])
            .complexity("N/A")
            .audience(Audience::System)
            .doc("2.8.9", "Internal commands for debugging HyperLogLog values", "subcommand key"),
        pfdebug,
    ),
    Entry::data(
        spec("pfselftest", 1, Flags::ADMIN).complexity("N/A").audience(Audience::System).doc(
            "2.8.9",
            "An internal command for testing HyperLogLog values",
            "",
        ),
        pfselftest,
    ),
];

/// A string value as a HyperLogLog.
fn hyperloglog(view: StrView<'_>) -> Result<Hyperloglog<'_>, CommandError> {
    match view {
        StrView::Bytes(bytes) => Hyperloglog::of(bytes).ok_or(CommandError::NotHyperloglog),
        StrView::Int(_) => Err(CommandError::NotHyperloglog),
    }
}

fn corrupt(_: Corrupt) -> CommandError {
    CommandError::CorruptHyperloglog
}

/// Lets `edit` change the HyperLogLog at `key`, which holds one or nothing: then it is made.
fn edit<R>(tx: &mut Tx<'_>, key: &[u8], edit: impl FnOnce(&mut HyperloglogMut<'_>) -> R) -> R {
    let sparse_bytes_max = tx.rules().hll_sparse_max_bytes;
    tx.edit_str(key, |bytes| edit(&mut HyperloglogMut::of(bytes, sparse_bytes_max)))
}

fn pfadd(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let key = args.at(1);
    let is_new = match tx.str_view(key, Access::Write)? {
        Some(view) => hyperloglog(view).map(|_| false)?,
        None => true,
    };
    let mut changes = u64::from(is_new);
    let outcome = edit(tx, key, |hyperloglog| {
        let outcome = args.iter().skip(2).try_for_each(|element| {
            changes += u64::from(hyperloglog.add(element)?);
            Ok(())
        });
        if changes > 0 {
            hyperloglog.forget_count();
        }
        outcome
    });
    // What turns out to be corrupt may have been changed before.
    if changes > 0 {
        tx.ledger.changed(tx.db, key, Event::PfAdd, changes);
    }
    outcome.map_err(corrupt)?;
    reply.integer(i64::from(changes > 0));
    Ok(Flow::Done)
}

fn pfcount(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let cardinality = match args.len() {
        2 => pfcount_one(tx, args.at(1))?,
        _ => pfcount_union(tx, args.from(1))?,
    };
    reply.integer(cardinality.cast_signed());
    Ok(Flow::Done)
}

/// The cardinality of one key, from then on kept in its header.
fn pfcount_one(tx: &mut Tx<'_>, key: &[u8]) -> Result<u64, CommandError> {
    let Some(view) = tx.read_str(key)? else { return Ok(0) };
    let found = hyperloglog(view)?;
    if let Some(cardinality) = found.cached() {
        make_raw(tx, key);
        return Ok(cardinality);
    }
    let cardinality = found.count().map_err(corrupt)?;
    edit(tx, key, |hyperloglog| hyperloglog.keep_count(cardinality));
    tx.changed(key, Event::Touched);
    Ok(cardinality)
}

/// As by an edit that changes nothing: a short string that was set becomes `raw`.
fn make_raw(tx: &mut Tx<'_>, key: &[u8]) {
    if tx.peek(key).is_some_and(|entry| entry.encoding() != ValueEncoding::Raw) {
        tx.edit_str(key, |_| ());
    }
}

fn pfcount_union(tx: &mut Tx<'_>, keys: Args<'_>) -> Result<u64, CommandError> {
    let mut registers = Registers::zero();
    for key in keys.iter() {
        merge_key(tx, key, &mut registers)?;
    }
    Ok(registers.count())
}

/// Raises `registers` to those of `key`; its encoding, unless it is absent.
fn merge_key(
    tx: &mut Tx<'_>,
    key: &[u8],
    registers: &mut Registers,
) -> Result<Option<Encoding>, CommandError> {
    let Some(view) = tx.read_str(key)? else { return Ok(None) };
    let found = hyperloglog(view)?;
    found.merge_into(registers).map_err(corrupt)?;
    Ok(Some(found.encoding()))
}

fn pfmerge(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let key = args.at(1);
    let mut registers = Registers::zero();
    let mut encoding = Encoding::Sparse;
    // The destination is one of the sources.
    for source in args.iter().skip(1) {
        if merge_key(tx, source, &mut registers)? == Some(Encoding::Dense) {
            encoding = Encoding::Dense;
        }
    }
    let outcome = edit(tx, key, |hyperloglog| {
        if encoding == Encoding::Dense {
            hyperloglog.make_dense()?;
        }
        let outcome = hyperloglog.raise_to(&registers);
        hyperloglog.forget_count();
        outcome
    });
    debug_assert_eq!(outcome, Ok(()), "the destination was merged, so it is sound");
    tx.changed(key, Event::PfAdd);
    reply.ok();
    Ok(Flow::Done)
}

fn pfdebug(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (subcommand, key) = (args.at(1), args.at(2));
    let view = tx.str_view(key, Access::Write)?.ok_or(CommandError::PfdebugNoKey)?;
    let found = hyperloglog(view)?;
    if is_word(subcommand, "DECODE") {
        let runs = found.describe().ok_or(CommandError::PfdebugNotSparse)?;
        reply.bulk_text(&runs);
    } else if is_word(subcommand, "ENCODING") {
        reply.simple(found.encoding().name());
    } else if is_word(subcommand, "TODENSE") {
        let converted = make_dense(tx, key)?;
        reply.integer(i64::from(converted));
        return Ok(Flow::Done);
    } else if is_word(subcommand, "GETREG") {
        return pfdebug_getreg(tx, key, reply);
    } else {
        return Err(CommandError::quoting("ERR Unknown PFDEBUG subcommand '", subcommand, "'"));
    }
    make_raw(tx, key);
    Ok(Flow::Done)
}

/// Whether the HyperLogLog at `key` was sparse.
fn make_dense(tx: &mut Tx<'_>, key: &[u8]) -> Result<bool, CommandError> {
    let converted = edit(tx, key, |hyperloglog| hyperloglog.make_dense()).map_err(corrupt)?;
    if converted {
        tx.changed(key, Event::Touched);
    }
    Ok(converted)
}

fn pfdebug_getreg(tx: &mut Tx<'_>, key: &[u8], reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    make_dense(tx, key)?;
    let mut registers = Registers::zero();
    if let Some(StrView::Bytes(bytes)) = tx.str_view(key, Access::Write)? {
        let found = Hyperloglog::of(bytes).ok_or(CommandError::NotHyperloglog)?;
        found.merge_into(&mut registers).map_err(corrupt)?;
    }
    reply.array(registers.values().len());
    registers.values().iter().for_each(|value| reply.integer(i64::from(*value)));
    Ok(Flow::Done)
}

fn pfselftest(tx: &mut Tx<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let sparse_bytes_max = tx.rules().hll_sparse_max_bytes;
    let mut rng = tx.keyspace.rng.fork();
    selftest(&mut rng, sparse_bytes_max)
        .map_err(|failure| CommandError::text(format!("ERR TESTFAILED {failure}")))?;
    reply.ok();
    Ok(Flow::Done)
}

#[cfg(test)]
mod tests;
