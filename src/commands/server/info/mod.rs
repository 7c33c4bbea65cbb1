//! INFO: what the server tells about itself.
//!
//! ```text
//! # Server\r\n              a section: its title, then one line for each field
//! redis_version:7.0.15\r\n
//! \r\n                      an empty line between two sections
//! # Clients\r\n
//! ```
//!
//! A section is one line in `SECTIONS` and one function; a field is one line in that function. Names, order and
//! formats are those of redis-server 7.0.15; where we have more to tell, the field stands behind those it belongs to.
//!
//! Every value is true. A field of a thing that is not here (AOF, replicas, scripts) has the value that Redis gives
//! while the thing is off. `gcc_version` is left out: no C compiler made this.

mod memory;
mod persistence;
mod process;
mod statistics;

use crate::base::argv::Args;
use crate::base::clock::Now;
use crate::server::{Cx, Entry, Flow, Server};
use crate::spec::{Categories, CommandError, Flags, Group, Spec};
use std::fmt::{Display, Write};

pub const COMMANDS: &[Entry] = &[Entry::server(
    Spec::new("info", -1, Group::Server, Flags::LOADING.or(Flags::STALE))
        .category(Categories::DANGEROUS)
        .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"])
        .complexity("O(1)")
        .doc("1.0.0", "Get information and statistics about the server", "[section [section ...]]"),
    info,
)];

/// Where a section is shown besides under its own name, `all` and `everything`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    ByDefault,
    WhenAsked,
}

struct Section {
    /// How it is asked for, in any case.
    name: &'static str,
    title: &'static str,
    shown: Shown,
    write: fn(&mut View<'_>, &mut Page),
}

/// All sections, in the order in which they are shown whatever the order of the question.
const SECTIONS: &[Section] = &[
    Section { name: "server", title: "Server", shown: Shown::ByDefault, write: process::server },
    Section { name: "clients", title: "Clients", shown: Shown::ByDefault, write: process::clients },
    Section { name: "memory", title: "Memory", shown: Shown::ByDefault, write: memory::memory },
    Section {
        name: "persistence",
        title: "Persistence",
        shown: Shown::ByDefault,
        write: persistence::persistence,
    },
    Section { name: "stats", title: "Stats", shown: Shown::ByDefault, write: statistics::stats },
    Section {
        name: "replication",
        title: "Replication",
        shown: Shown::ByDefault,
        write: process::replication,
    },
    Section { name: "cpu", title: "CPU", shown: Shown::ByDefault, write: process::cpu },
    Section { name: "modules", title: "Modules", shown: Shown::ByDefault, write: |_, _| {} },
    Section {
        name: "commandstats",
        title: "Commandstats",
        shown: Shown::WhenAsked,
        write: statistics::commandstats,
    },
    Section {
        name: "errorstats",
        title: "Errorstats",
        shown: Shown::ByDefault,
        write: statistics::errorstats,
    },
    Section {
        name: "latencystats",
        title: "Latencystats",
        shown: Shown::WhenAsked,
        write: statistics::latencystats,
    },
    Section { name: "tls", title: "TLS", shown: Shown::WhenAsked, write: process::tls },
    Section { name: "cluster", title: "Cluster", shown: Shown::ByDefault, write: process::cluster },
    Section { name: "keyspace", title: "Keyspace", shown: Shown::ByDefault, write: statistics::keyspace },
];

/// What a section is written from.
struct View<'a> {
    server: &'a Server,
    now: Now,
    /// For what is sampled.
    rng: fastrand::Rng,
}

/// The text under construction.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn section(&mut self, title: &str) {
        let gap = if self.text.is_empty() { "" } else { "\r\n" };
        self.line(format_args!("{gap}# {title}"));
    }

    fn field(&mut self, name: &str, value: impl Display) {
        self.line(format_args!("{name}:{value}"));
    }

    /// A number of bytes, as such and for people.
    fn bytes(&mut self, name: &str, bytes: u64) {
        self.field(name, bytes);
        self.field(&format!("{name}_human"), human(bytes));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        write!(self.text, "{line}\r\n").expect("a String takes everything");
    }
}

fn info(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let sections = asked_for(args);
    let rng = cx.server.keyspace.rng.fork();
    let mut view = View { server: cx.server, now: cx.now, rng };
    let mut page = Page::default();
    for section in sections {
        page.section(section.title);
        (section.write)(&mut view, &mut page);
    }
    cx.reply.verbatim("txt", page.text.as_bytes());
    Ok(Flow::Done)
}

/// All sections, for the report of a crash: from what the server knows, without a change of it.
pub fn everything(server: &Server, now: Now) -> String {
    let mut view = View { server, now, rng: fastrand::Rng::with_seed(0) };
    let mut page = Page::default();
    for section in SECTIONS {
        page.section(section.title);
        (section.write)(&mut view, &mut page);
    }
    page.text.replace("\r\n", "\n")
}

/// The sections that the arguments name; unknown words name none.
fn asked_for(args: Args<'_>) -> Vec<&'static Section> {
    let names =
        |word: &str| args.iter().skip(1).any(|argument| argument.eq_ignore_ascii_case(word.as_bytes()));
    let default = args.len() == 1 || names("default");
    let all = names("everything") || names("all");
    let is_asked =
        |section: &&Section| all || (default && section.shown == Shown::ByDefault) || names(section.name);
    SECTIONS.iter().filter(is_asked).collect()
}

/// A number of bytes for people: `919.50K`.
fn human(bytes: u64) -> String {
    const UNITS: [char; 5] = ['K', 'M', 'G', 'T', 'P'];
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    let unit = (bytes.ilog2() / 10).min(UNITS.len() as u32);
    let value = bytes as f64 / (1_u64 << (10 * unit)) as f64;
    format!("{value:.2}{}", UNITS[unit as usize - 1])
}

#[cfg(test)]
mod tests;
