//! The server's counters, one field each. Whoever does the thing adds to the field; INFO reads it. What happens to
//! keys is counted by the keyspace itself.
//!
//! Invariants
//! 1. Every field is a count since the start or the last `reset`, except those that `reset` names.
//! 2. Nothing here is derived: rates are in `rates`, sums over commands in `command_stats`.

use std::time::Duration;

/// See the fields of INFO stats of the same names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stats {
    pub connections_received: u64,
    /// Refused because of maxclients or protected mode.
    pub connections_rejected: u64,
    pub commands_processed: u64,
    pub net_input_bytes: u64,
    pub net_output_bytes: u64,
    pub net_repl_input_bytes: u64,
    pub net_repl_output_bytes: u64,
    /// Read and write system calls on clients' sockets.
    pub reads_processed: u64,
    pub writes_processed: u64,

    pub evicted_clients: u64,
    /// Time above maxmemory, but for the present excess.
    pub eviction_exceeded_us: u64,

    pub forks: u64,
    pub latest_fork_us: u64,
    /// Memory in use divided by the fork's duration, of the latest fork, in GiB per second.
    pub fork_rate_gib_per_s: f64,
    /// Finished SAVE and BGSAVE.
    pub rdb_saves: u64,

    /// Of ACL: logins that failed, and what was denied, by the reason.
    pub acl_denied_logins: u64,
    pub acl_denied_commands: u64,
    pub acl_denied_keys: u64,
    pub acl_denied_channels: u64,
    pub acl_denied_databases: u64,

    pub error_replies: u64,
    /// Errors in what a primary or the AOF sent: they should not happen.
    pub unexpected_error_replies: u64,
    pub dump_payload_sanitizations: u64,
    pub query_buffer_limit_disconnections: u64,
    pub output_buffer_limit_disconnections: u64,
    pub reply_buffer_shrinks: u64,
    pub reply_buffer_expands: u64,

    pub eventloop_cycles: u64,
    pub eventloop_us: u64,
    pub eventloop_command_us: u64,

    pub sync_full: u64,
    pub sync_partial_ok: u64,
    pub sync_partial_err: u64,

    /// The highest memory in use that was seen; `reset` keeps it.
    pub used_memory_peak_bytes: u64,
}

impl Stats {
    /// CONFIG RESETSTAT. The memory peak stays, as in Redis.
    pub fn reset(&mut self) {
        *self = Stats { used_memory_peak_bytes: self.used_memory_peak_bytes, ..Stats::default() };
    }

    /// A fork of `used_memory_bytes` that held the server up for `pause`.
    pub fn record_fork(&mut self, pause: Duration, used_memory_bytes: u64) {
        self.forks += 1;
        self.latest_fork_us = pause.as_micros() as u64;
        let seconds = pause.as_secs_f64().max(1e-9);
        self.fork_rate_gib_per_s = used_memory_bytes as f64 / seconds / f64::from(1 << 30);
    }

    /// To be called from time to time with the memory in use.
    pub fn record_memory(&mut self, used_memory_bytes: u64) {
        self.used_memory_peak_bytes = self.used_memory_peak_bytes.max(used_memory_bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_keeps_the_memory_peak() {
        let mut stats = Stats { commands_processed: 5, ..Stats::default() };
        stats.record_memory(100);
        stats.record_memory(50);
        stats.reset();
        assert_eq!(stats, Stats { used_memory_peak_bytes: 100, ..Stats::default() });
    }

    #[test]
    fn forks_have_a_rate() {
        let mut stats = Stats::default();
        stats.record_fork(Duration::from_micros(2_000), 1 << 30);
        assert_eq!((stats.forks, stats.latest_fork_us, stats.fork_rate_gib_per_s), (1, 2_000, 500.0));
    }
}
