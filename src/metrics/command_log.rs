//! The command logs: the last commands that took long, were long, or were answered at length, shortened to what a human
//! reads.
//!
//! ```text
//!   log             measures           directives                                          shown by
//!   slow            microseconds       slowlog-log-slower-than, slowlog-max-len            SLOWLOG, COMMANDLOG
//!   large-request   bytes, encoded     commandlog-request-larger-than, ..-max-len          COMMANDLOG
//!   large-reply     bytes, encoded     commandlog-reply-larger-than, ..-max-len            COMMANDLOG
//! ```
//! An entry keeps so many arguments of so many bytes (by default 32 of 128); what is missing is told in place of the
//! last argument, or behind the first bytes, in Redis's words. Newest first. Each log numbers its entries by itself.
//!
//! Invariant: on the common path a command costs three comparisons (`CommandLogs::wants`).

use std::collections::VecDeque;

use crate::base::argv::{Args, Argv};

/// One command that was remembered.
#[derive(Clone)]
pub struct Entry {
    /// Unique in its log for the life of the process.
    pub id: u64,
    pub unix_s: i64,
    /// Microseconds or bytes: what the log measures.
    pub value: u64,
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
    pub client_addr: &'a str,
    pub client_name: &'a [u8],
}

/// What was measured of a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measures {
    pub duration_us: u64,
    /// See `Measures::request_bytes_at_most`; what is logged is counted exactly.
    pub request_bytes_at_most: u64,
    pub reply_bytes: u64,
}

/// When a log takes a command, and how many it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Of this value and above; negative: none.
    pub threshold: i64,
    pub entries_max: usize,
}

impl Limit {
    #[inline]
    fn is_reached(self, value: u64) -> bool {
        // A negative threshold is above every value.
        value >= self.threshold as u64
    }
}

/// What the directives say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub slow: Limit,
    pub large_request: Limit,
    pub large_reply: Limit,
    pub arguments_max: usize,
    pub argument_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let off = Limit { threshold: -1, entries_max: 0 };
        Limits { slow: off, large_request: off, large_reply: off, arguments_max: 32, argument_bytes_max: 128 }
    }
}

/// The three logs.
#[derive(Clone, Default)]
pub struct CommandLogs {
    pub slow: CommandLog,
    pub large_request: CommandLog,
    pub large_reply: CommandLog,
    limits: Limits,
}

/// One log.
#[derive(Clone, Default)]
pub struct CommandLog {
    entries: VecDeque<Entry>,
    next_id: u64,
    /// Commands logged since the start or the last `reset_counters`, with the sum and the largest of their values.
    commands: u64,
    value_sum: u64,
    value_max: u64,
}

/// Bytes that a request adds to its arguments: `*1\r\n` and for each `$1\r\n..\r\n` at least.
const REQUEST_HEAD_BYTES_MIN: u64 = 4;
const ARGUMENT_HEAD_BYTES_MIN: u64 = 6;
/// A `*` or `$`, twenty digits, and two line ends.
const HEAD_BYTES_MAX: usize = 25;

impl Measures {
    /// What a request takes at most, without looking at each argument: they lie one behind the other in their buffer,
    /// with or without what the protocol puts between them.
    #[inline]
    pub fn request_bytes_at_most(args: Args<'_>) -> u64 {
        (args.extent_bytes() + (args.len() + 1) * HEAD_BYTES_MAX) as u64
    }

    /// What a request took as a RESP array.
    fn request_bytes(args: Args<'_>) -> u64 {
        let digits = |number: usize| u64::from(number.checked_ilog10().unwrap_or(0));
        let of_argument =
            |argument: &[u8]| ARGUMENT_HEAD_BYTES_MIN + digits(argument.len()) + argument.len() as u64;
        REQUEST_HEAD_BYTES_MIN + digits(args.len()) + args.iter().map(of_argument).sum::<u64>()
    }
}

impl CommandLogs {
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Whether any log may take a command.
    #[inline]
    pub fn wants(&self, measures: Measures) -> bool {
        self.limits.slow.is_reached(measures.duration_us)
            || self.limits.large_reply.is_reached(measures.reply_bytes)
            || self.limits.large_request.is_reached(measures.request_bytes_at_most)
    }

    /// Has the logs that want it remember a command.
    pub fn push(&mut self, call: Call<'_>, measures: Measures) {
        let limits = self.limits;
        let values = [
            (&mut self.slow, limits.slow, measures.duration_us),
            (&mut self.large_request, limits.large_request, Measures::request_bytes(call.args)),
            (&mut self.large_reply, limits.large_reply, measures.reply_bytes),
        ];
        for (log, limit, value) in values {
            if limit.is_reached(value) {
                log.push(call, value, &limits, limit.entries_max);
            }
        }
    }
}

