//! How often each kind of error was answered, by the first word of the reply (`ERR`, `WRONGTYPE`, ...).
//!
//! Scripts can invent words, so their number is limited: beyond `PREFIXES_MAX` every new one counts as
//! `ERRORSTATS_OVERFLOW`, and the known ones go on counting. (Redis 7.0 has no limit; later ones drop the
//! whole table.)

use std::collections::BTreeMap;

/// Distinct prefixes kept, the one for the overflow not counted.
pub const PREFIXES_MAX: usize = 128;

/// Where the prefixes beyond the limit are counted.
pub const OVERFLOW: &str = "ERRORSTATS_OVERFLOW";

/// A prefix is looked for in so many bytes of the reply, the dash included.
const PREFIX_SEARCH_BYTES: usize = 32;

#[derive(Clone, Debug, Default)]
pub struct ErrorStats {
    counts: BTreeMap<Box<[u8]>, u64>,
    overflow: u64,
}

impl ErrorStats {
    /// Counts an error reply, given with or without its leading dash.
    pub fn record(&mut self, reply: &[u8]) {
        let prefix = error_prefix(reply);
        if let Some(count) = self.counts.get_mut(prefix) {
            *count += 1;
        } else if self.counts.len() < PREFIXES_MAX {
            self.counts.insert(prefix.into(), 1);
        } else {
            self.overflow += 1;
        }
    }

    /// Prefix and count, sorted by prefix; the overflow, if any, comes last. INFO prints `#`, `:` and line
    /// ends in a prefix as `_`.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], u64)> {
        let overflow = (self.overflow > 0).then_some((OVERFLOW.as_bytes(), self.overflow));
        self.counts.iter().map(|(prefix, &count)| (&**prefix, count)).chain(overflow)
    }

    /// CONFIG RESETSTAT.
    pub fn reset(&mut self) {
        *self = ErrorStats::default();
    }
}

/// The first word of an error reply; `ERR` when there is none within the first bytes.
pub fn error_prefix(reply: &[u8]) -> &[u8] {
    let text = reply.strip_prefix(b"-").unwrap_or(reply);
    let searched = &text[..text.len().min(PREFIX_SEARCH_BYTES - 1)];
    match searched.iter().position(|&byte| byte == b' ') {
        Some(end) => &text[..end],
        None => b"ERR",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(stats: &ErrorStats) -> Vec<(String, u64)> {
        stats.iter().map(|(prefix, count)| (String::from_utf8_lossy(prefix).into_owned(), count)).collect()
    }

    #[test]
    fn prefixes_are_found_as_in_redis() {
        assert_eq!(error_prefix(b"-WRONGTYPE Operation"), b"WRONGTYPE");
        assert_eq!(error_prefix(b"MISCONF Redis"), b"MISCONF");
        assert_eq!(error_prefix(b"-NOSPACE"), b"ERR");
        assert_eq!(error_prefix(format!("-{} x", "A".repeat(30)).as_bytes()), "A".repeat(30).as_bytes());
        assert_eq!(error_prefix(format!("-{} x", "B".repeat(31)).as_bytes()), b"ERR");
        assert_eq!(error_prefix(b""), b"ERR");
    }

    #[test]
    fn known_prefixes_go_on_counting_when_the_table_is_full() {
        let mut stats = ErrorStats::default();
        for number in 0..PREFIXES_MAX + 10 {
            stats.record(format!("-E{number:03} text").as_bytes());
        }
        stats.record(b"-E000 again");
        let listed = listed(&stats);
        assert_eq!(listed.len(), PREFIXES_MAX + 1);
        assert_eq!(listed[0], ("E000".to_owned(), 2));
        assert_eq!(listed[PREFIXES_MAX], (OVERFLOW.to_owned(), 10));
        stats.reset();
        assert_eq!(stats.iter().count(), 0);
    }
}
