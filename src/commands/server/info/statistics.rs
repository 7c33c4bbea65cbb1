//! INFO: the sections that count.

use super::{Page, View};
use crate::client::Tracking;
use crate::keyspace::db::Counters;
use crate::metrics::rates::Rates;
use crate::metrics::stats::Stats;
use crate::pubsub::Kind;

pub(super) fn stats(view: &mut View<'_>, page: &mut Page) {
    let server = view.server;
    traffic(&server.stats, &server.rates, page);
    page.field("sync_full", server.stats.sync_full);
    page.field("sync_partial_ok", server.stats.sync_partial_ok);
    page.field("sync_partial_err", server.stats.sync_partial_err);
    keys(&server.keyspace.counters, &server.stats, page);
    // Since Redis 7.4.
    page.field("evicted_scripts", server.scripts.evicted);
    page.field("pubsub_channels", server.pubsub.len(Kind::Channel));
    page.field("pubsub_patterns", server.pubsub.len(Kind::Pattern));
    page.field("pubsubshard_channels", server.pubsub.len(Kind::ShardChannel));
    page.field("latest_fork_usec", server.stats.latest_fork_us);
    page.field("total_forks", server.stats.forks);
    absent_features(page);
    caching(&server.tracking, page);
    replies(&server.stats, page);
}

fn traffic(stats: &Stats, rates: &Rates, page: &mut Page) {
    page.field("total_connections_received", stats.connections_received);
    page.field("total_commands_processed", stats.commands_processed);
    page.field("instantaneous_ops_per_sec", rates.commands.per_second());
    page.field("total_net_input_bytes", stats.net_input_bytes);
    page.field("total_net_output_bytes", stats.net_output_bytes);
    page.field("total_net_repl_input_bytes", stats.net_repl_input_bytes);
    page.field("total_net_repl_output_bytes", stats.net_repl_output_bytes);
    page.field("instantaneous_input_kbps", format_args!("{:.2}", rates.net_input.kib_per_second()));
    page.field("instantaneous_output_kbps", format_args!("{:.2}", rates.net_output.kib_per_second()));
    page.field("instantaneous_input_repl_kbps", format_args!("{:.2}", rates.repl_input.kib_per_second()));
    page.field("instantaneous_output_repl_kbps", format_args!("{:.2}", rates.repl_output.kib_per_second()));
    page.field("rejected_connections", stats.connections_rejected);
}

fn keys(counters: &Counters, stats: &Stats, page: &mut Page) {
    page.field("expired_subkeys", counters.expired_fields);
    page.field("expired_keys", counters.expired);
    page.field("expired_stale_perc", format_args!("{:.2}", counters.expired_stale_perc));
    page.field("expired_time_cap_reached_count", counters.expire_time_cap_reached);
    page.field("expire_cycle_cpu_milliseconds", counters.expire_cycle_us / 1000);
    page.field("evicted_keys", counters.evicted);
    page.field("evicted_clients", stats.evicted_clients);
    page.field("total_eviction_exceeded_time", stats.eviction_exceeded_us / 1000);
    page.field("current_eviction_exceeded_time", 0);
    page.field("keyspace_hits", counters.hits.get());
    page.field("keyspace_misses", counters.misses.get());
}

fn caching(tracking: &Tracking, page: &mut Page) {
    page.field("tracking_total_keys", tracking.keys.len());
    page.field("tracking_total_items", tracking.keys.items());
    page.field("tracking_total_prefixes", tracking.prefixes.len());
}

/// MIGRATE, replicas and the defragmenter are not here: nothing of them is ever counted.
fn absent_features(page: &mut Page) {
    const FIELDS: [&str; 8] = [
        "migrate_cached_sockets",
        "slave_expires_tracked_keys",
        "active_defrag_hits",
        "active_defrag_misses",
        "active_defrag_key_hits",
        "active_defrag_key_misses",
        "total_active_defrag_time",
        "current_active_defrag_time",
    ];
    FIELDS.iter().for_each(|name| page.field(name, 0));
}

fn replies(stats: &Stats, page: &mut Page) {
    page.field("unexpected_error_replies", stats.unexpected_error_replies);
    page.field("total_error_replies", stats.error_replies);
    page.field("dump_payload_sanitizations", stats.dump_payload_sanitizations);
    page.field("total_reads_processed", stats.reads_processed);
    page.field("total_writes_processed", stats.writes_processed);
    page.field("io_threaded_reads_processed", 0);
    page.field("io_threaded_writes_processed", 0);
    page.field("reply_buffer_shrinks", stats.reply_buffer_shrinks);
    page.field("reply_buffer_expands", stats.reply_buffer_expands);
    // Since Redis 7.4: they tell who was thrown out for greed.
    page.field("client_query_buffer_limit_disconnections", stats.query_buffer_limit_disconnections);
    page.field("client_output_buffer_limit_disconnections", stats.output_buffer_limit_disconnections);
    // Since Redis 7.2; the last one since Valkey 9.1.
    page.field("acl_access_denied_auth", stats.acl_denied_logins);
    page.field("acl_access_denied_cmd", stats.acl_denied_commands);
    page.field("acl_access_denied_key", stats.acl_denied_keys);
    page.field("acl_access_denied_channel", stats.acl_denied_channels);
    page.field("acl_access_denied_db", stats.acl_denied_databases);
}

pub(super) fn commandstats(view: &mut View<'_>, page: &mut Page) {
    for command in view.server.commands.iter().filter(|command| command.stats.is_used()) {
        page.field(&format!("cmdstat_{}", command.entry.spec.name), &command.stats);
    }
}

pub(super) fn errorstats(view: &mut View<'_>, page: &mut Page) {
    for (prefix, count) in view.server.errors.iter() {
        let name = String::from_utf8_lossy(prefix).replace(['#', ':', '\r', '\n'], "_");
        page.field(&format!("errorstat_{name}"), format_args!("count={count}"));
    }
}

pub(super) fn latencystats(view: &mut View<'_>, page: &mut Page) {
    let config = &view.server.config;
    if !config.latency_tracking {
        return;
    }
    for command in view.server.commands.iter() {
        let Some(histogram) = command.stats.histogram() else { continue };
        let name = format!("latency_percentiles_usec_{}", command.entry.spec.name);
        page.field(&name, histogram.percentiles_text(&config.latency_tracking_info_percentiles));
    }
}

pub(super) fn keyspace(view: &mut View<'_>, page: &mut Page) {
    for (index, db) in view.server.keyspace.dbs().filter(|(_, db)| !db.is_empty()) {
        let average_ttl_ms = db.average_ttl_ms(&mut view.rng, view.now.unix_ms());
        let (keys, expires) = (db.len(), db.volatile_len());
        page.field(
            &format!("db{index}"),
            format_args!("keys={keys},expires={expires},avg_ttl={average_ttl_ms}"),
        );
    }
}
