//! The slow log: the last commands that took long, shortened to what a human reads.
//!
//! An entry keeps 32 arguments of 128 bytes at most; what is missing is told in place of the last argument,
//! or behind the first 128 bytes, in Redis's words. Newest first.

use std::collections::VecDeque;

use crate::base::argv::{Args, Argv};

const ARGUMENTS_MAX: usize = 32;
const ARGUMENT_BYTES_MAX: usize = 128;

/// One slow command.
#[derive(Clone)]
pub struct Entry {
    /// Unique for the life of the process.
    pub id: u64,
    pub unix_s: i64,
    pub duration_us: u64,
    pub argv: Argv,
    /// `ip:port` or the path of the socket.
    pub client_addr: String,
    pub client_name: Vec<u8>,
}

/// What is to be remembered of a command.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    pub args: Args<'a>,
    pub unix_s: i64,
    pub duration_us: u64,
    pub client_addr: &'a str,
    pub client_name: &'a [u8],
}

/// The log. Its limits are directives and come with each call.
#[derive(Clone, Default)]
pub struct Slowlog {
    entries: VecDeque<Entry>,
    next_id: u64,
    /// Commands logged since the start or the last `reset_counters`, with their times.
    commands: u64,
    time_us_sum: u64,
    time_us_max: u64,
}

/// Whether a command of this duration is slow; a negative threshold turns the log off.
#[inline]
pub fn is_slow(duration_us: u64, slower_than_us: i64) -> bool {
    u64::try_from(slower_than_us).is_ok_and(|threshold_us| duration_us >= threshold_us)
}

impl Slowlog {
    /// Remembers a slow command, then forgets the oldest beyond `entries_max`.
    pub fn push(&mut self, call: Call<'_>, entries_max: usize) {
        self.commands += 1;
        self.time_us_sum += call.duration_us;
        self.time_us_max = self.time_us_max.max(call.duration_us);
        let id = self.next_id;
        self.next_id += 1;
        if entries_max > 0 {
            self.entries.push_front(Entry {
                id,
                unix_s: call.unix_s,
                duration_us: call.duration_us,
                argv: shortened(call.args),
                client_addr: call.client_addr.to_owned(),
                client_name: call.client_name.to_owned(),
            });
        }
        self.entries.truncate(entries_max);
    }

    /// Newest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.iter()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// SLOWLOG RESET. Ids go on.
    pub fn reset(&mut self) {
        self.entries.clear();
    }

    /// Commands that were slow, their time in microseconds, the longest of them.
    pub fn counters(&self) -> (u64, u64, u64) {
        (self.commands, self.time_us_sum, self.time_us_max)
    }

    /// CONFIG RESETSTAT; the entries stay.
    pub fn reset_counters(&mut self) {
        (self.commands, self.time_us_sum, self.time_us_max) = (0, 0, 0);
    }
}

fn shortened(args: Args<'_>) -> Argv {
    let mut argv = Argv::new();
    let kept = if args.len() > ARGUMENTS_MAX { ARGUMENTS_MAX - 1 } else { args.len() };
    for argument in args.iter().take(kept) {
        match argument.get(..ARGUMENT_BYTES_MAX) {
            Some(head) if argument.len() > ARGUMENT_BYTES_MAX => {
                let note = format!("... ({} more bytes)", argument.len() - ARGUMENT_BYTES_MAX);
                argv.push(&[head, note.as_bytes()].concat());
            }
            _ => argv.push(argument),
        }
    }
    if args.len() > kept {
        argv.push(format!("... ({} more arguments)", args.len() - kept).as_bytes());
    }
    argv
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(log: &mut Slowlog, argv: &Argv, duration_us: u64, entries_max: usize) {
        let args = argv.args();
        let call = Call { args, unix_s: 7, duration_us, client_addr: "127.0.0.1:5", client_name: b"me" };
        log.push(call, entries_max);
    }

    #[test]
    fn long_commands_are_shortened_in_the_words_of_redis() {
        let argv: Argv = (0..41).map(|number| number.to_string()).collect();
        let short = shortened(argv.args());
        assert_eq!((short.args().len(), short.args().at(31)), (32, &b"... (10 more arguments)"[..]));
        let argv: Argv = (0..32).map(|number| number.to_string()).collect();
        assert_eq!(shortened(argv.args()).args().at(31), b"31");
        let argv: Argv = ["set".to_owned(), "k".repeat(200), "v".repeat(128)].into_iter().collect();
        let short = shortened(argv.args());
        assert_eq!(short.args().at(1), format!("{}... (72 more bytes)", "k".repeat(128)).as_bytes());
        assert_eq!(short.args().at(2), "v".repeat(128).as_bytes());
    }

    #[test]
    fn the_newest_stay_and_ids_go_on() {
        let (mut log, argv) = (Slowlog::default(), ["get", "k"].into_iter().collect());
        (0..5).for_each(|duration_us| push(&mut log, &argv, duration_us, 3));
        assert_eq!(log.iter().map(|entry| entry.id).collect::<Vec<_>>(), [4, 3, 2]);
        log.reset();
        push(&mut log, &argv, 9, 3);
        let entry = log.iter().next().unwrap();
        assert_eq!((log.len(), entry.id, entry.unix_s, entry.duration_us), (1, 5, 7, 9));
        assert_eq!((entry.client_addr.as_str(), entry.client_name.as_slice()), ("127.0.0.1:5", &b"me"[..]));
        push(&mut log, &argv, 9, 0);
        assert!(log.is_empty());
        assert_eq!(log.counters(), (7, 28, 9));
        log.reset_counters();
        assert_eq!(log.counters(), (0, 0, 0));
    }

    #[test]
    fn a_negative_threshold_turns_it_off() {
        assert!(is_slow(0, 0) && is_slow(10, 10) && !is_slow(9, 10) && !is_slow(u64::MAX, -1));
    }
}
