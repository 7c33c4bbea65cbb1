//! Which processors a thread may run on, by lists as in `0,2-3,8-14:2`.
//!
//! ```text
//!  list = item { "," item }        item = number | first "-" last | first "-" last ":" step
//! ```
//! The lists of Redis's `*_cpulist` directives. A list that is not understood is an error here; there it is ignored.
//!
//! A thread inherits the processors of the one that starts it. Helper threads are started by the loop, which may be
//! bound to one processor; they `join_helpers` so that they do not fight for it.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use std::sync::OnceLock;

/// A set of processors, never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cpus(CpuSet);

/// Where helper threads belong; unset: where they are started.
static HELPERS: OnceLock<Cpus> = OnceLock::new();

const NOT_A_LIST: &str = "argument must be a list of processors, as in 0,2-3 or 0-10:2";
const TOO_HIGH: &str = "a processor's number must be below 1024";
const DESCENDING: &str = "a range of processors must not go down";
const NO_STEP: &str = "the step of a range of processors must be at least 1";

/// Reads a list; an empty one is `None`: all processors that there are.
///
/// # Errors
/// What is wrong with it, for whoever wrote it.
pub fn parse(text: &str) -> Result<Option<Cpus>, &'static str> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let mut set = CpuSet::new();
    for item in text.split(',') {
        let (range, step) = match item.split_once(':') {
            Some((range, step)) if range.contains('-') => (range, number(step)?),
            Some(_) => return Err(NOT_A_LIST),
            None => (item, 1),
        };
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (number(first)?, number(last)?);
        if first > last {
            return Err(DESCENDING);
        }
        if step == 0 {
            return Err(NO_STEP);
        }
        for cpu in (first..=last).step_by(step) {
            set.set(cpu).map_err(|_| TOO_HIGH)?;
        }
    }
    Ok(Some(Cpus(set)))
}

/// A processor's number, or a step: within the bounds of a set, so that no list is a long loop.
fn number(text: &str) -> Result<usize, &'static str> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NOT_A_LIST);
    }
    text.parse().ok().filter(|number| *number < CpuSet::count()).ok_or(TOO_HIGH)
}

/// Lets the calling thread, and those it starts from now on, run on these processors only. No allocation, no lock: a
/// forked child may call it.
///
/// # Errors
/// EINVAL when the machine has none of them, or this process may use none of them.
pub fn run_on(cpus: &Cpus) -> nix::Result<()> {
    sched_setaffinity(Pid::from_raw(0), &cpus.0)
}

/// Where the calling thread may run; `None` when the kernel does not say.
pub fn allowed() -> Option<Cpus> {
    sched_getaffinity(Pid::from_raw(0)).ok().map(Cpus)
}

impl Cpus {
    /// How many they are.
    pub fn count(&self) -> usize {
        (0..CpuSet::count()).filter(|cpu| self.0.is_set(*cpu).unwrap_or(false)).count()
    }
}

/// Decides, once and before the first of them is started, where helper threads belong.
pub fn place_helpers(cpus: Cpus) {
    let _ = HELPERS.set(cpus);
}

/// How many threads can run at the same time: this one where it may, helper threads where they belong. A limit of the
/// control group counts.
pub fn usable() -> usize {
    let own = allowed().map_or(CpuSet::new(), |Cpus(set)| set);
    let helpers = HELPERS.get().map_or(own, |Cpus(set)| *set);
    let is_in = |set: &CpuSet, cpu: usize| set.is_set(cpu).unwrap_or(false);
    let either = (0..CpuSet::count()).filter(|cpu| is_in(&own, *cpu) || is_in(&helpers, *cpu)).count();
    let own = (0..CpuSet::count()).filter(|cpu| is_in(&own, *cpu)).count();
    match std::thread::available_parallelism().map_or(1, usize::from) {
        limited if limited < own => limited,
        _ => either.max(1),
    }
}

/// Called by a helper thread at its beginning.
pub fn join_helpers() {
    super::os::fault::make_room();
    if let Some(cpus) = HELPERS.get() {
        // Processors can be taken away while the server runs: the thread then stays where it is.
        let _ = run_on(cpus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Vec<usize> {
        let Cpus(set) = parse(text).unwrap().unwrap();
        (0..CpuSet::count()).filter(|cpu| set.is_set(*cpu).unwrap()).collect()
    }

    #[test]
    fn lists_are_read() {
        assert_eq!(parse(""), Ok(None));
        assert_eq!(numbers("0"), [0]);
        assert_eq!(numbers("0,2-3"), [0, 2, 3]);
        assert_eq!(numbers("1-11:2"), [1, 3, 5, 7, 9, 11]);
        assert_eq!(numbers("8-14:5, 1 ,1023"), [1, 8, 13, 1023]);
    }

    #[test]
    fn what_is_no_list_is_refused_with_the_reason() {
        for text in ["a", "0,", ",", "-1", "1-", "0-2-4", "1:2", "+1", "0x1", "0;1"] {
            assert_eq!(parse(text), Err(NOT_A_LIST), "{text}");
        }
        assert_eq!(parse("1024"), Err(TOO_HIGH));
        assert_eq!(parse("0-99999999999999999999999"), Err(TOO_HIGH));
        assert_eq!(parse("3-2"), Err(DESCENDING));
        assert_eq!(parse("0-3:0"), Err(NO_STEP));
    }

    #[test]
    fn a_thread_goes_where_it_is_told() {
        std::thread::spawn(|| {
            let before = allowed().unwrap();
            let first = (0..CpuSet::count()).find(|cpu| before.0.is_set(*cpu).unwrap()).unwrap();
            let one = parse(&first.to_string()).unwrap().unwrap();
            run_on(&one).unwrap();
            assert_eq!(allowed(), Some(one));
            assert!(run_on(&parse("1023").unwrap().unwrap()).is_err());
        })
        .join()
        .unwrap();
    }
}
