//! MEMORY: what keys take, where the rest goes, and what could be done about it.

use super::footprint::{Footprint, Overhang};
use crate::base::alloc;
use crate::base::argv::Args;
use crate::commands::help;
use crate::keyspace::Tx;
use crate::keyspace::db::FIELD_EXPIRY_RECORD_BYTES;
use crate::object::View;
use crate::resp::Reply;
use crate::server::{Cx, Entry, Flow};
use crate::spec::args::{Options, integer, is_word};
use crate::spec::{CommandError, Flags, Group, KeyFlags, KeySpec, Spec};

const REPORT_TIPS: &[&str] =
    &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"];

const fn spec(name: &'static str, arity: i32, flags: Flags) -> Spec {
    Spec::new(name, arity, Group::Server, flags)
}

pub const COMMANDS: &[Entry] = &[Entry::container(
    spec("memory", -2, Flags::NONE).complexity("Depends on subcommand.").doc(
        "4.0.0",
        "A container for memory diagnostics commands",
        "",
    ),
    &[
        Entry::server(
            spec("memory|doctor", 2, Flags::NONE).tips(REPORT_TIPS).complexity("O(1)").doc(
                "4.0.0",
                "Outputs memory problems report",
                "",
            ),
            doctor,
        ),
        Entry::server(
            spec("memory|help", 2, Flags::LOADING.or(Flags::STALE)).complexity("O(1)").doc(
                "4.0.0",
                "Show helpful text about the different subcommands",
                "",
            ),
            memory_help,
        ),
        Entry::server(
            spec("memory|malloc-stats", 2, Flags::NONE)
                .tips(REPORT_TIPS)
                .complexity("Depends on how much memory is allocated, could be slow")
                .doc("4.0.0", "Show allocator internal stats", ""),
            malloc_stats,
        ),
        Entry::server(
            spec("memory|purge", 2, Flags::NONE)
                .tips(&["request_policy:all_shards", "response_policy:all_succeeded"])
                .complexity("Depends on how much memory is allocated, could be slow")
                .doc("4.0.0", "Ask the allocator to release memory", ""),
            purge,
        ),
        Entry::server(
            spec("memory|stats", 2, Flags::NONE).tips(REPORT_TIPS).complexity("O(1)").doc(
                "4.0.0",
                "Show memory usage details",
                "",
            ),
            stats,
        ),
        Entry::data(
            spec("memory|usage", -3, Flags::READONLY)
                .keys(&[KeySpec::one(2, KeyFlags::RO)])
                .complexity("O(N) where N is the number of samples.")
                .doc("4.0.0", "Estimate the memory usage of a key", "key [SAMPLES count]"),
            usage,
        ),
    ],
)];

/// A key's share of its table: a bucket of 64 bytes holds three to six keys.
const SLOT_BYTES: usize = 16;
/// The record of a key with an expiry in the index of expiries.
const EXPIRY_RECORD_BYTES: usize = size_of::<u64>();

fn usage(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    const SAMPLES_DEFAULT: usize = 5;
    let mut options = Options::new(args, 3);
    let mut samples = SAMPLES_DEFAULT;
    while let Some(option) = options.next() {
        if !is_word(option, "SAMPLES") {
            return Err(CommandError::Syntax);
        }
        samples = usize::try_from(integer(options.value()?)?).map_err(|_| CommandError::Syntax)?;
    }
    match tx.peek(args.at(2)) {
        None => reply.null(),
        Some(entry) => {
            let has_expiring_field = entry.view().and_then(View::next_expiry_ms).is_some();
            let records = [
                (entry.expire_at_ms().is_some(), EXPIRY_RECORD_BYTES),
                (has_expiring_field, FIELD_EXPIRY_RECORD_BYTES),
            ];
            let record_bytes: usize =
                records.iter().filter(|(is_there, _)| *is_there).map(|(_, bytes)| bytes).sum();
            reply.count(entry.heap_bytes(samples) + SLOT_BYTES + record_bytes);
        }
    }
    Ok(Flow::Done)
}

/// Fields of MEMORY STATS: 28 and one for each database that holds keys.
const STATS_FIELDS: usize = 28;

