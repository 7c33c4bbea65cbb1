//! The table against itself, and the texts against what redis-server 7.0.15 was seen to answer.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::directives::{Class, Visibility, all, find};
use super::value::Kind;
use super::*;

const SERVING: SetContext = SetContext { protected: Protected::Allowed, load_state: LoadState::Serving };

/// Files in memory; the working directory is `/`.
#[derive(Default)]
struct FakeFiles {
    files: BTreeMap<PathBuf, String>,
    standard_input: String,
}

impl FakeFiles {
    fn with(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| (PathBuf::from(path), text.to_string())).collect();
        FakeFiles { files, standard_input: String::new() }
    }
}

impl Files for FakeFiles {
    fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        let text = self.files.get(&Path::new("/").join(path));
        text.map(|text| text.clone().into_bytes()).ok_or_else(|| io::Error::from_raw_os_error(libc::ENOENT))
    }

    fn read_standard_input(&mut self) -> io::Result<Vec<u8>> {
        Ok(self.standard_input.clone().into_bytes())
    }

    fn list(&mut self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        let directory = Path::new("/").join(directory).components().collect::<PathBuf>();
        let inside = |path: &&PathBuf| {
            path.parent().is_some_and(|parent| parent == directory || directory == Path::new("/."))
        };
        Ok(self.files.keys().filter(inside).filter_map(|path| path.file_name()).map(PathBuf::from).collect())
    }

    fn check_directory(&mut self, path: &Path) -> io::Result<()> {
        if path.ends_with("missing") { Err(io::Error::from_raw_os_error(libc::ENOENT)) } else { Ok(()) }
    }

    fn absolute(&mut self, path: &Path) -> PathBuf {
        Path::new("/").join(path)
    }
}

fn load_with(arguments: &[&str], files: &mut FakeFiles) -> Result<LoadedConfig, String> {
    let arguments: Vec<Vec<u8>> = arguments.iter().map(|argument| argument.as_bytes().to_vec()).collect();
    load(&arguments, files).map_err(|error| error.to_string())
}

fn load_arguments(arguments: &[&str]) -> Result<LoadedConfig, String> {
    load_with(arguments, &mut FakeFiles::with(&[("/a.conf", "")]))
}

fn load_text(text: &str) -> Result<LoadedConfig, String> {
    load_with(&["a.conf"], &mut FakeFiles::with(&[("/a.conf", text)]))
}

/// The reason, which is the last line.
fn refused(text: &str) -> String {
    let error = load_text(text).err().unwrap_or_else(|| panic!("accepted: {text}"));
    error.lines().last().expect("an error has text").to_string()
}

fn value(config: &Config, name: &str) -> String {
    let answer = get(config, &[name.as_bytes()]);
    String::from_utf8(answer.first().unwrap_or_else(|| panic!("unknown: {name}")).1.clone()).expect("text")
}

fn set_one(config: &mut Config, name: &str, value: &str) -> Result<Vec<DirectiveId>, String> {
    set(config, &[(name.as_bytes(), value.as_bytes())], SERVING).map_err(|error| error.to_string())
}

/// The reason after the dash.
fn set_refused(name: &str, value: &str) -> String {
    let mut config = Config::default();
    let error = set_one(&mut config, name, value).expect_err(name);
    assert_eq!(config, Config::default());
    let start = format!("ERR CONFIG SET failed (possibly related to argument '{name}') - ");
    error.strip_prefix(&start).unwrap_or_else(|| panic!("{error}")).to_string()
}

#[test]
fn names_are_unique_and_defaults_read_back_as_themselves() {
    let mut names = BTreeSet::new();
    for directive in all() {
        assert!(directive.names().all(|name| names.insert(name)), "{}", directive.name);
        let mut config = Config::default();
        assert_eq!(
            String::from_utf8(directive.text(&config)).unwrap(),
            directive.default,
            "{}",
            directive.name
        );
        directive.restart(&mut config);
        directive.read_line(&mut config, &[directive.default.as_bytes()]).expect(directive.name);
        assert_eq!(config, Config::default(), "{}", directive.name);
    }
}

