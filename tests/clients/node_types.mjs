// What a node-redis user does with every data type and with blocking pops. Run as: node_types.mjs PORT.
// Every check is an assertion; the last line printed is `node types: ok`.

import assert from "node:assert/strict";
import { createClient } from "redis";

const port = Number(process.argv[2]);

/** Objects without a prototype, as node-redis makes them, compare with plain ones. */
const plain = (value) => JSON.parse(JSON.stringify(value));
const same = (actual, expected) => assert.deepEqual(plain(actual), expected);

async function lists(client) {
  assert.equal(await client.rPush("l", ["a", "b", "3"]), 3);
  assert.equal(await client.lPush("l", "first"), 4);
  same(await client.lRange("l", 0, -1), ["first", "a", "b", "3"]);
  assert.equal(await client.lInsert("l", "AFTER", "a", "between"), 5);
  assert.equal(await client.lPos("l", "b"), 3);
  assert.equal(await client.lMove("l", "m", "LEFT", "RIGHT"), "first");
  same(await client.lmPop(["none", "l"], "LEFT", { COUNT: 2 }), ["l", ["a", "between"]]);
  assert.equal(await client.lLen("l"), 2);
  same(await client.rPopCount("l", 5), ["3", "b"]);
}

async function hashes(client) {
  assert.equal(await client.hSet("h", { name: "Ada", born: "1815" }), 2);
  same(await client.hGetAll("h"), { name: "Ada", born: "1815" });
  same(await client.hmGet("h", ["name", "absent"]), ["Ada", null]);
  assert.equal(await client.hIncrBy("h", "born", 2), 1817);
  await client.hSet("big", Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`f${n}`, `${n}`])));
  const found = new Set();
  for await (const page of client.hScanIterator("big", { COUNT: 100 })) {
    for (const { field } of [].concat(page)) found.add(field);
  }
  assert.equal(found.size, 1000);
  same(await client.hExpire("h", ["name", "absent"], 100), [1, -2]);
  const [ttl] = await client.hTTL("h", "name");
  assert.ok(ttl > 97 && ttl <= 100);
  same(await client.hPersist("h", "name"), [1]);
  same(await client.hpExpire("h", "born", 20), [1]);
  while (await client.hExists("h", "born")) await new Promise((done) => setTimeout(done, 10));
  same(await client.hKeys("h"), ["name"]);
}

async function sets(client) {
  assert.equal(await client.sAdd("a", ["1", "2", "3"]), 3);
  assert.equal(await client.sAdd("b", ["2", "3", "x"]), 3);
  same((await client.sInter(["a", "b"])).sort(), ["2", "3"]);
  same(await client.sDiff(["b", "a"]), ["x"]);
  same([...(await client.sMembers("a"))].sort(), ["1", "2", "3"]);
  assert.equal(await client.sInterCard(["a", "b"]), 2);
  assert.equal(await client.sUnionStore("u", ["a", "b"]), 4);
  assert.equal(Number(await client.sIsMember("u", "x")), 1);
}

async function sortedSets(client) {
  const members = [{ score: 1, value: "one" }, { score: 2.5, value: "two" }, { score: 3, value: "three" }];
  assert.equal(await client.zAdd("z", members), 3);
  same(await client.zRangeWithScores("z", 0, -1), plain(members.map(({ score, value }) => ({ value, score }))));
  same(await client.zRange("z", 2, 3, { BY: "SCORE" }), ["two", "three"]);
  assert.equal(await client.zScore("z", "two"), 2.5);
  assert.equal(await client.zIncrBy("z", 0.5, "two"), 3);
  assert.equal(await client.zRank("z", "one"), 0);
  same(await client.zPopMax("z"), { value: "two", score: 3 });
  assert.equal(await client.zUnionStore("u", ["z", "z"]), 2);
  same(await client.zmPop("u", "MIN"), { key: "u", members: [{ value: "one", score: 2 }] });
}

