//! CPU time of the server per SET and GET at pipeline 16 when what operators and caches ask for is on: a user with
//! rules, keyspace notifications with a subscriber to `expired`, and a client that is told of every changed key.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use super::CONNECTIONS;
use crate::load::{Command, Load, Pool, Until, Value};
use crate::options::Scale;
use crate::report::{Goal, Row, Samples, Unit};
use crate::servers::{Arena, Server, Side};

const VALUE: Value = Value::Text(64);
const PIPELINE: usize = 16;
const USER: &[&str] =
    &["ACL", "SETUSER", "app", "on", ">secret", "~key:*", "~session:*", "+@all", "-@dangerous"];
const LOG_IN: &[u8] = b"*3\r\n$4\r\nAUTH\r\n$3\r\napp\r\n$6\r\nsecret\r\n";
/// How often a watcher is looked for before it is given up.
const LOOKS: usize = 200;

/// What is on.
#[derive(Clone, Copy, Debug)]
struct Case {
    name: &'static str,
    user: bool,
    notifications: bool,
    tracking: bool,
    goal: Goal,
}

const CASES: [Case; 4] = [
    Case { name: "an ACL user", user: true, notifications: false, tracking: false, goal: Goal::None },
    Case { name: "notifications", user: false, notifications: true, tracking: false, goal: Goal::None },
    Case { name: "a BCAST client", user: false, notifications: false, tracking: true, goal: Goal::None },
    Case { name: "all three", user: true, notifications: true, tracking: true, goal: Goal::Ratio(0.65) },
];

pub fn run(arena: &Arena, scale: &Scale) -> io::Result<Vec<Row>> {
    let mut pools = [
        ("SET", Pool::new(Command::Set(VALUE), scale.keys, 2)),
        ("GET", Pool::new(Command::Get, scale.keys, 3)),
    ];
    let mut figures = vec![Samples::EMPTY; CASES.len() * pools.len()];
    for round in 0..scale.rounds {
        eprintln!("  round {}", round + 1);
        let mut slots = figures.iter_mut();
        for case in &CASES {
            let servers = [arena.start(Side::Redis)?, arena.start(Side::Tintype)?];
            for server in &servers {
                super::fill(server, Command::Set(VALUE), scale.keys, 64)?;
                prepare(server, case)?;
                server.settle()?;
            }
            for ((name, pool), samples) in pools.iter_mut().zip(slots.by_ref()) {
                for server in &servers {
                    pool.rewind(round);
                    let cpu_ns = measure(server, case, pool, scale)?;
                    eprintln!("    {:?}, {name} with {}: {cpu_ns:.0} ns", server.side, case.name);
                    samples.push(server.side, cpu_ns);
                }
            }
        }
    }
    let names = CASES.iter().flat_map(|case| ["SET", "GET"].map(|name| (case, name)));
    let row = |((case, name), samples): ((&Case, &str), Samples)| {
        let title = format!("server CPU per {name}, pipeline {PIPELINE}, with {}", case.name);
        Row::new(title, case.goal, Unit::Nanoseconds, samples)
    };
    Ok(names.zip(figures).map(row).collect())
}

fn prepare(server: &Server, case: &Case) -> io::Result<()> {
    let mut client = server.client()?;
    if case.user {
        client.ask(USER)?;
    }
    if case.notifications {
        client.ask(&["CONFIG", "SET", "notify-keyspace-events", "KEA"])?;
        watch(server, b"SUBSCRIBE __keyevent@0__:expired\r\n", ("stats", "pubsub_channels"))?;
    }
    if case.tracking {
        watch(server, b"HELLO 3\r\nCLIENT TRACKING ON BCAST\r\n", ("clients", "tracking_clients"))?;
    }
    Ok(())
}

/// A client that asks once and then takes what it is sent for as long as the server runs. INFO shows that it is there.
fn watch(server: &Server, request: &[u8], (section, field): (&str, &str)) -> io::Result<()> {
    let mut stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], server.port)))?;
    stream.write_all(request)?;
    thread::spawn(move || {
        let mut buffer = vec![0; 256 << 10];
        while stream.read(&mut buffer).is_ok_and(|count| count > 0) {}
    });
    let mut client = server.client()?;
    for _ in 0..LOOKS {
        if client.info(section, field)? > 0 {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(10));
    }
    Err(server.failed(&format!("shows no {field}")))
}

fn measure(server: &Server, case: &Case, pool: &mut Pool, scale: &Scale) -> io::Result<f64> {
    let mut load = Load::connect(server.port, CONNECTIONS, PIPELINE)?;
    if case.user {
        load.begin(LOG_IN)?;
    }
    load.drive(pool, Until::Passed(scale.warm_up))?;
    let before = super::cpu_at_rest(server)?;
    let done = load.drive(pool, Until::Passed(scale.load))?;
    let after = super::cpu_at_rest(server)?;
    Ok((after - before) as f64 / done.requests as f64)
}
