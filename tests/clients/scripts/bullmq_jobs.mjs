// A job queue as BullMQ's users run it: bullmq_jobs.mjs PORT [JOBS]. A worker does ten thousand jobs, 50 at a time;
// besides delayed, prioritized, repeated, failing, deduplicated and rate-limited ones, and a flow of a parent and its
// children. Every step of a job is a Lua script of BullMQ's. Every check is an assertion; the last line printed is
// `bullmq jobs: ok`.

import assert from "node:assert/strict";
import { once } from "node:events";
import { FlowProducer, Queue, QueueEvents, Worker } from "bullmq";
import Redis from "ioredis";

const port = Number(process.argv[2]);
const JOBS = Number(process.argv[3] ?? 10_000);
const BATCH = 500;
const connection = { host: "127.0.0.1", port };
const begun = Date.now();
const plain = new Redis(port);
const closing = [];

/** Remembers what must be closed at the end, the last first. */
function keep(closable) {
  closing.unshift(closable);
  closable.on("error", (error) => {
    console.error(error);
    process.exit(1);
  });
  return closable;
}

const queue = (name) => keep(new Queue(name, { connection }));
const worker = (name, work, options) => keep(new Worker(name, work, { connection, drainDelay: 1, ...options }));
const told = (part) => console.log(`${part}: ${Date.now() - begun} ms`);

async function until(holds, what) {
  for (const end = Date.now() + 20_000; !(await holds()); await new Promise((go) => setTimeout(go, 20))) {
    if (Date.now() > end) throw new Error(`waited in vain for: ${what}`);
  }
}

async function manyJobs() {
  const many = queue("many");
  for (let from = 0; from < JOBS; from += BATCH) {
    await many.addBulk(Array.from({ length: BATCH }, (_, n) => ({ name: "square", data: { number: from + n } })));
  }
  assert.equal(await many.getWaitingCount(), JOBS);
  told(`${JOBS} jobs added`);
  const seen = new Set();
  const worked = worker("many", async (job) => seen.add(job.data.number) && job.data.number ** 2, { concurrency: 50 });
  await until(() => seen.size === JOBS, `all jobs, of which ${seen.size} are done`);
  await until(async () => (await many.getCompletedCount()) === JOBS, "all jobs completed");
  const counts = await many.getJobCounts();
  const { completed, ...others } = counts;
  assert.equal(completed, JOBS);
  assert.deepEqual(new Set(Object.values(others)), new Set([0]), JSON.stringify(counts));
  const job = await many.getJob("77");
  assert.equal(await job.getState(), "completed");
  assert.equal(job.returnvalue, job.data.number ** 2);
  assert.deepEqual((await many.getCompleted(0, 9)).length, 10);
  assert.equal((await many.clean(0, 1_000, "completed")).length, Math.min(JOBS, 1_000));
  await worked.close();
  await many.obliterate({ force: true });
  assert.deepEqual(await plain.keys("bull:many:*"), []);
  told("all of them worked off");
}

async function delayedJobs() {
  const delayed = queue("delayed");
  const done = [];
  worker("delayed", async (job) => done.push([job.data, Date.now() - job.timestamp]));
  await Promise.all([300, 100, 200].map((delay) => delayed.add("later", delay, { delay })));
  assert.equal(await delayed.getDelayedCount(), 3);
  const far = await delayed.add("far", "promoted", { delay: 1_000_000 });
  await far.changeDelay(2_000_000);
  await far.promote();
  await until(() => done.length === 4, "the delayed jobs");
  assert.deepEqual(done.map(([data]) => data), ["promoted", 100, 200, 300]);
  done.slice(1).forEach(([delay, waited]) => assert.ok(waited >= delay, `${delay} after ${waited} ms`));
}

async function prioritizedJobs() {
  const prioritized = queue("prioritized");
  await prioritized.pause();
  for (const priority of [5, 1, 3, 0, 2, 4]) await prioritized.add("p", priority, { priority });
  await prioritized.add("p", "last in, first out", { lifo: true });
  const moved = await prioritized.add("p", 6, { priority: 100 });
  await moved.changePriority({ priority: 6 });
  assert.deepEqual(await prioritized.getCountsPerPriority([0, 1, 5, 6]), { 0: 2, 1: 1, 5: 1, 6: 1 });
  const order = [];
  worker("prioritized", async (job) => order.push(job.data));
  await prioritized.resume();
  await until(() => order.length === 8, "the prioritized jobs");
  assert.deepEqual(order.slice(2), [1, 2, 3, 4, 5, 6]);
}

