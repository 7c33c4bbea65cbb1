//! INFO persistence.

use super::{Page, View};
use crate::base::clock::Now;
use crate::server::Server;

pub(super) fn persistence(view: &mut View<'_>, page: &mut Page) {
    let now_ms = view.now.unix_ms();
    page.field("loading", u8::from(view.server.loading.is_some()));
    page.field("async_loading", 0);
    child(view.server, view.now, page);
    snapshots(view.server, view.now, page);
    append_only_file(page);
    page.field("module_fork_in_progress", 0);
    page.field("module_fork_last_cow_size", 0);
    loading(view.server, now_ms, page);
}

/// The forked child that is at work; zeros without one.
fn child(server: &Server, now: Now, page: &mut Page) {
    let (snapshots, background) = (&server.snapshots, server.snapshots.background.as_ref());
    let cow = snapshots.current_cow();
    page.field("current_cow_peak", cow.peak);
    page.field("current_cow_size", cow.current);
    page.field("current_cow_size_age", background.map_or(0, |child| child.report_age_s(now)));
    page.field("current_fork_perc", format_args!("{:.2}", background.map_or(0.0, |child| child.percent())));
    page.field("current_save_keys_processed", snapshots.keys_processed());
    page.field("current_save_keys_total", snapshots.keys_total());
}

fn snapshots(server: &Server, now: Now, page: &mut Page) {
    let snapshots = &server.snapshots;
    page.field("rdb_changes_since_last_save", snapshots.dirty);
    page.field("rdb_bgsave_in_progress", u8::from(snapshots.in_progress()));
    // Ours: a save is due, and another instance holds snapshot-lock.
    page.field("rdb_waiting_for_snapshot_lock", u8::from(snapshots.waits_for_lock));
    page.field("rdb_last_save_time", snapshots.last_save_s());
    // Ours, as are all in milliseconds.
    page.field("rdb_last_save_time_ms", snapshots.last_save_ms);
    page.field("rdb_last_bgsave_status", snapshots.last_status.word());
    // Ours: the last one that ended, however it did; empty without one.
    let id = snapshots.last_id.map(|id| id.to_string()).unwrap_or_default();
    page.field("rdb_last_bgsave_id", id);
    page.field("rdb_last_bgsave_time_sec", snapshots.last_duration_s);
    page.field("rdb_last_bgsave_time_ms", snapshots.last_duration_ms);
    let current_s = snapshots.background.as_ref().map_or(-1, |child| child.seconds(now));
    page.field("rdb_current_bgsave_time_sec", current_s);
    let current_ms = snapshots.background.as_ref().map_or(-1, |child| child.milliseconds(now));
    page.field("rdb_current_bgsave_time_ms", current_ms);
    page.field("rdb_saves", server.stats.rdb_saves);
    page.field("rdb_saves_consecutive_failures", snapshots.consecutive_failures);
    page.field("rdb_last_cow_size", snapshots.last_cow_bytes);
    page.field("rdb_last_load_keys_expired", snapshots.last_load_keys_expired);
    page.field("rdb_last_load_keys_loaded", snapshots.last_load_keys_loaded);
    // Ours: values of modules above all, left out with rdb-skip-unknown.
    page.field("rdb_last_load_keys_skipped", snapshots.last_load_keys_skipped);
    // Ours: why the last save failed; one line, empty after a good one.
    let reason = snapshots.last_error.as_deref().unwrap_or_default();
    page.field("rdb_last_bgsave_error", reason.replace(['\r', '\n'], " "));
    // Ours: the snapshots beside the current file, and what last went wrong with keeping them.
    page.field("rdb_snapshots_kept", server.history.totals.kept);
    page.field("rdb_snapshots_kept_bytes", server.history.totals.kept_bytes);
    let reason = server.history.last_error.as_deref().unwrap_or_default();
    page.field("rdb_last_history_error", reason.replace(['\r', '\n'], " "));
}

/// There is none: the fields as Redis has them while it is off.
fn append_only_file(page: &mut Page) {
    page.field("aof_enabled", 0);
    page.field("aof_rewrite_in_progress", 0);
    page.field("aof_rewrite_scheduled", 0);
    page.field("aof_last_rewrite_time_sec", -1);
    page.field("aof_current_rewrite_time_sec", -1);
    page.field("aof_last_bgrewrite_status", "ok");
    page.field("aof_rewrites", 0);
    page.field("aof_rewrites_consecutive_failures", 0);
    page.field("aof_last_write_status", "ok");
    page.field("aof_last_cow_size", 0);
}

/// Only while a file is being loaded.
fn loading(server: &Server, now_ms: i64, page: &mut Page) {
    let Some(loading) = &server.loading else { return };
    page.field("loading_start_time", loading.started_ms.div_euclid(1000));
    page.field("loading_total_bytes", loading.total_bytes);
    page.field("loading_rdb_used_mem", loading.used_memory_bytes);
    page.field("loading_loaded_bytes", loading.loaded_bytes);
    page.field("loading_loaded_perc", format_args!("{:.2}", loading.percent()));
    page.field("loading_eta_seconds", loading.eta_s(now_ms));
}
