"""What redis-py's users do with scripts, and libraries that are built of them: python_scripts.py PORT.

redis-py's Script, pipelines of scripts, its Lock, functions; `limits`, whose windows are scripts; `dramatiq`, whose
queues are. Every check is an assertion; the last line printed is `python scripts: ok`.
"""

import asyncio
import sys
import threading
import time

import dramatiq
import limits
import redis
import redis.asyncio
from dramatiq.brokers.redis import RedisBroker

WAIT_S = 15
PORT = int(sys.argv[1])


def refused(what, text):
    """`what` must be refused in words that contain `text`."""
    try:
        what()
    except redis.ResponseError as error:
        assert text in str(error), error
        return
    raise AssertionError(f"an error was expected: {text}")


def registered(client):
    multiply = client.register_script("return redis.call('GET', KEYS[1]) * ARGV[1]")
    client.set("number", 6)
    assert multiply(keys=["number"], args=[7]) == 42
    client.script_flush()
    # It has the script loaded again by itself.
    assert multiply(keys=["number"], args=[7]) == 42
    assert client.script_exists(multiply.sha, "f" * 40) == [True, False]
    with client.pipeline() as pipe:
        pipe.set("number", 5)
        multiply(keys=["number"], args=[2], client=pipe)
        pipe.get("number")
        assert pipe.execute() == [True, 10, b"5"]
    with client.pipeline(transaction=False) as pipe:
        for n in range(200):
            multiply(keys=["number"], args=[n], client=pipe)
        assert pipe.execute() == [5 * n for n in range(200)]
    assert client.eval("return {KEYS[1], ARGV[1], 3.99, true, false, {ok='fine'}}", 1, "k", b"\x00\xff") == [
        b"k", b"\x00\xff", 3, 1, None, b"fine",
    ]
    assert client.evalsha_ro(client.script_load("return redis.call('GET', KEYS[1])"), 1, "number") == b"5"
    refused(lambda: client.eval_ro("return redis.call('DEL', KEYS[1])", 1, "number"), "read-only")
    refused(lambda: client.eval("return redis.call('INCR', KEYS[1])", 1, "text"), "not an integer")
    refused(lambda: client.eval("not lua", 0), "Error compiling script")
    refused(lambda: client.evalsha("0" * 40, 0), "No matching script")


def converted(client):
    """What is written by one library is read by the other side as its users mean it."""
    packed = client.eval("return cmsgpack.pack({1, 'two', {three = 3.5}})", 0)
    assert packed == b"\x93\x01\xa3two\x81\xa5three\xca\x40\x60\x00\x00", packed
    assert client.eval("return cjson.encode({a = {1, 2.5, 'x'}})", 0) == b'{"a":[1,2.5,"x"]}'
    assert client.eval("return cjson.decode(ARGV[1]).list[2].name", 0, '{"list": [0, {"name": "\\u00e9"}]}') == "é".encode()
    assert client.eval("return struct.pack('>I2s', 258, 'abc')", 0) == b"\x01\x02abc\x00"
    assert client.eval("return bit.tohex(bit.bxor(0xff, 0x0f))", 0) == b"000000f0"


def locks(client):
    """redis-py's Lock releases, extends and reacquires by scripts."""
    lock = client.lock("lock", timeout=5, blocking_timeout=0.1)
    assert lock.acquire() and lock.owned()
    assert not client.lock("lock", blocking=False).acquire()
    lock.extend(10)
    assert 5 < client.ttl("lock") <= 15
    lock.extend(20, replace_ttl=True)
    assert 15 < client.ttl("lock") <= 20
    lock.reacquire()
    assert client.ttl("lock") <= 5
    client.set("lock", "somebody else")
    try:
        lock.release()
        raise AssertionError("a lock that is another's cannot be released")
    except redis.exceptions.LockNotOwnedError:
        pass
    client.delete("lock")
    count = [0]

    def enter():
        own = redis.Redis(port=PORT)
        for _ in range(10):
            with own.lock("crowd", timeout=10, sleep=0.001):
                seen = count[0]
                time.sleep(0.0005)
                count[0] = seen + 1

    threads = [threading.Thread(target=enter) for _ in range(6)]
    [thread.start() for thread in threads]
    [thread.join(WAIT_S) for thread in threads]
    assert count == [60], count


