//! Sets.

use crate::compare::Rule;
use crate::table::{Template, by, exact};

pub const TEMPLATES: &[Template] = &[
    exact(20, "SADD {set} {member}*"),
    exact(12, "SADD {set} {integer}* {integer}* {integer}*"),
    exact(10, "SREM {set} {member}*"),
    exact(5, "SREM {set} {integer}*"),
    exact(8, "SISMEMBER {set} {member}"),
    exact(5, "SMISMEMBER {set} {member}* {integer}*"),
    exact(6, "SCARD {set}"),
    by(Rule::Sorted, 8, "SMEMBERS {set}"),
    exact(6, "SMOVE {set} {set} {member}|7"),
    by(Rule::Sorted, 2, "SPOP {set} 1000000"),
    exact(1, "SPOP {set} x|-1|1.5|9223372036854775808"),
    exact(1, "SPOP {set} 0"),
    by(Rule::Shape, 4, "SRANDMEMBER {set}"),
    by(Rule::Sorted, 3, "SRANDMEMBER {set} 1000000"),
    exact(1, "SRANDMEMBER {set} 0|x|1.5|-9223372036854775808|9223372036854775808"),
    by(Rule::Sorted, 8, "SINTER|SUNION|SDIFF {set}*"),
    exact(8, "SINTERSTORE|SUNIONSTORE|SDIFFSTORE {set} {set}*"),
    exact(5, "SINTERCARD 1|2|x|0|-1 {set} {set} ?(LIMIT {few})"),
    exact(4, "SINTERCARD 2 {set} {set} ?(LIMIT {few})"),
    by(Rule::Scan, 5, "SSCAN {set} 0|x ?(MATCH {pattern}) COUNT 1000000"),
    by(Rule::Shape, 1, "SSCAN {set} {cursor} ?(COUNT {count}) ?FOO"),
    by(Rule::Encoding, 8, "OBJECT ENCODING {set}"),
    by(Rule::Shape, 2, "DUMP {set}"),
    exact(3, "DEL|UNLINK|TYPE|EXISTS {set}"),
    exact(2, "RENAME|COPY {set} {set}"),
    exact(3, "DEBUG DIGEST-VALUE {set}"),
    exact(1, "CONFIG SET set-max-intset-entries 512|4|8"),
];
