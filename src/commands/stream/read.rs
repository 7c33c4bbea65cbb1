//! XREAD, and how it and XREADGROUP are asked.

use super::ids::{self, answer_entries};
use super::readgroup;
use crate::base::argv::{Args, Argv};
use crate::keyspace::{OnTimeout, Tx, Wait, WhenGone};
use crate::object::stream::StreamId;
use crate::object::{Stream, ValueType};
use crate::resp::writer::Deferred;
use crate::resp::{Protocol, Reply};
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::{deadline_ms, integer, is_word};

/// What XREAD or XREADGROUP was asked for.
pub(super) struct Given<'a> {
    /// XREADGROUP: group and consumer.
    pub(super) group: Option<(&'a [u8], &'a [u8])>,
    /// Entries of each stream at most.
    pub(super) count: usize,
    pub(super) block: Block,
    pub(super) acknowledges: bool,
    pub(super) claim_min_idle_ms: Option<i64>,
    /// The place of the first key, and how many there are.
    first_key: usize,
    pub(super) streams: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    No,
    Until(i64),
    ForEver,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    Xread,
    Xreadgroup,
}

impl<'a> Given<'a> {
    pub(super) fn key(&self, args: Args<'a>, index: usize) -> &'a [u8] {
        args.at(self.first_key + index)
    }

    pub(super) fn id(&self, args: Args<'a>, index: usize) -> &'a [u8] {
        args.at(self.first_key + self.streams + index)
    }
}

/// Reads everything but the IDs, which mean something with their streams only.
pub(super) fn read<'a>(args: Args<'a>, command: For, now_ms: i64) -> Result<Given<'a>, CommandError> {
    let mut given = Given {
        group: None,
        count: usize::MAX,
        block: Block::No,
        acknowledges: false,
        claim_min_idle_ms: None,
        first_key: 0,
        streams: 0,
    };
    let mut next = 1;
    while next < args.len() {
        let (word, more) = (args.at(next), args.len() - 1 - next);
        if more > 0 && is_word(word, "STREAMS") {
            given.first_key = next + 1;
            if more % 2 == 1 {
                return Err(CommandError::XreadUnbalanced);
            }
            given.streams = more / 2;
            break;
        }
        next += option(&mut given, (args, next), command, now_ms)?;
    }
    if given.streams == 0 {
        return Err(CommandError::Syntax);
    }
    if command == For::Xreadgroup && given.group.is_none() {
        return Err(CommandError::XreadgroupNoGroup);
    }
    Ok(given)
}

/// Reads the option at a place. Returns how many arguments it takes.
fn option<'a>(
    given: &mut Given<'a>,
    (args, at): (Args<'a>, usize),
    command: For,
    now_ms: i64,
) -> Result<usize, CommandError> {
    let (word, more) = (args.at(at), args.len() - 1 - at);
    let only_in_groups = |error| if command == For::Xread { Err(error) } else { Ok(()) };
    if more > 0 && is_word(word, "BLOCK") {
        given.block = match deadline_ms(args.at(at + 1), now_ms)? {
            deadline_ms if deadline_ms == now_ms => Block::ForEver,
            deadline_ms => Block::Until(deadline_ms),
        };
        Ok(2)
    } else if more > 0 && is_word(word, "COUNT") {
        given.count =
            usize::try_from(integer(args.at(at + 1))?).ok().filter(|n| *n > 0).unwrap_or(usize::MAX);
        Ok(2)
    } else if more > 1 && is_word(word, "GROUP") {
        only_in_groups(CommandError::XreadGroup)?;
        given.group = Some((args.at(at + 1), args.at(at + 2)));
        Ok(3)
    } else if is_word(word, "NOACK") {
        only_in_groups(CommandError::XreadNoAck)?;
        given.acknowledges = true;
        Ok(1)
    } else if more > 0 && is_word(word, "CLAIM") {
        only_in_groups(CommandError::XreadClaim)?;
        let min_idle_ms = integer(args.at(at + 1)).map_err(|_| CommandError::MinIdleNotInteger)?;
        if min_idle_ms < 0 {
            return Err(CommandError::MinIdleNegative);
        }
        given.claim_min_idle_ms = Some(min_idle_ms);
        Ok(2)
    } else {
        Err(CommandError::Syntax)
    }
}