#[test]
fn the_bounds_of_each_number_fit_its_field() {
    for directive in all() {
        let Kind::Number(bounds, unit, _) = directive.kind else { continue };
        for value in [bounds.min, bounds.max] {
            let text = value::write_number(value, unit);
            // Nothing is read as a number beyond i64 but sizes, and hz is brought into its range.
            if directive.name == "hz" || value::read_number(text.as_bytes(), bounds, unit).is_err() {
                continue;
            }
            let mut config = Config::default();
            directive.read_line(&mut config, &[text.as_bytes()]).expect(directive.name);
            assert_eq!(directive.text(&config), text.as_bytes(), "{}", directive.name);
        }
    }
}

#[test]
fn every_word_of_a_choice_reads_back() {
    for directive in all() {
        let Kind::Word(words, _, _) = directive.kind else { continue };
        for word in words {
            let mut config = Config::default();
            directive.read_line(&mut config, &[word.to_ascii_uppercase().as_bytes()]).expect(directive.name);
            assert_eq!(directive.text(&config), word.as_bytes(), "{}", directive.name);
        }
    }
}

#[test]
fn get_answers_as_redis_lists() {
    let config = Config::default();
    let names: Vec<String> = get(&config, &[b"*"]).into_iter().map(|(name, _)| name).collect();
    for name in ["slaveof", "lua-time-limit", "hash-max-ziplist-entries", "appendonly", "masterauth", "save"]
    {
        assert!(names.iter().any(|other| other == name), "{name}");
    }
    for name in [
        "primaryauth",
        "key-load-delay",
        "loadmodule",
        "availability-zone",
        "commandlog-execution-slower-than",
    ] {
        assert!(!names.iter().any(|other| other == name), "{name}");
    }
    // 192 lines of redis-server 7.0.15, and those that only we have or that are newer.
    let newer = [
        "bgsave-nice",
        "bgsave-ionice",
        "snapshot-lock",
        "snapshot-keep",
        "snapshot-fallback",
        "child-timeout",
        "rdb-version",
        "rdb-save-version",
        "rdb-version-check",
        "rdb-skip-unknown",
        "rdb-save-threads",
        "rdb-load-threads",
        "rdb-save-max-mbps",
        "huge-pages",
        "set-max-listpack-entries",
        "set-max-listpack-value",
        "hide-user-data-from-log",
        "commandlog-request-larger-than",
        "commandlog-large-request-max-len",
        "commandlog-reply-larger-than",
        "commandlog-large-reply-max-len",
        "slowlog-entry-max-argc",
        "slowlog-entry-max-string-len",
        "tls-auth-clients-user",
        "tls-auto-reload-interval",
        "max-new-tls-connections-per-cycle",
        "script-memory-limit",
    ];
    assert!(newer.iter().all(|name| names.iter().any(|other| other == name)));
    assert_eq!(names.len(), 192 + newer.len());
    let spelled = get(&config, &[b"PoRT", b"port", b"key-load-delay", b"nothing"]);
    assert_eq!(spelled, [("PoRT".to_string(), b"6379".to_vec()), ("key-load-delay".into(), b"0".to_vec())]);
    assert_eq!(get(&config, &[b"PO?T"])[0].0, "port");
}

