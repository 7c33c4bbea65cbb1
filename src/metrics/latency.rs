//! The latency monitor: for each kind of event that took long, its last 160 occurrences and the worst ever.
//!
//! Whoever meters compares with the directive latency-monitor-threshold (`is_spike`) and reports; the names
//! of events are those of Redis (`command`, `fast-command`, `fork`, `expire-cycle`, `eviction-cycle`, ...).
//! GRAPH is in `sparkline`, below; DOCTOR finds what Redis's would find, for the events that can occur here, and has
//! its own words and advice for it. Against huge pages it has none: here they are what keeps the fork short.
//!
//! Invariants
//! 1. At most one sample per event and second: the longest.
//! 2. Samples are in the order of time they were added.

use std::collections::VecDeque;
use std::fmt::Write;

const SAMPLES_MAX: usize = 160;

/// Columns of a graph; more samples go on below.
const GRAPH_COLUMNS: usize = 80;
const GRAPH_ROWS: usize = 4;
/// Heights that one character can show, lowest first.
const GRAPH_CHARACTERS: [char; 3] = ['_', 'o', '#'];

/// A second in which the event took `duration_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    pub unix_s: i64,
    pub duration_ms: u32,
}

/// The samples of one kind of event.
#[derive(Clone, Debug)]
pub struct Event {
    pub name: &'static str,
    /// The longest since the event was last reset.
    pub max_ms: u32,
    samples: VecDeque<Sample>,
}

/// All events, in the order they were first seen.
#[derive(Clone, Debug, Default)]
pub struct Latency {
    events: Vec<Event>,
}

/// What DOCTOR needs to know besides the samples.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances {
    pub now_s: i64,
    /// Directive latency-monitor-threshold; 0 means off.
    pub threshold_ms: u64,
    /// Directive slowlog-log-slower-than; negative means off.
    pub slowlog_slower_than_us: i64,
    pub hz: u32,
    /// Of the latest fork.
    pub fork_rate_gib_per_s: f64,
}

/// Whether an event is to be reported.
#[inline]
pub fn is_spike(duration_ms: u64, threshold_ms: u64) -> bool {
    threshold_ms > 0 && duration_ms >= threshold_ms
}

impl Latency {
    /// Notes that the event took `duration_ms`.
    pub fn add(&mut self, name: &'static str, unix_s: i64, duration_ms: u64) {
        let sample = Sample { unix_s, duration_ms: u32::try_from(duration_ms).unwrap_or(u32::MAX) };
        match self.events.iter_mut().find(|event| event.name == name) {
            Some(event) => event.add(sample),
            None => {
                let mut event = Event { name, max_ms: 0, samples: VecDeque::new() };
                event.add(sample);
                self.events.push(event);
            }
        }
    }

    /// LATENCY LATEST.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    pub fn event(&self, name: &[u8]) -> Option<&Event> {
        self.events.iter().find(|event| event.name.as_bytes() == name)
    }

    /// LATENCY RESET without names. Returns how many events there were.
    pub fn reset_all(&mut self) -> usize {
        std::mem::take(&mut self.events).len()
    }

    /// LATENCY RESET name. Returns how many events were forgotten: 0 or 1.
    pub fn reset(&mut self, name: &[u8]) -> usize {
        let before = self.events.len();
        self.events.retain(|event| event.name.as_bytes() != name);
        before - self.events.len()
    }

    /// LATENCY DOCTOR.
    pub fn doctor(&self, circumstances: &Circumstances) -> String {
        if self.events.is_empty() && circumstances.threshold_ms == 0 {
            return DOCTOR_OFF.to_owned();
        }
        if self.events.is_empty() {
            return DOCTOR_HEALTHY.to_owned();
        }
        let mut text = String::from(DOCTOR_OPENING);
        for (index, event) in self.events.iter().enumerate() {
            let _ = writeln!(text, "{}. {}", index + 1, event.diagnosis(circumstances));
        }
        let advice = self.advice(circumstances);
        if !advice.is_empty() {
            text.push_str(DOCTOR_ADVICE);
            advice.iter().for_each(|line| {
                let _ = writeln!(text, "- {line}");
            });
        }
        text
    }

    fn advice(&self, circumstances: &Circumstances) -> Vec<String> {
        let seen = |names: &[&str]| self.events.iter().any(|event| names.contains(&event.name));
        let mut advice = Vec::new();
        if seen(&["fork"]) && circumstances.fork_rate_gib_per_s < FORK_RATE_GOOD {
            advice.push(ADVICE_FORK.to_owned());
        }
        if seen(&["command"]) {
            advice.extend(slowlog_advice(circumstances));
        }
        if seen(&["fast-command"]) {
            advice.push(ADVICE_INTRINSIC.to_owned());
        }
        if seen(&["expire-cycle"]) && circumstances.hz < 100 {
            advice.push(ADVICE_HZ.to_owned());
        }
        if seen(&["command", "expire-del", "eviction-del"]) {
            advice.push(ADVICE_LARGE_OBJECTS.to_owned());
        }
        if seen(&["eviction-cycle"]) {
            advice.push(ADVICE_MASS_EVICTION.to_owned());
        }
        advice
    }
}

