//! The file of users, the lines `user ...` of the configuration, and what is wrong with them.

use crate::support::server::{Binary, Wait};
use crate::support::{Connection, Server, Start, Value};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::TempDir;

/// A server of each kind in a directory of its own, with these files.
fn servers(files: &[(&str, &str)], arguments: &[&str]) -> [(TempDir, Server); 2] {
    [Binary::Tintype, Binary::Oracle].map(|binary| {
        let directory = directory_with(files);
        let start = Start::new(binary).with("--save", "").in_directory(directory.path()).arguments(arguments);
        (directory, start.spawn())
    })
}

fn directory_with(files: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().expect("a temporary directory");
    files.iter().for_each(|(name, text)| fs::write(directory.path().join(name), text).expect("a file"));
    directory
}

/// The last lines of the log of a start that fails, without what is different by nature.
fn failed_start(binary: Binary, conf: &str, users: Option<&str>) -> String {
    let directory = directory_with(&[("c.conf", conf)]);
    if let Some(users) = users {
        fs::write(directory.path().join("u.acl"), users).expect("a file");
    }
    let start = Start::new(binary).in_directory(directory.path()).wait(Wait::Nothing);
    let mut server = start.config_file(Path::new("c.conf")).spawn();
    assert_eq!(server.wait_for_end().code(), Some(1), "{conf}");
    server.log()
}

#[track_caller]
fn both_fail(conf: &str, users: Option<&str>, texts: &[&str]) {
    for binary in [Binary::Tintype, Binary::Oracle] {
        let log = failed_start(binary, conf, users);
        for text in texts {
            assert!(log.contains(text), "{binary:?}, {conf:?} {users:?}: {text:?} is not in:\n{log}");
        }
    }
}

const FILE: &str = "user default on nopass ~* &* +@all\n\
                    user a on >p ~x resetchannels &c1 +@all -set\n\
                    user b on nopass ~x (+get %R~y)\n";

fn lines(connection: &mut Connection) -> Vec<String> {
    connection.run("ACL LIST").elements().iter().map(Value::text).collect()
}

#[test]
fn the_file_is_read_written_and_read_again() {
    let [(own, ours), (other, oracle)] = servers(&[("u.acl", FILE)], &["--aclfile", "u.acl"]);
    let (mut ours, mut oracle) = (ours.connect(), oracle.connect());
    assert_eq!(lines(&mut ours), lines(&mut oracle));
    for line in ["ACL SETUSER c on >q +@all", "ACL DELUSER b", "ACL SAVE", "ACL LOAD"] {
        assert_eq!(ours.run(line), oracle.run(line), "{line}");
    }
    let text = |directory: &TempDir| fs::read_to_string(directory.path().join("u.acl")).expect("the file");
    assert_eq!(text(&own), text(&other));
    assert_eq!(lines(&mut ours), lines(&mut oracle));
    assert_eq!(fs::read_dir(own.path()).expect("the directory").count(), 2, "the file and the log");
}

#[test]
fn a_file_that_is_wrong_changes_nothing() {
    let [(own, ours), (other, oracle)] = servers(&[("u.acl", FILE)], &["--aclfile", "u.acl"]);
    let (mut ours, mut oracle) = (ours.connect(), oracle.connect());
    for text in [
        "bogus\n",
        "user\n",
        "user a bogus\n",
        "user a on\nuser a off\n",
        "user a +nosuch\nuser b bad\nx\n",
        "\n\n# comment\nuser a on\n",
        "user a (+get\n",
        "user  a   on\n",
        "USER a on\n",
        "user \"a b\" on\n",
        "user a #12\n",
        "user a on # comment\n",
        "user a <x\n",
        "user a on\tnopass\n",
        "user a ~* ~b\n",
        "user a +config|nosuch\n",
        "user a +n1 +n2 bad bad2 +n3\n",
        "user a (+n1 +n2)\n",
        "user a (+get (+set)\n",
        "user a )\n",
        "user a +get|\n",
        "user a +config|get|x ~* ~b &* &c\n",
        "user a\tb on\n",
        "user default +nosuch\n",
        "user a on (+get) bad\n",
        "  user a on >p  \r\n\r\nuser z",
        "user a on",
        "",
        "user  on\n",
        "user a\0b on\n",
        "user a (+get ~x)\n",
    ] {
        for directory in [&own, &other] {
            fs::write(directory.path().join("u.acl"), text).expect("a file");
        }
        assert_eq!(ours.run("ACL LOAD"), oracle.run("ACL LOAD"), "{text:?}");
        assert_eq!(lines(&mut ours), lines(&mut oracle), "{text:?}");
    }
    for directory in [&own, &other] {
        fs::remove_file(directory.path().join("u.acl")).expect("the file is there");
    }
    assert_eq!(ours.run("ACL LOAD"), oracle.run("ACL LOAD"));
}

