//! What is written for a stream; `build::stream` draws the layout.

use super::build::stream::{NEVER, UNKNOWN};
use super::types::StreamForm;
use super::version::{VERSION_ACTIVE_TIMES, VERSION_BASE, VERSION_VALKEY};
use super::writer::ValueWriter;
use crate::object::stream::{Consumer, Group, StreamId};
use crate::object::{DataType, Stream};
use std::io;

/// The first version that knows the newest form.
const VERSION_NACKS: u16 = 14;

/// What Redis 8.6 remembers of producers, by default: seconds, and entries.
const PRODUCERS_DURATION_S: u64 = 100;
const PRODUCERS_ENTRIES_MAX: u64 = 100;

/// The oldest form that holds all of a stream, as far as `version` has one. Valkey has written the third one only since
/// long before its version of the format.
pub(super) fn form(stream: &Stream, version: u16) -> StreamForm {
    match version {
        ..VERSION_BASE => return StreamForm::First,
        VERSION_VALKEY.. => return StreamForm::ActiveTimes,
        _ => {}
    }
    match Stream::rdb_version(stream).min(version) {
        VERSION_NACKS.. => StreamForm::Nacks,
        VERSION_ACTIVE_TIMES.. => StreamForm::ActiveTimes,
        _ => StreamForm::Totals,
    }
}

pub(super) fn write_stream<W: ValueWriter>(writer: &mut W, stream: &Stream) -> io::Result<()> {
    let (form, log) = (form(stream, writer.version()), stream.log());
    writer.length(log.nodes().len() as u64)?;
    for (master, blob) in log.nodes() {
        writer.text(&master.to_bytes())?;
        writer.text(blob)?;
    }
    writer.length(log.len())?;
    write_id(writer, log.last_id())?;
    if form >= StreamForm::Totals {
        write_id(writer, log.first_id())?;
        write_id(writer, log.max_deleted_id())?;
        writer.length(log.entries_added())?;
    }
    writer.length(stream.group_count() as u64)?;
    for (name, group) in stream.groups() {
        writer.text(name)?;
        write_group(writer, group, form)?;
    }
    if form >= StreamForm::Producers {
        for number in [PRODUCERS_DURATION_S, PRODUCERS_ENTRIES_MAX, 0, 0, 0] {
            writer.length(number)?;
        }
    }
    Ok(())
}

fn write_id<W: ValueWriter>(writer: &mut W, id: StreamId) -> io::Result<()> {
    writer.length(id.ms)?;
    writer.length(id.seq)
}

fn write_group<W: ValueWriter>(writer: &mut W, group: &Group, form: StreamForm) -> io::Result<()> {
    write_id(writer, group.last_id())?;
    if form >= StreamForm::Totals {
        writer.length(group.entries_read().map_or(UNKNOWN, i64::cast_unsigned))?;
    }
    writer.length(group.pending_len() as u64)?;
    for pending in group.pending(StreamId::MIN, StreamId::MAX) {
        writer.raw(&pending.id.to_bytes())?;
        writer.raw(&pending.delivered_ms.to_le_bytes())?;
        writer.length(pending.deliveries)?;
    }
    writer.length(group.consumers().len() as u64)?;
    for consumer in group.consumers() {
        write_consumer(writer, consumer, form)?;
    }
    if form >= StreamForm::Nacks {
        write_ids(writer, group.released())?;
    }
    Ok(())
}

fn write_consumer<W: ValueWriter>(writer: &mut W, consumer: &Consumer, form: StreamForm) -> io::Result<()> {
    writer.text(consumer.name())?;
    writer.raw(&consumer.seen_ms().to_le_bytes())?;
    if form >= StreamForm::ActiveTimes {
        writer.raw(&consumer.active_ms().unwrap_or(NEVER).to_le_bytes())?;
    }
    write_ids(writer, consumer.pending())
}

fn write_ids<W: ValueWriter>(writer: &mut W, ids: impl ExactSizeIterator<Item = StreamId>) -> io::Result<()> {
    writer.length(ids.len() as u64)?;
    for id in ids {
        writer.raw(&id.to_bytes())?;
    }
    Ok(())
}
