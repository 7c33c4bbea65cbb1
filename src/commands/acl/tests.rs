//! ACL in process; that it answers as redis-server does is seen in tests/acl.rs.

use super::super::client::tests::Sessions;
use crate::client::Access;
use crate::server::access::NOBODY;

fn with_user(rules: &str) -> Sessions {
    let mut sessions = Sessions::new("");
    sessions.check(&format!("ACL SETUSER u on nopass {rules}"), "+OK");
    sessions.join();
    sessions
}

#[test]
fn only_who_may_not_do_everything_is_checked() {
    let mut sessions = with_user("~* &* +@all -get");
    assert_eq!(sessions.client().access, Access::Everything);
    sessions.check("AUTH u x", "+OK");
    assert_eq!(sessions.client().access, Access::Checked);
    sessions.check("ACL SETUSER u +get", "+OK");
    assert_eq!(sessions.client().access, Access::Everything);
    sessions.check("ACL SETUSER u -get", "+OK");
    assert_eq!(sessions.client().access, Access::Checked);
    sessions.check("RESET", "+RESET");
    assert_eq!(sessions.client().access, Access::Everything);
}

#[test]
fn other_means_than_passwords_log_in() {
    let mut sessions = with_user("+ping +acl");
    sessions.check("ACL SETUSER gone +ping", "+OK");
    let client = sessions.current;
    assert!(!sessions.server.log_in(client, b"nosuch") && !sessions.server.log_in(client, b"gone"));
    sessions.check("ACL WHOAMI", "default");
    assert!(sessions.server.log_in(client, b"u"));
    sessions.check("ACL WHOAMI", "u");
    sessions.check("GET k", "-NOPERM this user has no permissions to run the 'get' command");
}

#[test]
fn a_user_that_goes_takes_its_clients_along() {
    let mut sessions = with_user("+@all");
    sessions.check("AUTH u x", "+OK");
    let user = sessions.current;
    sessions.join();
    assert!(sessions.server.remove_user(b"u", NOBODY));
    let gone = sessions.server.clients.get(user).expect("nobody has cleared up yet");
    assert!(gone.close_now && !gone.authenticated && gone.access == Access::Checked);
    sessions.check("ACL DELUSER u", ":0");
}

#[test]
fn a_password_that_nobody_can_make_is_an_error() {
    let mut sessions = Sessions::new("");
    sessions.check("ACL GENPASS", "-ERR No source of random bytes: unsupported");
    sessions.server.acl.entropy = |bytes| {
        bytes.fill(0xa5);
        Ok(())
    };
    sessions.check("ACL GENPASS 9", "a5a");
}

#[test]
fn patterns_of_sort_are_denied_to_who_may_not_read_everything() {
    let mut sessions = with_user("~k* +@all");
    sessions.check("RPUSH k 1 2", ":2");
    sessions.check("AUTH u x", "+OK");
    let (by, get) = (
        "-ERR BY option of SORT denied due to insufficient ACL permissions.",
        "-ERR GET option of SORT denied due to insufficient ACL permissions.",
    );
    sessions.check("SORT k BY w*", by);
    sessions.check("SORT k BY nosort", "*2 1 2");
    sessions.check("SORT_RO k GET #", get);
    sessions.check("ACL SETUSER u %R~*", "+OK");
    sessions.check("SORT k BY w* GET #", "*2 1 2");
    sessions.join();
    sessions.check("SORT k BY w* GET #", "*2 1 2");
}
