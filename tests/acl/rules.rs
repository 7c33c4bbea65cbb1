//! ACL SETUSER: which rules are taken, with which errors the others are refused, and how a user is told back.

use crate::pair::{Both, Pair};
use crate::support::{Value, arguments};
use fastrand::Rng;

const HASH: &str = "#e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Rules for one user each, as words of a line.
const USERS: &[&str] = &[
    "",
    "on",
    "on off",
    "nopass",
    ">pw",
    ">pw >pw >p2",
    ">pw <pw",
    "<pw",
    "#ab",
    "!ab",
    ">a nopass",
    "nopass >a",
    "nopass resetpass",
    "\">p q\"",
    "sanitize-payload",
    "skip-sanitize-payload",
    "skip-sanitize-payload sanitize-payload",
    "+@all",
    "allcommands",
    "nocommands",
    "+@all -@all",
    "+@all -get",
    "+@all -config",
    "+@all -config|get",
    "+@all -config|get +config",
    "+config -config|get",
    "+config -config|get +config|get",
    "+config|get +config",
    "+config|get -config",
    "+@read",
    "+@read +@write -@read",
    "+get -get",
    "-get",
    "-@all +get",
    "+@all -@all +get",
    "+get +@all",
    "-get +@all -set",
    "+@read -@all",
    "+@READ",
    "+GET",
    "+nosuch",
    "+@nosuch",
    "+get|x",
    "+GET|X +get|y",
    "+get|x +get|x +get",
    "+get|x -get",
    "-get|x",
    "+get -get|x",
    "+config|nosuch",
    "-config|nosuch",
    "+config|get|x",
    "+get|x|y",
    "+select|0",
    "+|x",
    "+get|",
    "+",
    "-",
    "+@",
    "-@",
    "~",
    "&",
    "~*",
    "~a ~*",
    "~* ~a",
    "allkeys ~a",
    "~a ~a ~b",
    "%R~a",
    "%W~a",
    "%RW~a",
    "%WR~a",
    "%rw~a",
    "%R~a %W~a",
    "%~a",
    "%R",
    "%",
    "%X~a",
    "%RR~a",
    "%R~*",
    "%R~* %W~*",
    "%RW~* ~b",
    "%RW~*",
    "\"~a b\"",
    "\"~a\\tb\"",
    "~a resetkeys",
    "&*",
    "&a &*",
    "&a &a",
    "&* &a",
    "allchannels &a",
    "\"&a b\"",
    "allchannels",
    "&a resetchannels",
    "RESETCHANNELS",
    "ON NOPASS ALLKEYS ALLCOMMANDS",
    "nosuch",
    "\"\"",
    "\"(+get ~a)\"",
    "(+get ~a) (+set %W~b &c)",
    "\"(+get ~a) (+set ~b)\"",
    "(on)",
    "(>p)",
    "(reset)",
    "(nopass)",
    "(+get",
    ")",
    "()",
    "( +get )",
    "(+get ~a +set )",
    "(+get)x",
    "(+get ~a) clearselectors",
    "(+nosuch)",
    "(clearselectors)",
    "(allkeys ~b)",
    "(nosuch",
    "(+get (+set)",
    "(+@all)",
    "(allkeys allchannels allcommands)",
    "((+get)",
    "\"(~a  +get   &b)\"",
    "(+get ~a) (+get ~a)",
    "CLEARSELECTORS",
    "on >a ~a %R~b &c &d +get +set|x (+hget ~h)",
    "+@all +select|0",
    "+get +get|x",
    "+get|x -@all",
    "+get|x +@read",
    "+get|x -@read",
    "+get|x +@all",
    "+get|x +get|X",
    "+@read -get +@read",
    "+command -command",
    "+command|count",
    "-@all -@dangerous",
    "+@all +@string",
    "+acl|whoami -acl|whoami",
    "+debug|digest",
    "+debug -debug",
    "+@all -debug +debug|digest",
    "+config|get +config|set -config|get",
    "+client|id +client",
    "+@string -get +get",
    "-get +@string",
    "+@string -@string",
    "-@string",
    "+get|a +get|b +get|a",
    "+@all -@dangerous",
    "+@all -@admin",
    "+@connection",
];

