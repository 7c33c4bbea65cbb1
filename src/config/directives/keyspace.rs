//! Directives of the keyspace: databases, expiry, lazy freeing, memory and eviction, encodings.

use super::*;
use crate::config::choices::MaxmemoryPolicy;
use crate::config::special::NOTIFY_EVENTS;

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
    memory("script-memory-limit", 0..=U64, "536870912", field!(number script_memory_limit)),
    special("notify-keyspace-events", "", NOTIFY_EVENTS).one_word(),
    measured("maxmemory-clients", -100..=I64, "0", Unit::MemoryOrPercent, field!(number maxmemory_clients)),
    choice::<MaxmemoryPolicy>("maxmemory-policy", "noeviction", field!(choice maxmemory_policy)),
    number("maxmemory-samples", 1..=I32, "5", field!(number maxmemory_samples)),
    number("maxmemory-eviction-tenacity", 0..=100, "10", field!(number maxmemory_eviction_tenacity)),
    number("lfu-log-factor", 0..=I32, "10", field!(number lfu_log_factor)),
    number("lfu-decay-time", 0..=I32, "1", field!(number lfu_decay_time)),
    number("hash-max-listpack-entries", 0..=I64, "512", field!(number hash_max_listpack_entries))
        .alias("hash-max-ziplist-entries"),
    memory("hash-max-listpack-value", 0..=I64, "64", field!(number hash_max_listpack_value))
        .alias("hash-max-ziplist-value"),
    memory("hll-sparse-max-bytes", 0..=I64, "3000", field!(number hll_sparse_max_bytes)),
    number("list-compress-depth", 0..=I32, "0", field!(number list_compress_depth)),
    number("list-max-listpack-size", I32_MIN..=I32, "-2", field!(number list_max_listpack_size))
        .alias("list-max-ziplist-size"),
    number("set-max-intset-entries", 0..=I64, "512", field!(number set_max_intset_entries)),
    number("set-max-listpack-entries", 0..=I64, "128", field!(number set_max_listpack_entries)),
    memory("set-max-listpack-value", 0..=I64, "64", field!(number set_max_listpack_value)),
    memory("stream-node-max-bytes", 0..=I64, "4096", field!(number stream_node_max_bytes)),
    number("stream-node-max-entries", 0..=I64, "100", field!(number stream_node_max_entries)),
    number("zset-max-listpack-entries", 0..=I64, "128", field!(number zset_max_listpack_entries))
        .alias("zset-max-ziplist-entries"),
    memory("zset-max-listpack-value", 0..=I64, "64", field!(number zset_max_listpack_value))
        .alias("zset-max-ziplist-value"),
];