/// The streams that have something to tell: in RESP3 a map, in RESP2 a list of pairs. Nothing is written before the
/// first of them.
pub(super) struct Answer {
    place: Option<Deferred>,
    streams: usize,
}

impl Answer {
    pub(super) fn new() -> Answer {
        Answer { place: None, streams: 0 }
    }

    /// Begins the part of one stream, whose entries are to follow.
    pub(super) fn begin(&mut self, reply: &mut Reply<'_>, key: &[u8]) {
        let is_map = reply.protocol() == Protocol::Resp3;
        if self.place.is_none() {
            self.place = Some(if is_map { reply.deferred_map() } else { reply.deferred_array() });
        }
        if !is_map {
            reply.array(2);
        }
        reply.bulk(key);
        self.streams += 1;
    }

    /// Ends the answer. Whether there was any.
    pub(super) fn finish(self, reply: &mut Reply<'_>) -> bool {
        match self.place {
            Some(place) => {
                reply.set_deferred(place, self.streams);
                true
            }
            None => false,
        }
    }
}

/// What a command that found nothing does: it waits, or answers that there is nothing.
pub(super) fn wait_or_answer(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    given: &Given<'_>,
    retry: Option<Argv>,
    reply: &mut Reply<'_>,
) -> Flow {
    let deadline_ms = match given.block {
        Block::Until(deadline_ms) if tx.may_wait() => Some(deadline_ms),
        Block::ForEver if tx.may_wait() => None,
        _ => {
            reply.null_array();
            return Flow::Done;
        }
    };
    tx.wait(Wait {
        keys: (0..given.streams).map(|index| given.key(args, index).into()).collect(),
        for_type: ValueType::Stream,
        deadline_ms,
        on_timeout: OnTimeout::NullArray,
        when_gone: if given.group.is_some() { WhenGone::Unblocks } else { WhenGone::Waits },
        retry,
    });
    Flow::Block
}

/// Behind which ID a stream is read: what was given, or the last one, or the one before the last entry.
fn xread_id(stream: Option<&Stream>, id: &[u8]) -> Result<StreamId, CommandError> {
    match id {
        b"$" => Ok(stream.map_or(StreamId::MIN, |stream| stream.log().last_id())),
        b"+" => Ok(stream.map_or(StreamId::MIN, |stream| match stream.log().last() {
            Some(last) => last.id.previous().unwrap_or_default(),
            None => stream.log().last_id(),
        })),
        b">" => Err(CommandError::XreadNew),
        id => ids::exact(id),
    }
}

pub(super) fn xread(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let given = read(args, For::Xread, tx.now_ms)?;
    let mut behind = Vec::with_capacity(given.streams);
    for index in 0..given.streams {
        let stream = tx.read::<Stream>(given.key(args, index))?;
        behind.push(xread_id(stream, given.id(args, index))?);
    }
    let mut answer = Answer::new();
    for (index, behind) in behind.iter().enumerate() {
        let key = given.key(args, index);
        // Looked up again, and counted again, as Redis does.
        let Some(stream) = tx.read::<Stream>(key)? else { continue };
        let Some(start) = behind.next().filter(|start| *start <= stream.log().last_id()) else { continue };
        let mut entries = stream.log().range(start, StreamId::MAX).take(given.count).peekable();
        if entries.peek().is_some() {
            answer.begin(reply, key);
            answer_entries(reply, entries);
        }
    }
    if answer.finish(reply) {
        return Ok(Flow::Done);
    }
    // What `$` meant now is what it means when the command is run again.
    let retry = || {
        let mut argv: Argv = args.iter().take(args.len() - given.streams).collect();
        behind.iter().for_each(|id| argv.push(&id.text()));
        argv
    };
    let retry = (given.block != Block::No).then(retry);
    Ok(wait_or_answer(tx, args, &given, retry, reply))
}

pub(super) use readgroup::xreadgroup;
