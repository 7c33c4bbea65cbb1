//! Lua scripts: CPU time of the server per EVALSHA, per cjson document, and what an interpreter takes.
//!
//! Each script is loaded once and called by its digest. `cjson` runs within one call many times over, so that what is
//! measured is not how ten kilobytes come over the network; decoding is a small part of what encoding shows.

use std::io;
use std::thread;

use super::CONNECTIONS;
use crate::forms::{Form, Prepared};
use crate::load::{Load, Source, Until};
use crate::options::Scale;
use crate::report::{Goal, Row, Samples, Unit};
use crate::servers::{Arena, Server, Side};

const EMPTY: &str = "return";
/// What a rate limiter does.
const FIVE_CALLS: &str = "
    local limit = redis.call('GET', KEYS[1])
    local count = redis.call('INCR', KEYS[2])
    redis.call('EXPIRE', KEYS[2], 60)
    redis.call('HSET', KEYS[3], 'last', ARGV[1], 'count', count)
    redis.call('SET', KEYS[1], 100)
    return count";
const THOUSAND_CALLS: &str = "for i = 1, 1000 do redis.call('incr', KEYS[1]) end return 1";
const DECODE: &str = "for i = 1, 20 do cjson.decode(ARGV[1]) end return 1";
const ENCODE: &str = "local t = cjson.decode(ARGV[1]) for i = 1, 20 do cjson.encode(t) end return 1";
const DOCUMENTS_PER_CALL: f64 = 20.0;
const DOCUMENT_BYTES: usize = 10_000;
/// Requests of a form that are written beforehand.
const REQUESTS: u64 = 100_000;