fn stats(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    let footprint = Footprint::of(cx.server);
    let reply = &mut cx.reply;
    reply.map(STATS_FIELDS + footprint.databases.len());
    stats_of_parts(&footprint, reply);
    for db in &footprint.databases {
        reply.bulk_text(&format!("db.{}", db.index));
        reply.map(3);
        count(reply, "overhead.hashtable.main", db.table);
        count(reply, "overhead.hashtable.expires", db.expiry_index);
        count(reply, "overhead.hashtable.slot-to-keys", 0);
    }
    count(reply, "overhead.total", footprint.overhead());
    count(reply, "keys.count", footprint.keys);
    count(reply, "keys.bytes-per-key", footprint.bytes_per_key());
    count(reply, "dataset.bytes", footprint.dataset());
    double(reply, "dataset.percentage", footprint.dataset_percent());
    double(reply, "peak.percentage", footprint.peak_percent());
    count(reply, "allocator.allocated", footprint.allocator.allocated as u64);
    count(reply, "allocator.active", footprint.allocator.active as u64);
    count(reply, "allocator.resident", footprint.allocator.resident as u64);
    overhang(
        reply,
        ["allocator-fragmentation.ratio", "allocator-fragmentation.bytes"],
        footprint.allocator_fragmentation(),
    );
    overhang(reply, ["allocator-rss.ratio", "allocator-rss.bytes"], footprint.allocator_resident());
    overhang(reply, ["rss-overhead.ratio", "rss-overhead.bytes"], footprint.resident_overhead());
    overhang(reply, ["fragmentation", "fragmentation.bytes"], footprint.fragmentation());
    Ok(Flow::Done)
}

fn stats_of_parts(footprint: &Footprint, reply: &mut Reply<'_>) {
    count(reply, "peak.allocated", footprint.peak);
    count(reply, "total.allocated", footprint.used);
    count(reply, "startup.allocated", footprint.startup);
    count(reply, "replication.backlog", 0);
    count(reply, "clients.slaves", 0);
    count(reply, "clients.normal", footprint.clients);
    count(reply, "cluster.links", 0);
    count(reply, "aof.buffer", 0);
    count(reply, "lua.caches", footprint.scripts.scripts_eval);
    count(reply, "functions.caches", footprint.scripts.functions);
    // Since Redis 7.4.
    count(reply, "script.VMs", footprint.scripts.vm_total());
}

fn count(reply: &mut Reply<'_>, name: &str, value: u64) {
    reply.bulk_text(name);
    reply.integer(value as i64);
}

fn double(reply: &mut Reply<'_>, name: &str, value: f64) {
    reply.bulk_text(name);
    reply.double(value);
}

fn overhang(reply: &mut Reply<'_>, [ratio, bytes]: [&str; 2], overhang: Overhang) {
    double(reply, ratio, overhang.ratio());
    reply.bulk_text(bytes);
    reply.integer(overhang.bytes());
}

/// Below this much memory nothing that the doctor could find matters.
const DOCTOR_BYTES_MIN: u64 = 5 << 20;
/// An excess of fewer bytes is no problem, whatever the ratio.
const DOCTOR_EXCESS_BYTES_MIN: i64 = 10 << 20;
const PEAK_RATIO_MAX: f64 = 1.5;
const FRAGMENTATION_RATIO_MAX: f64 = 1.4;
const ALLOCATOR_RATIO_MAX: f64 = 1.1;
/// The tables are mapped outside the allocator, a fifth of a heap of small values.
const RESIDENT_RATIO_MAX: f64 = 1.5;
/// Mean memory of a client that hints at somebody who does not read.
const CLIENT_BYTES_MAX: u64 = 200 << 10;

fn doctor(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    let clients = cx.server.clients.len() as u64;
    let report = diagnose(&Footprint::of(cx.server), clients);
    cx.reply.verbatim("txt", report.as_bytes());
    Ok(Flow::Done)
}

/// The doctor's report: one paragraph for each problem found.
fn diagnose(footprint: &Footprint, clients: u64) -> String {
    if footprint.used < DOCTOR_BYTES_MIN {
        return "This server holds next to nothing, so there is nothing to examine. Come back once it has some data.\n"
            .to_owned();
    }
    let exceeds = |overhang: Overhang, ratio_max: f64| {
        overhang.ratio() > ratio_max && overhang.bytes() > DOCTOR_EXCESS_BYTES_MIN
    };
    let findings: [(bool, &str); 5] = [
        (footprint.peak as f64 / footprint.used as f64 > PEAK_RATIO_MAX, PEAK),
        (exceeds(footprint.fragmentation(), FRAGMENTATION_RATIO_MAX), FRAGMENTATION),
        (exceeds(footprint.allocator_fragmentation(), ALLOCATOR_RATIO_MAX), ALLOCATOR_FRAGMENTATION),
        (exceeds(footprint.resident_overhead(), RESIDENT_RATIO_MAX), RESIDENT_OVERHEAD),
        (footprint.clients > CLIENT_BYTES_MAX * clients.max(1), CLIENTS),
    ];
    let problems: Vec<&str> = findings.iter().filter(|(found, _)| *found).map(|(_, text)| *text).collect();
    if problems.is_empty() {
        return "All figures are as they should be: nothing to complain about, nothing to prescribe.\n"
            .to_owned();
    }
    let mut report = "The examination found this:\n\n".to_owned();
    problems.iter().for_each(|problem| report.push_str(&format!(" * {problem}\n\n")));
    report
}