/// In Redis 7.0 everybody but the user `default` is disconnected.
#[test]
fn a_file_that_is_read_again_keeps_those_who_may_stay() {
    let directory = directory_with(&[("u.acl", FILE)]);
    let file = directory.path().join("u.acl");
    let server = Start::tintype().in_directory(directory.path()).arguments(&["--aclfile", "u.acl"]).spawn();
    let mut admin = server.connect();
    let log_in = |line: &str| {
        let mut connection = server.connect();
        connection.ok(line);
        connection
    };
    let (mut changed, mut removed, mut listens) =
        (log_in("AUTH a p"), log_in("AUTH b x"), log_in("AUTH a p"));
    listens.run("SUBSCRIBE c1");
    admin.ok("ACL LOAD");
    assert_eq!(changed.run("GET x"), Value::Null);
    assert_eq!(removed.run("GET y"), Value::Null);
    fs::write(&file, "user a on >p ~y resetchannels -@all +get\n").expect("a file");
    admin.ok("ACL LOAD");
    changed
        .run("GET x")
        .assert_error("NOPERM this user has no permissions to access one of the keys used as arguments");
    assert_eq!(removed.until_closed(), b"");
    assert_eq!(listens.until_closed(), b"");
}

#[test]
fn a_file_keeps_its_mode_and_a_new_one_is_for_the_owner_alone() {
    let directory = directory_with(&[("u.acl", FILE)]);
    let file = directory.path().join("u.acl");
    let mode = || fs::metadata(&file).expect("the file").permissions().mode() & 0o777;
    let server = Start::tintype().in_directory(directory.path()).arguments(&["--aclfile", "u.acl"]).spawn();
    let mut admin = server.connect();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("the mode is set");
    admin.ok("ACL SAVE");
    assert_eq!(mode(), 0o640);
    fs::remove_file(&file).expect("the file is there");
    admin.ok("ACL SAVE");
    assert_eq!(mode(), 0o600);
    fs::remove_file(&file).expect("the file is there");
    fs::create_dir(&file).expect("a directory");
    let failed =
        "ERR There was an error trying to save the ACLs. Please check the server logs for more information";
    admin.run("ACL SAVE").assert_error(failed);
    server.wait_for_log("Replacing the ACL file 'u.acl' for ACL SAVE: Is a directory");
}

#[test]
fn a_start_with_wrong_users_fails_and_says_why() {
    let aborting = "Aborting Redis startup because of ACL errors: ";
    for (users, text) in [
        (
            "bogus\n",
            "u.acl:1 should start with user keyword followed by the username. WARNING: ACL errors detected",
        ),
        ("user a on\nuser b bogus\n", "u.acl:2: Syntax error. WARNING: ACL errors detected"),
        (
            "user a +nosuch\n",
            "u.acl:1: Error in applying operation '+nosuch': Unknown command or category name in ACL.",
        ),
    ] {
        both_fail("aclfile u.acl\n", Some(users), &[aborting, text]);
    }
    let missing = "Error loading ACLs, opening file 'u.acl': No such file or directory";
    both_fail("aclfile u.acl\n", None, &[aborting, missing]);
    both_fail(
        "aclfile u.acl\nuser bob on\n",
        Some(FILE),
        &[
            "Configuring Redis with users defined in redis.conf and at the same setting an ACL file path is invalid.",
        ],
    );
    for (conf, texts) in [
        (
            "user\n",
            &["*** FATAL CONFIG FILE ERROR", ">>> 'user'", "Bad directive or wrong number of arguments"][..],
        ),
        (
            "# one\nuser alice on bogus\n",
            &["at line 2", ">>> 'user alice on bogus'", "Error in user declaration ", ": Syntax error"],
        ),
        ("user a on\nuser a off\n", &["at line 2", "Error in user declaration 'a': Duplicate user found."]),
        ("user a ~* ~b\n", &["at line 1", "Adding a pattern after the * pattern"]),
        (
            "user alice on +nosuch\n",
            &[
                "Error loading ACL rule '+nosuch' for the user named 'alice': Unknown command or category name in ACL",
                "Critical error while loading ACLs. Exiting.",
            ],
        ),
        (
            "user \"a b\" on\n",
            &["Spaces not allowed in ACL usernames", "Critical error while loading ACLs. Exiting."],
        ),
    ] {
        both_fail(conf, None, texts);
    }
}

