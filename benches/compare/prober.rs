//! The prober: one PING every millisecond on its own thread, and how long each answer took.
//!
//! It runs on the load's core, in the kernel's real-time class where that is permitted, so that a busy load
//! generator does not look like a stalled server. After an answer that took longer than the interval, the
//! PINGs that could not be sent meanwhile are counted with the waiting they would have had; the maximum is
//! not affected by that.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_millis(1);
const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";
const PONG: &[u8; 7] = b"+PONG\r\n";

/// What one probing saw, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Latency {
    pub longest_ms: f64,
    pub p999_ms: f64,
}

#[derive(Debug)]
pub struct Prober {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<Vec<Duration>>>,
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
        self.stop.store(true, Ordering::Relaxed);
        let answers = self.thread.join().map_err(|_| io::Error::other("the prober panicked"))??;
        summarize(&answers)
    }
}

fn probe(mut stream: TcpStream, stop: &AtomicBool) -> io::Result<Vec<Duration>> {
    rise();
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
        answers.push(answered - sent);
        due = (due + INTERVAL).max(answered);
    }
    Ok(answers)
}

/// Asks for the real-time class for this thread; without the privilege it stays as it is.
fn rise() {
    let thread = nix::unistd::gettid().to_string();
    let mut command = Command::new("chrt");
    command.args(["--fifo", "--pid", "10", &thread]).stdout(Stdio::null()).stderr(Stdio::null());
    // A refusal only makes the noise larger, and the noise is measured too.
    if !command.status().is_ok_and(|status| status.success()) {
        eprintln!("  (the prober may not run in the real-time class: its noise includes the load's core)");
    }
}

fn summarize(answers: &[Duration]) -> io::Result<Latency> {
    let longest = answers.iter().max().ok_or_else(|| io::Error::other("the prober got no answer"))?;
    let mut samples = Vec::with_capacity(answers.len());
    for answer in answers {
        let mut waiting = *answer;
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
