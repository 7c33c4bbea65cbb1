//! FUNCTION, FCALL, and libraries in snapshots, beside redis-server.

use crate::support::{Connection, Server, Start, Value, Wait, arguments, encode, now};
use std::fs;
use std::time::Duration;

/// Tintype and the oracle, told the same.
struct Pair {
    ours: Server,
    theirs: Server,
}

struct Both {
    ours: Connection,
    theirs: Connection,
}

const DEBUG: &[&str] = &["--enable-debug-command", "yes"];

impl Pair {
    fn start() -> Pair {
        Pair { ours: Server::start(DEBUG), theirs: Server::oracle(DEBUG) }
    }

    fn connect(&self) -> Both {
        Both { ours: self.ours.connect(), theirs: self.theirs.connect() }
    }
}

impl Both {
    #[track_caller]
    fn same_words<T: AsRef<[u8]>>(&mut self, words: &[T]) -> String {
        let request = encode(words);
        self.ours.send(&request);
        self.theirs.send(&request);
        let [ours, theirs] = [&mut self.ours, &mut self.theirs].map(|c| c.bytes().escape_ascii().to_string());
        let shown: Vec<String> = words.iter().map(|word| word.as_ref().escape_ascii().to_string()).collect();
        assert_eq!(ours, theirs, "ours, the oracle's: {}", shown.join(" "));
        ours
    }

    #[track_caller]
    fn same(&mut self, line: &str) -> String {
        self.same_words(&arguments(line))
    }

    /// A library is loaded by both. What FUNCTION LIST tells of several, or of several functions, is in an order that
    /// is random in the oracle.
    #[track_caller]
    fn load(&mut self, code: impl AsRef<[u8]>) -> String {
        self.same_words(&[&b"FUNCTION"[..], b"LOAD", b"REPLACE", code.as_ref()])
    }

    /// A library `l` whose body is run when it is loaded.
    #[track_caller]
    fn body(&mut self, body: &str) -> String {
        self.load(format!("#!lua name=l\n{body}"))
    }

    /// What a function with this body answers to both.
    #[track_caller]
    fn call(&mut self, body: &str) -> String {
        self.body(&format!("redis.register_function('f', function(keys, args)\n{body}\nend)"));
        self.same("FCALL f 2 k1 k2 a1 a2 a3")
    }
}

fn library(name: &str, functions: &[&str]) -> String {
    let register =
        |function: &&str| format!("redis.register_function('{function}', function() return '{name}' end)\n");
    format!("#!lua name={name}\n{}", functions.iter().map(register).collect::<String>())
}

fn load(connection: &mut Connection, code: &str) -> Value {
    connection.command(&["FUNCTION", "LOAD", "REPLACE", code])
}

#[test]
fn first_lines_of_libraries() {
    let pair = Pair::start();
    let mut both = pair.connect();
    let function = "\nredis.register_function('f', function() return 1 end)";
    for line in [
        "",
        "x",
        "#!lua",
        "#!lua name=",
        "#!lua name=a-b",
        "#!lua name=a b=c",
        "#!lua name=a name=b",
        "#!js name=a",
        "#!LUA name=a",
        "#!lua  NAME=a",
        "#!lua name=\"a\"",
        "#!lua name='a\\x41'",
        "#!lua name='a",
        "#!lua x",
        "#!",
        "#! lua name=l",
        "#! name=l",
        "#!lua name=\\",
        "#!lua\tname=a",
        "#!lua name=a\r",
        "#!lua name=a\0",
        "#!lua\0",
        "#!lua name=\u{e4}",
    ] {
        both.load(format!("{line}{function}"));
        both.load(format!("{line}\n"));
        both.load(line);
    }
    for line in [
        "FUNCTION",
        "FUNCTION LOAD",
        "FUNCTION LOAD REPLACE",
        "FUNCTION LOAD FOO x",
        "FUNCTION LOAD REPLACE FOO x",
        "FUNCTION LOAD replace REPLACE x",
        "FUNCTION FOO",
        "FUNCTION DELETE",
        "FUNCTION DELETE none",
        "FUNCTION DUMP x",
        "FUNCTION LIST foo",
        "FUNCTION LIST LIBRARYNAME",
        "FUNCTION LIST LIBRARYNAME a LIBRARYNAME b",
        "FUNCTION LIST WITHCODE withcode",
        "FUNCTION FLUSH x",
        "FUNCTION FLUSH ASYNC x",
        "FUNCTION KILL",
        "FUNCTION RESTORE",
        "FUNCTION RESTORE x",
        "FUNCTION RESTORE x foo",
        "FUNCTION RESTORE x FLUSH x",
        "FUNCTION STATS x",
        "FUNCTION HELP x",
    ] {
        both.same(line);
    }
}

