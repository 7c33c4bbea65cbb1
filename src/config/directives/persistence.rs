//! Directives of snapshots and loading.

use super::*;
use crate::config::choices::{BgsaveIonice, RdbVersion, RdbVersionCheck, Sanitize};
use crate::config::special::*;

pub(super) const TABLE: &[Directive] = &[
    special("dir", ".", DIR).one_word().protected().denied_while_loading(),
    text("dbfilename", "dump.rdb", file_name, field!(dbfilename)).protected(),
    special("save", "3600 1 300 100 60 10000", SAVE),
    yes_no("rdbcompression", "yes", field!(rdbcompression)),
    yes_no("rdbchecksum", "yes", field!(rdbchecksum)).immutable(),
    yes_no("rdb-save-incremental-fsync", "yes", field!(rdb_save_incremental_fsync)),
    yes_no("stop-writes-on-bgsave-error", "yes", field!(stop_writes_on_bgsave_error)),
    choice::<Sanitize>("sanitize-dump-payload", "no", field!(choice sanitize_dump_payload)),
    choice::<RdbVersion>("rdb-version", "auto", field!(choice rdb_version)).alias("rdb-save-version"),
    choice::<RdbVersionCheck>("rdb-version-check", "strict", field!(choice rdb_version_check)),
    yes_no("rdb-skip-unknown", "no", field!(rdb_skip_unknown)),
    number("rdb-save-threads", 0..=64, "0", field!(number rdb_save_threads)),
    number("rdb-load-threads", 0..=4, "0", field!(number rdb_load_threads)),
    number("rdb-save-max-mbps", 0..=1_000_000, "0", field!(number rdb_save_max_mbps)),
    number("bgsave-nice", 0..=19, "19", field!(number bgsave_nice)),
    choice::<BgsaveIonice>("bgsave-ionice", "default", field!(choice bgsave_ionice)),
    text("bgsave_cpulist", "", cpu_list, field!(bgsave_cpulist)).newer_alias("bgsave-cpulist").immutable(),
    text("snapshot-lock", "", any_text, field!(snapshot_lock)),
    number("child-timeout", 0..=I32, "600", field!(number child_timeout)),
    number("snapshot-keep", 0..=1_000_000, "0", field!(number snapshot_keep)),
    yes_no("snapshot-fallback", "no", field!(snapshot_fallback)),
    number("rdb-key-save-delay", I32_MIN..=I32, "0", field!(number rdb_key_save_delay)).hidden(),
    number("key-load-delay", I32_MIN..=I32, "0", field!(number key_load_delay)).hidden(),
    number(
        "loading-process-events-interval-bytes",
        1024..=I32,
        "2097152",
        field!(number loading_process_events_interval_bytes),
    )
    .hidden(),
];
