//! Directives of listening, connections and the protocol's limits.

use super::*;
use crate::config::AclPubsubDefault;
use crate::config::special::*;

pub(super) const TABLE: &[Directive] = &[
    special("bind", "* -::*", BIND),
    number("port", 0..=65535, "6379", field!(number port)),
    text("unixsocket", "", any_text, field!(optional unixsocket)).immutable(),
    measured("unixsocketperm", 0..=0o777, "0", Unit::Octal, field!(number unixsocketperm)).immutable(),
    number("tcp-backlog", 0..=I32, "511", field!(number tcp_backlog)).immutable(),
    number("tcp-keepalive", 0..=I32, "300", field!(number tcp_keepalive)),
    number("timeout", 0..=I32, "0", field!(number timeout)),
    number("maxclients", 1..=U32, "10000", field!(number maxclients)),
    yes_no("protected-mode", "yes", field!(protected_mode)),
    bytes("requirepass", "", field!(requirepass)).sensitive(),
    text("aclfile", "", any_text, field!(aclfile)).immutable(),
    choice::<AclPubsubDefault>("acl-pubsub-default", "resetchannels", field!(choice acl_pubsub_default)),
    number("acllog-max-len", 0..=I64, "128", field!(number acllog_max_len)),
    memory("proto-max-bulk-len", 1048576..=I64, "536870912", field!(number proto_max_bulk_len)),
    memory(
        "client-query-buffer-limit",
        1048576..=I64,
        "1073741824",
        field!(number client_query_buffer_limit),
    ),
    special(
        "client-output-buffer-limit",
        "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
        OUTPUT_LIMITS,
    ),
    number("tracking-table-max-keys", 0..=I64, "1000000", field!(number tracking_table_max_keys)),
];
