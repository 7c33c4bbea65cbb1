//! Streams, node by node and pending entry by pending entry.
//!
//! ```text
//! count { master-id(string of 16) listpack }*   length  last-ms last-seq
//! 7.0:    first-ms first-seq  deleted-ms deleted-seq  added
//! count { name  last-ms last-seq                                      groups
//!   7.0:    entries-read (2^64 - 1: not known)
//!   count { id(16) delivered(8) deliveries }*                         pending entries
//!   count { name  seen(8)                                             consumers
//!     7.2:    active(8) (-1: never)
//!     count { id(16) }* }*                                            what they own of the pending entries
//!   8.8: count { id(16) }* }*                                         what nobody owns of them
//! 8.6:    duration entries-max  count { producer  count { iid ms seq }* }*  added duplicates
//! ```
//! Numbers are lengths, unless bytes are given; times are Unix milliseconds. What 8.6 remembers of producers is left
//! out: nothing here asks for it.

use super::{Around, Built, corrupt};
use crate::object::stream::{ConsumerSlot, Counters, GroupLoader, Metadata, StreamId};
use crate::object::{Corrupt, Stream, Variant};
use crate::rdb::cursor::{Cursor, Stop};
use crate::rdb::error::Fault;
use crate::rdb::types::StreamForm;

/// How a number says that it is not known.
pub(in crate::rdb) const UNKNOWN: u64 = u64::MAX;
/// How a time says that it never was.
pub(in crate::rdb) const NEVER: i64 = -1;

pub(in crate::rdb) struct StreamBuild {
    form: StreamForm,
    stream: Stream,
    stage: Stage,
    groups_left: u64,
    /// The group that is being read, and its name.
    group: Option<(Vec<u8>, GroupLoader)>,
    consumers_left: u64,
}

/// What comes next; numbers are pieces left.
#[derive(Clone, Copy)]
enum Stage {
    Start,
    Nodes(u64),
    Groups,
    Pending(u64),
    Consumers,
    Owned(ConsumerSlot, u64),
    Released(u64),
    Producers(u64),
    ProducerIds { producers: u64, left: u64 },
    Done,
}

impl StreamBuild {
    pub(super) fn new(form: StreamForm) -> Self {
        StreamBuild {
            form,
            stream: Stream::default(),
            stage: Stage::Start,
            groups_left: 0,
            group: None,
            consumers_left: 0,
        }
    }

    pub(super) fn step(&mut self, cursor: &mut Cursor<'_>, around: &mut Around<'_>) -> Result<(), Stop> {
        while !matches!(self.stage, Stage::Done) {
            self.stage = self.advance(cursor, around)?;
            cursor.commit();
        }
        Ok(())
    }

    /// Takes one piece and tells what comes behind it.
    fn advance(&mut self, cursor: &mut Cursor<'_>, around: &mut Around<'_>) -> Result<Stage, Stop> {
        match self.stage {
            Stage::Start => cursor.length().map(Stage::Nodes),
            Stage::Nodes(0) => self.metadata(cursor),
            Stage::Nodes(left) => {
                self.node(cursor, around)?;
                Ok(Stage::Nodes(left - 1))
            }
            Stage::Groups if self.groups_left > 0 => self.group_head(cursor),
            Stage::Groups if self.form >= StreamForm::Producers => {
                cursor.length()?;
                cursor.length()?;
                cursor.length().map(Stage::Producers)
            }
            Stage::Groups => Ok(Stage::Done),
            Stage::Pending(0) => {
                self.consumers_left = cursor.length()?;
                Ok(Stage::Consumers)
            }
            Stage::Pending(left) => {
                self.pending(cursor)?;
                Ok(Stage::Pending(left - 1))
            }
            Stage::Consumers if self.consumers_left > 0 => self.consumer(cursor, around),
            Stage::Consumers if self.form >= StreamForm::Nacks => cursor.length().map(Stage::Released),
            Stage::Consumers | Stage::Released(0) => self.group_end(cursor),
            Stage::Owned(_, 0) => Ok(Stage::Consumers),
            Stage::Owned(slot, left) => {
                self.of_group(cursor, |group, id| group.owned(slot, id))?;
                Ok(Stage::Owned(slot, left - 1))
            }
            Stage::Released(left) => {
                self.of_group(cursor, GroupLoader::released)?;
                Ok(Stage::Released(left - 1))
            }
            Stage::Producers(0) => {
                cursor.length()?;
                cursor.length()?;
                Ok(Stage::Done)
            }
            Stage::Producers(left) => {
                cursor.text()?;
                Ok(Stage::ProducerIds { producers: left - 1, left: cursor.length()? })
            }
            Stage::ProducerIds { producers, left: 0 } => Ok(Stage::Producers(producers)),
            Stage::ProducerIds { producers, left } => {
                cursor.text()?;
                id_in_lengths(cursor)?;
                Ok(Stage::ProducerIds { producers, left: left - 1 })
            }
            Stage::Done => Ok(Stage::Done),
        }
    }

