//! Room `config`: the directives of the server, typed, and everything that is derived from one table of them.
//!
//! ```text
//!   redis.conf, command line ──file──▶ Config ◀──change── CONFIG SET
//!                                        │ ▲
//!                    CONFIG GET ◀─change─┘ └──rewrite──▶ redis.conf (CONFIG REWRITE)
//!                 all by the lines of `directives` (name, kind with bounds, default, flags, field)
//! ```
//!
//! Every directive that Redis 7.0, Redis 8 or Valkey knows has a line in the table, in one of three classes:
//! *implemented* (it has a field in [`Config`]), *inert* (accepted and answered by CONFIG GET, without effect
//! here; a start-up warning names it when it was changed), *promise* (inert, and a value other than the
//! default would promise what this server does not keep, so it stops the start or is refused).
//!
//! Invariants:
//! 1. A default is written once, in the table; `Config::default()` is made from it.
//! 2. A field has the name of its directive, with `_` for `-`.
//! 3. A failed change leaves the `Config` as it was.
//!
//! What this room does not do: it applies nothing. It does not bind, chdir, open a log or resize anything;
//! `boot` and the server do that after a load or a change, and hand back the old `Config` when that fails.

pub mod change;
pub mod choices;
pub mod directives;
pub mod events;
pub mod file;
pub mod rewrite;
mod special;
mod value;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use change::{Change, DirectiveId, LoadState, Protected, SetContext, SetError, get, set};
pub use choices::{
    AclPubsubDefault, BgsaveIonice, HugePageUse, LogLevel, MaxmemoryPolicy, OomScoreAdj, RdbVersion,
    RdbVersionCheck, Restriction, Sanitize, Supervised, TlsAuthClients, TlsAuthClientsUser,
};
pub use directives::PROMISE_TEXT;
pub use events::NotifyEvents;
pub use file::{ConfigError, DeclaredUser, Files, LoadedConfig, Rename, SystemFiles, load};
pub use rewrite::rewrite;
pub use special::title_template_is_valid;

/// One point of the save rules: save when at least `changes` changes were made and `seconds` passed since the
/// last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SaveRule {
    pub seconds: u64,
    pub changes: u64,
}

/// An address to listen on, as written: an IPv4 or IPv6 address, a host name, `*` (all IPv4) or `::*` (all
/// IPv6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindAddress {
    pub address: String,
    /// Written with a leading `-`: the start goes on when this address is not available.
    pub optional: bool,
}

/// When a client with unread output is disconnected; 0 is "no limit".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputLimit {
    /// Disconnected at once beyond this.
    pub hard_bytes: u64,
    /// Disconnected when beyond this for `soft_seconds` without a break.
    pub soft_bytes: u64,
    pub soft_seconds: u64,
}

/// `client-output-buffer-limit`, by class of client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputLimits {
    pub normal: OutputLimit,
    pub replica: OutputLimit,
    pub pubsub: OutputLimit,
}

/// What a signal to shut down asks for; all false is `default`: save when there are save rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShutdownFlags {
    pub save: bool,
    pub nosave: bool,
    pub now: bool,
    pub force: bool,
}

