//! The directives that the keyspace obeys, in its own terms. The server derives them from its configuration whenever
//! that changes.

use crate::object::Rules;

/// Which keys an eviction may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Candidates {
    /// `noeviction`
    None,
    /// `allkeys-*`
    All,
    /// `volatile-*`: those with an expiry.
    Volatile,
}

/// Which of the candidates goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ranking {
    /// The one not used for the longest time.
    Lru,
    /// The one used least often.
    Lfu,
    /// The one that expires soonest.
    Ttl,
    Random,
}

/// When the memory of a removed value is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freeing {
    Inline,
    /// By the helper thread, when the value is costly to free.
    Lazy,
}

#[derive(Clone, Debug)]
pub struct Settings {
    /// Bytes; 0 is no limit.
    pub maxmemory_bytes: u64,
    pub candidates: Candidates,
    pub ranking: Ranking,
    pub maxmemory_samples: usize,
    /// 0..=100, as `maxmemory-eviction-tenacity`.
    pub eviction_tenacity: u32,
    pub lfu_log_factor: u32,
    /// Minutes.
    pub lfu_decay_minutes: u32,
    pub free_evicted: Freeing,
    pub free_expired: Freeing,
    /// What a command overwrites or moves away.
    pub free_replaced: Freeing,
    /// DEL.
    pub free_deleted: Freeing,
    /// FLUSHDB and FLUSHALL without ASYNC or SYNC.
    pub free_flushed: Freeing,
    /// The longest string, in bytes (`proto-max-bulk-len`).
    pub string_bytes_max: usize,
    /// 1..=10, as `active-expire-effort`.
    pub expire_effort: u32,
    /// The thresholds between encodings.
    pub rules: Rules,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            maxmemory_bytes: 0,
            candidates: Candidates::None,
            ranking: Ranking::Lru,
            maxmemory_samples: 5,
            eviction_tenacity: 10,
            lfu_log_factor: 10,
            lfu_decay_minutes: 1,
            free_evicted: Freeing::Inline,
            free_expired: Freeing::Inline,
            free_replaced: Freeing::Inline,
            free_deleted: Freeing::Inline,
            free_flushed: Freeing::Inline,
            string_bytes_max: 512 << 20,
            expire_effort: 1,
            rules: Rules::default(),
        }
    }
}
