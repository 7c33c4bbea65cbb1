//! PUBLISH to many subscribers.
//!
//! - To 1,000, messages delivered per second, from the first PUBLISH until the last byte has arrived everywhere, and
//!   CPU time of the server for each. Publishers wait for the reply of one PUBLISH before they send the next.
//! - How long a single PUBLISH takes until all of them have it, the server having nothing else to do.
//! - To 10,000, how long others wait meanwhile: the prober's longest PING.
//!
//! All subscribers are read by one thread on the load's core (listeners.rs), beside the publishers.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use crate::listeners::Listeners;
use crate::load::{Load, Source, Until};
use crate::options::Scale;
use crate::prober::Prober;
use crate::report::{Goal, Row, Samples, Unit};
use crate::servers::{Arena, Server, Side};

const CHANNEL: &str = "news";
/// Connections beyond the subscribers': publishers, the prober, questions.
const MAXCLIENTS: &str = "12000";
const SINGLES: u32 = 20;

/// One kind of load.
#[derive(Clone, Copy, Debug)]
struct Shape {
    publishers: usize,
    message_bytes: usize,
}

const SHAPES: [Shape; 4] = [
    Shape { publishers: 1, message_bytes: 64 },
    Shape { publishers: 8, message_bytes: 64 },
    Shape { publishers: 1, message_bytes: 4096 },
    Shape { publishers: 8, message_bytes: 4096 },
];

impl Shape {
    fn name(self) -> String {
        let Shape { publishers, message_bytes } = self;
        let plural = if publishers == 1 { "" } else { "s" };
        format!("{publishers} publisher{plural}, {message_bytes} B")
    }
}

#[derive(Default, Debug)]
struct Figures {
    rate: Samples,
    cpu_ns: Samples,
    busy: Samples,
}

#[derive(Default, Debug)]
struct Crowd {
    single_ms: Samples,
    longest_ms: Samples,
    idle_ms: Samples,
    all_ms: Samples,
}

pub fn run(arena: &Arena, scale: &Scale) -> io::Result<Vec<Row>> {
    let mut figures: Vec<Figures> = Vec::new();
    figures.resize_with(SHAPES.len(), Figures::default);
    let mut crowd = Crowd::default();
    for round in 0..scale.rounds {
        eprintln!("  round {}", round + 1);
        for (shape, figures) in SHAPES.iter().zip(&mut figures) {
            for side in Side::BOTH {
                let server = arena.start(side)?;
                measure(&server, *shape, scale, figures)?;
            }
        }
        for side in Side::BOTH {
            single(&arena.start(side)?, scale, &mut crowd)?;
            beside(&arena.start_with(side, &["--maxclients", MAXCLIENTS])?, scale, &mut crowd)?;
        }
    }
    let rows = SHAPES.iter().zip(figures).flat_map(|(shape, figures)| rows(*shape, scale, figures));
    Ok(rows.chain(crowd_rows(scale, crowd)).collect())
}

/// One PUBLISH again and again.
#[derive(Debug)]
struct Publish {
    request: Vec<u8>,
    batch: Vec<u8>,
    /// Of what each subscriber gets.
    message_length: usize,
}

impl Publish {
    fn new(message_bytes: usize) -> Publish {
        let message = "m".repeat(message_bytes);
        let head = format!("${}\r\n{CHANNEL}\r\n${message_bytes}\r\n", CHANNEL.len());
        let request = format!("*3\r\n$7\r\nPUBLISH\r\n{head}{message}\r\n").into_bytes();
        let message_length = format!("*3\r\n$7\r\nmessage\r\n{head}{message}\r\n").len();
        Publish { request, batch: Vec::new(), message_length }
    }
}

impl Source for Publish {
    fn next(&mut self, count: usize) -> (usize, &[u8]) {
        self.batch.clear();
        (0..count).for_each(|_| self.batch.extend_from_slice(&self.request));
        (count, &self.batch)
    }
}