fn slowlog_advice(circumstances: &Circumstances) -> Vec<String> {
    let threshold_us = circumstances.threshold_ms.saturating_mul(1_000);
    let mut advice = Vec::new();
    match u64::try_from(circumstances.slowlog_slower_than_us) {
        Err(_) => advice.push(format!(
            "The slow log is off: CONFIG SET slowlog-log-slower-than {threshold_us} has it remember such commands."
        )),
        Ok(slower_than_us) if slower_than_us > threshold_us => advice.push(format!(
            "The slow log remembers only commands slower than {slower_than_us} microseconds, so it misses some of these: \
             CONFIG SET slowlog-log-slower-than {threshold_us}."
        )),
        Ok(_) => {}
    }
    advice.push(ADVICE_SLOW_COMMANDS.to_owned());
    advice
}

impl Event {
    fn add(&mut self, sample: Sample) {
        self.max_ms = self.max_ms.max(sample.duration_ms);
        match self.samples.back_mut() {
            Some(last) if last.unix_s == sample.unix_s => {
                last.duration_ms = last.duration_ms.max(sample.duration_ms);
            }
            _ => {
                if self.samples.len() == SAMPLES_MAX {
                    self.samples.pop_front();
                }
                self.samples.push_back(sample);
            }
        }
    }

    /// LATENCY HISTORY, oldest first. An event has at least one sample.
    pub fn samples(&self) -> impl ExactSizeIterator<Item = Sample> + Clone {
        self.samples.iter().copied()
    }

    pub fn latest(&self) -> Option<Sample> {
        self.samples.back().copied()
    }

    /// LATENCY GRAPH.
    pub fn graph(&self, now_s: i64) -> String {
        let durations = self.samples().map(|sample| sample.duration_ms);
        let (high, low) = (durations.clone().max().unwrap_or(0), durations.min().unwrap_or(0));
        let title = format!(
            "{} - high {high} ms, low {low} ms (all time high {} ms)\n{}\n",
            self.name,
            self.max_ms,
            "-".repeat(GRAPH_COLUMNS)
        );
        let columns: Vec<Column> = self
            .samples()
            .map(|sample| Column {
                height: height(sample.duration_ms, low, high),
                label: age_text(now_s - sample.unix_s),
            })
            .collect();
        let parts: Vec<String> = columns.chunks(GRAPH_COLUMNS).map(sparkline).collect();
        title + &parts.join("\n")
    }

    fn diagnosis(&self, circumstances: &Circumstances) -> String {
        let count = self.samples.len().max(1) as u64;
        let durations = self.samples().map(|sample| u64::from(sample.duration_ms));
        let average = durations.clone().sum::<u64>() / count;
        let deviation = durations.map(|duration| duration.abs_diff(average)).sum::<u64>() / count;
        let oldest_s = self.samples.front().map_or(circumstances.now_s, |sample| sample.unix_s);
        let period_s = (circumstances.now_s - oldest_s).max(1) as f64 / count as f64;
        let mut text = format!(
            "{}: {count} latency spikes (average {average}ms, mean deviation {deviation}ms, period \
             {period_s:.2} sec). Worst all time event {}ms.",
            self.name, self.max_ms
        );
        if self.name == "fork" {
            let rate = circumstances.fork_rate_gib_per_s;
            let _ = write!(text, " Fork rate is {rate:.2} GB/sec ({}).", fork_quality(rate));
        }
        text
    }
}

/// From here on a fork is called good.
const FORK_RATE_GOOD: f64 = 25.0;

fn fork_quality(rate_gib_per_s: f64) -> &'static str {
    match rate_gib_per_s {
        rate if rate < 10.0 => "terrible",
        rate if rate < FORK_RATE_GOOD => "poor",
        rate if rate < 100.0 => "good",
        _ => "excellent",
    }
}

/// One sample in a graph: its height in steps from 0 and what stands below it.
struct Column {
    height: usize,
    label: String,
}

