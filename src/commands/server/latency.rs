//! LATENCY: spikes that the latency monitor saw, and the distribution of every command's durations.

use crate::base::argv::Args;
use crate::commands::help;
use crate::metrics::command_stats::Histogram;
use crate::metrics::latency::Circumstances;
use crate::resp::Reply;
use crate::server::{Command, CommandTable, Cx, Entry, Flow};
use crate::spec::{CommandError, Flags, Group, Spec};

const FLAGS: Flags = Flags::ADMIN.or(Flags::NOSCRIPT).or(Flags::LOADING).or(Flags::STALE);
const REPORT_TIPS: &[&str] =
    &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"];

const fn spec(name: &'static str, arity: i32, flags: Flags) -> Spec {
    Spec::new(name, arity, Group::Server, flags)
}

pub const COMMANDS: &[Entry] = &[Entry::container(
    spec("latency", -2, Flags::NONE).complexity("Depends on subcommand.").doc(
        "2.8.13",
        "A container for latency diagnostics commands",
        "",
    ),
    &[
        Entry::server(
            spec("latency|doctor", 2, FLAGS).tips(REPORT_TIPS).complexity("O(1)").doc(
                "2.8.13",
                "Return a human readable latency analysis report.",
                "",
            ),
            doctor,
        ),
        Entry::server(
            spec("latency|graph", 3, FLAGS).tips(REPORT_TIPS).complexity("O(1)").doc(
                "2.8.13",
                "Return a latency graph for the event.",
                "event",
            ),
            graph,
        ),
        Entry::server(
            spec("latency|help", 2, Flags::LOADING.or(Flags::STALE)).complexity("O(1)").doc(
                "2.8.13",
                "Show helpful text about the different subcommands.",
                "",
            ),
            latency_help,
        ),
        Entry::server(
            spec("latency|histogram", -2, FLAGS)
                .tips(REPORT_TIPS)
                .complexity(
                    "O(N) where N is the number of commands with latency information being \
                 retrieved.",
                )
                .doc(
                    "7.0.0",
                    "Return the cumulative distribution of latencies of a subset of \
                 commands or all.",
                    "[command [command ...]]",
                ),
            histogram,
        ),
        Entry::server(
            spec("latency|history", 3, FLAGS).tips(REPORT_TIPS).complexity("O(1)").doc(
                "2.8.13",
                "Return timestamp-latency samples for the event.",
                "event",
            ),
            history,
        ),
        Entry::server(
            spec("latency|latest", 2, FLAGS).tips(REPORT_TIPS).complexity("O(1)").doc(
                "2.8.13",
                "Return the latest latency samples for all events.",
                "",
            ),
            latest,
        ),
        Entry::server(
            spec("latency|reset", -2, FLAGS)
                .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"])
                .complexity("O(1)")
                .doc("2.8.13", "Reset latency data for one or more events.", "[event [event ...]]"),
            reset,
        ),
    ],
)];

fn latest(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    let events = cx.server.latency.events();
    cx.reply.array(events.len());
    for event in events {
        let latest = event.latest().expect("an event has at least one sample");
        cx.reply.array(4);
        cx.reply.bulk_text(event.name);
        cx.reply.integer(latest.unix_s);
        cx.reply.integer(i64::from(latest.duration_ms));
        cx.reply.integer(i64::from(event.max_ms));
    }
    Ok(Flow::Done)
}

fn history(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let Some(event) = cx.server.latency.event(args.at(2)) else {
        cx.reply.array(0);
        return Ok(Flow::Done);
    };
    cx.reply.array(event.samples().len());
    for sample in event.samples() {
        cx.reply.array(2);
        cx.reply.integer(sample.unix_s);
        cx.reply.integer(i64::from(sample.duration_ms));
    }
    Ok(Flow::Done)
}

fn graph(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let Some(event) = cx.server.latency.event(args.at(2)) else {
        return Err(CommandError::quoting("ERR No samples available for event '", args.at(2), "'"));
    };
    cx.reply.verbatim("txt", event.graph(cx.now.unix_s()).as_bytes());
    Ok(Flow::Done)
}

fn reset(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let latency = &mut cx.server.latency;
    let forgotten = match args.len() {
        2 => latency.reset_all(),
        _ => args.iter().skip(2).map(|name| latency.reset(name)).sum(),
    };
    cx.reply.count(forgotten);
    Ok(Flow::Done)
}

fn doctor(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    let config = &cx.server.config;
    let circumstances = Circumstances {
        now_s: cx.now.unix_s(),
        threshold_ms: config.latency_monitor_threshold,
        slowlog_slower_than_us: config.slowlog_log_slower_than,
        hz: config.hz,
        fork_rate_gib_per_s: cx.server.stats.fork_rate_gib_per_s,
    };
    cx.reply.verbatim("txt", cx.server.latency.doctor(&circumstances).as_bytes());
    Ok(Flow::Done)
}

