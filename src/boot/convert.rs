//! `tintype convert IN OUT --rdb-version N`: the command line of `persist::convert`.

use crate::base::clock::Clock;
use crate::persist::convert::{ConvertOptions, Unknown, convert};
use crate::persist::disk::System;
use crate::server::server::REDIS_VERSION;
use clap::{Arg, ArgAction, ArgMatches, value_parser};
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// Nobody needs to be told of the progress of less.
const SILENT_NS: u64 = 1_000_000_000;

/// What may be asked for.
pub fn command() -> clap::Command {
    let path = |name: &'static str, help: &'static str| {
        Arg::new(name).required(true).value_parser(value_parser!(PathBuf)).help(help)
    };
    clap::Command::new("convert")
        .about("Writes an RDB file again in another version of the format")
        .arg(path("IN", "The file to read, of Redis 1.2 to 8.10, Valkey or Tintype"))
        .arg(path("OUT", "The file to write; may be IN, which is replaced only by a finished file"))
        .arg(
            Arg::new("rdb-version")
                .long("rdb-version")
                .value_name("N")
                .required(true)
                .value_parser(["auto", "9", "10", "11", "12", "80"])
                .help(
                    "9: Redis 5, 6; 10: Redis 7.0; 11: Redis 7.2, Valkey 7.2 to 8; 12: Redis 7.4; 80: \
                     Valkey 9; auto: the lowest from 10 on that loses nothing",
                ),
        )
        .arg(
            Arg::new("skip-unknown")
                .long("skip-unknown")
                .action(ArgAction::SetTrue)
                .help("Leave out values that cannot be written on, instead of giving up"),
        )
        .after_help(
            "What the version cannot hold is an error that names the first such key. Values of modules are \
             carried over as they are. The exit code is 0 when OUT was written, 1 when not, 2 for a wrong \
             command line.",
        )
}

/// Runs the tool with the arguments behind its name. Returns the process's exit code.
pub fn run(arguments: Vec<Vec<u8>>) -> i32 {
    let words = arguments.into_iter().map(OsString::from_vec);
    let command = command().bin_name("tintype convert").no_binary_name(true);
    match command.try_get_matches_from(words) {
        Ok(matches) => run_matches(&matches),
        Err(error) => {
            let _ = error.print();
            error.exit_code()
        }
    }
}

/// As `run`, when `command` has been part of a larger command line.
pub fn run_matches(matches: &ArgMatches) -> i32 {
    let path = |name: &str| matches.get_one::<PathBuf>(name).cloned().unwrap_or_default();
    let version = matches.get_one::<String>("rdb-version");
    let options = ConvertOptions {
        version: version.and_then(|version| version.parse().ok()),
        unknown: if matches.get_flag("skip-unknown") { Unknown::LeaveOut } else { Unknown::Refuse },
        redis_version: REDIS_VERSION,
        nonce: fastrand::u64(..),
    };
    let (clock, is_terminal) = (Clock::real(), io::stderr().is_terminal());
    let (started_ns, mut is_shown) = (clock.mono_ns(), false);
    let mut progress = |done: u64, total: u64| {
        if is_terminal && clock.mono_ns() - started_ns > SILENT_NS {
            is_shown = true;
            eprint!("\r{:3} %", done.min(total) * 100 / total.max(1));
        }
    };
    let converted = convert(&mut System, &path("IN"), &path("OUT"), &options, &mut progress);
    if is_shown {
        eprint!("\r     \r");
    }
    match converted {
        Ok(converted) => {
            println!("{converted}");
            0
        }
        Err(error) => {
            eprintln!("{error}");
            1
        }
    }
}
