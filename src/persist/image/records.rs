//! One key, as it goes into the file.

use crate::keyspace::settings::{Candidates, Ranking, Settings};
use crate::keyspace::{FrozenEntry, StrView, lru};
use crate::rdb::{self, Access, Output, RdbWriter, StringValue, ValueWriter};
use std::io;

/// What of an entry's access field goes into the file: what the eviction policy looks at.
pub(super) enum Usage<'a> {
    None,
    Idle { now_ms: i64 },
    Frequency { now_ms: i64, settings: &'a Settings },
}

impl Usage<'_> {
    pub(super) fn of(settings: &Settings, now_ms: i64) -> Usage<'_> {
        match (settings.candidates, settings.ranking) {
            (Candidates::None, _) | (_, Ranking::Ttl | Ranking::Random) => Usage::None,
            (_, Ranking::Lru) => Usage::Idle { now_ms },
            (_, Ranking::Lfu) => Usage::Frequency { now_ms, settings },
        }
    }

    #[inline]
    fn access(&self, entry: FrozenEntry<'_>) -> Option<Access> {
        match *self {
            Usage::None => None,
            Usage::Idle { now_ms } => Some(Access::Idle { seconds: lru::idle_s(entry.lru(), now_ms).into() }),
            Usage::Frequency { now_ms, settings } => {
                Some(Access::Frequency(lru::lfu_counter(entry.lru(), now_ms, settings)))
            }
        }
    }
}

#[inline]
pub(super) fn write_entry<O: Output>(
    writer: &mut RdbWriter<O>,
    entry: FrozenEntry<'_>,
    usage: &Usage<'_>,
) -> io::Result<()> {
    let (key, expire_at_ms, access) = (entry.key(), entry.expire_at_ms(), usage.access(entry));
    if let Some(view) = entry.view() {
        writer.begin(key, expire_at_ms, access, rdb::type_byte(view, writer.version()))?;
        return rdb::write_value(writer, view);
    }
    let value = match entry.str_view() {
        StrView::Int(value) => StringValue::Int(value),
        StrView::Bytes(bytes) => StringValue::Bytes(bytes),
    };
    writer.string(key, expire_at_ms, access, value)
}