def functions(client):
    library = """#!lua name=counters
    redis.register_function('bump', function(keys, args) return redis.call('INCRBY', keys[1], args[1] or 1) end)
    redis.register_function{function_name='peek', callback=function(keys) return redis.call('GET', keys[1]) end,
                            flags={'no-writes'}, description='only looks'}
    """
    assert client.function_load(library, replace=True) in (b"counters", "counters")
    assert client.fcall("bump", 1, "count", 41) == 41
    assert client.fcall("bump", 1, "count") == 42
    assert client.fcall_ro("peek", 1, "count") == b"42"
    refused(lambda: client.fcall_ro("bump", 1, "count"), "write flag")
    refused(lambda: client.function_load(library), "already exists")
    assert len(client.function_list()) == 1
    dump = client.function_dump()
    client.function_delete("counters")
    refused(lambda: client.fcall("bump", 1, "count"), "Function not found")
    client.function_restore(dump)
    assert client.fcall("bump", 1, "count") == 43
    client.function_flush()


def limiters():
    storage = limits.storage.storage_from_string(f"redis://localhost:{PORT}")
    for strategy in ("FixedWindow", "MovingWindow", "SlidingWindowCounter"):
        limiter = getattr(limits.strategies, f"{strategy}RateLimiter")(storage)
        item = limits.RateLimitItemPerMinute(5)
        # A fixed window may end meanwhile: then it is tried once more.
        for _ in range(2):
            answers = [limiter.hit(item, strategy) for _ in range(8)]
            if answers == [True] * 5 + [False] * 3:
                break
            limiter.clear(item, strategy)
        assert answers == [True] * 5 + [False] * 3, (strategy, answers)
        assert not limiter.test(item, strategy)
        stats = limiter.get_window_stats(item, strategy)
        assert stats.remaining == 0 and stats.reset_time <= time.time() + 61, (strategy, stats)
        limiter.clear(item, strategy)
        assert limiter.hit(item, strategy, cost=5) and not limiter.hit(item, strategy)
    moving = limits.strategies.MovingWindowRateLimiter(storage)
    short = limits.RateLimitItemPerSecond(10)
    assert sum(moving.hit(short, "short") for _ in range(30)) == 10
    time.sleep(1.1)
    assert moving.hit(short, "short")
    storage.reset()
    assert moving.get_window_stats(short, "short").remaining == 10


def queues():
    broker = RedisBroker(host="localhost", port=PORT, namespace="work")
    dramatiq.set_broker(broker)
    done, failures = set(), []
    lock = threading.Lock()

    @dramatiq.actor
    def square(number):
        with lock:
            done.add(number)

    @dramatiq.actor(max_retries=2, min_backoff=10, max_backoff=20)
    def fails():
        failures.append(time.time())
        raise RuntimeError("as intended")

    broker.flush_all()
    for number in range(1000):
        square.send(number)
    square.send_with_options(args=(1000,), delay=200)
    fails.send()
    worker = dramatiq.Worker(broker, worker_threads=8, worker_timeout=50)
    worker.logger.disabled = True
    worker.start()
    deadline = time.time() + WAIT_S
    while len(done) < 1001 or len(failures) < 3:
        assert time.time() < deadline, (len(done), len(failures))
        time.sleep(0.01)
    broker.join("default", timeout=1000 * WAIT_S)
    worker.join()
    worker.stop()
    assert done == set(range(1001)) and len(failures) == 3
    assert broker.do_qsize("default") == 0
    broker.close()


async def asynchronous():
    client = redis.asyncio.Redis(port=PORT)
    script = client.register_script("return redis.call('INCR', KEYS[1])")
    numbers = await asyncio.gather(*(script(keys=["async"]) for _ in range(50)))
    assert sorted(numbers) == list(range(1, 51))
    async with client.lock("async:lock", timeout=5):
        assert await client.exists("async:lock")
    await client.aclose()


def main():
    import logging

    logging.disable(logging.CRITICAL)
    for protocol in (2, 3):
        client = redis.Redis(port=PORT, protocol=protocol, socket_timeout=2 * WAIT_S)
        for part in (registered, converted, locks, functions):
            client.flushall()
            client.set("text", "abc")
            part(client)
        client.close()
    limiters()
    queues()
    asyncio.run(asynchronous())
    print("python scripts: ok")


main()
