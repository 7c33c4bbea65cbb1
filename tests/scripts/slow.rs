//! Scripts that take longer than `busy-reply-threshold`: what others are told meanwhile, how such a script is ended,
//! and that its effects are those of one command all the same.
//!
//! Nothing here measures time: a script either runs until it is ended, or long enough to pass a threshold of 1 ms.

use super::pair::{Both, Pair};
use crate::support::{Connection, PATIENCE, Server, Value, holds_within, wait_for};
use nix::sys::signal::Signal;
use std::time::Duration;

const BUSY: &str = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
const ENDLESS: &str = "EVAL \"while true do end\" 0";
/// Passes a threshold of 1 ms wherever it runs.
const SPIN: &str = "for i = 1, 5000000 do end";
const LIBRARY: &str = "FUNCTION LOAD \"#!lua name=slow\\n\
    redis.register_function('endless', function() while true do end end) \
    redis.register_function('writes', function() redis.call('set', 'w', 1) while true do end end) \
    redis.register_function{function_name='reads', flags={'no-writes'}, \
    callback=function() while true do end end}\"";

fn is_busy(connection: &mut Connection) -> bool {
    connection.run("PING").text().starts_with("BUSY ")
}

#[track_caller]
fn wait_until_busy(connection: &mut Connection) {
    wait_for("the script to be slow", || is_busy(connection));
}

#[track_caller]
fn wait_until_idle(connection: &mut Connection) {
    wait_for("the script to end", || !is_busy(connection));
}

impl Both {
    #[track_caller]
    fn wait_until_busy(&mut self) {
        wait_until_busy(&mut self.ours);
        wait_until_busy(&mut self.theirs);
    }

    #[track_caller]
    fn wait_until_idle(&mut self) {
        wait_until_idle(&mut self.ours);
        wait_until_idle(&mut self.theirs);
    }
}

/// Both, with a threshold that every script of this file passes.
fn impatient() -> Pair {
    Pair::with(&["--busy-reply-threshold", "1"])
}

#[test]
fn others_are_told() {
    let pair = impatient();
    let [mut caller, mut other] = [pair.connect(), pair.connect()];
    caller.tell(ENDLESS);
    other.wait_until_busy();
    assert_eq!(other.same_line("GET x"), format!("-{BUSY}\\r\\n"));
    for line in [
        "SET x 1",
        "NOSUCH",
        "GET",
        "EVAL \"return 1\" 0",
        "SCRIPT FLUSH",
        "SCRIPT EXISTS x",
        "SCRIPT LOAD \"return 1\"",
        "FUNCTION LIST",
        "FUNCTION KILL",
        "INFO server",
        "CONFIG GET port",
        "CLIENT LIST",
        "CLIENT GETNAME",
        "CLIENT KILL TYPE normal",
        "DEBUG SLEEP 0",
        "SAVE",
        "BGSAVE",
        "PUBLISH a b",
        "SUBSCRIBE a",
        "MONITOR",
        "BLPOP l 0",
        "SHUTDOWN SAVE",
        "SHUTDOWN",
        "SHUTDOWN ABORT",
        "SHUTDOWN x",
        "EXEC",
        "MULTI",
        "GET x",
        "DISCARD",
        "MULTI",
        "EXEC",
        "WATCH x",
        "UNWATCH",
        "SELECT 3",
        "AUTH x",
        "AUTH x y z",
        "RESET",
        "CLIENT REPLY ON",
    ] {
        let shown = other.same_line(line);
        assert!(!shown.is_empty(), "{line}");
    }
    // A client that has come only now.
    let mut newcomer = pair.connect();
    assert_eq!(newcomer.same_line("PING"), format!("-{BUSY}\\r\\n"));
    newcomer.tell("QUIT");
    newcomer.same_next();
    other.same_line("SCRIPT KILL");
    assert!(caller.same_next().contains("Script killed by user with SCRIPT KILL"));
    for client in [&mut caller, &mut other] {
        client.same_line("PING");
        client.same_line("SCRIPT KILL");
        client.same_line("FUNCTION KILL");
        client.same_line("GET x");
    }
    caller.same_line("EVAL \"return 'fresh'\" 0");
}

