//! Real clients against the server: redis-cli, redis-benchmark, redis-py, node-redis, ioredis, and libraries that are
//! made of Lua scripts: BullMQ, Redlock, rate-limiter-flexible, limits, dramatiq. redis-rs has a file of its own.
//!
//! `tests/run` installs them. What is missing is an error here.

#[path = "tls/authority.rs"]
mod authority;
pub mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use support::server::{free_port, tool};
use support::{Server, Start, holds_within};

const CLIENT_LIMIT: Duration = Duration::from_secs(60);

/// Runs a client to its end, kills it after `CLIENT_LIMIT`, and demands success.
#[track_caller]
fn run(command: &mut Command) -> String {
    let output = output(command);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?} ended with {}:\n{text}\n{errors}", output.status);
    text
}

#[track_caller]
fn output(command: &mut Command) -> Output {
    let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = started.expect("the client starts");
    let pid = child.id();
    let waiting = std::thread::spawn(move || child.wait_with_output().expect("the client's output"));
    if !holds_within(CLIENT_LIMIT, || waiting.is_finished()) {
        support::process::signal(pid, nix::sys::signal::Signal::SIGKILL);
        panic!("{command:?} did not end within {CLIENT_LIMIT:?}");
    }
    waiting.join().expect("the waiting thread")
}

fn cli(server: &Server, arguments: &[&str]) -> String {
    run(Command::new(tool("redis-cli")).args(["-p", &server.port.to_string()]).args(arguments))
}

fn benchmark(server: &Server, arguments: &[&str]) -> String {
    let mut command = Command::new(tool("redis-benchmark"));
    run(command.args(["-p", &server.port.to_string(), "-q"]).args(arguments))
}

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

#[test]
fn redis_cli_commands() {
    let server = Server::start(&[]);
    assert_eq!(cli(&server, &["PING"]), "PONG\n");
    assert_eq!(cli(&server, &["SET", "a", "with space"]), "OK\n");
    assert_eq!(cli(&server, &["GET", "a"]), "with space\n");
    assert_eq!(cli(&server, &["-n", "3", "SET", "b", "1"]), "OK\n");
    assert_eq!(cli(&server, &["-n", "3", "INCR", "b"]), "2\n");
    assert_eq!(cli(&server, &["-3", "GET", "absent"]), "\n");
    assert_eq!(cli(&server, &["--no-raw", "MGET", "a", "absent"]), "1) \"with space\"\n2) (nil)\n");
    assert!(cli(&server, &["INFO", "server"]).contains("redis_version:"));
    assert_eq!(cli(&server, &["-r", "100", "INCR", "counter"]).lines().last(), Some("100"));
    assert!(cli(&server, &["CONFIG", "GET", "databases"]).contains("16"));
    assert!(cli(&server, &["COMMAND", "DOCS", "get"]).contains("string"));
    assert!(cli(&server, &["NOSUCH"]).contains("ERR unknown command"));
}

#[test]
fn redis_cli_modes() {
    let server = Server::start(&["--enable-debug-command", "yes"]);
    cli(&server, &["DEBUG", "POPULATE", "2000"]);
    assert_eq!(cli(&server, &["--scan", "--pattern", "key:1??"]).lines().count(), 100);
    let keys = cli(&server, &["--bigkeys"]);
    assert!(keys.contains("Sampled 2000 keys"), "{keys}");
    let memory = cli(&server, &["--memkeys"]);
    assert!(memory.contains("Sampled 2000 keys"), "{memory}");
    assert!(cli(&server, &["--latency", "-i", "1", "--raw"]).split_whitespace().count() >= 4);
    assert!(cli(&server, &["-n", "0", "DEBUG", "DIGEST"]).trim().len() >= 16);
}

#[test]
fn redis_cli_mass_insertion() {
    let server = Server::start(&[]);
    let file = server.path("commands.txt");
    let commands: String = (0..20_000).map(|n| format!("SET mass:{n} {n}\r\n")).collect();
    std::fs::write(&file, commands).expect("a file of commands");
    let script = format!("{} -p {} --pipe < {}", tool("redis-cli").display(), server.port, file.display());
    let text = run(Command::new("sh").args(["-c", &script]));
    assert!(text.contains("errors: 0, replies: 20000"), "{text}");
    assert_eq!(server.connect().run("DBSIZE").integer(), 20_000);
}

#[test]
fn redis_benchmark_pipelined() {
    let server = Server::start(&[]);
    let text = benchmark(&server, &["-t", "set,get,incr,mset", "-P", "16", "-n", "20000"]);
    expect_rates(&text, &["SET", "GET", "INCR", "MSET"]);
}

