//! Hashes.

use super::Script;

pub const SCRIPTS: &[Script] = &[
    Script {
        name: "hashes",
        lines: r#"
            SETUP
            % HGET|HEXISTS|HSTRLEN|HMGET|HDEL hash {word}
            SETUP
            % HGET|HEXISTS|HSTRLEN|HMGET {key} f
            % HMGET hash f none f "k\x00\r\n" ""
            HMGET none a b
            % HLEN|HGETALL|HKEYS|HVALS none|str
            HLEN hash
            % HSET|HMSET hash a
            % HSET|HMSET hash a 1 b
            % HSET|HMSET hash a 1 a 2 b 3 ; HGET hash a
            % HSETNX hash {word} {word} ; HGET hash {word}
            HSETNX hash f
            % HINCRBY h {i64}|{bad} 1 ; DEL h
            % HSET h n {i64}|{bad} ; HINCRBY h n {i64}|{bad} ; HGET h n
            HINCRBY h new -9223372036854775808
            HINCRBY h new -1
            % HSET h n {float} ; HINCRBYFLOAT h n {float} ; HGET h n ; OBJECT ENCODING h
            % DEL h ; HINCRBYFLOAT h n {float} ; HGET h n
            % HSET h n 0.1|1e15|1e17|123456789.123456789|-0.5 ; HINCRBYFLOAT h n 0.2|1e-10|-0.1|1e16|100 ; HGET h n
            HSET h text abc
            HINCRBY h text 1
            HINCRBYFLOAT h text 1
            % HRANDFIELD none ?0|5|-5|{bad} ?WITHVALUES
            % HRANDFIELD hash {bad}|-9223372036854775808|9223372036854775808 ?WITHVALUES|FOO
            % HRANDFIELD hash 0 ?WITHVALUES|FOO
            HRANDFIELD hash 4611686018427387904 WITHVALUES
            HRANDFIELD hash -4611686018427387904 WITHVALUES
            HRANDFIELD hash 1 WITHVALUES extra
            HSET one f v
            % HRANDFIELD one ?1|2|-1|-3|9223372036854775807
            % HRANDFIELD one 1|2|-1|-3 WITHVALUES
            % HSCAN one 0 ?(MATCH f|x*|"") ?(COUNT 1|9223372036854775807)
            % HSCAN one 0|x|"" COUNT {bad}|0|-1|9223372036854775808
            % HSCAN hash 0 MATCH|COUNT|FOO|TYPE
            % HSCAN none|str 0 ?(COUNT 10)
            % HDEL one f f ; EXISTS one ; HDEL one f
            HDEL hash f g f none
            HSET bin "\r\n" "\x00" "\x00\x00" "" "" "\r\n\r\n"
            % HGET bin "\r\n"|"\x00\x00"|""|"\x00"
            HSTRLEN bin ""
            #HGETALL bin
            DEBUG DIGEST-VALUE bin hash
        "#,
    },
    Script {
        name: "hashes: tables",
        lines: r#"
            @600 HSET h f$ $
            OBJECT ENCODING h
            #HKEYS h
            #HVALS h
            @600 HINCRBY h f$ 1000
            @500 HDEL h f$
            OBJECT ENCODING h
            #HGETALL h
            #HRANDFIELD h 100
            @100 HSETNX h f$ new
            HLEN h
            COPY h h2
            HSET h2 extra 1
            HEXISTS h extra
            DEBUG DIGEST-VALUE h h2
        "#,
    },
];
