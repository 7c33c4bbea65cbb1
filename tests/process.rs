//! The process: command line, configuration files, daemon, and what happens by itself.

pub mod support;

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use support::server::{Binary, binary_path, free_port, is_stand_in};
use support::{Connection, Server, Start, Value, holds_within, process, wait_for};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(5);

/// Runs a command that must end by itself, with `input` on its standard input.
#[track_caller]
fn run(mut command: Command, input: &str) -> Output {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("piped above");
    // It may end before it has read anything.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let ended = holds_within(LIMIT, || child.try_wait().expect("our child").is_some());
    if !ended {
        let _ = child.kill();
    }
    let output = child.wait_with_output().expect("its output");
    assert!(ended, "{command:?} did not end: {output:?}");
    output
}

fn tintype(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary_path(Binary::Tintype));
    command.args(arguments);
    command
}

fn folder() -> TempDir {
    TempDir::new().expect("a temporary directory")
}

fn write(folder: &Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).expect("a file");
    path
}

/// The start must fail with status 1 and say all of `texts`.
#[track_caller]
fn assert_refused(command: Command, input: &str, texts: &[&str]) {
    let output = run(command, input);
    // What concerns a line of the configuration goes to standard error, a missing file to the log.
    let errors = String::from_utf8_lossy(&[output.stderr, output.stdout].concat()).into_owned();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    for text in texts {
        assert!(errors.contains(text), "{text:?} is not in:\n{errors}");
    }
}

#[test]
fn version_and_help() {
    for arguments in [["--version"], ["-v"]] {
        let output = run(tintype(&arguments), "");
        assert!(output.status.success() && output.stdout.contains(&b'.'), "{output:?}");
    }
    let output = run(tintype(&["--help"]), "");
    let text = [output.stdout, output.stderr].concat();
    assert!(String::from_utf8_lossy(&text).contains("--port"), "{}", support::show(&text));
}

#[test]
fn bad_configuration_stops_the_start() {
    let folder = folder();
    for (text, line, reason) in [
        ("hz 10\nnosuch-directive 1\n", 2, "Bad directive or wrong number of arguments"),
        ("hz\n", 1, "wrong number of arguments"),
        ("hz abc\n", 1, "argument couldn't be parsed into an integer"),
        ("# fine\n\nmaxmemory 1x\n", 3, "argument must be a memory value"),
        ("maxmemory-policy nosuch\n", 1, "argument(s) must be one of the following"),
        ("rdbcompression maybe\n", 1, "argument must be 'yes' or 'no'"),
        ("save 60\n", 1, "Invalid save parameters"),
        ("dbfilename a/b\n", 1, "dbfilename can't be a path, just a filename"),
        ("logfile \"unbalanced\n", 1, "Unbalanced quotes in configuration line"),
    ] {
        let file = write(folder.path(), "bad.conf", text);
        let place = format!("at line {line}");
        let head = "*** FATAL CONFIG FILE ERROR";
        assert_refused(tintype(&[&file.to_string_lossy()]), "", &[head, &place, reason]);
    }
    let missing = folder.path().join("missing.conf");
    assert_refused(tintype(&[&missing.to_string_lossy()]), "", &["missing.conf"]);
    assert_refused(
        tintype(&["--nosuch-directive", "1"]),
        "",
        &["FATAL CONFIG FILE ERROR", "nosuch-directive"],
    );
    assert_refused(tintype(&["-"]), "hz abc\n", &["FATAL CONFIG FILE ERROR"]);
}

/// What Tintype would not keep it does not accept.
#[test]
fn promises_that_cannot_be_kept_stop_the_start() {
    if is_stand_in() {
        return;
    }
    for (directive, value) in
        [("appendonly", "yes"), ("replicaof", "127.0.0.1 1"), ("cluster-enabled", "yes")]
    {
        let folder = folder();
        let file = write(folder.path(), "t.conf", &format!("{directive} {value}\n"));
        assert_refused(tintype(&[&file.to_string_lossy()]), "", &["FATAL CONFIG FILE ERROR", directive]);
    }
}

#[test]
fn files_includes_quotes_and_overrides() {
    let folder = folder();
    write(folder.path(), "more.conf", "maxmemory-samples 7\nhz 20\n");
    let text = concat!(
        "# a comment\n\nDATABASES 4\nhz 15\nrequirepass \"with \\x41 \\\"quotes\\\"\"\n",
        "save 900 1\nsave 300 10\ndbfilename 'single.rdb'\nmaxmemory 10mb\ninclude more.conf\n",
    );
    let file = write(folder.path(), "t.conf", text);
    let start = Start::tintype().config_file(&file).in_directory(folder.path()).with("--maxmemory", "20mb");
    let server = start.spawn();
    let mut connection = server.connect();
    connection.ok("AUTH \"with A \\\"quotes\\\"\"");
    for (name, value) in [
        ("databases", "4"),
        ("hz", "20"),
        ("maxmemory-samples", "7"),
        ("save", "900 1 300 10"),
        ("dbfilename", "single.rdb"),
        ("maxmemory", "20971520"),
    ] {
        assert_eq!(connection.run(&format!("CONFIG GET {name}")).elements()[1].text(), value, "{name}");
    }
    connection.run("SELECT 4").assert_error("ERR DB index is out of range");
}

#[test]
fn several_values_on_the_command_line() {
    let start = Start::tintype().arguments(&["--save", "900", "1", "--save", "300", "10", "--hz", "30"]);
    let server = start.spawn();
    let mut connection = server.connect();
    assert_eq!(connection.run("CONFIG GET save").elements()[1].text(), "900 1 300 10");
    assert_eq!(connection.run("CONFIG GET hz").elements()[1].text(), "30");
    let server = Server::start(&[]);
    assert_eq!(server.connect().run("CONFIG GET save").elements()[1].text(), "");
}