/// What a library does while it is loaded.
const LOADED: &[&str] = &[
    "redis.call('get', 'x')",
    "redis.pcall('get', 'x')",
    "x = 1",
    "redis.x = 1",
    "math.x = 1",
    "local a = redis.foo",
    "local a = foo",
    "local a = KEYS",
    "local a = ARGV",
    "local a = cjson",
    "error('x')",
    "pcall(1)",
    "local a = _G",
    "redis.log(redis.LOG_WARNING, 'x')",
    "redis.log()",
    "redis.log('x', 'y')",
    "redis.log(9, 'y')",
    "foo(",
    "redis.setresp(3)",
    "redis.sha1hex('')",
    "redis.set_repl(1)",
    "redis.acl_check_cmd('get', 'x')",
    "redis.replicate_commands()",
    "redis.breakpoint()",
    "redis.error_reply('x')",
    "local a = nil + 1",
    "return 1",
    "local a = redis.LOG_DEBUG .. redis.LOG_NOTICE .. redis.LOG_VERBOSE",
    "local a = redis.REPL_ALL",
    "local a = redis.REDIS_VERSION .. redis.REDIS_VERSION_NUM",
    "\n\nx = 1",
    "local function r() return 1 + r() end r()",
    "('x').y()",
    "getmetatable('').x = 1",
    "('%s'):format(1)()",
];

/// What `redis.register_function` is called with.
const REGISTERED: &[&str] = &[
    "()",
    "('f')",
    "('f', 1)",
    "(1, function() end)",
    "('f', function() end, 1)",
    "{}",
    "{function_name='f'}",
    "{callback=function() end}",
    "{function_name='f', callback=1}",
    "{function_name=1.5, callback=function() end}",
    "{function_name=1, callback=function() end}",
    "{function_name={}, callback=function() end}",
    "{function_name='f', callback=function() end, flags=1}",
    "({}, function() end)",
    "{function_name='f', callback=function() end, flags={'x'}}",
    "{FUNCTION_NAME='f', Callback=function() end}",
    "{function_name='f', callback=function() end, flags={1}}",
    "{function_name='f', callback=function() end, foo=1}",
    "{function_name='f', callback=function() end, flags={'no-writes', 'no-writes'}}",
    "(nil, nil)",
    "(true)",
    "{function_name='f', callback=function() end, [1]=1}",
    "{function_name='f', callback=function() end, [{}]=1}",
    "{function_name='f', callback=function() end, flags={[2]='x'}}",
    "('f-x', function() end)",
    "('', function() end)",
    "{function_name='f', callback=function() end, description='d'}",
    "('f\\0x', function() end)",
    "{function_name='f', callback=function() end, description=1}",
    "('f x', function() end)",
    "{function_name='f', callback=function() end, description={}}",
    "('f', redis.log)",
    "{'f', function() end}",
    "{function_name='f', callback=function() end, flags={'NO-WRITES', 'allow-oom', 'allow-stale'}}",
    "{function_name='f', callback=function() end, flags={'no-cluster', 'allow-cross-slot-keys'}}",
    "(('x'):rep(300), function() end)",
];

