//! The offline tools, as a user runs them: on files of redis-server and of Tintype, with every type of value.

pub mod support;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use support::server::{Binary, binary_path, tool};
use support::{Connection, Server, Start, Value};
use tempfile::TempDir;

/// Runs a tool to its end.
#[track_caller]
fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(binary_path(Binary::Tintype));
    let output = command.args(arguments).stdin(Stdio::null()).output().expect("the tool starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code().is_some() && !errors.contains("panicked"), "{arguments:?}: {errors}");
    output
}

fn name(path: &Path) -> &str {
    path.to_str().expect("a plain name")
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

#[track_caller]
fn assert_code(output: &Output, code: i32) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{}{errors}", text(output));
}

/// Every type that redis-server 7.0 has, small and large, in two databases.
#[track_caller]
fn fill(connection: &mut Connection) {
    for line in [
        "SET int 12345",
        "SET big 123456789012",
        "SET empty \"\"",
        "SET text \"a \\\"b\\\", c\\r\\nd\"",
        "SET binary \"\\x00\\xff\\xfe\\r\\n\"",
        "SET \"\\xffkey\" 1",
        "SET later v PXAT 4000000000000",
        "SET soon v EX 1800",
        "PFADD hll a b c d e f",
        "RPUSH list a 1 \"\" \"x,y\"",
        "SADD ints 3 1 200000",
        "SADD set a 1 \"\\xff\"",
        "ZADD zset 1.5 a -inf b 0.1 c 3 d",
        "HSET hash f v g 1 \"\" \"\"",
        "PEXPIREAT hash 4000000000001",
        "XADD stream 1-1 f v g w",
        "XADD stream 1-2 f w g x",
        "XADD stream 5-0 other field",
        "XDEL stream 5-0",
        "XADD groups 1-1 f v",
        "XADD groups 1-2 f w",
        "XGROUP CREATE groups first 0",
        "XREADGROUP GROUP first alice COUNT 1 STREAMS groups >",
        "XGROUP CREATE groups second $",
        "XGROUP CREATE nothing lonely $ MKSTREAM",
        "SELECT 3",
        "SET three 3",
        "SELECT 0",
    ] {
        assert!(!connection.run(line).is_error(), "{line}");
    }
    connection.ok(&format!("SET compressed {}", "abc".repeat(300)));
    for (command, key) in
        [("RPUSH", "long:list"), ("SADD", "long:set"), ("ZADD", "long:zset"), ("HSET", "long:hash")]
    {
        let mut words = vec![command.to_owned(), key.to_owned()];
        for n in 0..3_000 {
            match command {
                "ZADD" => words.extend([format!("{n}.25"), format!("member {n}")]),
                "HSET" => words.extend([format!("field {n}"), format!("value {n}")]),
                _ => words.push(format!("element {n}")),
            }
        }
        assert!(!connection.command(&words).is_error());
    }
}

const KEYS: usize = 23;

/// A file of `binary` with all of `fill`, and the digest of what is in it.
#[track_caller]
fn file_of(binary: Binary, folder: &Path) -> (PathBuf, String) {
    let server = Start::new(binary).with("--save", "").with("--enable-debug-command", "yes").spawn();
    let mut connection = server.connect();
    fill(&mut connection);
    connection.ok("SAVE");
    let path = folder.join(format!("{binary:?}.rdb"));
    fs::copy(server.path("dump.rdb"), &path).expect("the saved file");
    (path, digest(&mut connection))
}

fn digest(connection: &mut Connection) -> String {
    connection.run("DEBUG DIGEST").text()
}

