// What ioredis's users rely on: commands, pipelines, transactions, blocking, pub/sub, streams, users, TLS. Run as:
// ioredis_features.mjs PORT UNIX_SOCKET TLS_PORT CERTIFICATES, where CERTIFICATES holds ca.crt, alice.crt, alice.key.
// Each way in (TCP, unix socket, TLS) is tried in RESP2 and RESP3. Every check is an assertion; the last line printed is
// `ioredis features: ok`.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import Redis from "ioredis";

const [port, unixSocket, tlsPort, certificates] = process.argv.slice(2);
const file = (name) => readFileSync(`${certificates}/${name}`);
const waysIn = [
  { port: Number(port) },
  { path: unixSocket },
  {
    port: Number(tlsPort),
    tls: { ca: file("ca.crt"), cert: file("alice.crt"), key: file("alice.key"), servername: "localhost" },
  },
];

async function commands(client) {
  assert.equal(await client.set("key", "value", "PX", 100000, "NX"), "OK");
  assert.equal(await client.set("key", "value", "NX"), null);
  assert.deepEqual(await client.getBuffer("key"), Buffer.from("value"));
  await client.hset("hash", { a: 1, b: "two" });
  assert.deepEqual(await client.hgetall("hash"), { a: "1", b: "two" });
  await client.zadd("zset", 1, "one", 2.5, "two");
  assert.deepEqual(await client.zrange("zset", 0, -1, "WITHSCORES"), ["one", "1", "two", "2.5"]);
  await client.rpush("list", "a", "b", "c");
  assert.deepEqual(await client.lrange("list", 0, -1), ["a", "b", "c"]);
  const id = await client.xadd("stream", "*", "field", "value");
  assert.deepEqual(await client.xread("STREAMS", "stream", "0"), [["stream", [[id, ["field", "value"]]]]]);
  await assert.rejects(client.incr("hash"), /WRONGTYPE/);
  assert.match(await client.info("server"), /redis_version:/);
}

async function scans(client) {
  await client.mset(Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`scan:${n}`, n])));
  const found = new Set();
  for await (const page of client.scanStream({ match: "scan:*", count: 100 })) page.forEach((key) => found.add(key));
  assert.equal(found.size, 1000);
}

async function pipelines(client) {
  const pipeline = client.pipeline();
  for (let n = 0; n < 2000; n++) pipeline.incr("pipelined");
  const results = await pipeline.exec();
  assert.deepEqual(results.at(-1), [null, 2000]);
  const transaction = await client.multi().set("t", 1).incr("t").lpush("t", "x").get("t").exec();
  assert.deepEqual(transaction.map(([error]) => error === null), [true, true, false, true]);
  const other = client.duplicate();
  await client.watch("t");
  await other.set("t", "changed elsewhere");
  assert.equal(await client.multi().set("t", "mine").exec(), null);
  other.disconnect();
  const automatic = client.duplicate({ enableAutoPipelining: true });
  const counts = await Promise.all(Array.from({ length: 500 }, () => automatic.incr("automatic")));
  assert.equal(Math.max(...counts), 500);
  automatic.disconnect();
}

async function blocking(client) {
  const taker = client.duplicate();
  const taken = taker.blpop("queue", 10);
  await client.rpush("queue", "job");
  assert.deepEqual(await taken, ["queue", "job"]);
  assert.equal(await taker.blpop("queue", 0.05), null);
  taker.disconnect();
}

async function pubsub(client) {
  const subscriber = client.duplicate();
  assert.equal(await subscriber.subscribe("news", "more"), 2);
  assert.equal(await subscriber.psubscribe("n*"), 3);
  if (subscriber.options.protocol === 2) {
    await assert.rejects(subscriber.get("key"), /subscriber mode/);
  } else {
    assert.equal(await subscriber.get("absent"), null);
  }
  const received = once(subscriber, "message");
  const matched = once(subscriber, "pmessage");
  assert.equal(await client.publish("news", "hello"), 2);
  assert.deepEqual(await received, ["news", "hello"]);
  assert.deepEqual(await matched, ["n*", "news", "hello"]);
  assert.deepEqual((await client.pubsub("CHANNELS")).sort(), ["more", "news"]);
  assert.equal(await subscriber.unsubscribe("news", "more"), 1);
  assert.equal(await subscriber.punsubscribe("n*"), 0);
  assert.equal(await subscriber.set("again", "a normal client"), "OK");
  const shard = once(subscriber, "smessage");
  assert.equal(await subscriber.ssubscribe("shard"), 1);
  assert.equal(await client.spublish("shard", "x"), 1);
  assert.deepEqual(await shard, ["shard", "x"]);
  subscriber.disconnect();
}

async function notifications(client) {
  await client.config("SET", "notify-keyspace-events", "Ex");
  const subscriber = client.duplicate();
  await subscriber.subscribe("__keyevent@0__:expired");
  const expired = once(subscriber, "message");
  await client.set("short", "x", "PX", 30);
  assert.deepEqual(await expired, ["__keyevent@0__:expired", "short"]);
  await client.config("SET", "notify-keyspace-events", "");
  subscriber.disconnect();
}

async function users(client, wayIn) {
  await client.acl("SETUSER", "bob", "on", ">secret", "~app:*", "&app:*", "+@all", "-@dangerous");
  const bob = new Redis({ ...wayIn, username: "bob", password: "secret", enableReadyCheck: false });
  assert.equal(await bob.acl("WHOAMI"), "bob");
  assert.equal(await bob.set("app:1", "x"), "OK");
  await assert.rejects(bob.get("other"), /NOPERM/);
  await assert.rejects(bob.flushall(), /NOPERM/);
  bob.disconnect();
  const stranger = new Redis({ ...wayIn, username: "bob", password: "wrong", retryStrategy: null, lazyConnect: true });
  const refusal = new Promise((resolve) => stranger.on("error", resolve));
  await stranger.connect().catch(() => {});
  assert.match(String(await refusal), /WRONGPASS/);
  stranger.disconnect();
  assert.equal(await client.acl("DELUSER", "bob"), 1);
}

async function monitor(client) {
  const watching = await client.duplicate().monitor();
  const seen = once(watching, "monitor");
  await client.get("watched by monitor");
  const [, args] = await seen;
  assert.deepEqual(args, ["get", "watched by monitor"]);
  watching.disconnect();
}

const attempts = waysIn.flatMap((wayIn) => [2, 3].map((protocol) => ({ ...wayIn, protocol })));
for (const wayIn of attempts) {
  const client = new Redis(wayIn);
  for (const part of [commands, scans, pipelines, blocking, pubsub, notifications, monitor]) {
    await client.flushall();
    await part(client);
  }
  await users(client, wayIn);
  client.disconnect();
}
console.log("ioredis features: ok");
// A monitor keeps connections of its own.
process.exit(0);
