//! One dataset on both servers, through every step: saves with compression, saves without, loads of the file.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Dataset;
use super::series::{self, Plan, Series};
use crate::options::Scale;
use crate::prober::Prober;
use crate::report::{Goal, Row, Samples, Unit};
use crate::servers::{Arena, Server, Side};

/// Every save of the series with compression, unless said otherwise.
#[derive(Default, Debug)]
pub struct Figures {
    pub fork_us: Samples,
    pub compressed_s: Samples,
    pub compressed_cpu_s: Samples,
    pub plain_s: Samples,
    pub plain_cpu_s: Samples,
    pub load_s: Samples,
    pub cow_mib: Samples,
    pub added_mib: Samples,
    /// The prober while a save is under way, milliseconds.
    pub p999: Samples,
    /// The prober of fork, save and rest, milliseconds.
    pub longest: Samples,
    /// The prober of the server at rest, and under writes only. One sample.
    pub idle_p999: Samples,
    pub written_p999: Samples,
    /// `p999` over these two.
    pub over_idle: Samples,
    pub over_written: Samples,
    pub writes_per_second: Samples,
}

/// Goals of the columns that every dataset has; limits of ratios.
#[derive(Clone, Copy, Debug)]
pub struct Goals {
    pub fork: Goal,
    pub compressed: Goal,
    pub plain: Goal,
    pub load: Goal,
    pub cow: Goal,
    pub longest: Goal,
}

impl Goals {
    /// For information.
    pub const NONE: Goals = Goals {
        fork: Goal::None,
        compressed: Goal::None,
        plain: Goal::None,
        load: Goal::None,
        cow: Goal::None,
        longest: Goal::None,
    };
}

/// Both servers with the dataset, and what has been seen of them.
#[derive(Debug)]
pub struct Study<'a> {
    pub arena: &'a Arena,
    pub scale: &'a Scale,
    pub dataset: Dataset,
    pub servers: [Server; 2],
    pub figures: Figures,
    /// What redis-server wrote with compression, for both to load.
    file: PathBuf,
}

impl<'a> Study<'a> {
    /// Starts and fills both servers, and looks at them at rest.
    pub fn begin(arena: &'a Arena, scale: &'a Scale, dataset: Dataset) -> io::Result<Study<'a>> {
        let servers =
            [arena.start_apart_from_child(Side::Redis)?, arena.start_apart_from_child(Side::Tintype)?];
        for server in &servers {
            eprintln!("  {:?}: {} keys, {}", server.side, dataset.keys, dataset.name);
            dataset.store(server)?;
        }
        let mut figures = Figures::default();
        for server in &servers {
            servers.iter().try_for_each(Server::settle)?;
            figures.idle_p999.push(server.side, Prober::watch(server.port, scale.idle)?.p999_ms);
        }
        let file = arena.directory()?.join("dump.rdb");
        Ok(Study { arena, scale, dataset, servers, figures, file })
    }

    /// A plan of so many saves, with the rests of all plans.
    pub fn plan(&self, saves: usize) -> Plan {
        let snapshot = &self.scale.snapshot;
        Plan { calm: snapshot.calm, saves, rest: snapshot.rest, span_min: Duration::ZERO }
    }

    /// One server under a plan, once both have come to rest.
    pub fn series(&self, server: &Server, plan: Plan, seed: u64) -> io::Result<Series> {
        self.servers.iter().try_for_each(Server::settle)?;
        series::run(server, &self.dataset, plan, seed)
    }

    /// Successive saves with compression, first of redis-server, then of Tintype.
    pub fn save_compressed(&mut self, saves: usize) -> io::Result<[Series; 2]> {
        let series = self.save_all("yes", saves, 1)?;
        for (side, series) in Side::BOTH.into_iter().zip(&series) {
            self.figures.add(side, series)?;
        }
        // A link keeps this file whatever the server writes later.
        fs::hard_link(self.servers[0].directory.join("dump.rdb"), &self.file)?;
        Ok(series)
    }

    pub fn save_plain(&mut self, saves: usize) -> io::Result<[Series; 2]> {
        let series = self.save_all("no", saves, 2)?;
        for (side, series) in Side::BOTH.into_iter().zip(&series) {
            for save in &series.saves {
                self.figures.plain_s.push(side, save.seconds());
                self.figures.plain_cpu_s.push(side, save.child_cpu_s);
            }
        }
        Ok(series)
    }

    fn save_all(&self, compression: &str, saves: usize, seed: u64) -> io::Result<[Series; 2]> {
        eprintln!("  saves, compression {compression}");
        let run = |server: &Server| {
            server.client()?.ask(&["CONFIG", "SET", "rdbcompression", compression])?;
            self.series(server, self.plan(saves), seed)
        };
        Ok([run(&self.servers[0])?, run(&self.servers[1])?])
    }

    /// Ends both servers, and starts them on redis-server's file in turn.
    pub fn load(self, loads: usize) -> io::Result<Figures> {
        let Study { arena, dataset, servers, mut figures, file, .. } = self;
        drop(servers);
        eprintln!("  loads");
        for _ in 0..loads {
            for side in Side::BOTH {
                figures.load_s.push(side, load(arena, side, &file, dataset.keys)?);
            }
        }
        fs::remove_file(&file)?;
        Ok(figures)
    }
}

