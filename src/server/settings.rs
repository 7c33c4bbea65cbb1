//! Derives what other rooms keep of the configuration.

use crate::base::log::Loglevel;
use crate::config::{Config, LogLevel, MaxmemoryPolicy};
use crate::keyspace::settings::{Candidates, Freeing, Ranking, Settings};

/// The keyspace's part of the configuration.
pub fn keyspace_settings(config: &Config) -> Settings {
    let freeing = |lazy: bool| if lazy { Freeing::Lazy } else { Freeing::Inline };
    let (candidates, ranking) = policy(config.maxmemory_policy);
    Settings {
        maxmemory_bytes: config.maxmemory,
        candidates,
        ranking,
        maxmemory_samples: config.maxmemory_samples as usize,
        eviction_tenacity: config.maxmemory_eviction_tenacity,
        lfu_log_factor: config.lfu_log_factor,
        lfu_decay_minutes: config.lfu_decay_time,
        free_evicted: freeing(config.lazyfree_lazy_eviction),
        free_expired: freeing(config.lazyfree_lazy_expire),
        free_replaced: freeing(config.lazyfree_lazy_server_del),
        free_deleted: freeing(config.lazyfree_lazy_user_del),
        free_flushed: freeing(config.lazyfree_lazy_user_flush),
        string_bytes_max: config.proto_max_bulk_len as usize,
        expire_effort: config.active_expire_effort,
    }
}

fn policy(policy: MaxmemoryPolicy) -> (Candidates, Ranking) {
    match policy {
        MaxmemoryPolicy::Noeviction => (Candidates::None, Ranking::Lru),
        MaxmemoryPolicy::AllkeysLru => (Candidates::All, Ranking::Lru),
        MaxmemoryPolicy::AllkeysLfu => (Candidates::All, Ranking::Lfu),
        MaxmemoryPolicy::AllkeysRandom => (Candidates::All, Ranking::Random),
        MaxmemoryPolicy::VolatileLru => (Candidates::Volatile, Ranking::Lru),
        MaxmemoryPolicy::VolatileLfu => (Candidates::Volatile, Ranking::Lfu),
        MaxmemoryPolicy::VolatileRandom => (Candidates::Volatile, Ranking::Random),
        MaxmemoryPolicy::VolatileTtl => (Candidates::Volatile, Ranking::Ttl),
    }
}

/// The directive `loglevel` in the log's own terms.
pub fn log_level(level: LogLevel) -> Loglevel {
    match level {
        LogLevel::Debug => Loglevel::Debug,
        LogLevel::Verbose => Loglevel::Verbose,
        LogLevel::Notice => Loglevel::Notice,
        LogLevel::Warning => Loglevel::Warning,
        LogLevel::Nothing => Loglevel::Nothing,
    }
}
