//! XCLAIM, XAUTOCLAIM and XNACK: pending entries change hands.

use super::ids::{self, answer_entry, answer_id, no_group};
use super::told::Told;
use crate::base::argv::Args;
use crate::base::number;
use crate::keyspace::{Access, Event, Tx};
use crate::object::Stream;
use crate::object::stream::{ConsumerSlot, Contact, Group, Log, StreamId};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::{Options, is_word};

/// What the claimer gets to see.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shows {
    Entries,
    /// JUSTID: this is no delivery either.
    Ids,
}

/// How entries are claimed.
struct Claim<'a> {
    consumer: &'a [u8],
    min_idle_ms: i64,
    delivered_ms: i64,
    deliveries: Option<u64>,
    shows: Shows,
    now_ms: i64,
}

impl Claim<'_> {
    /// Whether an entry's consumer has had it too short a time to lose it.
    fn is_too_fresh(&self, group: &Group, id: StreamId) -> bool {
        group.pending_entry(id).is_some_and(|pending| {
            let idle_ms = self.now_ms.saturating_sub(pending.delivered_ms);
            pending.consumer.is_some() && self.min_idle_ms > 0 && idle_ms < self.min_idle_ms
        })
    }

    /// Gives an entry, which need not be pending yet, to its new consumer.
    fn take(&self, group: &mut Group, id: StreamId, slot: ConsumerSlot) {
        let before = group.pending_entry(id).map_or(1, |pending| pending.deliveries);
        let counted = if self.shows == Shows::Ids { before } else { more(before) };
        group.deliver(id, slot, self.delivered_ms, self.deliveries.unwrap_or(counted));
        group.contact(slot, Contact::Served, self.now_ms);
    }

    fn answer(&self, log: &Log, id: StreamId, reply: &mut Reply<'_>) {
        match log.get(id).filter(|_| self.shows == Shows::Entries) {
            Some(entry) => answer_entry(reply, &entry),
            None => answer_id(reply, id),
        }
    }
}

/// One delivery more. The count never leaves what replies can tell.
pub(super) fn more(deliveries: u64) -> u64 {
    deliveries.saturating_add(1).min(i64::MAX as u64)
}

/// WRONGTYPE or NOGROUP unless the group is there.
fn expect_group(tx: &mut Tx<'_>, key: &[u8], name: &[u8], access: Access) -> Result<(), CommandError> {
    let stream = tx.view::<Stream>(key, access)?;
    stream.and_then(|stream| stream.group(name)).map(|_| ()).ok_or_else(|| no_group(key, name))
}

fn tell(tx: &mut Tx<'_>, told: Told<'_>) {
    let commands = told.tell(tx);
    if tx.ledger.propagates {
        tx.ledger.propagate_instead(commands);
    }
}

/// What XCLAIM was asked for besides the claim itself.
struct Given<'a> {
    claim: Claim<'a>,
    ids: Vec<StreamId>,
    is_forced: bool,
    last_id: StreamId,
}

