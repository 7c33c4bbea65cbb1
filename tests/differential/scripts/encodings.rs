//! The word OBJECT ENCODING has for each type below, at and above every threshold. Small lists, and small sets of
//! texts, are listpacks since Redis 7.2: the oracle says `quicklist` and `hashtable` there.

use super::Script;

pub const SCRIPTS: &[Script] = &[
    Script {
        name: "encodings",
        lines: r#"
            CONFIG SET hash-max-listpack-entries 5 hash-max-listpack-value 10
            @5 HSET h f$ v
            OBJECT ENCODING h
            HSET h f5 w
            OBJECT ENCODING h
            HSET h f6 v
            OBJECT ENCODING h
            HDEL h f1 f2 f3 f4
            OBJECT ENCODING h
            HSET h2 f 1234567890
            OBJECT ENCODING h2
            HSET h2 f 12345678901
            OBJECT ENCODING h2
            HSET h3 12345678901 v
            OBJECT ENCODING h3
            HSET h4 f v
            HSETNX h4 g 12345678901
            OBJECT ENCODING h4
            HSET h5 f v
            HINCRBYFLOAT h5 g 0.12345678901234567
            OBJECT ENCODING h5
            HSET h6 f 1
            HINCRBY h6 f 12345678901
            OBJECT ENCODING h6
            @5 HSETNX h7 f$ v
            OBJECT ENCODING h7
            HINCRBY h7 f6 1
            OBJECT ENCODING h7
            % HSET h8 a 1 b 2 c 3 d 4 e 5 f 6
            OBJECT ENCODING h8
            HSET h9 a 1 a 2 a 3 a 4 a 5 a 6
            OBJECT ENCODING h9
            CONFIG SET hash-max-listpack-entries 0
            HSET h10 a 1
            OBJECT ENCODING h10
            CONFIG SET hash-max-listpack-entries 512 hash-max-listpack-value 64
            HSET h8 g 7
            OBJECT ENCODING h8
            CONFIG SET zset-max-listpack-entries 5 zset-max-listpack-value 10
            @5 ZADD z $ m$
            OBJECT ENCODING z
            ZADD z 9 m5
            OBJECT ENCODING z
            ZADD z 9 m6
            OBJECT ENCODING z
            ZREM z m1 m2 m3 m4 m5
            OBJECT ENCODING z
            ZADD z2 1 1234567890
            OBJECT ENCODING z2
            ZADD z2 1 12345678901
            OBJECT ENCODING z2
            ZADD z3 1 a 2 b 3 c 4 d 5 e
            OBJECT ENCODING z3
            ZINCRBY z3 1 f
            OBJECT ENCODING z3
            % ZUNIONSTORE z4 1 z3 ; OBJECT ENCODING z4
            % ZRANGESTORE z4 z3 0 4|5 ; OBJECT ENCODING z4
            % ZINTERSTORE z4 2 z3 z3 ; OBJECT ENCODING z4
            ZADD one 1 a
            % ZDIFFSTORE z4 2 z3 one|none ; OBJECT ENCODING z4
            % GEOADD g 1 1 a 2 2 b 3 3 c 4 4 d 5 5 e ; OBJECT ENCODING g
            GEOADD g 6 6 f
            OBJECT ENCODING g
            % GEOSEARCHSTORE g2 g FROMLONLAT 3 3 BYRADIUS 200|100000 km ; OBJECT ENCODING g2
            CONFIG SET zset-max-listpack-entries 0
            ZADD z5 1 a
            OBJECT ENCODING z5
            CONFIG SET zset-max-listpack-entries 128 zset-max-listpack-value 64
            CONFIG SET set-max-intset-entries 5
            % SADD s 1|2|3|4|5 ; OBJECT ENCODING s
            SADD s 5
            OBJECT ENCODING s
            SADD s 6
            ! OBJECT ENCODING s
            SADD s2 1 2
            SADD s2 x
            ! OBJECT ENCODING s2
            SREM s2 x
            ! OBJECT ENCODING s2
            SUNIONSTORE s3 s
            ! OBJECT ENCODING s3
            SADD s4 1 2 3
            SINTERSTORE s3 s4
            ! OBJECT ENCODING s3
            SDIFFSTORE s3 s s4
            ! OBJECT ENCODING s3
            SADD s5 1 2 3 4 5 6
            ! OBJECT ENCODING s5
            SMOVE s5 s4 6
            OBJECT ENCODING s4
            CONFIG SET set-max-intset-entries 0
            SADD s6 1
            ! OBJECT ENCODING s6
            CONFIG SET set-max-intset-entries 512
            @129 SADD s7 m$
            OBJECT ENCODING s7
            SADD s8 0123456789012345678901234567890123456789012345678901234567890123456789
            OBJECT ENCODING s8
            RPUSH l a
            ! OBJECT ENCODING l
            CONFIG SET list-max-listpack-size 4
            @5 RPUSH l2 $
            OBJECT ENCODING l2
            CONFIG SET list-max-listpack-size -1
            @60 RPUSH l3 01234567890123456789012345678901234567890123456789012345678901234567890123456789
            OBJECT ENCODING l3
            CONFIG SET list-max-listpack-size -2
            XADD x 1-1 f v
            OBJECT ENCODING x
            PFADD p a
            OBJECT ENCODING p
            SETBIT b 1 1
            OBJECT ENCODING b
            % SET i 1|9999|10000|9223372036854775807|-1|1.0|abc ; OBJECT ENCODING i
            % SET i 12 ; APPEND i ""|3 ; OBJECT ENCODING i
            SETRANGE i 0 1
            OBJECT ENCODING i
            % SET f 1.5 ; INCRBYFLOAT f 1|0.5 ; OBJECT ENCODING f
            % COPY h8|z|s|l|i|f c REPLACE ; TYPE c
            ! OBJECT ENCODING c
        "#,
    },
    Script {
        name: "encodings at the defaults",
        lines: r#"
            @512 HSET h f$ v
            OBJECT ENCODING h
            HSET h f513 v
            OBJECT ENCODING h
            @128 ZADD z $ m$
            OBJECT ENCODING z
            ZADD z 1 m129
            OBJECT ENCODING z
            @512 SADD s $
            OBJECT ENCODING s
            SADD s 513
            OBJECT ENCODING s
            HSET h2 f 0123456789012345678901234567890123456789012345678901234567890123
            OBJECT ENCODING h2
            HSET h2 f 01234567890123456789012345678901234567890123456789012345678901234
            OBJECT ENCODING h2
            ZADD z2 1 0123456789012345678901234567890123456789012345678901234567890123
            OBJECT ENCODING z2
            ZADD z2 1 01234567890123456789012345678901234567890123456789012345678901234
            OBJECT ENCODING z2
            DEBUG RELOAD
            OBJECT ENCODING h
            OBJECT ENCODING z
            OBJECT ENCODING s
            OBJECT ENCODING h2
            OBJECT ENCODING z2
            #KEYS *
        "#,
    },
];
