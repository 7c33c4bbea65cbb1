//! SCRIPT, the cache, the first line of scripts, and what INFO tells of them.

use super::pair::Pair;
use crate::support::process::rss_kib;
use crate::support::{Connection, Server, Value, arguments, wait_for};

fn run(connection: &mut Connection, line: &str) -> Value {
    connection.command(&arguments(line))
}

const ONE: &str = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";
const ABSENT: &str = "ffffffffffffffffffffffffffffffffffffffff";

#[test]
fn script_commands() {
    let pair = Pair::start();
    let mut both = pair.connect();
    for line in [
        "SCRIPT",
        "SCRIPT FOO",
        "SCRIPT KILL",
        "SCRIPT KILL x",
        "SCRIPT LOAD",
        "SCRIPT LOAD a b",
        "SCRIPT LOAD \"return 1\"",
        "SCRIPT LOAD foo(",
        "SCRIPT LOAD \"\"",
        "SCRIPT EXISTS",
        "SCRIPT EXISTS x e0e1f9fabfc9d4800c877a703b823ac0578ff8db E0E1F9FABFC9D4800C877A703B823AC0578FF8DB",
        "EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0",
        "EVALSHA E0E1F9FABFC9D4800C877A703B823AC0578FF8DB 0",
        "EVALSHA_RO e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0",
        "SCRIPT FLUSH x",
        "SCRIPT FLUSH SYNC ASYNC",
        "SCRIPT DEBUG x",
        "SCRIPT DEBUG",
        "SCRIPT DEBUG no",
        "SCRIPT HELP x",
        "EVAL",
        "EVAL x",
        "EVAL x y",
        "EVAL x 1.0",
        "EVAL x -1",
        "EVAL foo( -1",
        "EVAL foo( 1",
        "EVAL foo( 0",
        "EVAL \"return 1\" 2 a",
        "EVAL_RO x -9223372036854775808",
        "EVALSHA x 0",
        "EVALSHA x y",
        "EVALSHA ffffffffffffffffffffffffffffffffffffffff -1",
        "EVALSHA ffffffffffffffffffffffffffffffffffffffff x",
        "EVALSHA ffffffffffffffffffffffffffffffffffffffff 9",
        "EVALSHA ffffffffffffffffffffffffffffffffffffffff 0",
        "EVALSHA gfffffffffffffffffffffffffffffffffffffff 0",
        "COMMAND GETKEYS EVAL x 1 a b",
        "COMMAND GETKEYS EVAL x 0 a b",
        "COMMAND GETKEYS EVAL x 3 a b",
        "COMMAND GETKEYS EVALSHA_RO x 2 a b c",
        "COMMAND GETKEYS SCRIPT LOAD x",
        "COMMAND GETKEYSANDFLAGS EVAL x 1 a b",
        "COMMAND GETKEYSANDFLAGS EVAL_RO x 1 a b",
        "COMMAND DOCS eval",
        "COMMAND DOCS eval_ro evalsha_ro",
        "COMMAND DOCS script|load script|kill script|exists script|help",
    ] {
        both.same_line(line);
    }
    for mode in ["", "SYNC", "async"] {
        both.same_line("SCRIPT LOAD \"return 1\"");
        both.same_line(&format!("SCRIPT FLUSH {mode}"));
        both.same_line(&format!("EVALSHA {ONE} 0"));
    }
    // In a transaction, and of a client that may do little.
    both.same_line("MULTI");
    both.same_line("SCRIPT LOAD \"return 2\"");
    both.same_line("EVAL \"return 3\" 0");
    both.same_line(&format!("EVALSHA {ABSENT} 0"));
    both.same_line("EXEC");
    both.same_line("ACL SETUSER default -@scripting +eval +script|exists");
    for line in ["EVAL \"return 1\" 0", "EVAL_RO \"return 1\" 0", "SCRIPT EXISTS x", "SCRIPT LOAD x"] {
        both.same_line(line);
    }
    both.same_line("ACL SETUSER default +@scripting");
    both.same_line("SCRIPT LOAD \"return 1\"");
}

