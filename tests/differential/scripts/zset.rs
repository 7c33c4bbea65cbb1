//! Sorted sets.

use super::Script;

pub const SCRIPTS: &[Script] = &[
    Script {
        name: "sorted sets: ZADD",
        lines: r#"
            SETUP
            % DEL z ; ZADD z 5 m 1 n ; ZADD z ?NX|XX ?GT|LT ?CH ?INCR 4|6|5|inf|-inf|nan m ; ZRANGE z 0 -1 WITHSCORES
            % DEL z ; ZADD z 5 m ; ZADD z ?NX|XX|GT|LT ?CH 4 m 6 m 1 new 2 new ; ZRANGE z 0 -1 WITHSCORES
            % ZADD z NX XX|GT|LT 1 m
            % ZADD z GT LT 1 m
            % ZADD z INCR 1 m 2 n
            % ZADD z {float} m ; ZSCORE z m
            % ZADD z 1 a {float} b ; ZSCORE z a
            % ZADD z CH|NX|INCR|FOO
            % ZADD z CH 1|m
            % ZADD z 1 a 2
            % DEL z ; ZADD z {float} m ; ZINCRBY z {float} m ; ZSCORE z m
            % DEL z ; ZADD z XX INCR 1 m ; EXISTS z ; ZADD z XX 1 m ; EXISTS z
            ZADD z inf m
            % ZINCRBY z -inf|inf|nan m ; ZADD z INCR -inf m
            ZADD z 0 m
            % ZADD z INCR NX|XX|GT|LT 0|1|-1 m ; ZSCORE z m
            % ZADD str|none ?INCR 1 m ; DEL none
            % ZADD z 0.1|1e15|1e17|123456789.123456789|3.0|-0.5|1e-5|0.0001|1e21|100000000000000000000 m ; ZSCORE z m ; ZRANGE z 0 -1 WITHSCORES
            % ZSCORE|ZRANK|ZREVRANK|ZREM {key} a
            SETUP
            % ZMSCORE zset|none|str a "" nosuch "x\x00\r\n" low
            % ZRANK|ZREVRANK|ZSCORE zset {word}
            % ZREM zset {word} ; ZCARD zset
        "#,
    },
    Script {
        name: "sorted sets: ZRANGE",
        lines: r#"
            SETUP
            % ZRANGE zset {i64} {i64} ?REV ?WITHSCORES
            % ZREVRANGE zset {i64} {i64} ?WITHSCORES
            % ZRANGE zset -inf|(1|1|2.5|(inf 1|(2.5|2|+inf|(-inf BYSCORE ?REV ?(LIMIT 0|1|-1 0|1|-1) ?WITHSCORES
            % ZRANGE zset 1 {float}|({float} BYSCORE
            % ZRANGE zset ({float}|(|((1|[1 inf BYSCORE
            % ZRANGE lex -|[a|(a|[|(|+ +|[c|(c|[|(cc|- BYLEX ?REV ?(LIMIT 0|1|-1 0|2|-1)
            % ZRANGE lex a|""|x|-1 +|[c|c BYLEX
            % ZRANGE zset 0 -1 BYSCORE|BYLEX|REV|LIMIT|WITHSCORES|FOO BYSCORE|BYLEX|REV|LIMIT|WITHSCORES|FOO
            % ZRANGE zset 0 -1 LIMIT 0 1
            % ZRANGE zset 0 1 BYSCORE LIMIT {bad} 1
            % ZRANGE zset 0 1 BYSCORE LIMIT 0 {bad}|{i64}
            % ZRANGE zset {bad} 1
            % ZRANGE|ZREVRANGE {key} 0 -1
            % ZRANGEBYSCORE|ZREVRANGEBYSCORE zset -inf|1|(1|inf 1|(2.5|inf|-inf ?WITHSCORES ?(LIMIT 0|1|-1 0|1|-1)
            % ZRANGEBYSCORE zset 0 1 LIMIT 0
            % ZRANGEBYSCORE zset 0 1 LIMIT x 1
            % ZRANGEBYSCORE zset 0 1 FOO
            % ZRANGEBYLEX|ZREVRANGEBYLEX lex -|[a|(a|+ +|[c|(cc|- ?(LIMIT 0|1|-1 0|2|-1)
            % ZRANGEBYLEX lex - + WITHSCORES
            % ZCOUNT zset -inf|1|(1|inf|nan|x 1|(2.5|inf|-inf|nan|""
            % ZLEXCOUNT lex -|[a|(a|+|x +|[c|(cc|-|x
            % ZRANGESTORE d zset 0|-1|5|(1 -1|2|inf ?BYSCORE ?REV ; ZRANGE d 0 -1 WITHSCORES
            % ZRANGESTORE d zset -inf|1 inf|3 BYSCORE ?(LIMIT 0|1|-1 0|1|-1) ; ZRANGE d 0 -1 WITHSCORES
            % ZRANGESTORE d lex -|[a|+ +|(c|- BYLEX ?REV ?(LIMIT 1 2) ; ZRANGE d 0 -1
            % ZRANGESTORE d|str none|str|zset 0 -1 ?WITHSCORES ; TYPE d ; TYPE str
            SETUP
            % ZRANGESTORE zset zset 1 2 ; ZRANGE zset 0 -1 WITHSCORES
            SETUP
            % COPY zset d REPLACE ; ZREMRANGEBYRANK d {i64} 0|1|-1|-2|9223372036854775807 ; ZRANGE d 0 -1
            % COPY zset d REPLACE ; ZREMRANGEBYSCORE d -inf|(1|1|(inf 1|(2.5|+inf ; ZRANGE d 0 -1 ; EXISTS d
            % COPY lex d REPLACE ; ZREMRANGEBYLEX d -|[a|(a|+ +|[c|(cc|- ; ZRANGE d 0 -1
            % ZREMRANGEBYRANK|ZREMRANGEBYSCORE zset {bad} 1
            % ZREMRANGEBYLEX lex {bad} +
            % ZREMRANGEBYRANK|ZREMRANGEBYSCORE|ZCOUNT none|str 0 1
            % ZREMRANGEBYLEX|ZLEXCOUNT none|str - +
        "#,
    },
    Script {
        name: "sorted sets: pops and chance",
        lines: r#"
            SETUP
            % COPY zset d REPLACE ; ZPOPMIN|ZPOPMAX d ?{i64}|{bad} ; ZRANGE d 0 -1
            % ZPOPMIN|ZPOPMAX none|str ?0|1|-1|x
            ZPOPMIN zset 1 2
            % COPY zset d REPLACE ; ZMPOP 2 none d MIN|max|FOO ?(COUNT {i64}|{bad}) ; ZRANGE d 0 -1
            % ZMPOP {i64}|{bad} zset MIN
            % ZMPOP 1|2 none str MIN ?(COUNT 1)
            ZMPOP 1 zset MIN COUNT 1 COUNT 2
            ZMPOP 1 zset MIN COUNT
            ZMPOP 1 zset
            % COPY zset d REPLACE ; BZPOPMIN|BZPOPMAX none d 0.001 ; ZRANGE d 0 -1
            % BZPOPMIN|BZPOPMAX none|str 0.001|-1|x|""|nan
            % COPY zset d REPLACE ; BZMPOP 0.001|-1|x 2 none d MIN|MAX|FOO ?(COUNT 2) ; ZRANGE d 0 -1
            BZMPOP 0.001 1 none MIN
            MULTI
            BZPOPMIN none 0
            BZPOPMAX none zset 0
            BZMPOP 0 1 none MIN
            EXEC
            ZADD one 1.5 m
            % ZRANDMEMBER one|none ?0|1|5|-1|-3|9223372036854775807
            % ZRANDMEMBER one|none 0|1|5|-1|-3 WITHSCORES
            % ZRANDMEMBER one {bad}|-9223372036854775808|9223372036854775808 ?WITHSCORES|FOO
            ZRANDMEMBER one 4611686018427387904 WITHSCORES
            ZRANDMEMBER one -4611686018427387904 WITHSCORES
            ZRANDMEMBER one 1 WITHSCORES extra
            #ZRANDMEMBER zset 100
            % ZSCAN one 0 ?(MATCH m|x) ?(COUNT 1|9223372036854775807)
            % ZSCAN one 0 COUNT {bad}|0|-1
            % ZSCAN none|str 0
        "#,
    },
    Script {
        name: "sorted sets: algebra",
        lines: r#"
            SETUP
            ZADD x 1 a 2 b inf c -inf d 0 e 1e308 f
            ZADD y 10 a 20 b -inf c inf d 5 g 1e308 f
            SADD m a c g zz
            % ZUNION|ZINTER 2 x y ?(WEIGHTS {float} 1|0|-1|inf) ?WITHSCORES
            % ZUNION|ZINTER 2 x y|m|none AGGREGATE SUM|MIN|MAX|FOO ?WITHSCORES
            % ZUNION|ZINTER 2 x y WEIGHTS 0|-1|inf 2|inf|-inf AGGREGATE SUM|min|Max WITHSCORES
            % ZUNIONSTORE|ZINTERSTORE d 2 x y WEIGHTS inf|0|-inf|-2 0|inf|1 ?(AGGREGATE MIN|MAX|SUM) ; ZRANGE d 0 -1 WITHSCORES
            % ZUNIONSTORE|ZINTERSTORE|ZDIFFSTORE d {i64}|{bad} x
            % ZUNIONSTORE|ZINTERSTORE|ZDIFFSTORE d|x 2 x y|m|none|str|list ; ZRANGE d 0 -1 WITHSCORES
            SETUP
            ZADD x 1 a 2 b inf c -inf d 0 e 1e308 f
            ZADD y 10 a 20 b -inf c inf d 5 g 1e308 f
            SADD m a c g zz
            % ZDIFF 2 x|m|none y|m|none|x ?WITHSCORES
            ZDIFF 3 x y m WITHSCORES
            % ZDIFF 1|2 x y AGGREGATE|WEIGHTS|FOO 1 1
            % ZINTERCARD 2 x y|m|none|str|x ?(LIMIT {i64}|{bad})
            % ZINTERCARD {i64}|{bad} x
            ZINTERCARD 2 x y LIMIT
            ZINTERCARD 2 x y WITHSCORES
            % ZUNION|ZINTER|ZDIFF {i64}|{bad} x
            % ZUNION 2 x y WEIGHTS 1
            % ZUNION 2 x y WEIGHTS 1 2 3
            % ZUNION 2 x y AGGREGATE
            % ZUNION 1 x WITHSCORES WITHSCORES
            % ZUNIONSTORE d 1 x WITHSCORES
            % ZUNION|ZINTER|ZDIFF 1|2 {key} x
            % ZUNION|ZINTER 3 x x x WITHSCORES
            % ZUNIONSTORE|ZINTERSTORE d 1 m|set ?(WEIGHTS 2.5) ; ZRANGE d 0 -1 WITHSCORES ; OBJECT ENCODING d
        "#,
    },
];
