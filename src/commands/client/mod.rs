//! CLIENT: what the server knows of its clients, and what is done to them.
pub mod attributes;
mod caching;
mod filter;
mod kill;
mod kinds;
pub mod list;
mod pause;
mod tracking;

use super::help;
use crate::base::argv::Args;
use crate::server::{Cx, Entry, Flow};
use crate::spec::{Categories, CommandError, Flags, Group, Spec};

const OPEN: Flags = Flags::LOADING.or(Flags::STALE).or(Flags::NOSCRIPT);
const ADMIN: Flags = OPEN.or(Flags::ADMIN);

const fn spec(name: &'static str, arity: i32, flags: Flags) -> Spec {
    Spec::new(name, arity, Group::Connection, flags).category(Categories::CONNECTION)
}

const CONTAINER: Spec = Spec::new("client", -2, Group::Connection, Flags::NONE)
    .complexity("Depends on subcommand.")
    .doc("2.4.0", "A container for client connection commands", "");

pub const COMMANDS: &[Entry] = &[Entry::container(CONTAINER, SUBCOMMANDS)];

const SUBCOMMANDS: &[Entry] = &[
    Entry::server(
        spec("client|id", 2, OPEN).complexity("O(1)").doc(
            "5.0.0",
            "Returns the client ID for the current connection",
            "",
        ),
        attributes::id,
    ),
    Entry::server(
        spec("client|getname", 2, OPEN).complexity("O(1)").doc(
            "2.6.9",
            "Get the current connection name",
            "",
        ),
        attributes::getname,
    ),
    Entry::server(
        spec("client|setname", 3, OPEN).complexity("O(1)").doc(
            "2.6.9",
            "Set the current connection name",
            "connection-name",
        ),
        attributes::setname,
    ),
    Entry::server(
        spec("client|setinfo", 4, OPEN).complexity("O(1)").doc(
            "7.2.0",
            "Sets information specific to the client or connection",
            "<LIB-NAME libname|LIB-VER libver>",
        ),
        attributes::setinfo,
    ),
    Entry::server(
        spec("client|capa", -3, OPEN.or(Flags::ALLOW_BUSY)).complexity("O(1)").doc(
            "8.0.0",
            "A client claims its capability",
            "capability [capability ...]",
        ),
        attributes::capa,
    ),
    Entry::server(
        spec("client|getredir", 2, OPEN).complexity("O(1)").doc(
            "6.0.0",
            "Get tracking notifications redirection client ID if any",
            "",
        ),
        tracking::getredir,
    ),
    Entry::server(
        spec("client|tracking", -3, OPEN)
            .complexity("O(1). Some options may introduce additional complexity.")
            .doc("6.0.0", "Enable or disable server assisted client side caching support", TRACKING_SYNTAX),
        tracking::tracking,
    ),
    Entry::server(
        spec("client|trackinginfo", 2, OPEN).complexity("O(1)").doc(
            "6.2.0",
            "Return information about server assisted client side caching for the current connection",
            "",
        ),
        tracking::trackinginfo,
    ),
    Entry::server(
        spec("client|caching", 3, OPEN).complexity("O(1)").doc(
            "6.0.0",
            "Instruct the server about tracking or not keys in the next request",
            "<YES|NO>",
        ),
        caching::caching,
    ),
    Entry::server(
        spec("client|reply", 3, OPEN).complexity("O(1)").doc(
            "3.2.0",
            "Instruct the server whether to reply to commands",
            "<ON|OFF|SKIP>",
        ),
        attributes::reply,
    ),
    Entry::server(
        spec("client|no-evict", 3, ADMIN).complexity("O(1)").doc(
            "7.0.0",
            "Set client eviction mode for the current connection",
            "<ON|OFF>",
        ),
        attributes::no_evict,
    ),
    Entry::server(
        spec("client|no-touch", 3, OPEN).complexity("O(1)").doc(
            "7.2.0",
            "Controls whether commands sent by the client affect the LRU/LFU of accessed keys",
            "<ON|OFF>",
        ),
        attributes::no_touch,
    ),
    Entry::server(
        spec("client|info", 2, OPEN).tips(&["nondeterministic_output"]).complexity("O(1)").doc(
            "6.2.0",
            "Returns information about the current client connection.",
            "",
        ),
        list::info,
    ),
    Entry::server(
        spec("client|list", -2, ADMIN)
            .tips(&["nondeterministic_output"])
            .complexity("O(N) where N is the number of client connections")
            .doc("2.4.0", "Get the list of client connections", LIST_SYNTAX),
        list::list,
    ),
    Entry::server(
        spec("client|kill", -3, ADMIN).complexity("O(N) where N is the number of client connections").doc(
            "2.4.0",
            "Kill the connection of a client",
            KILL_SYNTAX,
        ),
        kill::kill,
    ),
    Entry::server(
        spec("client|pause", -3, ADMIN).complexity("O(1)").doc(
            "2.9.50",
            "Stop processing commands from clients for some time",
            "timeout [WRITE|ALL]",
        ),
        pause::pause,
    ),
    Entry::server(
        spec("client|unpause", 2, ADMIN).complexity("O(N) Where N is the number of paused clients").doc(
            "6.2.0",
            "Resume processing of clients that were paused",
            "",
        ),
        pause::unpause,
    ),
    Entry::server(
        spec("client|unblock", -3, ADMIN)
            .complexity("O(log N) where N is the number of client connections")
            .doc(
                "5.0.0",
                "Unblock a client blocked in a blocking command from a different connection",
                "client-id [TIMEOUT|ERROR]",
            ),
        pause::unblock,
    ),
    Entry::server(
        spec("client|help", 2, Flags::LOADING.or(Flags::STALE)).complexity("O(1)").doc(
            "5.0.0",
            "Show helpful text about the different subcommands",
            "",
        ),
        print_help,
    ),
];

