// What node-redis's users rely on: pub/sub, transactions, blocking, client-side caching, pools, users, TLS. Run as:
// node_features.mjs PORT UNIX_SOCKET TLS_PORT CERTIFICATES, where CERTIFICATES holds ca.crt, alice.crt, alice.key.
// Each way in (TCP, unix socket, TLS) is tried in RESP2 and RESP3. Every check is an assertion; the last line printed is
// `node features: ok`.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { BasicClientSideCache, createClient, createClientPool } from "redis";

const [port, unixSocket, tlsPort, certificates] = process.argv.slice(2);
const file = (name) => readFileSync(`${certificates}/${name}`);
const sockets = [
  { port: Number(port), host: "127.0.0.1" },
  { path: unixSocket },
  {
    port: Number(tlsPort),
    host: "localhost",
    tls: true,
    ca: file("ca.crt"),
    cert: file("alice.crt"),
    key: file("alice.key"),
  },
];

const connected = (options) => createClient(options).on("error", () => {}).connect();

async function holds(check) {
  const deadline = Date.now() + 10_000;
  while (!(await check())) {
    assert.ok(Date.now() < deadline, `it did not come to hold: ${check}`);
    await sleep(2);
  }
}

async function pubsub(client) {
  const subscriber = await client.duplicate().connect();
  const seen = [];
  await subscriber.subscribe("news", (message, channel) => seen.push(["news", message, channel]));
  await subscriber.pSubscribe("n*", (message, channel) => seen.push(["n*", message, channel]));
  await subscriber.sSubscribe("shard", (message, channel) => seen.push(["shard", message, channel]));
  assert.equal(await client.publish("news", "hello"), 2);
  assert.equal(await client.sPublish("shard", "part"), 1);
  await holds(() => seen.length === 3);
  assert.deepEqual(seen, [
    ["news", "hello", "news"],
    ["n*", "hello", "news"],
    ["shard", "part", "shard"],
  ]);
  assert.deepEqual(await client.pubSubChannels(), ["news"]);
  assert.deepEqual({ ...(await client.pubSubNumSub(["news", "none"])) }, { news: 1, none: 0 });
  await subscriber.unsubscribe();
  await subscriber.pUnsubscribe();
  await subscriber.sUnsubscribe();
  assert.equal(String(await subscriber.set("again", "a normal client")), "OK");
  subscriber.destroy();
}

async function binary(client) {
  const subscriber = await client.duplicate().connect();
  const bytes = Buffer.from([0, 255, 13, 10, 36]);
  const received = new Promise((resolve) => subscriber.subscribe("raw", resolve, true).then(() => client.publish("raw", bytes)));
  assert.deepEqual(await received, bytes);
  subscriber.destroy();
}

async function notifications(client) {
  await client.configSet("notify-keyspace-events", "KEA");
  const subscriber = await client.duplicate().connect();
  const seen = [];
  await subscriber.pSubscribe("__keyspace@0__:*", (event, channel) => seen.push(`${channel.slice(15)} ${event}`));
  await client.set("short", "x", { expiration: { type: "PX", value: 30 } });
  await client.rename("short", "shorter");
  await holds(() => seen.length === 5);
  assert.deepEqual(seen, [
    "short set",
    "short expire",
    "short rename_from",
    "shorter rename_to",
    "shorter expired",
  ]);
  await client.configSet("notify-keyspace-events", "");
  subscriber.destroy();
}

async function transactions(client) {
  const replies = await client.multi().set("t", "1").incr("t").publish("nobody", "x").get("t").exec();
  assert.deepEqual(replies, ["OK", 2, 0, "2"]);
  const isolated = await client.duplicate().connect();
  await isolated.watch("t");
  await client.set("t", "changed elsewhere");
  await assert.rejects(isolated.multi().set("t", "mine").exec(), /watch|Watch/);
  isolated.destroy();
}

async function blocking(client) {
  const taker = await client.duplicate().connect();
  const taken = taker.blPop("queue", 10);
  await client.rPush("queue", "job");
  assert.deepEqual({ ...(await taken) }, { key: "queue", element: "job" });
  assert.equal(await taker.blPop("queue", 0.05), null);
  taker.destroy();
}

async function pools(options) {
  const pool = await createClientPool(options, { minimum: 2, maximum: 8 }).connect();
  const counts = await Promise.all(Array.from({ length: 200 }, () => pool.incr("pooled")));
  assert.equal(Math.max(...counts), 200);
  pool.destroy();
}

async function users(client, options) {
  await client.aclSetUser("carol", ["on", ">secret", "~app:*", "+@all", "-@dangerous"]);
  const carol = await connected({ ...options, username: "carol", password: "secret" });
  assert.equal(await carol.aclWhoAmI(), "carol");
  assert.equal(await carol.set("app:1", "x"), "OK");
  await assert.rejects(carol.get("other"), /NOPERM/);
  carol.destroy();
  const wrong = { ...options, username: "carol", password: "wrong" };
  wrong.socket = { ...options.socket, reconnectStrategy: false };
  await assert.rejects(connected(wrong), /WRONGPASS/);
  assert.equal(await client.aclDelUser("carol"), 1);
}

// node-redis's own cache: a local answer until the server says that the key changed.
async function caching(options) {
  const cache = new BasicClientSideCache({ ttl: 0, maxEntries: 0, evictPolicy: "LRU" });
  const cached = await connected({ ...options, RESP: 3, clientSideCache: cache });
  const other = await connected(options);
  await other.set("cached", "old");
  assert.equal(await cached.get("cached"), "old");
  const hits = cache.stats().hitCount;
  assert.equal(await cached.get("cached"), "old");
  assert.equal(cache.stats().hitCount, hits + 1);
  for (const change of [() => other.set("cached", "new"), () => other.del("cached"), () => other.flushAll()]) {
    await other.set("cached", "old");
    await holds(async () => (await cached.get("cached")) === "old");
    await change();
    await holds(async () => (await cached.get("cached")) === (await other.get("cached")));
  }
  cached.destroy();
  other.destroy();
}

for (const socket of sockets) {
  for (const RESP of [2, 3]) {
    const options = { socket, RESP };
    const client = await connected(options);
    for (const part of [pubsub, binary, notifications, transactions, blocking]) {
      await client.flushAll();
      await part(client);
    }
    await pools(options);
    await users(client, options);
    client.destroy();
  }
  await caching({ socket });
}
console.log("node features: ok");
