//! The commands the random conversations are made of.
//!
//! One line per command form, in a small language: a word stands for itself; `a|b` is one of several words;
//! `{class}` is an argument of a class (see `generator`); a leading `?` makes the token optional; a trailing `*`
//! repeats it one to three times; `(x y)*` and `?(x y)` do so with a group. The generator breaks a few of the
//! commands on purpose.

use crate::compare::Rule;

pub struct Template {
    /// How often it is drawn, relative to the others.
    pub weight: u32,
    pub form: &'static str,
    pub rule: Rule,
}

pub const fn exact(weight: u32, form: &'static str) -> Template {
    Template { weight, form, rule: Rule::Exact }
}

pub const fn by(rule: Rule, weight: u32, form: &'static str) -> Template {
    Template { weight, form, rule }
}

/// What belongs to no type but strings. A command that is new needs a line, here or in `tables`.
pub const COMMON: &[Template] = &[
    // Strings.
    exact(30, "SET {key} {value}"),
    exact(12, "SET {key} {value} ?NX|XX ?GET ?{set_expiry}"),
    exact(6, "SET {key} {value} ?{set_expiry} ?GET ?NX|XX|KEEPTTL"),
    exact(3, "SET {key} {value} NX|XX|GET|KEEPTTL|EX|PX|EXAT|PXAT|FOO* ?{bad_time}"),
    exact(30, "GET {key}"),
    exact(6, "GETSET {key} {value}"),
    exact(6, "GETDEL {key}"),
    exact(6, "GETEX {key} ?{set_expiry}"),
    exact(3, "GETEX {key} PERSIST|EX|PXAT|FOO|KEEPTTL ?{bad_time}"),
    exact(5, "SETNX {key} {value}"),
    exact(5, "SETEX {key} {far_seconds} {value}"),
    exact(2, "SETEX {key} {bad_time} {value}"),
    exact(5, "PSETEX {key} {far_ms} {value}"),
    exact(2, "PSETEX {key} {bad_time} {value}"),
    exact(12, "APPEND {key} {value}"),
    exact(8, "STRLEN {key}"),
    exact(12, "SETRANGE {key} {offset} {value}"),
    exact(12, "GETRANGE {key} {index} {index}"),
    exact(4, "SUBSTR {key} {index} {index}"),
    exact(12, "INCR {key}"),
    exact(8, "DECR {key}"),
    exact(12, "INCRBY {key} {int}"),
    exact(8, "DECRBY {key} {int}"),
    exact(14, "INCRBYFLOAT {key} {float}"),
    exact(10, "MSET ({key} {value})*"),
    exact(5, "MSETNX ({key} {value})*"),
    exact(10, "MGET {key}*"),
    exact(6, "LCS {key} {key} ?LEN|IDX ?(MINMATCHLEN {small}) ?WITHMATCHLEN"),
    exact(1, "LCS {key} {key} LEN IDX|FOO"),
    // Keys.
    exact(8, "DEL {key}*"),
    exact(4, "UNLINK {key}*"),
    exact(8, "EXISTS {key}*"),
    exact(4, "TOUCH {key}*"),
    exact(8, "TYPE {key}"),
    exact(6, "RENAME {key} {key}"),
    exact(5, "RENAMENX {key} {key}"),
    exact(6, "COPY {key} {key} ?(DB {db}) ?REPLACE"),
    exact(1, "COPY {key} {key} REPLACE|DB|FOO ?{bad_int}"),
    exact(5, "MOVE {key} {db}"),
    by(Rule::Sorted, 4, "KEYS {pattern}"),
    by(Rule::Shape, 3, "RANDOMKEY"),
    // Not with TYPE: each key it meets would count as a hit, and one call meets others there.
    by(Rule::Shape, 2, "SCAN {cursor} ?(MATCH {pattern}) ?(COUNT {count})"),
    exact(5, "EXPIRE {key} {far_seconds} ?NX|XX|GT|LT"),
    exact(5, "PEXPIRE {key} {far_ms} ?NX|XX|GT|LT"),
    exact(6, "EXPIREAT {key} {at_seconds} ?NX|XX|GT|LT"),
    exact(6, "PEXPIREAT {key} {at_ms} ?NX|XX|GT|LT"),
    exact(3, "EXPIRE|PEXPIRE|EXPIREAT|PEXPIREAT {key} {bad_time} NX|XX|GT|LT|FOO*"),
    exact(2, "EXPIRE|PEXPIRE {key} 0|-1|-100000"),
    by(Rule::Near(2), 5, "TTL {key}"),
    by(Rule::Near(5_000), 5, "PTTL {key}"),
    by(Rule::Near(2), 4, "EXPIRETIME {key}"),
    by(Rule::Near(5_000), 6, "PEXPIRETIME {key}"),
    exact(6, "PERSIST {key}"),
    by(Rule::Encoding, 16, "OBJECT ENCODING {key}"),
    // The oracle counts the references of queued arguments too, and shares fewer integers after COPY.
    by(Rule::Shape, 3, "OBJECT REFCOUNT {key}"),
    exact(2, "OBJECT FREQ {key}"),
    by(Rule::Near(10), 2, "OBJECT IDLETIME {key}"),
    exact(1, "OBJECT HELP|FOO|ENCODING|REFCOUNT"),
    by(Rule::Shape, 4, "DUMP {key}"),
    exact(8, "RESTORE {key} 0 {payload} ?REPLACE"),
    exact(3, "RESTORE {key} {at_ms} {payload} ABSTTL ?REPLACE"),
    exact(2, "RESTORE {key} {far_ms} {payload} ?REPLACE ?(IDLETIME {small}) ?(FREQ {small})"),
    exact(2, "RESTORE {key} {bad_time} {payload} REPLACE|FOO|ABSTTL|IDLETIME|FREQ* ?{bad_time}"),
    // Transactions.
    exact(8, "MULTI"),
    exact(10, "EXEC"),
    exact(2, "DISCARD"),
    exact(6, "WATCH {key}*"),
    exact(2, "UNWATCH"),
    // Databases.
    exact(5, "SELECT {db}"),
    exact(2, "SWAPDB {db} {db}"),
    exact(1, "FLUSHDB ?ASYNC|SYNC|FOO"),
    exact(1, "FLUSHALL ?ASYNC|SYNC|FOO"),
    exact(5, "DBSIZE"),
    // Messages: subscriptions are in conversations of their own.
    exact(2, "PUBLISH|SPUBLISH {value} {value}"),
    exact(1, "PUBSUB CHANNELS|SHARDCHANNELS|NUMPAT|NUMSUB|SHARDNUMSUB|FOO ?{value} ?{value}"),
    exact(1, "UNSUBSCRIBE|PUNSUBSCRIBE|SUNSUBSCRIBE ?{value}"),
    // Connection.
    exact(3, "PING ?{value}"),
    exact(2, "ECHO {value}"),
    exact(2, "CLIENT SETNAME {name}"),
    exact(2, "CLIENT GETNAME"),
    exact(1, "CLIENT NO-EVICT ON|OFF|FOO"),
    exact(1, "CLIENT REPLY ON|FOO"),
    exact(1, "CLIENT KILL {value}"),
    exact(1, "CLIENT KILL 1.2.3.4:5"),
    exact(1, "CLIENT KILL ID|TYPE|USER|ADDR|LADDR|SKIPME|FOO x|0|-1|99999999|"),
    exact(1, "CLIENT KILL ID 99999999 ?(TYPE normal|master|replica|pubsub|foo) ?(SKIPME yes|no|foo)"),
    exact(1, "CLIENT PAUSE x|-1|1.5| ?WRITE|ALL|FOO"),
    exact(1, "CLIENT UNPAUSE"),
    exact(1, "CLIENT UNBLOCK {bad_int}|99999 ?TIMEOUT|ERROR|FOO"),
    by(Rule::Shape, 1, "CLIENT LIST TYPE|ID|FOO x|0|-1|"),
    by(Rule::Shape, 1, "CLIENT LIST ID 99999 x|88888"),
    exact(1, "CLIENT FOO|GETNAME|ID|INFO|LIST|KILL {value} {value} {value}"),
    by(Rule::Shape, 1, "HELLO {bad_int}|1|4"),
    by(Rule::Shape, 2, "HELLO 2|3 ?SETNAME|AUTH|FOO ?{value}"),
    by(Rule::Shape, 1, "HELLO 2|3 AUTH {name} {value}"),
    exact(1, "AUTH {value} ?{value} ?{value}"),
    exact(2, "RESET"),
    // Admin.
    by(Rule::Sorted, 1, "CONFIG GET maxmemory|hz|save|dbfilename|timeout|nosuch|appendonly ?hz|databases"),
    exact(1, "CONFIG GET|SET|FOO|RESETSTAT|REWRITE {value}"),
    exact(1, "CONFIG SET {name} {value} ?({name} {value})"),
    exact(1, "COMMAND GETKEYS|GETKEYSANDFLAGS {any_command}"),
    exact(1, "COMMAND GETKEYS|GETKEYSANDFLAGS"),
    exact(1, "COMMAND INFO nosuch|"),
    exact(1, "COMMAND FOO|COUNT|LIST {value}"),
    exact(1, "COMMAND LIST FILTERBY MODULE|ACLCAT|PATTERN|FOO {name}"),
    exact(1, "SLOWLOG LEN|RESET|FOO ?{bad_int}"),
    exact(1, "SLOWLOG GET ?{bad_int}"),
    exact(1, "LATENCY RESET|LATEST|FOO|HISTORY|HELP ?{name}"),
    exact(1, "MEMORY HELP|FOO|USAGE"),
    // The oracle counts keys whose time is over too, until something else looks at them.
    by(Rule::Answered, 2, "MEMORY USAGE {key} ?(SAMPLES {small})"),
    by(Rule::Answered, 1, "MEMORY USAGE {key} SAMPLES|FOO {bad_int}"),
    exact(1, "DEBUG SET-ACTIVE-EXPIRE 0"),
    exact(1, "DEBUG SLEEP 0"),
    exact(1, "DEBUG FOO {value}"),
    exact(1, "SAVE|BGSAVE|LASTSAVE|TIME|DBSIZE {value} {value}"),
    exact(1, "SHUTDOWN ABORT|FOO ?NOSAVE|SAVE"),
    exact(2, "{unknown} {value}"),
    exact(1, "{unknown} {value}* {value}*"),
];
