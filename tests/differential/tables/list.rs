//! Lists.

use crate::compare::Rule;
use crate::table::{Template, by, exact};

pub const TEMPLATES: &[Template] = &[
    exact(20, "LPUSH|RPUSH {list} {element}*"),
    exact(8, "LPUSH|RPUSH {list} {element}* {element}* {element}* {element}*"),
    exact(4, "LPUSHX|RPUSHX {list} {element}*"),
    exact(10, "LPOP|RPOP {list} ?{few}"),
    exact(2, "LPOP|RPOP {list} {bad_int}"),
    exact(6, "LLEN {list}"),
    exact(10, "LINDEX {list} {index}"),
    exact(10, "LINSERT {list} BEFORE|AFTER|FOO {element} {element}"),
    exact(10, "LSET {list} {index} {element}"),
    exact(14, "LRANGE {list} {index} {index}"),
    exact(3, "LTRIM {list} {index} {index}"),
    exact(10, "LREM {list} {index} {element}"),
    exact(10, "LPOS {list} {element} ?(RANK {rank}) ?(COUNT {few}) ?(MAXLEN {few})"),
    exact(2, "LPOS {list} {element} RANK|COUNT|MAXLEN|FOO {not_int}"),
    exact(8, "LMOVE {list} {list} LEFT|RIGHT|FOO LEFT|RIGHT"),
    exact(5, "RPOPLPUSH {list} {list}"),
    exact(5, "LMPOP 1|2|x|0 {list} {list} LEFT|RIGHT ?(COUNT {few})"),
    exact(5, "LMPOP 2 {list} {list} LEFT|RIGHT|FOO ?(COUNT {few})"),
    exact(3, "BLPOP|BRPOP {list} {list} 0.01"),
    exact(1, "BLPOP|BRPOP {list} {not_timeout}"),
    exact(2, "BLMOVE {list} {list} LEFT|RIGHT LEFT|RIGHT 0.01"),
    exact(2, "BRPOPLPUSH {list} {list} 0.01"),
    exact(2, "BLMPOP 0.01 2 {list} {list} LEFT|RIGHT ?(COUNT {few})"),
    by(Rule::Encoding, 8, "OBJECT ENCODING {list}"),
    by(Rule::Shape, 2, "DUMP {list}"),
    exact(3, "DEL|UNLINK|TYPE|EXISTS {list}"),
    exact(2, "RENAME|COPY {list} {list}"),
    exact(2, "EXPIRE {list} {far_seconds}"),
    exact(3, "DEBUG DIGEST-VALUE {list}"),
    exact(1, "CONFIG SET list-max-listpack-size -2|-1|5|20|128"),
    exact(1, "CONFIG SET list-compress-depth 0|1|2"),
];