#[test]
fn what_a_library_can_do_while_it_is_loaded() {
    let pair = Pair::start();
    let mut both = pair.connect();
    let register = "redis.register_function";
    for arguments in REGISTERED {
        both.body(&format!("{register}{arguments}"));
        both.same("FUNCTION LIST");
        both.same("FUNCTION STATS");
    }
    for body in LOADED {
        both.body(body);
    }
    assert!(both.same("FUNCTION LIST").contains("xxx"), "the last one that was loaded is still there");
}

/// Bodies of functions.
const BODIES: &[&str] = &[
    "return {keys, args}",
    "return KEYS",
    "return ARGV",
    "x = 1",
    "return foo()",
    "error('boom')",
    "error({err='hi'})",
    "error({err='MY hi'})",
    "error(5)",
    "error()",
    "return redis.call('get')",
    "return redis.call('nope')",
    "return redis.pcall('nope')",
    "return redis.error_reply('x')",
    "return redis.status_reply('x')",
    "return redis.call('set', keys[1], args[1])",
    "return redis.call('get', keys[1])",
    "return redis.call('incr', keys[1])",
    "return redis.foo",
    "return math.foo",
    "rawset(_G, 'x', 1)",
    "setfenv(1, {})",
    "getmetatable(_G).__index = nil",
    "getmetatable('').x = 1",
    "redis.call = nil",
    "math.x = 1",
    "return redis.register_function('g', function() end)",
    "return redis.replicate_commands()",
    "redis.breakpoint()",
    "return redis.debug('x')",
    "redis.setresp(3) return redis.call('hgetall', 'none')",
    "return redis.set_repl(redis.REPL_ALL)",
    "return redis.acl_check_cmd('get', 'x')",
    "return {1, nil, 2}",
    "return {double=1.5}",
    "return {map={a=1}}",
    "return nil",
    "return",
    "return 1.9",
    "return true",
    "return false",
    "return redis.call('eval', 'return 1', 0)",
    "return redis.call('fcall', 'f', 0)",
    "args[1] = 5 return args",
    "return redis.call('function', 'flush')",
    "return redis.call('script', 'flush')",
    "return cjson.encode({1})",
    "return cmsgpack.unpack(cmsgpack.pack('x'))",
    "return struct.pack('>I2', 258)",
    "return bit.band(7, 3)",
    "return loadstring('return 1')()",
    "return loadstring('x = 1')()",
    "return select(2, pcall(error, 'q'))",
    "local function r() return 1 + r() end return r()",
    "return tostring(math.random() < 1)",
    "return #args",
    "local t = {} for k, v in pairs(redis) do t[#t + 1] = k .. ':' .. type(v) end table.sort(t) return t",
    "return redis.REDIS_VERSION ~= nil",
];

#[test]
fn what_a_function_finds() {
    let pair = Pair::start();
    let mut both = pair.connect();
    for body in BODIES {
        both.call(body);
    }
    both.body(
        "local count = 0 redis.register_function('f', function() count = count + 1 return count end)\n\
         local r = redis.register_function redis.register_function('late', function() return r('x', function() end) end)\n\
         local lib = redis redis.register_function('old', function() return lib.call('ping') end)\n\
         redis.register_function('is', function() return tostring(lib == redis) end)",
    );
    for line in
        ["FCALL f 0", "FCALL F 0", "FCALL_RO f 0", "FCALL late 0", "FCALL old 0", "FCALL is 0", "FCALL f 0"]
    {
        both.same(line);
    }
    for line in [
        "FCALL none 0",
        "FCALL none x",
        "FCALL f",
        "FCALL f x",
        "FCALL f -1",
        "FCALL f 1",
        "FCALL f 2 k",
        "FCALL_RO none 0",
        "FCALL f 0 a b",
        "COMMAND GETKEYS FCALL f 2 a b c",
        "EVAL \"return redis.call('fcall', 'f', 0)\" 0",
    ] {
        both.same(line);
    }
}

