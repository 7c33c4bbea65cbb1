//! What a script changes, as others see it: MONITOR and the slow log, watches, notifications, caches, clients that
//! wait, and what memory and disk do not allow.

use super::pair::Pair;
use crate::support::holds_within;
use crate::support::transcript::Stage;
use std::time::Duration;

/// Times and addresses become one letter each, and nobody pings.
fn without_times(bytes: &[u8]) -> Vec<u8> {
    let text = bytes.escape_ascii().to_string();
    let word = |word: &str| {
        let bare = word.trim_start_matches("+");
        let is_time = bare.split_once('.').is_some_and(|(seconds, micros)| {
            seconds.len() >= 10 && micros.len() == 6 && bare.replace('.', "").parse::<u64>().is_ok()
        });
        if is_time { "T".to_owned() } else { word.to_owned() }
    };
    // Those of the witness come as they like.
    let lines = text.split("\\r\\n").filter(|line| !line.contains("PING"));
    let lines = lines.map(|line| line.split(' ').map(word).collect::<Vec<_>>().join(" "));
    let shown = lines.collect::<Vec<_>>().join("\n");
    let mut parts = shown.split("127.0.0.1:");
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        masked.push('A');
        masked.push_str(part.trim_start_matches(|digit: char| digit.is_ascii_digit()));
    }
    masked.into_bytes()
}

#[test]
fn monitors_see_the_script_and_then_its_commands() {
    Stage::start(&[]).masking(without_times).play(
        r#"
        m MONITOR
        a EVAL "redis.call('set','a','b') redis.pcall('nosuch') redis.pcall('get') redis.pcall('subscribe','x')" 0
        a EVAL "redis.pcall('lpush','a',1) redis.call('select',2) return redis.call('get','a')" 1 a
        a EVAL "x=" 0
        a EVALSHA abc 0
        a EVAL "return 1" 9
        a EVAL "return 1"
        a EVAL_RO "redis.pcall('set','a',1) return redis.call('get','a')" 0
        a MULTI
        a EVAL "return redis.call('get','a')" 0
        a EXEC
        "#,
    );
}

#[test]
fn the_slow_log_knows_the_commands_of_scripts() {
    let pair = Pair::start();
    let [ours, theirs] = [&pair.ours, &pair.theirs].map(|server| {
        let mut client = server.connect();
        client.ok("CONFIG SET slowlog-log-slower-than 0");
        client.ok("SLOWLOG RESET");
        client.run("CLIENT SETNAME me");
        client.run("EVAL \"redis.call('set','a','b') redis.pcall('nosuch') redis.pcall('lpush','a',1)\" 1 a");
        let shown = client.run("SLOWLOG GET 20");
        shown
            .elements()
            .iter()
            .map(|entry| {
                let fields = entry.elements();
                let address = fields[4].text();
                let kind = if address == "?:0" { address } else { "a client".to_owned() };
                format!("{:?} {kind} {:?}", fields[3], fields[5])
            })
            .collect::<Vec<_>>()
    });
    assert_eq!(ours, theirs);
    assert!(ours.iter().any(|entry| entry.contains("?:0")), "{ours:?}");
}

#[test]
fn watches_and_databases() {
    Stage::start(&[]).play(
        r#"
        a SET w 1
        a WATCH w
        b EVAL "redis.call('set','w',2)" 0
        a MULTI
        a GET w
        a EXEC
        a WATCH w
        b EVAL "return redis.call('get','w')" 0
        a MULTI
        a GET w
        a EXEC
        a WATCH w
        b EVAL "redis.call('set','w',3) error('x')" 0
        a MULTI
        a GET w
        a EXEC
        a WATCH w
        a EVAL "redis.call('set','w',4)" 0
        a MULTI
        a GET w
        a EXEC
        a WATCH w
        a MULTI
        a EVAL "redis.call('set','w',5) return redis.call('get','w')" 0
        a EXEC
        a SELECT 5
        a EVAL "redis.call('select',6) redis.call('set','in6',1) error('x')" 0
        a EXISTS in6
        a MULTI
        a EVAL "redis.call('select',6)" 0
        a DBSIZE
        a EXEC
        "#,
    );
}

