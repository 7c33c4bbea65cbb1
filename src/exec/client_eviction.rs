//! `maxmemory-clients`: when the clients together take more than this, the largest are closed until they do not.
//!
//! It is looked at when a client's turn ends, when more of a request has come, and by the clock. Who has said CLIENT
//! NO-EVICT ON is spared, and counted.

use crate::base::clock::Now;
use crate::base::ids::ClientId;
use crate::commands::client::list::line_for_log;
use crate::config::Config;
use crate::server::Server;

/// A smaller limit would leave nobody who could change it.
const LIMIT_BYTES_MIN: u64 = 128 * 1024;

/// The limit in bytes. `None`: there is none, also when it is a part of a `maxmemory` that is not set.
pub fn limit_bytes(config: &Config) -> Option<u64> {
    let limit = match config.maxmemory_clients {
        0 => return None,
        ..0 if config.maxmemory == 0 => return None,
        percent @ ..0 => {
            let bytes = u128::from(config.maxmemory) * u128::from(percent.unsigned_abs()) / 100;
            u64::try_from(bytes).unwrap_or(u64::MAX)
        }
        bytes => bytes.unsigned_abs(),
    };
    Some(limit.max(LIMIT_BYTES_MIN))
}

/// A client's turn has ended, or more of its request has come.
#[inline]
pub fn after_turn(server: &mut Server, client: ClientId, now: Now) {
    if server.clients.memory().is_some() {
        server.clients.count_memory(client);
        enforce(server, now);
    }
}

/// Counts all clients anew: whatever changed between their turns.
pub fn by_the_clock(server: &mut Server, now: Now) {
    if server.clients.memory().is_some() {
        server.clients.ids().into_iter().for_each(|client| server.clients.count_memory(client));
        enforce(server, now);
    }
}

/// Closes the largest clients until the others are within the limit.
fn enforce(server: &mut Server, now: Now) {
    let Some(limit) = limit_bytes(&server.config) else { return };
    let exceeds =
        |server: &Server| server.clients.memory().is_some_and(|memory| memory.total_bytes() as u64 > limit);
    while exceeds(server) {
        match server.clients.memory().and_then(|memory| memory.largest()) {
            Some(client) => evict(server, client, now),
            None => {
                if !std::mem::replace(&mut server.clients_over_limit, true) {
                    tracing::warn!("Over client maxmemory after evicting all evictable clients");
                }
                return;
            }
        }
    }
    server.clients_over_limit = false;
}

fn evict(server: &mut Server, id: ClientId, now: Now) {
    let Some(client) = server.clients.get(id) else { return };
    tracing::info!("Evicting client: {}", line_for_log(server, client, now.unix_ms()));
    server.stats.evicted_clients += 1;
    if let Some(client) = server.clients.get_mut(id) {
        client.output.clear();
        client.close();
    }
    server.clients.count_memory(id);
    server.forget_subscriptions(id);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_bytes_or_a_part_of_maxmemory() {
        let limit = |maxmemory_clients, maxmemory| {
            let mut config = Config::default();
            (config.maxmemory_clients, config.maxmemory) = (maxmemory_clients, maxmemory);
            limit_bytes(&config)
        };
        assert_eq!((limit(0, 1 << 30), limit(-5, 0)), (None, None));
        assert_eq!((limit(1, 0), limit(1 << 20, 0)), (Some(LIMIT_BYTES_MIN), Some(1 << 20)));
        assert_eq!((limit(-50, 1 << 30), limit(-100, u64::MAX)), (Some(1 << 29), Some(u64::MAX)));
    }
}