#[test]
fn each_is_killed_by_its_own_command() {
    let pair = impatient();
    let [mut caller, mut other] = [pair.connect(), pair.connect()];
    caller.same_line(LIBRARY);
    for (call, kill, of_others) in [
        (ENDLESS, "SCRIPT KILL", "FUNCTION KILL"),
        ("EVAL_RO \"local x = redis.call('get', 'a') while true do end\" 0", "SCRIPT KILL", "FUNCTION KILL"),
        (
            "EVAL \"while true do pcall(function() while true do end end) end\" 0",
            "SCRIPT KILL",
            "FUNCTION KILL",
        ),
        ("EVAL \"while true do redis.call('get', 'k') end\" 0", "SCRIPT KILL", "FUNCTION KILL"),
        ("EVAL \"while true do redis.pcall('nosuch') end\" 0", "SCRIPT KILL", "FUNCTION KILL"),
        ("FCALL endless 0", "FUNCTION KILL", "SCRIPT KILL"),
        ("FCALL_RO reads 2 a b c", "FUNCTION KILL", "SCRIPT KILL"),
    ] {
        caller.tell(call);
        other.wait_until_busy();
        other.same_line("GET x");
        other.same_line(of_others);
        other.same_line(kill);
        assert!(caller.same_next().starts_with("-ERR "), "{call}");
        other.wait_until_idle();
        caller.same_line("EVAL \"return 1\" 0");
    }
}

#[test]
fn a_function_that_runs_is_shown() {
    let pair = impatient();
    let [mut caller, mut other] = [pair.connect(), pair.connect()];
    caller.same_line(LIBRARY);
    caller.tell("FCALL reads 1 key argument");
    other.wait_until_busy();
    let shown = [&mut other.ours, &mut other.theirs].map(|side| {
        let stats = side.run("FUNCTION STATS").elements();
        let running = stats[1].elements();
        assert!(running[5].integer() >= 0);
        format!("{:?} {:?} {:?}", stats[0], &running[..5], &stats[2..])
    });
    assert_eq!(shown[0], shown[1]);
    assert!(shown[0].contains("\"FCALL\", \"reads\", \"1\", \"key\", \"argument\""), "{}", shown[0]);
    other.same_line("FUNCTION KILL");
    caller.same_next();
    other.same_line("FUNCTION STATS");
}

#[test]
fn what_has_written_is_not_killed() {
    for (call, kill) in [
        ("EVAL \"redis.call('set', 'w', 1) while true do end\" 0", "SCRIPT KILL"),
        ("EVAL \"pcall(redis.call, 'set', 'w', 1) while true do end\" 0", "SCRIPT KILL"),
        ("FCALL writes 0", "FUNCTION KILL"),
    ] {
        let mut pair = impatient();
        let [mut caller, mut other] = [pair.connect(), pair.connect()];
        caller.same_line(LIBRARY);
        caller.tell(call);
        other.wait_until_busy();
        assert!(other.same_line(kill).starts_with("-UNKILLABLE "));
        other.same_line(if kill == "SCRIPT KILL" { "FUNCTION KILL" } else { "SCRIPT KILL" });
        other.tell("SHUTDOWN NOSAVE");
        assert_eq!(caller.ours.until_closed(), caller.theirs.until_closed());
        assert_eq!(pair.ours.wait_for_end(), pair.theirs.wait_for_end());
        assert_eq!(pair.ours.files(), Vec::<String>::new());
    }
}

/// A write that is refused has not written.
#[test]
fn what_could_not_write_is_killed() {
    let pair = impatient();
    let [mut caller, mut other] = [pair.connect(), pair.connect()];
    caller.tell("EVAL_RO \"redis.pcall('set', 'w', 1) while true do end\" 0");
    other.wait_until_busy();
    other.same_line("SCRIPT KILL");
    caller.same_next();
    caller.same_line("GET w");
}

