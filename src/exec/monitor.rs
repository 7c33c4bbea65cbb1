//! MONITOR: shows every command to those who asked.

use super::call::Call;
use super::redact;
use crate::base::argv::Argv;
use crate::base::quote::quote;
use crate::client::client::Transport;
use crate::server::Server;
use crate::spec::{Flags, Group};

/// Sends the line of a command to all monitors. Administrative commands are not shown, and passwords never.
pub fn show(server: &mut Server, call: &Call<'_>) {
    let flags = server.commands.at(call.command).entry.spec.flags;
    if !flags.has(Flags::SKIP_MONITOR.or(Flags::ADMIN)) {
        send(server, call);
    }
}

/// A command that runs a script is shown before it runs: before the commands of the script.
pub fn show_script(server: &mut Server, call: &Call<'_>) {
    let spec = &server.commands.at(call.command).entry.spec;
    if spec.group == Group::Scripting && spec.flags.has(Flags::SKIP_MONITOR) {
        send(server, call);
    }
}

fn send(server: &mut Server, call: &Call<'_>) {
    if server.loading.is_some() {
        return;
    }
    let Some(client) = server.clients.get(call.client) else { return };
    let (seconds, micros) = (call.now.unix_us / 1_000_000, call.now.unix_us % 1_000_000);
    let address = match client.origin.transport {
        _ if server.in_script => "lua".to_owned(),
        Transport::Tcp | Transport::Tls => client.origin.address.clone(),
        Transport::Unix => format!("unix:{}", client.origin.address.trim_end_matches(":0")),
    };
    let mut line = format!("+{seconds}.{micros:06} [{} {address}]", client.db);
    let redacted = redact::redacted(server.commands.at(call.command).entry.spec.name, call.request.args);
    for argument in redacted.as_ref().map_or(call.request.args, Argv::args).iter() {
        line.push(' ');
        line.push_str(&quote(argument));
    }
    line.push_str("\r\n");
    for monitor in server.clients.monitors().to_vec() {
        server.clients.push(monitor, line.as_bytes());
    }
}