/// Whatever happens to a script within a transaction, the rest of that goes on; only what is refused when it is queued
/// ends it.
#[test]
fn scripts_in_transactions() {
    Stage::start(&[]).play(
        r##"
        a SET n 1
        a SCRIPT LOAD "return redis.call('incr','n')"
        a MULTI
        a EVAL "redis.call('incr','n') error('x')" 0
        a EVAL "redis.call('incr','n') redis.call('nosuch')" 0
        a EVAL "redis.call('incr','n') return redis.pcall('lpush','n','1')" 0
        a EVALSHA 3ab4b8c0a1b7a8b3ffe8a05bb9a0d8ad2ae1e9b7 0
        a EVAL_RO "return redis.call('incr','n')" 0
        a EVAL "redis.setresp(3) return {redis.call('get','n'), {double=1.5}, true, false}" 0
        a EVAL "return redis.call('get','n')" 0
        a EVAL "syntax(" 0
        a EVAL "return {KEYS[1], ARGV[1]}" 1 k v
        a EVAL "return redis.call('multi')" 0
        a EVAL "return redis.call('exec')" 0
        a GET n
        a EXEC
        a MULTI
        a EVAL "return 1" 2 k
        a EVAL "return 1"
        a EXEC
        a MULTI
        a EVAL "redis.call('set','n','gone')" 0
        a DISCARD
        a GET n
        a MULTI
        a SCRIPT FLUSH
        a SCRIPT EXISTS 8d7ab60ba5cd0d9a0ef3ffb3c3c2e4d6e8b8f5a5
        a SCRIPT LOAD "return 5"
        a EVALSHA 4ca238f611c9d0ae4e9a75a5dbac22aedc1e44ba 0
        a FUNCTION LOAD "#!lua name=t\nredis.register_function('t', function(k) return redis.call('incr', k[1]) end)"
        a FCALL t 1 n
        a FUNCTION FLUSH
        a FCALL t 1 n
        a EXEC
        a WATCH n
        a FUNCTION LOAD "#!lua name=t\nredis.register_function('t', function(k) return redis.call('incr', k[1]) end)"
        b FCALL t 1 n
        a MULTI
        a FCALL t 1 n
        a EXEC
        a GET n
        a WATCH other
        b FCALL t 1 n
        b EVAL "redis.pcall('incr','other','x') redis.pcall('lpush','n','x')" 0
        a MULTI
        a FCALL t 1 n
        a EXEC
        a WATCH gone
        b EVAL "redis.call('set','gone','1') redis.call('del','gone')" 0
        a MULTI
        a PING
        a EXEC
        a CONFIG SET maxmemory 1
        a MULTI
        a EVAL "#!lua\nreturn 1" 0
        a EXEC
        a MULTI
        a EVAL "return redis.call('get','n')" 0
        a EVAL "return redis.call('set','n','1')" 0
        a EVAL "#!lua flags=allow-oom\nreturn redis.call('set','n','1')" 0
        a EXEC
        a CONFIG SET maxmemory 0
        "##,
    );
}

/// What is there when a script begins is there until it ends.
#[test]
fn keys_that_expire_meanwhile() {
    Stage::start(&["--enable-debug-command", "yes"]).play(
        r#"
        a DEBUG SET-ACTIVE-EXPIRE 0
        a EVAL "redis.call('set','e','1','px','20') for i=1,3e7 do end return {redis.call('get','e'), redis.call('exists','e'), redis.call('dbsize')}" 0
        a GET e
        a DBSIZE
        a EVAL "redis.call('set','h','1','px','1') for i=1,1e6 do end redis.call('append','h','2') return redis.call('get','h')" 0
        a !wait 20
        a EXISTS h
        a SET p 1 PX 1
        a !wait 20
        a EVAL "return {redis.call('exists','p'), redis.call('ttl','p'), redis.call('dbsize'), redis.call('set','p','2','nx'), redis.call('pttl','p')}" 0
        a EVAL "redis.call('expire','p','-1') return {redis.call('exists','p'), redis.call('keys','*')}" 0
        a SET r 1 PX 1
        a !wait 20
        a EVAL_RO "return {redis.call('get','r'), redis.call('exists','r'), redis.call('type','r'), redis.call('randomkey')}" 0
        a WATCH r
        a EVAL_RO "return redis.call('get','r')" 0
        a MULTI
        a PING
        a EXEC
        a EVAL "return redis.call('set','z','1','px','0')" 0
        "#,
    );
}

/// A script that has begun goes on beyond the limit; keys are evicted before the next one, and those are not its own.
#[test]
fn keys_that_are_evicted() {
    let pair = Pair::start();
    for server in [&pair.ours, &pair.theirs] {
        let mut client = server.connect();
        client.ok("CONFIG SET maxmemory-policy allkeys-lru maxmemory-eviction-tenacity 100");
        let used = client.info_number("used_memory");
        let limit = used + (4 << 20);
        client.ok(&format!("CONFIG SET maxmemory {limit}"));
        let fill = "local v = ('x'):rep(1000) for i = 1, 10000 do redis.call('set', KEYS[1] .. i, v) end \
                    return redis.call('dbsize')";
        assert_eq!(client.command(&["EVAL", fill, "1", "a"]).integer(), 10_000);
        assert!((10_001..20_000).contains(&client.command(&["EVAL", fill, "1", "b"]).integer()));
        let evicted = client.info_number("evicted_keys");
        assert!(evicted > 3_000, "{evicted} keys");
        client.ok(&format!("CONFIG SET maxmemory-policy noeviction maxmemory {}", used + (2 << 20)));
        let write = "return redis.call('set', 'k', 1)";
        assert!(client.command(&["EVAL", write, "0"]).text().starts_with("OOM "));
        client.ok("CONFIG SET maxmemory-policy allkeys-lru");
        assert!(!client.command(&["EVAL", write, "0"]).is_error());
        assert!(client.info_number("evicted_keys") > evicted);
    }
}