#[test]
fn set_is_atomic_and_answers_what_changed() {
    let mut config = Config::default();
    let changes: [Change<'_>; 2] = [(b"timeout", b"7"), (b"port", b"abc")];
    let error = set(&mut config, &changes, SERVING).expect_err("abc");
    assert_eq!(
        error.to_string(),
        "ERR CONFIG SET failed (possibly related to argument 'port') - argument couldn't be parsed into an \
         integer"
    );
    assert_eq!(config, Config::default());
    let changes: [Change<'_>; 2] = [(b"Timeout", b"7"), (b"maxmemory", b"100mb")];
    assert_eq!(set(&mut config, &changes, SERVING), Ok(vec!["timeout", "maxmemory"]));
    assert_eq!((config.timeout, config.maxmemory), (7, 104_857_600));
    let changes: [Change<'_>; 2] = [(b"port", b"abc"), (b"foo", b"1")];
    let error = set(&mut config, &changes, SERVING).expect_err("foo");
    assert_eq!(error.to_string(), "ERR Unknown option or number of arguments for CONFIG SET - 'foo'");
    let changes: [Change<'_>; 2] = [(b"TIMEOUT", b"1"), (b"timeout", b"2")];
    let error = set(&mut config, &changes, SERVING).expect_err("twice");
    assert!(error.to_string().ends_with("argument 'timeout') - duplicate parameter"));
}

#[test]
fn set_refuses_by_flags() {
    let mut config = Config::default();
    assert_eq!(set_refused("daemonize", "no"), "can't set immutable config");
    let denied = SetContext { protected: Protected::Denied, ..SERVING };
    let error = set(&mut config, &[(b"dbfilename", b"x")], denied).expect_err("protected").to_string();
    assert!(error.ends_with("(possibly related to argument 'dbfilename') - can't set protected config"));
    let loading = SetContext { load_state: LoadState::Loading, ..SERVING };
    let error = set(&mut config, &[(b"dir", b"/tmp")], loading).expect_err("loading").to_string();
    assert_eq!(error, "LOADING Redis is loading the dataset in memory");
    assert_eq!(set_refused("appendonly", "yes"), PROMISE_TEXT);
    assert_eq!(set_refused("activedefrag", "yes"), PROMISE_TEXT);
    let bad = set_refused("notify-keyspace-events", "Kq");
    assert!(bad.starts_with("Invalid event class character"), "{bad}");
    assert_eq!(set_one(&mut config, "notify-keyspace-events", ""), Ok(vec!["notify-keyspace-events"]));
    assert_eq!(set_one(&mut config, "appendonly", "no"), Ok(vec!["appendonly"]));
    assert!(set_one(&mut config, "user", "default").is_err());
}

#[test]
fn set_refuses_values_with_the_words_of_redis() {
    let cases = [
        ("port", "70000", "argument must be between 0 and 65535 inclusive"),
        ("port", "", "argument couldn't be parsed into an integer"),
        ("maxmemory", "1x", "argument must be a memory value"),
        ("proto-max-bulk-len", "1", "argument must be between 1048576 and 9223372036854775807 inclusive"),
        ("rdbcompression", "maybe", "argument must be 'yes' or 'no'"),
        ("loglevel", "loud", "argument(s) must be one of the following: debug, verbose, notice, warning"),
        (
            "maxmemory-policy",
            "foo",
            "argument(s) must be one of the following: volatile-lru, volatile-lfu, volatile-random, \
             volatile-ttl, allkeys-lru, allkeys-lfu, allkeys-random, noeviction",
        ),
        ("dbfilename", "a/b", "dbfilename can't be a path, just a filename"),
        ("dir", "", "No such file or directory"),
        ("save", "1 2 3", "Invalid save parameters"),
        ("save", "0 1", "Invalid save parameters"),
        ("save", "1   2", "Invalid save parameters"),
        ("oom-score-adj-values", "1 2", "wrong number of arguments"),
        (
            "oom-score-adj-values",
            "1 2 3000",
            "Invalid oom-score-adj-values, elements must be between -2000 and 2000.",
        ),
        (
            "latency-tracking-info-percentiles",
            "nan x",
            "Invalid latency-tracking-info-percentiles parameters",
        ),
        (
            "latency-tracking-info-percentiles",
            "101",
            "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]",
        ),
        (
            "client-output-buffer-limit",
            "normal 1 2",
            "Wrong number of arguments in buffer limit configuration.",
        ),
        (
            "client-output-buffer-limit",
            "master 1 2 3",
            "Invalid client class specified in buffer limit configuration.",
        ),
        (
            "client-output-buffer-limit",
            "pubsub 1 2 x",
            "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
        ),
        (
            "shutdown-on-sigterm",
            "save nosave",
            "shutdown options SAVE and NOSAVE can't be used simultaneously",
        ),
        ("proc-title-template", "{foo}", "template format is invalid or contains unknown variables"),
    ];
    for (name, value, reason) in cases {
        assert_eq!(set_refused(name, value), reason, "{name} {value}");
    }
}

#[test]
fn set_values_are_answered_as_redis_answers() {
    let cases = [
        ("maxmemory", "1Kb", "1024"),
        ("maxmemory-policy", "ALLKEYS-LRU", "allkeys-lru"),
        ("hz", "0", "1"),
        ("hz", "1000", "500"),
        ("save", "1 2 3 4", "1 2 3 4"),
        ("save", "", ""),
        ("bind", "127.0.0.1 -::1", "127.0.0.1 -::1"),
        ("bind", "", ""),
        (
            "client-output-buffer-limit",
            "replica 0 1k 0 normal 1mb 0 0",
            "normal 1048576 0 0 slave 0 1000 0 pubsub 33554432 8388608 60",
        ),
        ("latency-tracking-info-percentiles", "50 99.999999999 0.1e-3", "50 100 0.0001"),
        ("shutdown-on-sigterm", "force now NOW default", "now force"),
        ("oom-score-adj-values", "1 02 +3", "1 2 3"),
        ("dir", "/tmp/", "/tmp/"),
        ("loglevel", "nothing", "nothing"),
    ];
    for (name, given, answered) in cases {
        let mut config = Config::default();
        assert_eq!(set_one(&mut config, name, given).as_deref(), Ok(&[name][..]), "{name} {given}");
        assert_eq!(value(&config, name), answered, "{name} {given}");
    }
}

#[test]
fn the_command_line_is_read_as_redis_reads_it() {
    let port_save = |arguments: &[&str]| {
        let config = load_arguments(arguments).expect("good arguments").config;
        (config.port, value(&config, "save"))
    };
    let default = "3600 1 300 100 60 10000";
    assert_eq!(port_save(&[]), (6379, default.into()));
    assert_eq!(port_save(&["a.conf", "--port", "1"]), (1, default.into()));
    assert_eq!(port_save(&["--save", "", "--port", "1"]), (1, "".into()));
    assert_eq!(port_save(&["--save", "--port", "1"]), (1, "".into()));
    assert_eq!(port_save(&["--port", "1", "--save"]), (1, "".into()));
    assert_eq!(port_save(&["--save", "1", "2", "--PORT", "1", "--save", "3 4"]), (1, "1 2 3 4".into()));
    assert_eq!(port_save(&["--port 1", "--save 1 2"]), (1, "1 2".into()));
    let error = load_arguments(&["--loglevel", "--save"]).expect_err("a value");
    assert!(error.contains(">>> 'loglevel \"--save\"'"), "{error}");
    for bad in [&["--port"][..], &["--port=1"], &["--port", "1", "a.conf"], &["a.conf", "b.conf"], &["-x"]] {
        assert!(load_arguments(bad).is_err(), "{bad:?}");
    }
    let error = load_arguments(&["nope.conf"]).expect_err("missing");
    assert_eq!(error, "Fatal error, can't open config file '/nope.conf': No such file or directory");
}

#[test]
fn standard_input_follows_the_file() {
    let mut files = FakeFiles::with(&[("/a.conf", "port 1\nsave 5 5\n")]);
    files.standard_input = "port 2\nsave 9 9\n".into();
    let loaded = load_with(&["a.conf", "-"], &mut files).expect("good");
    assert_eq!((loaded.config.port, value(&loaded.config, "save")), (2, "5 5 9 9".into()));
    assert_eq!(loaded.file, Some("/a.conf".into()));
    assert_eq!(load_with(&["-"], &mut files).expect("good").config.port, 2);
    assert_eq!(load_with(&["--port", "3", "-"], &mut files).expect("good").config.port, 3);
    assert_eq!(load_with(&["-", "--port", "3"], &mut files).expect("good").config.port, 3);
    assert!(load_with(&["a.conf", "-", "--port", "3"], &mut files).is_err());
}

#[test]
fn a_file_is_read_line_by_line() {
    let text = "# comment\n\n  PORT\t7000 \r\nsave 1 2\nsave \"\"\nsave 7 8\nrequirepass \"a b\\x00\"\n\
                bind 127.0.0.1\n\
                bind ::1 -127.0.0.2\nclient-output-buffer-limit normal 1 2 3\n\
                client-output-buffer-limit pubsub 1 2 3\n\
                slaveof no one\nunixsocketperm 700\nlist-max-ziplist-entries 7\nbind-source-addr \"\"";
    let loaded = load_text(text).expect("good");
    let config = &loaded.config;
    assert_eq!((config.port, config.requirepass.as_slice()), (7000, &b"a b\0"[..]));
    assert_eq!(value(config, "save"), "7 8");
    assert_eq!(value(config, "bind"), "::1 -127.0.0.2");
    assert_eq!(config.bind[1], BindAddress { address: "127.0.0.2".into(), optional: true });
    assert_eq!(
        value(config, "client-output-buffer-limit"),
        "normal 1 2 3 slave 268435456 67108864 60 pubsub 1 2 3"
    );
    assert_eq!((config.unixsocketperm, value(config, "unixsocketperm").as_str()), (0o700, "700"));
    assert_eq!(loaded.warnings.len(), 1, "{:?}", loaded.warnings);
    assert_eq!(value(&load_text("save 1 2\nsave\n").expect("good").config, "save"), "1 2");
    assert_eq!(value(&load_text("save\n").expect("good").config, "save"), "");
}

#[test]
fn a_bad_line_stops_the_start_and_is_shown() {
    let error = load_text("port 0\n# c\n\nfoo bar\n").expect_err("foo");
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        error,
        format!(
            "\n*** FATAL CONFIG FILE ERROR (Tintype {version}) ***\n\
             Reading the configuration file, at line 4 of /a.conf\n>>> 'foo bar'\n\
             Bad directive or wrong number of arguments"
        )
    );
    let cases = [
        ("port", "wrong number of arguments"),
        ("port 1 2", "wrong number of arguments"),
        ("port \"1", "Unbalanced quotes in configuration line"),
        ("port \"\"", "argument couldn't be parsed into an integer"),
        ("save 1", "Invalid save parameters"),
        ("save \"\"  \"\"", "Invalid save parameters"),
        ("dir missing", "No such file or directory"),
        ("unixsocketperm 1777", "argument must be between 0 and 777 inclusive"),
        ("appenddirname a/b", "appenddirname can't be a path, just a dirname"),
        ("include", "Bad directive or wrong number of arguments"),
        ("include a b", "Bad directive or wrong number of arguments"),
        ("user", "Bad directive or wrong number of arguments"),
        ("sentinel monitor a b c", "sentinel directive while not in sentinel mode"),
        ("ignore-warnings a b", "wrong number of arguments"),
        ("include a.conf", "files include each other too deeply"),
        ("maxmemory-clients 101%", "percentage argument must be less or equal to 100"),
    ];
    for (text, reason) in cases {
        assert_eq!(refused(text), reason, "{text}");
    }
}

#[test]
fn included_files_are_read_in_place() {
    let mut files = FakeFiles::with(&[
        ("/a.conf", "hz 30\nsave 1 1\ninclude b.conf\ninclude part*.conf\ninclude nothing*\n"),
        ("/b.conf", "hz 20\nsave 8 8\n"),
        ("/part2.conf", "timeout 2\n"),
        ("/part1.conf", "timeout 1\nport 5\n"),
        ("/bad.conf", "\nfoo\n"),
    ]);
    let config = load_with(&["a.conf"], &mut files).expect("good").config;
    assert_eq!((config.hz, config.timeout, config.port), (20, 2, 5));
    assert_eq!(value(&config, "save"), "1 1 8 8");
    let error = load_with(&["--include", "/bad.conf"], &mut files).expect_err("foo");
    assert!(error.contains("at line 2 of /bad.conf\n>>> 'foo'"), "{error}");
    assert!(load_with(&["--include", "none.conf"], &mut files).is_err());
}

#[test]
fn promises_stop_the_start_and_the_inert_warns() {
    let broken = [
        "appendonly yes",
        "replicaof host 6379",
        "slaveof host 6379",
        "cluster-enabled yes",
        "loadmodule x.so",
        "min-slaves-to-write 1",
        "unixsocketgroup redis",
    ];
    for text in broken {
        let reason = refused(text);
        assert!(reason.contains(PROMISE_TEXT), "{text}: {reason}");
    }
    let mut files =
        FakeFiles::with(&[("/a.conf", "appendonly yes\nmasterauth secret\nio-threads 4\nappendonly yes\n")]);
    let error = load_with(&["a.conf"], &mut files).expect_err("a promise");
    assert!(error.contains("at line 4 of /a.conf\n>>> 'appendonly yes'"), "{error}");
    let loaded = load_with(&["a.conf", "--appendonly", "no"], &mut files).expect("taken back");
    assert_eq!(loaded.warnings.len(), 2, "{:?}", loaded.warnings);
    assert!(loaded.warnings.iter().any(|warning| warning.contains("'io-threads 4'")));
    assert!(!loaded.warnings.iter().any(|warning| warning.contains("secret")));
    assert_eq!(value(&loaded.config, "io-threads"), "4");
}

#[test]
fn users_are_handed_on_and_rewritten() {
    let loaded = load_text("USER alice on \">a b\"\nhz 20\nuser bob\n").expect("good");
    let told: Vec<_> = loaded.users.iter().map(|user| (user.name.clone(), user.rules.clone())).collect();
    assert_eq!(
        told,
        [(b"alice".to_vec(), vec![b"on".to_vec(), b">a b".to_vec()]), (b"bob".to_vec(), vec![])]
    );
    assert_eq!(loaded.users[1].text, "user bob");
    let old = b"# one\nuser a on\n# two\nuser b on\n";
    let lines = |words: &[&str]| -> String {
        let users: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        String::from_utf8(rewrite(&Config::default(), &users, old)).expect("text")
    };
    assert_eq!(lines(&["user c off"]), "# one\nuser c off\n# two\n");
    let more = "# one\nuser c\n# two\nuser d\n\n# Generated by CONFIG REWRITE\nuser e\n";
    assert_eq!(lines(&["user c", "user d", "user e"]), more);
}

#[test]
fn rewrite_keeps_what_it_can() {
    let old = "# head\nport 6380\n\n\n\nhz 10\nHZ 20\nsave 900 1\nsave 300 10\n# after\n\
               hash-max-ziplist-entries 100\n\
               include inc.conf\nlogfile \"\"\nrequirepass x\nunknown thing\nslaveof no one\n";
    let mut files = FakeFiles::with(&[("/a.conf", &old.replace("unknown thing\n", "")), ("/inc.conf", "")]);
    let mut config = load_with(&["a.conf"], &mut files).expect("good").config;
    let changes: [Change<'_>; 8] = [
        (b"save", b"1 2"),
        (b"requirepass", b""),
        (b"maxmemory", b"3mb"),
        (b"client-output-buffer-limit", b"pubsub 1mb 2 3"),
        (b"proc-title-template", "{title} é".as_bytes()),
        (b"port", b"0"),
        (b"hash-max-ziplist-entries", b"7"),
        (b"zset-max-listpack-value", b"2kb"),
    ];
    set(&mut config, &changes, SERVING).expect("good");
    let new = String::from_utf8(rewrite(&config, &[], old.as_bytes())).expect("text");
    assert_eq!(
        new,
        "# head\nport 0\n\nhz 20\nsave 1 2\n# after\nhash-max-listpack-entries 7\ninclude inc.conf\n\
         logfile \"\"\nunknown thing\n\n# Generated by CONFIG REWRITE\n\
         client-output-buffer-limit pubsub 1mb 2 3\n\
         proc-title-template \"{title} \\xc3\\xa9\"\nmaxmemory 3mb\nzset-max-listpack-value 2kb\n"
    );
    assert_eq!(rewrite(&config, &[], new.as_bytes()), new.as_bytes());
}

/// Everything but what stands for another file or another server.
#[test]
fn a_rewritten_configuration_reads_back_the_same() {
    let mut config = Config::default();
    for directive in all().filter(|directive| directive.visibility != Visibility::FileOnly) {
        let other: &[u8] = match directive.kind {
            Kind::YesNo(_) if directive.default == "yes" => b"no",
            Kind::YesNo(_) => b"yes",
            Kind::Number(..) if directive.default == "7" => b"5",
            Kind::Number(bounds, ..) if bounds.min > 7 => b"2mb",
            Kind::Number(bounds, ..) if bounds.max < 7 => b"2",
            Kind::Number(..) => b"7",
            Kind::Word(words, ..) => words[usize::from(words[0] == directive.default)].as_bytes(),
            Kind::Text(..) if directive.name == "proc-title-template" => b"{port}",
            Kind::Text(..) if directive.name.ends_with("_cpulist") => b"0,2-3,8-14:2",
            Kind::Text(..) | Kind::Bytes(_) => b"a \"word\"",
            Kind::Words => b"two words",
            Kind::Special(_) => continue,
        };
        let is_plain =
            matches!(directive.kind, Kind::Number(bounds, value::Unit::Plain, _) if bounds.min > 7);
        let other = if is_plain { b"4096" } else { other };
        if directive.class != Class::Promise {
            directive.read_line(&mut config, &[other]).expect(directive.name);
        }
    }
    let changes: [Change<'_>; 7] = [
        (b"bind", b""),
        (b"save", b""),
        (b"dir", b"/some dir"),
        (b"client-output-buffer-limit", b"normal 1 2 3"),
        (b"latency-tracking-info-percentiles", b""),
        (b"shutdown-on-sigint", b"nosave now"),
        (b"oom-score-adj-values", b"1 2 3"),
    ];
    set(&mut config, &changes, SERVING).expect("good");
    let text = String::from_utf8(rewrite(&config, &[], b"")).expect("text");
    assert_eq!(load_text(&text).expect("good").config, config);
    let defaults = rewrite(&Config::default(), &[], text.as_bytes());
    let again = load_text(&String::from_utf8(defaults).expect("text")).expect("good").config;
    assert_eq!(again, Config::default());
}

#[test]
fn rewrite_keeps_lines_at_their_default() {
    let old = "client-output-buffer-limit normal 0 0 0\nclient-output-buffer-limit replica 256mb 64mb 60\n\
               client-output-buffer-limit pubsub 32mb 8mb 60\nnotify-keyspace-events \"\"\n\
               logfile \"\"\nhz 10\n";
    assert_eq!(String::from_utf8_lossy(&rewrite(&Config::default(), &[], old.as_bytes())), old);
}

#[test]
fn newer_names_are_known() {
    for (name, table) in [
        ("primaryauth", "masterauth"),
        ("COMMANDLOG-execution-slower-than", "slowlog-log-slower-than"),
        ("aof-rewrite-cpulist", "aof_rewrite_cpulist"),
        ("search-timeout", "search-timeout"),
        ("forkless-infrastructure-enabled", "forkless-infrastructure-enabled"),
    ] {
        assert_eq!(find(name.as_bytes()).map(|directive| directive.name), Some(table), "{name}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]

    /// Bytes from outside: an error or a configuration, and one that a rewrite keeps.
    #[test]
    fn any_bytes_are_read_without_panic(
        index in 0..all().count(),
        words in proptest::collection::vec(proptest::collection::vec(proptest::num::u8::ANY, 0..6), 0..4),
        number in proptest::num::i128::ANY,
        noise in proptest::collection::vec(proptest::num::u8::ANY, 0..40),
    ) {
        let directive = all().nth(index).expect("below the count");
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        for words in [words, vec![number.to_string().as_bytes()]] {
            let mut config = Config::default();
            let refused = directive.read_line(&mut config, &words).is_err();
            proptest::prop_assert!(!refused || config == Config::default());
        }
        let rewritten = rewrite(&Config::default(), &[], &noise);
        proptest::prop_assert_eq!(rewrite(&Config::default(), &[], &rewritten), rewritten.as_slice());
        let _ = load(&[b"-".to_vec()], &mut FakeFiles {
            standard_input: String::from_utf8_lossy(&noise).into_owned(),
            ..FakeFiles::default()
        });
    }
}