#[test]
fn a_caller_goes() {
    let pair = impatient();
    let mut other = pair.connect();
    let mut caller = pair.connect();
    caller.tell(ENDLESS);
    other.wait_until_busy();
    drop(caller);
    other.same_line("GET x");
    other.same_line("SCRIPT KILL");
    other.wait_until_idle();
    // What it has begun is done whole.
    let mut caller = pair.connect();
    caller.tell(&format!("EVAL \"redis.call('set', 'a', 1) {SPIN} {SPIN} redis.call('set', 'b', 2)\" 0"));
    other.wait_until_busy();
    drop(caller);
    other.wait_until_idle();
    other.same_line("MGET a b");
    wait_for("the caller to be forgotten", || other.ours.info("connected_clients") == "1");
}

#[test]
fn a_pipeline_waits() {
    let pair = impatient();
    let [mut caller, mut other] = [pair.connect(), pair.connect()];
    for line in [
        "SET a 1",
        ENDLESS,
        "INCR a",
        "NOSUCH",
        "EVAL \"return redis.call('incr', 'a')\" 0",
        ENDLESS,
        "GET a",
    ] {
        caller.tell(line);
    }
    for _ in 0..2 {
        other.wait_until_busy();
        other.same_line("SCRIPT KILL");
    }
    (0..6).for_each(|_| drop(caller.same_next()));
    assert_eq!(caller.same_next(), "$1\\r\\n3\\r\\n");
}

#[test]
fn transactions() {
    let pair = impatient();
    let [mut caller, mut other] = [pair.connect(), pair.connect()];
    let queue = |caller: &mut Both, lines: &[&str]| {
        caller.same_line("MULTI");
        lines.iter().for_each(|line| drop(caller.same_line(line)));
        caller.tell("EXEC");
        caller.tell("PING");
    };
    queue(&mut caller, &["SET p 1", ENDLESS, "INCR p", ENDLESS, "GET p"]);
    for _ in 0..2 {
        other.wait_until_busy();
        assert_eq!(other.same_line("GET p"), format!("-{BUSY}\\r\\n"));
        // The transaction has written, not the script.
        assert_eq!(other.same_line("SCRIPT KILL"), "+OK\\r\\n");
    }
    assert!(caller.same_next().starts_with("*5\\r\\n+OK\\r\\n-ERR "));
    caller.same_next();
    other.same_line("GET p");
    // In another database.
    let spins = format!("EVAL \"redis.call('select', 2) redis.call('set', 'q', 1) {SPIN}\" 0");
    queue(&mut caller, &["SELECT 1", "SET q 0", &spins, "DBSIZE", &spins, "GET q"]);
    caller.same_next();
    caller.same_next();
    caller.same_line("DBSIZE");
}

#[test]
fn watches_see_one_unit() {
    let pair = impatient();
    let [mut caller, mut other] = [pair.connect(), pair.connect()];
    for (body, is_kept) in [
        (format!("{SPIN} redis.call('set', 'w', 1)"), false),
        (format!("redis.call('set', 'w', 2) {SPIN} error('x')"), false),
        (format!("redis.call('get', 'w') {SPIN} return 1"), true),
    ] {
        other.same_line("WATCH w");
        caller.same_line(&format!("EVAL \"{body}\" 0"));
        other.same_line("MULTI");
        other.same_line("GET w");
        assert_eq!(other.same_line("EXEC") != "*-1\\r\\n", is_kept, "{body}");
    }
}

