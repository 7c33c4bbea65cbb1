//! The prober: one PING every millisecond on its own thread, and how long each answer took.
//!
//! It runs on the load's core, in the kernel's real-time class where that is permitted, so that a busy load
//! generator does not look like a stalled server. After an answer that took longer than the interval, the
//! PINGs that could not be sent meanwhile are counted with the waiting they would have had; the maximum is
//! not affected by that.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::machine;

const INTERVAL: Duration = Duration::from_millis(1);
/// Above the paced writer's.
const PRIORITY: u8 = 10;
const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";
const PONG: &[u8; 7] = b"+PONG\r\n";

/// What one probing saw, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Latency {
    pub longest_ms: f64,
    pub p999_ms: f64,
}

/// One PING and its answer.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    pub sent: Instant,
    pub took: Duration,
}

/// All answers, in order.
#[derive(Debug)]
pub struct Trace(Vec<Answer>);

impl Trace {
    /// What was asked or still unanswered at any time of the window: a server that stops at its start holds up
    /// a PING that was sent before.
    pub fn within(&self, window: &Range<Instant>) -> &[Answer] {
        let first = self.0.partition_point(|answer| answer.sent + answer.took < window.start);
        let end = self.0.partition_point(|answer| answer.sent < window.end);
        &self.0[first..end.max(first)]
    }

    pub fn latency(&self, window: &Range<Instant>) -> io::Result<Latency> {
        summarize(self.within(window))
    }
}

#[derive(Debug)]
pub struct Prober {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<Vec<Answer>>>,
}

impl Prober {
    /// Connects to the server and starts to probe it.
    pub fn start(port: u16) -> io::Result<Prober> {
        let stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port)))?;
        stream.set_nodelay(true)?;
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = thread::Builder::new().name("prober".to_string()).spawn(move || probe(stream, &told))?;
        Ok(Prober { stop, thread })
    }

    /// Probes for a while with nothing else to do.
    pub fn watch(port: u16, time: Duration) -> io::Result<Latency> {
        let prober = Prober::start(port)?;
        thread::sleep(time);
        prober.finish()
    }

    pub fn finish(self) -> io::Result<Latency> {
        summarize(&self.trace()?.0)
    }

    /// Stops probing; every answer with its time.
    pub fn trace(self) -> io::Result<Trace> {
        self.stop.store(true, Ordering::Relaxed);
        Ok(Trace(self.thread.join().map_err(|_| io::Error::other("the prober panicked"))??))
    }
}

fn probe(mut stream: TcpStream, stop: &AtomicBool) -> io::Result<Vec<Answer>> {
    // A refusal only makes the noise larger, and the noise is measured too.
    if machine::rise(PRIORITY).is_err() {
        eprintln!("  (the prober may not run in the real-time class: its noise includes the load's core)");
    }
    let mut answers = Vec::new();
    let mut due = Instant::now() + INTERVAL;
    while !stop.load(Ordering::Relaxed) {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let sent = Instant::now();
        stream.write_all(PING)?;
        let mut answer = [0; PONG.len()];
        stream.read_exact(&mut answer)?;
        let answered = Instant::now();
        if answer != *PONG {
            return Err(io::Error::other("the prober got something else than PONG"));
        }
        answers.push(Answer { sent, took: answered - sent });
        due = (due + INTERVAL).max(answered);
    }
    Ok(answers)
}

fn summarize(answers: &[Answer]) -> io::Result<Latency> {
    let longest = answers
        .iter()
        .map(|answer| answer.took)
        .max()
        .ok_or_else(|| io::Error::other("the prober got no answer"))?;
    let mut samples = Vec::with_capacity(answers.len());
    for answer in answers {
        let mut waiting = answer.took;
        samples.push(waiting);
        while waiting > INTERVAL {
            waiting -= INTERVAL;
            samples.push(waiting);
        }
    }
    samples.sort_unstable();
    let p999 = samples[(samples.len() * 999 / 1000).min(samples.len() - 1)];
    Ok(Latency { longest_ms: longest.as_secs_f64() * 1e3, p999_ms: p999.as_secs_f64() * 1e3 })
}
