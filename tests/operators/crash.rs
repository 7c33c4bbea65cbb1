//! The report of a crash, and the signal that the process ends by.

use crate::support::{Connection, Server, Start, Wait, process, wait_for};
use nix::sys::signal::Signal;
use std::os::unix::process::ExitStatusExt;

const PARTS: [&str; 10] = [
    "=== REDIS BUG REPORT START: Cut & paste starting from here ===",
    "------ STACK TRACE ------",
    "------ REGISTERS ------",
    "------ CURRENT CLIENT INFO ------",
    "------ LAST COMMANDS ------",
    "------ CLIENT LIST OUTPUT ------",
    "------ INFO OUTPUT ------",
    "# Keyspace\ndb0:keys=1",
    "------ STACK TRACE WITH NAMES ------",
    "=== REDIS BUG REPORT END. Make sure to include from START to END. ===",
];

fn start() -> Start {
    Start::tintype().with("--save", "").with("--enable-debug-command", "yes")
}

/// A client of a server that holds one key.
fn client_of(server: &Server) -> Connection {
    let mut client = server.connect();
    client.ok("SET somekey somevalue");
    client.ok("CLIENT SETNAME somebody");
    client
}

/// Waits for the end, by `signal`; the log has every part in its order, once. Returns the log.
#[track_caller]
fn report_of(server: &mut Server, signal: Signal) -> String {
    let status = server.wait_for_end();
    let log = server.log();
    assert_eq!(status.signal(), Some(signal as i32), "{status:?}\n{log}");
    let mut from = 0;
    for part in PARTS {
        let at = log[from..].find(part).unwrap_or_else(|| panic!("{part:?} is not in its place:\n{log}"));
        from += at + part.len();
    }
    assert_eq!(log.matches("REPORT START").count(), 1, "{log}");
    log
}

#[track_caller]
fn assert_says(log: &str, texts: &[&str]) {
    texts.iter().for_each(|text| assert!(log.contains(text), "{text:?} is not in:\n{log}"));
}

#[test]
fn a_fault_is_reported_with_the_command_that_met_it() {
    let mut server = start().spawn();
    let mut client = client_of(&server);
    let id = client.run("CLIENT ID").integer();
    assert!(client.try_command("debug SEGFAULT").is_err());
    let log = report_of(&mut server, Signal::SIGSEGV);
    assert_says(
        &log,
        &[
            "crashed by signal: 11 (SIGSEGV), si_code: 2",
            "# Accessing address: 0x",
            "tintype(+0x",
            " name=somebody ",
            "argv[0]: \"debug\"\nargv[1]: \"SEGFAULT\"\n",
            &format!(
                "id={id} cmd=debug\nid={id} cmd=client|id\nid={id} cmd=client|setname\nid={id} cmd=set\n"
            ),
            "redis_version:",
            "debug::crash::segfault",
        ],
    );
    #[cfg(target_arch = "x86_64")]
    assert_says(&log, &["RIP:0", "RSP:0"]);
}

#[test]
fn a_panic_and_a_failed_assertion_end_the_process_by_abort() {
    for (line, said) in [
        ("DEBUG PANIC", "a panic: thread 'main' panicked at src/commands/server/debug/crash.rs:"),
        ("DEBUG ASSERT", "=== ASSERTION FAILED ==="),
    ] {
        let mut server = start().spawn();
        let mut client = client_of(&server);
        client.ok("MULTI");
        client.run(line);
        assert!(client.try_command("EXEC").is_err());
        let log = report_of(&mut server, Signal::SIGABRT);
        let argument = line.strip_prefix("DEBUG ").expect("so it begins");
        let running = format!("argv[0]: \"DEBUG\"\nargv[1]: \"{argument}\"\nid=");
        assert_says(&log, &[said, &running, "argv[0]: \"EXEC\"\n", "debug::crash::"]);
    }
}

#[test]
fn what_users_have_sent_can_be_kept_out() {
    for (line, signal) in [("DEBUG SEGFAULT", Signal::SIGSEGV), ("DEBUG PANIC", Signal::SIGABRT)] {
        let mut server = start().with("--hide-user-data-from-log", "yes").spawn();
        assert!(client_of(&server).try_command(line).is_err());
        let log = report_of(&mut server, signal);
        assert_says(&log, &["argv[0]: \"DEBUG\"\nargv[1]: ", " name=*redacted* "]);
        for hidden in ["somebody", "somekey", "\"SEGFAULT\"", "\"PANIC\"", "Guru"] {
            assert!(!log.contains(hidden), "{hidden}: {log}");
        }
    }
}