/// Seconds until the server answers with the dataset loaded.
fn load(arena: &Arena, side: Side, file: &Path, keys: u64) -> io::Result<f64> {
    let directory = arena.directory()?;
    // No server writes into a file that it has loaded: a link is enough, and is no load on the disk.
    fs::hard_link(file, directory.join("dump.rdb"))?;
    // Into the page cache.
    io::copy(&mut File::open(file)?, &mut io::sink())?;
    let (server, time) = arena.start_in(side, &directory)?;
    super::super::expect_keys(&server, keys)?;
    eprintln!("    {side:?}: {:.3} s", time.as_secs_f64());
    Ok(time.as_secs_f64())
}

impl Figures {
    fn add(&mut self, side: Side, series: &Series) -> io::Result<()> {
        let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let idle_p999 = self.idle_p999.median(side);
        let written_p999 = series.trace.latency(&series.calm)?.p999_ms;
        self.written_p999.push(side, written_p999);
        self.writes_per_second.push(side, series.writes_per_second);
        for save in &series.saves {
            let p999 = series.through(save)?.p999_ms;
            self.fork_us.push(side, save.fork_us as f64);
            self.compressed_s.push(side, save.seconds());
            self.compressed_cpu_s.push(side, save.child_cpu_s);
            self.cow_mib.push(side, mebibytes(save.cow_bytes));
            self.added_mib.push(side, mebibytes(save.added_bytes));
            self.p999.push(side, p999);
            self.over_idle.push(side, p999 / idle_p999);
            self.over_written.push(side, p999 / written_p999);
            self.longest.push(side, series.around(save)?.longest_ms);
        }
        Ok(())
    }

    /// The columns that every dataset has.
    pub fn columns(&self, goals: &Goals) -> Vec<Row> {
        let row = |name: &str, goal, unit, samples: &Samples| Row::new(name, goal, unit, samples.clone());
        vec![
            row("- BGSAVE, compression on", goals.compressed, Unit::Seconds, &self.compressed_s),
            row("- - CPU of its child", Goal::None, Unit::Seconds, &self.compressed_cpu_s),
            row("- BGSAVE, compression off", goals.plain, Unit::Seconds, &self.plain_s),
            row("- - CPU of its child", Goal::None, Unit::Seconds, &self.plain_cpu_s),
            row("- start-up load of the compressed file", goals.load, Unit::Seconds, &self.load_s),
            row("- copy-on-write (rdb_last_cow_size)", goals.cow, Unit::Mebibytes, &self.cow_mib),
            row(
                "- memory added while saving (AnonPages of the machine)",
                Goal::None,
                Unit::Mebibytes,
                &self.added_mib,
            ),
            row(
                "- longest pause of the prober: fork, save and 3 s after",
                goals.longest,
                Unit::Milliseconds,
                &self.longest,
            ),
            row("- writes meanwhile", Goal::None, Unit::PerSecond, &self.writes_per_second),
        ]
    }
}
