//! A writer that keeps a pace: so many requests a second, a few every millisecond, on its own thread.
//!
//! It runs on the load's core in the real-time class, below the prober, where that is permitted: what a saving child
//! does to that core must not change what the server is asked for. When a server holds it up it sends afterwards what
//! it owes, in batches of at most `BATCH_MAX` a millisecond, so that every server gets the same number of requests.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::load::{Load, Source};
use crate::machine;

const INTERVAL: Duration = Duration::from_millis(1);
const BATCH_MAX: usize = 100;
/// Below the prober's.
const PRIORITY: u8 = 5;

#[derive(Debug)]
pub struct Paced {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<f64>>,
}

impl Paced {
    pub fn start(port: u16, source: Box<dyn Source + Send>, per_second: u32) -> io::Result<Paced> {
        let load = Load::connect(port, 1, BATCH_MAX)?;
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let work = move || write(load, source, per_second, &told);
        let thread = thread::Builder::new().name("paced writer".to_string()).spawn(work)?;
        Ok(Paced { stop, thread })
    }

    /// Stops writing; requests per second that were answered.
    pub fn finish(self) -> io::Result<f64> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| io::Error::other("the paced writer panicked"))?
    }
}

fn write(
    mut load: Load,
    mut source: Box<dyn Source + Send>,
    per_second: u32,
    stop: &AtomicBool,
) -> io::Result<f64> {
    // The prober says so when this is refused.
    let _ = machine::rise(PRIORITY);
    let started = Instant::now();
    let mut sent = 0;
    let mut due = started + INTERVAL;
    while !stop.load(Ordering::Relaxed) {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        due = (due + INTERVAL).max(Instant::now());
        let owed = (started.elapsed().as_secs_f64() * f64::from(per_second)) as usize;
        let owed = owed.saturating_sub(sent);
        if owed > 0 {
            sent += load.send(source.as_mut(), owed.min(BATCH_MAX))?;
        }
    }
    load.collect()?;
    Ok(sent as f64 / started.elapsed().as_secs_f64())
}
