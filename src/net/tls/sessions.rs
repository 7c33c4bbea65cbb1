//! Sessions that clients may take up again, which spares them and us the certificate's signature.
//!
//! Invariants:
//! 1. At most `size` sessions are kept (0: no limit, as in OpenSSL); the oldest goes first.
//! 2. None is taken up after its time.
//!
//! With new certificates begins a new store: whoever was let in by the old ones shows its certificate again.

use rustls::server::StoresServerSessions;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub struct Sessions {
    size: usize,
    timeout: Duration,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    by_key: HashMap<Vec<u8>, Session>,
    /// Keys in the order in which they came, with their number; those of sessions that were taken are still there.
    in_order: VecDeque<(Vec<u8>, u64)>,
    count: u64,
}

#[derive(Debug)]
struct Session {
    bytes: Vec<u8>,
    number: u64,
    ends: Instant,
}

impl Sessions {
    pub fn new(size: usize, timeout: Duration) -> Self {
        let size = if size == 0 { usize::MAX } else { size };
        Sessions { size, timeout, kept: Mutex::default() }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the room of timers")]
fn now() -> Instant {
    Instant::now()
}

impl Kept {
    fn put(&mut self, key: Vec<u8>, bytes: Vec<u8>, ends: Instant) {
        self.count += 1;
        self.in_order.push_back((key.clone(), self.count));
        self.by_key.insert(key, Session { bytes, number: self.count, ends });
    }

    /// Drops what has ended, and the oldest beyond `size`. Also what was taken or replaced: the order stays as short as
    /// twice the sessions.
    fn trim(&mut self, size: usize, now: Instant) {
        while let Some((key, number)) = self.in_order.front() {
            let is_live = self.by_key.get(key).is_some_and(|session| session.number == *number);
            let is_wanted = is_live && self.by_key.len() <= size && self.by_key[key].ends > now;
            if is_wanted && self.in_order.len() <= self.by_key.len().saturating_mul(2) {
                return;
            }
            if is_wanted {
                // Behind it lie too many that were taken: it is not worth keeping the order for one.
                self.in_order.retain(|(key, number)| {
                    self.by_key.get(key).is_some_and(|session| session.number == *number)
                });
                return;
            }
            if is_live {
                self.by_key.remove(key);
            }
            self.in_order.pop_front();
        }
    }
}

impl StoresServerSessions for Sessions {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        let now = now();
        let mut kept = self.kept();
        kept.put(key, value, now + self.timeout);
        kept.trim(self.size, now);
        true
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        let kept = self.kept();
        kept.by_key.get(key).filter(|session| session.ends > now()).map(|session| session.bytes.clone())
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        let session = self.kept().by_key.remove(key)?;
        (session.ends > now()).then_some(session.bytes)
    }

    fn can_cache(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u32) -> Vec<u8> {
        number.to_be_bytes().to_vec()
    }

    #[test]
    fn the_oldest_goes_and_each_is_taken_once() {
        let sessions = Sessions::new(3, Duration::from_secs(60));
        for number in 0..5 {
            sessions.put(key(number), vec![number as u8]);
        }
        assert_eq!(sessions.get(&key(1)), None);
        assert_eq!(sessions.get(&key(2)), Some(vec![2]));
        assert_eq!(sessions.take(&key(2)), Some(vec![2]));
        assert_eq!(sessions.take(&key(2)), None);
        sessions.put(key(3), vec![33]);
        assert_eq!((sessions.get(&key(3)), sessions.get(&key(4))), (Some(vec![33]), Some(vec![4])));
    }

    #[test]
    fn what_was_taken_leaves_no_traces_and_what_is_over_is_not_given() {
        let sessions = Sessions::new(0, Duration::from_secs(60));
        sessions.put(key(0), vec![0]);
        for number in 1..1000 {
            sessions.put(key(number), vec![1]);
            assert!(sessions.take(&key(number)).is_some());
        }
        let kept = sessions.kept();
        assert!((kept.by_key.len(), kept.in_order.len() < 5) == (1, true), "{}", kept.in_order.len());
        drop(kept);
        let sessions = Sessions::new(10, Duration::ZERO);
        sessions.put(key(1), vec![1]);
        assert_eq!((sessions.get(&key(1)), sessions.take(&key(1))), (None, None));
    }
}