#[test]
fn flags_are_obeyed() {
    let pair = Pair::start();
    let mut both = pair.connect();
    let function = |name: &str, flags: &str, body: &str| {
        let callback = format!("callback=function(keys) {body} end");
        format!("redis.register_function{{function_name='{name}', {callback}, flags={{{flags}}}}}\n")
    };
    let (write, read) = ("return redis.call('set', keys[1], 1)", "return redis.call('get', keys[1])");
    both.body(
        &[
            function("write", "", write),
            function("read", "", read),
            function("lies", "'no-writes'", write),
            function("lies_softly", "'no-writes'", "return redis.pcall('set', keys[1], 1)"),
            function("only_reads", "'no-writes'", read),
            function("any_memory", "'allow-oom'", write),
            function("reads_any_memory", "'allow-oom'", read),
        ]
        .concat(),
    );
    let functions = ["write", "read", "lies", "lies_softly", "only_reads", "any_memory", "reads_any_memory"];
    for maxmemory in ["0", "1"] {
        both.same(&format!("CONFIG SET maxmemory {maxmemory}"));
        for function in functions {
            both.same(&format!("FCALL {function} 1 k"));
            both.same(&format!("FCALL_RO {function} 1 k"));
        }
        both.same("FUNCTION LOAD \"#!lua name=x\"");
        both.same("FUNCTION RESTORE x");
        both.same("FUNCTION DELETE none");
    }
    both.same("CONFIG SET maxmemory 0");
    both.same("MULTI");
    both.same("FCALL read 1 k");
    both.same("FCALL lies 1 k");
    both.same("FCALL none 1 k");
    both.same("FUNCTION LOAD x");
    both.same("EXEC");
}

#[test]
fn a_load_that_fails_changes_nothing() {
    let pair = Pair::start();
    let mut both = pair.connect();
    both.load(library("a", &["f"]));
    both.same_words(&["FUNCTION", "LOAD", &library("a", &["g"])]);
    both.same_words(&["FUNCTION", "LOAD", &library("b", &["F"])]);
    for code in ["x = 1", "redis.register_function('g', function() end) x = 1", "foo(", ""] {
        both.load(format!("#!lua name=a\n{code}"));
        both.same("FCALL f 0");
        both.same("FCALL g 0");
        both.same("FUNCTION LIST");
        both.same("FUNCTION STATS");
    }
    both.load(library("b", &["g", "h"]));
    both.load(library("a", &["f", "h"]));
    both.same("FCALL f 0");
    both.load(library("a", &["x", "y"]));
    both.same("FCALL f 0");
    both.same("FCALL Y 0");
    both.same("FUNCTION DELETE B");
    both.same("FUNCTION DELETE b");
    both.same("FCALL h 0");
    both.same("FUNCTION LIST LIBRARYNAME B");
    both.same("FLUSHALL");
    both.same("FCALL x 0");
    both.same("FUNCTION FLUSH SYNC");
    both.same("FUNCTION LIST");
    both.same("FCALL x 0");
}

/// The oracle takes such a library, and crashes when it goes.
#[test]
fn names_that_differ_in_case_only() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    let twins = "#!lua name=twins\nredis.register_function('same', function() return 1 end)\n\
                 redis.register_function('SAME', function() return 2 end)";
    for _ in 0..2 {
        load(&mut connection, twins);
        assert_eq!(connection.run("FCALL Same 0").integer(), 1);
        assert_eq!(connection.info("number_of_functions"), "2");
    }
    connection.ok("FUNCTION DELETE twins");
    connection.run("FCALL same 0").assert_error("ERR Function not found");
    load(&mut connection, &library("other", &["same"]));
    assert_eq!(connection.run("FCALL SAME 0"), Value::Bulk(b"other".into()));
}

