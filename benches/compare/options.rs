//! The command line, and the sizes that follow from it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::measures::{self, Group, Measure};

pub const HELP: &str = "\
Compares Tintype with a real redis-server and prints a markdown table.

    cargo bench --bench compare -- [--snapshot] [--rounds N] [--only NAME,..] [--plot FILE] [--quick]

    --snapshot       the measures of snapshots under writes, instead of all others
    --rounds N       interleaved rounds, each with both servers (default 5; --quick: 2);
                     with --snapshot: saves of a series, collections at most 3
    --only NAME,..   cpu, memory, stall, bgsave, startup, snapshots, collections, types, algebra, growth, pubsub,
                     tls, guarded, scripts, snapshot-strings, snapshot-collections, snapshot-large,
                     snapshot-curve
    --plot FILE      where snapshot-strings draws latency over time through a save
                     (default target/snapshot-latency.svg)
    --quick          tiny sizes: proves the harness, measures nothing
    --help           this text

TINTYPE_BIN and REDIS_BIN name other binaries; TMPDIR says where the servers keep their files.";

const DEFAULT_PLOT: &str = "target/snapshot-latency.svg";

/// How big everything is. Times of load are per server, round and kind of load.
#[derive(Clone, Debug)]
pub struct Scale {
    pub rounds: usize,
    /// Keys under the CPU measure, and keys of each kind of the memory measure.
    pub keys: u64,
    pub load: Duration,
    pub warm_up: Duration,
    /// How long after the last insert memory is read.
    pub memory_rest: Duration,
    pub stall_keys: u64,
    pub idle: Duration,
    pub beside: Duration,
    /// Keys of the file that bgsave writes and startup reads.
    pub file_keys: u64,
    /// Keys of each kind of the mixed dataset that is saved and loaded.
    pub snapshot_keys: u64,
    /// Fields of the hash that grows.
    pub hash_fields: u64,
    /// Clients that listen to one channel while it is measured how fast they are told.
    pub subscribers: usize,
    /// And while it is measured how long others wait.
    pub crowd: usize,
    pub snapshot: SnapshotScale,
}

/// The same for the measures of `--snapshot`.
#[derive(Clone, Debug)]
pub struct SnapshotScale {
    /// Strings of 100 B.
    pub keys: u64,
    /// Hashes of 50 fields.
    pub hashes: u64,
    /// Sorted sets of 1000 members.
    pub zsets: u64,
    /// Strings of 1 MiB.
    pub large: u64,
    /// Sizes of the curve, bytes of keys and values.
    pub curve_bytes: &'static [u64],
    /// Writes before the first save of a series.
    pub calm: Duration,
    /// After each save.
    pub rest: Duration,
    /// Saves after which resident memory is read.
    pub saves_in_all: usize,
    pub plot: PathBuf,
}

impl SnapshotScale {
    fn full() -> SnapshotScale {
        SnapshotScale {
            keys: 10_000_000,
            hashes: 100_000,
            zsets: 10_000,
            large: 1_000,
            curve_bytes: &[1_000_000_000, 2_000_000_000, 5_000_000_000, 10_000_000_000],
            calm: Duration::from_secs(10),
            rest: Duration::from_secs(3),
            saves_in_all: 20,
            plot: DEFAULT_PLOT.into(),
        }
    }

    fn quick() -> SnapshotScale {
        SnapshotScale {
            keys: 50_000,
            hashes: 500,
            zsets: 50,
            large: 10,
            curve_bytes: &[10_000_000, 20_000_000],
            calm: Duration::from_millis(300),
            rest: Duration::from_millis(300),
            saves_in_all: 7,
            plot: DEFAULT_PLOT.into(),
        }
    }
}

impl Scale {
    fn full() -> Scale {
        Scale {
            rounds: 5,
            keys: 1_000_000,
            load: Duration::from_secs(2),
            warm_up: Duration::from_millis(200),
            memory_rest: Duration::from_secs(1),
            stall_keys: 10_000_000,
            idle: Duration::from_secs(10),
            beside: Duration::from_secs(3),
            file_keys: 2_000_000,
            snapshot_keys: 200_000,
            hash_fields: 5_000_000,
            subscribers: 1_000,
            crowd: 10_000,
            snapshot: SnapshotScale::full(),
        }
    }

    fn quick() -> Scale {
        Scale {
            rounds: 2,
            keys: 20_000,
            load: Duration::from_millis(100),
            warm_up: Duration::from_millis(20),
            memory_rest: Duration::from_millis(100),
            stall_keys: 50_000,
            idle: Duration::from_millis(200),
            beside: Duration::from_millis(100),
            file_keys: 20_000,
            snapshot_keys: 2_000,
            hash_fields: 20_000,
            subscribers: 50,
            crowd: 100,
            snapshot: SnapshotScale::quick(),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Options {
    pub scale: Scale,
    pub quick: bool,
    group: Group,
    only: Vec<String>,
}

impl Options {
    /// Those named, or the group.
    pub fn wants(&self, measure: &Measure) -> bool {
        if self.only.is_empty() {
            return measure.group == self.group;
        }
        self.only.iter().any(|name| name == measure.name)
    }
}

/// What the command line asks for.
#[derive(Debug)]
pub enum Request {
    Run(Box<Options>),
    Say(String),
}

/// Reads the arguments. Without `--bench` (which `cargo bench` passes) and without any option this is `cargo
/// test` running every target: nothing is measured then.
pub fn parse(mut arguments: impl Iterator<Item = String>) -> io::Result<Request> {
    let mut asked = false;
    let mut quick = false;
    let mut rounds = None;
    let mut only = Vec::new();
    let mut group = Group::General;
    let mut plot = None;
    while let Some(argument) = arguments.next() {
        asked = true;
        match argument.as_str() {
            "--bench" => {}
            "--quick" => quick = true,
            "--rounds" => rounds = Some(parse_rounds(arguments.next())?),
            "--only" => only.extend(parse_names(arguments.next())?),
            "--help" | "-h" => return Ok(Request::Say(HELP.to_string())),
            "--snapshot" => group = Group::Snapshot,
            "--plot" => plot = Some(arguments.next().ok_or_else(|| wrong("--plot needs a file"))?),
            other => return Err(wrong(&format!("unknown option '{other}'\n\n{HELP}"))),
        }
    }
    if !asked {
        return Ok(Request::Say("nothing measured: run `cargo bench --bench compare`".to_string()));
    }
    let mut scale = if quick { Scale::quick() } else { Scale::full() };
    scale.rounds = rounds.unwrap_or(scale.rounds);
    scale.snapshot.plot = plot.map_or(scale.snapshot.plot, PathBuf::from);
    Ok(Request::Run(Box::new(Options { scale, quick, group, only })))
}

fn parse_rounds(value: Option<String>) -> io::Result<usize> {
    match value.as_deref().map(str::parse) {
        Some(Ok(rounds)) if rounds > 0 => Ok(rounds),
        _ => Err(wrong("--rounds needs a number above 0")),
    }
}

fn parse_names(value: Option<String>) -> io::Result<Vec<String>> {
    let names: Vec<String> = value.unwrap_or_default().split(',').map(str::to_string).collect();
    match names.iter().find(|name| measures::ALL.iter().all(|measure| measure.name != name.as_str())) {
        Some(name) => Err(wrong(&format!("--only: no measure is called '{name}'\n\n{HELP}"))),
        None => Ok(names),
    }
}

fn wrong(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}
