//! Who is who: logging in, rights that change while somebody is connected, transactions, subscriptions, and what the
//! log of denials says of it. Everything is done to Tintype and to the oracle; where they differ on purpose, it is
//! said.

use crate::pair::{Both, Pair};
use crate::support::{Value, wait_for};

#[test]
fn logging_in() {
    let pair = Pair::start();
    let (mut admin, mut user) = (pair.connect(), pair.connect());
    admin.same("ACL SETUSER u on >p >q ~* &* +@all");
    admin.same("ACL SETUSER off >p +@all");
    for line in [
        "AUTH x",
        "AUTH u x",
        "AUTH nosuch x",
        "AUTH off p",
        "AUTH u p q",
        "AUTH u p",
        "ACL WHOAMI",
        "AUTH u q",
        "AUTH Default x",
        "AUTH default anything",
        "ACL WHOAMI",
        "HELLO 3 AUTH u x",
        "HELLO 2 AUTH nosuch x",
        "MULTI",
        "AUTH u p",
        "ACL WHOAMI",
        "EXEC",
        "RESET",
        "ACL WHOAMI",
        "CLIENT KILL USER nosuch",
    ] {
        user.same(line);
    }
    admin.same("CONFIG SET requirepass pw");
    for line in ["ACL LIST", "CONFIG GET requirepass", "PING"] {
        admin.same(line);
    }
    let mut stranger = pair.connect();
    for line in [
        "PING",
        "GET",
        "NOSUCH",
        "ACL WHOAMI",
        "AUTH default",
        "HELLO 3",
        "AUTH pw",
        "PING",
        "RESET",
        "PING",
        "AUTH u p",
    ] {
        stranger.same(line);
    }
    for line in [
        "ACL SETUSER default >second",
        "ACL LIST",
        "CONFIG SET requirepass \"\"",
        "ACL LIST",
        "CONFIG SET requirepass pw",
        "ACL SETUSER default nopass",
        "CONFIG GET requirepass",
        "CONFIG SET requirepass \"\"",
        "ACL LIST",
        "ACL SETUSER default off",
    ] {
        admin.same(line);
    }
    let mut stranger = pair.connect();
    for line in ["PING", "AUTH default x", "AUTH x", "HELLO 2", "AUTH u p", "PING", "RESET", "PING"] {
        stranger.same(line);
    }
    admin.same("ACL SETUSER default on");
    stranger.same("PING");
}

#[test]
fn rights_change_at_once() {
    let pair = Pair::start();
    let mut admin = pair.connect();
    admin.same("ACL SETUSER u on nopass ~k* &c* +@all");
    let mut user = pair.log_in("u");
    for (change, line) in [
        ("-get", "GET k"),
        ("+get", "GET k"),
        ("resetkeys ~a", "GET k"),
        ("allkeys", "GET k"),
        ("resetchannels", "PUBLISH c m"),
        ("-@all +ping", "GET k"),
        ("off", "PING"),
        ("off", "AUTH u x"),
        ("on", "AUTH u x"),
    ] {
        admin.same(&format!("ACL SETUSER u {change}"));
        user.same(line);
    }
    admin.same("ACL DELUSER u");
    user.are_closed();
    admin.same("ACL SETUSER admin on nopass +@all");
    let mut own = pair.log_in("admin");
    own.same("ACL DELUSER admin");
    own.are_closed();
    admin.same("ACL SETUSER u on nopass +@all");
    let mut user = pair.log_in("u");
    admin.same("CLIENT KILL USER u");
    user.are_closed();
}

#[test]
fn transactions_are_checked_twice() {
    let pair = Pair::start();
    let mut admin = pair.connect();
    admin.same("ACL SETUSER u on nopass ~k* &c* +@all");
    let mut user = pair.log_in("u");
    for lines in [
        &["MULTI", "GET x", "EXEC"][..],
        &["MULTI", "GET k1", "!-get", "SET k1 v", "EXEC", "!+get"],
        &["MULTI", "GET k1", "SET k2 v", "!-get", "EXEC", "!+get"],
        &["MULTI", "GET k1", "SET k2 v", "!resetkeys ~k1", "EXEC", "!~k*"],
        &["MULTI", "PUBLISH c m", "!resetchannels", "EXEC", "!&c*"],
        &["MULTI", "GET k1", "!-exec", "EXEC", "!+exec", "EXEC"],
        &["MULTI", "GET k1", "!-discard", "DISCARD", "!+discard", "DISCARD"],
        &["!-multi", "MULTI", "GET k1", "!+multi"],
        &["MULTI", "BLPOP k1 0", "!-blpop", "EXEC"],
    ] {
        for line in lines {
            match line.strip_prefix('!') {
                Some(rules) => drop(admin.same(&format!("ACL SETUSER u {rules}"))),
                None => drop(user.same(line)),
            }
        }
    }
    // A user who may change users may lose the right in the middle.
    for line in ["MULTI", "ACL SETUSER u -set", "SET k1 v", "GET k1", "EXEC"] {
        user.same(line);
    }
}