    fn node(&mut self, cursor: &mut Cursor<'_>, around: &mut Around<'_>) -> Result<(), Stop> {
        let at = cursor.at();
        let master = cursor.content(&mut around.scratch.first)?;
        let Ok(master) = <[u8; 16]>::try_from(master) else {
            return cursor.fault(at, Fault::Corrupt("Stream node key entry is not the size of a stream ID"));
        };
        let at = cursor.at();
        let blob = cursor.owned()?;
        let loaded = self.stream.load_node(StreamId::from_bytes(master), blob, around.depth);
        loaded.or_else(|reason| corrupt(at, reason))
    }

    /// What stands between the nodes and the groups, and the number of these.
    fn metadata(&mut self, cursor: &mut Cursor<'_>) -> Result<Stage, Stop> {
        let at = cursor.at();
        let length = cursor.length()?;
        let last_id = id_in_lengths(cursor)?;
        let counters = if self.form >= StreamForm::Totals {
            let (first_id, max_deleted_id) = (id_in_lengths(cursor)?, id_in_lengths(cursor)?);
            Some(Counters { first_id, max_deleted_id, entries_added: cursor.length()? })
        } else {
            None
        };
        let groups = cursor.length()?;
        let loaded = self.stream.load_metadata(Metadata { length, last_id, counters });
        loaded.or_else(|reason| corrupt(at, reason))?;
        self.groups_left = groups;
        Ok(Stage::Groups)
    }

    fn group_head(&mut self, cursor: &mut Cursor<'_>) -> Result<Stage, Stop> {
        let name = cursor.owned()?;
        let last_id = id_in_lengths(cursor)?;
        let entries_read = match self.form {
            StreamForm::First => self.stream.entries_read_at(last_id),
            _ => match cursor.length()? {
                UNKNOWN => None,
                // A counter that a client set and reading made wrap is written as it is.
                read => Some(read.cast_signed()),
            },
        };
        let pending = cursor.length()?;
        self.group = Some((name, GroupLoader::new(last_id, entries_read)));
        Ok(Stage::Pending(pending))
    }

    fn group(&mut self) -> &mut GroupLoader {
        &mut self.group.as_mut().expect("its head was read").1
    }

    fn pending(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Stop> {
        let at = cursor.at();
        let id = StreamId::from_bytes(cursor.array()?);
        let delivered_ms = cursor.time_ms()?;
        let deliveries = cursor.length()?;
        self.group().pending(id, delivered_ms, deliveries).or_else(|reason| corrupt(at, reason))
    }

    fn consumer(&mut self, cursor: &mut Cursor<'_>, around: &mut Around<'_>) -> Result<Stage, Stop> {
        let at = cursor.at();
        let name = cursor.content(&mut around.scratch.first)?;
        let seen_ms = cursor.time_ms()?;
        let active_ms = match self.form {
            StreamForm::First | StreamForm::Totals => Some(seen_ms),
            _ => Some(cursor.time_ms()?).filter(|active_ms| *active_ms != NEVER),
        };
        let owned = cursor.length()?;
        let slot = self.group().consumer(name, seen_ms, active_ms).or_else(|reason| corrupt(at, reason))?;
        self.consumers_left -= 1;
        Ok(Stage::Owned(slot, owned))
    }

    /// An ID about which the group is told something.
    fn of_group(
        &mut self,
        cursor: &mut Cursor<'_>,
        tell: impl FnOnce(&mut GroupLoader, StreamId) -> Result<(), Corrupt>,
    ) -> Result<(), Stop> {
        let at = cursor.at();
        let id = StreamId::from_bytes(cursor.array()?);
        tell(self.group(), id).or_else(|reason| corrupt(at, reason))
    }

    fn group_end(&mut self, cursor: &Cursor<'_>) -> Result<Stage, Stop> {
        let (name, loader) = self.group.take().expect("its head was read");
        let loaded = loader.finish().and_then(|group| self.stream.load_group(&name, group));
        loaded.or_else(|reason| corrupt(cursor.at(), reason))?;
        self.groups_left -= 1;
        Ok(Stage::Groups)
    }

    pub(super) fn finish(self) -> Built {
        Built::Object(self.stream.into_object())
    }
}

fn id_in_lengths(cursor: &mut Cursor<'_>) -> Result<StreamId, Stop> {
    Ok(StreamId::new(cursor.length()?, cursor.length()?))
}
