//! COMMAND in process. The replies are those of redis-server 7.0.15.

use crate::commands::server::debug::tests::Probe;
use crate::resp::Protocol;

const GET_IN_RESP3: &str = "*1.*10.$3.get.:2.~2.+readonly.+fast.:1.:1.:1.~3.+@read.+@string.+@fast.~0.\
    ~1.%3.$5.flags.~2.+RO.+access.$12.begin_search.%2.$4.type.$5.index.$4.spec.%1.$5.index.:1.\
    $9.find_keys.%2.$4.type.$5.range.$4.spec.%3.$7.lastkey.:0.$7.keystep.:1.$5.limit.:0.~0.";

#[test]
fn info_has_every_field() {
    let mut probe = Probe::new();
    probe.speak(Protocol::Resp3);
    assert_eq!(probe.run("command info GET"), GET_IN_RESP3);
    assert_eq!(probe.run("command info nosuch"), "*1._.");
    let set = probe.run("command info set");
    assert!(
        set.contains("~1.%4.$5.notes.$48.RW and ACCESS due to the optional `GET` argument.$5.flags.~4."),
        "{set}"
    );
    probe.speak(Protocol::Resp2);
    assert!(
        probe.run("command info get").starts_with("*1.*10.$3.get.:2.*2.+readonly.+fast.:1.:1.:1.*3.+@read.")
    );
    assert_eq!(probe.run("command info nosuch"), "*1.$-1.");
}

#[test]
fn subcommands_are_nested_and_found() {
    let mut probe = Probe::new();
    let command = probe.run("command info command");
    assert!(command.starts_with("*1.*10.$7.command.:-1.*2.+loading.+stale.:0.:0.:0.*2.+@slow.+@connection."));
    assert!(command.contains("*7.*10.$13.command|count.:2."), "{command}");
    assert!(probe.run("command info command|COUNT").starts_with("*1.*10.$13.command|count."));
    assert_eq!(probe.run("command info command|x get|x command|count|x"), "*3.$-1.$-1.$-1.");
}

#[test]
fn the_number_of_commands_is_told_alike() {
    let mut probe = Probe::new();
    let count: usize = probe.run("command count").trim_matches([':', '.']).parse().expect("a number");
    for line in ["command", "command info"] {
        assert!(probe.run(line).starts_with(&format!("*{count}.*10.")), "{line}");
    }
    assert!(probe.run("command docs").starts_with(&format!("*{}.", 2 * count)));
    let all = probe.0.server.commands.iter().count();
    assert!(probe.run("command list").starts_with(&format!("*{all}.")) && all > count);
}

#[test]
fn lists_can_be_filtered() {
    let mut probe = Probe::new();
    assert_eq!(probe.run("command list filterby pattern GETR*"), "*1.$8.getrange.");
    assert_eq!(probe.run("command list filterby pattern command|c*"), "*1.$13.command|count.");
    assert_eq!(probe.run("command list filterby module x"), "*0.");
    assert_eq!(probe.run("command list filterby aclcat nosuch"), "*0.");
    assert!(probe.run("command list filterby aclcat STRING").contains("$3.lcs."));
    for line in ["x", "filterby", "filterby pattern", "filterby x y", "filterby pattern a b"] {
        assert_eq!(probe.run(&format!("command list {line}")), "-ERR syntax error", "{line}");
    }
}

#[test]
fn keys_of_a_command() {
    let mut probe = Probe::new();
    assert_eq!(probe.run("command getkeys mset a 1 b 2"), "*2.$1.a.$1.b.");
    assert_eq!(probe.run("command getkeys msetex 2 a 1 b 2"), "*2.$1.a.$1.b.");
    assert_eq!(probe.run("command getkeys msetex 9 a 1 b 2"), "-ERR Invalid arguments specified for command");
    assert_eq!(probe.run("command getkeys nosuch a"), "-ERR Invalid command specified");
    assert_eq!(probe.run("command getkeys command nosuch"), "-ERR Invalid command specified");
    assert_eq!(probe.run("command getkeys command count"), "-ERR The command has no key arguments");
    assert_eq!(
        probe.run("command getkeys get a b"),
        "-ERR Invalid number of arguments specified for command"
    );
}

#[test]
fn keys_with_what_is_done_to_them() {
    let mut probe = Probe::new();
    probe.speak(Protocol::Resp3);
    assert_eq!(probe.run("command getkeysandflags set a 1"), "*1.*2.$1.a.~2.+OW.+update.");
    assert_eq!(probe.run("command getkeysandflags set a 1 Get"), "*1.*2.$1.a.~3.+RW.+access.+update.");
    assert_eq!(probe.run("command getkeysandflags getdel a"), "*1.*2.$1.a.~3.+RW.+access.+delete.");
}

#[test]
fn docs_tell_what_the_reference_says() {
    let mut probe = Probe::new();
    probe.speak(Protocol::Resp3);
    assert_eq!(probe.run("command docs nosuch"), "%0.");
    assert_eq!(
        probe.run("command docs nosuch getset"),
        "%1.$6.getset.%8.$7.summary.$54.Set the string value of a key and return its old value.$5.since.$5.1.0.0.\
         $5.group.$6.string.$10.complexity.$4.O(1).$9.doc_flags.~1.+deprecated.$16.deprecated_since.$5.6.2.0.\
         $11.replaced_by.$30.`SET` with the `!GET` argument.$9.arguments.*2.%3.$4.name.$3.key.$4.type.$3.key.\
         $14.key_spec_index.:0.%2.$4.name.$5.value.$4.type.$6.string."
    );
    assert!(probe.run("command docs debug").contains("$9.doc_flags.~1.+syscmd."));
    let docs = probe.run("command docs command");
    assert!(docs.contains("$11.subcommands.%7.$13.command|count.%4."), "{docs}");
}

#[test]
fn every_command_is_documented() {
    let probe = Probe::new();
    for command in probe.0.server.commands.iter() {
        let spec = &command.entry.spec;
        assert!(!spec.summary.is_empty(), "{} has no summary", spec.name);
        assert!(spec.key_notes.len() <= spec.keys.len(), "{} has notes on keys that it has not", spec.name);
    }
}
