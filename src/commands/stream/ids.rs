//! IDs among the arguments, and entries among the answers.

use crate::base::argv::Args;
use crate::commands::elements::element;
use crate::object::stream::{Entry, StreamId};
use crate::resp::Reply;
use crate::spec::CommandError;

/// `ms-seq`, or `ms` for the first ID of that millisecond.
pub(super) fn exact(text: &[u8]) -> Result<StreamId, CommandError> {
    StreamId::parse(text, 0).ok_or(CommandError::InvalidStreamId)
}

/// The IDs from argument `first` on.
pub(super) fn all(args: Args<'_>, first: usize) -> Result<Vec<StreamId>, CommandError> {
    args.from(first).iter().map(exact).collect()
}

/// The start of an interval, `(` excluding it.
pub(super) fn start(text: &[u8]) -> Result<StreamId, CommandError> {
    match text {
        [b'(', id @ ..] if !id.is_empty() => exact(id)?.next().ok_or(CommandError::InvalidStreamStart),
        _ => StreamId::parse_bound(text, 0).ok_or(CommandError::InvalidStreamId),
    }
}

/// The end of an interval, `(` excluding it; `ms` is the last ID of that millisecond.
pub(super) fn end(text: &[u8]) -> Result<StreamId, CommandError> {
    match text {
        [b'(', id @ ..] if !id.is_empty() => {
            let id = StreamId::parse(id, u64::MAX).ok_or(CommandError::InvalidStreamId)?;
            id.previous().ok_or(CommandError::InvalidStreamEnd)
        }
        _ => StreamId::parse_bound(text, u64::MAX).ok_or(CommandError::InvalidStreamId),
    }
}

pub(super) fn answer_id(reply: &mut Reply<'_>, id: StreamId) {
    reply.bulk(&id.text());
}

/// An entry: its ID, and its fields and values.
pub(super) fn answer_entry(reply: &mut Reply<'_>, entry: &Entry<'_>) {
    reply.array(2);
    answer_id(reply, entry.id);
    answer_fields(reply, entry);
}

pub(super) fn answer_fields(reply: &mut Reply<'_>, entry: &Entry<'_>) {
    let fields = entry.fields.clone();
    reply.array(2 * fields.len());
    for (field, value) in fields {
        element(reply, field);
        element(reply, value);
    }
}

/// The entries that an iterator gives, as an array. Returns how many.
pub(super) fn answer_entries<'a>(reply: &mut Reply<'_>, entries: impl Iterator<Item = Entry<'a>>) -> usize {
    let place = reply.deferred_array();
    let mut count = 0;
    for entry in entries {
        answer_entry(reply, &entry);
        count += 1;
    }
    reply.set_deferred(place, count);
    count
}

/// Why a command that needs a group has none.
pub(super) fn no_group(key: &[u8], group: &[u8]) -> CommandError {
    no_group_in(key, group, "")
}

/// As `no_group`, with more to be said.
pub(super) fn no_group_in(key: &[u8], group: &[u8], context: &str) -> CommandError {
    let key = crate::spec::error::until_nul(key);
    let middle = [b"NOGROUP No such key '", key, b"' or consumer group '"].concat();
    let line = [&middle[..], crate::spec::error::until_nul(group), b"'", context.as_bytes()].concat();
    CommandError::Quoting(line.into())
}