#[test]
fn those_who_wait_are_served_at_its_end() {
    let pair = impatient();
    let [mut caller, mut waiting, mut reader] = [pair.connect(), pair.connect(), pair.connect()];
    waiting.tell("BLPOP l 0");
    reader.same_line("SUBSCRIBE news");
    for side in [&pair.ours, &pair.theirs] {
        wait_for("a client to be blocked", || side.connect().info("blocked_clients") == "1");
    }
    caller.same_line(&format!(
        "EVAL \"redis.call('rpush', 'l', 'a', 'b') redis.call('publish', 'news', 'x') {SPIN} \
         redis.call('lpop', 'l') redis.call('publish', 'news', 'y') return redis.call('llen', 'l')\" 0"
    ));
    assert!(waiting.same_next().contains("$1\\r\\nb"));
    (0..2).for_each(|_| drop(reader.same_next()));
    // One that waits with a limit that passes meanwhile.
    waiting.tell("BLPOP l 0.001");
    caller.same_line(&format!("EVAL \"{SPIN} return 1\" 0"));
    assert_eq!(waiting.same_next(), "*-1\\r\\n");
}

#[test]
fn caches_are_told() {
    let server = Server::start(&["--busy-reply-threshold", "1"]);
    let (mut reader, mut writer) = (server.connect(), server.connect());
    reader.run("HELLO 3");
    reader.ok("CLIENT TRACKING ON");
    reader.run("GET k");
    writer.run(&format!("EVAL \"redis.call('set', 'k', 1) {SPIN} return 1\" 0"));
    assert!(format!("{:?}", reader.value()).contains("invalidate"));
    // Its own, behind its reply.
    reader.run("GET k");
    let own = reader.run(&format!("EVAL \"redis.call('set', 'k', 2) {SPIN} return 'mine'\" 0"));
    assert_eq!(own.text(), "mine");
    assert!(format!("{:?}", reader.value()).contains("invalidate"));
}

#[test]
fn replies_that_nobody_wants() {
    let pair = impatient();
    let [mut caller, mut other] = [pair.connect(), pair.connect()];
    caller.tell("CLIENT REPLY SKIP");
    caller.tell(ENDLESS);
    caller.tell("PING behind");
    other.wait_until_busy();
    other.same_line("SCRIPT KILL");
    assert!(caller.same_next().contains("behind"));
    caller.tell("CLIENT REPLY OFF");
    caller.tell(&format!("EVAL \"{SPIN} return 1\" 0"));
    caller.tell("CLIENT REPLY ON");
    assert_eq!(caller.same_next(), "+OK\\r\\n");
    caller.same_line("PING");
}

/// Time stands still for a script, and nothing of its keys goes.
#[test]
fn keys_do_not_expire_under_it() {
    let pair = impatient();
    let mut caller = pair.connect();
    let reply = caller.same_line(&format!(
        "EVAL \"redis.call('set', 'e', 'there', 'px', 1) {SPIN} return redis.call('get', 'e')\" 0"
    ));
    assert!(reply.contains("there"));
    assert_eq!(caller.same_line("GET e"), "$-1\\r\\n");
}

#[test]
fn it_is_counted_once() {
    let server = Server::start(&["--busy-reply-threshold", "1", "--slowlog-log-slower-than", "3000"]);
    let (mut caller, mut other) = (server.connect(), server.connect());
    caller.ok("CONFIG SET latency-monitor-threshold 2");
    caller.ok("CONFIG RESETSTAT");
    caller.ok("SLOWLOG RESET");
    caller.run(&format!("EVAL \"{SPIN} redis.call('ping') return 1\" 0"));
    caller.run("MULTI");
    caller.run(&format!("EVAL \"{SPIN} return 2\" 0"));
    caller.run("EXEC");
    let log = other.run("SLOWLOG GET").elements();
    let slow: Vec<_> = log.iter().filter(|entry| format!("{entry:?}").contains("\"EVAL\"")).collect();
    assert_eq!(slow.len(), 2, "{log:?}");
    for entry in slow {
        assert!(entry.elements()[2].integer() >= 3_000, "{entry:?}");
    }
    assert!(other.info("cmdstat_eval").starts_with("calls=2,"));
    assert!(other.info("cmdstat_exec").starts_with("calls=1,"));
    assert!(other.info("cmdstat_ping").starts_with("calls=1,"));
    assert!(format!("{:?}", other.run("LATENCY LATEST")).contains("command"));
    // What is refused meanwhile is counted as such, and what is killed as failed.
    caller.send(b"EVAL \"while true do end\" 0\r\n");
    wait_until_busy(&mut other);
    for _ in 0..5 {
        assert!(other.run("DBSIZE").is_error());
    }
    other.ok("SCRIPT KILL");
    assert!(caller.value().is_error());
    assert!(other.info("cmdstat_dbsize").contains("rejected_calls=5,"));
    assert!(other.info("cmdstat_eval").ends_with("failed_calls=1"));
    assert!(other.info("errorstat_BUSY").starts_with("count="));
    server.wait_for_log("Slow script detected: still in execution after");
    server.wait_for_log("Lua script killed by user with SCRIPT KILL.");
}

