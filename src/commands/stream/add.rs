//! XADD, XTRIM, XSETID.

use super::ids::{self, answer_id};
use super::options::{self, For, Given};
use crate::base::argv::{Args, Argv};
use crate::keyspace::{Event, Tx};
use crate::object::Stream;
use crate::object::stream::{AppendError, Exactness, Log, NewId, StreamId};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::{Options, integer, is_word};

/// What came of an XADD: the ID, whether entries were trimmed, and what replicas are to do.
struct Added {
    id: StreamId,
    has_trimmed: bool,
    instead: Option<Argv>,
}

pub(super) fn xadd(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    const WRONG: CommandError = CommandError::Arity("xadd");
    let given = options::read(args, For::Xadd, tx.rules())?;
    let (new, first_field) = given.entry.ok_or(WRONG)?;
    let fields = args.from(first_field);
    if fields.is_empty() || fields.len() % 2 == 1 {
        return Err(WRONG);
    }
    if new == NewId::Given(StreamId::MIN) {
        return Err(CommandError::StreamIdZero);
    }
    let key = args.at(1);
    if !tx.check::<Stream>(key)? {
        if given.only_if_there {
            reply.null();
            return Ok(Flow::Done);
        }
        // An entry that cannot be stored must not leave an empty stream behind.
        Log::default().next_id(new, tx.now_ms).map_err(why)?;
        Log::may_hold(fields).map_err(why)?;
    }
    let (now_ms, propagates) = (tx.now_ms, tx.ledger.propagates);
    let (added, fate) = tx.edit::<Stream, _>(key, |stream, rules| {
        let id = stream.log_mut().append(new, fields, now_ms, rules)?;
        let trimmed = match &given.trim {
            Some(trim) => stream.trim(trim.threshold, trim.exactness, given.references.unwrap_or_default()),
            None => 0,
        };
        let instead = (propagates && is_rewritten(&given, new)).then(|| {
            let mut argv: Argv = [b"XADD", key].into_iter().collect();
            if given.only_if_there {
                argv.push(b"NOMKSTREAM");
            }
            options::push_trim(&mut argv, &given, stream.log());
            argv.push(&id.text());
            fields.iter().for_each(|text| argv.push(text));
            argv
        });
        Ok(Added { id, has_trimmed: trimmed > 0, instead })
    });
    // What fails has changed nothing: a stream that was made for it takes its first entry.
    let added = added.map_err(why)?;
    tx.told(key, Event::Xadd, 1, fate);
    if added.has_trimmed {
        tx.also(key, Event::Xtrim);
    }
    if let Some(instead) = added.instead {
        tx.ledger.propagate_instead(vec![instead]);
    }
    answer_id(reply, added.id);
    Ok(Flow::Done)
}

/// Whether replicas must be told more exactly: an ID that the clock made, a trim that the nodes decided.
fn is_rewritten(given: &Given, new: NewId) -> bool {
    !matches!(new, NewId::Given(_)) || given.trim.is_some_and(|trim| trim.exactness != Exactness::Exact)
}

fn why(error: AppendError) -> CommandError {
    match error {
        AppendError::Exhausted => CommandError::StreamExhausted,
        AppendError::NotAbove => CommandError::StreamIdNotAbove,
        AppendError::TooLarge => CommandError::StreamEntryTooLarge,
    }
}

pub(super) fn xtrim(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let given = options::read(args, For::Xtrim, tx.rules())?;
    let trim = given.trim.ok_or(CommandError::TrimStrategyMissing)?;
    let key = args.at(1);
    if !tx.check::<Stream>(key)? {
        reply.integer(0);
        return Ok(Flow::Done);
    }
    let propagates = tx.ledger.propagates && trim.exactness != Exactness::Exact;
    let ((trimmed, instead), fate) = tx.edit::<Stream, _>(key, |stream, _| {
        let trimmed = stream.trim(trim.threshold, trim.exactness, given.references.unwrap_or_default());
        let instead = (propagates && trimmed > 0).then(|| {
            let mut argv: Argv = [b"XTRIM", key].into_iter().collect();
            options::push_trim(&mut argv, &given, stream.log());
            argv
        });
        (trimmed, instead)
    });
    if trimmed > 0 {
        tx.told(key, Event::Xtrim, trimmed, fate);
    }
    if let Some(instead) = instead {
        tx.ledger.propagate_instead(vec![instead]);
    }
    reply.integer(trimmed as i64);
    Ok(Flow::Done)
}

pub(super) fn xsetid(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let id = ids::exact(args.at(2))?;
    let (mut added, mut max_deleted) = (None, None);
    let mut options = Options::new(args, 3);
    while let Some(word) = options.next_argument() {
        if options.left() > 0 && is_word(word, "ENTRIESADDED") {
            let count = integer(options.value()?)?;
            added = Some(u64::try_from(count).map_err(|_| CommandError::XsetidAddedNegative)?);
        } else if options.left() > 0 && is_word(word, "MAXDELETEDID") {
            max_deleted = Some(ids::exact(options.value()?)?);
            if max_deleted > Some(id) {
                return Err(CommandError::XsetidBelowDeleted);
            }
        } else {
            return Err(CommandError::Syntax);
        }
    }
    let key = args.at(1);
    let stream = tx.view::<Stream>(key, crate::keyspace::Access::Write)?.ok_or(CommandError::NoSuchKey)?;
    let log = stream.log();
    // An empty stream may go back.
    if log.last().is_some_and(|last| id < last.id) {
        return Err(CommandError::XsetidBelowLast);
    }
    if added.is_some_and(|added| added < log.len()) {
        return Err(CommandError::XsetidFewAdded);
    }
    let ((), fate) = tx.edit::<Stream, _>(key, |stream, _| {
        stream.log_mut().set_counters(id, added, max_deleted.filter(|id| *id != StreamId::MIN));
    });
    tx.told(key, Event::XsetId, 1, fate);
    reply.ok();
    Ok(Flow::Done)
}
