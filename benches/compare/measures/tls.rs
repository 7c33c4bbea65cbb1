//! Requests per second and the server's CPU time per request over TLS 1.3, under SET and GET of 64 B values.
//!
//! Both servers have the same certificate, and the client decides on the same suite. `busy` says how much of its core
//! the server used; far below 100 % the load generator was the bottleneck, and the rates lie closer together than the
//! servers do.

use std::io;

use crate::load::{Command, Load, Pool, Until, Value};
use crate::machine;
use crate::options::Scale;
use crate::report::{Goal, Row, Samples, Unit};
use crate::secure::Certificate;
use crate::servers::{Arena, Server, Side, free_port};

const VALUE: Value = Value::Text(64);
const CONNECTIONS: usize = 50;
const PIPELINES: [usize; 2] = [1, 16];
/// Requests per second.
const GOAL: f64 = 1.2;

/// What all rounds of one pipeline and command gave.
#[derive(Default, Debug)]
struct Figures {
    rate: Samples,
    cpu_ns: Samples,
    busy: Samples,
}

/// A server, and where it speaks TLS.
struct Secured {
    server: Server,
    port: u16,
}

impl Secured {
    fn start(arena: &Arena, side: Side, certificate: &Certificate) -> io::Result<Secured> {
        let port = free_port()?;
        let number = port.to_string();
        let arguments: Vec<&str> =
            ["--tls-port", &number].into_iter().chain(certificate.arguments()).collect();
        Ok(Secured { server: arena.start_with(side, &arguments)?, port })
    }
}

pub fn run(arena: &Arena, scale: &Scale) -> io::Result<Vec<Row>> {
    let certificate = Certificate::make(arena.root())?;
    let mut pools = [
        ("SET", Pool::new(Command::Set(VALUE), scale.keys, 2)),
        ("GET", Pool::new(Command::Get, scale.keys, 3)),
    ];
    let servers = [Side::Redis, Side::Tintype].map(|side| Secured::start(arena, side, &certificate));
    let servers = servers.into_iter().collect::<io::Result<Vec<_>>>()?;
    for Secured { server, .. } in &servers {
        super::fill(server, Command::Set(VALUE), scale.keys, 64)?;
        server.settle()?;
    }
    let mut figures: Vec<Figures> = Vec::new();
    figures.resize_with(PIPELINES.len() * pools.len(), Figures::default);
    for round in 0..scale.rounds {
        eprintln!("  round {}", round + 1);
        let mut slots = figures.iter_mut();
        for pipeline in PIPELINES {
            for ((name, pool), slot) in pools.iter_mut().zip(slots.by_ref()) {
                for secured in &servers {
                    pool.rewind(round);
                    let load = Load::connect_secure(secured.port, CONNECTIONS, pipeline, &certificate)?;
                    eprint!("    {:?}, {name}, pipeline {pipeline}: ", secured.server.side);
                    measure(&secured.server, load, pool, (scale, &mut *slot))?;
                }
            }
        }
    }
    let names = PIPELINES.iter().flat_map(|pipeline| ["SET", "GET"].map(|name| (pipeline, name)));
    Ok(names.zip(figures).flat_map(|((pipeline, name), figures)| rows(*pipeline, name, figures)).collect())
}

fn measure(
    server: &Server,
    mut load: Load,
    pool: &mut Pool,
    (scale, figures): (&Scale, &mut Figures),
) -> io::Result<()> {
    load.drive(pool, Until::Passed(scale.warm_up))?;
    let before = super::cpu_at_rest(server)?;
    let generator_before = machine::cpu_ns(std::process::id())?;
    let done = load.drive(pool, Until::Passed(scale.load))?;
    let generator_ns = (machine::cpu_ns(std::process::id())? - generator_before) as f64;
    let cpu_ns = (super::cpu_at_rest(server)? - before) as f64;
    let (requests, seconds) = (done.requests as f64, done.time.as_secs_f64());
    let [busy, generator] = [cpu_ns, generator_ns].map(|cpu_ns| cpu_ns / seconds / 1e7);
    eprintln!(
        "{:.0}/s, {:.0} ns, server {busy:.0} % busy, generator {generator:.0} %",
        requests / seconds,
        cpu_ns / requests
    );
    figures.rate.push(server.side, requests / seconds);
    figures.cpu_ns.push(server.side, cpu_ns / requests);
    figures.busy.push(server.side, busy);
    Ok(())
}

fn rows(pipeline: usize, name: &str, figures: Figures) -> [Row; 3] {
    let load = format!("TLS, {name}, pipeline {pipeline}, {CONNECTIONS} connections");
    [
        Row::new(format!("{load}: requests/s"), Goal::AtLeast(GOAL), Unit::PerSecond, figures.rate),
        Row::new(format!("{load}: server CPU per request"), Goal::None, Unit::Nanoseconds, figures.cpu_ns),
        Row::new(format!("{load}: server busy"), Goal::None, Unit::Percent, figures.busy),
    ]
}
