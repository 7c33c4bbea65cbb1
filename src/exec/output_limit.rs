//! The limits of a client's output: hard ones close it at once, soft ones when it stays above them for too long.
//!
//! They are looked at where output grows, at the end of a client's turn, and by the clock. (What others send a client
//! is measured against its hard limit when it is sent: `Clients::push`.)

use crate::client::Client;
use crate::config::{OutputLimit, OutputLimits};

/// Closes `client` when its output is above its hard limit, or above its soft one for too long. Returns how many
/// clients that closed: one or none.
pub fn enforce(client: &mut Client, limits: &OutputLimits, now_ms: i64) -> u64 {
    let limit = client.kind().output_limit(limits);
    if client.close_now || !exceeds(client, limit, now_ms) {
        return 0;
    }
    client.overflow();
    1
}

fn exceeds(client: &mut Client, limit: OutputLimit, now_ms: i64) -> bool {
    let pending = client.output.pending_len() as u64;
    if limit.hard_bytes > 0 && pending > limit.hard_bytes {
        return true;
    }
    if limit.soft_bytes == 0 || pending <= limit.soft_bytes {
        client.soft_limit_since_ms = None;
        return false;
    }
    let since_ms = *client.soft_limit_since_ms.get_or_insert(now_ms);
    now_ms - since_ms > limit.soft_seconds as i64 * 1000
}