fn histogram(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let table = &cx.server.commands;
    let commands: Vec<&Command> = match args.len() {
        2 => table.iter().collect(),
        _ => args.iter().skip(2).flat_map(|name| histogram_family(table, name)).collect(),
    };
    let recorded: Vec<(&str, &Histogram)> = commands
        .into_iter()
        .filter_map(|command| Some((command.entry.spec.name, command.stats.histogram()?)))
        .collect();
    cx.reply.map(recorded.len());
    for (name, histogram) in recorded {
        histogram_reply(&mut cx.reply, name, histogram);
    }
    Ok(Flow::Done)
}

/// The command that `name` names, and its subcommands; nothing for an unknown name.
fn histogram_family<'a>(table: &'a CommandTable, name: &[u8]) -> Vec<&'a Command> {
    let Some(index) = table.find_full(name) else { return Vec::new() };
    let command = table.at(index);
    std::iter::once(command).chain(command.subcommands.iter().map(|index| table.at(*index))).collect()
}

fn histogram_reply(reply: &mut Reply<'_>, name: &str, histogram: &Histogram) {
    let boundaries = histogram.cumulative();
    reply.bulk_text(name);
    reply.map(2);
    reply.bulk_text("calls");
    reply.integer(histogram.total() as i64);
    reply.bulk_text("histogram_usec");
    reply.map(boundaries.len());
    for boundary in boundaries {
        reply.integer(boundary.at_most_us as i64);
        reply.integer(boundary.calls as i64);
    }
}

fn latency_help(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    const LINES: &[&str] = &[
        "DOCTOR",
        "    Return a human readable latency analysis report.",
        "GRAPH <event>",
        "    Return an ASCII latency graph for the <event> class.",
        "HISTORY <event>",
        "    Return time-latency samples for the <event> class.",
        "LATEST",
        "    Return the latest latency samples for all events.",
        "RESET [<event> ...]",
        "    Reset latency data of one or more <event> classes.",
        "    (default: reset all data for all event classes)",
        "HISTOGRAM [COMMAND ...]",
        "    Return a cumulative distribution of latencies in the format of a histogram for the specified command names.",
        "    If no commands are specified then all histograms are replied.",
    ];
    help::answer(&mut cx.reply, args.at(0), LINES);
    Ok(Flow::Done)
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::Fixture;
    use crate::resp::Protocol;

    #[test]
    fn spikes_are_told_by_event() {
        let mut fixture = Fixture::new();
        fixture.server.latency.add("fork", 1_700_000_000, 30);
        fixture.server.latency.add("fork", 1_700_000_005, 12);
        fixture.check("LATENCY LATEST", "*1\r\n*4\r\n$4\r\nfork\r\n:1700000005\r\n:12\r\n:30\r\n");
        let history = "*2\r\n*2\r\n:1700000000\r\n:30\r\n*2\r\n:1700000005\r\n:12\r\n";
        fixture.check("LATENCY HISTORY fork", history);
        assert!(fixture.run("LATENCY GRAPH fork").contains("fork - high 30 ms, low 12 ms"));
        assert!(fixture.run("LATENCY DOCTOR").contains("1. fork: 2 latency spikes"));
        fixture.check("LATENCY RESET command fork", ":1\r\n");
        fixture.check("LATENCY HISTORY fork", "*0\r\n");
        fixture.check("LATENCY GRAPH fork", "-ERR No samples available for event 'fork'\r\n");
        assert!(fixture.run("LATENCY DOCTOR").contains("latency-monitor-threshold is 0"));
    }

    #[test]
    fn histograms_are_told_by_command_and_for_whole_containers() {
        let mut fixture = Fixture::new();
        fixture.check("LATENCY HISTOGRAM get nosuch", "*0\r\n");
        fixture.run("GET k");
        fixture.run("CONFIG GET port");
        let get = "$3\r\nget\r\n*4\r\n$5\r\ncalls\r\n:1\r\n$14\r\nhistogram_usec\r\n*2\r\n:1\r\n:1\r\n";
        fixture.check("LATENCY HISTOGRAM get", &format!("*2\r\n{get}"));
        assert!(fixture.run("LATENCY HISTOGRAM config").contains("config|get"));
        fixture.client().protocol = Protocol::Resp3;
        assert!(
            fixture
                .run("LATENCY HISTOGRAM config|get get nosuch")
                .starts_with("%2\r\n$10\r\nconfig|get\r\n%2\r\n")
        );
        assert!(fixture.run("LATENCY HISTOGRAM").contains("latency|histogram"));
    }
}
