//! The commands of the group connection, but for CLIENT: who speaks, in which protocol, about which database.
//!
//! A client that connects is the user `default`; AUTH and HELLO make it another one.

use super::acl::denied;
use super::client::attributes::check_name;
use crate::base::argv::Args;
use crate::base::ids::UserId;
use crate::client::ReplyMode;
use crate::resp::Protocol;
use crate::server::server::REDIS_VERSION;
use crate::server::{Cx, Entry, Flow};
use crate::spec::args::{Options, integer, integer_in, is_word};
use crate::spec::{Categories, CommandError, Flags, Group, Spec};

const FAST: Flags = Flags::FAST;
const ALWAYS: Flags = Flags::LOADING.or(Flags::STALE).or(Flags::FAST);
const HANDSHAKE: Flags = ALWAYS.or(Flags::NOSCRIPT).or(Flags::NO_AUTH).or(Flags::ALLOW_BUSY);

const fn spec(name: &'static str, arity: i32, flags: Flags) -> Spec {
    Spec::new(name, arity, Group::Connection, flags).category(Categories::CONNECTION)
}

pub const COMMANDS: &[Entry] = &[
    Entry::server(
        spec("ping", -1, FAST)
            .tips(&["request_policy:all_shards", "response_policy:all_succeeded"])
            .complexity("O(1)")
            .doc("1.0.0", "Ping the server", "[message]"),
        ping,
    ),
    Entry::server(
        spec("echo", 2, ALWAYS).complexity("O(1)").doc("1.0.0", "Echo the given string", "message"),
        echo,
    ),
    Entry::server(
        spec("select", 2, ALWAYS).complexity("O(1)").doc(
            "1.0.0",
            "Change the selected database for the current connection",
            "index",
        ),
        select,
    ),
    Entry::server(
        spec("quit", -1, HANDSHAKE).complexity("O(1)").doc("1.0.0", "Close the connection", ""),
        quit,
    ),
    Entry::server(
        spec("reset", 1, HANDSHAKE).complexity("O(1)").doc("6.2.0", "Reset the connection", ""),
        reset,
    ),
    Entry::server(
        spec("auth", -2, HANDSHAKE)
            .complexity("O(N) where N is the number of passwords defined for the user")
            .doc("1.0.0", "Authenticate to the server", "[username] password"),
        auth,
    ),
    Entry::server(
        spec("hello", -1, HANDSHAKE).complexity("O(1)").doc(
            "6.0.0",
            "Handshake with Redis",
            "[protover [AUTH username password] [SETNAME clientname]]",
        ),
        hello,
    ),
];

fn ping(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let is_subscriber = cx.client().is_in_subscriber_mode();
    match args.get(1) {
        _ if args.len() > 2 => return Err(CommandError::Arity("ping")),
        message if is_subscriber => {
            cx.reply.array(2);
            cx.reply.bulk_text("pong");
            cx.reply.bulk(message.unwrap_or_default());
        }
        Some(message) => cx.reply.bulk(message),
        None => cx.reply.simple("PONG"),
    }
    Ok(Flow::Done)
}

fn echo(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    cx.reply.bulk(args.at(1));
    Ok(Flow::Done)
}

fn select(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    const INDEX_RANGE: std::ops::RangeInclusive<i64> = i32::MIN as i64..=i32::MAX as i64;
    let too_large =
        CommandError::text("ERR value is out of range, value must between -2147483648 and 2147483647");
    let index = integer_in(args.at(1), INDEX_RANGE, too_large)?;
    let databases = cx.server.keyspace.databases();
    let index = usize::try_from(index).ok().filter(|index| *index < databases);
    cx.client().db = index.ok_or(CommandError::DbOutOfRange)?;
    cx.reply.ok();
    Ok(Flow::Done)
}

fn quit(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    cx.reply.ok();
    Ok(Flow::Close)
}

/// Makes the client what a new one is, except for its library's name and its exemption from eviction.
fn reset(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    let id = cx.client_id;
    cx.server.forget_watches(id);
    cx.server.forget_subscriptions(id);
    cx.server.clients.unset_monitor(id);
    cx.server.stop_tracking(id);
    cx.server.reset_authentication(id);
    let client = cx.client();
    client.transaction = None;
    client.name.clear();
    client.db = 0;
    client.protocol = Protocol::Resp2;
    client.no_touch = false;
    // A skip that was asked for means this reply.
    if client.reply_mode != ReplyMode::Skip {
        client.reply_mode = ReplyMode::On;
    }
    cx.reply.set_protocol(Protocol::Resp2);
    cx.reply.simple("RESET");
    Ok(Flow::Done)
}

