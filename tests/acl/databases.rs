//! Rules about databases, which Valkey 9.1 has and the oracle has not.

use crate::support::{Connection, Server, Value};

const DENIED: &str = "NOPERM No permissions to access database";

fn user(server: &Server, rules: &str) -> Connection {
    server.connect().ok(&format!("ACL SETUSER u reset on nopass {rules}"));
    let mut connection = server.connect();
    connection.ok("AUTH u x");
    connection
}

#[test]
fn rules_are_told_back() {
    let server = Server::start(&[]);
    let mut admin = server.connect();
    let mut told = |rules: &str| {
        admin.ok(&format!("ACL SETUSER u reset {rules}"));
        admin.run("ACL LIST").elements()[1].text().split_once("payload ").expect("the flags").1.to_owned()
    };
    assert_eq!(told("+@all ~* db=1,0"), "~* resetchannels db=0,1 +@all");
    assert_eq!(told("db=0 db=2,3"), "resetchannels db=2,3 -@all");
    assert_eq!(told("db=0 resetdbs"), "resetchannels resetdbs -@all");
    assert_eq!(told("db=0 alldbs"), "resetchannels -@all");
    assert_eq!(told("(db=0,1 +@write ~*)"), "resetchannels -@all (~* resetchannels db=0,1 -@all +@write)");
    admin.ok("ACL SETUSER u reset db=7");
    let fields: Vec<String> =
        admin.run("ACL GETUSER u").elements().iter().step_by(2).map(Value::text).collect();
    assert_eq!(fields, ["flags", "passwords", "commands", "keys", "channels", "databases", "selectors"]);
    let text = "ERR Error in ACL SETUSER modifier 'db=x': Syntax error";
    admin.run("ACL SETUSER u db=x").assert_error(text);
    let text = "ERR Error in ACL SETUSER modifier 'db=-1': The provided database ID is out of range";
    admin.run("ACL SETUSER u db=-1").assert_error(text);
}

#[test]
fn a_user_stays_in_its_databases() {
    let server = Server::start(&[]);
    let mut user = user(&server, "+@all ~* db=1,2");
    for line in [
        "GET k",
        "DBSIZE",
        "SCAN 0",
        "FLUSHDB",
        "WATCH k",
        "MOVE k 1",
        "COPY k k2 DB 1",
        "FLUSHALL",
        "SELECT 0",
    ] {
        user.run(line).assert_error(DENIED);
    }
    user.run("PING");
    user.ok("SELECT 1");
    user.ok("SET k v");
    user.run("SELECT 0").assert_error(DENIED);
    user.run("SWAPDB 0 1").assert_error(DENIED);
    user.ok("SWAPDB 1 2");
    user.ok("SELECT 2");
    user.run("MOVE k 0").assert_error(DENIED);
    user.run("COPY k k2 DB 3").assert_error(DENIED);
    assert_eq!(user.run("MOVE k 1").integer(), 1);
    user.run("SELECT x").assert_error("ERR value is not an integer or out of range");
    let mut admin = server.connect();
    assert_eq!(admin.info_number("acl_access_denied_db"), 13);
    let entry = admin.run("ACL LOG 1").elements()[0].elements();
    let entry: Vec<String> = entry.iter().map(|field| format!("{field:?}")).collect();
    assert!(entry.join(" ").contains("database"), "{entry:?}");
    assert_eq!(
        admin.run("ACL DRYRUN u SELECT 3").text(),
        "This user has no permissions to access database 3"
    );
}

#[test]
fn a_transaction_that_selects_is_checked_where_it_will_be() {
    let server = Server::start(&[]);
    let mut user = user(&server, "+@all ~* db=1");
    user.ok("MULTI");
    for line in ["SELECT 1", "SET k v", "GET k"] {
        assert_eq!(user.run(line), Value::Simple("QUEUED".into()), "{line}");
    }
    assert_eq!(user.run("EXEC").elements()[2].text(), "v");
    user.ok("SELECT 1");
    user.ok("MULTI");
    user.run("SELECT 0").assert_error(DENIED);
    user.run("EXEC").assert_error("EXECABORT Transaction discarded because of previous errors.");
}
