//! What users of redis-rs rely on: pub/sub, transactions, blocking, streams, client-side caching, users, TLS.

use redis::caching::CacheConfig;
use redis::{
    AsyncCommands, AsyncConnectionConfig, Client, ClientTlsConfig, Commands, Connection, PushInfo, PushKind,
    RedisResult, TlsCertificates, Value, from_redis_value, streams,
};
use std::time::{Duration, Instant};

/// How long anything may take to come.
const LIMIT: Duration = Duration::from_secs(10);

/// Opens a client, with certificates when the URL asks for TLS.
fn open(url: &str, certificates: &std::path::Path) -> Client {
    if !url.starts_with("rediss:") {
        return Client::open(url).expect("a URL");
    }
    let file = |name: &str| std::fs::read(certificates.join(name)).expect("a certificate");
    let client_tls =
        Some(ClientTlsConfig { client_cert: file("client.crt"), client_key: file("client.key") });
    let tls = TlsCertificates { client_tls, root_cert: Some(file("ca.crt")) };
    Client::build_with_tls(url, tls).expect("a URL with TLS")
}

fn holds(mut check: impl FnMut() -> bool) {
    let started = Instant::now();
    while !check() {
        assert!(started.elapsed() < LIMIT, "it did not come to hold");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn commands(connection: &mut Connection) -> RedisResult<()> {
    let () = connection.set("key", "value")?;
    assert_eq!(connection.get::<_, Option<String>>("key")?.as_deref(), Some("value"));
    assert_eq!(connection.get::<_, Option<String>>("absent")?, None);
    let () = connection.hset_multiple("hash", &[("a", 1), ("b", 2)])?;
    let hash: std::collections::BTreeMap<String, i64> = connection.hgetall("hash")?;
    assert_eq!(hash.into_iter().collect::<Vec<_>>(), [("a".into(), 1), ("b".into(), 2)]);
    let () = connection.zadd("zset", "member", 1.5)?;
    assert_eq!(connection.zscore::<_, _, f64>("zset", "member")?, 1.5);
    let id: String = connection.xadd("stream", "*", &[("field", "value")])?;
    let reply: streams::StreamReadReply = connection.xread(&["stream"], &["0"])?;
    assert_eq!(reply.keys[0].ids[0].id, id);
    let keys: Vec<String> = connection.scan_match::<_, String>("k*")?.collect::<RedisResult<_>>()?;
    assert_eq!(keys, ["key"]);
    assert!(connection.incr::<_, _, i64>("hash", 1).is_err());
    Ok(())
}

fn transactions(client: &Client, connection: &mut Connection) -> RedisResult<()> {
    let mut other = client.get_connection()?;
    let mut tries = 0;
    let (value,): (i64,) = redis::transaction(connection, &["counter"], |connection, pipe| {
        tries += 1;
        let old: i64 = connection.get("counter").unwrap_or(0);
        if tries == 1 {
            let () = other.set("counter", 41)?;
        }
        pipe.set("counter", old + 1).ignore().get("counter").query(connection)
    })?;
    assert_eq!((tries, value), (2, 42));
    let mut pipe = redis::pipe();
    (0..1000).for_each(|_| {
        pipe.incr("piped", 1);
    });
    let counts: Vec<i64> = pipe.query(connection)?;
    assert_eq!(counts.last(), Some(&1000));
    Ok(())
}

fn blocking(client: &Client, connection: &mut Connection) -> RedisResult<()> {
    let mut taker = client.get_connection()?;
    let taken = std::thread::spawn(move || taker.blpop::<_, (String, String)>("queue", 10.0));
    let () = connection.rpush("queue", "job")?;
    assert_eq!(taken.join().expect("the thread")?, ("queue".into(), "job".into()));
    assert_eq!(connection.blpop::<_, Option<(String, String)>>("queue", 0.02)?, None);
    Ok(())
}

fn pubsub(client: &Client, connection: &mut Connection) -> RedisResult<()> {
    let mut subscriber = client.get_connection()?;
    let mut subscriber = subscriber.as_pubsub();
    subscriber.set_read_timeout(Some(LIMIT))?;
    subscriber.subscribe("news")?;
    subscriber.psubscribe("n*")?;
    assert_eq!(connection.publish::<_, _, i64>("news", "hello")?, 2);
    let (by_name, by_pattern) = (subscriber.get_message()?, subscriber.get_message()?);
    assert_eq!((by_name.get_channel_name(), by_name.get_payload::<String>()?), ("news", "hello".into()));
    assert_eq!(by_pattern.get_pattern::<String>()?, "n*");
    subscriber.unsubscribe("news")?;
    subscriber.punsubscribe("n*")?;
    Ok(())
}

fn users(client: &Client, connection: &mut Connection) -> RedisResult<()> {
    let rules = ["on", ">secret", "~app:*", "+@all", "-@dangerous"];
    let () = redis::cmd("ACL").arg("SETUSER").arg("dave").arg(&rules).query(connection)?;
    let mut dave = client.get_connection()?;
    let () = redis::cmd("AUTH").arg("dave").arg("secret").query(&mut dave)?;
    assert_eq!(dave.acl_whoami::<String>()?, "dave");
    let () = dave.set("app:1", "x")?;
    let refusal = dave.get::<_, Option<String>>("other").expect_err("no permission");
    assert_eq!(refusal.code(), Some("NOPERM"), "{refusal}");
    assert_eq!(connection.acl_deluser::<_, i64>(&["dave"])?, 1);
    Ok(())
}

/// Pushes arrive beside replies in RESP3.
async fn pushes(client: &Client) -> RedisResult<()> {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let config = AsyncConnectionConfig::new().set_push_sender(sender);
    let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
    connection.subscribe("pushed").await?;
    let publishing = (0..100).map(|n| {
        let mut connection = connection.clone();
        async move { connection.publish::<_, _, i64>("pushed", n).await }
    });
    for publish in publishing {
        assert_eq!(publish.await?, 1);
    }
    let mut received = Vec::new();
    while received.len() < 100 {
        let PushInfo { kind, data } = receiver.recv().await.expect("a push");
        if kind == PushKind::Message {
            received.push(from_redis_value::<i64>(data.last().cloned().unwrap_or(Value::Nil))?);
        }
    }
    assert_eq!(received, (0..100).collect::<Vec<_>>());
    Ok(())
}

/// The library's own cache: a local answer until the server says that the key changed.
async fn caching(client: &Client) -> RedisResult<()> {
    let config = AsyncConnectionConfig::new().set_cache_config(CacheConfig::default());
    let mut cached = client.get_multiplexed_async_connection_with_config(&config).await?;
    let mut other = client.get_multiplexed_async_connection().await?;
    for round in 0..50 {
        let () = other.set("cached", round).await?;
        let started = Instant::now();
        while cached.get::<_, i64>("cached").await? != round {
            assert!(started.elapsed() < LIMIT, "no invalidation came");
        }
    }
    for _ in 0..100 {
        assert_eq!(cached.get::<_, i64>("cached").await?, 49);
    }
    let statistics = cached.get_cache_statistics().expect("a cache");
    assert!(statistics.hit >= 100 && statistics.invalidate >= 49, "{statistics:?}");
    Ok(())
}

/// Everything over one way in, in both protocols.
pub fn every_feature(url: &str, certificates: &std::path::Path) {
    let separator = if url.contains('?') { '&' } else { '?' };
    for protocol in ["resp2", "resp3"] {
        let client = open(&format!("{url}{separator}protocol={protocol}"), certificates);
        let mut connection = client.get_connection().expect("a connection");
        let () = redis::cmd("FLUSHALL").query(&mut connection).expect("FLUSHALL");
        let all = commands(&mut connection)
            .and_then(|()| transactions(&client, &mut connection))
            .and_then(|()| blocking(&client, &mut connection))
            .and_then(|()| pubsub(&client, &mut connection))
            .and_then(|()| users(&client, &mut connection));
        all.unwrap_or_else(|error| panic!("{url} in {protocol}: {error}"));
        holds(|| redis::cmd("DBSIZE").query::<i64>(&mut connection).is_ok_and(|keys| keys > 0));
    }
    let client = open(&format!("{url}{separator}protocol=resp3"), certificates);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(pushes(&client)).unwrap_or_else(|error| panic!("pushes over {url}: {error}"));
    runtime.block_on(caching(&client)).unwrap_or_else(|error| panic!("caching over {url}: {error}"));
}
