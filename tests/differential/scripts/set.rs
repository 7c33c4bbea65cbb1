//! Sets.

use super::Script;

pub const SCRIPTS: &[Script] = &[
    Script {
        name: "sets",
        lines: r#"
            SETUP
            % SISMEMBER set|ints {word}|{i64}|{bad}
            % SMISMEMBER set|ints|none|str a 1 "" 3 01 9223372036854775807 9223372036854775808
            % SISMEMBER|SCARD|SMEMBERS|SPOP none|str
            % SMOVE set|ints|none|str set2|ints|set|str a|1|nosuch
            #SMEMBERS set2
            % SREM ints {i64}|{bad}
            SCARD ints
            % SADD ints {i64}|-5|70000
            ! OBJECT ENCODING ints
            #SMEMBERS ints
            SETUP
            SADD other a 1 2 3 300 zz
            #SINTER set other
            #SUNION set other ints
            #SDIFF set other
            #SDIFF set set
            #SDIFF none set
            #SUNION none none
            #% SINTER|SUNION|SDIFF set none|str|list
            #% SINTER|SUNION|SDIFF none|str|list set
            % SINTERSTORE|SUNIONSTORE|SDIFFSTORE d|str|none set other|none|str ; TYPE d ; TYPE str ; SCARD d
            % SINTERSTORE|SUNIONSTORE|SDIFFSTORE set set other ; SCARD set
            SETUP
            SADD other a 1 2 3 300 zz
            % SINTERCARD {i64}|{bad} set
            % SINTERCARD 2 set other|none|str|set ?(LIMIT {i64}|{bad})
            SINTERCARD 2 set other LIMIT
            SINTERCARD 2 set other LIMIT 1 LIMIT 2
            SINTERCARD 1 set other
            SINTERCARD 2 set other FOO 1
            % SPOP set {bad}|-1|-9223372036854775808|9223372036854775808|0
            % SPOP none 1|0|5|9223372036854775807
            SPOP set 1 2
            #SPOP set 9223372036854775807
            EXISTS set
            % SADD s1 only ; SPOP s1 ?1|2 ; EXISTS s1
            SADD s1 only
            % SRANDMEMBER s1|none ?0|1|5|-1|-3|9223372036854775807
            % SRANDMEMBER s1 {bad}|-9223372036854775808|9223372036854775808
            % SSCAN s1 0 ?(MATCH o*|x) ?(COUNT 10|9223372036854775807)
            % SSCAN s1 0 COUNT {bad}|0|-1
            % SSCAN none|str 0
            SSCAN s1 0 NOVALUES
            SADD bin "\r\n" "\x00" "" "\x00\x00"
            % SISMEMBER bin "\r\n"|"\x00"|""|"\x00\x00"|"\x00\x00\x00"
            #SMEMBERS bin
            SREM bin "" "\x00"
            SCARD bin
            DEBUG DIGEST-VALUE bin ints
        "#,
    },
    Script {
        name: "sets: intsets of every width",
        lines: r#"
            % SADD i 1|-1|32767|-32768|32768|-32769|2147483647|-2147483648|2147483648|-2147483649|9223372036854775807|-9223372036854775808 ; DEBUG DIGEST-VALUE i ; OBJECT ENCODING i
            SMEMBERS i
            % SISMEMBER i 0|1|32767|32768|2147483648|-9223372036854775808|9223372036854775806
            SREM i -9223372036854775808 9223372036854775807
            SMEMBERS i
            SADD i +1
            ! OBJECT ENCODING i
            #SMEMBERS i
        "#,
    },
];
