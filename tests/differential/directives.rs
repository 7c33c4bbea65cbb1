//! Values for CONFIG SET, good and bad, for the directives that can be set without harm to the conversation.

/// Commands whose metadata follows a release newer than the oracle's, because they do what only the newer one does.
pub const NEWER_METADATA: &[&str] = &["set", "client", "bgsave", "script", "zrank", "zrevrank"];

/// Directives whose value belongs to one server alone, or that mean something else here.
pub const OWN_DEFAULTS: &[&str] = &[
    "port",
    "dir",
    // Huge pages stay on: the fork is quicker with them, see the README.
    "disable-thp",
];

/// INFO fields of the oracle that name nothing here.
pub const INFO_FIELDS_ELSEWHERE: &[&str] = &[
    // The compiler of C.
    "gcc_version",
    // Counters of the commands that each server's own start-up probes sent.
    "cmdstat_ping",
];

const NUMBERS: &[&str] = &["0", "1", "5", "100", "-1", "abc", "", "1.5", "99999999999999999999", "1kb"];
const MEMORY: &[&str] =
    &["0", "1000", "1kb", "1k", "3mb", "1GB", "10gb", "-1", "abc", "1x", "1 kb", "", "b", "1B"];
const YES_NO: &[&str] = &["yes", "no", "YES", "No", "true", "1", "", "maybe", "yes"];

pub const DIRECTIVES: &[(&str, &[&str])] = &[
    ("acllog-max-len", NUMBERS),
    ("activedefrag", &["no", "yes", "maybe"]),
    ("active-expire-effort", &["1", "10", "0", "11", "x"]),
    ("activerehashing", YES_NO),
    (
        "client-output-buffer-limit",
        &[
            "normal 0 0 0",
            "normal 1mb 512kb 60",
            "replica 256mb 64mb 60 pubsub 32mb 8mb 60",
            "slave 256mb 64mb 61",
            "normal 0 0",
            "foo 0 0 0",
            "normal x 0 0",
            "normal 0 0 -1",
            "",
            "normal 0 0 0 normal 0 0 0",
        ],
    ),
    ("client-query-buffer-limit", &["1mb", "1gb", "1000", "2mb", "x"]),
    ("appendonly", &["no", "yes", "maybe", "no"]),
    ("auto-aof-rewrite-min-size", MEMORY),
    ("auto-aof-rewrite-percentage", NUMBERS),
    ("busy-reply-threshold", NUMBERS),
    ("databases", &["16", "17"]),
    ("dbfilename", &["dump.rdb", "other.rdb", "a/b", "", "dump.rdb"]),
    ("dynamic-hz", YES_NO),
    ("enable-debug-command", &["no", "yes"]),
    ("hash-max-listpack-entries", NUMBERS),
    ("hash-max-listpack-value", MEMORY),
    ("hash-max-ziplist-entries", &["7", "x"]),
    ("hll-sparse-max-bytes", MEMORY),
    ("hz", &["10", "100", "0", "501", "abc", "-5", "10"]),
    ("latency-monitor-threshold", &["0", "100", "-1", "x", "0"]),
    ("lazyfree-lazy-eviction", YES_NO),
    ("lazyfree-lazy-expire", YES_NO),
    ("lazyfree-lazy-server-del", YES_NO),
    ("lazyfree-lazy-user-del", YES_NO),
    ("lazyfree-lazy-user-flush", YES_NO),
    ("lfu-decay-time", NUMBERS),
    ("lfu-log-factor", NUMBERS),
    ("list-compress-depth", NUMBERS),
    ("list-max-listpack-size", &["-2", "-1", "5", "x", "-2"]),
    ("loglevel", &["notice", "debug", "verbose", "warning", "NOTICE", "foo", "notice"]),
    ("maxmemory", &["0", "100mb", "-1", "abc", "1gb", "0"]),
    ("maxmemory-clients", &["0", "1mb", "5%", "101%", "-1", "x", "0"]),
    ("maxmemory-eviction-tenacity", &["10", "0", "100", "101", "-1"]),
    (
        "maxmemory-policy",
        &[
            "allkeys-lru",
            "allkeys-lfu",
            "allkeys-random",
            "volatile-lru",
            "volatile-lfu",
            "volatile-random",
            "volatile-ttl",
            "NOEVICTION",
            "foo",
            "",
            "noeviction",
        ],
    ),
    ("maxmemory-samples", &["5", "10", "0", "x", "65", "5"]),
    ("min-replicas-to-write", &["0", "1", "-1", "x", "0"]),
    ("min-replicas-max-lag", NUMBERS),
    ("notify-keyspace-events", &["", "KEA", "Kx", "q", "AKE", "g$lshzxet", ""]),
    ("oom-score-adj", &["no", "foo"]),
    ("proc-title-template", &["{title} {listen-addr} {server-mode}", "{nosuch}"]),
    ("proto-max-bulk-len", &["512mb", "1mb", "1", "x", "512mb"]),
    ("rdb-save-incremental-fsync", YES_NO),
    ("rdbcompression", YES_NO),
    ("rdbchecksum", &["yes", "no"]),
    ("sanitize-dump-payload", &["no", "yes", "clients", "foo", "no"]),
    ("save", &["3600 1 300 100", "60 1", "", "60", "0 1", "60 -1", "a b", "60 1 x", ""]),
    ("set-max-intset-entries", NUMBERS),
    ("slowlog-log-slower-than", &["-1", "0", "10000", "x", "-1"]),
    ("slowlog-max-len", NUMBERS),
    ("stream-node-max-bytes", MEMORY),
    ("stream-node-max-entries", NUMBERS),
    ("stop-writes-on-bgsave-error", YES_NO),
    ("tcp-keepalive", NUMBERS),
    ("timeout", &["0", "100", "-1", "x", "99999999999", "0"]),
    ("tracking-table-max-keys", NUMBERS),
    ("zset-max-listpack-value", MEMORY),
    ("shutdown-timeout", NUMBERS),
    ("shutdown-on-sigterm", &["default", "save", "nosave now", "save nosave", "foo", "default"]),
    ("appendfsync", &["everysec", "always", "no", "foo", "everysec"]),
    ("nosuch-directive", &["1"]),
    ("maxclients", &["10000", "500", "0", "x", "10000"]),
    ("requirepass", &[""]),
    ("tcp-backlog", &["511"]),
    ("repl-timeout", NUMBERS),
    ("repl-backlog-size", &["1mb", "20000", "3mb", "0", "x", "1mb"]),
    ("replica-priority", NUMBERS),
    ("replica-read-only", YES_NO),
    ("tls-port", &["0", "-1", "x", "70000"]),
    ("zset-max-listpack-entries", NUMBERS),
];
