//! INFO memory.

use super::{Page, View, human};
use crate::base::heap::{self, Status};
use crate::base::{alloc, pages};
use crate::commands::server::footprint::{Footprint, Overhang};
use crate::config::choices::Choice;
use crate::script::scripts::Figures;

pub(super) fn memory(view: &mut View<'_>, page: &mut Page) {
    let footprint = Footprint::of(view.server);
    used(&footprint, page);
    allocator(&footprint, page);
    page.bytes("total_system_memory", pages::total_system_memory_bytes());
    scripts(&footprint.scripts, page);
    page.bytes("maxmemory", view.server.config.maxmemory);
    page.field("maxmemory_policy", view.server.config.maxmemory_policy.word());
    ratios(&footprint, page);
    buffers(&footprint, page);
    page.field("mem_allocator", alloc::name());
    page.field("active_defrag_running", 0);
    let bio = view.server.keyspace.bio.as_deref();
    page.field("lazyfree_pending_objects", bio.map_or(0, |bio| bio.pending_objects()));
    page.field("lazyfreed_objects", bio.map_or(0, |bio| bio.freed_objects()));
    huge_pages(view, page);
}

fn used(footprint: &Footprint, page: &mut Page) {
    page.bytes("used_memory", footprint.used);
    page.bytes("used_memory_rss", footprint.resident);
    page.bytes("used_memory_peak", footprint.peak);
    page.field("used_memory_peak_perc", percent(footprint.peak_percent()));
    page.field("used_memory_overhead", footprint.overhead());
    page.field("used_memory_startup", footprint.startup);
    page.field("used_memory_dataset", footprint.dataset());
    page.field("used_memory_dataset_perc", percent(footprint.dataset_percent()));
}

fn percent(value: f64) -> String {
    format!("{value:.2}%")
}

fn allocator(footprint: &Footprint, page: &mut Page) {
    page.field("allocator_allocated", footprint.allocator.allocated);
    page.field("allocator_active", footprint.allocator.active);
    page.field("allocator_resident", footprint.allocator.resident);
}

/// An interpreter is made when it is needed first.
fn scripts(figures: &Figures, page: &mut Page) {
    page.field("used_memory_lua", figures.vm_eval);
    page.field("used_memory_vm_eval", figures.vm_eval);
    page.field("used_memory_lua_human", human(figures.vm_eval));
    page.field("used_memory_scripts_eval", figures.scripts_eval);
    page.field("number_of_cached_scripts", figures.cached_scripts);
    page.field("number_of_functions", figures.function_count);
    page.field("number_of_libraries", figures.library_count);
    page.field("used_memory_vm_functions", figures.vm_functions);
    page.bytes("used_memory_vm_total", figures.vm_total());
    page.field("used_memory_functions", figures.functions);
    page.bytes("used_memory_scripts", figures.scripts_total());
}

fn ratios(footprint: &Footprint, page: &mut Page) {
    let mut show = |name: &str, overhang: Overhang| {
        page.field(&format!("{name}_ratio"), format_args!("{:.2}", overhang.ratio()));
        page.field(&format!("{name}_bytes"), overhang.bytes());
    };
    show("allocator_frag", footprint.allocator_fragmentation());
    show("allocator_rss", footprint.allocator_resident());
    show("rss_overhead", footprint.resident_overhead());
    show("mem_fragmentation", footprint.fragmentation());
}

fn buffers(footprint: &Footprint, page: &mut Page) {
    page.field("mem_not_counted_for_evict", footprint.scripts.vm_total());
    page.field("mem_replication_backlog", 0);
    page.field("mem_total_replication_buffers", 0);
    page.field("mem_clients_slaves", 0);
    page.field("mem_clients_normal", footprint.clients);
    page.field("mem_tracking", footprint.tracking);
    page.field("mem_cluster_links", 0);
    page.field("mem_aof_buffer", 0);
}

/// Ours: whether the heap is on huge pages, how much of it is, and what the last save has left to repair.
fn huge_pages(view: &View<'_>, page: &mut Page) {
    let small_mib = heap::LARGE_BYTES_MIN >> 20;
    match heap::status() {
        Status::Huge => page.field("huge_pages", "enabled"),
        Status::NotYet => page.field("huge_pages", format_args!("off (the heap is below {small_mib} MiB)")),
        Status::Off(reason) => page.field("huge_pages", format_args!("off ({reason})")),
    }
    page.field("mem_huge_page_bytes", pages::huge_bytes_counted());
    let repair = view.server.snapshots.repair.figures();
    page.field("mem_split_page_bytes", repair.split_bytes);
    page.field("huge_page_repair_in_progress", u8::from(repair.is_running));
    page.field("huge_page_repair_ms", repair.elapsed_ms);
    page.field("huge_page_repair_collapsed", repair.collapsed);
    page.field("huge_page_repair_refused", repair.refused);
}