fn height(value: u32, low: u32, high: u32) -> usize {
    let steps = GRAPH_ROWS * GRAPH_CHARACTERS.len();
    match high - low {
        0 => 0,
        range => ((value - low) as usize * steps / range as usize).min(steps - 1),
    }
}

/// The columns drawn, top row first, an empty row, then the labels written downwards. Each row ends with a
/// newline.
fn sparkline(columns: &[Column]) -> String {
    let mut text = String::new();
    for row in (0..GRAPH_ROWS).rev() {
        text.extend(columns.iter().map(|column| cell(column.height, row)));
        text.push('\n');
    }
    let label_rows = columns.iter().map(|column| column.label.len()).max().unwrap_or(0);
    text.extend(columns.iter().map(|_| ' '));
    text.push('\n');
    for row in 0..label_rows {
        text.extend(
            columns.iter().map(|column| column.label.as_bytes().get(row).map_or(' ', |&b| b as char)),
        );
        text.push('\n');
    }
    text
}

fn cell(height: usize, row: usize) -> char {
    let (top_row, character) = (height / GRAPH_CHARACTERS.len(), height % GRAPH_CHARACTERS.len());
    match row.cmp(&top_row) {
        std::cmp::Ordering::Less => '|',
        std::cmp::Ordering::Equal => GRAPH_CHARACTERS[character],
        std::cmp::Ordering::Greater => ' ',
    }
}

