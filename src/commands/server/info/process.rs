//! INFO: the sections about the process and those it serves.

use super::{Page, View};
use crate::base::process::cpu_usage;
use crate::client::Client;
use crate::keyspace::lru;
use crate::server::server::{REDIS_VERSION, TINTYPE_VERSION};
use std::time::Duration;

pub(super) fn server(view: &mut View<'_>, page: &mut Page) {
    let (server, identity) = (view.server, &view.server.identity);
    let uptime_s = (view.now.unix_ms() - identity.started_ms).max(0) / 1000;
    page.field("redis_version", REDIS_VERSION);
    page.field("tintype_version", TINTYPE_VERSION);
    page.field("redis_git_sha1", "00000000");
    page.field("redis_git_dirty", 0);
    page.field("redis_build_id", build_id());
    page.field("redis_mode", "standalone");
    page.field("os", operating_system());
    page.field("arch_bits", usize::BITS);
    page.field("monotonic_clock", "POSIX clock_gettime");
    page.field("multiplexing_api", "epoll");
    // The compiler's own atomics, in the memory model of C11.
    page.field("atomicvar_api", "c11-builtin");
    page.field("process_id", std::process::id());
    page.field("process_supervised", identity.supervised);
    page.field("run_id", &identity.run_id);
    let port = if server.config.port == 0 { server.config.tls_port } else { server.config.port };
    page.field("tcp_port", port);
    page.field("server_time_usec", view.now.unix_us);
    page.field("uptime_in_seconds", uptime_s);
    page.field("uptime_in_days", uptime_s / 86_400);
    page.field("hz", server.config.hz);
    page.field("configured_hz", server.config.hz);
    page.field("lru_clock", lru::clock(view.now.unix_ms()));
    page.field("executable", &identity.executable);
    let config_file = identity.config_file.as_ref().map(|path| path.display().to_string());
    page.field("config_file", config_file.unwrap_or_default());
    page.field("io_threads_active", 0);
}

/// Tells builds apart: the version is all that a build is made of as far as it knows.
fn build_id() -> String {
    let bytes = TINTYPE_VERSION.bytes().chain(REDIS_VERSION.bytes());
    let id = bytes
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    format!("{id:x}")
}

/// `Linux 6.18.44-amd64 x86_64`
fn operating_system() -> String {
    format!("Linux {} {}", crate::base::pages::kernel_release(), std::env::consts::ARCH)
}

pub(super) fn clients(view: &mut View<'_>, page: &mut Page) {
    let clients = &view.server.clients;
    let largest = |bytes: fn(&Client) -> usize| clients.iter().map(bytes).max().unwrap_or(0);
    page.field("connected_clients", clients.len());
    page.field("cluster_connections", 0);
    page.field("maxclients", view.server.config.maxclients);
    page.field("client_recent_max_input_buffer", largest(|client| client.query_buffer.used_bytes));
    page.field("client_recent_max_output_buffer", largest(|client| client.output.pending_len()));
    let waiting = &view.server.waiting;
    let (keys, leaving_keys) = waiting.key_counts();
    page.field("blocked_clients", waiting.len());
    page.field("tracking_clients", view.server.tracking.client_count());
    // Since Redis 7.4.
    page.field("pubsub_clients", view.server.pubsub.clients());
    let watching = clients.iter().filter(|client| !client.watched.is_empty());
    page.field("watching_clients", watching.count());
    let times_out =
        |client: &&Client| client.blocked.as_ref().is_some_and(|blocked| blocked.wait.deadline_ms.is_some());
    page.field("clients_in_timeout_table", clients.iter().filter(times_out).count());
    page.field("total_watched_keys", view.server.watches.len());
    page.field("total_blocking_keys", keys);
    page.field("total_blocking_keys_on_nokey", leaving_keys);
}

pub(super) fn replication(view: &mut View<'_>, page: &mut Page) {
    page.field("role", "master");
    page.field("connected_slaves", 0);
    page.field("master_failover_state", "no-failover");
    page.field("master_replid", &view.server.identity.replication_id);
    page.field("master_replid2", "0".repeat(40));
    page.field("master_repl_offset", 0);
    page.field("second_repl_offset", -1);
    page.field("repl_backlog_active", 0);
    page.field("repl_backlog_size", backlog_size(view));
    page.field("repl_backlog_first_byte_offset", 0);
    page.field("repl_backlog_histlen", 0);
}

/// The directive has no field of its own as long as there is no backlog.
fn backlog_size(view: &View<'_>) -> String {
    let answer = crate::config::get(&view.server.config, &[b"repl-backlog-size"]);
    answer.first().map(|(_, value)| String::from_utf8_lossy(value).into_owned()).unwrap_or_default()
}

pub(super) fn cpu(_: &mut View<'_>, page: &mut Page) {
    let usage = cpu_usage();
    page.field("used_cpu_sys", seconds(usage.process.system));
    page.field("used_cpu_user", seconds(usage.process.user));
    page.field("used_cpu_sys_children", seconds(usage.children.system));
    page.field("used_cpu_user_children", seconds(usage.children.user));
    page.field("used_cpu_sys_main_thread", seconds(usage.thread.system));
    page.field("used_cpu_user_main_thread", seconds(usage.thread.user));
}

fn seconds(time: Duration) -> String {
    format!("{}.{:06}", time.as_secs(), time.subsec_micros())
}

pub(super) fn cluster(_: &mut View<'_>, page: &mut Page) {
    page.field("cluster_enabled", 0);
}

/// Of Valkey 9.1. Dates are told as seconds from now, 0 when there is no certificate.
pub(super) fn tls(view: &mut View<'_>, page: &mut Page) {
    let certificates = &view.server.certificates;
    // There are no connections that this server makes.
    let all = [("server", &certificates.own), ("client", &None), ("ca", &certificates.authority)];
    for (whose, facts) in all {
        let serial = facts.as_ref().map_or("none", |facts| facts.serial.as_str());
        let left_s = facts.as_ref().map_or(0, |facts| facts.ends_s - view.now.unix_ms() / 1000);
        page.field(&format!("tls_{whose}_cert_serial"), serial);
        page.field(&format!("tls_{whose}_cert_expires_in_seconds"), left_s);
    }
}