/// The words of both answers, sorted: the oracle tells single commands in the order of their numbers.
#[track_caller]
fn same_but_for_order(both: &mut Both, line: &str) {
    let words = |answer: Vec<u8>| {
        let text = String::from_utf8_lossy(&answer).into_owned();
        let mut words: Vec<String> = text.split([' ', '\r', '\n', '(', ')']).map(str::to_owned).collect();
        words.sort();
        words
    };
    let [ours, oracle] = both.ask(&arguments(line)).map(words);
    assert_eq!(ours, oracle, "{line}");
}

#[track_caller]
fn same_user(both: &mut Both, words: &[Vec<u8>]) {
    let mut line = arguments("ACL SETUSER u reset");
    line.extend_from_slice(words);
    both.same_words(&line);
    same_but_for_order(both, "ACL GETUSER u");
    same_but_for_order(both, "ACL LIST");
}

#[test]
fn users_are_told_back_as_by_redis() {
    let pair = Pair::start();
    let mut both = pair.connect();
    for rules in USERS {
        same_user(&mut both, &arguments(rules));
    }
    same_user(&mut both, &arguments(HASH));
    same_user(&mut both, &arguments(&HASH.to_uppercase()));
    same_user(&mut both, &arguments(&HASH.replace('#', "!")));
    for line in [
        "HELLO 3",
        "ACL GETUSER u",
        "ACL GETUSER default",
        "ACL GETUSER nosuch",
        "ACL LIST",
        "ACL USERS",
        "ACL LOG",
        "ACL SETUSER w",
        "ACL GETUSER w",
        "ACL DELUSER w",
        "ACL WHOAMI",
    ] {
        if line != "HELLO 3" {
            both.same(line);
        } else {
            both.tell(line);
        }
    }
}

/// Random rules without categories, whose telling back depends on the order of a table there.
#[test]
fn random_rules_make_the_same_user() {
    const WORDS: &[&str] = &[
        "on",
        "off",
        "nopass",
        "resetpass",
        ">a",
        "<a",
        ">b",
        "<b",
        "~*",
        "~a*",
        "~b",
        "%R~a*",
        "%W~b",
        "%RW~c",
        "resetkeys",
        "&*",
        "&c*",
        "&d",
        "resetchannels",
        "+@all",
        "-@all",
        "(+get ~x)",
        "clearselectors",
        "reset",
        "%R",
        "~a b",
        "nosuch",
        "+nosuch",
        "&* ",
        "allcommands",
        "nocommands",
        "allkeys",
        "allchannels",
    ];
    const COMMANDS: &[&str] =
        &["get", "set", "config", "config|get", "config|set", "select|0", "get|x", "object", "object|freq"];
    let pair = Pair::start();
    let mut both = pair.connect();
    for seed in 0..150 {
        let mut rng = Rng::with_seed(seed);
        let mut words = arguments("ACL SETUSER u");
        for _ in 0..rng.usize(1..8) {
            let word = match rng.bool() {
                true => WORDS[rng.usize(..WORDS.len())].to_owned(),
                false => format!("{}{}", ["+", "-"][rng.usize(..2)], COMMANDS[rng.usize(..COMMANDS.len())]),
            };
            words.push(word.into_bytes());
        }
        both.same_words(&words);
        let [ours, oracle] =
            both.tell("ACL LIST").map(|list| list.elements().iter().map(sorted).collect::<Vec<_>>());
        assert_eq!(ours, oracle, "seed {seed}");
    }
}

/// The words of a user, sorted: the oracle tells single commands in the order of their numbers.
fn sorted(user: &Value) -> Vec<String> {
    let mut words: Vec<String> = user.text().split(' ').map(str::to_owned).collect();
    words.sort();
    words
}