fn age_text(age_s: i64) -> String {
    match age_s.max(0) {
        seconds @ ..60 => format!("{seconds}s"),
        seconds @ ..3_600 => format!("{}m", seconds / 60),
        seconds @ ..86_400 => format!("{}h", seconds / 3_600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

const DOCTOR_OFF: &str = "Nothing was measured: latency-monitor-threshold is 0. Choose what is too slow for your \
    clients, say 100 milliseconds, with CONFIG SET latency-monitor-threshold 100, and ask again \
    after a while.\n";

const DOCTOR_HEALTHY: &str =
    "No event took longer than latency-monitor-threshold so far. There is nothing to cure.\n";

const DOCTOR_OPENING: &str = "These events took longer than latency-monitor-threshold:\n\n";

const DOCTOR_ADVICE: &str = "\nWhat may help:\n\n";

const ADVICE_FORK: &str = "The fork for a snapshot copies page tables. INFO memory (huge_pages) tells whether the heap \
    is on huge pages, which makes it 20 to 50 times shorter, and why not; virtual machines without hardware support for \
    nested page tables are slow at it, too.";

const ADVICE_SLOW_COMMANDS: &str = "SLOWLOG GET shows which commands took long, and with which arguments. Commands over \
    whole collections (KEYS, SMEMBERS, SORT, ...) have relatives that work in steps (SCAN and its kin).";

const ADVICE_HZ: &str = "Expired keys are removed in rounds, hz times a second. More rounds are shorter: try CONFIG SET \
    hz 100.";

const ADVICE_LARGE_OBJECTS: &str = "Removing a value of many elements takes time. UNLINK, and the directives lazyfree-lazy-*, \
    leave it to another thread; or keep such data in several keys.";

const ADVICE_MASS_EVICTION: &str = "Much had to be evicted at once: maxmemory was lowered, or a command such as SUNIONSTORE, \
    SORT .. STORE or RESTORE needed much memory. A smaller maxmemory-eviction-tenacity makes each \
    round shorter.";

const ADVICE_INTRINSIC: &str = "Commands that are quick by themselves took long, so the machine kept the server waiting: \
    look for other busy processes on its cores, for swapping, and for a hypervisor that gives it less than a whole core. \
    redis-cli --intrinsic-latency measures that.";

#[cfg(test)]
mod tests {
    use super::*;

    const CALM: Circumstances = Circumstances {
        now_s: 1_795_433_564,
        threshold_ms: 1,
        slowlog_slower_than_us: 0,
        hz: 10,
        fork_rate_gib_per_s: 22.04,
    };

    fn with_samples(samples: &[(i64, u64)]) -> Latency {
        let mut latency = Latency::default();
        samples.iter().for_each(|&(unix_s, ms)| latency.add("command", unix_s, ms));
        latency
    }

    #[test]
    fn a_second_keeps_its_longest_and_old_samples_go() {
        let mut latency = with_samples(&[(5, 10), (5, 3), (5, 12)]);
        assert_eq!(
            latency.events()[0].samples().collect::<Vec<_>>(),
            [Sample { unix_s: 5, duration_ms: 12 }]
        );
        (6..400).for_each(|second| latency.add("command", second, 2));
        let event = latency.event(b"command").unwrap();
        assert_eq!((event.samples().len(), event.samples().next().unwrap().unix_s), (160, 240));
        assert_eq!((event.max_ms, event.latest().unwrap().duration_ms), (12, 2));
        latency.add("fork", 400, u64::MAX);
        assert_eq!((latency.reset(b"nope"), latency.reset(b"command"), latency.reset_all()), (0, 1, 1));
        assert!(latency.event(b"fork").is_none());
    }

    #[test]
    fn thresholds() {
        assert!(is_spike(5, 5) && !is_spike(4, 5) && !is_spike(u64::MAX, 0));
    }

    #[test]
    fn the_graph_is_drawn_as_in_redis() {
        // Samples and picture observed on a redis-server 7.0.15.
        let samples = [
            (604, 47),
            (605, 84),
            (606, 31),
            (607, 68),
            (608, 15),
            (609, 52),
            (610, 89),
            (611, 36),
            (612, 76),
            (613, 20),
            (615, 57),
            (616, 94),
        ];
        let expected = concat!(
            "command - high 94 ms, low 15 ms (all time high 94 ms)\n",
            "--------------------------------------------------------------------------------\n",
            " o    # _  #\n",
            " | #  | | _|\n",
            "o| | #|_| ||\n",
            "||#|_||||_||\n",
            "            \n",
            "111987654310\n",
            "210sssssssss\n",
            "sss         \n",
        );
        assert_eq!(with_samples(&samples).events()[0].graph(616), expected);
    }

    #[test]
    fn a_long_graph_goes_on_below() {
        let samples: Vec<_> = (0..81).map(|second| (second, 7)).collect();
        let graph = with_samples(&samples).events()[0].graph(100_000);
        let lines: Vec<&str> = graph.split('\n').collect();
        assert_eq!(lines[5], "_".repeat(80));
        assert_eq!((lines[7], lines[8]), ("1".repeat(80).as_str(), "d".repeat(80).as_str()));
        assert_eq!(lines[9..], ["", " ", " ", " ", "_", " ", "1", "d", ""]);
        assert_eq!([59, 60, 3_600, -5].map(age_text), ["59s", "1m", "1h", "0s"]);
    }

    #[test]
    fn the_doctor_tells_what_it_saw() {
        let latency = with_samples(&[(559, 3), (560, 50), (561, 50), (562, 10), (564, 600)]);
        let text = latency.doctor(&Circumstances { now_s: 564, ..CALM });
        let diagnosis = "1. command: 5 latency spikes (average 142ms, mean deviation 182ms, \
                         period 1.00 sec). Worst all time event 600ms.\n";
        let advice = format!("- {ADVICE_SLOW_COMMANDS}\n- {ADVICE_LARGE_OBJECTS}\n");
        let expected = format!("{DOCTOR_OPENING}{diagnosis}{DOCTOR_ADVICE}{advice}");
        assert_eq!(text, expected);
        let healthy = Latency::default();
        assert_eq!(healthy.doctor(&CALM), DOCTOR_HEALTHY);
        assert_eq!(healthy.doctor(&Circumstances { threshold_ms: 0, ..CALM }), DOCTOR_OFF);
    }

    #[test]
    fn each_complaint_has_its_advice() {
        let mut latency = with_samples(&[(1, 5)]);
        for name in ["fork", "expire-cycle", "eviction-cycle"] {
            latency.add(name, 1, 2);
        }
        let text = latency.doctor(&Circumstances { slowlog_slower_than_us: -1, now_s: 5, ..CALM });
        assert!(
            text.contains(
                "2. fork: 1 latency spikes (average 2ms, mean deviation 0ms, period 4.00 sec). Worst"
            )
        );
        assert!(text.contains("2ms. Fork rate is 22.04 GB/sec (poor).\n"), "{text}");
        for part in
            [ADVICE_FORK, ADVICE_HZ, ADVICE_MASS_EVICTION, "off: CONFIG SET slowlog-log-slower-than 1000 has"]
        {
            assert!(text.contains(part), "{part}");
        }
        let tuned =
            Circumstances { slowlog_slower_than_us: 10_000, hz: 100, fork_rate_gib_per_s: 300.0, ..CALM };
        let text = latency.doctor(&tuned);
        assert!(
            text.contains("(excellent)") && !text.contains(ADVICE_FORK) && !text.contains("hz 100"),
            "{text}"
        );
        assert!(text.contains("only commands slower than 10000 microseconds"), "{text}");
    }
}
