//! What users of redis-rs rely on: pub/sub, transactions, blocking, streams, client-side caching, users, TLS.
//!
//! Each way in (TCP, unix socket, TLS) is tried in RESP2 and RESP3.

#[path = "tls/authority.rs"]
mod authority;
pub mod support;

use redis::caching::CacheConfig;
use redis::{
    AsyncCommands, AsyncConnectionConfig, Client, ClientTlsConfig, Commands, Connection, PushInfo, PushKind,
    RedisResult, TlsCertificates, Value, from_redis_value, streams,
};
use std::time::Duration;
use support::{Start, server::free_port};

/// How long anything may take to come.
const LIMIT: Duration = Duration::from_secs(10);

/// How often an invalidation is looked for, a millisecond apart.
const LOOKS_MAX: usize = 10_000;

/// Opens a client, with certificates when the URL asks for TLS.
fn open(url: &str) -> Client {
    if !url.starts_with("rediss:") {
        return Client::open(url).expect("a URL");
    }
    // The library's own rustls has no provider until one is chosen; a second choice changes nothing.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let file = |name: &str| std::fs::read(authority::path(name)).expect("a certificate");
    let client_tls = Some(ClientTlsConfig { client_cert: file("alice.crt"), client_key: file("alice.key") });
    let tls = TlsCertificates { client_tls, root_cert: Some(file("ca.crt")) };
    Client::build_with_tls(url, tls).expect("a URL with TLS")
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
        let mut looks = 0;
        while cached.get::<_, i64>("cached").await? != round {
            looks += 1;
            assert!(looks < LOOKS_MAX, "no invalidation came");
            // An answer from the cache does not let the task run that reads the pushes.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    for _ in 0..100 {
        assert_eq!(cached.get::<_, i64>("cached").await?, 49);
    }
    let statistics = cached.get_cache_statistics().expect("a cache");
    assert!(statistics.hit >= 100 && statistics.invalidate >= 49, "{statistics:?}");
    Ok(())
}

/// Everything over one way in.
#[track_caller]
fn every_feature(url: &str) {
    for protocol in ["resp2", "resp3"] {
        let client = open(&format!("{url}?protocol={protocol}"));
        let mut connection = client.get_connection().expect("a connection");
        let () = redis::cmd("FLUSHALL").query(&mut connection).expect("FLUSHALL");
        let all = commands(&mut connection)
            .and_then(|()| transactions(&client, &mut connection))
            .and_then(|()| blocking(&client, &mut connection))
            .and_then(|()| pubsub(&client, &mut connection))
            .and_then(|()| users(&client, &mut connection));
        all.unwrap_or_else(|error| panic!("{url} in {protocol}: {error}"));
    }
    let client = open(&format!("{url}?protocol=resp3"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(pushes(&client)).unwrap_or_else(|error| panic!("pushes over {url}: {error}"));
    runtime.block_on(caching(&client)).unwrap_or_else(|error| panic!("caching over {url}: {error}"));
}

#[test]
fn over_tcp() {
    let server = Start::tintype().spawn();
    every_feature(&format!("redis://127.0.0.1:{}/", server.port));
}

#[test]
fn over_a_unix_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("socket").display().to_string();
    let _server = Start::tintype().with("--unixsocket", &socket).spawn();
    every_feature(&format!("redis+unix://{socket}"));
}

#[test]
fn over_tls() {
    let port = free_port().to_string();
    let certificates = ["server.crt", "server.key", "ca.crt"].map(authority::path);
    let _server = Start::tintype()
        .with("--tls-port", &port)
        .with("--tls-cert-file", &certificates[0])
        .with("--tls-key-file", &certificates[1])
        .with("--tls-ca-cert-file", &certificates[2])
        .spawn();
    every_feature(&format!("rediss://localhost:{port}/"));
}
