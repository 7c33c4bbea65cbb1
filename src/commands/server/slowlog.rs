//! SLOWLOG: the commands that took long.

use crate::base::argv::Args;
use crate::base::number::parse_i64;
use crate::commands::help;
use crate::metrics::slowlog::Entry as SlowEntry;
use crate::resp::Reply;
use crate::server::{Cx, Entry, Flow};
use crate::spec::{CommandError, Flags, Group, Spec};

const FLAGS: Flags = Flags::ADMIN.or(Flags::LOADING).or(Flags::STALE);

const fn spec(name: &'static str, arity: i32, flags: Flags) -> Spec {
    Spec::new(name, arity, Group::Server, flags)
}

pub const COMMANDS: &[Entry] = &[Entry::container(
    spec("slowlog", -2, Flags::NONE).complexity("Depends on subcommand.").doc(
        "2.2.12",
        "A container for slow log commands",
        "",
    ),
    &[
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
    ],
)];

/// Entries shown when no number is given.
const COUNT_DEFAULT: usize = 10;

fn get(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let slowlog = &cx.server.slowlog;
    let count = match args.len() {
        2 => COUNT_DEFAULT,
        3 => get_count(args.at(2))?.unwrap_or(slowlog.len()),
        _ => return Err(CommandError::subcommand_arguments(args.at(1), args.at(0))),
    };
    cx.reply.array(count.min(slowlog.len()));
    slowlog.iter().take(count).for_each(|entry| get_entry(&mut cx.reply, entry));
    Ok(Flow::Done)
}

/// How many entries were asked for; `None` is all of them, written as -1.
fn get_count(argument: &[u8]) -> Result<Option<usize>, CommandError> {
    match parse_i64(argument) {
        Some(-1) => Ok(None),
        Some(count) if count >= 0 => Ok(usize::try_from(count).ok()),
        _ => Err(CommandError::text("ERR count should be greater than or equal to -1")),
    }
}

fn get_entry(reply: &mut Reply<'_>, entry: &SlowEntry) {
    reply.array(6);
    reply.integer(entry.id as i64);
    reply.integer(entry.unix_s);
    reply.integer(entry.duration_us as i64);
    let args = entry.argv.args();
    reply.array(args.len());
    args.iter().for_each(|argument| reply.bulk(argument));
    reply.bulk_text(&entry.client_addr);
    reply.bulk(&entry.client_name);
}

fn len(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    cx.reply.count(cx.server.slowlog.len());
    Ok(Flow::Done)
}

fn reset(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    cx.server.slowlog.reset();
    cx.reply.ok();
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