#[test]
fn monitors_see_it_begin() {
    let server = Server::start(&["--busy-reply-threshold", "1"]);
    let (mut caller, mut monitor, mut other) = (server.connect(), server.connect(), server.connect());
    monitor.ok("MONITOR");
    caller.send(b"EVAL \"redis.call('get', 'seen') while true do end\" 0\r\n");
    assert!(monitor.value().text().contains("\"EVAL\""));
    assert!(monitor.value().text().contains("lua] \"get\" \"seen\""));
    other.ok("SCRIPT KILL");
    assert!(caller.value().is_error());
}

/// As in Redis: a threshold of 0 is none.
#[test]
fn without_a_threshold_others_wait() {
    let pair = Pair::with(&["--lua-time-limit", "0"]);
    let [mut caller, mut other] = [pair.connect(), pair.connect()];
    other.same_line("CONFIG GET busy-reply-threshold");
    other.same_line("CONFIG GET lua-time-limit");
    caller.tell(&format!("EVAL \"redis.call('set', 'a', 1) {SPIN} return redis.call('incr', 'a')\" 0"));
    wait_for("the script", || !matches!(other.ours.run("GET a"), Value::Null));
    assert_eq!(other.ours.run("GET a").text(), "2");
    wait_for("the script", || !matches!(other.theirs.run("GET a"), Value::Null));
    caller.same_next();
    assert!(!pair.ours.log().contains("Slow script"));
    other.same_line("CONFIG SET lua-time-limit 7");
    other.same_line("CONFIG GET busy-reply-threshold");
    other.same_line("CONFIG SET busy-reply-threshold -1");
}

#[test]
fn a_save_ends_meanwhile() {
    let server = Server::start(&["--busy-reply-threshold", "1", "--rdb-key-save-delay", "1000"]);
    let (mut caller, mut other) = (server.connect(), server.connect());
    for number in 0..100 {
        caller.ok(&format!("SET key{number} x"));
    }
    other.run("BGSAVE");
    caller.send(b"EVAL \"while true do end\" 0\r\n");
    wait_until_busy(&mut other);
    wait_for("the file", || server.path("dump.rdb").exists());
    assert!(is_busy(&mut other));
    other.ok("SCRIPT KILL");
    caller.value();
    wait_for("the save to be noted", || other.info("rdb_bgsave_in_progress") == "0");
    assert_eq!(other.info("rdb_last_bgsave_status"), "ok");
}

/// A signal waits for the script, as in Redis; what it has written is in the file.
#[test]
fn a_signal_waits_for_it() {
    let mut server = Server::start(&["--busy-reply-threshold", "1", "--appendonly", "no"]);
    let (mut caller, mut other) = (server.connect(), server.connect());
    other.ok("CONFIG SET save \"3600 1\"");
    caller.run("SET before 1");
    caller.send(b"EVAL \"while true do end\" 0\r\n");
    wait_until_busy(&mut other);
    server.signal(Signal::SIGTERM);
    server.wait_for_log("The shutdown waits for the end of the script");
    assert!(is_busy(&mut other));
    other.ok("SCRIPT KILL");
    assert!(server.wait_for_end().success());
    assert!(server.path("dump.rdb").exists());
}

