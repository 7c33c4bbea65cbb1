//! The command line: a server, or one of the offline tools.
//!
//! ```text
//! tintype [redis.conf] [--directive value ...] [-]      a server, as redis-server is started
//! tintype --version | --help
//! tintype <tool> ...                                    see `commands`; each has --help
//! ```
//! The first argument decides, when it is a tool's name. The program's own name decides, too, so that a link called
//! redis-server or redis-check-rdb behaves as such.
//!
//! Exit codes of the tools: 0 sound or equal, 1 damaged or different, 2 wrong usage, or a file that cannot be read or
//! written. Whoever stops reading the output ends a tool quietly.

use crate::base::alloc;
use crate::base::clock::Clock;
use crate::object::ValueType;
use crate::persist::tools::check::{Report, check};
use crate::persist::tools::diff::{DiffOptions, diff};
use crate::persist::tools::export::{Filter, Format, Outcome, export};
use crate::persist::tools::salvage::salvage;
use crate::persist::tools::{Sink, ToolError, Verdict};
use crate::server::server::{REDIS_VERSION, TINTYPE_VERSION};
use clap::builder::{OsStringValueParser, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

mod convert;

/// What the command line asks for.
pub enum Task {
    Serve {
        arguments: Vec<Vec<u8>>,
    },
    Tool(Tool),
    Version,
    Help,
    /// The help of one tool.
    HelpOf(String),
}

/// A tool and what it was given.
pub enum Tool {
    Check { file: PathBuf, report: Report },
    Export { file: PathBuf, format: Format, filter: Filter, output: Option<PathBuf> },
    Diff { files: [PathBuf; 2], options: DiffOptions },
    Salvage { input: PathBuf, output: PathBuf },
    Convert(ArgMatches),
}

/// Modes of redis-server that are none here. A memory test belongs to memtest86+ or memtester: a server that runs on
/// the machine sees only what the kernel gives it.
const NOT_OFFERED: [&str; 3] = ["--test-memory", "--check-system", "--sentinel"];

/// Reads the command line.
///
/// # Errors
/// What is wrong, with the usage, when the arguments of a tool do not fit: exit code 2.
pub fn task(mut arguments: Vec<Vec<u8>>) -> Result<Task, String> {
    let program = if arguments.is_empty() { Vec::new() } else { arguments.remove(0) };
    let name = program.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    if name.ends_with(b"check-rdb") {
        arguments.insert(0, b"check-rdb".to_vec());
        return tool(arguments);
    }
    match arguments.first().map(Vec::as_slice) {
        Some(b"-v" | b"--version") if arguments.len() == 1 => Ok(Task::Version),
        Some(b"-h" | b"--help") if arguments.len() == 1 => Ok(Task::Help),
        Some(first) if NOT_OFFERED.iter().any(|option| option.as_bytes() == first) => {
            Err(format!("{} is not offered here: --help tells what is", String::from_utf8_lossy(first)))
        }
        Some(first) if commands().iter().any(|command| command.get_name().as_bytes() == first) => {
            tool(arguments)
        }
        _ => Ok(Task::Serve { arguments }),
    }
}

/// The tools, with their arguments and help.
fn commands() -> Vec<Command> {
    vec![check_command(), export_command(), diff_command(), salvage_command(), convert::command()]
}

fn file(name: &'static str, help: &'static str) -> Arg {
    let parser = value_parser!(PathBuf);
    Arg::new(name).value_name(name).help(help).required(true).value_parser(parser)
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).help(help).action(ArgAction::SetTrue)
}

fn option(name: &'static str, value_name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value_name).help(help)
}

fn check_command() -> Command {
    Command::new("check-rdb")
        .about("Names what is in an RDB file, and its first bad byte")
        .arg(file("FILE", "The file to check"))
        .arg(flag("json", "Print one JSON object"))
        .after_help("Exit code: 0 the file is sound, 1 it is damaged, 2 it cannot be read.")
}

