//! Lists.

use super::Script;

pub const SCRIPTS: &[Script] = &[
    Script {
        name: "lists: reading",
        lines: r#"
            SETUP
            % LRANGE list {i64} {i64}
            % LRANGE list {bad} 0
            % LRANGE list 0 {bad}
            % LINDEX list {i64}|{bad}
            % LLEN|LPOP|RPOP {key}
            SETUP
            % LPOS list b ?(RANK 1|-1|2|-2|4|0|9223372036854775807|-9223372036854775807|x) ?(COUNT 0|1|2|-1|9223372036854775807) ?(MAXLEN 0|1|2|7|-1|9223372036854775807)
            % LPOS list {word} ?(RANK -1) ?(COUNT 0)
            % LPOS list b RANK|COUNT|MAXLEN {bad}
            % LPOS list b RANK|COUNT|MAXLEN|FOO
            % LPOS list b COUNT 1 RANK 2 COUNT 3 RANK -1
            % LPOS none b ?(COUNT 1)
            % LPOS list -7|-07|9223372036854775807|9223372036854775808
        "#,
    },
    Script {
        name: "lists: changing",
        lines: r#"
            SETUP
            % COPY list l REPLACE ; LSET l {i64}|{bad} v ; LRANGE l 0 -1
            LSET none 0 v
            LSET none x v
            % COPY list l REPLACE ; LTRIM l {i64} {i64} ; LRANGE l 0 -1 ; EXISTS l
            % LTRIM list {bad} 0
            % LTRIM none {bad}|1 1
            % COPY list l REPLACE ; LINSERT l BEFORE|after|FOO {word} v ; LRANGE l 0 -1
            % COPY list l REPLACE ; LINSERT l BEFORE|AFTER -7|9223372036854775807 "\x00\r\n" ; LRANGE l 0 -1
            LINSERT none BEFORE a b
            % COPY list l REPLACE ; LREM l {i64}|2|-2 b|1|""|nosuch ; LRANGE l 0 -1
            % LREM list {bad} b
            LREM none 0 b
            % COPY list l REPLACE ; LPOP|RPOP l ?{i64}|{bad} ; LRANGE l 0 -1 ; EXISTS l
            % LPOP|RPOP none ?{i64}|{bad}
            % LPUSH|RPUSH|LPUSHX|RPUSHX l|nosuch {word} 1 "" ; LRANGE l 0 -1
            DEL nosuch l
            % RPUSH l a b c ; LMOVE l l LEFT|RIGHT LEFT|RIGHT ; LRANGE l 0 -1
            % LMOVE l other left|FOO right|BAR ; LRANGE l 0 -1 ; LRANGE other 0 -1
            % LMOVE none l LEFT LEFT ; LMOVE list str LEFT LEFT ; LMOVE none str LEFT LEFT ; LRANGE list 0 -1
            % RPOPLPUSH l|none|str|list l|none|str|hash
            % BLMOVE|BRPOPLPUSH l other LEFT LEFT 0.001
            % BRPOPLPUSH l|str|none other|str 0.001|-1|x|nan|inf
            % BLMOVE l|str|none other|str LEFT RIGHT 0.001|-1|x|nan|inf
            % BLPOP|BRPOP l|none|str none|list 0.001|0.0001|-1|x|1e-300
            % BLPOP l|none str 0.001
            % LMPOP {i64}|{bad} list LEFT
            % RPUSH l a b c d ; LMPOP 2 none l LEFT|RIGHT|FOO ?(COUNT {i64}|{bad}) ; LRANGE l 0 -1
            % LMPOP 1|2 none str LEFT ?(COUNT 1)
            LMPOP 1 l LEFT COUNT 1 COUNT 2
            LMPOP 1 l LEFT COUNT
            LMPOP 1 l
            LMPOP 3 l LEFT
            RPUSH l a b c
            % BLMPOP 0.001|-1|x 2 none l LEFT|FOO ?(COUNT 2)
            % BLMPOP 0.001 1 none|str LEFT
            MULTI
            BLPOP none 0
            BRPOP none 0
            BLMOVE none l LEFT LEFT 0
            BRPOPLPUSH none l 0
            BLMPOP 0 1 none LEFT
            BLPOP none list 0
            EXEC
        "#,
    },
    Script {
        name: "lists: nodes",
        lines: r#"
            CONFIG SET list-max-listpack-size 4 list-compress-depth 1
            @40 RPUSH l v$
            @9 LINSERT l AFTER v17 w$
            @9 LINSERT l BEFORE v20 x$
            LREM l 0 v18
            LREM l -1 w9
            LSET l 21 y
            LRANGE l 0 -1
            LPOS l v39
            LPOS l v2 RANK -1
            % LINDEX l 0|3|4|5|17|25|-1|-5|56|57
            LTRIM l 5 -6
            LRANGE l 0 -1
            % LPOP|RPOP l ?5
            LRANGE l 0 -1
            % LPOS l v10|w3|x4 ?(RANK -1) ?(COUNT 0) ?(MAXLEN 5)
            CONFIG SET list-max-listpack-size -2 list-compress-depth 0
        "#,
    },
];