async function streams(client) {
  const ids = [];
  for (const n of [1, 2, 3, 4]) ids.push(await client.xAdd("s", "*", { n: `${n}` }));
  same((await client.xRange("s", "-", "+")).map(({ id }) => id), ids);
  await client.xGroupCreate("s", "g", "0");
  const read = async (consumer, id, options) =>
    entries(await client.xReadGroup("g", consumer, { key: "s", id }, options)).map(({ id }) => id);
  same(await read("alice", ">", { COUNT: 3 }), ids.slice(0, 3));
  same(await read("bob", ">", {}), ids.slice(3));
  assert.equal(await client.xAck("s", "g", ids.slice(0, 2)), 2);
  assert.equal((await client.xPending("s", "g")).pending, 2);
  same((await client.xPendingRange("s", "g", "-", "+", 10)).map(({ consumer }) => consumer), ["alice", "bob"]);
  same((await client.xClaim("s", "g", "carol", 0, ids[2])).map(({ id }) => id), [ids[2]]);
  same((await client.xAutoClaim("s", "g", "dave", 0, "-")).messages.map(({ id }) => id), ids.slice(2));
  same(await read("dave", "0", {}), ids.slice(2));
  assert.equal((await client.xInfoStream("s")).length, 4);
  assert.equal((await client.xInfoGroups("s"))[0].pending, 2);
  assert.equal(await client.xTrim("s", "MAXLEN", 1), 3);
  assert.equal(await client.xGroupDestroy("s", "g"), 1);
}

/** The entries of the one stream that was read; RESP3 replies come as an object. */
function entries(reply) {
  return Array.isArray(reply) ? reply[0].messages : Object.values(reply)[0].map(entry);
}

function entry(raw) {
  return Array.isArray(raw) ? { id: raw[0] } : raw;
}

async function placesBitsAndCounts(client) {
  const places = [
    { longitude: 13.361389, latitude: 38.115556, member: "Palermo" },
    { longitude: 15.087269, latitude: 37.502669, member: "Catania" },
  ];
  assert.equal(await client.geoAdd("g", places), 2);
  const distance = await client.geoDist("g", "Palermo", "Catania", "km");
  assert.ok(distance > 166 && distance < 167);
  const circle = { radius: 200, unit: "km" };
  same((await client.geoSearch("g", { longitude: 15, latitude: 37 }, circle, { SORT: "ASC" })), ["Catania", "Palermo"]);
  assert.equal(await client.setBit("bits", 100, 1), 0);
  assert.equal(await client.bitCount("bits"), 1);
  assert.equal(await client.bitPos("bits", 1), 100);
  assert.equal(Number(await client.pfAdd("visitors", Array.from({ length: 500 }, (_, n) => `user:${n}`))), 1);
  const count = await client.pfCount("visitors");
  assert.ok(count > 480 && count < 520);
}

async function blocking(client) {
  const waiting = client.duplicate();
  await waiting.connect();
  assert.equal(await waiting.blPop(["none", "q"], 0.02), null);
  const pop = waiting.blPop(["none", "q"], 5);
  await client.rPush("q", ["1", "2"]);
  same(await pop, { key: "q", element: "1" });
  assert.equal(await waiting.blMove("q", "done", "LEFT", "RIGHT", 5), "2");
  const least = waiting.bzPopMin("z", 5);
  await client.zAdd("z", { score: 1.5, value: "m" });
  same(await least, { key: "z", value: "m", score: 1.5 });
  // Commands behind a blocking one wait for it, in their order.
  const both = Promise.all([waiting.brPop("q", 5), waiting.incr("after"), waiting.blmPop(5, "q", "LEFT")]);
  assert.equal(await client.exists("after"), 0);
  await client.rPush("q", ["3", "4"]);
  same(await both, [{ key: "q", element: "4" }, 1, ["q", ["3"]]]);
  const stopped = waiting.blPop("q", 0);
  await client.sendCommand(["CLIENT", "UNBLOCK", await idOf(client)]);
  assert.equal(await stopped, null);
  waiting.destroy();
}

/** The number of the one client that waits. */
async function idOf(client) {
  for (;;) {
    const line = (await client.sendCommand(["CLIENT", "LIST"])).toString().split("\n").find((l) => / flags=b /.test(l));
    if (line) return /id=(\d+)/.exec(line)[1];
  }
}

async function pipelines(client) {
  const reply = await client.multi().rPush("l", "1").hSet("h", "f", "v").sAdd("s", "m").lRange("l", 0, -1).hGetAll("h").exec();
  same(reply, [1, 1, 1, ["1"], { f: "v" }]);
  await Promise.all(Array.from({ length: 2000 }, (_, n) => client.zAdd("ranking", { score: n, value: `p${n}` })));
  assert.equal(await client.zCard("ranking"), 2000);
  await assert.rejects(client.lPush("h", "x"), /WRONGTYPE/);
}

for (const RESP of [2, 3]) {
  const client = createClient({ socket: { port, reconnectStrategy: false }, RESP, unstableResp3: true });
  client.on("error", (error) => {
    console.error(error);
    process.exit(1);
  });
  await client.connect();
  for (const part of [lists, hashes, sets, sortedSets, streams, placesBitsAndCounts, blocking, pipelines]) {
    await client.flushAll();
    await part(client);
  }
  await client.close();
}
console.log("node types: ok");
