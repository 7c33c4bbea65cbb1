//! CPU time of the server per request, and requests per second, under SET and GET of 64 B values.
//!
//! CPU per request is what a server costs; requests per second also contains how well it overlaps with the
//! load generator. `busy` says how much of its core the server used: far below 100 % means that the generator
//! was the bottleneck, and that the server saw smaller batches of events than it could have had. The
//! generator's own share of its core is told with the progress.

use std::io;

use super::CONNECTIONS;
use crate::load::{Command, Load, Pool, Until, Value};
use crate::machine;
use crate::options::Scale;
use crate::report::{Goal, Row, Samples, Unit};
use crate::servers::{Arena, Server, Side};

const VALUE: Value = Value::Text(64);

/// One kind of load.
#[derive(Clone, Copy, Debug)]
struct Shape {
    pipeline: usize,
    connections: usize,
    goal: f64,
}

const SHAPES: [Shape; 3] = [
    Shape { pipeline: 16, connections: CONNECTIONS, goal: 0.55 },
    Shape { pipeline: 64, connections: CONNECTIONS, goal: 0.55 },
    Shape { pipeline: 1, connections: 50, goal: 0.90 },
];

/// What all rounds of one shape and command gave.
#[derive(Default, Debug)]
struct Figures {
    cpu_ns: Samples,
    rate: Samples,
    busy: Samples,
}

pub fn run(arena: &Arena, scale: &Scale) -> io::Result<Vec<Row>> {
    let mut pools = [
        ("SET", Pool::new(Command::Set(VALUE), scale.keys, 2)),
        ("GET", Pool::new(Command::Get, scale.keys, 3)),
    ];
    let servers = [arena.start(Side::Redis)?, arena.start(Side::Tintype)?];
    for server in &servers {
        super::fill(server, Command::Set(VALUE), scale.keys, 64)?;
        server.settle()?;
    }
    let mut figures: Vec<Figures> = Vec::new();
    figures.resize_with(SHAPES.len() * pools.len(), Figures::default);
    for round in 0..scale.rounds {
        eprintln!("  round {}", round + 1);
        let mut slots = figures.iter_mut();
        for shape in &SHAPES {
            for ((name, pool), slot) in pools.iter_mut().zip(slots.by_ref()) {
                for server in &servers {
                    pool.rewind(round);
                    let run = measure(server, shape, pool, scale)?;
                    eprintln!("    {:?}, {name}, pipeline {}: {}", server.side, shape.pipeline, run.text());
                    run.enter(slot, server.side);
                }
            }
        }
    }
    let names = SHAPES.iter().flat_map(|shape| ["SET", "GET"].map(|name| (shape, name)));
    Ok(names.zip(figures).flat_map(|((shape, name), figures)| rows(shape, name, figures)).collect())
}

/// One run of load against one server.
#[derive(Debug)]
struct Run {
    requests: f64,
    cpu_ns: f64,
    generator_ns: f64,
    seconds: f64,
}

impl Run {
    fn text(&self) -> String {
        let busy = [self.cpu_ns, self.generator_ns].map(|cpu_ns| cpu_ns / self.seconds / 1e7);
        let per_request = self.cpu_ns / self.requests;
        format!("{per_request:.0} ns, server {:.0} % busy, generator {:.0} %", busy[0], busy[1])
    }

    fn enter(&self, figures: &mut Figures, side: Side) {
        figures.cpu_ns.push(side, self.cpu_ns / self.requests);
        figures.rate.push(side, self.requests / self.seconds);
        figures.busy.push(side, self.cpu_ns / self.seconds / 1e7);
    }
}

fn measure(server: &Server, shape: &Shape, pool: &mut Pool, scale: &Scale) -> io::Result<Run> {
    let mut load = Load::connect(server.port, shape.connections, shape.pipeline)?;
    load.drive(pool, Until::Passed(scale.warm_up))?;
    let before = super::cpu_at_rest(server)?;
    let generator_before = machine::cpu_ns(std::process::id())?;
    let done = load.drive(pool, Until::Passed(scale.load))?;
    let generator_after = machine::cpu_ns(std::process::id())?;
    let after = super::cpu_at_rest(server)?;
    Ok(Run {
        requests: done.requests as f64,
        cpu_ns: (after - before) as f64,
        generator_ns: (generator_after - generator_before) as f64,
        seconds: done.time.as_secs_f64(),
    })
}

fn rows(shape: &Shape, name: &str, figures: Figures) -> [Row; 3] {
    let Shape { pipeline, connections, goal } = shape;
    let load = format!("{name}, pipeline {pipeline}, {connections} connections");
    let cpu = format!("server CPU per {load}");
    [
        Row::new(cpu, Goal::Ratio(*goal), Unit::Nanoseconds, figures.cpu_ns),
        Row::new(format!("{load}: requests/s"), Goal::None, Unit::PerSecond, figures.rate),
        Row::new(format!("{load}: server busy"), Goal::None, Unit::Percent, figures.busy),
    ]
}