#[test]
fn shapes_in_the_newer_protocol() {
    let pair = Pair::start();
    let mut both = pair.connect();
    both.ours.run("HELLO 3");
    both.theirs.run("HELLO 3");
    both.body("redis.register_function{function_name='f', callback=function() end, flags={'no-writes', 'allow-oom'}}");
    both.same("FUNCTION LIST");
    both.same("FUNCTION LIST WITHCODE LIBRARYNAME l");
    both.same("FUNCTION STATS");
    both.same("FCALL f 0");
}

#[test]
fn restore_policies() {
    let pair = Pair::start();
    let mut both = pair.connect();
    both.load(library("a", &["a1"]));
    let one = both.theirs.run("FUNCTION DUMP").bytes().to_vec();
    assert_eq!(both.ours.run("FUNCTION DUMP").bytes().len(), one.len());
    let restore = |both: &mut Both, payload: &[u8], policy: &[&[u8]]| {
        both.same_words(&[&[&b"FUNCTION"[..], b"RESTORE", payload], policy].concat());
        both.same("FUNCTION STATS");
    };
    restore(&mut both, &one, &[]);
    restore(&mut both, &one, &[b"APPEND"]);
    restore(&mut both, &one, &[b"replace"]);
    restore(&mut both, &one, &[b"FLUSH"]);
    both.load(library("a", &["a2"]));
    both.load(library("b", &["a1"]));
    restore(&mut both, &one, &[]);
    restore(&mut both, &one, &[b"REPLACE"]);
    both.same("FCALL a2 0");
    both.same("FCALL a1 0");
    restore(&mut both, &one, &[b"FLUSH"]);
    both.same("FUNCTION LIST");
    both.same("FUNCTION FLUSH");
    let empty = both.ours.run("FUNCTION DUMP").bytes().to_vec();
    assert_eq!(empty, both.theirs.run("FUNCTION DUMP").bytes());
    restore(&mut both, &empty, &[]);
    restore(&mut both, &one, &[]);
    restore(&mut both, &empty, &[b"FLUSH"]);
    let mut torn = one.clone();
    torn[3] ^= 1;
    restore(&mut both, &torn, &[]);
    restore(&mut both, &one[1..], &[]);
    restore(&mut both, b"", &[]);
}

#[test]
fn dumps_are_exchanged() {
    let pair = Pair::start();
    let mut both = pair.connect();
    let codes = [library("a", &["a1", "a2"]), library("b", &["b1"]), {
        let long = "local text = [[".to_owned() + &"many words ".repeat(100_000) + "]]\n";
        format!("#!lua name=long\n{long}redis.register_function('size', function() return #text end)")
    }];
    codes.iter().for_each(|code| {
        both.load(code);
    });
    let (ours, theirs) = (both.ours.run("FUNCTION DUMP"), both.theirs.run("FUNCTION DUMP"));
    both.same("FUNCTION FLUSH");
    both.ours.command(&[&b"FUNCTION"[..], b"RESTORE", theirs.bytes()]).assert_ok();
    both.theirs.command(&[&b"FUNCTION"[..], b"RESTORE", ours.bytes()]).assert_ok();
    for line in
        ["FCALL a1 0", "FCALL a2 0", "FCALL b1 0", "FCALL size 0", "FUNCTION LIST LIBRARYNAME long WITHCODE"]
    {
        both.same(line);
    }
}

