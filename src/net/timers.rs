//! The cron's timer, and what must not wait for it: the end of a child.

use super::Shared;
use crate::exec::{cron, suspended, tracking};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

/// Ticks `hz` times a second for as long as the server runs. A tick that comes late is not made up for. Between ticks
/// it wakes for keys whose time comes.
pub async fn run_cron(server: Shared, hz: Rc<Cell<u32>>) {
    let mut next_tick = Instant::now() + period(&hz);
    let mut until_expiry = Duration::ZERO;
    loop {
        sleep_until(next_tick.min(Instant::now() + until_expiry)).await;
        let mut server = server.borrow_mut();
        let now = server.clock.now();
        if Instant::now() < next_tick {
            cron::expire(&mut server, now);
        } else {
            cron::tick(&mut server, now);
            next_tick = (next_tick + period(&hz)).max(Instant::now());
        }
        until_expiry = cron::time_until_expiry(&server, server.clock.now());
    }
}

fn period(hz: &Cell<u32>) -> Duration {
    Duration::from_secs(1) / hz.get().max(1)
}

/// Looks after a child as soon as it has ended: until then its success is not known, and tables do not grow.
pub async fn watch_children(server: Shared) {
    // Without the signal the cron finds out.
    let Ok(mut ended) = signal(SignalKind::child()) else { return };
    while ended.recv().await.is_some() {
        let mut server = server.borrow_mut();
        let now = server.clock.now();
        cron::child_ended(&mut server, now);
    }
}

/// Finishes on the loop what other threads have done.
pub async fn finish_deferred(server: Shared, deferred: Arc<Notify>) {
    loop {
        deferred.notified().await;
        let mut server = server.borrow_mut();
        let now = server.clock.now();
        cron::deferred(&mut server, now);
    }
}

/// Does what belongs to the end of a round. Who is woken stands behind all that are ready: their requests come first,
/// and their replies are written later.
pub async fn finish_rounds(server: Shared, round_ends: Rc<Notify>) {
    loop {
        round_ends.notified().await;
        tracking::broadcast(&mut server.borrow_mut());
    }
}

/// Lets a slow script go on, a slice at a time: between two of them everybody has a turn who is ready.
pub async fn go_on_with_scripts(server: Shared, script_suspended: Rc<Notify>) {
    loop {
        script_suspended.notified().await;
        loop {
            yield_now().await;
            let mut server = server.borrow_mut();
            if !server.is_busy() || server.exit_code.is_some() {
                break;
            }
            suspended::go_on(&mut server);
        }
    }
}
