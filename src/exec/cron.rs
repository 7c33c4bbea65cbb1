//! What happens by the clock, `hz` times a second. Each job takes the time and does bounded work.

use super::{call, client_eviction, commit, output_limit, tracking, unblock};
use crate::base::clock::Now;
use crate::base::{alloc, bio, pages};
use crate::client::ClientKind;
use crate::keyspace::db::Sharing;
use crate::keyspace::{expire, field_expiry};
use crate::server::Server;
use std::time::Duration;

type Job = fn(&mut Server, Now);

const JOBS: [Job; 9] = [rates, clients, expiry, eviction, rehash, memory, scripts, caching, snapshots];
/// While a slow script is under way: nothing that concerns the dataset or the interpreter, but children that have ended
/// are looked after.
const JOBS_BESIDE_SCRIPT: [Job; 5] = [rates, clients, memory, caching, snapshots];

/// How long one tick may move buckets of tables that grow or shrink, beyond those that commands move.
const REHASH_BUDGET_US: u64 = 300;
/// How long one tick may go through what scripts have left in their interpreter.
const TIDY_BUDGET_US: u64 = 1000;
/// Between two looks at what is due next, while there are keys that expire: one that was given little time since the
/// last look is so late at most.
const EXPIRY_LOOK: Duration = Duration::from_millis(50);
/// The same while no key expires: nothing for a server without such keys to wake for between two ticks.
const EXPIRY_LOOK_IDLE: Duration = Duration::from_millis(100);
/// Between two cycles that have something to do: what is due in between goes together.
const EXPIRY_GRAIN: Duration = Duration::from_millis(5);
/// Between two looks for memory that huge pages could hold.
const KEEP_UP_INTERVAL_S: i64 = 10;
/// Buckets moved between two looks at the clock: each item moved may be a cache miss.
const REHASH_BUCKETS: usize = 32;

/// One tick.
pub fn tick(server: &mut Server, now: Now) {
    if server.debug.cron_paused {
        return;
    }
    let jobs: &[Job] = if server.is_busy() { &JOBS_BESIDE_SCRIPT } else { &JOBS };
    for job in jobs {
        job(server, now);
    }
    finish(server, now);
}

/// Between two ticks: a child may have ended. A shutdown is not held up by a test's switch.
pub fn child_ended(server: &mut Server, now: Now) {
    if !server.debug.cron_paused || server.is_ending() {
        snapshots(server, now);
        finish(server, now);
    }
}

/// Between two ticks: other threads have handed something over.
///
/// They may exchange the dataset, so a script that is under way ends before.
pub fn deferred(server: &mut Server, now: Now) {
    if server.is_busy() {
        return;
    }
    server.run_deferred();
    // It may have exchanged the dataset.
    commit::commit_background(server);
    finish(server, now);
}

/// What was changed is told to those whom it concerns.
fn finish(server: &mut Server, now: Now) {
    tracking::finish_unit(server);
    unblock::serve_ready(server, now);
}

fn rates(server: &mut Server, now: Now) {
    server.rates.sample(now.unix_ms(), &server.stats);
    server.stats.record_memory(server.used_memory_bytes() as u64);
}

/// Closes clients that have been idle for too long, or whose output grows beyond its limits.
fn clients(server: &mut Server, now: Now) {
    let now_ms = now.unix_ms();
    let timeout_ms = i64::from(server.config.timeout) * 1000;
    let limits = server.config.client_output_buffer_limit;
    let mut closed = server.clients.take_overflowed();
    let caller = server.suspended.as_ref().map(|suspended| suspended.client());
    for client in server.clients.iter_mut() {
        let idle_ms = now_ms - client.last_interaction_ms;
        if timeout_ms > 0
            && !client.is_monitor
            && client.kind() == ClientKind::Normal
            && !client.paused
            && client.blocked.is_none()
            && Some(client.id) != caller
            && idle_ms > timeout_ms
        {
            tracing::debug!("Closing idle client");
            client.close();
        }
        closed += output_limit::enforce(client, &limits, now_ms);
    }
    server.stats.output_buffer_limit_disconnections += closed;
    if is_first_of_second(server, now) {
        client_eviction::by_the_clock(server, now);
    }
}

/// Whether this is the first tick of a second.
fn is_first_of_second(server: &Server, now: Now) -> bool {
    now.unix_ms().rem_euclid(1000) < 1000 / i64::from(server.config.hz.max(1))
}

