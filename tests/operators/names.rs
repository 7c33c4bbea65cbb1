//! `rename-command`.

use super::tools::{Pair, refusal, texts};
use crate::support::{Server, Start};

/// What clients call by another name is the same command: every answer is the oracle's.
#[test]
fn a_renamed_command_is_only_called_differently() {
    let pair = Pair::start(&[
        "--rename-command",
        "get",
        "fetch",
        "--rename-command",
        "config",
        "MyConf",
        "--rename-command",
        "flushall",
        "",
        "--rename-command",
        "exec",
        "do it",
        "--rename-command",
        "set",
        "get",
        "--rename-command",
        "xinfo",
        "about",
    ]);
    pair.compare(&[
        "GET a 1",
        "fetch a",
        "Fetch",
        "get a",
        "SET a 1",
        "config get port",
        "MYCONF get hz",
        "myconf",
        "myconf get",
        "myconf foo",
        "about foo",
        "about stream a b c",
        "flushall",
        "COMMAND INFO flushall fetch set",
        "COMMAND GETKEYS fetch a",
        "COMMAND GETKEYS set a 1",
        "COMMAND LIST FILTERBY PATTERN flushall",
        "COMMAND LIST FILTERBY PATTERN fet*",
        "COMMAND LIST FILTERBY PATTERN *lushdb",
        "COMMAND DOCS nosuch config",
        "COMMAND INFO get",
        // Rules of users name commands as they were; DRYRUN takes what a client would say.
        "ACL SETUSER u +fetch",
        "ACL SETUSER u on nopass ~k +get -flushall",
        "ACL LIST",
        "ACL DRYRUN u fetch k",
        "ACL DRYRUN u fetch a",
        "ACL DRYRUN u get k 1",
        "ACL DRYRUN u set k 1",
        "ACL DRYRUN u flushall",
        "MULTI",
        "fetch a",
        "EXEC",
        "\"do it\"",
        "DISCARD",
        "MULTI",
        "fetch a",
        "\"DO IT\"",
    ]);
    let stats = pair.own.connect().run("INFO commandstats").text();
    assert!(stats.contains("cmdstat_get:calls=2,") && !stats.contains("fetch"), "{stats}");
    let histogram = texts(&pair.own.connect().run("LATENCY HISTOGRAM fetch"));
    assert_eq!(histogram[0], "get");
}

#[test]
fn the_container_of_a_help_is_called_as_the_client_did() {
    let server = Server::start(&["--rename-command", "config", "setup"]);
    let help = texts(&server.connect().run("setup help"));
    assert!(help[0].starts_with("SETUP <subcommand>"), "{help:?}");
}

#[test]
fn a_file_renames_and_keeps_its_lines_when_it_is_rewritten() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("redis.conf");
    std::fs::write(&file, "rename-command FLUSHDB \"\"\nRENAME-COMMAND keys \"list keys\"\nhz 20\n")
        .expect("written");
    let server = Start::tintype().config_file(&file).with("--save", "").spawn();
    let mut client = server.connect();
    client.run("flushdb").assert_error("ERR unknown command 'flushdb', with args beginning with: ");
    client.run("\"LIST keys\" *").elements();
    client.ok("CONFIG SET hz 30");
    client.ok("CONFIG REWRITE");
    let text = std::fs::read_to_string(&file).expect("read");
    assert!(
        text.starts_with("rename-command FLUSHDB \"\"\nRENAME-COMMAND keys \"list keys\"\nhz 30\n"),
        "{text}"
    );
}

#[test]
fn names_that_do_not_fit_stop_the_start() {
    let errors = [
        (&["nosuch", "x"][..], "No such command in rename-command"),
        (&["get", "set"][..], "Target command name already exists"),
        (&["config|get", "x"][..], "No such command in rename-command"),
        (&["get"][..], "Bad directive or wrong number of arguments"),
    ];
    for (words, reason) in errors {
        let line = format!(">>> 'rename-command \"{}\"'\n{reason}", words.join("\" \""));
        let said = refusal(&[&["--port", "0", "--rename-command"], words].concat());
        assert!(said.contains("FATAL CONFIG FILE ERROR") && said.contains(&line), "{said}");
    }
    let twice = ["--port", "0", "--rename-command", "get", "", "--rename-command", "get", "x"];
    assert!(refusal(&twice).contains("No such command in rename-command"));
}
