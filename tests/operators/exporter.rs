//! Debian's prometheus-redis-exporter reads INFO, CONFIG, SLOWLOG, LATENCY, CLIENT LIST and keys, and makes figures of
//! them: the same ones as of the oracle, none of them missing.

use super::tools::Pair;
use crate::support::server::{free_port, tool};
use crate::support::{Server, wait_for};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

struct Exporter {
    child: Child,
    port: u16,
}

impl Exporter {
    fn start(server: &Server) -> Exporter {
        let port = free_port();
        let mut command = Command::new(tool("prometheus-redis-exporter"));
        command.args(["-redis.addr", &format!("redis://127.0.0.1:{}", server.port)]);
        command.args(["-web.listen-address", &format!("127.0.0.1:{port}"), "-redis-only-metrics"]);
        command.args(["-export-client-list", "-include-system-metrics", "-include-config-metrics"]);
        command.args(["-check-keys", "db0=*", "-count-keys", "db0=key*", "-check-streams", "db0=stream*"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let exporter = Exporter { child: child.expect("the exporter starts"), port };
        wait_for("the exporter to listen", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        exporter
    }

    /// What it says now.
    fn metrics(&self) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The value of a metric without labels, or with these.
#[track_caller]
fn value(metrics: &str, name: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let line = line.unwrap_or_else(|| panic!("{name} is not among:\n{metrics}"));
    line.trim().parse().expect("a number")
}

fn names(metrics: &str) -> BTreeSet<&str> {
    let lines = metrics.lines().filter(|line| line.starts_with("redis_"));
    lines.map(|line| line.split(['{', ' ']).next().unwrap_or(line)).collect()
}

#[test]
fn the_exporter_finds_everything_that_it_looks_for() {
    let pair = Pair::start(&["--latency-monitor-threshold", "1000", "--maxmemory", "100mb"]);
    let metrics = [&pair.own, &pair.oracle].map(|server| {
        let mut client = server.connect();
        for line in [
            "SET key:1 v",
            "SET key:2 v EX 100",
            "GET key:1",
            "GET none",
            "XADD stream:1 * f v",
            "RPUSH list 1 2",
        ] {
            client.run(line);
        }
        client.run("INCR key:1");
        client.ok("SAVE");
        Exporter::start(server).metrics()
    });
    let [own, oracle] = &metrics;
    for (name, expected) in [
        ("redis_up", 1.0),
        ("redis_exporter_last_scrape_error{err=\"\"}", 0.0),
        ("redis_db_keys{db=\"db0\"}", 4.0),
        ("redis_db_keys_expiring{db=\"db0\"}", 1.0),
        ("redis_keyspace_hits_total", 1.0),
        ("redis_commands_total{cmd=\"get\"}", 2.0),
        ("redis_commands_failed_calls_total{cmd=\"incr\"}", 1.0),
        ("redis_commands_rejected_calls_total{cmd=\"get\"}", 0.0),
        ("redis_errors_total{err=\"ERR\"}", 1.0),
        ("redis_rdb_last_bgsave_status", 1.0),
        ("redis_rdb_changes_since_last_save", 0.0),
        ("redis_memory_max_bytes", 104_857_600.0),
        ("redis_config_maxmemory", 104_857_600.0),
        ("redis_keys_count{db=\"db0\",key=\"key*\"}", 2.0),
        ("redis_stream_length{db=\"db0\",stream=\"stream:1\"}", 1.0),
        ("redis_blocked_clients", 0.0),
    ] {
        assert_eq!(value(oracle, name), expected, "{name} of the oracle");
        assert_eq!(value(own, name), expected, "{name}");
    }
    for name in [
        "redis_memory_used_bytes",
        "redis_memory_used_rss_bytes",
        "redis_connected_clients",
        "redis_net_input_bytes_total",
    ] {
        assert!(value(own, name) > 0.0, "{name}");
    }
    let missing: Vec<_> = names(oracle).difference(&names(own)).copied().collect();
    assert!(missing.is_empty(), "{missing:?}");
}
