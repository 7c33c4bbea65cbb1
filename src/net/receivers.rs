//! Wakes the connections of clients that were given output by others, some at a time.
//!
//! A message to many thousands must not hold up everybody else for as long as so many writes take. So a round of the
//! loop wakes a few receivers only; between two rounds the sockets are looked at, and others are served. A publisher
//! that goes on meanwhile adds to the output of those who still wait: under load a receiver gets several messages by
//! one write, and without load it gets each at once.
//!
//! If publishers are faster, rounds are larger: with `n` messages a round and `r` receivers woken in each, `n / r` wait
//! for a receiver when its turn comes, however many receivers there are. That is kept below a bound, so that nobody who
//! reads at once comes near the limits of a client's output.

use super::Shared;
use crate::client::Pushed;
use std::future::poll_fn;
use std::task::Poll;

/// Receivers woken in a round at least. A write takes a few microseconds.
const ROUND_RECEIVERS_MIN: u64 = 32;
/// About so much waits for a receiver when its turn comes, and no more: messages, and bytes.
const WAITING_MESSAGES: u64 = 64;
const WAITING_BYTES: u64 = 64 * 1024;

/// Goes on for as long as the server runs.
pub async fn wake(server: Shared) {
    let mut seen = Pushed::default();
    poll_fn(|cx| {
        let clients = &mut server.borrow_mut().clients;
        let pushed = clients.pushed();
        let receivers = round(pushed.since(seen));
        seen = pushed;
        if clients.wake_receivers(usize::try_from(receivers).unwrap_or(usize::MAX), cx.waker()) {
            cx.waker().wake_by_ref();
        }
        Poll::<()>::Pending
    })
    .await;
}

/// How many receivers to wake when so much was sent since the last round.
fn round(pushed: Pushed) -> u64 {
    ROUND_RECEIVERS_MIN.max(pushed.messages / WAITING_MESSAGES).max(pushed.bytes / WAITING_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays rounds in which every receiver is sent `messages`; the most that ever waits for one.
    fn most_waiting(receivers: usize, messages: u64) -> u64 {
        let mut waiting = vec![0; receivers];
        let (mut next, mut most) = (0, 0);
        for _ in 0..200 {
            waiting.iter_mut().for_each(|waits| *waits += messages);
            let sent = messages * receivers as u64;
            for _ in 0..round(Pushed { messages: sent, bytes: sent * 100 }).min(receivers as u64) {
                most = most.max(std::mem::take(&mut waiting[next]));
                next = (next + 1) % receivers;
            }
        }
        most
    }

    #[test]
    fn what_waits_for_one_receiver_is_bounded() {
        for receivers in [1, 40, 1_000, 3_000] {
            for messages in [1, 3, 10, 60] {
                let most = most_waiting(receivers, messages);
                assert!(
                    most <= WAITING_MESSAGES + 2 * messages + receivers as u64 / 32,
                    "{receivers} {messages} {most}"
                );
            }
        }
        assert_eq!(round(Pushed { messages: 10, bytes: 1000 }), ROUND_RECEIVERS_MIN);
        assert_eq!(round(Pushed { messages: 10, bytes: 100 << 20 }), 1600);
    }
}