fn measure(server: &Server, shape: Shape, scale: &Scale, figures: &mut Figures) -> io::Result<()> {
    let listeners = Listeners::connect(server.port, scale.subscribers, CHANNEL)?;
    let mut publish = Publish::new(shape.message_bytes);
    let everybody = (publish.message_length * scale.subscribers) as u64;
    let mut load = Load::connect(server.port, shape.publishers, 1)?;
    let warm = load.drive(&mut publish, Until::Passed(scale.warm_up))?;
    listeners.wait_for(warm.requests * everybody)?;
    let before = super::cpu_at_rest(server)?;
    let started = Instant::now();
    let done = load.drive(&mut publish, Until::Passed(scale.load))?;
    listeners.wait_for((warm.requests + done.requests) * everybody)?;
    let seconds = started.elapsed().as_secs_f64();
    let cpu_ns = (super::cpu_at_rest(server)? - before) as f64;
    let messages = (done.requests * scale.subscribers as u64) as f64;
    let (rate, per_message, busy) = (messages / seconds, cpu_ns / messages, cpu_ns / seconds / 1e7);
    eprintln!(
        "    {:?}, {}: {:.0} k/s, {per_message:.0} ns, {busy:.0} % busy",
        server.side,
        shape.name(),
        rate / 1e3
    );
    figures.rate.push(server.side, rate);
    figures.cpu_ns.push(server.side, per_message);
    figures.busy.push(server.side, busy);
    Ok(())
}

/// From one PUBLISH until everybody has it, on an idle server.
fn single(server: &Server, scale: &Scale, crowd: &mut Crowd) -> io::Result<()> {
    let listeners = Listeners::connect(server.port, scale.subscribers, CHANNEL)?;
    let mut times = publish_singly(server, &listeners, scale.subscribers)?;
    times.sort_unstable();
    crowd.single_ms.push(server.side, times[times.len() / 2].as_secs_f64() * 1e3);
    Ok(())
}

fn publish_singly(server: &Server, listeners: &Listeners, subscribers: usize) -> io::Result<Vec<Duration>> {
    let mut publish = Publish::new(64);
    let everybody = (publish.message_length * subscribers) as u64;
    let mut load = Load::connect(server.port, 1, 1)?;
    let mut times = Vec::new();
    for number in 1..=u64::from(SINGLES) {
        let started = Instant::now();
        load.send(&mut publish, 1)?;
        load.collect()?;
        listeners.wait_for(number * everybody)?;
        times.push(started.elapsed());
        thread::sleep(Duration::from_millis(20));
    }
    Ok(times)
}

/// How long a PING takes while many are told something.
fn beside(server: &Server, scale: &Scale, crowd: &mut Crowd) -> io::Result<()> {
    let listeners = Listeners::connect(server.port, scale.crowd, CHANNEL)?;
    server.settle()?;
    let idle = Prober::watch(server.port, scale.idle.min(Duration::from_secs(1)))?;
    let prober = Prober::start(server.port)?;
    let mut times = publish_singly(server, &listeners, scale.crowd)?;
    let busy = prober.finish()?;
    times.sort_unstable();
    let all_ms = times[times.len() / 2].as_secs_f64() * 1e3;
    eprintln!(
        "    {:?}, {}: {:.2} ms for a PING, {all_ms:.2} ms for all",
        server.side, scale.crowd, busy.longest_ms
    );
    crowd.longest_ms.push(server.side, busy.longest_ms);
    crowd.idle_ms.push(server.side, idle.longest_ms);
    crowd.all_ms.push(server.side, all_ms);
    Ok(())
}

fn rows(shape: Shape, scale: &Scale, figures: Figures) -> [Row; 3] {
    let load = format!("PUBLISH to {} subscribers, {}", scale.subscribers, shape.name());
    [
        Row::new(format!("{load}: messages/s"), Goal::AtLeast(2.0), Unit::PerSecond, figures.rate),
        Row::new("- server CPU per message", Goal::None, Unit::Nanoseconds, figures.cpu_ns),
        Row::new("- server busy", Goal::None, Unit::Percent, figures.busy),
    ]
}

fn crowd_rows(scale: &Scale, crowd: Crowd) -> [Row; 4] {
    let Scale { subscribers, crowd: many, .. } = scale;
    let row = |name: String, samples| Row::new(name, Goal::None, Unit::Milliseconds, samples);
    [
        row(format!("one PUBLISH until all {subscribers} have it"), crowd.single_ms),
        row(format!("longest PING of another client while {many} subscribers are told"), crowd.longest_ms),
        row("- longest before, nobody publishing".to_string(), crowd.idle_ms),
        row(format!("- one PUBLISH until all {many} have it"), crowd.all_ms),
    ]
}