fn export_command() -> Command {
    let types = ["string", "list", "set", "zset", "hash", "stream"];
    Command::new("rdb-export")
        .about("Writes the keys of an RDB file as JSON, CSV, or commands")
        .arg(file("FILE", "The file to read"))
        .arg(
            option("format", "FORMAT", "json: one object a line; csv: one row an element; resp: commands")
                .value_parser(PossibleValuesParser::new(["json", "csv", "resp"]))
                .default_value("json"),
        )
        .arg(option("db", "N", "Only keys of this database").value_parser(value_parser!(u64)))
        .arg(
            option("match", "GLOB", "Only keys that match this pattern, as KEYS takes it")
                .value_parser(OsStringValueParser::new()),
        )
        .arg(option("type", "TYPE", "Only keys of this type").value_parser(PossibleValuesParser::new(types)))
        .arg(
            Arg::new("output")
                .short('o')
                .long("output")
                .value_name("OUT")
                .help("Write to this file instead of standard output")
                .value_parser(value_parser!(PathBuf)),
        )
        .after_help(
            "Examples:\n  tintype rdb-export dump.rdb --format resp | redis-cli --pipe\n  \
             tintype rdb-export dump.rdb --match 'user:*' | jq .key\n\n\
             Exit code: 0 all was written, 2 the file is damaged or cannot be read.",
        )
}

fn diff_command() -> Command {
    Command::new("rdb-diff")
        .about("Tells which keys were added, removed and changed from one RDB file to another")
        .arg(file("A", "The older file"))
        .arg(file("B", "The newer file"))
        .arg(flag("json", "Print one JSON object"))
        .arg(
            option("limit", "N", "Name so many keys of each kind of change; 0 names all")
                .value_parser(value_parser!(u64))
                .default_value("100"),
        )
        .after_help("Exit code: 0 the files hold the same, 1 they differ, 2 one cannot be read.")
}

fn salvage_command() -> Command {
    Command::new("rdb-salvage")
        .about("Saves from a damaged RDB file every key that can be proven whole")
        .arg(file("IN", "The damaged file; it is not touched"))
        .arg(file("OUT", "The new file; an old one of that name is replaced when the new one is whole"))
        .after_help("Exit code: 0 nothing was lost, 1 OUT holds what could be saved, 2 nothing was written.")
}

fn program() -> Command {
    let serve = "[/path/to/redis.conf] [--directive value ...] [-]";
    Command::new("tintype")
        .about("A Redis-compatible in-memory key-value server whose snapshots nobody notices")
        .override_usage(format!(
            "tintype {serve}\n       tintype <TOOL> ...\n       tintype --version | --help"
        ))
        .subcommand_help_heading("Tools (tintype <TOOL> --help says more)")
        .disable_help_subcommand(true)
        .disable_version_flag(true)
        .subcommands(commands())
}

/// What `--help` prints.
pub fn help() -> String {
    let examples = [
        "Examples:",
        "  tintype                                     listen on port 6379 with the defaults",
        "  tintype /etc/redis/redis.conf --port 7777   a file, and what overrides it",
        "  echo 'maxmemory 128mb' | tintype -          read the configuration from standard input",
        "  tintype --save '' --port 6380               no snapshots",
    ];
    program().disable_help_flag(true).after_help(examples.join("\n")).render_help().to_string()
}

/// What `--version` prints.
pub fn version() -> String {
    format!("Tintype server v={TINTYPE_VERSION} redis={REDIS_VERSION} malloc={} bits=64", alloc::name())
}

/// Reads the arguments of a tool, its name first.
fn tool(arguments: Vec<Vec<u8>>) -> Result<Task, String> {
    let words = std::iter::once(b"tintype".to_vec()).chain(arguments).map(OsString::from_vec);
    let matches = match program().try_get_matches_from(words) {
        Ok(matches) => matches,
        Err(error) if error.use_stderr() => return Err(error.to_string().trim_end().to_owned()),
        Err(help) => return Ok(Task::HelpOf(help.to_string())),
    };
    let Some((name, given)) = matches.subcommand() else { return Ok(Task::Help) };
    Ok(Task::Tool(match name {
        "check-rdb" => Tool::Check { file: path(given, "FILE"), report: report(given) },
        "rdb-export" => export_tool(given),
        "rdb-diff" => {
            let limit = given.get_one::<u64>("limit").copied().filter(|limit| *limit > 0);
            let options = DiffOptions { form: report(given), names_max: limit };
            Tool::Diff { files: [path(given, "A"), path(given, "B")], options }
        }
        "convert" => Tool::Convert(given.clone()),
        _ => Tool::Salvage { input: path(given, "IN"), output: path(given, "OUT") },
    }))
}

fn path(given: &ArgMatches, name: &str) -> PathBuf {
    given.get_one::<PathBuf>(name).expect("the argument is required").clone()
}

fn report(given: &ArgMatches) -> Report {
    if given.get_flag("json") { Report::Json } else { Report::People }
}

