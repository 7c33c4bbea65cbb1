// What a node-redis user does with strings, keys, transactions and snapshots. Run as: node_client.mjs PORT.
// Every check is an assertion; the last line printed is `node client: ok`.

import assert from "node:assert/strict";
import { createClient } from "redis";

const port = Number(process.argv[2]);

async function strings(client) {
  assert.equal(await client.set("greeting", "hello"), "OK");
  assert.equal(await client.get("greeting"), "hello");
  assert.equal(await client.get("absent"), null);
  assert.equal(await client.set("greeting", "x", { NX: true }), null);
  assert.equal(await client.append("greeting", "!"), 6);
  assert.equal(await client.incrBy("counter", 42), 42);
  assert.equal(await client.incrByFloat("float", 1.5), "1.5");
  assert.equal(await client.mSet({ a: "1", b: "zwei", c: "" }), "OK");
  assert.deepEqual(await client.mGet(["a", "b", "c", "absent"]), ["1", "zwei", "", null]);
  assert.equal(await client.getEx("a", { type: "EX", value: 100 }), "1");
  const ttl = await client.ttl("a");
  assert.ok(ttl > 97 && ttl <= 100);
  assert.equal(await client.setEx("short", 100, "v"), "OK");
  assert.equal(await client.getDel("short"), "v");
  const big = "y".repeat(2_000_000);
  await client.set("big", big);
  assert.equal(await client.get("big"), big);
}

async function keys(client) {
  await client.flushAll();
  await Promise.all(Array.from({ length: 2000 }, (_, n) => client.set(`key:${n}`, `${n}`)));
  assert.equal(await client.dbSize(), 2000);
  const found = new Set();
  for await (const page of client.scanIterator({ MATCH: "key:*", COUNT: 100 })) {
    for (const key of [].concat(page)) found.add(key);
  }
  assert.equal(found.size, 2000);
  assert.equal(await client.exists(["key:1", "absent"]), 1);
  assert.equal(await client.type("key:1"), "string");
  assert.equal(await client.rename("key:1", "renamed"), "OK");
  assert.equal(await client.del(["renamed", "key:2"]), 2);
  assert.equal(await client.expire("key:3", 100), 1);
  assert.equal(await client.persist("key:3"), 1);
}

async function transactions(client) {
  assert.deepEqual(await client.multi().set("t", "1").incr("t").get("t").exec(), ["OK", 2, "2"]);
  const isolated = client.duplicate();
  await isolated.connect();
  await isolated.watch("t");
  await client.set("t", "changed elsewhere");
  await assert.rejects(isolated.multi().set("t", "mine").exec());
  isolated.destroy();
}

async function admin(client) {
  assert.equal(await client.ping(), "PONG");
  await assert.rejects(client.sendCommand(["NOSUCH", "x"]), /unknown command/);
  await client.set("text", "abc");
  await assert.rejects(client.incr("text"), /not an integer/);
  assert.match(await client.info("server"), /redis_version:\d+\.\d+\.\d+/);
  assert.deepEqual({ ...(await client.configGet("databases")) }, { databases: "16" });
  assert.equal(await client.clientSetName("node"), "OK");
  assert.equal(await client.clientGetName(), "node");
  assert.equal(await client.sendCommand(["SAVE"]), "OK");
}

for (const RESP of [2, 3]) {
  const client = createClient({ socket: { port, reconnectStrategy: false }, RESP });
  client.on("error", (error) => {
    console.error(error);
    process.exit(1);
  });
  await client.connect();
  await client.flushAll();
  for (const part of [strings, keys, transactions, admin]) await part(client);
  await client.close();
}
console.log("node client: ok");
