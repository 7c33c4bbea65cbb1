//! The report of a crash in the log: what happened where, who asked for what, and how the server was.
//!
//! ```text
//!   === REDIS BUG REPORT START ...                      tools and people look for this line
//!   .. crashed by signal: 11 (SIGSEGV) ..               or what the panic said
//!   ------ STACK TRACE ------                           file(+offset)[address], for `addr2line -e file offset`
//!   ------ REGISTERS ------
//!   ------ CURRENT CLIENT INFO ------                   its line of CLIENT LIST, its command with arguments
//!   ------ LAST COMMANDS ------                         the newest first
//!   ------ CLIENT LIST OUTPUT ------
//!   ------ INFO OUTPUT ------
//!   ------ STACK TRACE WITH NAMES ------
//!   === REDIS BUG REPORT END ===
//! ```
//! Each part is in the log before the next one is begun, and what is least likely to fail comes first: the report is
//! written by a process that is broken. `hide-user-data-from-log` leaves out arguments, names, and what a panic said.
//!
//! How it comes to this is `base::os::fault`'s matter.

use crate::base::argv::Args;
use crate::base::log::{self, CrashLog};
use crate::base::os::fault::{self, Cause, Exhibit, Reporter};
use crate::base::quote::quote;
use crate::client::Client;
use crate::commands::client::list::line_for_log;
use crate::commands::server::info;
use crate::server::Server;
use crate::server::server::{REDIS_VERSION, TINTYPE_VERSION};
use std::cell::RefCell;
use std::fmt::Write;
use std::rc::Rc;

/// So many arguments of a command, and so many bytes of each, are shown.
const ARGUMENTS_MAX: usize = 32;
const ARGUMENT_BYTES_MAX: usize = 1024;
/// Of CLIENT LIST: more would bury the rest.
const CLIENTS_MAX: usize = 1000;

/// Reports crashes of this process from now on, or leaves them to the default actions of signals. The calling thread is
/// the one that will run the loop.
pub fn report(enabled: bool) {
    match fault::install(Reporter { head, tail, line }) {
        Ok(()) => fault::enable(enabled),
        Err(error) => tracing::warn!("Crashes are not reported: {error}"),
    }
}

/// Has reports show this server for as long as the result lives.
pub fn exhibit(server: &Rc<RefCell<Server>>) -> Exhibit<Server> {
    fault::exhibit(server, show)
}

fn head(cause: &Cause) {
    let Some(mut log) = log::crash_log() else { return };
    let _ = write_head(cause, &mut log);
}

fn write_head(cause: &Cause, log: &mut CrashLog) -> std::fmt::Result {
    writeln!(log, "\n\n=== REDIS BUG REPORT START: Cut & paste starting from here ===")?;
    log.line_head();
    write!(log, "Tintype {TINTYPE_VERSION} (compatible with Redis {REDIS_VERSION}) crashed by ")?;
    if cause.message().is_empty() {
        writeln!(log, "signal: {} ({}), si_code: {}", cause.signal, cause.signal_name(), cause.code)?;
        log.line_head();
        match cause.code {
            1.. => writeln!(log, "Accessing address: {:#x}", cause.address)?,
            _ => writeln!(log, "Killed by PID: {}, UID: {}", cause.sender.0, cause.sender.1)?,
        }
    } else {
        writeln!(log, "a panic: {}", cause.message())?;
    }
    writeln!(log, "\n------ STACK TRACE ------\nThread {}:", cause.thread)?;
    for frame in cause.frames() {
        match fault::place_of(*frame) {
            Some((file, offset)) => writeln!(log, "{}(+{offset:#x})[{frame:#x}]", file.escape_ascii())?,
            None => writeln!(log, "[{frame:#x}]")?,
        }
    }
    writeln!(log, "\n------ REGISTERS ------")?;
    for (index, (name, value)) in cause.registers.iter().enumerate() {
        write!(log, "{name}:{value:016x}{}", if index % 4 == 3 { '\n' } else { ' ' })?;
    }
    writeln!(log)
}

/// When there are no reports: what a panic said must be known all the same.
fn line(cause: &Cause) {
    if let Some(mut log) = log::crash_log() {
        log.line_head();
        let _ = writeln!(log, "{}", cause.message());
    }
}

fn show(server: &Server, cause: &Cause) {
    section("CURRENT CLIENT INFO", |log| {
        cause.running(&mut |client, args| show_running(server, log, client, args))
    });
    section("LAST COMMANDS", |log| {
        for (client, command) in server.recent.newest_first() {
            let name = server.commands.at(command).entry.spec.name;
            let _ = writeln!(log, "id={client} cmd={name}");
        }
    });
    section("CLIENT LIST OUTPUT", |log| {
        let clients = server.clients.iter();
        clients.take(CLIENTS_MAX).for_each(|client| show_client(server, log, client));
        if server.clients.len() > CLIENTS_MAX {
            let _ = writeln!(log, "... ({} more clients)", server.clients.len() - CLIENTS_MAX);
        }
    });
    section("INFO OUTPUT", |log| {
        let _ = log.write_str(&info::everything(server, server.clock.now()));
    });
}

fn tail(cause: &Cause) {
    section("STACK TRACE WITH NAMES", |log| {
        let names = cause.names();
        let names = names.as_deref().unwrap_or("(of another thread: see the addresses above)\n");
        let _ = log.write_str(names);
    });
    if let Some(mut log) = log::crash_log() {
        let _ = writeln!(log, "\n=== REDIS BUG REPORT END. Make sure to include from START to END. ===\n");
    }
}

fn section(title: &str, write: impl FnOnce(&mut CrashLog)) {
    if let Some(mut log) = log::crash_log() {
        let _ = writeln!(log, "\n------ {title} ------");
        write(&mut log);
    }
}

fn show_client(server: &Server, log: &mut CrashLog, client: &Client) {
    let _ = writeln!(log, "{}", line_for_log(server, client, server.clock.now().unix_ms()));
}

fn show_running(server: &Server, log: &mut CrashLog, client: u64, args: Args<'_>) {
    if let Some(client) = server.clients.iter().find(|known| known.id.number == client) {
        show_client(server, log, client);
    }
    let hidden = log::hides_user_data();
    for (index, argument) in args.iter().take(ARGUMENTS_MAX).enumerate() {
        // The command's name is not the user's.
        if hidden && index > 0 {
            let _ = writeln!(log, "argv[{index}]: {} bytes", argument.len());
            continue;
        }
        let shown = &argument[..argument.len().min(ARGUMENT_BYTES_MAX)];
        let more = if shown.len() < argument.len() { "..." } else { "" };
        let _ = writeln!(log, "argv[{index}]: {}{more}", quote(shown));
    }
    if args.len() > ARGUMENTS_MAX {
        let _ = writeln!(log, "... ({} more arguments)", args.len() - ARGUMENTS_MAX);
    }
}