impl CommandLog {
    /// Remembers a command, then forgets the oldest beyond `entries_max`.
    fn push(&mut self, call: Call<'_>, value: u64, limits: &Limits, entries_max: usize) {
        self.commands += 1;
        self.value_sum += value;
        self.value_max = self.value_max.max(value);
        let id = self.next_id;
        self.next_id += 1;
        if entries_max > 0 {
            self.entries.push_front(Entry {
                id,
                unix_s: call.unix_s,
                value,
                argv: shortened(call.args, limits),
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

    /// SLOWLOG RESET and COMMANDLOG RESET. Ids go on.
    pub fn reset(&mut self) {
        self.entries.clear();
    }

    /// Commands that were logged, the sum of their values, the largest of them.
    pub fn counters(&self) -> (u64, u64, u64) {
        (self.commands, self.value_sum, self.value_max)
    }

    /// CONFIG RESETSTAT; the entries stay.
    pub fn reset_counters(&mut self) {
        (self.commands, self.value_sum, self.value_max) = (0, 0, 0);
    }
}

fn shortened(args: Args<'_>, limits: &Limits) -> Argv {
    let mut argv = Argv::new();
    let kept = if args.len() > limits.arguments_max { limits.arguments_max - 1 } else { args.len() };
    for argument in args.iter().take(kept) {
        match argument.get(..limits.argument_bytes_max) {
            Some(head) if argument.len() > limits.argument_bytes_max => {
                let note = format!("... ({} more bytes)", argument.len() - limits.argument_bytes_max);
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

    fn limit(threshold: i64, entries_max: usize) -> Limit {
        Limit { threshold, entries_max }
    }

    fn push(logs: &mut CommandLogs, argv: &Argv, duration_us: u64) {
        let call = Call { args: argv.args(), unix_s: 7, client_addr: "127.0.0.1:5", client_name: b"me" };
        logs.push(call, Measures { duration_us, ..Measures::default() });
    }

    #[test]
    fn long_commands_are_shortened_in_the_words_of_redis() {
        let limits = Limits::default();
        let argv: Argv = (0..41).map(|number| number.to_string()).collect();
        let short = shortened(argv.args(), &limits);
        assert_eq!((short.args().len(), short.args().at(31)), (32, &b"... (10 more arguments)"[..]));
        let argv: Argv = (0..32).map(|number| number.to_string()).collect();
        assert_eq!(shortened(argv.args(), &limits).args().at(31), b"31");
        let argv: Argv = ["set".to_owned(), "k".repeat(200), "v".repeat(128)].into_iter().collect();
        let short = shortened(argv.args(), &limits);
        assert_eq!(short.args().at(1), format!("{}... (72 more bytes)", "k".repeat(128)).as_bytes());
        assert_eq!(short.args().at(2), "v".repeat(128).as_bytes());
        let tight = Limits { arguments_max: 2, argument_bytes_max: 1, ..limits };
        let short = shortened(argv.args(), &tight);
        assert_eq!(
            (short.args().at(0), short.args().at(1)),
            (&b"s... (2 more bytes)"[..], &b"... (2 more arguments)"[..])
        );
    }

    #[test]
    fn the_newest_stay_and_ids_go_on() {
        let (mut logs, argv) = (CommandLogs::default(), ["get", "k"].into_iter().collect());
        logs.set_limits(Limits { slow: limit(0, 3), ..Limits::default() });
        (0..5).for_each(|duration_us| push(&mut logs, &argv, duration_us));
        assert_eq!(logs.slow.iter().map(|entry| entry.id).collect::<Vec<_>>(), [4, 3, 2]);
        logs.slow.reset();
        push(&mut logs, &argv, 9);
        let entry = logs.slow.iter().next().unwrap();
        assert_eq!((logs.slow.len(), entry.id, entry.unix_s, entry.value), (1, 5, 7, 9));
        assert_eq!((entry.client_addr.as_str(), entry.client_name.as_slice()), ("127.0.0.1:5", &b"me"[..]));
        logs.set_limits(Limits { slow: limit(0, 0), ..Limits::default() });
        push(&mut logs, &argv, 9);
        assert!(logs.slow.is_empty() && logs.large_request.is_empty());
        assert_eq!(logs.slow.counters(), (7, 28, 9));
        logs.slow.reset_counters();
        assert_eq!(logs.slow.counters(), (0, 0, 0));
    }

    #[test]
    fn each_log_has_its_measure_and_its_threshold() {
        let mut logs = CommandLogs::default();
        let huge = 1 << 62;
        let most = Measures { duration_us: huge, request_bytes_at_most: huge, reply_bytes: huge };
        assert!(!logs.wants(most), "all are off");
        let (slow, large_request, large_reply) = (limit(10, 9), limit(33, 9), limit(5, 9));
        logs.set_limits(Limits { slow, large_request, large_reply, ..Limits::default() });
        let quick = Measures { duration_us: 9, request_bytes_at_most: 32, reply_bytes: 4 };
        assert!(!logs.wants(quick) && logs.wants(Measures { duration_us: 10, ..quick }));
        assert!(logs.wants(Measures { reply_bytes: 5, ..quick }));
        // *3 $3 set $1 k $1 v: 4 + 9 + 7 + 7 bytes.
        let argv: Argv = ["set", "k", "v"].into_iter().collect();
        assert_eq!(Measures::request_bytes(argv.args()), 27);
        let argv: Argv = ["set", "k", "0123456"].into_iter().collect();
        assert_eq!(Measures::request_bytes(argv.args()), 33);
        assert!(Measures::request_bytes_at_most(argv.args()) >= 33);
        let call = Call { args: argv.args(), unix_s: 7, client_addr: "", client_name: b"" };
        logs.push(call, quick);
        assert_eq!((logs.slow.len(), logs.large_request.len(), logs.large_reply.len()), (0, 1, 0));
        assert_eq!(logs.large_request.iter().next().unwrap().value, 33);
    }
}
