//! Start on a file: from exec until the first PONG. Both servers read the same file, which redis-server
//! wrote.

use std::fs;
use std::io;
use std::path::Path;

use super::bgsave;
use crate::options::Scale;
use crate::report::{Goal, Row, Samples, Unit};
use crate::servers::{Arena, Side};

pub fn run(arena: &Arena, scale: &Scale) -> io::Result<Vec<Row>> {
    let mut seconds = Samples::default();
    let original = arena.directory()?.join("dump.rdb");
    write_file(arena, &original, scale.file_keys)?;
    for round in 0..scale.rounds {
        eprintln!("  round {}", round + 1);
        for side in Side::BOTH {
            let directory = arena.directory()?;
            // A copy, because a server may do to its own file what it wants. Copying also warms the page
            // cache.
            fs::copy(&original, directory.join("dump.rdb"))?;
            let (server, time) = arena.start_in(side, &directory)?;
            super::expect_keys(&server, scale.file_keys)?;
            seconds.push(side, time.as_secs_f64());
        }
    }
    let name = format!("start-up load of {} keys of 100 B", scale.file_keys);
    Ok(vec![Row::new(name, Goal::Ratio(0.5), Unit::Seconds, seconds)])
}

fn write_file(arena: &Arena, path: &Path, keys: u64) -> io::Result<()> {
    let server = arena.start(Side::Redis)?;
    super::fill(&server, bgsave::COMMAND, keys, 64)?;
    server.client()?.ask(&["SAVE"])?;
    fs::rename(server.directory.join("dump.rdb"), path)
}
