//! Snapshots of ten million strings of 100 B while random keys are overwritten, 20,000 a second.
//!
//! Both servers save five times with compression and five times without, then once more for the picture. Tintype
//! goes on until it has saved twenty times in all, for the row of resident memory; redis-server, which needs
//! several times as long, is looked at after its eleven.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::plot::{self, Panel};
use super::series::{Plan, Series};
use super::study::{Figures, Goals, Study};
use super::{Dataset, Requester};
use crate::load::{Command, Value};
use crate::options::Scale;
use crate::report::{Goal, Row, Samples, Unit};
use crate::servers::{Arena, Side};

/// As `bgsave` stores.
const COMMAND: Command = Command::Set(Value::Hex(100));
const UPDATES_PER_SECOND: u32 = 20_000;
const FORK: Goal = Goal::Ratio(1.0 / 20.0);
const GOALS: Goals = Goals {
    fork: FORK,
    compressed: Goal::Ratio(1.0 / 4.0),
    plain: Goal::Ratio(1.0 / 6.0),
    load: Goal::Ratio(1.0 / 4.0),
    cow: Goal::Ratio(1.0 / 3.0),
    longest: Goal::Ratio(1.0 / 5.0),
};
const SEED_PICTURE: u64 = 3;
const SEED_LONG: u64 = 4;

pub fn run(arena: &Arena, scale: &Scale) -> io::Result<Vec<Row>> {
    let dataset = Dataset {
        name: "strings of 100 B",
        keys: scale.snapshot.keys,
        fill: Requester::Command(COMMAND),
        pipeline: 64,
        update: Requester::Command(COMMAND),
        updates_per_second: UPDATES_PER_SECOND,
    };
    let mut study = Study::begin(arena, scale, dataset)?;
    let compressed = study.save_compressed(scale.rounds)?;
    study.save_plain(scale.rounds)?;
    study
        .servers
        .iter()
        .try_for_each(|server| server.client()?.ask(&["CONFIG", "SET", "rdbcompression", "yes"]).map(drop))?;
    let last = picture(&study, &scale.snapshot.plot)?;
    let growth = growth(&study, &compressed, last)?;
    let figures = study.load(scale.rounds)?;
    Ok(rows(dataset.keys, &figures, growth))
}

/// One more save of each server, seen for the same time; drawn.
fn picture(study: &Study<'_>, path: &Path) -> io::Result<[Series; 2]> {
    eprintln!("  the picture");
    let [redis, tintype] = &study.servers;
    let plan = study.plan(1);
    let first = study.series(redis, plan, SEED_PICTURE)?;
    let save_time = first.saves.first().map_or(Duration::ZERO, |save| save.time.end - save.time.start);
    let plan = Plan { span_min: save_time + plan.rest, ..plan };
    let second = study.series(tintype, plan, SEED_PICTURE)?;
    let lead = plan.rest.min(plan.calm);
    let panel = |name: &'static str, series: &Series| Panel::of(name, series, lead, plan.span_min);
    let panels = [panel("redis-server", &first)?, panel("tintype", &second)?];
    plot::write(path, &format!("{} strings of 100 B", thousands(study.dataset.keys)), &panels)?;
    eprintln!("  written: {}", path.display());
    Ok([first, second])
}

/// With a comma after every three digits from the end.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<String> =
        digits.as_bytes().rchunks(3).rev().map(|group| group.escape_ascii().to_string()).collect();
    groups.join(",")
}

/// What resident memory grew by from before the first save until after the last, percent.
fn growth(study: &Study<'_>, first: &[Series; 2], last: [Series; 2]) -> io::Result<Samples> {
    let done = 2 * study.scale.rounds + 1;
    let more = study.scale.snapshot.saves_in_all.saturating_sub(done);
    let [redis, mut tintype] = last.map(|series| series.rss_after);
    if more > 0 {
        eprintln!("  {more} more saves of Tintype");
        tintype = study.series(&study.servers[1], study.plan(more), SEED_LONG)?.rss_after;
    }
    let mut samples = Samples::default();
    for ((side, before), after) in Side::BOTH.into_iter().zip(first).zip([redis, tintype]) {
        samples.push(side, (after as f64 / before.rss_before as f64 - 1.0) * 100.0);
    }
    Ok(samples)
}

fn rows(keys: u64, figures: &Figures, growth: Samples) -> Vec<Row> {
    let row = |name: &str, goal, unit, samples: &Samples| Row::new(name, goal, unit, samples.clone());
    let latency = |name: &str, goal, samples| row(name, goal, Unit::Milliseconds, samples);
    let times = |name: &str, samples| row(name, Goal::Own(1.5), Unit::Times, samples);
    let mut rows = forks(keys, &figures.fork_us);
    rows.extend(figures.columns(&GOALS));
    rows.extend([
        latency("- longest pause, any of the saves", Goal::None, &worst(&figures.longest)),
        latency("- p99.9 of the prober while saving", Goal::Ratio(1.0), &figures.p999),
        times("- p99.9 while saving, over its own when idle", &figures.over_idle),
        times("- p99.9 while saving, over its own under the same writes", &figures.over_written),
        latency("- p99.9 when idle", Goal::None, &figures.idle_p999),
        latency("- p99.9 under the same writes", Goal::None, &figures.written_p999),
        row(
            "- RSS growth over 20 saves (redis-server: over its first ones)",
            Goal::Own(5.0),
            Unit::Percent,
            &growth,
        ),
    ]);
    rows
}

/// A row for each place in the series, so that it shows whether the second fork is as short as the first.
fn forks(keys: u64, fork_us: &Samples) -> Vec<Row> {
    let places = fork_us.of(Side::Redis).iter().zip(fork_us.of(Side::Tintype)).zip(1..);
    let mut rows: Vec<Row> = places
        .map(|((&redis, &tintype), place)| {
            let mut samples = Samples::default();
            samples.push(Side::Redis, redis);
            samples.push(Side::Tintype, tintype);
            let name = format!("{keys} strings of 100 B: fork pause of BGSAVE {place}");
            Row::new(name, FORK, Unit::Microseconds, samples)
        })
        .collect();
    rows.push(Row::new("- the worst of them", FORK, Unit::Microseconds, worst(fork_us)));
    rows
}

fn worst(samples: &Samples) -> Samples {
    let mut worst = Samples::default();
    Side::BOTH.iter().for_each(|&side| worst.push(side, samples.largest(side)));
    worst
}