const TRACKING_SYNTAX: &str = "<ON|OFF> [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN] \
    [OPTOUT] [NOLOOP]";

const LIST_SYNTAX: &str = "[TYPE <normal|master|replica|pubsub>] [ID client-id [client-id ...]] [USER username] \
    [ADDR ip:port] [LADDR ip:port] [SKIPME <YES|NO>] [MAXAGE maxage] [NAME name] [IDLE idle] [FLAGS flags] \
    [LIB-NAME lib-name] [LIB-VER lib-ver] [DB db] [CAPA capa] [IP ip] [NOT-TYPE <normal|master|replica|pubsub>] \
    [NOT-ID not-client-id [not-client-id ...]] [NOT-USER not-username] [NOT-ADDR ip:port] [NOT-LADDR ip:port] \
    [NOT-NAME not-name] [NOT-FLAGS not-flags] [NOT-LIB-NAME not-lib-name] [NOT-LIB-VER not-lib-ver] \
    [NOT-DB not-db] [NOT-CAPA not-capa] [NOT-IP not-ip]";

/// What KILL takes, once or more often; Valkey's options behind those of Redis.
macro_rules! kill_options {
    () => {
        "<ID client-id [client-id ...]|TYPE <normal|master|primary|slave|replica|pubsub>|USER username|ADDR ip:port|\
         LADDR ip:port|SKIPME <YES|NO>|MAXAGE maxage|NAME name|IDLE idle|FLAGS flags|LIB-NAME lib-name|\
         LIB-VER lib-ver|DB db|CAPA capa|IP ip|NOT-TYPE <normal|master|primary|slave|replica|pubsub>|\
         NOT-ID not-client-id [not-client-id ...]|NOT-USER not-username|NOT-ADDR ip:port|NOT-LADDR ip:port|\
         NOT-NAME not-name|NOT-FLAGS not-flags|NOT-LIB-NAME not-lib-name|NOT-LIB-VER not-lib-ver|NOT-DB not-db|\
         NOT-CAPA not-capa|NOT-IP not-ip>"
    };
}

const KILL_SYNTAX: &str = concat!("<ip:port|", kill_options!(), " [", kill_options!(), " ...]>");

const HELP: &[&str] = &[
    "CACHING (YES|NO)",
    "    Let the keys of the next command be remembered, or not, when tracking has OPTIN or OPTOUT.",
    "CAPA <capability> [...]",
    "    Tell what this connection can; known is REDIRECT.",
    "GETNAME",
    "    Tell the name of this connection.",
    "GETREDIR",
    "    Tell which client gets the invalidations of this one; -1 is none.",
    "ID",
    "    Tell the number of this connection.",
    "INFO",
    "    Describe this connection.",
    "KILL <ip:port>",
    "    Close the connection that comes from there.",
    "KILL <option> <value> [<option> <value> [...]]",
    "    Close the connections that every option fits:",
    "    * ADDR (<ip:port>|<unixsocket>:0)",
    "      It comes from this address.",
    "    * CAPA <letters>",
    "      It can all of this; r stands for REDIRECT.",
    "    * DB <number>",
    "      It has selected this database.",
    "    * FLAGS <letters>",
    "      It has all these flags, as LIST shows them.",
    "    * ID <client-id> [...]",
    "      It has one of these numbers.",
    "    * IDLE <seconds>",
    "      It has been idle for at least so long.",
    "    * IP <ip>",
    "      It comes from this address, whatever the port.",
    "    * LADDR (<ip:port>|<unixsocket>:0)",
    "      It came in at this address of the server.",
    "    * MAXAGE <seconds>",
    "      It is at least so old.",
    "    * LIB-NAME <name>, LIB-VER <version>",
    "      It uses this library.",
    "    * NAME <name>",
    "      It has this name.",
    "    * SKIPME (YES|NO)",
    "      Whether this connection is spared (default: yes).",
    "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
    "      It is of this kind.",
    "    * USER <username>",
    "      It is authenticated as this user.",
    "    * NOT-<option>, but for IDLE, MAXAGE and SKIPME",
    "      The option does not fit.",
    "LIST [<option> <value> [...]]",
    "    Describe all connections, or those that every option fits; the options are those of KILL.",
    "NO-EVICT (ON|OFF)",
    "    Exempt this connection from being closed when memory is short.",
    "NO-TOUCH (ON|OFF)",
    "    Let the reads of this connection not count as uses of the keys.",
    "PAUSE <timeout> [WRITE|ALL]",
    "    Let all commands, or those that write, wait for <timeout> milliseconds.",
    "REPLY (ON|OFF|SKIP)",
    "    Choose whether this connection gets replies; SKIP leaves out the next one.",
    "SETINFO (LIB-NAME <name>|LIB-VER <version>)",
    "    Tell which client library this connection uses.",
    "SETNAME <name>",
    "    Give this connection a name.",
    "TRACKING (ON|OFF) [REDIRECT <client-id>] [BCAST] [PREFIX <prefix> [...]] [OPTIN] [OPTOUT] [NOLOOP]",
    "    Tell this connection, or the one with the number, when keys change: those that it has read, or those",
    "    that begin with one of the prefixes.",
    "TRACKINGINFO",
    "    Tell what CLIENT TRACKING was asked for.",
    "UNBLOCK <client-id> [TIMEOUT|ERROR]",
    "    End the wait of a client in a blocking command.",
    "UNPAUSE",
    "    End the pause.",
];

fn print_help(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    help::answer(&mut cx.reply, args.at(0), HELP);
    Ok(Flow::Done)
}

#[cfg(test)]
pub(super) mod tests;
