//! Hashes.

use crate::compare::Rule;
use crate::table::{Template, by, exact};

pub const TEMPLATES: &[Template] = &[
    exact(24, "HSET {hash} ({field} {element})*"),
    exact(6, "HSET {hash} ({field} {element})* ({field} {element})* ({field} {element})*"),
    exact(4, "HMSET {hash} ({field} {element})*"),
    exact(6, "HSETNX {hash} {field} {element}"),
    exact(14, "HGET {hash} {field}"),
    exact(8, "HMGET {hash} {field}*"),
    by(Rule::Sorted, 8, "HGETALL {hash}"),
    by(Rule::Sorted, 5, "HKEYS|HVALS {hash}"),
    exact(6, "HLEN {hash}"),
    exact(6, "HEXISTS|HSTRLEN {hash} {field}"),
    exact(10, "HDEL {hash} {field}*"),
    exact(8, "HINCRBY {hash} {field} {int}"),
    exact(8, "HINCRBYFLOAT {hash} {field} {float}"),
    by(Rule::Shape, 4, "HRANDFIELD {hash}"),
    by(Rule::Sorted, 3, "HRANDFIELD {hash} 1000 ?WITHVALUES"),
    exact(2, "HRANDFIELD {hash} {not_int} ?WITHVALUES|FOO"),
    exact(1, "HRANDFIELD {hash} 0 WITHVALUES"),
    by(Rule::Scan, 5, "HSCAN {hash} {start} ?(MATCH {pattern}) COUNT 1000000"),
    by(Rule::Shape, 2, "HSCAN {hash} {cursor} ?(COUNT {count}) ?FOO|TYPE"),
    by(Rule::Encoding, 8, "OBJECT ENCODING {hash}"),
    by(Rule::Shape, 2, "DUMP {hash}"),
    exact(3, "DEL|UNLINK|TYPE|EXISTS {hash}"),
    exact(2, "RENAME|COPY {hash} {hash}"),
    exact(3, "DEBUG DIGEST-VALUE {hash}"),
    exact(1, "CONFIG SET hash-max-listpack-entries 512|4|8"),
    exact(1, "CONFIG SET hash-max-listpack-value 64|16"),
];
