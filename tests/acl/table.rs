//! Users x commands x keys x channels: what ACL DRYRUN says and what really happens, byte for byte.

use crate::pair::Pair;

/// Users, each with the rules that make it.
const USERS: &[&str] = &[
    "~* &* +@all",
    "~* &* +@all -@dangerous",
    "~* &* -@all",
    "~k* %R~r* %W~w* &c* +@all",
    "%R~* +@all",
    "%W~* +@all",
    "%R~* %W~* &* +@all",
    "+@read ~k* &c1",
    "+@write ~w* ~k1",
    "+@string +@list ~k* &c?",
    "+get +set +mget +copy +sort +sort_ro %R~r? %W~w1 ~k1",
    "+get ~k* (+set ~w*) (+@hash ~* &c*)",
    "(+get %R~r*) (+@all ~k1 &c1) (+mget ~r1 ~k2)",
    "+@all -get +get|r1 ~* &c*",
    "+@all -config|set -object|freq -acl|list ~[kr]? &c[12]",
    "+config +object -config|set +select|1 +sort %R~* ~w1",
    "+@all ~k1 ~k2 ~r1 &c1 -sort (+sort ~* )",
];

/// Commands on keys `K`, which becomes each of the keys in turn. They leave nothing behind that the next would feel:
/// users run them on the same data.
const ONE_KEY: &[&str] = &[
    "GET K",
    "SET K v",
    "SET K v GET",
    "SET K v XX",
    "GETDEL K",
    "GETEX K",
    "GETSET K v",
    "APPEND K x",
    "STRLEN K",
    "SETRANGE K 0 x",
    "GETRANGE K 0 1",
    "INCR K",
    "SETNX K v",
    "EXISTS K",
    "TYPE K",
    "TTL K",
    "EXPIRE K 100",
    "PERSIST K",
    "OBJECT FREQ K",
    "OBJECT ENCODING K",
    "DUMP K",
    "TOUCH K",
    "DEL K",
    "UNLINK K",
    "MEMORY USAGE K",
    "SETBIT K 1 1",
    "GETBIT K 1",
    "BITCOUNT K",
    "BITFIELD K GET u8 0",
    "BITFIELD K SET u8 0 1",
    "BITFIELD_RO K GET u8 0",
    "PFADD K a",
    "PFCOUNT K",
    "LPUSH K a",
    "LPOP K",
    "LRANGE K 0 -1",
    "LLEN K",
    "LSET K 0 a",
    "LTRIM K 0 1",
    "SADD K a",
    "SREM K a",
    "SPOP K",
    "SISMEMBER K a",
    "SMISMEMBER K a",
    "SCARD K",
    "SRANDMEMBER K",
    "ZADD K 1 a",
    "ZADD K INCR 1 a",
    "ZINCRBY K 1 a",
    "ZSCORE K a",
    "ZRANGE K 0 -1",
    "ZPOPMIN K",
    "ZREM K a",
    "ZCARD K",
    "HSET K f v",
    "HGET K f",
    "HEXISTS K f",
    "HDEL K f",
    "HINCRBY K f 1",
    "HGETALL K",
    "HLEN K",
    "HSCAN K 0",
    "GEOADD K 1 1 a",
    "GEOPOS K a",
    "XLEN K",
    "XTRIM K MAXLEN 1",
    "XACK K g 1",
    "XINFO STREAM K",
    "XDEL K 1-1",
    "SORT K",
    "SORT_RO K",
    "SORT K BY nosort",
    "SORT K BY w* ",
    "SORT K GET #",
    "SORT_RO K GET x*",
    "WATCH K",
    "LMPOP 1 K LEFT",
    "ZMPOP 1 K MIN",
    "SINTERCARD 1 K",
    "BLPOP K 0.001",
    "XREAD STREAMS K 0",
    "PFDEBUG ENCODING K",
    "LOLWUT VERSION 5 K",
];

/// Commands on two keys.
const TWO_KEYS: &[&str] = &[
    "MGET K L",
    "MSET K v L v",
    "MSETNX K v L v",
    "COPY K L",
    "COPY K L DB 3 REPLACE",
    "RENAME K L",
    "RENAMENX K L",
    "SMOVE K L a",
    "LMOVE K L LEFT LEFT",
    "RPOPLPUSH K L",
    "SINTER K L",
    "SDIFFSTORE K L",
    "SUNIONSTORE K L L",
    "ZUNIONSTORE K 1 L",
    "ZINTER 2 K L",
    "ZRANGESTORE K L 0 -1",
    "BITOP AND K L",
    "PFMERGE K L",
    "SORT K STORE L",
    "GEORADIUS K 1 1 1 m STORE L",
    "GEOSEARCHSTORE K L FROMMEMBER a BYRADIUS 1 m",
    "LCS K L",
    "EXISTS K L",
    "DEL K L",
    "BLMOVE K L LEFT LEFT 0.001",
    "XREAD STREAMS K L 0 0",
    "ZDIFFSTORE K 2 L K",
];

