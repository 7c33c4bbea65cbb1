//! CLIENT: what the server knows of its clients, and what is done to them.
pub mod attributes;
mod kill;
mod kinds;
pub mod list;
mod pause;

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
        spec("client|getredir", 2, OPEN).complexity("O(1)").doc(
            "6.0.0",
            "Get tracking notifications redirection client ID if any",
            "",
        ),
        attributes::getredir,
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
            .doc(
                "2.4.0",
                "Get the list of client connections",
                "[TYPE <NORMAL|MASTER|REPLICA|PUBSUB>] [ID client-id [client-id ...]]",
            ),
        list::list,
    ),
    Entry::server(
        spec("client|kill", -3, ADMIN).complexity("O(N) where N is the number of client connections").doc(
            "2.4.0",
            "Kill the connection of a client",
            "<ip:port|<ID client-id|TYPE <NORMAL|MASTER|SLAVE|REPLICA|PUBSUB>|USER username|ADDR ip:port|\
             LADDR ip:port|SKIPME <YES|NO>|MAXAGE maxage> [<ID client-id|\
             TYPE <NORMAL|MASTER|SLAVE|REPLICA|PUBSUB>|USER username|ADDR ip:port|LADDR ip:port|\
             SKIPME <YES|NO>|MAXAGE maxage> ...]>",
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

const HELP: &[&str] = &[
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
    "    * ID <client-id>",
    "      It has this number.",
    "    * LADDR (<ip:port>|<unixsocket>:0)",
    "      It came in at this address of the server.",
    "    * MAXAGE <seconds>",
    "      It is at least so old.",
    "    * SKIPME (YES|NO)",
    "      Whether this connection is spared (default: yes).",
    "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
    "      It is of this kind.",
    "    * USER <username>",
    "      It is authenticated as this user.",
    "LIST [TYPE (NORMAL|MASTER|REPLICA|PUBSUB)] [ID <client-id> [...]]",
    "    Describe all connections, or those of a kind, or those with these numbers.",
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
    "UNBLOCK <client-id> [TIMEOUT|ERROR]",
    "    End the wait of a client in a blocking command.",
    "UNPAUSE",
    "    End the pause.",
];

fn print_help(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    help::answer(&mut cx.reply, "CLIENT", HELP);
    Ok(Flow::Done)
}

#[cfg(test)]
pub(super) mod tests;