/// Declares `Config` with a `blank` constructor, which `default` then fills from the table: a second list of
/// the fields with their defaults would be a second place for the same fact.
macro_rules! config_fields {
    ($($(#[$comment:meta])* $field:ident: $type:ty,)*) => {
        /// The configuration in force. `Config::default()` is what an empty file gives.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Config {
            $($(#[$comment])* pub $field: $type,)*
            /// Directives without effect here whose value is not the default: name of the table to text.
            inert: BTreeMap<&'static str, Vec<u8>>,
        }

        impl Config {
            fn blank() -> Self {
                Config { $($field: Default::default(),)* inert: BTreeMap::new() }
            }
        }
    };
}

config_fields! {
    // network
    /// Empty: no TCP listener.
    bind: Vec<BindAddress>,
    /// 0: no TCP listener.
    port: u16,
    unixsocket: Option<String>,
    /// Mode bits of the socket's file; 0: as the umask gives.
    unixsocketperm: u32,
    tcp_backlog: u32,
    /// Seconds; 0: off.
    tcp_keepalive: u32,
    /// Seconds of idleness after which a client is closed; 0: never.
    timeout: u32,
    maxclients: u32,
    protected_mode: bool,
    /// Empty: no password.
    requirepass: Vec<u8>,
    /// The file of the users; empty: none.
    aclfile: String,
    acl_pubsub_default: AclPubsubDefault,
    /// Entries of ACL LOG.
    acllog_max_len: u64,
    /// Bytes.
    proto_max_bulk_len: u64,
    /// Bytes.
    client_query_buffer_limit: u64,
    client_output_buffer_limit: OutputLimits,
    /// Keys that are remembered for clients that cache them; 0: no limit.
    tracking_table_max_keys: u64,

    // TLS; empty texts: none
    /// 0: no TLS.
    tls_port: u16,
    tls_cert_file: String,
    tls_key_file: String,
    tls_key_file_pass: String,
    tls_ca_cert_file: String,
    tls_ca_cert_dir: String,
    tls_auth_clients: TlsAuthClients,
    tls_auth_clients_user: TlsAuthClientsUser,
    /// Words such as `TLSv1.3`.
    tls_protocols: String,
    /// OpenSSL's names of the suites of TLS 1.2.
    tls_ciphers: String,
    /// Names of the suites of TLS 1.3.
    tls_ciphersuites: String,
    tls_prefer_server_ciphers: bool,
    tls_session_caching: bool,
    /// Sessions; 0: no limit, as in OpenSSL.
    tls_session_cache_size: u32,
    /// Seconds.
    tls_session_cache_timeout: u32,
    tls_dh_params_file: String,
    /// Seconds between two looks whether a file has changed; 0: nobody looks.
    tls_auto_reload_interval: u32,
    /// Handshakes that may begin in one round of the loop.
    max_new_tls_connections_per_cycle: u32,

    // process
    daemonize: bool,
    supervised: Supervised,
    pidfile: Option<String>,
    /// Empty: standard output.
    logfile: String,
    loglevel: LogLevel,
    always_show_logo: bool,
    set_proc_title: bool,
    proc_title_template: String,
    /// Processors of the loop, and of the helper threads; empty: all.
    server_cpulist: String,
    bio_cpulist: String,
    oom_score_adj: OomScoreAdj,
    /// For: primary, replica, background child.
    oom_score_adj_values: [i32; 3],
    disable_thp: bool,
    crash_log_enabled: bool,
    hide_user_data_from_log: bool,
    ignore_warnings: String,
    shutdown_timeout: u32,
    shutdown_on_sigint: ShutdownFlags,
    shutdown_on_sigterm: ShutdownFlags,
    enable_debug_command: Restriction,
    enable_protected_configs: Restriction,
    enable_module_command: Restriction,
    /// Runs of the cron per second, 1..=500.
    hz: u32,
    dynamic_hz: bool,

    // keyspace
    databases: u32,
    activerehashing: bool,
    active_expire_effort: u32,
    lazyfree_lazy_eviction: bool,
    lazyfree_lazy_expire: bool,
    lazyfree_lazy_server_del: bool,
    lazyfree_lazy_user_del: bool,
    lazyfree_lazy_user_flush: bool,

    // memory
    huge_pages: HugePageUse,
    /// Bytes; 0: no limit.
    maxmemory: u64,
    /// Bytes; negative: percent of maxmemory; 0: no limit.
    maxmemory_clients: i64,
    /// Bytes that one interpreter of scripts may use; 0: no limit.
    script_memory_limit: u64,
    maxmemory_policy: MaxmemoryPolicy,
    maxmemory_samples: u32,
    maxmemory_eviction_tenacity: u32,
    lfu_log_factor: u32,
    /// Minutes per decrement; 0: at every look.
    lfu_decay_time: u32,

    // encodings; sizes in bytes
    hash_max_listpack_entries: u64,
    hash_max_listpack_value: u64,
    hll_sparse_max_bytes: u64,
    list_compress_depth: u32,
    /// Positive: elements; -1 to -5: 4 KiB to 64 KiB.
    list_max_listpack_size: i32,
    set_max_intset_entries: u64,
    set_max_listpack_entries: u64,
    set_max_listpack_value: u64,
    stream_node_max_bytes: u64,
    stream_node_max_entries: u64,
    zset_max_listpack_entries: u64,
    zset_max_listpack_value: u64,

    // snapshots
    /// Where files are read and written. `boot` replaces what was written by the absolute path.
    dir: PathBuf,
    dbfilename: String,
    save: Vec<SaveRule>,
    rdbcompression: bool,
    rdbchecksum: bool,
    rdb_save_incremental_fsync: bool,
    stop_writes_on_bgsave_error: bool,
    sanitize_dump_payload: Sanitize,
    /// The highest RDB version that a snapshot may have.
    rdb_version: RdbVersion,
    rdb_version_check: RdbVersionCheck,
    /// Values of modules are left out of a load, which fails otherwise.
    rdb_skip_unknown: bool,
    /// Threads that serialize; 0: as many as there are idle cores, at most 4.
    rdb_save_threads: u32,
    /// Threads that decode a file that is loaded, the loop's included; 0: two where there are two cores.
    rdb_load_threads: u32,
    /// Million bytes per second that a background save writes at most; 0: no limit.
    rdb_save_max_mbps: u64,
    /// Nice value of the child that saves, 0..=19.
    bgsave_nice: u32,
    bgsave_ionice: BgsaveIonice,
    /// Processors of the child; empty: those of the server.
    bgsave_cpulist: String,
    /// The file whose lock a saving child holds; empty: none.
    snapshot_lock: String,
    /// Seconds without progress after which a child is killed; 0: never.
    child_timeout: u32,
    /// So many snapshots stay beside the current one.
    snapshot_keep: u32,
    /// A start whose file is damaged goes on with the newest good snapshot of the history.
    snapshot_fallback: bool,
    /// Microseconds per key; negative: one microsecond per that many keys.
    rdb_key_save_delay: i32,
    /// Microseconds per key; negative: one microsecond per that many keys.
    key_load_delay: i32,
    /// Bytes read between two rounds of serving clients while loading.
    loading_process_events_interval_bytes: u32,

    notify_keyspace_events: NotifyEvents,

    // metrics
    /// Microseconds; negative: off; 0: every command.
    slowlog_log_slower_than: i64,
    slowlog_max_len: u64,
    /// Bytes; negative: off.
    commandlog_request_larger_than: i64,
    commandlog_large_request_max_len: u64,
    /// Bytes; negative: off.
    commandlog_reply_larger_than: i64,
    commandlog_large_reply_max_len: u64,
    /// What an entry keeps of a command: so many arguments, so many bytes of each.
    slowlog_entry_max_argc: u32,
    slowlog_entry_max_string_len: u64,
    /// Milliseconds after which others are served beside a script; 0: never.
    busy_reply_threshold: u64,
    /// Milliseconds; 0: off.
    latency_monitor_threshold: u64,
    latency_tracking: bool,
    latency_tracking_info_percentiles: Vec<f64>,
}

impl Default for Config {
    fn default() -> Self {
        let mut config = Config::blank();
        for directive in directives::all() {
            directive.apply_default(&mut config);
        }
        config
    }
}

#[cfg(test)]
mod tests;
