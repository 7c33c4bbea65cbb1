//! SLOWLOG and COMMANDLOG: the commands that took long, were long, or were answered at length. SLOWLOG shows the first
//! of the three logs.

use crate::base::argv::Args;
use crate::base::number::parse_i64;
use crate::commands::help;
use crate::metrics::command_log::{CommandLog, CommandLogs, Entry as Logged};
use crate::resp::Reply;
use crate::server::{Cx, Entry, Flow};
use crate::spec::args::is_word;
use crate::spec::{CommandError, Flags, Group, Spec};

const FLAGS: Flags = Flags::ADMIN.or(Flags::LOADING).or(Flags::STALE);

const fn spec(name: &'static str, arity: i32, flags: Flags) -> Spec {
    Spec::new(name, arity, Group::Server, flags)
}

pub const COMMANDS: &[Entry] =
    &[Entry::container(SLOWLOG, SLOWLOG_SUBCOMMANDS), Entry::container(COMMANDLOG, COMMANDLOG_SUBCOMMANDS)];

const SLOWLOG: Spec = spec("slowlog", -2, Flags::NONE).complexity("Depends on subcommand.").doc(
    "2.2.12",
    "A container for slow log commands",
    "",
);

const SLOWLOG_SUBCOMMANDS: &[Entry] = &[
    Entry::server(
        spec("slowlog|get", -2, FLAGS)
            .tips(&["request_policy:all_nodes", "nondeterministic_output"])
            .complexity("O(N) where N is the number of entries returned")
            .doc("2.2.12", "Get the slow log's entries", "[count]"),
        get,
    ),
    Entry::server(
        spec("slowlog|help", 2, Flags::LOADING.or(Flags::STALE)).complexity("O(1)").doc(
            "6.2.0",
            "Show helpful text about the different subcommands",
            "",
        ),
        slowlog_help,
    ),
    Entry::server(
        spec("slowlog|len", 2, FLAGS)
            .tips(&["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"])
            .complexity("O(1)")
            .doc("2.2.12", "Get the slow log's length", ""),
        len,
    ),
    Entry::server(
        spec("slowlog|reset", 2, FLAGS)
            .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"])
            .complexity("O(N) where N is the number of entries in the slowlog")
            .doc("2.2.12", "Clear all entries from the slow log", ""),
        reset,
    ),
];

const COMMANDLOG: Spec = spec("commandlog", -2, Flags::NONE).complexity("Depends on subcommand.").doc(
    "8.1.0",
    "A container for command log commands",
    "",
);

const COMMANDLOG_SUBCOMMANDS: &[Entry] = &[
    Entry::server(
        spec("commandlog|get", 4, FLAGS)
            .tips(&["request_policy:all_nodes", "nondeterministic_output"])
            .complexity("O(N) where N is the number of entries returned")
            .doc(
                "8.1.0",
                "Returns the specified command log's entries",
                "count <slow|large-request|large-reply>",
            ),
        commandlog_get,
    ),
    Entry::server(
        spec("commandlog|help", 2, Flags::LOADING.or(Flags::STALE)).complexity("O(1)").doc(
            "8.1.0",
            "Shows helpful text about the different subcommands",
            "",
        ),
        commandlog_help,
    ),
    Entry::server(
        spec("commandlog|len", 3, FLAGS)
            .tips(&["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"])
            .complexity("O(1)")
            .doc(
                "8.1.0",
                "Returns the number of entries in the specified type of command log",
                "<slow|large-request|large-reply>",
            ),
        commandlog_len,
    ),
    Entry::server(
        spec("commandlog|reset", 3, FLAGS)
            .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"])
            .complexity("O(N) where N is the number of entries in the commandlog")
            .doc(
                "8.1.0",
                "Clears all entries from the specified type of command log",
                "<slow|large-request|large-reply>",
            ),
        commandlog_reset,
    ),
];

/// Entries shown when no number is given.
const COUNT_DEFAULT: usize = 10;

fn get(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let count = match args.len() {
        2 => COUNT_DEFAULT,
        3 => read_count(args.at(2))?,
        _ => return Err(CommandError::subcommand_arguments(args.at(1), args.at(0))),
    };
    show(&mut cx.reply, &cx.server.command_logs.slow, count);
    Ok(Flow::Done)
}

/// How many entries were asked for; -1 is all of them.
fn read_count(argument: &[u8]) -> Result<usize, CommandError> {
    match parse_i64(argument) {
        Some(-1) => Ok(usize::MAX),
        Some(count) if count >= 0 => Ok(usize::try_from(count).unwrap_or(usize::MAX)),
        _ => Err(CommandError::text("ERR count should be greater than or equal to -1")),
    }
}

fn show(reply: &mut Reply<'_>, log: &CommandLog, count: usize) {
    reply.array(count.min(log.len()));
    log.iter().take(count).for_each(|entry| show_entry(reply, entry));
}

fn show_entry(reply: &mut Reply<'_>, entry: &Logged) {
    reply.array(6);
    reply.integer(entry.id as i64);
    reply.integer(entry.unix_s);
    reply.integer(entry.value as i64);
    let args = entry.argv.args();
    reply.array(args.len());
    args.iter().for_each(|argument| reply.bulk(argument));
    reply.bulk_text(&entry.client_addr);
    reply.bulk(&entry.client_name);
}

fn len(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    cx.reply.count(cx.server.command_logs.slow.len());
    Ok(Flow::Done)
}

fn reset(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    cx.server.command_logs.slow.reset();
    cx.reply.ok();
    Ok(Flow::Done)
}