#[test]
fn changes_are_counted_and_told() {
    let pair = Pair::start();
    let mut both = pair.connect();
    let dirty = |both: &mut Both| {
        let counts = [&mut both.ours, &mut both.theirs].map(|c| c.info_number("rdb_changes_since_last_save"));
        assert_eq!(counts[0], counts[1]);
        counts[0]
    };
    both.load(library("a", &["f"]));
    assert_eq!(dirty(&mut both), 1);
    both.load("x");
    both.same("FUNCTION DELETE none");
    assert_eq!(dirty(&mut both), 1);
    let payload = both.theirs.run("FUNCTION DUMP").bytes().to_vec();
    both.same_words(&[&b"FUNCTION"[..], b"RESTORE", &payload, b"REPLACE"]);
    both.same("FUNCTION DELETE a");
    assert_eq!(dirty(&mut both), 3);
    both.same("FUNCTION FLUSH");
    both.same("FUNCTION FLUSH ASYNC");
    assert_eq!(dirty(&mut both), 5);
    both.load(library("a", &["f", "g"]));
    for field in ["number_of_functions", "number_of_libraries"] {
        assert_eq!(both.ours.info(field), both.theirs.info(field), "{field}");
    }
    assert!(both.ours.info_number("used_memory_vm_functions") > 0);
    assert!(both.ours.info_number("used_memory_functions") > 0);
    both.same("FLUSHALL");
    both.same("FCALL g 0");
}

/// Written by one server, loaded by the other: both ways, by SAVE and by BGSAVE.
#[test]
fn snapshots_are_exchanged() {
    let writers: [fn() -> Start; 2] = [Start::tintype, Start::oracle];
    for (from, to) in [(0, 1), (1, 0), (0, 0)] {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = writers[from]().in_directory(directory.path()).spawn();
        let mut connection = writer.connect();
        load(&mut connection, &library("a", &["f"]));
        load(&mut connection, &library("b", &["g", "h"]));
        connection.ok("SET key value");
        connection.ok("SAVE");
        writer.kill();
        let mut reader = writers[to]().in_directory(directory.path()).spawn();
        let mut connection = reader.connect();
        assert_eq!(connection.run("FCALL f 0"), Value::Bulk(b"a".into()), "{from} {to}");
        assert_eq!(connection.run("FCALL h 0"), Value::Bulk(b"b".into()));
        assert_eq!(connection.run("GET key"), Value::Bulk(b"value".into()));
        reader.kill();
    }
}

#[test]
fn every_way_to_save_and_to_load() {
    for arguments in [
        &["--rdb-save-threads", "3"][..],
        &["--rdb-load-threads", "3"],
        &["--rdb-version", "10"],
        &["--rdb-version", "80"],
        &["--rdbcompression", "no"],
        &["--rdbchecksum", "no"],
    ] {
        let mut server = Server::start(&[arguments, DEBUG].concat());
        let mut connection = server.connect();
        for index in 0..20 {
            load(&mut connection, &library(&format!("l{index}"), &[&format!("f{index}")]));
        }
        connection.ok("DEBUG POPULATE 1000");
        assert!(connection.run("BGSAVE WAIT").text().contains("sav"), "{arguments:?}");
        let directory = server.directory().to_owned();
        connection.ok("FUNCTION FLUSH");
        connection.ok("DEBUG RELOAD NOSAVE");
        assert_eq!(connection.run("FCALL f19 0"), Value::Bulk(b"l19".into()), "{arguments:?}");
        connection.ok("DEBUG RELOAD");
        assert_eq!(connection.run("FCALL f0 0"), Value::Bulk(b"l0".into()));
        assert_eq!(connection.run("DBSIZE").integer(), 1000);
        assert!(fs::metadata(directory.join("dump.rdb")).unwrap().len() > 1000);
        server.kill();
    }
}

#[test]
fn old_formats_hold_no_functions() {
    let server = Server::start(&["--rdb-version", "9"]);
    let mut connection = server.connect();
    connection.ok("SAVE");
    load(&mut connection, &library("lib", &["f"]));
    let refused = connection.run("SAVE").text();
    assert!(
        refused.contains("there are functions (library lib), which RDB version 9 cannot hold"),
        "{refused}"
    );
    connection.ok("FUNCTION FLUSH");
    connection.ok("SAVE");
}

/// The end of a file that a save of both would have.
fn file(body: &[u8]) -> Vec<u8> {
    let mut file = [b"REDIS0010", body, b"\xff"].concat();
    // No checksum was made.
    file.extend_from_slice(&[0; 8]);
    file
}

