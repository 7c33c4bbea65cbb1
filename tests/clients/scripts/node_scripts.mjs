// Scripts and functions as node-redis, ioredis, Redlock and rate-limiter-flexible use them: node_scripts.mjs PORT.
// Every check is an assertion; the last line printed is `node scripts: ok`.

import assert from "node:assert/strict";
import Redis from "ioredis";
import { RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import { createClient, defineScript } from "redis";
import Redlock from "redlock";

const port = Number(process.argv[2]);
const sleep = (ms) => new Promise((go) => setTimeout(go, ms));

// A log of the requests of the last moments: the usual sliding window.
const SLIDING_WINDOW = `
local now_parts = redis.call('TIME')
local now = tonumber(now_parts[1]) * 1000 + math.floor(tonumber(now_parts[2]) / 1000)
local window, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, now - window)
local count = redis.call('ZCARD', KEYS[1])
if count >= limit then
  local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  return {0, count, math.max(0, oldest[2] + window - now)}
end
redis.call('ZADD', KEYS[1], now, ARGV[3])
redis.call('PEXPIRE', KEYS[1], window)
return {1, count + 1, 0}`;

async function slidingWindow() {
  const client = new Redis(port);
  client.defineCommand("slide", { numberOfKeys: 1, lua: SLIDING_WINDOW });
  const ask = (n) => client.slide("window:ada", 400, 10, `request:${n}`);
  const answers = await Promise.all(Array.from({ length: 25 }, (_, n) => ask(n)));
  assert.equal(answers.filter(([allowed]) => allowed === 1).length, 10);
  const [refused, count, wait_ms] = answers.at(-1);
  assert.deepEqual([refused, count], [0, 10]);
  assert.ok(wait_ms > 0 && wait_ms <= 400, `${wait_ms}`);
  await sleep(wait_ms + 50);
  assert.equal((await ask("later"))[0], 1);
  await sleep(500);
  assert.equal(await client.exists("window:ada"), 0);
  await client.quit();
}

async function redlock() {
  const clients = [1, 2, 3].map((db) => new Redis({ port, db }));
  // Three databases stand for three servers.
  const locks = new Redlock(clients, { retryCount: 3, retryDelay: 20, retryJitter: 10 });
  const failures = [];
  locks.on("clientError", (error) => failures.push(error));
  const lock = await locks.lock(["locks:a", "locks:b"], 2_000);
  await assert.rejects(locks.lock("locks:a", 2_000), { name: "LockError" });
  assert.equal(await clients[0].get("locks:a"), lock.value);
  await lock.extend(5_000);
  assert.ok((await clients[2].pttl("locks:b")) > 2_000);
  await lock.unlock();
  assert.equal(await clients[1].exists("locks:a", "locks:b"), 0);
  let inside = 0;
  let entered = 0;
  const patient = new Redlock(clients, { retryCount: 500, retryDelay: 5, retryJitter: 5 });
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      const mine = await patient.lock("locks:crowd", 5_000);
      assert.equal(++inside, 1);
      await sleep(1);
      inside--;
      entered++;
      await mine.unlock();
    }),
  );
  assert.equal(entered, 20);
  assert.deepEqual(failures, []);
  await Promise.all(clients.map((client) => client.quit()));
}

async function limitedBy(limiter) {
  const answers = await Promise.allSettled(Array.from({ length: 8 }, () => limiter.consume("ada", 1)));
  const allowed = answers.filter(({ status }) => status === "fulfilled").map(({ value }) => value);
  const refused = answers.filter(({ status }) => status === "rejected").map(({ reason }) => reason);
  refused.forEach((reason) => assert.ok(reason instanceof RateLimiterRes, reason));
  assert.deepEqual(allowed.map((answer) => answer.remainingPoints), [4, 3, 2, 1, 0]);
  assert.deepEqual(refused.map((answer) => answer.consumedPoints), [6, 7, 8]);
  refused.forEach((answer) => assert.ok(answer.msBeforeNext > 0 && answer.msBeforeNext <= 1_000));
  assert.equal((await limiter.get("ada")).consumedPoints, 8);
  await limiter.reward("ada", 4);
  assert.equal((await limiter.consume("ada", 1)).consumedPoints, 5);
  await limiter.block("eve", 2);
  await assert.rejects(limiter.consume("eve"), (reason) => reason.msBeforeNext > 1_000);
  await sleep(1_050);
  assert.equal((await limiter.consume("ada")).remainingPoints, 4);
}