const PEAK: &str = "High peak: at some time the server used more than one and a half times what it uses now. Memory \
    that was given back then may still be resident, so the fragmentation ratio looks worse than it is. MEMORY PURGE \
    returns unused pages to the kernel.";
const FRAGMENTATION: &str = "High fragmentation: the process holds more than 1.4 times the memory that is in use. Free \
    holes between values of many sizes are the usual cause; look at the allocator's figures below INFO memory, and if \
    they do not explain it, at what was deleted lately.";
const ALLOCATOR_FRAGMENTATION: &str = "Holes in the allocator's pages: more than a tenth of its active pages is unused. \
    They are filled again by values of the same sizes; a restart from a snapshot packs them anew.";
const RESIDENT_OVERHEAD: &str = "Much memory outside the allocator: beyond the keyspace's tables, which are mapped \
    directly, a table that is growing holds its old and its new half for a while.";
const CLIENTS: &str = "Large clients: on average a client holds more than 200 KiB, so somebody sends long pipelines \
    or does not read its replies. CLIENT LIST shows who (qbuf, omem).";

fn malloc_stats(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    cx.reply.verbatim("txt", alloc::malloc_stats_text().as_bytes());
    Ok(Flow::Done)
}

fn purge(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    if !alloc::purge() {
        return Err(CommandError::text("ERR Error purging dirty pages"));
    }
    cx.reply.ok();
    Ok(Flow::Done)
}

fn memory_help(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    const LINES: &[&str] = &[
        "DOCTOR",
        "    Return memory problems reports.",
        "MALLOC-STATS",
        "    Return internal statistics report from the memory allocator.",
        "PURGE",
        "    Attempt to purge dirty pages for reclamation by the allocator.",
        "STATS",
        "    Return information about the memory usage of the server.",
        "USAGE <key> [SAMPLES <count>]",
        "    Return memory in bytes used by <key> and its value. Nested values are",
        "    sampled up to <count> times (default: 5, 0 means sample all).",
    ];
    help::answer(&mut cx.reply, args.at(0), LINES);
    Ok(Flow::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::testing::Fixture;
    use crate::resp::Protocol;

    #[test]
    fn usage_counts_the_entry_and_its_share_of_the_tables() {
        let mut fixture = Fixture::new();
        fixture.check("MEMORY USAGE k", "$-1\r\n");
        fixture.run("SET k v");
        let bytes = |reply: String| reply.trim_matches([':', '\r', '\n']).parse::<usize>().expect("a number");
        let plain = bytes(fixture.run("MEMORY USAGE k"));
        assert!((17..64).contains(&plain), "{plain}");
        fixture.run("SET k v EX 100");
        assert!(bytes(fixture.run("MEMORY USAGE k SAMPLES 0")) > plain);
        fixture.run(&format!("SET k {}", "x".repeat(5_000)));
        assert!((5_000..6_200).contains(&bytes(fixture.run("MEMORY USAGE k"))));
        fixture.check("MEMORY USAGE k SAMPLES -1", "-ERR syntax error\r\n");
        fixture.check("MEMORY USAGE k SAMPLES", "-ERR syntax error\r\n");
        fixture.check("MEMORY USAGE k SAMPLES x", "-ERR value is not an integer or out of range\r\n");
    }

    #[test]
    fn stats_announce_as_many_fields_as_follow() {
        let mut fixture = Fixture::new();
        fixture.run("SET k v");
        fixture.in_db(3, "SET k v EX 10");
        fixture.client().protocol = Protocol::Resp3;
        let reply = fixture.run("MEMORY STATS");
        let (head, rest) = reply.split_once("\r\n").unwrap();
        assert_eq!(head, "%30");
        // A name is a bulk of two lines; each of two databases adds three names of its own.
        assert_eq!(rest.split("\r\n").filter(|line| line.starts_with('$')).count(), 30 + 2 * 3);
        assert!(rest.contains("db.0\r\n%3\r\n") && rest.contains("db.3\r\n%3\r\n"));
        assert!(rest.contains("keys.count\r\n:2\r\n"));
    }

    #[test]
    fn the_doctor_names_what_is_wrong() {
        let allocator = alloc::Statistics {
            allocated: 99 << 20,
            active: 100 << 20,
            resident: 105 << 20,
            ..alloc::Statistics::default()
        };
        let sound = Footprint {
            allocator,
            used: 100 << 20,
            peak: 100 << 20,
            resident: 110 << 20,
            ..Footprint::default()
        };
        assert!(diagnose(&Footprint::default(), 1).contains("next to nothing"));
        assert!(diagnose(&sound, 1).contains("nothing to complain about"));
        let ill = Footprint { peak: 200 << 20, resident: 190 << 20, clients: 50 << 20, ..sound };
        let report = diagnose(&ill, 2);
        let named = |word: &str| report.contains(word);
        assert!(named("High peak") && named("High fragmentation") && named("Large clients"), "{report}");
        assert!(!named("Holes"), "{report}");
    }
}
