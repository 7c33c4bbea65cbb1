//! ACL LOG: what was denied, the latest first. The same thing within a minute is one entry that counts.

use std::collections::VecDeque;

/// Why something was denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogReason {
    Auth,
    Command,
    Key,
    Channel,
    Database,
}

impl LogReason {
    pub fn name(self) -> &'static str {
        match self {
            LogReason::Auth => "auth",
            LogReason::Command => "command",
            LogReason::Key => "key",
            LogReason::Channel => "channel",
            LogReason::Database => "database",
        }
    }
}

/// What the command was part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    Toplevel,
    Multi,
    Lua,
}

impl Context {
    pub fn name(self) -> &'static str {
        match self {
            Context::Toplevel => "toplevel",
            Context::Multi => "multi",
            Context::Lua => "lua",
        }
    }
}

/// Something that was denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    pub reason: LogReason,
    pub context: Context,
    pub object: Box<[u8]>,
    pub user: Box<[u8]>,
    /// The line of CLIENT LIST, without its end.
    pub client: String,
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// The latest.
    pub happening: Happening,
    pub count: i64,
    pub number: u64,
    /// Unix milliseconds.
    pub created_ms: i64,
    pub updated_ms: i64,
}

#[derive(Default)]
pub struct AclLog {
    entries: VecDeque<Logged>,
    next_number: u64,
}

/// What happens again within this time is counted by the entry that is there.
const SAME_MS: i64 = 60_000;
/// How many entries are looked at for that.
const LOOKED_AT: usize = 10;

impl AclLog {
    /// Adds what happened; no more than `len_max` entries are kept.
    pub fn add(&mut self, happening: Happening, now_ms: i64, len_max: u64) {
        let is_same = |entry: &Logged| {
            let (known, new) = (&entry.happening, &happening);
            known.reason == new.reason
                && known.context == new.context
                && (now_ms - entry.updated_ms).abs() <= SAME_MS
                && known.object == new.object
                && known.user == new.user
        };
        let place = self.entries.iter().take(LOOKED_AT).position(is_same);
        let entry = match place.and_then(|place| self.entries.remove(place)) {
            Some(known) => Logged { happening, count: known.count + 1, updated_ms: now_ms, ..known },
            None => {
                self.next_number += 1;
                let number = self.next_number - 1;
                Logged { happening, count: 1, number, created_ms: now_ms, updated_ms: now_ms }
            }
        };
        self.entries.push_front(entry);
        self.entries.truncate(usize::try_from(len_max).unwrap_or(usize::MAX));
    }

    /// The latest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Logged> {
        self.entries.iter()
    }

    /// ACL LOG RESET.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn happening(object: &str) -> Happening {
        Happening {
            reason: LogReason::Key,
            context: Context::Toplevel,
            object: object.as_bytes().into(),
            user: b"u"[..].into(),
            client: String::new(),
        }
    }

    fn told(log: &AclLog) -> Vec<(String, i64, u64)> {
        let tell = |entry: &Logged| {
            (String::from_utf8_lossy(&entry.happening.object).into_owned(), entry.count, entry.number)
        };
        log.iter().map(tell).collect()
    }

    #[test]
    fn the_same_is_counted_and_comes_first() {
        let mut log = AclLog::default();
        for (object, now_ms) in [("a", 0), ("b", 1), ("a", 60_000), ("a", 120_000), ("b", 120_002)] {
            log.add(happening(object), now_ms, 128);
        }
        assert_eq!(told(&log), [("b".into(), 1, 2), ("a".into(), 3, 0), ("b".into(), 1, 1)]);
    }

    #[test]
    fn the_length_is_limited() {
        let mut log = AclLog::default();
        (0..20).for_each(|number| log.add(happening(&number.to_string()), 0, 3));
        assert_eq!(log.iter().len(), 3);
        log.add(happening("5"), 0, 0);
        assert_eq!(log.iter().len(), 0);
    }
}