/// Between two ticks: keys or fields are due.
pub fn expire(server: &mut Server, now: Now) {
    if !server.debug.cron_paused {
        expiry(server, now);
        finish(server, now);
    }
}

/// How long nothing need be done about expiry.
pub fn time_until_expiry(server: &Server, now: Now) -> Duration {
    let now_ms = now.unix_ms();
    if server.debug.cron_paused || !expires(server, now_ms) {
        return EXPIRY_LOOK_IDLE;
    }
    match expire::next_due_ms(&server.keyspace) {
        None => EXPIRY_LOOK_IDLE,
        Some(due_ms) if due_ms > now_ms => {
            Duration::from_millis((due_ms - now_ms).unsigned_abs()).clamp(EXPIRY_GRAIN, EXPIRY_LOOK)
        }
        Some(due_ms) => {
            let effort = server.keyspace.settings.expire_effort;
            Duration::from_micros(expire::rest_us(effort, now_ms - due_ms))
        }
    }
}

/// Whether keys go by themselves.
fn expires(server: &Server, now_ms: i64) -> bool {
    server.debug.active_expire
        && server.loading.is_none()
        && !server.is_busy()
        && !server.stands_still(now_ms)
}

fn expiry(server: &mut Server, now: Now) {
    if !expires(server, now.unix_ms()) {
        return;
    }
    let clock = server.clock.clone();
    let started_ns = clock.mono_ns();
    let mut elapsed_us = || clock.mono_ns().saturating_sub(started_ns) / 1000;
    let budget_us = expire::CYCLE_BUDGET_US;
    expire::cycle(&mut server.keyspace, &mut server.ledger, now.unix_ms(), budget_us, &mut elapsed_us);
    // Fields have a budget of their own: many expired keys must not keep them for ever.
    let budget_us = elapsed_us() + budget_us / 2;
    field_expiry::cycle(&mut server.keyspace, &mut server.ledger, now.unix_ms(), budget_us, &mut elapsed_us);
    let took_us = elapsed_us();
    server.keyspace.counters.expire_cycle_us += took_us;
    server.note_latency("expire-cycle", now.unix_s(), took_us / 1000);
    commit::commit_background(server);
}

fn eviction(server: &mut Server, now: Now) {
    if server.keyspace.settings.maxmemory_bytes > 0 && server.loading.is_none() {
        call::evict(server, now.unix_ms());
    }
}

fn rehash(server: &mut Server, _now: Now) {
    if server.config.activerehashing && server.keyspace.sharing() == Sharing::Alone {
        let started_ns = server.clock.mono_ns();
        let is_time_left = || server.clock.mono_ns().saturating_sub(started_ns) / 1000 < REHASH_BUDGET_US;
        while server.keyspace.rehash(REHASH_BUCKETS) && is_time_left() {}
    }
}

/// Once a second, on the helper thread: the allocator gives back what has been unused for long. Less often: huge pages
/// for what has become full. Not while a child lives: the one would split pages for nothing, the other copy them.
fn memory(server: &mut Server, now: Now) {
    if !is_first_of_second(server, now) || server.keyspace.sharing() == Sharing::WithChild {
        return;
    }
    let is_tenth_second = now.unix_ms().div_euclid(1000) % KEEP_UP_INTERVAL_S == 0;
    if let Some(bio) = server.keyspace.bio.as_deref()
        && bio.pending_jobs() == 0
    {
        bio.submit(bio::Job::Run(Box::new(alloc::decay)));
        if is_tenth_second {
            bio.submit(bio::Job::Run(Box::new(pages::count_huge_bytes)));
        }
    }
    if is_tenth_second {
        server.snapshots.repair.keep_up();
    }
}

/// What scripts have left behind. Not while a child lives: each page that is touched would be copied.
fn scripts(server: &mut Server, _now: Now) {
    if server.keyspace.sharing() == Sharing::Alone {
        let (clock, started_ns) = (&server.clock, server.clock.mono_ns());
        let is_time_left = || clock.mono_ns().saturating_sub(started_ns) / 1000 < TIDY_BUDGET_US;
        server.scripts.tidy_up(is_time_left);
    }
}

/// What is remembered for clients that cache keys.
fn caching(server: &mut Server, _now: Now) {
    tracking::cron(server);
}

fn snapshots(server: &mut Server, _now: Now) {
    server.snapshots_cron();
}
