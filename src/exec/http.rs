//! Against web pages that make a browser send commands to a server behind the firewall.
//!
//! A browser can be made to open a connection here, and the lines of its request are inline commands to us. What it
//! cannot leave out are the words POST or `Host:`: who sends one of them is cut off before the body comes.

use crate::base::argv::Args;
use crate::base::clock::Now;
use crate::base::ids::ClientId;
use crate::server::Server;

/// Somebody may try again and again: one line in the log is enough for so long.
const WARNING_PERIOD_MS: i64 = 60_000;

/// Whether what looks like a command is the beginning of an HTTP request.
pub fn is_header(args: Args<'_>) -> bool {
    let name = args.at(0);
    name.eq_ignore_ascii_case(b"post") || name.eq_ignore_ascii_case(b"host:")
}

/// Closes the connection without another word.
pub fn abort(server: &mut Server, client: ClientId, now: Now) {
    let Some(client) = server.clients.get_mut(client) else { return };
    client.close();
    let now_ms = now.unix_ms();
    if server.http_seen_ms.is_some_and(|seen_ms| now_ms - seen_ms < WARNING_PERIOD_MS) {
        return;
    }
    server.http_seen_ms = Some(now_ms);
    tracing::warn!(
        "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to this \
         server, likely through a browser (Cross Protocol Scripting). Connection from {} aborted.",
        client.origin.address
    );
}