/// Rules with categories mean the same, however they are told.
#[test]
fn categories_mean_the_same() {
    const WORDS: &[&str] = &[
        "+@all",
        "-@all",
        "+@read",
        "-@read",
        "+@write",
        "-@write",
        "+@string",
        "-@string",
        "+@hash",
        "-@hash",
        "+@fast",
        "-@fast",
        "+@slow",
        "-@slow",
        "+@dangerous",
        "-@dangerous",
        "+@admin",
        "-@admin",
        "+@connection",
        "-@keyspace",
        "+@pubsub",
        "-@geo",
        "+get",
        "-get",
        "+config",
        "-config",
        "+config|get",
        "-config|get",
        "+client",
        "-client|id",
        "+get|x",
    ];
    const LINES: &[&str] = &[
        "GET x",
        "GET y",
        "SET k v",
        "HGET k f",
        "HSET k f v",
        "CONFIG GET x",
        "CONFIG SET a b",
        "CLIENT ID",
        "CLIENT LIST",
        "KEYS *",
        "DEL k",
        "FLUSHALL",
        "PING",
        "PUBLISH c m",
        "GEOPOS k m",
        "SORT k",
        "ACL WHOAMI",
        "ACL LIST",
        "MULTI",
    ];
    let pair = Pair::start();
    let mut both = pair.connect();
    for seed in 0..60 {
        let mut rng = Rng::with_seed(seed);
        let count = rng.usize(1..7);
        let rules: Vec<&str> = (0..count).map(|_| WORDS[rng.usize(..WORDS.len())]).collect();
        both.same(&format!("ACL SETUSER u reset ~* &* {}", rules.join(" ")));
        for line in LINES {
            both.same(&format!("ACL DRYRUN u {line}"));
        }
    }
}

#[test]
fn the_subcommands_answer_as_in_redis() {
    let pair = Pair::start();
    let mut both = pair.connect();
    for line in [
        "ACL HELP",
        "ACL CAT nosuch",
        "ACL CAT a b",
        "ACL",
        "ACL NOSUCH",
        "ACL LIST",
        "ACL LIST x",
        "ACL USERS",
        "ACL WHOAMI",
        "ACL WHOAMI x",
        "ACL LOG",
        "ACL LOG x",
        "ACL LOG -1",
        "ACL LOG 0",
        "ACL LOG RESET",
        "ACL LOG 1 2",
        "ACL GENPASS 0",
        "ACL GENPASS -1",
        "ACL GENPASS 4097",
        "ACL GENPASS x",
        "ACL GENPASS 1 2",
        "ACL DELUSER default",
        "ACL DELUSER a b",
        "ACL SETUSER a on",
        "ACL DELUSER a default",
        "ACL DELUSER a a",
        "ACL SAVE",
        "ACL LOAD",
        "ACL SETUSER",
        "ACL GETUSER",
        "ACL SETUSER \"a b\" on",
        "ACL SETUSER \"a\\x00b\" on",
        "ACL SETUSER \"\" on",
        "ACL LIST",
        "ACL DELUSER \"\"",
        "ACL DRYRUN nosuch get",
        "ACL DRYRUN default nosuch",
        "ACL DRYRUN default get",
        "ACL DRYRUN default get a",
        "ACL DRYRUN default config",
        "ACL DRYRUN default config nosuch",
        "ACL DRYRUN default config get",
        "ACL DRYRUN default get a b",
        "ACL DRYRUN default \"\"",
    ] {
        both.same(line);
    }
}

#[test]
fn passwords_are_generated() {
    let server = crate::support::Server::start(&[]);
    let mut connection = server.connect();
    for (bits, digits) in [("", 64), ("1", 1), ("4", 1), ("5", 2), ("128", 32), ("4096", 1024)] {
        let [one, other] = [(), ()].map(|()| connection.run(&format!("ACL GENPASS {bits}")).text());
        assert_eq!(one.len(), digits, "{bits}");
        assert!(one.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)), "{one}");
        assert!(digits < 32 || one != other, "the same secret twice");
    }
}
