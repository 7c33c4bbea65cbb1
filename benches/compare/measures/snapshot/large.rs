//! Snapshots of large values under writes: strings of 1 MiB of random lowercase hex, of which SETRANGE replaces
//! 100 B at a random place.

use std::io;

use super::{Dataset, Requester, collections};
use crate::load::{Command, Value};
use crate::options::Scale;
use crate::report::Row;
use crate::servers::Arena;

const BYTES: usize = 1 << 20;

pub fn run(arena: &Arena, scale: &Scale) -> io::Result<Vec<Row>> {
    let dataset = Dataset {
        name: "strings of 1 MiB",
        keys: scale.snapshot.large,
        fill: Requester::Command(Command::Set(Value::Hex(BYTES))),
        pipeline: 2,
        // No server takes an offset with leading zeros.
        update: Requester::Form("SETRANGE key:{r} {100000-999999} {v}{v}{v}{v}{v}{v}{v}{v}{v}{v}"),
        updates_per_second: 200,
    };
    collections::study(arena, scale, dataset)
}
