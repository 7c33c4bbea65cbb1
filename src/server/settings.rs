//! Derives what other rooms keep of the configuration.

use crate::base::log::Loglevel;
use crate::base::proctitle::{TitleFields, expand_template};
use crate::config::{Config, LogLevel, MaxmemoryPolicy, OomScoreAdj};
use crate::keyspace::settings::{Candidates, Freeing, Ranking, Settings};
use crate::metrics::command_log::{Limit, Limits};
use crate::object::Rules;
use std::path::Path;

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
        rules: rules(config),
    }
}

/// The thresholds between encodings. The keyspace adds its seed.
fn rules(config: &Config) -> Rules {
    let size = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    Rules {
        hash_max_listpack_entries: size(config.hash_max_listpack_entries),
        hash_max_listpack_value: size(config.hash_max_listpack_value),
        set_max_intset_entries: size(config.set_max_intset_entries),
        set_max_listpack_entries: size(config.set_max_listpack_entries),
        set_max_listpack_value: size(config.set_max_listpack_value),
        zset_max_listpack_entries: size(config.zset_max_listpack_entries),
        zset_max_listpack_value: size(config.zset_max_listpack_value),
        list_max_listpack_size: i64::from(config.list_max_listpack_size),
        list_compress_depth: config.list_compress_depth as usize,
        stream_node_max_bytes: size(config.stream_node_max_bytes),
        stream_node_max_entries: size(config.stream_node_max_entries),
        hll_sparse_max_bytes: size(config.hll_sparse_max_bytes),
        ..Rules::default()
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

/// The directives `slowlog-*` and `commandlog-*`.
pub fn command_log_limits(config: &Config) -> Limits {
    let size = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    let limit = |threshold: i64, entries_max: u64| Limit { threshold, entries_max: size(entries_max) };
    Limits {
        slow: limit(config.slowlog_log_slower_than, config.slowlog_max_len),
        large_request: limit(config.commandlog_request_larger_than, config.commandlog_large_request_max_len),
        large_reply: limit(config.commandlog_reply_larger_than, config.commandlog_large_reply_max_len),
        arguments_max: config.slowlog_entry_max_argc as usize,
        argument_bytes_max: size(config.slowlog_entry_max_string_len),
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

/// What this process's out-of-memory score is to be adjusted by; `base` is what it was at the start. `None`: it is left
/// as it is.
pub fn oom_score_adj(config: &Config, base: i32) -> Option<i32> {
    let [primary, ..] = config.oom_score_adj_values;
    match config.oom_score_adj {
        OomScoreAdj::No => None,
        OomScoreAdj::Yes | OomScoreAdj::Relative => Some(base + primary),
        OomScoreAdj::Absolute => Some(primary),
    }
}

/// Where clients find the server, as its title tells: the first address with the port, or the path of the unix socket.
pub fn listen_address(config: &Config) -> String {
    let address = config.bind.first().map_or("*", |bind| bind.address.as_str());
    match (config.port, config.tls_port, &config.unixsocket) {
        (0, 0, path) => path.clone().unwrap_or_default(),
        (0, port, _) | (port, ..) => format!("{address}:{port}"),
    }
}

/// The title of the process by `proc-title-template`; `None` when the template is not understood.
pub fn process_title(config: &Config, config_file: Option<&Path>) -> Option<String> {
    let unixsocket = config.unixsocket.as_deref().unwrap_or_default();
    let listen_addr = listen_address(config);
    let config_file = config_file.map(|path| path.display().to_string()).unwrap_or_default();
    let fields = TitleFields {
        title: "tintype",
        listen_addr: &listen_addr,
        server_mode: "",
        port: config.port,
        tls_port: config.tls_port,
        unixsocket,
        config_file: &config_file,
    };
    expand_template(&config.proc_title_template, &fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oom_score_is_left_alone_moved_or_set() {
        let score = |oom_score_adj| {
            let mut config = Config::default();
            (config.oom_score_adj, config.oom_score_adj_values) = (oom_score_adj, [7, 200, 800]);
            super::oom_score_adj(&config, 100)
        };
        assert_eq!((score(OomScoreAdj::No), score(OomScoreAdj::Yes)), (None, Some(107)));
        assert_eq!((score(OomScoreAdj::Relative), score(OomScoreAdj::Absolute)), (Some(107), Some(7)));
    }

    #[test]
    fn the_title_tells_where_the_server_listens() {
        let mut config = Config::default();
        config.unixsocket = Some("/run/t.sock".into());
        assert_eq!(process_title(&config, None).as_deref(), Some("tintype *:6379"));
        config.port = 0;
        assert_eq!(process_title(&config, None).as_deref(), Some("tintype /run/t.sock"));
    }
}