/// The lines of the file that tell of users, the same from both.
fn rewritten(conf: &str, changes: &[&str]) -> [Vec<String>; 2] {
    [Binary::Tintype, Binary::Oracle].map(|binary| {
        let directory = directory_with(&[("c.conf", conf)]);
        let start = Start::new(binary).in_directory(directory.path());
        let server = start.config_file(Path::new("c.conf")).spawn();
        let mut connection = server.connect();
        changes.iter().for_each(|line| drop(connection.run(line)));
        connection.ok("CONFIG REWRITE");
        let text = fs::read_to_string(directory.path().join("c.conf")).expect("the file");
        drop((connection, server));
        let again =
            Start::new(binary).in_directory(directory.path()).config_file(Path::new("c.conf")).spawn();
        let mut again = again.connect();
        changes.iter().filter(|line| line.starts_with("AUTH")).for_each(|line| again.ok(line));
        let users = text
            .lines()
            .filter(|line| line.starts_with("user ") || line.starts_with("# "))
            .map(str::to_owned);
        users.filter(|line| !line.contains("Generated")).chain(lines(&mut again)).collect()
    })
}

#[test]
fn users_of_the_configuration_are_rewritten() {
    for (conf, changes) in [
        ("# hi\n", &[][..]),
        (
            "# hi\nuser alice on nopass ~a +get\n# mid\nuser bob off\n",
            &["ACL SETUSER carl on >p (+get ~x)", "ACL DELUSER bob"][..],
        ),
        ("requirepass foo\nuser default on >bar ~* +@all\n", &["AUTH bar"]),
        (
            "user a (+get ~x) on\nacl-pubsub-default allchannels\n",
            &["ACL SETUSER b on", "ACL SETUSER a reset (+get)"],
        ),
    ] {
        let [ours, oracle] = rewritten(conf, changes);
        assert_eq!(ours, oracle, "{conf}");
    }
    // Redis would write these so that they cannot be read.
    let [ours, _] =
        [rewritten_by_us("ACL SETUSER \"a'b\" on \"~x\\\"y\" \"(~\\\"q\\\\\\\"r\\\" +get)\""), String::new()];
    assert!(ours.contains("user \"a'b\" on \"~x\\\"y\" resetchannels -@all"), "{ours}");
}

fn rewritten_by_us(change: &str) -> String {
    let directory = directory_with(&[("c.conf", "")]);
    let start = || Start::tintype().in_directory(directory.path()).config_file(Path::new("c.conf")).spawn();
    let mut connection = start().connect();
    drop(connection);
    let server = start();
    connection = server.connect();
    connection.ok(change);
    let before = lines(&mut connection);
    connection.ok("CONFIG REWRITE");
    drop((connection, server));
    assert_eq!(lines(&mut start().connect())[0], before[0]);
    fs::read_to_string(directory.path().join("c.conf")).expect("the file")
}

/// In Redis such a file opens the server to everybody, whatever `requirepass` says.
#[test]
fn a_file_without_the_default_user_leaves_it_its_password() {
    let directory = directory_with(&[("u.acl", "user a on >p ~x +get\n")]);
    let start = Start::tintype().in_directory(directory.path()).wait(Wait::Listening);
    let server = start.arguments(&["--aclfile", "u.acl", "--requirepass", "secret"]).spawn();
    let mut connection = server.connect();
    connection.run("PING").assert_error("NOAUTH Authentication required.");
    connection.ok("AUTH secret");
    connection.ok("ACL LOAD");
    server.connect().run("PING").assert_error("NOAUTH Authentication required.");
}
