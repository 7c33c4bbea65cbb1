//! XGROUP.

use super::ids;
use crate::base::argv::Args;
use crate::commands::help;
use crate::keyspace::{Access, Event, Tx};
use crate::object::Stream;
use crate::object::stream::{Group, Made, StreamId};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::{integer, is_word};

const HELP: &[&str] = &[
    "CREATE <key> <groupname> <id|$> [option]",
    "    Create a new consumer group. Options are:",
    "    * MKSTREAM",
    "      Create the empty stream if it does not exist.",
    "    * ENTRIESREAD entries_read",
    "      Set the group's entries_read counter (internal use).",
    "CREATECONSUMER <key> <groupname> <consumer>",
    "    Create a new consumer in the specified group.",
    "DELCONSUMER <key> <groupname> <consumer>",
    "    Remove the specified consumer.",
    "DESTROY <key> <groupname>",
    "    Remove the specified group.",
    "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
    "    Set the current group ID and entries_read counter.",
];

pub(super) fn print_help(
    _tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    help::answer(reply, args.at(0), HELP);
    Ok(Flow::Done)
}

/// What CREATE and SETID were given behind the ID.
#[derive(Default)]
struct Options {
    makes_stream: bool,
    entries_read: Option<i64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    Create,
    SetId,
}

fn options(args: Args<'_>, command: For) -> Result<Options, CommandError> {
    let mut options = Options::default();
    let mut next = 5;
    while let Some(word) = args.get(next) {
        if command == For::Create && is_word(word, "MKSTREAM") {
            options.makes_stream = true;
            next += 1;
        } else if let Some(value) = args.get(next + 1).filter(|_| is_word(word, "ENTRIESREAD")) {
            options.entries_read = match integer(value)? {
                -1 => None,
                ..-1 => return Err(CommandError::XgroupEntriesRead),
                count => Some(count),
            };
            next += 2;
        } else {
            return Err(CommandError::subcommand_arguments(args.at(1), args.at(0)));
        }
    }
    Ok(options)
}

/// The stream at argument 2, which must be there.
fn stream<'t>(tx: &'t mut Tx<'_>, args: Args<'_>) -> Result<&'t Stream, CommandError> {
    tx.view::<Stream>(args.at(2), Access::Write)?.ok_or(CommandError::XgroupNoKey)
}

/// The group at argument 3, which must be there with its stream.
fn group<'t>(tx: &'t mut Tx<'_>, args: Args<'_>) -> Result<(&'t Stream, &'t Group), CommandError> {
    let stream = stream(tx, args)?;
    let group = stream.group(args.at(3)).ok_or_else(|| no_such_group(args.at(2), args.at(3)))?;
    Ok((stream, group))
}

/// Why a subcommand of XGROUP or XINFO has no group.
pub(super) fn no_such_group(key: &[u8], group: &[u8]) -> CommandError {
    let group = crate::spec::error::until_nul(group);
    let key = crate::spec::error::until_nul(key);
    let line = [b"NOGROUP No such consumer group '", group, b"' for key name '", key, b"'"].concat();
    CommandError::Quoting(line.into())
}

pub(super) fn create(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let options = options(args, For::Create)?;
    let (key, name) = (args.at(2), args.at(3));
    let found = tx.view::<Stream>(key, Access::Write)?;
    if found.is_none() && !options.makes_stream {
        return Err(CommandError::XgroupNoKey);
    }
    let is_new = found.is_none();
    let last_id = match args.at(4) {
        b"$" => found.map_or(StreamId::MIN, |stream| stream.log().last_id()),
        id => ids::exact(id)?,
    };
    if found.is_some_and(|stream| stream.group(name).is_some()) {
        return Err(CommandError::BusyGroup);
    }
    let (_, fate) = tx.edit::<Stream, _>(key, |stream, _| {
        stream.add_group(name, Group::new(last_id, options.entries_read))
    });
    if is_new {
        tx.also(key, Event::Touched);
    }
    tx.told(key, Event::XgroupCreate, 1, fate);
    reply.ok();
    Ok(Flow::Done)
}

pub(super) fn setid(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let options = options(args, For::SetId)?;
    let (stream, _) = group(tx, args)?;
    let last_id = match args.at(4) {
        b"$" => stream.log().last_id(),
        id => StreamId::parse_bound(id, 0).ok_or(CommandError::InvalidStreamId)?,
    };
    let (key, name) = (args.at(2), args.at(3));
    let (_, fate) = tx.edit::<Stream, _>(key, |stream, _| {
        stream.edit_group(name, |_, group| group.set_position(last_id, options.entries_read))
    });
    tx.told(key, Event::XgroupSetId, 1, fate);
    reply.ok();
    Ok(Flow::Done)
}

pub(super) fn destroy(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (key, name) = (args.at(2), args.at(3));
    let is_there = stream(tx, args)?.group(name).is_some();
    if is_there {
        let (_, fate) = tx.edit::<Stream, _>(key, |stream, _| stream.remove_group(name));
        // Readers that wait in the group are run by this, and told that it has gone.
        tx.told(key, Event::XgroupDestroy, 1, fate);
    }
    reply.integer(i64::from(is_there));
    Ok(Flow::Done)
}

pub(super) fn createconsumer(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let (key, name, consumer) = (args.at(2), args.at(3), args.at(4));
    let is_new = group(tx, args)?.1.consumer(consumer).is_none();
    if is_new {
        let now_ms = tx.now_ms;
        let (made, fate) = tx.edit::<Stream, _>(key, |stream, _| {
            stream.edit_group(name, |_, group| group.consumer_or_make(consumer, now_ms).1)
        });
        debug_assert_eq!(made, Some(Made::Now));
        tx.told(key, Event::XgroupCreateConsumer, 1, fate);
    }
    reply.integer(i64::from(is_new));
    Ok(Flow::Done)
}

pub(super) fn delconsumer(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let (key, name, consumer) = (args.at(2), args.at(3), args.at(4));
    if group(tx, args)?.1.consumer(consumer).is_none() {
        reply.integer(0);
        return Ok(Flow::Done);
    }
    let (pending, fate) = tx.edit::<Stream, _>(key, |stream, _| {
        stream.edit_group(name, |_, group| group.remove_consumer(consumer)).flatten()
    });
    tx.told(key, Event::XgroupDelConsumer, 1, fate);
    reply.count(pending.unwrap_or(0));
    Ok(Flow::Done)
}