async function failingJobs() {
  const failing = queue("failing");
  const events = keep(new QueueEvents("failing", { connection }));
  await events.waitUntilReady();
  worker("failing", async (job) => {
    await job.updateProgress(job.attemptsMade);
    await job.log(`attempt ${job.attemptsMade}`);
    if (job.attemptsMade < job.data.failures) throw new Error(`failure ${job.attemptsMade}`);
    return "done";
  });
  const options = { attempts: 3, backoff: { type: "exponential", delay: 20 } };
  const recovers = await failing.add("recovers", { failures: 2 }, options);
  assert.equal(await recovers.waitUntilFinished(events, 15_000), "done");
  const fails = await failing.add("fails", { failures: 99 }, options);
  await assert.rejects(fails.waitUntilFinished(events, 15_000), /failure 2/);
  assert.equal(await fails.getState(), "failed");
  assert.deepEqual((await failing.getJobLogs(fails.id)).logs, ["attempt 0", "attempt 1", "attempt 2"]);
  assert.deepEqual(await failing.getJobCounts("completed", "failed"), { completed: 1, failed: 1 });
  await (await failing.getJob(fails.id)).updateData({ failures: 0 });
  await (await failing.getJob(fails.id)).retry();
  await until(async () => (await failing.getCompletedCount()) === 2, "the job that is tried again");
  const removed = await failing.add("removed", {}, { delay: 100_000 });
  await removed.remove();
  assert.equal(await removed.getState(), "unknown");
}

async function repeatedJobs() {
  const repeated = queue("repeated");
  let times = 0;
  worker("repeated", async () => ++times);
  await repeated.upsertJobScheduler("beat", { every: 50 }, { name: "beat", data: { from: "a scheduler" } });
  assert.equal(await repeated.getJobSchedulersCount(), 1);
  await until(() => times >= 3, "three beats");
  assert.equal(await repeated.removeJobScheduler("beat"), true);
  assert.equal(await repeated.getJobSchedulersCount(), 0);
}

async function uniqueJobs() {
  const unique = queue("unique");
  const [first, second] = [await unique.add("u", 1, { jobId: "same" }), await unique.add("u", 2, { jobId: "same" })];
  assert.deepEqual([first.id, second.id, await unique.getWaitingCount()], ["same", "same", 1]);
  const deduplication = { id: "once", ttl: 10_000 };
  const ids = [await unique.add("d", 1, { deduplication }), await unique.add("d", 2, { deduplication })].map((j) => j.id);
  assert.equal(ids[0], ids[1]);
  await unique.drain();
  assert.equal(await unique.getWaitingCount(), 0);
}

async function limitedJobs() {
  const limited = queue("limited");
  const times = [];
  worker("limited", async () => times.push(Date.now()), { concurrency: 5, limiter: { max: 5, duration: 300 } });
  await limited.addBulk(Array.from({ length: 12 }, (_, data) => ({ name: "l", data })));
  await until(() => times.length === 12, "the limited jobs");
  assert.ok(times[11] - times[0] >= 500, `twelve jobs, five per 300 ms, in ${times[11] - times[0]} ms`);
}

async function flows() {
  const flow = keep(new FlowProducer({ connection }));
  worker("children", async (job) => job.data * 10, { concurrency: 4 });
  worker("parents", async (job) => {
    const values = Object.values(await job.getChildrenValues());
    return values.reduce((sum, value) => sum + value, 0);
  });
  const events = keep(new QueueEvents("parents", { connection }));
  await events.waitUntilReady();
  const leaf = (data) => ({ name: "leaf", queueName: "children", data });
  const nested = { name: "inner", queueName: "parents", data: 0, children: [leaf(5), leaf(6)] };
  const tree = await flow.add({ name: "root", queueName: "parents", children: [leaf(1), leaf(2), leaf(3), nested] });
  assert.equal(await tree.job.waitUntilFinished(events, 15_000), 10 + 20 + 30 + 110);
  assert.deepEqual(Object.keys((await tree.job.getDependencies()).processed).length, 4);
  const found = await flow.getFlow({ id: tree.job.id, queueName: "parents" });
  assert.equal(found.children.length, 4);
}

async function lostWorker() {
  const lost = queue("lost");
  await lost.add("j", 1);
  const died = new Worker("lost", null, { connection, lockDuration: 1_000 });
  const taken = await died.getNextJob("token-of-the-dead");
  assert.equal(await taken.getState(), "active");
  await died.close(true);
  await plain.del(lost.toKey(`${taken.id}:lock`));
  const rescuer = keep(new Worker("lost", async () => "rescued", { connection, stalledInterval: 100, drainDelay: 1 }));
  const [job] = await once(rescuer, "completed");
  assert.deepEqual([job.id, job.returnvalue], [taken.id, "rescued"]);
}

const parts = [delayedJobs, prioritizedJobs, failingJobs, repeatedJobs, uniqueJobs, limitedJobs, flows, lostWorker];
await manyJobs();
await Promise.all(parts.map((part) => part().then(() => told(part.name))));
for (const closable of closing) await closable.close();
const failed = (await plain.info("commandstats")).split("\r\n").filter((line) => /failed_calls=[1-9]/.test(line));
// EVALSHA fails while the body is not known yet.
assert.deepEqual(failed.filter((line) => !line.startsWith("cmdstat_evalsha:")), []);
const errors = (await plain.info("errorstats")).match(/errorstat_\w+/g) ?? [];
// Releases before 7.2 know no CLIENT SETINFO.
assert.deepEqual(errors.filter((error) => !/_(NOSCRIPT|ERR)$/.test(error)), []);
await plain.quit();
console.log("bullmq jobs: ok");
