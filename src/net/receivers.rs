//! Wakes the connections of clients that were given output by others, some at a time.
//!
//! A message to many thousands must not hold up everybody else for as long as so many writes take. So a round of the
//! loop wakes a few receivers only; between two rounds the sockets are looked at, and others are served. A publisher
//! that goes on meanwhile adds to the output of those who still wait: under load a receiver gets several messages by
//! one write, and without load it gets each at once.

use super::Shared;
use std::future::poll_fn;
use std::task::Poll;

/// Receivers woken in one round. A write takes a few microseconds.
const ROUND_RECEIVERS: usize = 64;

/// Goes on for as long as the server runs.
pub async fn wake(server: Shared) {
    poll_fn(|cx| {
        let more = server.borrow_mut().clients.wake_receivers(ROUND_RECEIVERS, cx.waker());
        if more {
            cx.waker().wake_by_ref();
        }
        Poll::<()>::Pending
    })
    .await;
}
