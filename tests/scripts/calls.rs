//! The table `redis`, errors out of scripts, and how calls and failures are counted.

use super::pair::Pair;
use crate::support::transcript::Stage;

#[test]
fn the_table_redis() {
    Pair::start().connect().same_scripts(include_str!("cases/redis.txt"));
}

#[test]
fn errors_of_scripts() {
    let pair = Pair::start();
    pair.connect().same_scripts(include_str!("cases/errors.txt"));
    // Redis ends when an error is a table without a text.
    let mut client = pair.ours.connect();
    for error in ["{}", "{ok=1}", "{err={}}", "setmetatable({}, {__index=function() error('x') end})"] {
        let reply = format!("{:?}", client.run(&format!("EVAL \"error({error})\" 0")));
        assert!(reply.contains("ERR unknown error script: "), "{error}: {reply}");
    }
}

#[test]
fn versions() {
    let pair = Pair::start();
    let mut client = pair.ours.connect();
    let version = client.info("redis_version");
    assert_eq!(client.run("EVAL \"return redis.REDIS_VERSION\" 0").text(), version);
    let parts: Vec<i64> = version.split('.').map(|part| part.parse().expect("a number")).collect();
    let number = parts.iter().fold(0, |number, part| number << 8 | part);
    assert_eq!(client.run("EVAL \"return redis.REDIS_VERSION_NUM\" 0").integer(), number);
}

#[test]
fn scripts_that_only_read() {
    let pair = Pair::start();
    let mut both = pair.connect();
    for call in [
        "'set','a',1",
        "'publish','a',1",
        "'get','a'",
        "'pfcount','a'",
        "'spublish','a','b'",
        "'sort','list'",
        "'sort_ro','list'",
        "'set'",
        "'subscribe','x'",
        "'flushall'",
    ] {
        both.same(&["EVAL_RO", &format!("return redis.call({call})"), "0"]);
        both.same(&["EVAL", &format!("#!lua flags=no-writes\nreturn redis.call({call})"), "0"]);
    }
}

/// Counters of errors and of commands, without times and without the commands that ask for them.
fn counters(info: &[u8]) -> Vec<String> {
    let info = String::from_utf8_lossy(info);
    let counts = |line: &&str| {
        ["errorstat_", "total_error_replies", "total_commands_processed", "keyspace_hits", "keyspace_misses"]
            .iter()
            .any(|name| line.starts_with(name))
    };
    let mut shown: Vec<String> = info.lines().filter(counts).map(str::to_owned).collect();
    for line in info.lines().filter(|line| line.starts_with("cmdstat_")) {
        if ["cmdstat_config", "cmdstat_info"].iter().any(|name| line.starts_with(name)) {
            continue;
        }
        let (name, fields) = line.split_once(':').expect("a name");
        let fields: Vec<&str> = fields.split(',').filter(|field| !field.starts_with("usec")).collect();
        shown.push(format!("{name}:{}", fields.join(",")));
    }
    shown.sort();
    shown
}

#[test]
fn calls_and_failures_are_counted() {
    let pair = Pair::start();
    let mut both = pair.connect();
    both.same_line("SET s x");
    for script in [
        "return 1",
        "return redis.call('get','s')",
        "return redis.call('nosuch')",
        "return redis.pcall('nosuch')",
        "redis.pcall('nosuch') return 1",
        "pcall(redis.call,'nosuch') return 1",
        "return redis.call('get')",
        "redis.pcall('get') return 1",
        "return redis.call('incr','s')",
        "return redis.pcall('incr','s')",
        "pcall(redis.call,'incr','s') return 1",
        "redis.pcall('lpush','s','x') redis.pcall('lpush','s','x') return 1",
        "return {redis.pcall('lpush','s','x'),redis.pcall('incr','s')}",
        "return {redis.pcall('lpush','s','x'),{err='MY x'},{err='YOUR x'}}",
        "error(redis.pcall('incr','s'))",
        "local e=redis.pcall('incr','s') return redis.error_reply(e.err)",
        "return redis.call('subscribe','x')",
        "error('x')",
        "error({err='MY x'})",
        "error(redis.error_reply('MY x'))",
        "return {err='x'}",
        "return {err=''}",
        "return {map={a={err='MY x'}}}",
        "return {err='ERR x',ignore_error_stats_update=true}",
        "error({err='ERR x',ignore_error_stats_update=true})",
        "local ok,e=pcall(redis.call,'incr','s') error(e)",
        "local ok,e=xpcall(function() redis.call('incr','s') end, function(e) return e end) error(e)",
        "return redis.call()",
        "redis.pcall() return 1",
        "redis.sha1hex()",
        "x=",
        "x=1",
        "return redis.call('xinfo','nosuch')",
        "return redis.call('xinfo')",
        "return redis.call('blpop','nokey',0)",
        "for i=1,10 do redis.call('set','a',i) end",
        "redis.call('get','s') redis.call('get','nokey')",
    ] {
        for is_queued in [false, true] {
            both.same_line("CONFIG RESETSTAT");
            if is_queued {
                both.same_line("MULTI");
            }
            both.same_script(script);
            if is_queued {
                both.same_line("EXEC");
            }
            let [ours, theirs] = both.ask(&["INFO", "everything"]).map(|info| counters(&info));
            assert_eq!(ours, theirs, "ours, the oracle's: {script}, queued: {is_queued}");
        }
    }
}

#[test]
fn what_the_caller_may_not_do() {
    Stage::start(&[]).play(
        r#"
        a ACL SETUSER bob on nopass +@all -set ~a* &c*
        a SET a1 x
        b AUTH bob x
        b EVAL "return redis.call('set','a','b')" 0
        b EVAL "return redis.call('get','b')" 0
        b EVAL "return redis.call('get','a1')" 0
        b EVAL "return redis.call('mget','a','b')" 0
        b EVAL "return redis.call('publish','x','y')" 0
        b EVAL "return redis.call('publish','c','y')" 0
        b EVAL "return redis.pcall('get','b')" 0
        b EVAL "return redis.call('subscribe','x')" 0
        b EVAL "return redis.call('get')" 0
        b EVAL "return redis.call('sort','a','by','x*')" 0
        b EVAL "return redis.acl_check_cmd('set','a','b')" 0
        b EVAL "return redis.acl_check_cmd('get','b')" 0
        b EVAL "return redis.acl_check_cmd('get','a')" 0
        b EVAL "return redis.acl_check_cmd('get')" 0
        b EVAL "return redis.acl_check_cmd('publish','x','1')" 0
        b EVAL "return redis.acl_check_cmd('xread','streams')" 0
        b EVAL "return redis.acl_check_cmd('eval')" 0
        b EVAL "return redis.acl_check_cmd('eval','x','y')" 0
        b EVAL "return redis.acl_check_cmd('mset','a')" 0
        b EVAL "return 1" 1 b
        b EVAL "return 1" 1 a
        "#,
    );
}

#[test]
fn the_acl_log_tells_of_scripts() {
    let pair = Pair::start();
    for server in [&pair.ours, &pair.theirs] {
        let mut client = server.connect();
        client.ok("ACL SETUSER default -set");
        client.run("EVAL \"redis.pcall('set','a','b')\" 0");
        let shown = format!("{:?}", client.run("ACL LOG"));
        assert!(shown.contains("lua") && shown.contains("set"), "{shown}");
    }
}
