//! Directives of the keyspace: databases, expiry, lazy freeing, memory and eviction.

use super::*;
use crate::config::choices::MaxmemoryPolicy;

pub(super) const TABLE: &[Directive] = &[
    number("databases", 1..=I32, "16", field!(number databases)).immutable(),
    yes_no("activerehashing", "yes", field!(activerehashing)),
    number("active-expire-effort", 1..=10, "1", field!(number active_expire_effort)),
    yes_no("lazyfree-lazy-eviction", "no", field!(lazyfree_lazy_eviction)),
    yes_no("lazyfree-lazy-expire", "no", field!(lazyfree_lazy_expire)),
    yes_no("lazyfree-lazy-server-del", "no", field!(lazyfree_lazy_server_del)),
    yes_no("lazyfree-lazy-user-del", "no", field!(lazyfree_lazy_user_del)),
    yes_no("lazyfree-lazy-user-flush", "no", field!(lazyfree_lazy_user_flush)),
    memory("maxmemory", 0..=U64, "0", field!(number maxmemory)),
    choice::<MaxmemoryPolicy>("maxmemory-policy", "noeviction", field!(choice maxmemory_policy)),
    number("maxmemory-samples", 1..=I32, "5", field!(number maxmemory_samples)),
    number("maxmemory-eviction-tenacity", 0..=100, "10", field!(number maxmemory_eviction_tenacity)),
    number("lfu-log-factor", 0..=I32, "10", field!(number lfu_log_factor)),
    number("lfu-decay-time", 0..=I32, "1", field!(number lfu_decay_time)),
];
