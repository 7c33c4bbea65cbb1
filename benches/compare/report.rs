//! Samples of rounds, their medians, and the table.

use std::fmt::Write;
use std::io;

use crate::machine;
use crate::options::Options;
use crate::servers::{Arena, Side};

/// One number per round and side. The n-th of one side and the n-th of the other are of the same round.
#[derive(Clone, Default, Debug)]
pub struct Samples {
    redis: Vec<f64>,
    tintype: Vec<f64>,
}

impl Samples {
    pub const EMPTY: Samples = Samples { redis: Vec::new(), tintype: Vec::new() };

    pub fn push(&mut self, side: Side, sample: f64) {
        match side {
            Side::Redis => self.redis.push(sample),
            Side::Tintype => self.tintype.push(sample),
        }
    }

    pub fn of(&self, side: Side) -> &[f64] {
        match side {
            Side::Redis => &self.redis,
            Side::Tintype => &self.tintype,
        }
    }

    pub fn median(&self, side: Side) -> f64 {
        median(self.of(side).to_vec())
    }

    /// The largest of all rounds.
    pub fn largest(&self, side: Side) -> f64 {
        self.of(side).iter().copied().fold(f64::NAN, f64::max)
    }

    /// Median of the rounds' ratios, Tintype to redis-server.
    pub fn ratio(&self) -> f64 {
        median(self.redis.iter().zip(&self.tintype).map(|(redis, tintype)| tintype / redis).collect())
    }
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    let middle = samples.len() / 2;
    match samples.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => samples[middle],
        _ => f64::midpoint(samples[middle - 1], samples[middle]),
    }
}

/// What must hold for the row.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    /// The ratio is at most this.
    Ratio(f64),
    /// The ratio is at least this.
    AtLeast(f64),
    /// Tintype's own figure is at most this.
    Own(f64),
    /// For information.
    None,
}

/// How a figure is written.
#[derive(Clone, Copy, Debug)]
pub enum Unit {
    Nanoseconds,
    Microseconds,
    Milliseconds,
    Seconds,
    Bytes,
    Mebibytes,
    PerSecond,
    /// How many times as much.
    Times,
    Percent,
}

impl Unit {
    fn show(self, figure: f64) -> String {
        match self {
            Unit::Nanoseconds => format!("{figure:.0} ns"),
            Unit::Microseconds => format!("{figure:.0} us"),
            Unit::Milliseconds => format!("{figure:.2} ms"),
            Unit::Seconds => format!("{figure:.3} s"),
            Unit::Bytes => format!("{figure:.1} B"),
            Unit::Mebibytes => format!("{figure:.1} MiB"),
            Unit::Times => format!("{figure:.2} x"),
            Unit::PerSecond => format!("{:.1} k/s", figure / 1e3),
            Unit::Percent => format!("{figure:.1} %"),
        }
    }
}

/// One line of the table.
#[derive(Debug)]
pub struct Row {
    pub measure: String,
    pub goal: Goal,
    pub unit: Unit,
    pub samples: Samples,
}

impl Row {
    pub fn new(measure: impl Into<String>, goal: Goal, unit: Unit, samples: Samples) -> Row {
        Row { measure: measure.into(), goal, unit, samples }
    }

    fn goal_text(&self) -> String {
        match self.goal {
            // Two digits unless they would say something else (1/6).
            Goal::Ratio(limit) if (limit * 100.0).fract().abs() < 1e-9 => format!("<= {limit:.2}"),
            Goal::Ratio(limit) => format!("<= {limit:.3}"),
            Goal::AtLeast(limit) => format!(">= {limit:.2}"),
            Goal::Own(limit) => format!("<= {}", self.unit.show(limit)),
            Goal::None => String::new(),
        }
    }

    fn verdict(&self) -> &'static str {
        // NaN (nothing measured) is not a goal reached.
        let is_met = match self.goal {
            Goal::Ratio(limit) => self.samples.ratio() <= limit,
            Goal::AtLeast(limit) => self.samples.ratio() >= limit,
            Goal::Own(limit) => self.samples.median(Side::Tintype) <= limit,
            Goal::None => return "",
        };
        if is_met { "yes" } else { "**no**" }
    }

    fn markdown(&self) -> String {
        let ratio = match self.goal {
            // A ratio of two differences close to zero says nothing.
            Goal::Own(_) => String::new(),
            Goal::Ratio(_) | Goal::AtLeast(_) | Goal::None => format!("{:.3}", self.samples.ratio()),
        };
        let [redis, tintype] = Side::BOTH.map(|side| self.unit.show(self.samples.median(side)));
        let goal = self.goal_text();
        format!("| {} | {goal} | {redis} | {tintype} | {ratio} | {} |\n", self.measure, self.verdict())
    }
}

/// What stands above the table: date, machine, versions, how.
pub fn heading(arena: &Arena, options: &Options) -> io::Result<String> {
    let mut text = String::new();
    let mut line = |line: String| writeln!(text, "{line}").expect("writing to a String does not fail");
    line(format!("{}, {}", machine::today(), machine::describe()));
    line(format!("- redis-server: {}", arena.version(Side::Redis)?));
    line(format!("- tintype: {}", arena.version(Side::Tintype)?));
    let cores = arena.cores;
    let rounds = options.scale.rounds;
    line(format!(
        "- server on core {}, load on core {}; medians of {rounds} rounds",
        cores.server, cores.load
    ));
    if options.quick {
        line("- **--quick: sizes are tiny, these figures mean nothing**".to_string());
    }
    if cfg!(debug_assertions) {
        line("- **this is a debug build, these figures mean nothing**".to_string());
    }
    Ok(text)
}

pub fn markdown(rows: &[Row], heading: &str) -> String {
    let mut text = format!("{heading}\n| measure | goal | redis-server | tintype | ratio | met? |\n");
    text.push_str("|---|---|---|---|---|---|\n");
    rows.iter().for_each(|row| text.push_str(&row.markdown()));
    text
}
