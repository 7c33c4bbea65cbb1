//! MONITOR: shows every command to those who asked.

use super::call::Call;
use crate::base::quote::quote;
use crate::client::client::Transport;
use crate::server::Server;
use crate::spec::Flags;

/// Sends the line of a command to all monitors. Administrative commands are not shown, and passwords never.
pub fn show(server: &mut Server, call: &Call<'_>) {
    let flags = server.commands.at(call.command).entry.spec.flags;
    if flags.has(Flags::SKIP_MONITOR.or(Flags::ADMIN)) || server.loading.is_some() {
        return;
    }
    let Some(client) = server.clients.get(call.client) else { return };
    let (seconds, micros) = (call.now.unix_us / 1_000_000, call.now.unix_us % 1_000_000);
    let address = match client.origin.transport {
        Transport::Tcp => client.origin.address.clone(),
        Transport::Unix => format!("unix:{}", client.origin.address.trim_end_matches(":0")),
    };
    let mut line = format!("+{seconds}.{micros:06} [{} {address}]", client.db);
    let hides = matches!(server.commands.at(call.command).entry.spec.name, "auth" | "hello");
    for (index, argument) in call.request.args.iter().enumerate() {
        line.push(' ');
        if hides && index > 0 { line.push_str("\"(redacted)\"") } else { line.push_str(&quote(argument)) }
    }
    line.push_str("\r\n");
    for monitor in server.clients.monitors().to_vec() {
        server.clients.push(monitor, line.as_bytes());
    }
}
