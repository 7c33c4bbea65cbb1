//! Values in every encoding, and how servers that hold them are compared.

use crate::support::Connection;

/// Every encoding of every type, below and above the thresholds of both servers.
#[track_caller]
pub fn fill_encodings(connection: &mut Connection) {
    let many =
        |count: usize, text: &dyn Fn(usize) -> String| (0..count).map(text).collect::<Vec<_>>().join(" ");
    let member = |at: usize| format!("member:{at}");
    let pair = |at: usize| format!("{at}.25 member:{at}");
    let field = |at: usize| format!("field:{at} {}", "v".repeat(at % 50 + 1));
    let long = "long".repeat(100);
    let mut lines = Vec::new();
    for (verb, name, arguments) in [
        ("RPUSH", "list:small", many(5, &member)),
        ("RPUSH", "list:large", many(3000, &member)),
        ("RPUSH", "list:numbers", many(2000, &|at| (at * at * 1001).to_string())),
        ("RPUSH", "list:plain", format!("a {} b", "x".repeat(20_000))),
        ("SADD", "set:16", many(100, &|at| (at * 3).to_string())),
        ("SADD", "set:32", many(100, &|at| (at * 100_003).to_string())),
        ("SADD", "set:64", many(100, &|at| (at * 100_000_000_003).to_string())),
        ("SADD", "set:ints", many(600, &|at| at.to_string())),
        ("SADD", "set:small", many(5, &member)),
        ("SADD", "set:large", many(1000, &member)),
        ("SADD", "set:long", long.clone()),
        ("ZADD", "zset:small", many(5, &pair)),
        ("ZADD", "zset:large", many(1000, &pair)),
        ("ZADD", "zset:equal", many(1000, &|at| format!("0 member:{at}"))),
        ("ZADD", "zset:edges", format!("inf a -inf b 1e300 c -0.1 d 9007199254740993 e {} {long}", u64::MAX)),
        ("HSET", "hash:small", many(5, &field)),
        ("HSET", "hash:large", many(1000, &field)),
        ("HSET", "hash:long", format!("field {long}")),
    ] {
        lines.push(format!("{verb} {name} {arguments}"));
    }
    for at in 0..300 {
        lines.push(format!("XADD stream {}-{} f {at} g value:{at}", 1 + at / 3, at % 3 + 1));
    }
    lines.extend(
        ["XDEL stream 1-1", "XADD stream 500-1 other names", "XGROUP CREATE stream group 1-2"]
            .map(String::from),
    );
    lines.push("XREADGROUP GROUP group consumer COUNT 5 STREAMS stream >".to_owned());
    lines.push("XACK stream group 2-1".to_owned());
    lines.push("PEXPIREAT hash:small 4000000000000".to_owned());
    for line in lines {
        let reply = connection.run(&line);
        assert!(!reply.is_error(), "{line}: {reply:?}");
    }
}

#[track_caller]
pub fn digest_of(connection: &mut Connection) -> String {
    connection.run("DEBUG DIGEST").text()
}