async function rateLimiter() {
  const points = { points: 5, duration: 1 };
  const storeClient = new Redis({ port, enableOfflineQueue: true });
  const byIoredis = limitedBy(new RateLimiterRedis({ storeClient, keyPrefix: "limit:io", ...points }));
  const nodeRedis = await createClient({ socket: { port } }).connect();
  const options = { storeClient: nodeRedis, useRedisPackage: true, keyPrefix: "limit:node", ...points };
  await Promise.all([byIoredis, limitedBy(new RateLimiterRedis(options))]);
  await Promise.all([storeClient.quit(), nodeRedis.close()]);
}

async function ioredisCommands() {
  const client = new Redis(port, {
    keyPrefix: "io:",
    scripts: { readBoth: { lua: "return redis.call('MGET', KEYS[1], KEYS[2])", numberOfKeys: 2, readOnly: true } },
  });
  client.defineCommand("moveAll", {
    lua: `local n = 0
      for i = 2, #KEYS do
        for _, v in ipairs(redis.call('LRANGE', KEYS[i], 0, -1)) do redis.call('RPUSH', KEYS[1], v); n = n + 1 end
        redis.call('DEL', KEYS[i])
      end
      return {n, KEYS[1], ARGV[1] or false, {'nested', {'deeper'}}}`,
  });
  await client.rpush("l1", "a", "b");
  await client.rpush("l2", "c");
  assert.deepEqual(await client.moveAll(3, "all", "l1", "l2"), [3, "io:all", null, ["nested", ["deeper"]]]);
  assert.deepEqual(await client.lrange("all", 0, -1), ["a", "b", "c"]);
  await client.mset("x", "1", "y", "2");
  assert.deepEqual(await client.readBoth("x", "y"), ["1", "2"]);
  client.defineCommand("echoBytes", { numberOfKeys: 0, lua: "return ARGV[1]" });
  const bytes = Buffer.from([0, 255, 13, 10, 128]);
  assert.deepEqual(await client.echoBytesBuffer(bytes), bytes);
  client.defineCommand("fails", { numberOfKeys: 0, lua: "return redis.error_reply('CODE of my own')" });
  await assert.rejects(client.fails(), /^ReplyError: CODE of my own/);
  const results = await client.pipeline().set("p", 1).echoBytes("in a pipeline").fails().get("p").exec();
  assert.deepEqual(results.map(([error, value]) => (error ? "failed" : value)), ["OK", "in a pipeline", "failed", "1"]);
  const transaction = await client.multi().incr("p").readBoth("x", "y").exec();
  assert.deepEqual(transaction, [[null, 2], [null, ["1", "2"]]]);
  // What it knew is gone from the server: it sends the body again.
  assert.equal(await client.script("FLUSH"), "OK");
  assert.deepEqual(await client.readBoth("x", "y"), ["1", "2"]);
  await client.script("FLUSH");
  assert.deepEqual(await client.pipeline().echoBytes("again").exec(), [[null, "again"]]);
  await client.quit();
}

const LIBRARY = `#!lua name=mylib
local function add(keys, args)
  local sum = 0
  for _, key in ipairs(keys) do sum = sum + (redis.call('GET', key) or 0) end
  return sum + (args[1] or 0)
end
redis.register_function('sumUp', add)
redis.register_function{function_name = 'readUp', callback = add, flags = {'no-writes'}}`;