fn export_tool(given: &ArgMatches) -> Tool {
    let value_type = given.get_one::<String>("type").map(|name| match name.as_str() {
        "string" => ValueType::String,
        "list" => ValueType::List,
        "set" => ValueType::Set,
        "zset" => ValueType::Zset,
        "hash" => ValueType::Hash,
        _ => ValueType::Stream,
    });
    let format = match given.get_one::<String>("format").map(String::as_str) {
        Some("csv") => Format::Csv,
        Some("resp") => Format::Resp,
        _ => Format::Json,
    };
    let pattern = given.get_one::<OsString>("match").map(|pattern| pattern.clone().into_vec());
    let filter = Filter { db: given.get_one("db").copied(), pattern, value_type };
    Tool::Export { file: path(given, "FILE"), format, filter, output: given.get_one("output").cloned() }
}

/// Runs a tool to its end. Returns the process's exit code.
pub fn run(tool: &Tool) -> i32 {
    if let Tool::Convert(given) = tool {
        return convert::run(given);
    }
    let clock = Clock::real();
    let mut out = Sink::new(io::stdout().lock());
    let verdict = match tool {
        Tool::Check { file, report } => check(file, *report, &clock, &mut out),
        Tool::Export { file, format, filter, output: None } => {
            export(file, *format, filter, &clock, &mut out).map(told)
        }
        Tool::Export { file, format, filter, output: Some(output) } => create(output)
            .and_then(|created| export(file, *format, filter, &clock, &mut Sink::new(created)).map(told)),
        Tool::Diff { files: [a, b], options } => diff([a, b], *options, &clock, &mut out),
        Tool::Convert(_) => return 0,
        Tool::Salvage { input, output } => salvage(input, output, &clock, fastrand::u64(..), &mut out),
    };
    match verdict {
        Ok(Verdict::Good) => 0,
        Ok(Verdict::Bad) => 1,
        Err(error) if error.is_broken_pipe() => 0,
        Err(error) => {
            eprintln!("{error}");
            2
        }
    }
}

fn create(output: &Path) -> Result<File, ToolError> {
    File::create(output).map_err(|error| ToolError::File { operation: "create", path: output.into(), error })
}

/// What an export could not say goes to standard error.
fn told(outcome: Outcome) -> Verdict {
    if outcome.foreign > 0 {
        eprintln!("{} keys were left out: their values cannot be held here", outcome.foreign);
    }
    if outcome.libraries_left_out > 0 {
        eprintln!("{} libraries of functions were left out: only resp has them", outcome.libraries_left_out);
    }
    Verdict::Good
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task_of(line: &str) -> Result<Task, String> {
        task(line.split(' ').map(|word| word.as_bytes().to_vec()).collect())
    }

    #[test]
    fn what_is_no_tool_is_a_server() {
        for line in
            ["tintype", "/usr/bin/redis-server /etc/redis.conf --port 1", "tintype - --save x", "x --help y"]
        {
            let Ok(Task::Serve { arguments }) = task_of(line) else { panic!("{line}") };
            assert_eq!(arguments.len(), line.split(' ').count() - 1, "{line}");
        }
        assert!(matches!(task_of("tintype -v"), Ok(Task::Version)));
        let refused = task_of("tintype --test-memory 100").err().expect("no such mode");
        assert!(refused.starts_with("--test-memory is not offered here"), "{refused}");
        assert!(matches!(task_of("redis-server --help"), Ok(Task::Help)));
    }

    #[test]
    fn tools_have_arguments_and_help() {
        let check = ["tintype check-rdb f", "/usr/bin/redis-check-rdb f"];
        for line in check {
            assert!(
                matches!(task_of(line), Ok(Task::Tool(Tool::Check { report: Report::People, .. }))),
                "{line}"
            );
        }
        let Ok(Task::Tool(Tool::Export { format, filter, output, .. })) =
            task_of("tintype rdb-export f --format csv --db 3 --match a* --type zset -o out")
        else {
            panic!("it is an export");
        };
        assert_eq!((format, filter.db, filter.value_type), (Format::Csv, Some(3), Some(ValueType::Zset)));
        assert_eq!((filter.pattern, output), (Some(b"a*".to_vec()), Some("out".into())));
        for line in [
            "check-rdb",
            "rdb-export f --format xml",
            "rdb-diff a",
            "rdb-salvage a b c",
            "rdb-export f --db x",
        ] {
            assert!(task_of(&format!("tintype {line}")).is_err(), "{line}");
        }
        let help = help();
        for command in commands() {
            let name = command.get_name();
            assert!(help.contains(name), "{name}");
            let Ok(Task::HelpOf(text)) = task_of(&format!("tintype {name} --help")) else { panic!("{name}") };
            assert!(text.to_lowercase().contains("exit code"), "{text}");
        }
    }
}