#[test]
fn redis_benchmark_one_by_one() {
    let server = Server::start(&[]);
    let text = benchmark(&server, &["-t", "ping,set,get,incr,mset", "-P", "1", "-n", "10000", "-c", "50"]);
    expect_rates(&text, &["PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "MSET"]);
}

#[test]
fn redis_benchmark_threads() {
    let server = Server::start(&[]);
    let arguments =
        ["-t", "set,get", "--threads", "2", "-P", "16", "-n", "20000", "-r", "100000", "-d", "64"];
    let text = benchmark(&server, &arguments);
    expect_rates(&text, &["SET", "GET"]);
    assert!(server.connect().run("DBSIZE").integer() > 1_000);
}

#[track_caller]
fn expect_rates(text: &str, names: &[&str]) {
    assert!(!text.contains("rror") && !text.contains("WARNING"), "redis-benchmark complains:\n{text}");
    // The progress line is overwritten with carriage returns.
    let lines: Vec<_> =
        text.split(['\r', '\n']).filter(|line| line.contains("requests per second")).collect();
    for name in names {
        assert!(lines.iter().any(|line| line.starts_with(name)), "no rate for {name}:\n{text}");
    }
}

/// Runs a program of `tests/clients` with redis-py and demands its last line.
#[track_caller]
fn python(script: &str, last_line: &str) {
    let server = Server::start(&[]);
    let python = here(".venv/bin/python");
    assert!(python.exists(), "redis-py is not installed: run tests/run");
    let script = here("clients").join(script);
    let text = run(Command::new(python).arg(script).arg(server.port.to_string()));
    assert!(text.ends_with(last_line), "{text}");
}

/// The same with node-redis.
#[track_caller]
fn node(script: &str, last_line: &str) {
    let server = Server::start(&[]);
    assert!(here("node_modules/redis").exists(), "node-redis is not installed: run tests/run");
    let script = here("clients").join(script);
    let text = run(Command::new(tool("node")).arg(script).arg(server.port.to_string()));
    assert!(text.ends_with(last_line), "{text}");
}

#[test]
fn python_client() {
    python("python_client.py", "python client: ok\n");
}

#[test]
fn python_types() {
    python("python_types.py", "python types: ok\n");
}

#[test]
fn node_client() {
    node("node_client.mjs", "node client: ok\n");
}

#[test]
fn node_types() {
    node("node_types.mjs", "node types: ok\n");
}

#[test]
fn bullmq_jobs() {
    node("scripts/bullmq_jobs.mjs", "bullmq jobs: ok\n");
}

#[test]
fn node_scripts() {
    node("scripts/node_scripts.mjs", "node scripts: ok\n");
}

#[test]
fn python_scripts() {
    python("scripts/python_scripts.py", "python scripts: ok\n");
}

/// Runs a program of `tests/clients` that is given every way in: its port, a unix socket, a port for TLS, and the
/// certificates.
#[track_caller]
fn every_way_in(program: &mut Command, script: &str, last_line: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("socket").display().to_string();
    let tls_port = free_port().to_string();
    let certificates = ["server.crt", "server.key", "ca.crt"].map(authority::path);
    let server = Start::tintype()
        .with("--unixsocket", &socket)
        .with("--tls-port", &tls_port)
        .with("--tls-cert-file", &certificates[0])
        .with("--tls-key-file", &certificates[1])
        .with("--tls-ca-cert-file", &certificates[2])
        .spawn();
    let folder = Path::new(&certificates[2]).parent().expect("the folder of certificates");
    let program = program.arg(here("clients").join(script)).arg(server.port.to_string());
    let text = run(program.args([&socket, &tls_port]).arg(folder));
    assert!(text.ends_with(last_line), "{text}");
}

#[test]
fn python_features() {
    let python = here(".venv/bin/python");
    assert!(python.exists(), "redis-py is not installed: run tests/run");
    every_way_in(&mut Command::new(python), "python_features.py", "python features: ok\n");
}

#[test]
fn node_features() {
    assert!(here("node_modules/redis").exists(), "node-redis is not installed: run tests/run");
    every_way_in(&mut Command::new(tool("node")), "node_features.mjs", "node features: ok\n");
}

#[test]
fn ioredis_features() {
    assert!(here("node_modules/ioredis").exists(), "ioredis is not installed: run tests/run");
    every_way_in(&mut Command::new(tool("node")), "ioredis_features.mjs", "ioredis features: ok\n");
}

#[test]
fn redis_cli_types() {
    let server = Server::start(&[]);
    assert_eq!(cli(&server, &["RPUSH", "l", "a", "b"]), "2\n");
    assert_eq!(cli(&server, &["--no-raw", "LRANGE", "l", "0", "-1"]), "1) \"a\"\n2) \"b\"\n");
    assert_eq!(cli(&server, &["BLPOP", "l", "0"]), "l\na\n");
    assert_eq!(cli(&server, &["--no-raw", "BLPOP", "none", "0.01"]).lines().next(), Some("(nil)"));
    assert_eq!(cli(&server, &["HSET", "h", "f", "v"]), "1\n");
    assert_eq!(cli(&server, &["-3", "--no-raw", "HGETALL", "h"]), "1# \"f\" => \"v\"\n");
    assert_eq!(cli(&server, &["ZADD", "z", "1.5", "m"]), "1\n");
    assert_eq!(
        cli(&server, &["-3", "--no-raw", "ZRANGE", "z", "0", "-1", "WITHSCORES"]),
        "1) 1) \"m\"\n   2) (double) 1.5\n"
    );
    assert_eq!(cli(&server, &["XADD", "s", "1-1", "f", "v"]), "1-1\n");
    let sizes = cli(&server, &["--bigkeys"]);
    for kind in ["  list", "  hash", "  zset", "stream"] {
        assert!(sizes.contains(&format!("Biggest {kind} found")), "{sizes}");
    }
}

#[test]
fn redis_benchmark_types() {
    let server = Server::start(&[]);
    let tests = "lpush,rpush,lpop,rpop,sadd,hset,spop,zadd,zpopmin,lrange_100";
    let text = benchmark(&server, &["-t", tests, "-P", "16", "-n", "10000", "-r", "1000"]);
    expect_rates(
        &text,
        &["LPUSH", "RPUSH", "LPOP", "RPOP", "SADD", "HSET", "SPOP", "ZADD", "ZPOPMIN", "LRANGE_100"],
    );
}
