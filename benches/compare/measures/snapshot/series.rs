//! One save, and a series of saves of one server under writes and under the eye of the prober.

use std::io;
use std::ops::Range;
use std::thread;
use std::time::{Duration, Instant};

use super::Dataset;
use crate::client::Client;
use crate::machine;
use crate::paced::Paced;
use crate::prober::{Latency, Prober, Trace};
use crate::servers::Server;

const POLL: Duration = Duration::from_millis(10);
const LIMIT: Duration = Duration::from_secs(900);

/// How a series goes.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Writes before the first save.
    pub calm: Duration,
    pub saves: usize,
    /// After each save.
    pub rest: Duration,
    /// The rest lasts until so long after BGSAVE, if that is later.
    pub span_min: Duration,
}

/// A save that succeeded.
#[derive(Clone, Debug)]
pub struct Save {
    /// `latest_fork_usec`.
    pub fork_us: u64,
    /// From the request until nothing is being saved any more.
    pub time: Range<Instant>,
    /// CPU time of the child: what others do on the load's core lengthens a save, but not this.
    pub child_cpu_s: f64,
    /// `rdb_last_cow_size`.
    pub cow_bytes: u64,
    /// What anonymous memory of the whole machine grew by at most meanwhile.
    pub added_bytes: u64,
}

impl Save {
    pub fn seconds(&self) -> f64 {
        (self.time.end - self.time.start).as_secs_f64()
    }
}

/// What became of a plan.
#[derive(Debug)]
pub struct Series {
    pub saves: Vec<Save>,
    /// Before the first save, under writes.
    pub calm: Range<Instant>,
    /// Resident bytes at the end of the calm stretch.
    pub rss_before: u64,
    /// Resident bytes after the last rest.
    pub rss_after: u64,
    pub trace: Trace,
    pub writes_per_second: f64,
    rest: Duration,
}

impl Series {
    /// The prober during a save.
    pub fn through(&self, save: &Save) -> io::Result<Latency> {
        self.trace.latency(&save.time)
    }

    /// The prober during fork, save and the rest after it.
    pub fn around(&self, save: &Save) -> io::Result<Latency> {
        self.trace.latency(&(save.time.start..save.time.end + self.rest))
    }
}

/// Carries out a plan. The same seed gives every server the same writes.
pub fn run(server: &Server, dataset: &Dataset, plan: Plan, seed: u64) -> io::Result<Series> {
    let source = dataset.update.endless(dataset.keys, seed);
    let prober = Prober::start(server.port)?;
    let writer = Paced::start(server.port, source, dataset.updates_per_second)?;
    let began = Instant::now();
    thread::sleep(plan.calm);
    let calm = began..Instant::now();
    let rss_before = server.rss_bytes()?;
    let mut saves = Vec::new();
    for _ in 0..plan.saves {
        let done = save(server)?;
        let until = (done.time.end + plan.rest).max(done.time.start + plan.span_min);
        thread::sleep(until.saturating_duration_since(Instant::now()));
        saves.push(done);
    }
    let rss_after = server.rss_bytes()?;
    let writes_per_second = writer.finish()?;
    let trace = prober.trace()?;
    Ok(Series { saves, calm, rss_before, rss_after, trace, writes_per_second, rest: plan.rest })
}

/// BGSAVE, until it has ended well.
///
/// # Errors
/// When it does not, with the server's reason.
pub fn save(server: &Server) -> io::Result<Save> {
    let mut client = server.client()?;
    let before_bytes = machine::memory_bytes("AnonPages")?;
    let cpu_before_s = children_cpu_s(&mut client)?;
    let mut added_bytes = 0;
    let asked = Instant::now();
    client.ask(&["BGSAVE"])?;
    while client.info("persistence", "rdb_bgsave_in_progress")? != 0 {
        if asked.elapsed() > LIMIT {
            return Err(io::Error::other(format!("BGSAVE of {:?} does not end", server.side)));
        }
        let bytes = machine::memory_bytes("AnonPages")?;
        added_bytes = added_bytes.max(bytes.saturating_sub(before_bytes));
        thread::sleep(POLL);
    }
    let time = asked..Instant::now();
    expect_saved(server, &mut client)?;
    let fork_us = client.info("stats", "latest_fork_usec")?;
    let cow_bytes = client.info("persistence", "rdb_last_cow_size")?;
    let child_cpu_s = children_cpu_s(&mut client)? - cpu_before_s;
    let save = Save { fork_us, time, child_cpu_s, cow_bytes, added_bytes };
    let (side, seconds) = (server.side, save.seconds());
    eprintln!(
        "    {side:?}: {seconds:.3} s ({child_cpu_s:.3} s CPU), fork {fork_us} us, copied {cow_bytes} B"
    );
    Ok(save)
}

/// CPU time of all children that have ended.
fn children_cpu_s(client: &mut Client) -> io::Result<f64> {
    let mut seconds = 0.0;
    for name in ["used_cpu_user_children", "used_cpu_sys_children"] {
        let text = client.info_text("cpu", name)?;
        seconds += text.parse::<f64>().map_err(|_| io::Error::other(format!("{name} is '{text}'")))?;
    }
    Ok(seconds)
}

fn expect_saved(server: &Server, client: &mut Client) -> io::Result<()> {
    let status = client.info_text("persistence", "rdb_last_bgsave_status")?;
    if status == "ok" {
        return Ok(());
    }
    // redis-server gives the reason in its log only.
    let reason = client.info_text("persistence", "rdb_last_bgsave_error").unwrap_or_default();
    Err(server.failed(&format!("ended a BGSAVE with '{status}' {reason}")))
}