const sumUp = {
  NUMBER_OF_KEYS: 2,
  parseCommand(parser, first, second, more) {
    parser.pushKey(first);
    parser.pushKey(second);
    parser.push(String(more));
  },
  transformReply: (reply) => reply,
};

async function nodeRedis(RESP) {
  const twice = defineScript({
    NUMBER_OF_KEYS: 1,
    SCRIPT: "return redis.call('INCRBY', KEYS[1], ARGV[1]) * 2",
    parseCommand(parser, key, amount) {
      parser.pushKey(key);
      parser.push(String(amount));
    },
    transformReply: (reply) => reply,
  });
  const client = await createClient({ RESP, socket: { port }, scripts: { twice } }).connect();
  await client.del("twice");
  assert.equal(await client.twice("twice", 21), 42);
  assert.equal(await client.twice("twice", 1), 44);
  assert.deepEqual(await client.multi().twice("twice", 1).get("twice").exec(), [46, "23"]);
  assert.equal(await client.eval("return #KEYS + #ARGV", { keys: ["a", "b"], arguments: ["c"] }), 3);
  assert.equal(await client.evalRo("return redis.call('GET', KEYS[1])", { keys: ["twice"], arguments: [] }), "23");
  await assert.rejects(client.evalRo("return redis.call('SET', KEYS[1], 1)", { keys: ["twice"] }), /read-only/);
  const sha = await client.scriptLoad("return {1, 'two', false, {3}}");
  assert.deepEqual(await client.evalSha(sha), [1, "two", null, [3]]);
  assert.deepEqual(await client.scriptExists([sha, "0".repeat(40)]), [1, 0]);
  await assert.rejects(client.eval("return nosuch"), /nonexistent global variable 'nosuch'/);
  await client.close();
}

async function nodeFunctions(RESP) {
  const functions = { mylib: { sumUp, readUp: { ...sumUp, IS_READ_ONLY: true } } };
  const client = await createClient({ RESP, socket: { port }, functions }).connect();
  assert.equal(await client.functionLoad(LIBRARY, { REPLACE: true }), "mylib");
  await client.mSet({ one: "1", two: "2" });
  assert.equal(await client.mylib.sumUp("one", "two", 39), 42);
  assert.equal(await client.mylib.readUp("one", "two", 0), 3);
  const [library] = await client.functionList();
  assert.equal(library.library_name, "mylib");
  assert.deepEqual([...library.functions].map(({ name }) => name).sort(), ["readUp", "sumUp"]);
  const dump = await client.functionDump();
  await client.functionFlush();
  await assert.rejects(client.mylib.sumUp("one", "two", 1), /Function not found/);
  assert.equal(typeof dump, "string");
  await client.close();
}

async function ioredisFunctions() {
  const client = new Redis(port);
  assert.equal(await client.function("LOAD", "REPLACE", LIBRARY), "mylib");
  await client.mset("one", 1, "two", 2);
  assert.equal(await client.fcall("sumUp", 2, "one", "two", 4), 7);
  assert.equal(await client.fcall_ro("readUp", 1, "one"), 1);
  await assert.rejects(client.fcall_ro("sumUp", 1, "one"), /write flag/);
  const dump = await client.callBuffer("FUNCTION", "DUMP");
  assert.equal(await client.function("DELETE", "mylib"), "OK");
  assert.equal(await client.function("RESTORE", dump), "OK");
  assert.equal(await client.fcall("sumUp", 0, 5), 5);
  await client.function("FLUSH");
  await client.quit();
}

for (const part of [slidingWindow, redlock, rateLimiter, ioredisCommands]) await part();
for (const RESP of [2, 3]) await nodeRedis(RESP);
for (const RESP of [2, 3]) await nodeFunctions(RESP);
await ioredisFunctions();
console.log("node scripts: ok");
