//! `tintype convert IN OUT --rdb-version N`: the command line of `persist::convert`.

use crate::base::clock::Clock;
use crate::persist::convert::{ConvertOptions, Unknown, convert};
use crate::persist::disk::System;
use crate::persist::tools::Progress;
use crate::server::server::REDIS_VERSION;
use clap::{Arg, ArgAction, ArgMatches, value_parser};
use std::path::PathBuf;

/// What may be asked for.
pub(super) fn command() -> clap::Command {
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

/// Runs the tool with what `command` has read. Returns the process's exit code.
pub(super) fn run(matches: &ArgMatches) -> i32 {
    let path = |name: &str| matches.get_one::<PathBuf>(name).cloned().unwrap_or_default();
    let version = matches.get_one::<String>("rdb-version");
    let options = ConvertOptions {
        version: version.and_then(|version| version.parse().ok()),
        unknown: if matches.get_flag("skip-unknown") { Unknown::LeaveOut } else { Unknown::Refuse },
        redis_version: REDIS_VERSION,
        nonce: fastrand::u64(..),
    };
    let mut shown = Progress::new(&Clock::real(), "converting", 0);
    let mut progress = |done: u64, total: u64| shown.at_of(done, total);
    let converted = convert(&mut System, &path("IN"), &path("OUT"), &options, &mut progress);
    drop(shown);
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