/// What follows the digest in a call.
#[derive(Clone, Copy, Debug)]
enum Arguments {
    Words(&'static str),
    Document,
}

/// One script under load.
#[derive(Clone, Copy, Debug)]
struct Case {
    name: &'static str,
    script: &'static str,
    arguments: Arguments,
    connections: usize,
    pipeline: usize,
    /// What one call does so many times.
    repeats: f64,
    goal: Goal,
}

const LIMITER: Arguments = Arguments::Words("3 limit:{r} count:{r} user:{r} {v}");
const EMPTY_CASE: Case = Case {
    name: "EVALSHA of an empty script",
    script: EMPTY,
    arguments: Arguments::Words("0"),
    connections: CONNECTIONS,
    pipeline: 16,
    repeats: 1.0,
    goal: Goal::Ratio(0.8),
};
const FIVE_CASE: Case = Case {
    name: "EVALSHA of five redis.call",
    script: FIVE_CALLS,
    arguments: LIMITER,
    goal: Goal::Ratio(0.7),
    ..EMPTY_CASE
};
const DECODE_CASE: Case = Case {
    name: "cjson.decode of 10 kB",
    script: DECODE,
    arguments: Arguments::Document,
    pipeline: 1,
    repeats: DOCUMENTS_PER_CALL,
    goal: Goal::Ratio(1.0),
    ..EMPTY_CASE
};

const CASES: [Case; 7] = [
    EMPTY_CASE,
    Case { connections: 50, pipeline: 1, ..EMPTY_CASE },
    FIVE_CASE,
    Case { connections: 50, pipeline: 1, ..FIVE_CASE },
    Case {
        name: "EVALSHA of 1,000 redis.call",
        script: THOUSAND_CALLS,
        arguments: Arguments::Words("1 counter:{r}"),
        pipeline: 1,
        ..FIVE_CASE
    },
    DECODE_CASE,
    Case { name: "cjson.encode of 10 kB", script: ENCODE, ..DECODE_CASE },
];

pub fn run(arena: &Arena, scale: &Scale) -> io::Result<Vec<Row>> {
    let mut figures: Vec<Samples> = vec![Samples::EMPTY; CASES.len()];
    let mut memory = [Samples::EMPTY; 3];
    for round in 0..scale.rounds {
        eprintln!("  round {}", round + 1);
        for side in Side::BOTH {
            for (samples, bytes) in memory.iter_mut().zip(interpreter_bytes(&arena.start(side)?, scale)?) {
                samples.push(side, bytes);
            }
        }
        let servers = [arena.start(Side::Redis)?, arena.start(Side::Tintype)?];
        for (case, samples) in CASES.iter().zip(&mut figures) {
            for server in &servers {
                let cpu_ns = measure(server, case, scale)?;
                eprintln!("    {:?}, {}, pipeline {}: {cpu_ns:.0} ns", server.side, case.name, case.pipeline);
                samples.push(server.side, cpu_ns);
            }
        }
    }
    let row = |(case, samples): (&Case, Samples)| {
        let title = format!("server CPU per {}, pipeline {}", case.name, case.pipeline);
        Row::new(title, case.goal, Unit::Nanoseconds, samples)
    };
    let names = [
        ("memory of an idle interpreter (used_memory_vm_eval)", Goal::Ratio(1.0)),
        ("used_memory of a server that has run one script", Goal::None),
        ("RSS of a server that has run one script", Goal::None),
    ];
    let memory = names.into_iter().zip(memory);
    let memory = memory.map(|((name, goal), samples)| Row::new(name, goal, Unit::Bytes, samples));
    Ok(CASES.iter().zip(figures).map(row).chain(memory).collect())
}

/// What the interpreter says it uses after the first script, and the whole server.
fn interpreter_bytes(server: &Server, scale: &Scale) -> io::Result<[f64; 3]> {
    let mut client = server.client()?;
    client.ask(&["EVAL", "return 1", "0"])?;
    thread::sleep(scale.memory_rest);
    let interpreter = client.info("memory", "used_memory_vm_eval")?;
    let used = client.info("memory", "used_memory")?;
    Ok([interpreter, used, server.rss_bytes()?].map(|bytes| bytes as f64))
}

fn measure(server: &Server, case: &Case, scale: &Scale) -> io::Result<f64> {
    let digest = server.client()?.ask(&["SCRIPT", "LOAD", case.script])?;
    let mut source = Calls::new(&digest, case.arguments, REQUESTS.min(scale.keys));
    let mut load = Load::connect(server.port, case.connections, case.pipeline)?.allowing_nulls();
    load.drive(&mut source, Until::Passed(scale.warm_up))?;
    let before = super::cpu_at_rest(server)?;
    let done = load.drive(&mut source, Until::Passed(scale.load))?;
    let after = super::cpu_at_rest(server)?;
    Ok((after - before) as f64 / (done.requests as f64 * case.repeats))
}

/// Calls of one script without end.
struct Calls {
    requests: Prepared,
}

impl Calls {
    fn new(digest: &str, arguments: Arguments, count: u64) -> Calls {
        let requests = match arguments {
            // A few lines, kept for as long as the program runs.
            Arguments::Words(words) => {
                let line = format!("EVALSHA {digest} {words}").leak();
                Prepared::new(Form { line, space: 1_000 }, count, 7)
            }
            Arguments::Document => {
                let document = document();
                let request = format!(
                    "*4\r\n$7\r\nEVALSHA\r\n$40\r\n{digest}\r\n$1\r\n0\r\n${}\r\n{document}\r\n",
                    document.len()
                );
                Prepared::of(request.into_bytes())
            }
        };
        Calls { requests }
    }
}

impl Source for Calls {
    fn next(&mut self, count: usize) -> (usize, &[u8]) {
        if self.requests.left() < count {
            self.requests.rewind();
        }
        self.requests.next(count)
    }
}

/// A page of orders as an API answers them: nested objects, texts with escapes, numbers, flags, nothing.
fn document() -> String {
    let mut rng = fastrand::Rng::with_seed(11);
    let mut orders = Vec::new();
    let mut length = 0;
    while length < DOCUMENT_BYTES {
        let mut word = |letters: usize| (0..letters).map(|_| rng.lowercase()).collect::<String>();
        let (name, street, note) = (word(12), word(16), word(30));
        let number = rng.u32(100_000..);
        let order = format!(
            concat!(
                r#"{{"id":{},"customer":{{"name":"{} \u00e9\"","street":"{}\n","vip":{}}},"total":{}.{:02},"#,
                r#""lines":[{{"sku":"A-{}","count":{},"price":{}.5}},"#,
                r#"{{"sku":"B-{}","count":1,"price":19.99}}],"#,
                r#""tags":["new","{}"],"note":{},"discount":-0.{}}}"#,
            ),
            number,
            name,
            street,
            rng.bool(),
            rng.u32(1..10_000),
            rng.u32(..100),
            rng.u32(..100_000),
            rng.u32(1..20),
            rng.u32(1..500),
            rng.u32(..100_000),
            &name[..6],
            if rng.bool() { "null".to_string() } else { format!("\"{note}\"") },
            rng.u32(1..1000),
        );
        length += order.len() + 1;
        orders.push(order);
    }
    format!(r#"{{"page":1,"next":null,"orders":[{}]}}"#, orders.join(","))
}