fn record(code: &str) -> Vec<u8> {
    let length = (code.len() as u32).to_be_bytes();
    [&b"\xf5\x80"[..], &length, code.as_bytes()].concat()
}

#[test]
fn a_bad_library_stops_the_load() {
    let bad = [
        (record("x"), "Failed loading library, Missing library metadata"),
        (
            record("#!lua name=a\nfoo("),
            "Failed loading library, Error compiling function: user_function:2: unexpected",
        ),
        (record("#!lua name=a\n"), "Failed loading library, No functions registered"),
        (record(&library("a", &["f"])).repeat(2), "Failed loading library, Library 'a' already exists"),
        (
            [record(&library("a", &["f"])), record(&library("b", &["f"]))].concat(),
            "Failed loading library, Function f already exists",
        ),
        (b"\xf6\x01a\x03LUA\x00\x04code".to_vec(), "function of a 7.0 release candidate"),
    ];
    let key = b"\xfe\x00\xfb\x01\x00\x00\x01k\x01v";
    for (records, reason) in bad {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("dump.rdb");
        fs::write(&path, file(&[&records[..], key].concat())).unwrap();
        let mut server = Start::tintype().in_directory(directory.path()).wait(Wait::Nothing).spawn();
        assert_eq!(server.wait_for_end().code(), Some(1));
        assert!(server.log().contains(reason), "{reason}: {}", server.log());

        // And leaves what is there.
        fs::remove_file(&path).unwrap();
        let mut server = Start::tintype().in_directory(directory.path()).arguments(DEBUG).spawn();
        let mut connection = server.connect();
        load(&mut connection, &library("old", &["old"]));
        connection.ok("SET old key");
        fs::write(&path, file(&[&records[..], key].concat())).unwrap();
        for line in ["DEBUG RELOAD NOSAVE", "DEBUG RELOAD NOSAVE MERGE NOFLUSH"] {
            assert!(connection.run(line).is_error(), "{line}");
            assert_eq!(connection.run("FCALL old 0"), Value::Bulk(b"old".into()));
            assert_eq!(connection.run("FUNCTION LIST").elements().len(), 1);
            assert_eq!(connection.run("DBSIZE").integer(), 1);
        }
        server.kill();
    }
}

#[test]
fn reload_keeps_or_replaces() {
    let server = Server::start(DEBUG);
    let mut connection = server.connect();
    load(&mut connection, &library("a", &["f"]));
    connection.ok("SAVE");
    load(&mut connection, &library("a", &["g"]));
    load(&mut connection, &library("b", &["h"]));
    let refused = connection.run("DEBUG RELOAD NOSAVE NOFLUSH");
    assert!(refused.is_error(), "{refused:?}");
    assert_eq!(connection.run("FCALL g 0"), Value::Bulk(b"a".into()));
    connection.ok("DEBUG RELOAD NOSAVE MERGE NOFLUSH");
    assert_eq!(connection.run("FCALL f 0"), Value::Bulk(b"a".into()));
    assert_eq!(connection.run("FCALL h 0"), Value::Bulk(b"b".into()));
    connection.run("FCALL g 0").assert_error("ERR Function not found");
    connection.ok("DEBUG RELOAD NOSAVE");
    connection.run("FCALL h 0").assert_error("ERR Function not found");
    assert_eq!(connection.run("FCALL f 0"), Value::Bulk(b"a".into()));
}

#[test]
fn snapshot_restore_brings_its_functions() {
    let server = Server::start(&["--snapshot-keep", "5"]);
    let mut connection = server.connect();
    load(&mut connection, &library("a", &["f"]));
    connection.ok("SET k 1");
    connection.ok("SAVE");
    connection.ok("FUNCTION FLUSH");
    load(&mut connection, &library("b", &["g"]));
    connection.ok("SAVE");
    let list = connection.run("SNAPSHOT LIST").elements();
    let ids: Vec<String> = list.iter().map(|line| line.elements()[1].text()).collect();
    let mut answers = Vec::new();
    for id in &ids {
        connection.ok(&format!("SNAPSHOT RESTORE {id}"));
        answers.push(connection.run("FCALL f 0").is_error());
    }
    assert!(answers.contains(&false), "one of {ids:?} has the first library: {answers:?}");
    assert!(answers.contains(&true), "one of {ids:?} has not: {answers:?}");
}