fn auth(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let credentials = match args.len() {
        2 if cx.server.acl.users.default_user().needs_no_password() => {
            return Err(CommandError::AuthWithoutPassword);
        }
        2 => (&b"default"[..], args.at(1)),
        3 => (args.at(1), args.at(2)),
        _ => return Err(CommandError::Syntax),
    };
    let user = find_user(cx, args.at(0), credentials)?;
    cx.server.become_user(cx.client_id, user);
    cx.reply.ok();
    Ok(Flow::Done)
}

/// The user of this name and password; that there is none has been noted.
fn find_user(
    cx: &mut Cx<'_>,
    command: &[u8],
    (name, password): (&[u8], &[u8]),
) -> Result<UserId, CommandError> {
    let found = cx.server.authenticate(name, password);
    if found.is_none() {
        denied::note_login(cx.server, cx.client_id, command, name);
    }
    found.ok_or(CommandError::WrongPass)
}

/// What HELLO asks for.
#[derive(Default)]
struct Greeting<'a> {
    protocol: Option<Protocol>,
    user: Option<UserId>,
    name: Option<&'a [u8]>,
}

impl<'a> Greeting<'a> {
    /// Reads and checks the arguments in the order in which they stand, and changes nothing.
    fn read(cx: &mut Cx<'_>, args: Args<'a>) -> Result<Self, CommandError> {
        let mut greeting = Greeting::default();
        let mut options = Options::new(args, 1);
        if let Some(version) = options.next_argument() {
            greeting.protocol = Some(read_protocol(version)?);
        }
        while let Some(option) = options.next_argument() {
            if is_word(option, "AUTH") && options.left() >= 2 {
                let credentials = (options.value()?, options.value()?);
                greeting.user = Some(find_user(cx, args.at(0), credentials)?);
            } else if is_word(option, "SETNAME") && options.left() >= 1 {
                let name = options.value()?;
                check_name(name)?;
                greeting.name = Some(name);
            } else {
                return Err(CommandError::quoting("ERR Syntax error in HELLO option '", option, "'"));
            }
        }
        Ok(greeting)
    }
}

fn read_protocol(version: &[u8]) -> Result<Protocol, CommandError> {
    match integer(version).map_err(|_| CommandError::ProtocolNotInteger)? {
        2 => Ok(Protocol::Resp2),
        3 => Ok(Protocol::Resp3),
        _ => Err(CommandError::NoProto),
    }
}

fn hello(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let greeting = Greeting::read(cx, args)?;
    if greeting.user.is_none() && cx.server.must_authenticate(cx.client_id) {
        return Err(CommandError::NoAuthHello);
    }
    if let Some(user) = greeting.user {
        cx.server.become_user(cx.client_id, user);
    }
    let client = cx.client();
    client.protocol = greeting.protocol.unwrap_or(client.protocol);
    if let Some(name) = greeting.name {
        client.name = name.to_vec();
    }
    let (protocol, number) = (client.protocol, client.id.number);
    cx.reply.set_protocol(protocol);
    introduce(cx, protocol, number);
    Ok(Flow::Done)
}

fn introduce(cx: &mut Cx<'_>, protocol: Protocol, client_number: u64) {
    let protocol = match protocol {
        Protocol::Resp2 => 2,
        Protocol::Resp3 => 3,
    };
    let reply = &mut cx.reply;
    reply.map(7);
    for (name, value) in [("server", "redis"), ("version", REDIS_VERSION)] {
        reply.bulk_text(name);
        reply.bulk_text(value);
    }
    for (name, value) in [("proto", protocol), ("id", client_number as i64)] {
        reply.bulk_text(name);
        reply.integer(value);
    }
    for (name, value) in [("mode", "standalone"), ("role", "master")] {
        reply.bulk_text(name);
        reply.bulk_text(value);
    }
    reply.bulk_text("modules");
    reply.array(0);
}

#[cfg(test)]
mod tests {
    use super::super::client::tests::Sessions;
    use super::*;
    use crate::exec::call::Outcome;

    const GREETING: &str =
        "*14 server redis version 7.4.0 proto :2 id :1 mode standalone role master modules *0";