#[test]
fn check_reports_statistics() {
    let folder = TempDir::new().expect("a temporary directory");
    for binary in [Binary::Oracle, Binary::Tintype] {
        let (path, _) = file_of(binary, folder.path());
        let output = run(&["check-rdb", name(&path)]);
        assert_code(&output, 0);
        let lines = text(&output);
        for line in [
            "RDB looks OK!",
            "[info] 23 keys read",
            "[info] db0: 22 keys, 3 expires",
            "[info] db3: 1 keys, 0 expires",
            "[info] hash: 2 keys",
            "3003 elements",
            "[info]   largest: 'long:zset' in db0",
            "[info]   as hash as listpack: 1 keys",
            "[info] time to live: within 1 hour: 1 keys",
            "[info] time to live: later: 2 keys",
            "[info] CRC-64/XZ of the file: ",
        ] {
            assert!(lines.contains(line), "no {line:?} in:\n{lines}");
        }
        let output = run(&["check-rdb", name(&path), "--json"]);
        assert_code(&output, 0);
        let json = text(&output);
        for part in [
            "\"sound\":true",
            "\"checksum\":\"ok\"",
            "\"error\":null",
            "\"keys\":23,\"expires\":3,\"expired\":0",
            "{\"db\":3,\"keys\":1,",
            "\"hash\":{\"keys\":2,",
            "\"later\":2}",
        ] {
            assert!(json.contains(part), "no {part} in {json}");
        }
        assert_eq!(json.lines().count(), 1);
        let mut bytes = fs::read(&path).expect("the file");
        let half = bytes.len() / 2;
        bytes.truncate(half);
        fs::write(&path, bytes).expect("the file");
        let output = run(&["check-rdb", "--json", name(&path)]);
        assert_code(&output, 1);
        let json = text(&output);
        assert!(json.contains("\"sound\":false") && json.contains("\"error\":{\"offset\":"), "{json}");
    }
    assert_code(&run(&["check-rdb", "/nowhere/at.all"]), 2);
    assert_code(&run(&["check-rdb"]), 2);
    assert_code(&run(&["check-rdb", "/"]), 2);
}

/// Sends `commands` to a server through redis-cli --pipe, as the documentation says.
#[track_caller]
fn pipe(commands: &Path, server: &Server) {
    let mut command = Command::new(tool("redis-cli"));
    command
        .args(["-p", &server.port.to_string(), "--pipe"])
        .stdin(File::open(commands).expect("the commands"));
    let output = command.output().expect("redis-cli runs");
    let said = text(&output);
    assert!(output.status.success() && said.contains("errors: 0"), "{said}");
}

#[test]
fn commands_make_the_dataset_again() {
    let folder = TempDir::new().expect("a temporary directory");
    for from in [Binary::Oracle, Binary::Tintype] {
        let (path, expected) = file_of(from, folder.path());
        let commands = folder.path().join("commands");
        assert_code(&run(&["rdb-export", name(&path), "--format", "resp", "-o", name(&commands)]), 0);
        for to in [Binary::Oracle, Binary::Tintype] {
            let server = Start::new(to).with("--save", "").with("--enable-debug-command", "yes").spawn();
            // Twice: what is there already is replaced.
            pipe(&commands, &server);
            pipe(&commands, &server);
            let mut connection = server.connect();
            assert_eq!(digest(&mut connection), expected, "from {from:?} to {to:?}");
            // DEBUG DIGEST does not look at groups, nor at times.
            assert_eq!(connection.run("PEXPIRETIME later"), Value::Integer(4_000_000_000_000));
            assert_eq!(connection.run("XPENDING groups first").elements()[0], Value::Integer(1));
            let groups = |reply: Value| reply.elements().len();
            assert_eq!(groups(connection.run("XINFO GROUPS groups")), 2);
            assert_eq!(groups(connection.run("XINFO GROUPS nothing")), 1);
            connection.ok("SAVE");
            let again = server.path("dump.rdb");
            let difference = run(&["rdb-diff", name(&path), name(&again)]);
            assert_code(&difference, 0);
        }
    }
}

#[test]
fn fields_with_expiries_come_along() {
    let folder = TempDir::new().expect("a temporary directory");
    let start = || Start::tintype().with("--save", "").with("--enable-debug-command", "yes").spawn();
    let (one, two) = (start(), start());
    let mut connection = one.connect();
    assert!(!connection.run("HSET h a 1 b 2").is_error());
    assert!(!connection.run("HPEXPIREAT h 4000000000000 FIELDS 1 a").is_error());
    connection.ok("SAVE");
    let (file, commands) = (one.path("dump.rdb"), folder.path().join("commands"));
    assert_code(&run(&["rdb-export", name(&file), "--format", "resp", "-o", name(&commands)]), 0);
    pipe(&commands, &two);
    two.connect().ok("SAVE");
    assert_code(&run(&["rdb-diff", name(&file), name(&two.path("dump.rdb"))]), 0);
    let json = text(&run(&["rdb-export", name(&file)]));
    assert!(json.contains("[\"a\",\"1\",4000000000000]") && json.contains("[\"b\",\"2\"]"), "{json}");
    let csv = text(&run(&["rdb-export", name(&file), "--format", "csv"]));
    assert!(csv.contains("0,h,hash,,,a,1,4000000000000\r\n") && csv.contains("0,h,hash,,,b,2,\r\n"), "{csv}");
}

