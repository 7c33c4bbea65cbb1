//! Snapshots of collections under writes: hashes that are packed, sorted sets that are trees.

use std::fmt::Write;
use std::io;

use super::study::{Goals, Study};
use super::{Dataset, Requester};
use crate::options::Scale;
use crate::report::{Row, Unit};
use crate::servers::Arena;

const FIELDS: u64 = 50;
const MEMBERS: u64 = 1000;
const UPDATES_PER_SECOND: u32 = 20_000;
const SAVES_MAX: usize = 3;

pub fn run(arena: &Arena, scale: &Scale) -> io::Result<Vec<Row>> {
    let mut rows = study(arena, scale, hashes(scale))?;
    rows.extend(study(arena, scale, zsets(scale))?);
    Ok(rows)
}

/// The columns of a dataset of which three saves are enough.
pub fn study(arena: &Arena, scale: &Scale, dataset: Dataset) -> io::Result<Vec<Row>> {
    let saves = scale.rounds.min(SAVES_MAX);
    let mut study = Study::begin(arena, scale, dataset)?;
    study.save_compressed(saves)?;
    study.save_plain(saves)?;
    let figures = study.load(saves)?;
    let goals = Goals::NONE;
    let name = format!("{} {}: fork pause (latest_fork_usec)", dataset.keys, dataset.name);
    let mut rows = vec![Row::new(name, goals.fork, Unit::Microseconds, figures.fork_us.clone())];
    rows.extend(figures.columns(&goals));
    Ok(rows)
}

/// The forms are few and live as long as the program.
fn form(line: String) -> Requester {
    Requester::Form(line.leak())
}

fn hashes(scale: &Scale) -> Dataset {
    let mut line = "HSET hash:{n}".to_string();
    for field in 0..FIELDS {
        write!(line, " field:{field:02} {{v}}").expect("writing to a String does not fail");
    }
    Dataset {
        name: "hashes of 50 fields",
        keys: scale.snapshot.hashes,
        fill: form(line),
        pipeline: 16,
        update: Requester::Form("HSET hash:{r} field:{00-49} {v}"),
        updates_per_second: UPDATES_PER_SECOND,
    }
}

fn zsets(scale: &Scale) -> Dataset {
    let mut line = "ZADD zset:{n}".to_string();
    for member in 0..MEMBERS {
        write!(line, " {{d}} member:{member:03}").expect("writing to a String does not fail");
    }
    Dataset {
        name: "sorted sets of 1000 members",
        keys: scale.snapshot.zsets,
        fill: form(line),
        pipeline: 4,
        update: Requester::Form("ZADD zset:{r} {d} member:{000-999}"),
        updates_per_second: UPDATES_PER_SECOND,
    }
}