/// Commands without keys, or on channels `C`.
const OTHERS: &[&str] = &[
    "PING",
    "ECHO x",
    "SELECT 1",
    "SELECT 0",
    "DBSIZE",
    "KEYS nosuch",
    "SCAN 0 MATCH nosuch",
    "RANDOMKEY",
    "TIME x",
    "ACL WHOAMI",
    "ACL LIST",
    "CONFIG GET maxmemory",
    "CONFIG SET maxmemory 0",
    "CONFIG NOSUCH",
    "CLIENT GETNAME",
    "OBJECT HELP",
    "COMMAND COUNT x",
    "COMMAND GETKEYS GET k1",
    "SWAPDB 0 0",
    "MOVE k1 0",
    "MULTI",
    "DISCARD",
    "EXEC",
    "UNWATCH",
    "NOSUCH",
    "GET",
    "HGET k1",
    "PUBLISH C m",
    "SPUBLISH C m",
    "PUBSUB CHANNELS C",
    "PUBSUB NUMSUB C",
    "RESET",
];

/// Commands that would change the connection: only asked about.
const ASKED_ONLY: &[&str] = &[
    "SUBSCRIBE C",
    "SUBSCRIBE c1 C",
    "PSUBSCRIBE C",
    "PSUBSCRIBE c*",
    "SSUBSCRIBE C",
    "UNSUBSCRIBE C",
    "PUNSUBSCRIBE C",
    "AUTH x",
    "HELLO 3",
    "QUIT",
    "MONITOR",
    "SHUTDOWN",
    "DEBUG SLEEP 0",
    "FLUSHALL",
    "SAVE",
    "ACL SETUSER x",
];

const KEYS: [&str; 6] = ["k1", "k2", "r1", "w1", "w2", "x"];
const CHANNELS: [&str; 4] = ["c1", "c2", "c*", "d"];

/// `K` and `L` stand for keys where they stand alone.
fn on_keys(line: &str, first: &str, second: &str) -> String {
    let word = |word: &str| match word {
        "K" => first.to_owned(),
        "L" => second.to_owned(),
        other => other.to_owned(),
    };
    line.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn keyed() -> Vec<String> {
    const PAIRS: [(&str, &str); 7] =
        [("k1", "k2"), ("r1", "w1"), ("w1", "r1"), ("k1", "x"), ("x", "w2"), ("r1", "k1"), ("w1", "w2")];
    let one = KEYS.iter().flat_map(|key| ONE_KEY.iter().map(|line| on_keys(line, key, "")));
    let two = PAIRS.iter().flat_map(|(key, other)| TWO_KEYS.iter().map(|line| on_keys(line, key, other)));
    one.chain(two).collect()
}

fn lines_on_channels(lines: &[&str]) -> Vec<String> {
    CHANNELS
        .iter()
        .flat_map(|channel| lines.iter().map(move |line| line.replace(" C", &format!(" {channel}"))))
        .collect()
}

#[test]
fn a_dry_run_says_what_redis_says() {
    let pair = Pair::start();
    let mut both = pair.connect();
    let lines: Vec<String> =
        keyed().into_iter().chain(lines_on_channels(OTHERS)).chain(lines_on_channels(ASKED_ONLY)).collect();
    for (index, rules) in USERS.iter().enumerate() {
        both.same(&format!("ACL SETUSER u{index} on nopass {rules}"));
        for line in &lines {
            both.same(&format!("ACL DRYRUN u{index} {line}"));
        }
    }
}

#[test]
fn what_really_happens_is_what_happens_in_redis() {
    let pair = Pair::start();
    let mut admin = pair.connect();
    let keyed = keyed();
    for (index, rules) in USERS.iter().enumerate() {
        admin.same("FLUSHALL");
        for line in ["SET k1 1", "RPUSH k2 1 2", "SADD r1 a", "HSET w1 f v", "ZADD w2 1 a", "SET x 1"] {
            admin.same(line);
        }
        admin.same(&format!("ACL SETUSER u{index} on nopass {rules}"));
        let mut user = pair.log_in(&format!("u{index}"));
        for line in keyed.iter().chain(&lines_on_channels(OTHERS)).filter(|line| is_steady(line)) {
            user.same(line);
            if line.starts_with("RESET") {
                user.same(&format!("AUTH u{index} x"));
            }
        }
        let mut queueing = pair.log_in(&format!("u{index}"));
        for line in keyed.iter().step_by(7).filter(|line| is_steady(line)) {
            for line in ["MULTI", line, "PING", "EXEC"] {
                queueing.same(line);
            }
        }
    }
}

/// Whether the answer does not depend on chance or on sizes in memory, and what is left does not either.
fn is_steady(line: &str) -> bool {
    const UNSTEADY: &[&str] = &[
        "MEMORY",
        "SPOP",
        "SRANDMEMBER",
        "RANDOMKEY",
        "DUMP",
        "OBJECT FREQ",
        "OBJECT ENCODING",
        "XINFO",
        "LOLWUT",
        "COMMAND",
        "ACL LIST",
        "HSCAN",
        "PFDEBUG",
        "CONFIG GET",
        "RESET",
        "HGETALL",
        "SINTER",
        "SWAPDB",
    ];
    !UNSTEADY.iter().any(|unsteady| line.starts_with(unsteady))
}
