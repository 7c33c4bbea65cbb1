//! How many threads a save gets.
//!
//! A thread is worth having where a core would idle: a core that is busy with something else, the server above all, is
//! not taken for it. What a core is doing is told by the load average of the last minute, which needs no second look
//! and does not jump. It counts the whole host, so in a container it errs to the side of too few threads.

use crate::base::cpus::Cpus;
use std::num::NonZero;

/// More of them gain little: they write to one disk.
const AUTOMATIC_MAX: usize = 4;
/// Each thread should have so much of the dataset to do: making one costs some microseconds, and memory.
pub const BYTES_PER_THREAD_MIN: usize = 8 << 20;

/// For `rdb-save-threads`; `used_memory_bytes` bounds what there is to do, `cpus` are those that were set aside for the
/// save (`bgsave-cpulist`): they are idle.
pub fn save_threads(configured: usize, used_memory_bytes: usize, cpus: Option<&Cpus>) -> usize {
    let worthwhile = 1 + used_memory_bytes / BYTES_PER_THREAD_MIN;
    let threads = match (configured, cpus) {
        (0, Some(cpus)) => cpus.count().min(AUTOMATIC_MAX),
        (0, None) if worthwhile > 1 => idle_cores(),
        (configured, _) => configured,
    };
    threads.clamp(1, worthwhile)
}

fn idle_cores() -> usize {
    // Knows of affinity and of limits of the control group.
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    if cores <= 2 {
        return 1;
    }
    let load = std::fs::read_to_string("/proc/loadavg").ok().and_then(|text| load_average(&text));
    automatic(cores, load.unwrap_or(1.0))
}

/// One core is the server's, whether it has been busy or not.
fn automatic(cores: usize, load: f64) -> usize {
    let busy = load.round().clamp(1.0, cores as f64) as usize;
    (cores - busy).clamp(1, AUTOMATIC_MAX)
}

/// The first field: the average over the last minute (proc(5)).
fn load_average(text: &str) -> Option<f64> {
    text.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::cpus;

    #[test]
    fn idle_cores_are_used_up_to_four() {
        let cases = [
            ((1, 0.0), 1),
            ((2, 0.0), 1),
            ((3, 0.4), 2),
            ((4, 2.6), 1),
            ((8, 0.0), 4),
            ((8, 5.2), 3),
            ((8, 99.0), 1),
        ];
        for ((cores, load), threads) in cases {
            assert_eq!(automatic(cores, load), threads, "{cores} cores, load {load}");
        }
        assert_eq!(load_average("0.71 1.09 1.37 2/130 4711\n"), Some(0.71));
        assert_eq!((load_average(""), load_average("x y")), (None, None));
    }

    #[test]
    fn small_datasets_take_fewer() {
        assert_eq!(save_threads(8, 1 << 20, None), 1);
        assert_eq!(save_threads(8, 20 << 20, None), 3);
        assert_eq!(save_threads(8, 1 << 30, None), 8);
        assert!((1..=4).contains(&save_threads(0, 1 << 30, None)));
        let list = |text| cpus::parse(text).unwrap();
        assert_eq!(save_threads(0, 1 << 30, list("0-2").as_ref()), 3);
        assert_eq!(save_threads(0, 1 << 30, list("0,2,4-9").as_ref()), 4);
        assert_eq!(save_threads(2, 1 << 30, list("5").as_ref()), 2);
    }
}
