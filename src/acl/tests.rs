//! Rules and checks on a small catalog of commands; the real ones are compared with redis-server in tests/acl.rs.

use super::user::Surroundings;
use super::*;
use crate::base::argv::Argv;
use crate::spec::{Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use proptest::prelude::*;

const READ: KeyFlags = KeyFlags::RO.or(KeyFlags::ACCESS);
const WRITE: KeyFlags = KeyFlags::OW.or(KeyFlags::UPDATE);

const GET: Spec =
    Spec::new("get", 2, Group::String, Flags::READONLY.or(Flags::FAST)).keys(&[KeySpec::one(1, READ)]);
const SET: Spec = Spec::new("set", -3, Group::String, Flags::WRITE).keys(&[KeySpec::one(1, WRITE)]);
const HGET: Spec =
    Spec::new("hget", 3, Group::Hash, Flags::READONLY.or(Flags::FAST)).keys(&[KeySpec::one(1, READ)]);
const EXISTS: Spec =
    Spec::new("exists", -2, Group::Generic, Flags::READONLY).keys(&[KeySpec::rest(1, 1, KeyFlags::RO)]);
const COPY: Spec = Spec::new("copy", -3, Group::Generic, Flags::WRITE)
    .category(Categories::KEYSPACE)
    .keys(&[KeySpec::one(1, READ), KeySpec::one(2, WRITE)]);
const SELECT: Spec = Spec::new("select", 2, Group::Connection, Flags::FAST).category(Categories::CONNECTION);
const AUTH: Spec = Spec::new("auth", -2, Group::Connection, Flags::NO_AUTH).category(Categories::CONNECTION);
const PING: Spec = Spec::new("ping", -1, Group::Connection, Flags::FAST).category(Categories::CONNECTION);
const FLUSHALL: Spec = Spec::new("flushall", -1, Group::Server, Flags::WRITE).category(Categories::DANGEROUS);
const SWAPDB: Spec =
    Spec::new("swapdb", 3, Group::Server, Flags::WRITE.or(Flags::FAST)).category(Categories::DANGEROUS);
const MOVE: Spec =
    Spec::new("move", 3, Group::Generic, Flags::WRITE.or(Flags::FAST)).keys(&[KeySpec::one(1, WRITE)]);
const CONFIG: Spec = Spec::new("config", -2, Group::Server, Flags::NONE);
const CONFIG_GET: Spec = Spec::new("config|get", -3, Group::Server, Flags::ADMIN);
const CONFIG_SET: Spec = Spec::new("config|set", -4, Group::Server, Flags::ADMIN);
const SUBSCRIBE: Spec = Spec::new("subscribe", -2, Group::Pubsub, Flags::PUBSUB);
const PSUBSCRIBE: Spec = Spec::new("psubscribe", -2, Group::Pubsub, Flags::PUBSUB);
const PUBLISH: Spec = Spec::new("publish", 3, Group::Pubsub, Flags::PUBSUB.or(Flags::FAST));

fn catalog() -> Catalog {
    static TABLE: [(Spec, Option<usize>); 17] = [
        (GET, None),
        (SET, None),
        (HGET, None),
        (EXISTS, None),
        (COPY, None),
        (SELECT, None),
        (AUTH, None),
        (PING, None),
        (FLUSHALL, None),
        (SWAPDB, None),
        (MOVE, None),
        (CONFIG, None),
        (CONFIG_GET, Some(11)),
        (CONFIG_SET, Some(11)),
        (SUBSCRIBE, None),
        (PSUBSCRIBE, None),
        (PUBLISH, None),
    ];
    Catalog::new(TABLE.iter().map(|(spec, container)| (spec, *container)))
}

fn user_of(catalog: &Catalog, rules: &str) -> Result<User, RuleError> {
    let surroundings = Surroundings { catalog, new_channels: NewChannels::None };
    let mut user = User::new(b"u", NewChannels::None);
    let words = rules.split(' ').map(str::as_bytes);
    for rule in merge_selectors(words).expect("parentheses match") {
        user.apply(surroundings, &rule)?;
    }
    Ok(user)
}

#[track_caller]
fn words(rules: &str, expected: &str) {
    let catalog = catalog();
    let user = user_of(&catalog, rules).expect("good rules");
    let words = user.words(&catalog).join(&b' ');
    assert_eq!(String::from_utf8_lossy(&words), expected, "{rules}");
}

#[track_caller]
fn commands(rules: &str, expected: &str) {
    words(rules, &format!("off resetchannels {expected}"));
}

#[track_caller]
fn denied(rules: &str, line: &str, expected: Option<(Reason, usize)>) {
    denied_in(0, rules, line, expected);
}

#[track_caller]
fn denied_in(db: usize, rules: &str, line: &str, expected: Option<(Reason, usize)>) {
    let catalog = catalog();
    let user = user_of(&catalog, rules).expect("good rules");
    let argv: Argv = line.split(' ').collect();
    let args = argv.args();
    let full = [args.at(0), args.get(1).unwrap_or_default()].join(&b'|');
    let command = catalog.find(&full).or_else(|| catalog.find(args.at(0))).expect("a command");
    let found = check(&user, command, args, db).err().map(|denied| (denied.reason, denied.place));
    assert_eq!(found, expected, "{rules}: {line}");
}

#[test]
fn users_are_told_as_by_redis() {
    words("", "off resetchannels -@all");
    words("on nopass ~* &* +@all", "on nopass ~* &* +@all");
    words("reset", "off sanitize-payload resetchannels -@all");
    words("ON ALLKEYS ALLCHANNELS ALLCOMMANDS", "on ~* &* +@all");
    words("skip-sanitize-payload", "off skip-sanitize-payload resetchannels -@all");
    words("%R~a %W~a %RW~b %wr~c %R~d", "off ~a ~b ~c %R~d resetchannels -@all");
    words("%RW~* ~b", "off ~* ~b resetchannels -@all");
    words("%R &", "off %R~ resetchannels & -@all");
    words("~a &a &a resetkeys", "off resetchannels &a -@all");
    words("db=1,0,1", "off resetchannels db=0,1 -@all");
    words("db=1 resetdbs +get", "off resetchannels resetdbs -@all +get");
    words("resetdbs alldbs", "off resetchannels -@all");
    words("(~a  +get  &b)", "off resetchannels -@all (~a resetchannels &b -@all +get)");
    words("() (+@all) clearselectors ()", "off resetchannels -@all (resetchannels -@all)");
    words("(~\"a\\\"b\")", "off resetchannels -@all (\"~a\\\"b\" resetchannels -@all)");
    let hash = "#30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d4fee46e26170c4";
    words(">pw >pw", &format!("off {hash} resetchannels -@all"));
    words("nopass >pw", &format!("off {hash} resetchannels -@all"));
    words(">pw nopass", "off nopass resetchannels -@all");
    words(">pw <pw nopass resetpass", "off resetchannels -@all");
}

#[test]
fn command_rules_tell_the_shortest_way() {
    for (rules, expected) in [
        ("+get -get", "-@all"),
        ("-get", "-@all"),
        ("+@all +get", "+@all"),
        ("+@all -get", "+@all -get"),
        ("+@all -get +get", "+@all"),
        ("+get +@all", "+@all"),
        ("-get +@all -set", "+@all -set"),
        ("+GET +Set", "-@all +get +set"),
        ("+@all -config|get +config", "+@all"),
        ("+config -config|get", "-@all +config -config|get"),
        ("+config -config|get +config|get", "-@all +config"),
        ("+config|get +config", "-@all +config"),
        ("+config|get -config", "-@all"),
        ("+@read -get +@read", "-@all +@read"),
        ("+@read +@write -@read", "-@all +@write"),
        ("+@read -@hash", "-@all +@read -@hash"),
        ("+@string -get +get", "-@all +@string"),
        ("-@all -@dangerous", "-@all"),
        ("+@all -@dangerous", "+@all -@dangerous"),
        ("+get|x +GET|X +get|y", "-@all +get|x +get|y"),
        ("+get|x +get", "-@all +get"),
        ("+get|x -get", "-@all"),
        ("+get|x +@read", "-@all +@read"),
        ("+get|x -@read", "-@all"),
        ("+@all +get|x", "+@all"),
        ("+@all -select +select|0", "+@all -select +select|0"),
        ("+get allcommands nocommands", "-@all"),
    ] {
        commands(rules, expected);
    }
}

#[test]
fn wrong_rules_are_refused() {
    let catalog = catalog();
    for (rules, error) in [
        ("nosuch", RuleError::Syntax),
        (")", RuleError::Syntax),
        ("+nosuch", RuleError::UnknownCommand),
        ("+@nosuch", RuleError::UnknownCommand),
        ("+", RuleError::UnknownCommand),
        ("-@", RuleError::UnknownCommand),
        ("-get|x", RuleError::UnknownCommand),
        ("+config|nosuch", RuleError::UnknownCommand),
        ("+get|x|y", RuleError::UnknownCommand),
        ("+|x", RuleError::UnknownCommand),
        ("+get|", RuleError::Syntax),
        ("+config|get|x", RuleError::FirstArgOfSubcommand),
        ("~a\tb", RuleError::Syntax),
        ("&a\tb", RuleError::Syntax),
        ("%~a", RuleError::Syntax),
        ("%X~a", RuleError::Syntax),
        ("%RR~a", RuleError::Syntax),
        ("%", RuleError::Syntax),
        ("~* ~b", RuleError::KeyAfterAllKeys),
        ("allkeys %R~b", RuleError::KeyAfterAllKeys),
        ("&* &b", RuleError::ChannelAfterAllChannels),
        ("<pw", RuleError::NoSuchPassword),
        ("#ab", RuleError::BadHash),
        ("!ab", RuleError::BadHash),
        ("db=", RuleError::Syntax),
        ("db=1,", RuleError::Syntax),
        ("db=x", RuleError::Syntax),
        ("db=-1", RuleError::DatabaseOutOfRange),
        ("db=2147483648", RuleError::DatabaseOutOfRange),
        ("(on)", RuleError::Syntax),
        ("(reset)", RuleError::Syntax),
        ("((+get)", RuleError::Syntax),
        ("(+get (+set)", RuleError::Syntax),
        ("(~* ~b)", RuleError::KeyAfterAllKeys),
    ] {
        assert_eq!(user_of(&catalog, rules).err(), Some(error), "{rules}");
    }
    for rules in ["(+get", "on (+get)x", "(a) (b"] {
        assert!(merge_selectors(rules.split(' ').map(str::as_bytes)).is_err(), "{rules}");
    }
}

#[test]
fn commands_keys_and_channels_are_checked() {
    use Reason::*;
    denied("+@all ~*", "get k", None);
    denied("+get ~*", "set k v", Some((Command, 0)));
    denied("", "auth x", None);
    denied("+get ~a*", "get b", Some((Key, 1)));
    denied("+get %R~a", "get a", None);
    denied("+get %W~a", "get a", Some((Key, 1)));
    denied("+set %R~a", "set a v", Some((Key, 1)));
    denied("+exists %R~a %W~b", "exists a b", None);
    denied("+exists %R~a %W~b", "exists a b c", Some((Key, 3)));
    denied("+copy %R~a %W~b", "copy a b", None);
    denied("+copy %R~a %W~b", "copy a a", Some((Key, 2)));
    denied("+select|1", "select 1", None);
    denied("+select|1", "select 2", Some((Command, 0)));
    denied("+config|get", "config get x", None);
    denied("+config|get", "config set x y", Some((Command, 0)));
    denied("+config -config|set", "config set x y", Some((Command, 0)));
    denied("+@all &c*", "publish c1 m", None);
    denied("+@all &c*", "publish d m", Some((Channel, 1)));
    denied("+@all &c*", "subscribe c1 c2 d", Some((Channel, 3)));
    denied("+@all &c*", "psubscribe c*", None);
    denied("+@all &c*", "psubscribe c1", Some((Channel, 1)));
    denied("+@all allchannels", "psubscribe c1", None);
}

#[test]
fn one_selector_must_allow_all_and_the_one_that_came_furthest_tells_why() {
    use Reason::*;
    let rules = "+get ~a (+set ~b) (+@all -set ~c &d)";
    denied(rules, "get a", None);
    denied(rules, "set b v", None);
    denied(rules, "get c", None);
    denied(rules, "set a v", Some((Key, 1)));
    denied(rules, "publish e m", Some((Channel, 1)));
    denied("+exists ~a (+exists ~a ~b)", "exists a b c", Some((Key, 3)));
    denied("db=0 +get ~a (+set ~a)", "hget a f", Some((Command, 0)));
    denied_in(1, "db=0 +get ~a (+set ~a)", "get a", Some((Command, 0)));
}

#[test]
fn databases_are_checked() {
    use Reason::*;
    let rules = "+@all ~* &* db=0,2";
    denied_in(0, rules, "get k", None);
    denied_in(1, rules, "get k", Some((Database, 0)));
    denied_in(1, rules, "ping", None);
    denied_in(1, rules, "select 2", None);
    denied_in(0, rules, "select 1", Some((Database, 1)));
    denied_in(0, rules, "select x", None);
    denied_in(1, rules, "swapdb 0 2", None);
    denied_in(0, rules, "swapdb 0 1", Some((Database, 2)));
    denied_in(0, rules, "move k 2", None);
    denied_in(0, rules, "move k 1", Some((Database, 2)));
    denied_in(1, rules, "move k 2", Some((Database, 0)));
    denied_in(0, rules, "copy a b db 2", None);
    denied_in(0, rules, "copy a b replace db 1", Some((Database, 5)));
    denied_in(1, rules, "copy a b db 2", Some((Database, 0)));
    denied_in(0, rules, "flushall", Some((Database, 0)));
    denied_in(0, "+@all ~* resetdbs", "select 0", Some((Database, 1)));
    denied_in(3, "(+@all ~* db=3)", "get k", None);
}

#[test]
fn patterns_of_sort_ask_for_every_key() {
    let catalog = catalog();
    let argv: Argv = ["get", "a"].into_iter().collect();
    let command = catalog.find(b"get").unwrap();
    for (rules, expected) in [
        ("+get ~*", true),
        ("+get %R~*", true),
        ("+get %W~* %R~a*", false),
        ("+get ~a (+set ~*)", false),
        ("+get ~a (+get ~*)", true),
    ] {
        let user = user_of(&catalog, rules).unwrap();
        assert_eq!(may_read_every_key(&user, command, argv.args(), 0), expected, "{rules}");
    }
}

#[test]
fn passwords_let_in() {
    let catalog = catalog();
    let accepts = |rules: &str, password: &str| {
        user_of(&catalog, rules).unwrap().accepts(&PasswordHash::of(password.as_bytes()))
    };
    assert!(accepts("on >a >b", "a") && accepts("on >a >b", "b") && !accepts("on >a >b", "c"));
    assert!(accepts("on nopass", "c") && !accepts("nopass", "c") && !accepts("on", ""));
}

#[test]
fn the_table_of_users_keeps_names_and_numbers_apart() {
    let catalog = catalog();
    let mut users = Users::default();
    users.install_default(&catalog);
    let add = |users: &mut Users, name: &str| users.set(User::new(name.as_bytes(), NewChannels::None));
    let (bob, alice) = (add(&mut users, "bob"), add(&mut users, "alice"));
    assert_eq!(add(&mut users, "bob"), bob);
    let names: Vec<_> = users.iter().map(|user| String::from_utf8_lossy(&user.name).into_owned()).collect();
    assert_eq!(names, ["alice", "bob", "default"]);
    assert_eq!((users.remove(b"default"), users.remove(b"bob")), (None, Some(bob)));
    let carl = add(&mut users, "carl");
    assert_eq!(carl.slot, bob.slot);
    assert!(users.get(bob).is_none() && users.get(alice).is_some());
    users.replace(vec![User::new(b"carl", NewChannels::None), User::new(b"dora", NewChannels::None)]);
    assert!(users.get(alice).is_none() && users.get(carl).is_some() && users.named(b"default").is_some());
    assert_eq!(users.len(), 3);
}

#[test]
fn files_are_read_with_every_error_told() {
    let catalog = catalog();
    let load = |text: &str| load("u.acl", text.as_bytes(), &catalog, NewChannels::None);
    let none = "WARNING: ACL errors detected, no change to the previously active ACL rules was performed";
    for (text, error) in [
        ("bogus\n", "u.acl:1 should start with user keyword followed by the username. "),
        ("\n\n# c\n", "u.acl:3 should start with user keyword followed by the username. "),
        ("user\ton\n", "u.acl:1 should start with user keyword followed by the username. "),
        ("user a bogus\n", "u.acl:1: Syntax error. "),
        ("user a on\nuser a off\n", "WARNING: Duplicate user 'a' found on line 2. "),
        ("user  a on\n", "u.acl:1: Syntax error. "),
        ("user a (+get\n", "u.acl:1: Unmatched parenthesis in selector definition."),
        (
            "user a +n1 bad bad2 +n2\n",
            "u.acl:1: Error in applying operation '+n1': Unknown command or category name in ACL. u.acl:1: Syntax \
             error. u.acl:1: Error in applying operation '+n2': Unknown command or category name in ACL. ",
        ),
    ] {
        let found = load(text).map(|_| ()).map_err(|error| String::from_utf8_lossy(&error).into_owned());
        assert_eq!(found, Err(format!("{error}{none}")), "{text}");
    }
    let users = load("  user a on >p  \r\n\nuser b (+get ~x)").expect("good");
    assert_eq!(users.len(), 2);
    let mut table = Users::default();
    table.install_default(&catalog);
    table.replace(users);
    let text = save(&table, &catalog);
    let again = super::load("u.acl", &text, &catalog, NewChannels::None).expect("what was written");
    let lines: Vec<u8> =
        again.iter().flat_map(|user| [user.line(&catalog), b"\n".to_vec()].concat()).collect();
    assert_eq!(String::from_utf8_lossy(&lines), String::from_utf8_lossy(&text));
}

/// A rule that may be anything, often a good one.
fn any_rule() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "on",
        "off",
        "nopass",
        "resetpass",
        "reset",
        "allkeys",
        "resetkeys",
        "allchannels",
        "resetchannels",
        "allcommands",
        "nocommands",
        "alldbs",
        "resetdbs",
        "clearselectors",
        "sanitize-payload",
        "+@all",
        "-@all",
        "+@read",
        "-@read",
        "+@write",
        "-@string",
        "+@dangerous",
        "-@dangerous",
        "+@connection",
        "+get",
        "-get",
        "+set",
        "-set",
        "+config",
        "-config",
        "+config|get",
        "-config|get",
        "+config|set",
        "+get|x",
        "+select|0",
        "~a*",
        "%R~b",
        "%W~b",
        "~\"q'",
        "&c*",
        "&d",
        "db=0",
        "db=3,1",
        ">p",
        "<p",
        "(",
        ")",
    ])
    .prop_map(str::to_owned);
    let free = "[+\\-~%&@|RWa-d*()\"'<>#!=, \\x00-\\x20]{0,8}";
    let selector = prop::collection::vec(
        prop::sample::select(vec!["+get", "-@all", "~\\\"x", "%R~y", "&z", "+@read"]),
        0..4,
    )
    .prop_map(|words| format!("({})", words.join(" ")));
    prop_oneof![6 => known, 1 => free, 1 => selector]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Rules never panic, and what a user is told to be makes the same user again.
    #[test]
    fn what_is_told_can_be_read(rules in prop::collection::vec(any_rule(), 0..12)) {
        let catalog = catalog();
        let surroundings = Surroundings { catalog: &catalog, new_channels: NewChannels::None };
        let mut user = User::new(b"u", NewChannels::None);
        for rule in &rules {
            let before = user.line(&catalog);
            if user.apply(surroundings, rule.as_bytes()).is_err() {
                prop_assert_eq!(user.line(&catalog), before, "{:?} failed and changed", rule);
            }
        }
        let line = user.line(&catalog);
        let read = load("f", &line, &catalog, NewChannels::None);
        let read = read.map_err(|error| TestCaseError::fail(String::from_utf8_lossy(&error).into_owned()))?;
        prop_assert_eq!(read[0].line(&catalog), line);
        for command in catalog.iter() {
            let argv: Argv = [command.spec.own_name(), "x", "y"].into_iter().collect();
            for db in [0, 1] {
                let allowed = |user| check(user, command, argv.args(), db);
                prop_assert_eq!(allowed(&user), allowed(&read[0]));
            }
        }
    }

    /// The bits are those of the rules, one after the other, however short the list became.
    #[test]
    fn rules_mean_what_they_say_in_order(
        rules in prop::collection::vec(
            prop::sample::select(vec![
                "+@all", "-@all", "+@read", "-@read", "+@string", "-@string", "+@fast", "-@fast", "+get", "-get",
                "+config", "-config", "+config|get", "-config|get",
            ]),
            0..10,
        )
    ) {
        let catalog = catalog();
        let user = user_of(&catalog, &rules.join(" ")).expect("good rules");
        for command in catalog.iter().filter(|command| !command.is_free) {
            let mut expected = false;
            for rule in &rules {
                let (sign, name) = rule.split_at(1);
                let concerned = match name.strip_prefix('@') {
                    Some("all") => true,
                    Some(category) => {
                        let index = catalog.find_category(category.as_bytes()).expect("a category");
                        catalog.category(index).has(command.index)
                    }
                    None => command.spec.name == name || command.spec.name.starts_with(&format!("{name}|")),
                };
                expected = if concerned { sign == "+" } else { expected };
            }
            prop_assert_eq!(user.root.commands.allows(command.index, None), expected, "{}", command.spec.name);
        }
    }
}
