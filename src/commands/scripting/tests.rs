//! SCRIPT on a server without a network.

use crate::commands::testing::Fixture;
use crate::script::cache::PASSING_MAX;

const ONE: &str = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";

fn number(fixture: &mut Fixture, section: &str, field: &str) -> u64 {
    let text = fixture.run(&format!("INFO {section}"));
    let value =
        text.split("\r\n").find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).map(str::to_owned);
    value.expect("the field").parse().expect("a number")
}

#[test]
fn scripts_are_loaded_shown_and_forgotten() {
    let mut fixture = Fixture::new();
    fixture.check(&format!("SCRIPT EXISTS {ONE} x"), "*2\r\n:0\r\n:0\r\n");
    assert_eq!(number(&mut fixture, "memory", "used_memory_vm_eval"), 0);
    fixture.check("SCRIPT LOAD 'return 1'", &format!("$40\r\n{ONE}\r\n"));
    fixture.check(&format!("SCRIPT EXISTS {} x", ONE.to_uppercase()), "*2\r\n:1\r\n:0\r\n");
    fixture.check(&format!("SCRIPT SHOW {ONE}"), "$8\r\nreturn 1\r\n");
    fixture.check("SCRIPT SHOW x", "-NOSCRIPT No matching script. Please use EVAL.\r\n");
    assert_eq!(number(&mut fixture, "memory", "number_of_cached_scripts"), 1);
    assert!(number(&mut fixture, "memory", "used_memory_vm_eval") > 0);
    assert!(number(&mut fixture, "memory", "used_memory_scripts_eval") >= 8);
    fixture.check("SCRIPT FLUSH x", "-ERR SCRIPT FLUSH only support SYNC|ASYNC option\r\n");
    for mode in ["ASYNC", "sync", ""] {
        fixture.check(&format!("EVALSHA {ONE} 0"), ":1\r\n");
        fixture.check(&format!("SCRIPT FLUSH {mode}"), "+OK\r\n");
        fixture.check(&format!("EVALSHA {ONE} 0"), "-NOSCRIPT No matching script. Please use EVAL.\r\n");
        assert_eq!(number(&mut fixture, "memory", "used_memory_vm_eval"), 0);
        assert_eq!(number(&mut fixture, "memory", "used_memory_scripts_eval"), 0);
        fixture.check("EVAL 'return 1' 0", ":1\r\n");
    }
}

#[test]
fn scripts_of_eval_push_each_other_out() {
    let mut fixture = Fixture::new();
    let kept = "return 'kept'";
    fixture.check(&format!("EVAL \"{kept}\" 0"), "$4\r\nkept\r\n");
    fixture.run(&format!("SCRIPT LOAD \"{kept}\""));
    fixture.run("EVAL 'return 1' 0");
    for round in 0..PASSING_MAX + 99 {
        fixture.run(&format!("EVAL 'return {}' 0", round + 100));
        // Running it is what keeps it.
        fixture.check(&format!("EVALSHA {ONE} 0"), ":1\r\n");
    }
    assert_eq!(number(&mut fixture, "memory", "number_of_cached_scripts"), PASSING_MAX as u64 + 1);
    assert_eq!(number(&mut fixture, "stats", "evicted_scripts"), 100);
    let digest = crate::script::cache::digest_text(&crate::script::cache::digest(kept.as_bytes()));
    fixture.check(&format!("EVALSHA {digest} 0"), "$4\r\nkept\r\n");
    let first = crate::script::cache::digest_text(&crate::script::cache::digest(b"return 100"));
    fixture.check(&format!("SCRIPT EXISTS {first} {ONE}"), "*2\r\n:0\r\n:1\r\n");
    // The first one comes back as a new one.
    fixture.check("EVAL 'return 100' 0", ":100\r\n");
    assert_eq!(number(&mut fixture, "stats", "evicted_scripts"), 101);
}

#[test]
fn a_debugger_there_is_not() {
    let mut fixture = Fixture::new();
    fixture.check("SCRIPT DEBUG NO", "+OK\r\n");
    assert!(fixture.run("SCRIPT DEBUG yes").contains("not supported"));
    fixture.check("SCRIPT DEBUG x", "-ERR Use SCRIPT DEBUG YES/SYNC/NO\r\n");
    fixture.check("SCRIPT KILL", "-NOTBUSY No scripts in execution right now.\r\n");
}

#[test]
fn flags_decide_before_the_script_runs() {
    let mut fixture = Fixture::new();
    fixture.check("EVAL \"#!lua flags=no-writes\\nreturn 1\" 0", ":1\r\n");
    fixture.check(
        "EVAL_RO \"#!lua\\nreturn 1\" 0",
        "-ERR Can not execute a script with write flag using *_ro command.\r\n",
    );
    let reply = fixture.run("EVAL \"#!lua flags=no-writes\\nreturn redis.call('set','a','b')\" 0");
    assert!(reply.starts_with("-ERR Write commands are not allowed from read-only scripts."), "{reply}");
    fixture.check("CONFIG SET maxmemory 1", "+OK\r\n");
    fixture
        .check("EVAL \"#!lua\\nreturn 1\" 0", "-OOM command not allowed when used memory > 'maxmemory'.\r\n");
    fixture.check("EVAL \"#!lua flags=allow-oom\\nreturn 1\" 0", ":1\r\n");
    fixture.check("EVAL \"#!lua flags=no-writes\\nreturn 2\" 0", ":2\r\n");
    fixture.check("EVAL 'return 3' 0", ":3\r\n");
}

#[test]
fn memory_comes_back() {
    let mut fixture = Fixture::new();
    fixture.run("EVAL 'return 1' 0");
    let before = number(&mut fixture, "memory", "used_memory_vm_eval");
    fixture.run("EVAL 'local t = {} for i = 1, 50000 do t[i] = {i} end return #t' 0");
    let grown = number(&mut fixture, "memory", "used_memory_vm_eval");
    assert!(grown > before + 1_000_000, "{before} {grown}");
    let mut rounds = 0;
    // Each round has time for one part.
    while number(&mut fixture, "memory", "used_memory_vm_eval") > before * 2 {
        fixture.server.scripts.tidy_up(|| false);
        rounds += 1;
        assert!(rounds < 10_000);
    }
    assert!(rounds > 10, "{rounds}");
}

#[test]
fn memory_of_scripts_is_limited() {
    let mut fixture = Fixture::new();
    let hungry = "EVAL 'local t = {} for i = 1, 100000 do t[i] = {i} end return #t' 0";
    fixture.check("CONFIG SET script-memory-limit 2mb", "+OK\r\n");
    let reply = fixture.run(hungry);
    assert!(reply.contains("not enough memory"), "{reply}");
    fixture.check("EVAL 'return 1' 0", ":1\r\n");
    fixture.check("CONFIG SET script-memory-limit 0", "+OK\r\n");
    fixture.check(hungry, ":100000\r\n");
}