#[test]
fn notifications_and_waiting_clients() {
    Stage::start(&["--notify-keyspace-events", "KEA", "--enable-debug-command", "yes"]).play(
        r#"
        a DEBUG SET-ACTIVE-EXPIRE 0
        s PSUBSCRIBE __key*
        a EVAL "redis.call('set','a','1') redis.call('incr','a') redis.call('lpush','l','x') redis.call('rpop','l')" 0
        a EVAL "redis.call('select',3) redis.call('set','z',1)" 0
        a EVAL "redis.call('set','q','1') error('x')" 0
        a EVAL "redis.call('set','e','1','px',1) for i=1,1000000 do end return redis.call('get','e')" 0
        a !wait 50
        a EVAL "return redis.call('get','e')" 0
        w BLPOP bl 0
        a EVAL "redis.call('lpush','bl',1) redis.call('lpush','bl',2) return redis.call('llen','bl')" 0
        a LRANGE bl 0 -1
        w BLPOP bl2 0
        a EVAL "redis.call('lpush','bl2',1) redis.call('del','bl2') return 1" 0
        a EVAL "redis.call('lpush','bl2',1) error('x')" 0
        w XREAD BLOCK 0 STREAMS st 0
        a EVAL "return redis.call('xadd','st','1-1','a','b')" 0
        "#,
    );
}

/// As in Redis 7.2: the keys that a script reads are remembered, not those that it declares; and its own messages come
/// behind its reply.
#[test]
fn a_script_reads_for_its_caller() {
    let pair = Pair::start();
    let (mut reader, mut writer) = (pair.ours.connect(), pair.ours.connect());
    reader.run("HELLO 3");
    reader.ok("CLIENT TRACKING ON");
    let mut told = |script: &str, key: &str| {
        reader.run(script);
        writer.ok(&format!("SET {key} x"));
        holds_within(Duration::from_millis(300), || !reader.available().is_empty())
    };
    assert!(told("EVAL \"return redis.call('get','k1')\" 0", "k1"));
    assert!(!told("EVAL \"return 1\" 1 k2", "k2"));
    assert!(!told("EVAL_RO \"return 1\" 1 k3", "k3"));
    assert!(told("EVAL_RO \"return redis.call('mget','k4','k5')\" 0", "k5"));
    assert!(!told("EVAL \"return redis.call('set','k6',1)\" 0", "k6"));
    reader.ok("CLIENT TRACKING OFF");
    reader.send(b"SUBSCRIBE ch\r\n");
    reader.value();
    reader.send(b"EVAL \"redis.call('publish','ch','m') return 'done'\" 0\r\n");
    assert_eq!(reader.value().text(), "done");
    assert!(format!("{:?}", reader.value()).contains("message"));
}

#[test]
fn when_memory_is_short() {
    let mut script = String::from("a SET k v\na CONFIG SET maxmemory 1\n");
    for body in [
        "return redis.call('set','a',1)",
        "return redis.call('get','k')",
        "redis.pcall('set','a',1) return redis.call('get','k')",
        "redis.call('expire','k',100) return redis.call('set','a',1)",
        "redis.call('publish','a','b') return redis.call('set','a',1)",
        "return redis.pcall('set','a',1)",
        "redis.call('get','k') return redis.call('lpush','z',1)",
        "redis.call('del','k') return redis.call('set','a',1)",
    ] {
        for first in ["", "#!lua\\n", "#!lua flags=allow-oom\\n", "#!lua flags=no-writes\\n"] {
            script += &format!("a EVAL \"{first}{body}\" 0\na EVAL_RO \"{first}{body}\" 0\n");
        }
    }
    script += "a CONFIG SET maxmemory 0\na EVAL \"return redis.call('set','a',1)\" 0\n";
    Stage::start(&[]).play(&script);
}

/// The reason that is told beyond Redis's text is left out.
#[test]
fn when_the_disk_fails() {
    let pair = Pair::start();
    let mut both = pair.connect();
    both.same_line("CONFIG SET save \"1000 1\"");
    for server in [&pair.ours, &pair.theirs] {
        // What is to be renamed to a directory cannot be.
        std::fs::create_dir_all(server.directory().join("dump.rdb/x")).expect("a directory");
        let mut client = server.connect();
        client.run("SET k v");
        client.run("BGSAVE");
        assert!(holds_within(Duration::from_secs(5), || client.info("rdb_last_bgsave_status") == "err"));
    }
    let words = |bytes: &[u8]| {
        let text = bytes.escape_ascii().to_string();
        match (text.find("RDB error. ("), text.rfind(')')) {
            (Some(reason), Some(end)) => format!("{}{}", &text[..reason + 10], &text[end + 1..]),
            _ => text,
        }
    };
    for call in ["'set','a',1", "'get','k'", "'publish','a','b'", "'del','nokey'"] {
        for (first, way) in
            [("", "call"), ("", "pcall"), ("#!lua\n", "call"), ("#!lua flags=no-writes\n", "call")]
        {
            let script = format!("{first}return redis.{way}({call})");
            let [ours, theirs] = both.ask(&["EVAL", &script, "0"]).map(|bytes| words(&bytes));
            assert_eq!(ours, theirs, "{script}");
        }
    }
}