#[test]
fn shutdown_nosave_ends_it() {
    let mut server = Server::start(&["--busy-reply-threshold", "1"]);
    let (mut caller, mut other) = (server.connect(), server.connect());
    other.ok("CONFIG SET save \"3600 1\"");
    caller.run("SET before 1");
    // Within a coroutine, a handler, a comparison.
    caller.send(b"EVAL \"coroutine.wrap(function() xpcall(error, function() table.sort({1,2,3}, function() while true do end end) end) end)()\" 0\r\n");
    wait_until_busy(&mut other);
    other.send(b"SHUTDOWN NOSAVE\r\n");
    assert!(server.wait_for_end().success());
    assert_eq!(server.files(), Vec::<String>::new());
}

/// What runs within one call of a function of the library is ended, too.
#[test]
fn long_calls_are_ended() {
    let server = Server::start(&["--busy-reply-threshold", "1"]);
    let (mut caller, mut other) = (server.connect(), server.connect());
    for body in [
        "return ('a'):rep(5000):find(('a-'):rep(200) .. 'b')",
        "return ('a'):rep(5000):gsub('.-.-.-.-b', '')",
        "local t = {} for i = 1, 100000 do t[i] = i * 7 % 1000 end while true do table.sort(t) t[1] = 1000 end",
        "while true do cjson.decode('[' .. ('[1],'):rep(1000) .. '1]') end",
        "local t = {} for i = 1, 1000 do t[i] = i end while true do cjson.encode(t) end",
        "local t = {} for i = 1, 1000 do t[i] = i end while true do cmsgpack.unpack(cmsgpack.pack(t)) end",
        "local co = coroutine.wrap(function() while true do coroutine.yield() end end) while true do co() end",
        "while true do redis.sha1hex(('x'):rep(1000)) end",
    ] {
        caller.send(&crate::support::encode(&["EVAL", body, "0"]));
        wait_until_busy(&mut other);
        other.ok("SCRIPT KILL");
        assert!(caller.value().text().contains("SCRIPT KILL"), "{body}");
        assert_eq!(other.run("EVAL \"return #('x'):rep(3)\" 0").integer(), 3);
    }
}

/// Slow scripts of some, while others go on: everybody is answered, nothing is lost and nothing is left.
#[test]
fn many_at_once() {
    const SLOW_EACH: i64 = 12;
    let server = Server::start(&["--busy-reply-threshold", "1"]);
    let slow = |name: usize| {
        let mut caller = server.connect();
        let script = format!("EVAL \"{SPIN} return redis.call('incr', KEYS[1])\" 1 slow{name}");
        let mut done = 0;
        while done < SLOW_EACH {
            let reply = caller.run(&script);
            match reply {
                Value::Integer(count) => {
                    done += 1;
                    assert_eq!(count, done);
                }
                other => assert_eq!(other.text(), BUSY),
            }
        }
    };
    let quick = |name: usize| {
        let mut client = server.connect();
        let mut done = 0;
        while done < 300 {
            match client.run(&format!("INCR quick{name}")) {
                Value::Integer(count) => {
                    done += 1;
                    assert_eq!(count, done);
                }
                other => {
                    assert_eq!(other.text(), BUSY);
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        }
    };
    let mut probe = server.connect();
    std::thread::scope(|scope| {
        for name in 0..3 {
            scope.spawn(move || slow(name));
            scope.spawn(move || quick(name));
        }
    });
    wait_until_idle(&mut probe);
    for name in 0..3 {
        assert_eq!(probe.run(&format!("GET slow{name}")).text(), SLOW_EACH.to_string());
    }
    wait_for("the clients to be gone", || probe.info("connected_clients") == "1");
    assert!(holds_within(PATIENCE, || probe.info_number("used_memory_vm_eval") < 200_000));
}