#[test]
fn a_signal_from_outside_is_reported_as_such() {
    let mut server = start().spawn();
    let _client = client_of(&server);
    server.signal(Signal::SIGABRT);
    let log = report_of(&mut server, Signal::SIGABRT);
    assert_says(&log, &["crashed by signal: 6 (SIGABRT), si_code: 0", "# Killed by PID: "]);
}

/// The loop's thread reports it: what it tells of clients stands still meanwhile.
#[test]
fn a_helper_threads_crash_is_reported_whole() {
    let mut server = start().spawn();
    let _client = client_of(&server);
    let tasks = std::fs::read_dir(format!("/proc/{}/task", server.pid())).expect("it runs").flatten();
    let is_helper = |path: &std::path::Path| {
        std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() == "bio_lazy_free")
    };
    let helper = tasks.map(|task| task.path()).find(|path| is_helper(path)).expect("the helper thread");
    let thread: i32 =
        helper.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok()).expect("an id");
    let pid = server.pid() as i32;
    // SAFETY: plain numbers.
    let sent = unsafe { libc::syscall(libc::SYS_tgkill, pid, thread, libc::SIGBUS) };
    assert_eq!(sent, 0);
    let log = report_of(&mut server, Signal::SIGBUS);
    assert_says(
        &log,
        &["(SIGBUS)", &format!("Thread {thread}:\n"), "(of another thread: see the addresses above)"],
    );
}

#[test]
fn reports_can_be_switched_off_and_on() {
    let mut server = start().spawn();
    let mut client = client_of(&server);
    client.ok("CONFIG SET crash-log-enabled no");
    assert!(client.try_command("DEBUG SEGFAULT").is_err());
    assert_eq!(server.wait_for_end().signal(), Some(Signal::SIGSEGV as i32));
    assert!(!server.log().contains("REPORT START"), "{}", server.log());

    let mut server = start().with("--crash-log-enabled", "no").spawn();
    let mut client = client_of(&server);
    assert!(client.try_command("DEBUG PANIC").is_err());
    assert_eq!(server.wait_for_end().signal(), Some(Signal::SIGABRT as i32));
    let log = server.log();
    assert!(log.contains("# thread 'main' panicked at src/") && !log.contains("REPORT START"), "{log}");

    let mut server = start().with("--crash-log-enabled", "no").spawn();
    let mut client = client_of(&server);
    client.ok("CONFIG SET crash-log-enabled yes");
    assert!(client.try_command("DEBUG SEGFAULT").is_err());
    report_of(&mut server, Signal::SIGSEGV);
}

#[test]
fn a_child_that_crashes_writes_no_report() {
    let mut server = start().with("--rdb-key-save-delay", "1000000").spawn();
    let mut client = client_of(&server);
    client.ok("SET another 1");
    client.run("BGSAVE");
    wait_for("the child", || !process::children(server.pid()).is_empty());
    process::signal(process::children(server.pid())[0], Signal::SIGSEGV);
    server.wait_for_log("terminated by signal 11");
    assert!(server.is_running() && !server.log().contains("REPORT START"), "{}", server.log());
    client.ok("SET k v");
}

#[test]
fn the_report_is_where_the_log_is() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("own.log");
    let logfile = file.to_str().expect("text");
    let mut server = start().with("--logfile", logfile).wait(Wait::Listening).spawn();
    assert!(client_of(&server).try_command("DEBUG SEGFAULT").is_err());
    assert_eq!(server.wait_for_end().signal(), Some(Signal::SIGSEGV as i32));
    let log = std::fs::read_to_string(&file).expect("the log");
    assert!(log.contains("REPORT START") && log.contains("REPORT END") && server.log().is_empty(), "{log}");
}

/// A damaged file names the key that it is damaged at.
#[test]
fn a_load_that_fails_can_keep_the_key_to_itself() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let mut server = start().in_directory(folder.path()).spawn();
    let mut client = server.connect();
    client.ok(&format!("SET secretkey {}", "0123456789abcdef".repeat(100)));
    client.ok("SAVE");
    server.kill();
    let file = folder.path().join("dump.rdb");
    let bytes = std::fs::read(&file).expect("the snapshot");
    let key_end = bytes.windows(9).position(|part| part == b"secretkey").expect("the key is in it") + 9;
    std::fs::write(&file, &bytes[..key_end + 4]).expect("cut off");
    for (word, shown) in [("no", "secretkey"), ("yes", "*redacted*")] {
        let start = start().in_directory(folder.path()).with("--hide-user-data-from-log", word);
        let mut server = start.wait(Wait::Nothing).spawn();
        assert!(!server.wait_for_end().success());
        let log = server.log();
        assert!(log.contains(&format!("'{shown}'")), "{log}");
        assert_eq!(log.contains("secretkey"), word == "no", "{log}");
    }
}