/// The log that the last argument names.
fn named<'a>(logs: &'a mut CommandLogs, word: &[u8]) -> Result<&'a mut CommandLog, CommandError> {
    match word {
        _ if is_word(word, "SLOW") => Ok(&mut logs.slow),
        _ if is_word(word, "LARGE-REQUEST") => Ok(&mut logs.large_request),
        _ if is_word(word, "LARGE-REPLY") => Ok(&mut logs.large_reply),
        _ => Err(CommandError::text(
            "ERR type should be one of the following: slow, large-request, large-reply",
        )),
    }
}

fn commandlog_get(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let log = named(&mut cx.server.command_logs, args.at(3))?;
    show(&mut cx.reply, log, read_count(args.at(2))?);
    Ok(Flow::Done)
}

fn commandlog_len(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let log = named(&mut cx.server.command_logs, args.at(2))?;
    cx.reply.count(log.len());
    Ok(Flow::Done)
}

fn commandlog_reset(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    named(&mut cx.server.command_logs, args.at(2))?.reset();
    cx.reply.ok();
    Ok(Flow::Done)
}

fn commandlog_help(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    const LINES: &[&str] = &[
        "GET <count> <type>",
        "    Show the newest <count> entries of a log; -1 is all. An entry is: id, time,",
        "    microseconds (slow) or bytes (the others), arguments, address and name of the client.",
        "    <type> can be:",
        "    * slow: took long (slowlog-log-slower-than)",
        "    * large-request: was long (commandlog-request-larger-than)",
        "    * large-reply: was answered at length (commandlog-reply-larger-than)",
        "LEN <type>",
        "    Count the entries of a log.",
        "RESET <type>",
        "    Forget the entries of a log.",
    ];
    help::answer(&mut cx.reply, args.at(0), LINES);
    Ok(Flow::Done)
}

fn slowlog_help(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    const LINES: &[&str] = &[
        "GET [<count>]",
        "    Return top <count> entries from the slowlog (default: 10, -1 mean all).",
        "    Entries are made of:",
        "    id, timestamp, time in microseconds, arguments array, client IP and port,",
        "    client name",
        "LEN",
        "    Return the length of the slowlog.",
        "RESET",
        "    Reset the slowlog.",
    ];
    help::answer(&mut cx.reply, args.at(0), LINES);
    Ok(Flow::Done)
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::Fixture;

    #[test]
    fn slow_commands_are_told_newest_first() {
        let mut fixture = Fixture::new();
        fixture.check("SLOWLOG GET", "*0\r\n");
        fixture.run("CONFIG SET slowlog-log-slower-than 0");
        fixture.run("SET k v");
        fixture.run("CONFIG SET slowlog-log-slower-than -1");
        fixture.check("SLOWLOG LEN", ":2\r\n");
        let newest = "*1\r\n*6\r\n:1\r\n:1700000000\r\n:0\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n\
                      $15\r\n127.0.0.1:50000\r\n$0\r\n\r\n";
        fixture.check("SLOWLOG GET 1", newest);
        assert!(fixture.run("SLOWLOG GET -1").starts_with("*2\r\n"));
        fixture.check("SLOWLOG RESET", "+OK\r\n");
        fixture.check("SLOWLOG LEN", ":0\r\n");
    }

    #[test]
    fn requests_and_replies_are_measured_in_bytes() {
        let mut fixture = Fixture::new();
        fixture.run("CONFIG SET commandlog-request-larger-than 40 commandlog-reply-larger-than 20");
        fixture.run("CONFIG SET slowlog-log-slower-than 1000000 slowlog-entry-max-string-len 4");
        fixture.run("CommandLog RESET large-request");
        fixture.run("SET k 0123456789");
        fixture.run("SET k 01234567890123456789");
        fixture.run("GET k");
        let entry = |value: u32, command: &str| {
            format!("*1\r\n*6\r\n:{value}\r\n:1700000000\r\n:{command}$15\r\n127.0.0.1:50000\r\n$0\r\n\r\n")
        };
        let set = "47\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$23\r\n0123... (16 more bytes)\r\n";
        fixture.check("COMMANDLOG GET -1 LARGE-REPLY", &entry(0, "27\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"));
        // The question before was long as well.
        let second = fixture.run("COMMANDLOG GET 2 large-request");
        assert!(second.ends_with(&entry(3, set)["*1\r\n".len()..]), "{second}");
        fixture.check("COMMANDLOG LEN slow", ":0\r\n");
        fixture.check("COMMANDLOG RESET large-reply", "+OK\r\n");
        fixture.check("COMMANDLOG LEN large-reply", ":0\r\n");
        let refused = "-ERR type should be one of the following: slow, large-request, large-reply\r\n";
        fixture.check("COMMANDLOG GET 1 fast", refused);
        fixture.check("COMMANDLOG LEN x", refused);
        fixture.check("COMMANDLOG GET -2 slow", "-ERR count should be greater than or equal to -1\r\n");
        fixture.check("COMMANDLOG GET 1", "-ERR wrong number of arguments for 'commandlog|get' command\r\n");
    }

    #[test]
    fn wrong_counts_are_refused() {
        let mut fixture = Fixture::new();
        for count in ["-2", "x"] {
            let refused = "-ERR count should be greater than or equal to -1\r\n";
            fixture.check(&format!("SLOWLOG GET {count}"), refused);
        }
        let refused = "-ERR unknown subcommand or wrong number of arguments for 'get'. Try SLOWLOG HELP.\r\n";
        fixture.check("SLOWLOG get 1 2", refused);
    }
}