fn xclaim_given(args: Args<'_>, now_ms: i64) -> Result<Given<'_>, CommandError> {
    let min_idle_ms = number::parse_i64(args.at(4)).ok_or(CommandError::XclaimMinIdle)?.max(0);
    let ids: Vec<StreamId> = args.from(5).iter().map_while(|text| StreamId::parse(text, 0)).collect();
    let mut options = Options::new(args, 5 + ids.len());
    let claim = Claim {
        consumer: args.at(3),
        min_idle_ms,
        delivered_ms: now_ms,
        deliveries: None,
        shows: Shows::Entries,
        now_ms,
    };
    let mut given = Given { claim, ids, is_forced: false, last_id: StreamId::MIN };
    while let Some(word) = options.next_argument() {
        let has_value = options.left() > 0;
        if is_word(word, "FORCE") {
            given.is_forced = true;
        } else if is_word(word, "JUSTID") {
            given.claim.shows = Shows::Ids;
        } else if has_value && is_word(word, "IDLE") {
            let idle_ms = number::parse_i64(options.value()?).ok_or(CommandError::XclaimIdle)?;
            given.claim.delivered_ms = now_ms.saturating_sub(idle_ms);
        } else if has_value && is_word(word, "TIME") {
            given.claim.delivered_ms = number::parse_i64(options.value()?).ok_or(CommandError::XclaimTime)?;
        } else if has_value && is_word(word, "RETRYCOUNT") {
            let count = number::parse_i64(options.value()?).ok_or(CommandError::XclaimRetryCount)?;
            given.claim.deliveries = u64::try_from(count).ok();
        } else if has_value && is_word(word, "LASTID") {
            given.last_id = ids::exact(options.value()?)?;
        } else {
            return Err(CommandError::quoting("ERR Unrecognized XCLAIM option '", word, "'"));
        }
    }
    if !(0..=now_ms).contains(&given.claim.delivered_ms) {
        given.claim.delivered_ms = now_ms;
    }
    Ok(given)
}

pub(super) fn xclaim(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (key, name) = (args.at(1), args.at(2));
    expect_group(tx, key, name, Access::Read)?;
    let given = xclaim_given(args, tx.now_ms)?;
    let mut told = Told::new(tx, key, name);
    tx.edit::<Stream, _>(key, |stream, _| {
        stream.edit_group(name, |log, group| claim_ids((log, group), &given, reply, &mut told))
    });
    tell(tx, told);
    Ok(Flow::Done)
}

fn claim_ids(
    (log, group): (&Log, &mut Group),
    given: &Given<'_>,
    reply: &mut Reply<'_>,
    told: &mut Told<'_>,
) {
    let claim = &given.claim;
    let is_ahead = given.last_id > group.last_id();
    if is_ahead {
        group.set_position(given.last_id, group.entries_read());
    }
    let slot = told.contact(group, claim.consumer, claim.now_ms);
    let place = reply.deferred_array();
    let mut count = 0;
    for id in &given.ids {
        let is_pending = group.is_pending(*id);
        if !log.contains(*id) {
            if is_pending {
                told.forget(group, *id);
            }
        } else if (is_pending || given.is_forced) && !claim.is_too_fresh(group, *id) {
            claim.take(group, *id, slot);
            claim.answer(log, *id, reply);
            told.owner(group, *id);
            told.changes += 1;
            count += 1;
        }
    }
    reply.set_deferred(place, count);
    // Who is told an owner is told the last ID with it.
    if is_ahead && count == 0 {
        told.position(group);
        told.changes += 1;
    }
}

/// What XAUTOCLAIM was asked for.
struct Scan<'a> {
    claim: Claim<'a>,
    start: StreamId,
    count: usize,
}

fn xautoclaim_given(args: Args<'_>, now_ms: i64) -> Result<Scan<'_>, CommandError> {
    const COUNT_DEFAULT: i64 = 100;
    const COUNT_MAX: i64 = i64::MAX / 16;
    let min_idle_ms = number::parse_i64(args.at(4)).ok_or(CommandError::XautoclaimMinIdle)?.max(0);
    let start = ids::start(args.at(5))?;
    let (mut count, mut shows) = (COUNT_DEFAULT, Shows::Entries);
    let mut options = Options::new(args, 6);
    while let Some(word) = options.next_argument() {
        if options.left() > 0 && is_word(word, "COUNT") {
            let given = number::parse_i64(options.value()?).filter(|given| (1..=COUNT_MAX).contains(given));
            count = given.ok_or(CommandError::XautoclaimCount)?;
        } else if is_word(word, "JUSTID") {
            shows = Shows::Ids;
        } else {
            return Err(CommandError::Syntax);
        }
    }
    let consumer = args.at(3);
    let claim = Claim { consumer, min_idle_ms, delivered_ms: now_ms, deliveries: None, shows, now_ms };
    Ok(Scan { claim, start, count: count as usize })
}

pub(super) fn xautoclaim(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let (key, name) = (args.at(1), args.at(2));
    // Counts as a hit or a miss whatever the options say; the type is looked at after them.
    tx.lookup(key, Access::Read);
    let given = xautoclaim_given(args, tx.now_ms)?;
    expect_group(tx, key, name, Access::Write)?;
    let mut told = Told::new(tx, key, name);
    tx.edit::<Stream, _>(key, |stream, _| {
        stream.edit_group(name, |log, group| claim_idle((log, group), &given, reply, &mut told))
    });
    tell(tx, told);
    Ok(Flow::Done)
}

fn claim_idle(
    (log, group): (&Log, &mut Group),
    given: &Scan<'_>,
    reply: &mut Reply<'_>,
    told: &mut Told<'_>,
) {
    /// Entries looked at for each that is asked for.
    const TRIES: usize = 10;
    let claim = &given.claim;
    let slot = told.contact(group, claim.consumer, claim.now_ms);
    let tries = given.count.saturating_mul(TRIES);
    // One more than is looked at: where the next call goes on.
    let pending = group.pending(given.start, StreamId::MAX).map(|pending| pending.id);
    let ids: Vec<StreamId> = pending.take(tries.saturating_add(1)).collect();
    let (mut taken, mut deleted, mut looked_at) = (Vec::new(), Vec::new(), 0);
    for id in ids.iter().take(tries) {
        // What is found deleted takes up room in the answer as well.
        if taken.len() + deleted.len() == given.count {
            break;
        }
        looked_at += 1;
        if !log.contains(*id) {
            told.forget(group, *id);
            deleted.push(*id);
        } else if !claim.is_too_fresh(group, *id) {
            claim.take(group, *id, slot);
            told.owner(group, *id);
            told.changes += 1;
            taken.push(*id);
        }
    }
    reply.array(3);
    answer_id(reply, ids.get(looked_at).copied().unwrap_or_default());
    reply.array(taken.len());
    taken.iter().for_each(|id| claim.answer(log, *id, reply));
    reply.array(deleted.len());
    deleted.iter().for_each(|id| answer_id(reply, *id));
}

/// What a consumer says of entries that it gives back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// The delivery did not count.
    Silent,
    Fail,
    /// Nobody can work on them.
    Fatal,
}