/// The file that Debian ships, as a user has it: only where it runs is changed.
#[test]
fn debian_s_own_redis_conf_works() {
    let shipped = fs::read_to_string("/etc/redis/redis.conf");
    // Where only root may read it, what the oracle itself writes takes its place.
    let text = shipped.unwrap_or_else(|_| rewritten_by_the_oracle());
    let folder = folder();
    let file = write(folder.path(), "redis.conf", &text);
    let place = folder.path().to_string_lossy().into_owned();
    let start = Start::tintype().config_file(&file).in_directory(folder.path()).with("--daemonize", "no");
    let start = start.with("--dir", &place).with("--logfile", "").with("--supervised", "no");
    let server = start.with("--pidfile", "own.pid").spawn();
    let mut connection = server.connect();
    connection.ok("SET a 1");
    assert_eq!(connection.run("CONFIG GET databases").elements()[1].text(), "16");
}

fn rewritten_by_the_oracle() -> String {
    let folder = folder();
    let file = write(folder.path(), "t.conf", "hz 10\n");
    let server = Start::oracle().config_file(&file).in_directory(folder.path()).spawn();
    server.connect().ok("CONFIG REWRITE");
    let text = fs::read_to_string(&file).expect("the file");
    // Its directory goes with this function.
    text.lines().filter(|line| !line.starts_with("dir ")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_oracle_s_rewritten_file_works() {
    let folder = folder();
    let file = write(folder.path(), "t.conf", &rewritten_by_the_oracle());
    let place = folder.path().to_string_lossy().into_owned();
    let start = Start::tintype().config_file(&file).in_directory(folder.path());
    start.with("--dir", &place).spawn().connect().ok("SET a 1");
}

#[test]
fn a_daemon_leaves_its_pid_and_its_log() {
    let folder = folder();
    let port = free_port();
    let place = folder.path().to_string_lossy().into_owned();
    let port_text = port.to_string();
    let command = tintype(&[
        "--port",
        &port_text,
        "--daemonize",
        "yes",
        "--dir",
        &place,
        "--pidfile",
        "d.pid",
        "--logfile",
        "d.log",
        "--save",
        "",
    ]);
    let mut command = command;
    command.current_dir(folder.path());
    assert!(run(command, "").status.success());
    wait_for("the daemon", || Connection::try_tcp(port).is_ok());
    let pid: u32 = Connection::tcp(port).info("process_id").parse().expect("a pid");
    let written = fs::read_to_string(folder.path().join("d.pid")).expect("a pid file");
    assert_eq!(written.trim(), pid.to_string());
    let log = fs::read_to_string(folder.path().join("d.log")).expect("a log");
    process::signal(pid, Signal::SIGTERM);
    assert!(holds_within(LIMIT, || !process::is_alive(pid)), "the daemon stays");
    assert!(log.contains("Ready to accept connections"), "{log}");
}

#[test]
fn called_redis_server_it_is_one() {
    let folder = folder();
    let link = folder.path().join("redis-server");
    symlink(binary_path(Binary::Tintype), &link).expect("a link");
    let output = run(
        {
            let mut command = Command::new(&link);
            command.arg("--version");
            command
        },
        "",
    );
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn the_log_has_the_known_lines() {
    let mut server = Server::start(&[]);
    server.connect().ok("SET a 1");
    server.signal(Signal::SIGTERM);
    assert!(server.wait_for_end().success());
    let log = server.log();
    for text in [
        "just started",
        "Server initialized",
        "Ready to accept connections",
        "User requested shutdown...",
        "bye bye",
    ] {
        assert!(log.contains(text), "no {text:?} in:\n{log}");
    }
    // 1234:M 24 Dec 2026 12:00:00.000 * text
    let line = log.lines().find(|line| line.contains("Ready to accept")).expect("found above");
    let words: Vec<_> = line.split(' ').collect();
    assert_eq!(words[0], format!("{}:M", server.pid()), "{line}");
    assert!(words[4].len() == 12 && words[5] == "*", "{line}");
}

#[test]
fn config_rewrite_survives_a_restart() {
    let folder = folder();
    let file = write(folder.path(), "t.conf", "# kept comment\nhz 15\nmaxmemory 1mb\nsave 60 100\n");
    let start = || Start::tintype().config_file(&file).in_directory(folder.path());
    let mut server = start().spawn();
    let mut connection = server.connect();
    connection.ok("CONFIG SET hz 25 maxmemory 2mb save \"\" maxmemory-policy allkeys-lru");
    connection.ok("CONFIG REWRITE");
    server.kill();
    let text = fs::read_to_string(&file).expect("the file");
    assert!(text.starts_with("# kept comment\nhz 25\n"), "{text}");
    let server = start().spawn();
    let mut connection = server.connect();
    for (name, value) in
        [("hz", "25"), ("maxmemory", "2097152"), ("save", ""), ("maxmemory-policy", "allkeys-lru")]
    {
        assert_eq!(connection.run(&format!("CONFIG GET {name}")).elements()[1].text(), value, "{name}");
    }
}

#[test]
fn the_same_port_twice_fails_with_a_word() {
    let server = Server::start(&[]);
    let output = run(tintype(&["--port", &server.port.to_string(), "--save", ""]), "");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("Address already in use"), "{text}");
}

#[test]
fn what_expires_goes_by_itself() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    for n in 0..2_000 {
        connection.ok(&format!("SET short:{n} x PX 100"));
    }
    connection.ok("SET long x");
    wait_for("the active expiry", || connection.run("DBSIZE") == Value::Integer(1));
    assert_eq!(connection.info("expired_keys"), "2000");
}