#[test]
fn subscribers_who_may_no_longer_listen_are_disconnected() {
    let pair = Pair::start();
    let mut admin = pair.connect();
    let all = "ACL SETUSER u resetchannels &c1 &c2 &p*";
    admin.same("ACL SETUSER u on nopass +@all");
    admin.same(all);
    let listen = |line: &str| -> Both {
        let mut both = pair.log_in("u");
        both.same(line);
        both
    };
    let mut stays = listen("SUBSCRIBE c1");
    let mut pattern = listen("PSUBSCRIBE p*");
    let mut shard = listen("SSUBSCRIBE c2");
    let mut silent = listen("PING");
    listen("SUBSCRIBE d");
    admin.same(all);
    pattern.same("PING");
    admin.same("ACL SETUSER u resetchannels &c1");
    pattern.are_closed();
    shard.are_closed();
    stays.same("PING");
    silent.same("PING");
    admin.same("ACL SETUSER u allchannels");
    admin.same("ACL SETUSER u resetchannels &c*");
    admin.same("ACL SETUSER u resetchannels (&c1 +get)");
    stays.same("PING");
    admin.same("ACL SETUSER u clearselectors");
    stays.are_closed();
}

/// As Redis 7.2 does; in 7.0 a command that has waited is run whatever its user may by then.
#[test]
fn a_command_that_has_waited_asks_again() {
    let server = crate::support::Server::start(&[]);
    let mut admin = server.connect();
    admin.ok("ACL SETUSER u on nopass ~k* +@all");
    let mut user = server.connect();
    user.ok("AUTH u x");
    let waits = |admin: &mut crate::support::Connection| {
        wait_for("a client that waits", || admin.info_number("blocked_clients") == 1);
    };
    user.send(b"BLPOP k1 0\r\n");
    waits(&mut admin);
    admin.ok("ACL SETUSER u resetkeys");
    assert_eq!(admin.run("RPUSH k1 v").integer(), 1);
    let text = "NOPERM this user has no permissions to access one of the keys used as arguments";
    assert_eq!(user.value(), Value::Error(text.into()));
    assert_eq!(admin.run("LLEN k1").integer(), 1, "nothing was taken");
    admin.ok("ACL SETUSER u ~k*");
    user.send(b"BLPOP k2 0\r\n");
    waits(&mut admin);
    assert_eq!(admin.run("ACL DELUSER u").integer(), 1);
    assert_eq!(user.until_closed(), b"");
}

/// What the oracle tells of each entry that does not depend on time and connection.
fn told(log: &Value) -> Vec<String> {
    const FIELDS: [&str; 5] = ["count", "reason", "context", "object", "username"];
    let entry = |entry: Value| {
        let fields = entry.elements();
        let pairs = fields.chunks_exact(2).filter(|pair| FIELDS.contains(&pair[0].text().as_str()));
        pairs.map(|pair| format!("{:?}", pair[1])).collect::<Vec<_>>().join(" ")
    };
    log.elements().into_iter().map(entry).collect()
}

#[test]
fn what_is_denied_is_logged() {
    let pair = Pair::start();
    let mut admin = pair.connect();
    admin.same("ACL SETUSER u on nopass ~k* &c* +@all -hget -config|set");
    let mut user = pair.log_in("u");
    for line in [
        "GET x",
        "GET x",
        "get x",
        "HGET x f",
        "CONFIG SET a b",
        "PUBLISH d m",
        "MGET k1 y z",
        "AUTH nosuch x",
        "AUTH nosuch x",
        "auth nosuch x",
        "HELLO 3 AUTH other x",
        "MULTI",
        "GET x",
        "HGET k f",
        "EXEC",
        "MULTI",
        "GET k1",
        "AUTH nosuch x",
        "EXEC",
        "OBJECT FREQ x",
        "SUBSCRIBE d",
    ] {
        user.same(line);
    }
    let [ours, oracle] = admin.tell("ACL LOG 100").map(|log| told(&log));
    assert_eq!(ours, oracle);
    for line in ["ACL LOG 2", "ACL LOG"] {
        let [ours, oracle] = admin.tell(line).map(|log| log.elements().len());
        assert_eq!(ours, oracle);
    }
    let fields: Vec<String> =
        admin.ours.run("ACL LOG 1").elements()[0].elements().iter().map(Value::text).collect();
    let info = fields.iter().position(|field| field == "client-info").expect("the field is there") + 1;
    assert!(fields[info].contains(" cmd=subscribe user=u "), "{}", fields[info]);
    let names: Vec<&str> = fields.iter().step_by(2).map(String::as_str).collect();
    assert_eq!(names[7..], ["entry-id", "timestamp-created", "timestamp-last-updated"]);
    for (name, count) in [("auth", 5), ("cmd", 3), ("key", 6), ("channel", 2)] {
        assert_eq!(admin.ours.info_number(&format!("acl_access_denied_{name}")), count, "{name}");
    }
    admin.same("CONFIG SET acllog-max-len 2");
    user.same("GET other");
    assert_eq!(admin.tell("ACL LOG").map(|log| log.elements().len()), [2, 2]);
    admin.same("ACL LOG RESET");
    admin.same("ACL LOG");
}

#[test]
fn clients_tell_their_user_and_logs_no_passwords() {
    let pair = Pair::start();
    let mut admin = pair.connect();
    admin.same("ACL SETUSER u on nopass +@all");
    let mut user = pair.log_in("u");
    for info in user.tell("CLIENT INFO") {
        assert!(info.text().contains(" user=u "), "{}", info.text());
    }
    admin.same("CONFIG SET slowlog-log-slower-than 0");
    admin.same("ACL SETUSER w on >secret ~x");
    admin.same("AUTH u secret");
    admin.tell("HELLO 2 AUTH default secret");
    for log in admin.tell("SLOWLOG GET 10") {
        let log = format!("{log:?}");
        assert!(log.contains("SETUSER") && !log.contains("secret") && !log.contains("~x"), "{log}");
    }
}