impl Verdict {
    const NEVER_AGAIN: u64 = i64::MAX as u64;

    fn parse(word: &[u8]) -> Result<Verdict, CommandError> {
        let words = [("SILENT", Verdict::Silent), ("FAIL", Verdict::Fail), ("FATAL", Verdict::Fatal)];
        let found = words.into_iter().find(|(name, _)| is_word(word, name));
        found.map(|(_, verdict)| verdict).ok_or(CommandError::XnackMode)
    }

    /// How often an entry counts as delivered from now on; `None` stands for one that was not pending.
    fn deliveries(self, before: Option<u64>) -> u64 {
        match (self, before) {
            (Verdict::Fatal, _) => Verdict::NEVER_AGAIN,
            (Verdict::Silent, Some(before)) => before.saturating_sub(1),
            (Verdict::Fail, Some(before)) => before,
            (_, None) => 0,
        }
    }
}

/// What XNACK was asked for.
struct Release {
    verdict: Verdict,
    ids: Vec<StreamId>,
    deliveries: Option<u64>,
    is_forced: bool,
}

fn xnack_given(args: Args<'_>) -> Result<Release, CommandError> {
    let verdict = Verdict::parse(args.at(3))?;
    if !is_word(args.at(4), "IDS") {
        return Err(CommandError::XnackIds);
    }
    let count = number::parse_i64(args.at(5)).filter(|count| *count > 0).ok_or(CommandError::XnackNumber)?;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count > args.len() - 6 {
        return Err(CommandError::XnackCount);
    }
    let ids: Result<Vec<_>, _> = args.from(6).iter().take(count).map(ids::exact).collect();
    let mut release = Release { verdict, ids: ids?, deliveries: None, is_forced: false };
    let mut options = Options::new(args, 6 + count);
    while let Some(word) = options.next_argument() {
        if is_word(word, "FORCE") {
            release.is_forced = true;
        } else if options.left() > 0 && is_word(word, "RETRYCOUNT") {
            let given = number::parse_i64(options.value()?).and_then(|count| u64::try_from(count).ok());
            release.deliveries = Some(given.ok_or(CommandError::XnackRetryCount)?);
        } else {
            return Err(CommandError::quoting("ERR Unrecognized XNACK option '", word, "'"));
        }
    }
    Ok(release)
}

pub(super) fn xnack(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let release = xnack_given(args)?;
    let (key, name) = (args.at(1), args.at(2));
    expect_group(tx, key, name, Access::Read)?;
    let (released, fate) = tx.edit::<Stream, _>(key, |stream, _| {
        stream.edit_group(name, |log, group| {
            let ids = release.ids.iter().copied();
            ids.filter(|id| give_back((log, group), &release, *id)).count()
        })
    });
    let released = released.unwrap_or(0);
    if released > 0 {
        // Without a name, but readers that wait to claim something are to look again.
        tx.told(key, Event::Touched, released as u64, fate);
    }
    reply.count(released);
    Ok(Flow::Done)
}

/// Whether there was an entry to give back.
fn give_back((log, group): (&Log, &mut Group), release: &Release, id: StreamId) -> bool {
    let before = group.pending_entry(id).map(|pending| pending.deliveries);
    if before.is_none() && !(release.is_forced && log.contains(id)) {
        return false;
    }
    group.release(id, release.deliveries.unwrap_or(release.verdict.deliveries(before)));
    true
}
