//! How fork pause and save time grow with the data: values of 1000 B, one server at a time, nobody writing (what a
//! writer makes a save copy would not fit beside 10 GB).
//!
//! A GB is 10^9 bytes of keys and values. Each server saves twice at each size, after the rest that it gets between
//! saves elsewhere, too; the file goes before the second save, so that the disk needs to hold one.

use std::fs;
use std::io;
use std::thread;
use std::time::Duration;

use super::series;
use crate::load::{Command, Value};
use crate::machine;
use crate::options::Scale;
use crate::report::{Goal, Row, Samples, Unit};
use crate::servers::{Arena, Side};

const VALUE_BYTES: u64 = 1000;
const KEY_BYTES: u64 = 16;
const SAVES: usize = 2;

pub fn run(arena: &Arena, scale: &Scale) -> io::Result<Vec<Row>> {
    let sizes = scale.snapshot.curve_bytes;
    expect_room(arena, sizes.iter().copied().max().unwrap_or(0))?;
    let mut rows = Vec::new();
    for &bytes in sizes {
        let [mut fork_us, mut seconds, mut cpu_s] = [Samples::EMPTY; 3];
        for side in Side::BOTH {
            eprintln!("  {:?}: {} MB", side, bytes / 1_000_000);
            for save in saves(arena, side, bytes, scale.snapshot.rest)? {
                fork_us.push(side, save.fork_us as f64);
                seconds.push(side, save.seconds());
                cpu_s.push(side, save.child_cpu_s);
            }
        }
        let size = bytes as f64 / 1e9;
        let fork = format!("{size} GB of values of 1000 B: fork pause (latest_fork_usec)");
        rows.push(Row::new(fork, Goal::None, Unit::Microseconds, fork_us));
        rows.push(Row::new("- BGSAVE, compression on", Goal::None, Unit::Seconds, seconds));
        rows.push(Row::new("- - CPU of its child", Goal::None, Unit::Seconds, cpu_s));
    }
    Ok(rows)
}

fn saves(arena: &Arena, side: Side, bytes: u64, rest: Duration) -> io::Result<Vec<series::Save>> {
    let server = arena.start_apart_from_child(side)?;
    server.client()?.ask(&["CONFIG", "SET", "rdbcompression", "yes"])?;
    let value = Value::Hex(usize::try_from(VALUE_BYTES).expect("a small constant"));
    super::super::fill(&server, Command::Set(value), bytes / (KEY_BYTES + VALUE_BYTES), 16)?;
    let mut saves = Vec::new();
    for _ in 0..SAVES {
        thread::sleep(rest);
        server.settle()?;
        saves.push(series::save(&server)?);
        fs::remove_file(server.directory.join("dump.rdb"))?;
    }
    Ok(saves)
}

/// Says at the start that the largest size will not fit.
fn expect_room(arena: &Arena, bytes: u64) -> io::Result<()> {
    let disk_bytes = machine::free_disk_bytes(arena.root())?;
    let memory_bytes = machine::memory_bytes("MemAvailable")?;
    if disk_bytes < bytes + bytes / 10 || memory_bytes < bytes + bytes / 2 {
        return Err(io::Error::other(format!(
            "{bytes} B of data need 1.1 times as much disk in TMPDIR (free: {disk_bytes} B) and 1.5 times as much \
             memory (available: {memory_bytes} B)"
        )));
    }
    Ok(())
}
