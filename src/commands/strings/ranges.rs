//! Parts of strings: APPEND, STRLEN, SETRANGE, GETRANGE.

use crate::base::argv::Args;
use crate::base::number;
use crate::keyspace::{Access, Event, StrView, Tx};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::{CommandError, args};

/// The length of a string value; 0 when the key is absent.
fn length(tx: &mut Tx<'_>, key: &[u8], access: Access) -> Result<Option<usize>, CommandError> {
    Ok(tx.str_view(key, access)?.map(|view| match view {
        StrView::Bytes(bytes) => bytes.len(),
        StrView::Int(value) => number::digits_len(value),
    }))
}

/// Refuses a string longer than `proto-max-bulk-len`.
fn check_length(tx: &Tx<'_>, length: Option<usize>) -> Result<usize, CommandError> {
    length
        .filter(|length| *length <= tx.keyspace.settings.string_bytes_max)
        .ok_or(CommandError::StringTooLong)
}

pub(super) fn append(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (key, tail) = (args.at(1), args.at(2));
    let old = length(tx, key, Access::Write)?;
    let new = match old {
        Some(old) => check_length(tx, old.checked_add(tail.len()))?,
        None => tail.len(),
    };
    match old {
        Some(_) => tx.edit_str(key, |bytes| bytes.extend_from_slice(tail)),
        None => tx.set_str(key, tail, crate::keyspace::Expiry::None),
    }
    tx.changed(key, Event::Append);
    reply.count(new);
    Ok(Flow::Done)
}

pub(super) fn strlen(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let length = length(tx, args.at(1), Access::Read)?;
    reply.count(length.unwrap_or(0));
    Ok(Flow::Done)
}

pub(super) fn setrange(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (key, offset, patch) = (args.at(1), args::integer(args.at(2))?, args.at(3));
    let offset = usize::try_from(offset).map_err(|_| CommandError::OffsetOutOfRange)?;
    let old = length(tx, key, Access::Write)?;
    if patch.is_empty() {
        reply.count(old.unwrap_or(0));
        return Ok(Flow::Done);
    }
    let end = check_length(tx, offset.checked_add(patch.len()))?;
    let new = tx.edit_str(key, |bytes| {
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes[offset..end].copy_from_slice(patch);
        bytes.len()
    });
    tx.changed(key, Event::SetRange);
    reply.count(new);
    Ok(Flow::Done)
}

pub(super) fn getrange(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (start, end) = (args::integer(args.at(2))?, args::integer(args.at(3))?);
    match tx.read_str(args.at(1))? {
        None => reply.bulk(b""),
        Some(StrView::Bytes(bytes)) => reply.bulk(slice(bytes, start, end)),
        Some(StrView::Int(value)) => reply.bulk(slice(&number::format_i64(value), start, end)),
    }
    Ok(Flow::Done)
}

/// `start..=end`, negative from the end, cut to what is there.
fn slice(bytes: &[u8], start: i64, end: i64) -> &[u8] {
    let length = bytes.len() as i64;
    if start < 0 && end < 0 && start > end {
        return b"";
    }
    let absolute = |index: i64| if index < 0 { index.saturating_add(length).max(0) } else { index };
    let (start, end) = (absolute(start), absolute(end).min(length - 1));
    if start > end || length == 0 { b"" } else { &bytes[start as usize..=end as usize] }
}

#[cfg(test)]
mod tests {
    use super::slice;

    #[test]
    fn ranges_are_cut_to_what_is_there() {
        let cases: [(i64, i64, &[u8]); 9] = [
            (0, 2, b"abc"),
            (-3, -1, b"def"),
            (0, -1, b"abcdef"),
            (2, 100, b"cdef"),
            (4, 2, b""),
            (-1, -3, b""),
            (-100, 1, b"ab"),
            (6, 9, b""),
            (i64::MIN, i64::MIN, b"a"),
        ];
        for (start, end, expected) in cases {
            assert_eq!(slice(b"abcdef", start, end), expected, "{start} {end}");
        }
        assert_eq!(slice(b"", 0, -1), b"");
    }
}
