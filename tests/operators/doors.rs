//! `enable-protected-configs`, `enable-debug-command`, `enable-module-command`.

use super::tools::{Pair, refusal};

const QUESTIONS: &[&str] = &[
    "CONFIG SET dbfilename other.rdb",
    "CONFIG SET dir .",
    "CONFIG SET hz 20 dbfilename x.rdb",
    "CONFIG SET enable-protected-configs yes",
    "CONFIG SET enable-debug-command yes",
    "CONFIG SET enable-module-command yes",
    "CONFIG GET dbfilename",
    "CONFIG GET enable-protected-configs",
    "CONFIG GET enable-debug-command",
    "CONFIG GET enable-module-command",
    "DEBUG SLEEP 0",
    "DEBUG",
    "DEBUG nosuch",
    "MODULE LIST",
    "MODULE LOAD",
    "MODULE LOAD /nosuch.so a",
    "MODULE LOADEX /nosuch.so CONFIG a b ARGS c",
    "MODULE UNLOAD nosuch",
    "MODULE UNLOAD",
    "MODULE nosuch",
    "MODULE",
];

#[test]
fn doors_are_open_shut_or_for_this_machine() {
    for word in ["no", "yes", "local"] {
        let names = ["protected-configs", "debug-command", "module-command"];
        let options: Vec<String> = names.iter().map(|name| format!("--enable-{name}")).collect();
        let arguments: Vec<&str> = options.iter().flat_map(|option| [option, word]).collect();
        Pair::start(&arguments).compare(QUESTIONS);
    }
}

#[test]
fn what_is_not_offered_is_said_to_be_so() {
    assert!(refusal(&["--test-memory", "100"]).contains("--test-memory is not offered here"));
    assert!(refusal(&["--loadmodule", "x.so"]).contains("not supported by this server yet"));
    assert!(refusal(&["--enable-module-command", "maybe"]).contains("one of the following: no, yes, local"));
}