    #[test]
    fn small_talk() {
        let mut sessions = Sessions::new("");
        sessions.check("PING", "+PONG");
        sessions.check("ping a", "a");
        sessions.check("PING a b", "-ERR wrong number of arguments for 'ping' command");
        sessions.check("ECHO x", "x");
        assert_eq!(sessions.execute("QUIT now").1, Outcome::Close);
    }

    #[test]
    fn databases_are_selected() {
        let mut sessions = Sessions::new("");
        sessions.check("SELECT 15", "+OK");
        sessions.check("SELECT 16", "-ERR DB index is out of range");
        sessions.check("SELECT -1", "-ERR DB index is out of range");
        sessions.check("SELECT x", "-ERR value is not an integer or out of range");
        sessions.check(
            "SELECT 99999999999",
            "-ERR value is out of range, value must between -2147483648 and 2147483647",
        );
        assert_eq!(sessions.client().db, 15);
    }

    #[test]
    fn without_a_password_any_is_right() {
        let mut sessions = Sessions::new("");
        sessions.check("AUTH x", &format!("-{}", CommandError::AuthWithoutPassword));
        sessions.check("AUTH default x", "+OK");
        sessions.check("AUTH bob x", &format!("-{}", CommandError::WrongPass));
        sessions.check("AUTH a b c", "-ERR syntax error");
        // Who is known stays known when a password is set.
        sessions.check("CONFIG SET requirepass secret", "+OK");
        sessions.check("PING", "+PONG");
        sessions.check("RESET", "+RESET");
        sessions.check("PING", "-NOAUTH Authentication required.");
    }

    #[test]
    fn a_password_is_asked_for() {
        let mut sessions = Sessions::new("secret");
        let (unknown, wrong) = ("-NOAUTH Authentication required.", format!("-{}", CommandError::WrongPass));
        sessions.check("PING", unknown);
        sessions.check("MULTI", unknown);
        sessions.check("AUTH secrets", &wrong);
        sessions.check("AUTH bob secret", &wrong);
        sessions.check("HELLO", &format!("-{}", CommandError::NoAuthHello));
        sessions.check("HELLO 4", "-NOPROTO unsupported protocol version");
        sessions.check("HELLO 2 AUTH default bad SETNAME a\tb", &wrong);
        sessions
            .check("HELLO 2 SETNAME ok AUTH default secret FOO", "-ERR Syntax error in HELLO option 'FOO'");
        sessions.check("PING", unknown);
        assert!(sessions.client().name.is_empty(), "a HELLO that fails changes nothing");
        sessions.check("HELLO 2 SETNAME me AUTH default secret", GREETING);
        sessions.check("PING", "+PONG");
        sessions.check("AUTH bad", &wrong);
        sessions.check("CLIENT GETNAME", "me");
    }

    #[test]
    fn hello_chooses_the_protocol() {
        let mut sessions = Sessions::new("");
        sessions.check("HELLO", GREETING);
        sessions.check("HELLO x", "-ERR Protocol version is not an integer or out of range");
        sessions.check("HELLO 3 AUTH default", "-ERR Syntax error in HELLO option 'AUTH'");
        sessions.check("HELLO 3 SETNAME", "-ERR Syntax error in HELLO option 'SETNAME'");
        sessions.check("HELLO 3", &GREETING.replace("*14", "%7").replace("proto :2", "proto :3"));
        sessions.check("CLIENT GETNAME", "_");
    }

    #[test]
    fn reset_makes_a_client_new() {
        let mut sessions = Sessions::new("");
        for line in
            ["HELLO 3 SETNAME me", "SELECT 3", "WATCH k", "CLIENT NO-TOUCH on", "CLIENT REPLY off", "MULTI"]
        {
            sessions.execute(line);
        }
        let id = sessions.current;
        sessions.server.clients.set_monitor(id);
        sessions.check("RESET", "+RESET");
        let client = sessions.client();
        assert!(
            client.transaction.is_none()
                && client.name.is_empty()
                && !client.no_touch
                && client.authenticated
        );
        assert_eq!((client.db, client.protocol, client.watched.len()), (0, Protocol::Resp2, 0));
        assert!(sessions.server.clients.monitors().is_empty() && sessions.server.watches.is_empty());
        sessions.execute("CLIENT REPLY SKIP");
        sessions.check("RESET", "");
        sessions.check("PING", "+PONG");
    }
}
