//! Directives of the process: daemon, log, titles, signals, diagnosis, metrics.

use super::*;
use crate::config::choices::*;
use crate::config::special::*;

pub(super) const TABLE: &[Directive] = &[
    yes_no("daemonize", "no", field!(daemonize)).immutable(),
    choice::<Supervised>("supervised", "no", field!(choice supervised)).immutable(),
    text("pidfile", "", any_text, field!(optional pidfile)).immutable(),
    text("logfile", "", any_text, field!(logfile)).immutable(),
    choice::<LogLevel>("loglevel", "notice", field!(choice loglevel)),
    yes_no("always-show-logo", "no", field!(always_show_logo)).immutable(),
    yes_no("set-proc-title", "yes", field!(set_proc_title)).immutable(),
    text(
        "proc-title-template",
        "{title} {listen-addr} {server-mode}",
        title_template,
        field!(proc_title_template),
    ),
    text("server_cpulist", "", cpu_list, field!(server_cpulist)).newer_alias("server-cpulist").immutable(),
    text("bio_cpulist", "", cpu_list, field!(bio_cpulist)).newer_alias("bio-cpulist").immutable(),
    choice::<OomScoreAdj>("oom-score-adj", "no", field!(choice oom_score_adj)),
    special("oom-score-adj-values", "0 200 800", OOM_SCORES),
    choice::<HugePageUse>("huge-pages", "auto", field!(choice huge_pages)).immutable(),
    yes_no("disable-thp", "yes", field!(disable_thp)).immutable(),
    yes_no("crash-log-enabled", "yes", field!(crash_log_enabled)),
    yes_no("hide-user-data-from-log", "no", field!(hide_user_data_from_log)),
    text("ignore-warnings", "", any_text, field!(ignore_warnings)),
    number("shutdown-timeout", 0..=I32, "10", field!(number shutdown_timeout)),
    special("shutdown-on-sigint", "default", SHUTDOWN_ON_SIGINT),
    special("shutdown-on-sigterm", "default", SHUTDOWN_ON_SIGTERM),
    choice::<Restriction>("enable-debug-command", "no", field!(choice enable_debug_command)).immutable(),
    choice::<Restriction>("enable-protected-configs", "no", field!(choice enable_protected_configs))
        .immutable(),
    choice::<Restriction>("enable-module-command", "no", field!(choice enable_module_command)).immutable(),
    number("hz", 0..=I32, "10", HZ),
    yes_no("dynamic-hz", "yes", field!(dynamic_hz)),
    number("slowlog-log-slower-than", -1..=I64, "10000", field!(number slowlog_log_slower_than))
        .newer_alias("commandlog-execution-slower-than"),
    number("slowlog-max-len", 0..=I64, "128", field!(number slowlog_max_len))
        .newer_alias("commandlog-slow-execution-max-len"),
    number(
        "commandlog-request-larger-than",
        -1..=I64,
        "1048576",
        field!(number commandlog_request_larger_than),
    ),
    number(
        "commandlog-large-request-max-len",
        0..=I64,
        "128",
        field!(number commandlog_large_request_max_len),
    ),
    number("commandlog-reply-larger-than", -1..=I64, "1048576", field!(number commandlog_reply_larger_than)),
    number("commandlog-large-reply-max-len", 0..=I64, "128", field!(number commandlog_large_reply_max_len)),
    number("slowlog-entry-max-argc", 2..=I32, "32", field!(number slowlog_entry_max_argc)),
    number("slowlog-entry-max-string-len", 1..=I64, "128", field!(number slowlog_entry_max_string_len)),
    number("busy-reply-threshold", 0..=I64, "5000", field!(number busy_reply_threshold))
        .alias("lua-time-limit"),
    number("latency-monitor-threshold", 0..=I64, "0", field!(number latency_monitor_threshold)),
    yes_no("latency-tracking", "yes", field!(latency_tracking)),
    special("latency-tracking-info-percentiles", "50 99 99.9", PERCENTILES),
];

/// Any number is accepted and brought between 1 and 500, as in Redis.
const HZ: Store<i128> = Store::Field {
    get: |config| i128::from(config.hz),
    set: |config, hz| config.hz = u32::try_from(hz.clamp(1, 500)).expect("500 fits"),
};