#[test]
fn first_lines() {
    let pair = Pair::start();
    let mut both = pair.connect();
    for first in [
        "#!lua",
        "#!",
        "#! lua",
        "#!luax",
        "#!LUA",
        "#!\"lua\"",
        "#!\"lua",
        "#!lua flags",
        "#!lua flags=",
        "#!lua flags=,no-writes",
        "#!lua flags=no-writes,",
        "#!lua flags=NO-WRITES",
        "#!lua flags= no-writes",
        "#!lua \t flags=no-writes \r",
        "#!lua 'flags=no-writes'",
        "#!lua \"flags=no-writes\" flags=allow-oom",
        "#!lua flags=no-writes,no-cluster,allow-cross-slot-keys,allow-stale,allow-oom",
        "#!lua FLAGS=no-writes",
        "#!lua name=x",
        "#!lua flags=\"a\\x00b\"",
        "#!lua\0",
        " #!lua",
        "#lua",
    ] {
        for rest in
            ["\nreturn 1", "", "\n\nfoo(", "\n\nlocal x = nil + 1", "\nreturn redis.call('set', 'a', 'b')"]
        {
            let body = format!("{first}{rest}");
            both.same(&["EVAL", &body, "0"]);
            both.same(&["EVAL_RO", &body, "0"]);
            both.same(&["SCRIPT", "LOAD", &body]);
        }
    }
}

#[test]
fn flags_and_memory() {
    let pair = Pair::start();
    let mut both = pair.connect();
    let write = "return redis.call('set', 'a', 'b')";
    let read = "return redis.call('exists', 'a')";
    let firsts = ["", "#!lua\n", "#!lua flags=no-writes\n", "#!lua flags=allow-oom\n"];
    let bodies: Vec<String> =
        firsts.iter().flat_map(|first| [write, read].map(|rest| format!("{first}{rest}"))).collect();
    let digests: Vec<String> = bodies
        .iter()
        .map(|body| {
            let reply = both.same(&["SCRIPT", "LOAD", body]);
            reply.trim_start_matches("$40\\r\\n").trim_end_matches("\\r\\n").to_owned()
        })
        .collect();
    for limit in ["0", "1"] {
        both.same_line(&format!("CONFIG SET maxmemory {limit}"));
        // Without a first line nothing is refused before the script asks for a write.
        let is_short = limit == "1";
        for body in bodies.iter().filter(|body| !is_short || body.starts_with("#!")) {
            both.same(&["EVAL", body, "0"]);
            both.same(&["EVAL_RO", body, "0"]);
        }
        for digest in digests.iter().skip(if is_short { 2 } else { 0 }) {
            both.same_line(&format!("EVALSHA {digest} 0"));
            both.same_line("MULTI");
            both.same_line(&format!("EVALSHA_RO {digest} 0"));
            both.same_line("EXEC");
        }
    }
}

#[test]
fn scripts_of_eval_are_pushed_out() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    run(&mut connection, "EVAL \"return 1\" 0");
    let loaded = run(&mut connection, "SCRIPT LOAD \"return 2\"").text();
    run(&mut connection, "EVAL \"return 2\" 0");
    for number in 0..600 {
        run(&mut connection, &format!("EVAL \"return {}\" 0", 1_000 + number));
    }
    assert_eq!(connection.info_number("number_of_cached_scripts"), 501);
    assert_eq!(connection.info_number("evicted_scripts"), 101);
    assert!(run(&mut connection, &format!("EVALSHA {ONE} 0")).is_error());
    assert_eq!(run(&mut connection, &format!("EVALSHA {loaded} 0")).integer(), 2);
    connection.ok("SCRIPT FLUSH");
    assert_eq!(connection.info_number("number_of_cached_scripts"), 0);
    assert_eq!(connection.info_number("used_memory_scripts_eval"), 0);
}

#[test]
fn what_a_script_left_is_given_back() {
    let server = Server::start(&["--script-memory-limit", "16mb"]);
    let mut connection = server.connect();
    assert_eq!(connection.info_number("used_memory_vm_eval"), 0);
    let before_kib = rss_kib(server.pid());
    run(&mut connection, "EVAL \"return 1\" 0");
    let (idle, idle_kib) = (connection.info_number("used_memory_vm_eval"), rss_kib(server.pid()));
    assert!(idle < 100_000, "{idle}");
    assert!(idle_kib < before_kib + 2_000, "{before_kib} {idle_kib}");
    let reply = run(&mut connection, "EVAL \"local t = {} for i = 1, 1e9 do t[i] = {i} end\" 0");
    assert!(reply.is_error(), "{reply:?}");
    wait_for("the interpreter to be tidy", || {
        connection.info_number("used_memory_vm_eval") < 2 * idle + 65_536
    });
    assert_eq!(run(&mut connection, "EVAL \"return 1\" 0").integer(), 1);
    assert_eq!(connection.info_number("used_memory_vm_total"), connection.info_number("used_memory_lua"));
    connection.ok("SCRIPT FLUSH ASYNC");
    assert_eq!(connection.info_number("used_memory_vm_eval"), 0);
}