#[test]
fn json_and_csv_say_it_all() {
    let folder = TempDir::new().expect("a temporary directory");
    let (path, _) = file_of(Binary::Oracle, folder.path());
    let output = run(&["rdb-export", name(&path)]);
    assert_code(&output, 0);
    let json = text(&output);
    assert_eq!(json.lines().count(), KEYS);
    for line in [
        r#"{"db":0,"key":"int","type":"string","expire_at_ms":null,"value":"12345"}"#,
        r#"{"db":0,"key":"later","type":"string","expire_at_ms":4000000000000,"value":"v"}"#,
        r#"{"db":0,"key":{"base64":"/2tleQ=="},"type":"string","expire_at_ms":null,"value":"1"}"#,
        r#"{"db":0,"key":"binary","type":"string","expire_at_ms":null,"value":{"base64":"AP/+DQo="}}"#,
        r#"{"db":0,"key":"text","type":"string","expire_at_ms":null,"value":"a \"b\", c\r\nd"}"#,
        r#"{"db":0,"key":"list","type":"list","expire_at_ms":null,"value":["a","1","","x,y"]}"#,
        r#""type":"zset","expire_at_ms":null,"value":[["b","-inf"],["c",0.1],["a",1.5],["d",3.0]]}"#,
        r#""value":[["f","v"],["g","1"],["",""]]}"#,
        r#"{"entries":[["1-1",[["f","v"],["g","w"]]],["1-2",[["f","w"],["g","x"]]]],"last_id":"5-0","#,
        r#""pending":[{"id":"1-1","consumer":"alice","#,
        r#"{"db":3,"key":"three","type":"string","expire_at_ms":null,"value":"3"}"#,
    ] {
        assert!(json.contains(line), "no {line} in\n{json}");
    }
    let output = run(&["rdb-export", name(&path), "--format", "csv"]);
    assert_code(&output, 0);
    // One cell is not text.
    let csv = String::from_utf8_lossy(&output.stdout).into_owned();
    for row in [
        "db,key,type,expire_at_ms,id,field,value,field_expire_at_ms\r\n",
        "\r\n0,int,string,,,,12345,\r\n",
        "\r\n0,empty,string,,,,\"\",\r\n",
        "\r\n0,text,string,,,,\"a \"\"b\"\", c\r\nd\",\r\n",
        "\r\n0,list,list,,3,,\"x,y\",\r\n",
        "\r\n0,zset,zset,,,a,1.5,\r\n",
        "\r\n0,hash,hash,4000000000001,,f,v,\r\n",
        "\r\n0,stream,stream,,1-2,g,x,\r\n",
        "\r\n0,nothing,stream,,,,,\r\n",
    ] {
        assert!(csv.contains(row), "no {row:?} in\n{csv}");
    }
}

#[test]
fn exports_are_filtered_and_end_quietly() {
    let folder = TempDir::new().expect("a temporary directory");
    let (path, _) = file_of(Binary::Tintype, folder.path());
    let lines = |arguments: &[&str]| {
        let output = run(&[&["rdb-export", name(&path)], arguments].concat());
        assert_code(&output, 0);
        text(&output).lines().count()
    };
    assert_eq!(lines(&["--db", "3"]), 1);
    assert_eq!(lines(&["--db", "7"]), 0);
    assert_eq!(lines(&["--match", "long:*"]), 4);
    assert_eq!(lines(&["--match", "*"]), KEYS);
    assert_eq!(lines(&["--type", "stream"]), 3);
    assert_eq!(lines(&["--type", "hash", "--match", "long:*"]), 1);
    for wrong in [&["--format", "xml"][..], &["--type", "tree"], &["--db", "-1"], &["--what"]] {
        assert_code(&run(&[&["rdb-export", name(&path)], wrong].concat()), 2);
    }
    // Whoever reads stops after a line.
    let mut command = Command::new(binary_path(Binary::Tintype));
    let piped = command.args(["rdb-export", name(&path), "--format", "csv"]).stdout(Stdio::piped());
    let mut child = piped.stderr(Stdio::piped()).spawn().expect("the tool starts");
    let mut line = String::new();
    BufReader::with_capacity(64, child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
    let mut errors = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut errors).expect("text");
    assert_eq!((child.wait().expect("its end").code(), errors.as_str()), (Some(0), ""));
    // What stands before a fault comes out.
    let bytes = fs::read(&path).expect("the file");
    fs::write(&path, &bytes[..bytes.len() - 20]).expect("the file");
    let output = run(&["rdb-export", name(&path)]);
    assert_code(&output, 2);
    assert!(text(&output).lines().count() >= KEYS - 2);
    assert!(String::from_utf8_lossy(&output.stderr).contains("Short read"), "{output:?}");
}