#[test]
fn hostile_libraries_do_no_harm() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    load(&mut connection, &library("good", &["good"]));
    let started = now();
    for endless in [
        "while true do end",
        "local t = {} repeat t[1] = #t until false",
        "local s = ('x'):rep(1000) while true do s:gsub('x', 'y') end",
    ] {
        let text = load(&mut connection, &format!("#!lua name=bad\n{endless}")).text();
        assert_eq!(text, "ERR Error registering functions: ERR FUNCTION LOAD timeout", "{endless}");
    }
    assert!(started.elapsed() < Duration::from_secs(10));
    for bomb in [
        "local s = 'x' while true do s = s .. s end",
        "local t = {} for i = 1, 1e9 do t[i] = {i} end",
        "local s = ('x'):rep(1e9)",
        "local t = {} while true do t[#t + 1] = ('x'):rep(1e7) .. #t end",
    ] {
        let text = load(&mut connection, &format!("#!lua name=bad\n{bomb}")).text();
        assert!(text.starts_with("ERR Error registering functions: "), "{bomb}: {text}");
    }
    assert!(connection.info_number("used_memory_vm_functions") < 64 << 20);
    let many =
        "#!lua name=many\nfor i = 1, 10000 do redis.register_function('f' .. i, function() return i end) end";
    assert_eq!(load(&mut connection, many), Value::Bulk(b"many".into()));
    assert_eq!(connection.run("FCALL F10000 0").integer(), 10_000);
    let deep = format!("#!lua name=deep\nlocal x = {}1{}", "{".repeat(5000), "}".repeat(5000));
    assert!(load(&mut connection, &deep).is_error());
    let huge = format!(
        "#!lua name=huge\n--{}\nredis.register_function('huge', function() end)",
        "x".repeat(1 << 20)
    );
    assert_eq!(load(&mut connection, &huge), Value::Bulk(b"huge".into()));
    assert!(load(&mut connection, "#!lua name=code\n\x1bLua").is_error());
    assert_eq!(connection.run("FCALL good 0"), Value::Bulk(b"good".into()));
    assert_eq!(connection.info("number_of_libraries"), "3");
    assert_eq!(connection.info("number_of_functions"), "10002");
    connection.ok("FUNCTION FLUSH");
    assert_eq!(connection.info("used_memory_vm_functions"), "0");
}

#[test]
fn what_a_library_keeps_of_its_loading() {
    let pair = Pair::start();
    let mut both = pair.connect();
    both.body(
        "local keep, table = redis.register_function, redis
        redis.register_function('f', function()
            local ok, text = pcall(keep, 'g', function() end)
            local called, why = pcall(function() return table.call('ping') end)
            return {tostring(ok), tostring(text), tostring(called), tostring(why), redis.call('ping')}
        end)",
    );
    both.same("FCALL f 0");
    both.same("FCALL g 0");
}

/// What functions have left does not count against the next one.
#[test]
fn garbage_of_functions_makes_room() {
    let server = Server::start(&["--script-memory-limit", "8mb"]);
    let mut connection = server.connect();
    let code = "#!lua name=l\nredis.register_function('f', function(keys, args) \
                local t = {} for i = 1, 50 do t[i] = ('x'):rep(1e5 + i) .. args[1] end return #t end)";
    load(&mut connection, code);
    for call in 0..20 {
        assert_eq!(connection.command(&["FCALL", "f", "0", &call.to_string()]).integer(), 50, "call {call}");
    }
}