#[test]
fn differences_are_named_whatever_the_encoding() {
    let tables = ["--hash-max-listpack-entries", "0", "--zset-max-listpack-entries", "0"];
    let sets = ["--set-max-intset-entries", "0", "--list-max-listpack-size", "1"];
    let servers = [Server::oracle(&[]), Server::start(&[tables, sets].concat())];
    let paths: Vec<_> = servers.iter().map(|server| server.path("dump.rdb")).collect();
    for server in &servers {
        let mut connection = server.connect();
        fill(&mut connection);
        connection.run("PEXPIREAT soon 4000000000000");
        connection.run("XGROUP DESTROY groups first");
        connection.ok("SAVE");
    }
    let diff = |options: &[&str]| run(&[&["rdb-diff", name(&paths[0]), name(&paths[1])], options].concat());
    let output = diff(&[]);
    assert_code(&output, 0);
    assert_eq!(text(&output), "0 added, 0 removed, 0 changed, 23 unchanged\n");

    let mut connection = servers[1].connect();
    for line in [
        "SET new:1 1",
        "SET new:2 1",
        "DEL int big",
        "LSET list 0 other",
        "PEXPIREAT zset 4000000000000",
        "HSET hash f w",
        "PERSIST hash",
        "SELECT 3",
        "MOVE three 4",
    ] {
        assert!(!connection.run(line).is_error(), "{line}");
    }
    connection.ok("SAVE");
    let output = diff(&[]);
    assert_code(&output, 1);
    let lines = text(&output);
    for line in [
        "+ db0 new:1\n",
        "+ db4 three\n",
        "- db0 int\n",
        "- db3 three\n",
        "~ db0 list (value)\n",
        "~ db0 zset (expiry)\n",
        "~ db0 hash (value, expiry)\n",
        "3 added, 3 removed, 3 changed, 17 unchanged\n",
    ] {
        assert!(lines.contains(line), "no {line:?} in\n{lines}");
    }
    assert_eq!(lines.lines().count(), 10);
    let limited = text(&diff(&["--limit", "1"]));
    assert!(limited.lines().count() == 5 && limited.contains("... 6 more"), "{limited}");
    let json = text(&diff(&["--json", "--limit", "0"]));
    assert!(json.contains(r#"{"db":0,"key":"hash","change":"value, expiry"}"#), "{json}");
    assert!(json.ends_with("\"unchanged\":17,\"not_compared\":0}\n"), "{json}");
    assert_code(&run(&["rdb-diff", name(&paths[0]), "/nowhere"]), 2);
    assert_code(&run(&["rdb-diff", name(&paths[0])]), 2);
}

#[test]
fn a_damaged_file_is_salvaged_and_loads() {
    let folder = TempDir::new().expect("a temporary directory");
    let (path, expected) = file_of(Binary::Oracle, folder.path());
    let saved = folder.path().join("dump.rdb");
    let loads = |digest_is: &str| {
        for binary in [Binary::Oracle, Binary::Tintype] {
            let start = Start::new(binary).with("--save", "").with("--enable-debug-command", "yes");
            let server = start.in_directory(folder.path()).spawn();
            let found = digest(&mut server.connect());
            assert!(digest_is.is_empty() || found == digest_is, "{binary:?}");
        }
    };
    let whole = fs::read(&path).expect("the file");
    let mut bytes = whole.clone();
    bytes[whole.len() / 3] ^= 0x10;
    fs::write(&path, &bytes).expect("the file");
    let output = run(&["rdb-salvage", name(&path), name(&saved)]);
    assert_code(&output, 0);
    assert!(text(&output).contains("1 byte was wrong at offset"), "{}", text(&output));
    loads(&expected);

    bytes[whole.len() / 3..][..200].fill(0xee);
    fs::write(&path, &bytes).expect("the file");
    let output = run(&["rdb-salvage", name(&path), name(&saved)]);
    assert_code(&output, 1);
    assert!(text(&output).contains("left out: offset"), "{}", text(&output));
    assert_code(&run(&["check-rdb", name(&saved)]), 0);
    loads("");
    // What was saved is a part of what was.
    fs::write(&path, &whole).expect("the file");
    let difference = text(&run(&["rdb-diff", name(&path), name(&saved)]));
    assert!(difference.contains("\n0 added") || difference.starts_with("0 added"), "{difference}");
    assert_code(&run(&["rdb-salvage", name(&path), name(&path)]), 2);
    assert_code(&run(&["rdb-salvage", name(&path), "/nowhere/out.rdb"]), 2);
}
