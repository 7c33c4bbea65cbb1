"""What redis-py's users rely on beyond commands: pub/sub, notifications, caching, blocking, users. Run as:
python_features.py PORT UNIX_SOCKET TLS_PORT CERTIFICATES, where CERTIFICATES holds ca.crt, alice.crt, alice.key.

Every way in (TCP, unix socket, TLS) is tried in RESP2 and RESP3. Every check is an assertion; the last line printed is
`python features: ok`.
"""

import asyncio
import sys
import threading
import time

import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.cache import CacheConfig
from redis.retry import Retry

WAIT_S = 10


def ways_in(port, unix_socket, tls_port, certificates):
    """The arguments of a client for each transport."""
    yield {"port": port}
    yield {"unix_socket_path": unix_socket}
    yield {
        "port": tls_port,
        "ssl": True,
        "ssl_ca_certs": f"{certificates}/ca.crt",
        "ssl_certfile": f"{certificates}/alice.crt",
        "ssl_keyfile": f"{certificates}/alice.key",
    }


def text(answer):
    """Some answers are decoded by the library, in some of its versions."""
    return answer.decode() if isinstance(answer, bytes) else answer


def next_message(subscriber, kind):
    """The next message, which must be of this kind."""
    deadline = time.time() + WAIT_S
    while time.time() < deadline:
        message = subscriber.get_message(timeout=1)
        if message is not None:
            assert message["type"] == kind, message
            return message
    raise AssertionError(f"no {kind} came")


def pubsub(client):
    subscriber = client.pubsub()
    subscriber.subscribe("news", "more")
    subscriber.psubscribe("n?w*")
    for count in (1, 2):
        assert next_message(subscriber, "subscribe")["data"] == count
    assert next_message(subscriber, "psubscribe")["data"] == 3
    assert client.publish("news", b"\x00binary\xff") == 2
    assert next_message(subscriber, "message")["data"] == b"\x00binary\xff"
    by_pattern = next_message(subscriber, "pmessage")
    assert (by_pattern["pattern"], by_pattern["channel"]) == (b"n?w*", b"news")
    assert client.publish("nobody", "x") == 0
    assert sorted(client.pubsub_channels()) == [b"more", b"news"]
    assert client.pubsub_numsub("news", "none") == [(b"news", 1), (b"none", 0)]
    assert client.pubsub_numpat() == 1
    subscriber.ping("are you there")
    assert next_message(subscriber, "pong")["data"] == b"are you there"
    subscriber.unsubscribe("more")
    assert next_message(subscriber, "unsubscribe")["data"] == 2
    subscriber.ssubscribe("shard")
    assert next_message(subscriber, "ssubscribe")["data"] == 1
    assert client.spublish("shard", "x") == 1
    deadline = time.time() + WAIT_S
    while (message := subscriber.get_sharded_message(timeout=1)) is None:
        assert time.time() < deadline
    assert message["data"] == b"x"
    subscriber.close()


def handlers(client):
    """A thread of redis-py's runs the handlers."""
    seen, done = [], threading.Event()

    def take(message):
        seen.append(message["data"])
        if len(seen) == 1000:
            done.set()

    subscriber = client.pubsub(ignore_subscribe_messages=True)
    subscriber.subscribe(**{"crowd": take})
    thread = subscriber.run_in_thread(sleep_time=0.01)
    deadline = time.time() + WAIT_S
    while not client.pubsub_numsub("crowd")[0][1]:
        assert time.time() < deadline
    with client.pipeline(transaction=False) as pipe:
        for n in range(1000):
            pipe.publish("crowd", n)
        assert pipe.execute() == [1] * 1000
    assert done.wait(WAIT_S), len(seen)
    assert seen == [b"%d" % n for n in range(1000)]
    thread.stop()
    thread.join()


def notifications(client):
    client.config_set("notify-keyspace-events", "KEA")
    assert sorted(client.config_get("notify-keyspace-events")["notify-keyspace-events"]) == list("AEK")
    subscriber = client.pubsub(ignore_subscribe_messages=True)
    subscriber.psubscribe("__key*@0__:noted*", "__keyevent@0__:expired")
    deadline = time.time() + WAIT_S
    while client.pubsub_numpat() < 2:
        subscriber.get_message(timeout=0.1)
        assert time.time() < deadline
    client.set("noted", 1, px=50)
    told = [next_message(subscriber, "pmessage") for _ in range(4)]
    assert [message["data"] for message in told] == [b"set", b"expire", b"expired", b"noted"], told
    subscriber.close()
    client.config_set("notify-keyspace-events", "")


def transactions(client):
    with client.pipeline() as pipe:
        pipe.watch("watched")
        pipe.multi()
        pipe.incr("watched").publish("nobody", "x").rpush("list", 1, 2).lrange("list", 0, -1)
        assert pipe.execute() == [1, 0, 2, [b"1", b"2"]]
    client.set("text", "abc")
    results = client.pipeline().incr("text").get("text").execute(raise_on_error=False)
    assert isinstance(results[0], redis.ResponseError) and results[1] == b"abc"


def blocking(client):
    results = []
    taker = threading.Thread(target=lambda: results.append(client.blpop("queue", timeout=WAIT_S)))
    taker.start()
    deadline = time.time() + WAIT_S
    while client.info("clients")["blocked_clients"] < 1:
        assert time.time() < deadline
    client.rpush("queue", "job")
    taker.join()
    assert results == [(b"queue", b"job")] or results == [[b"queue", b"job"]], results
    assert client.bzpopmin("absent", timeout=0.05) is None
    client.xgroup_create("stream", "group", mkstream=True)
    client.xadd("stream", {"field": "value"})
    assert client.xreadgroup("group", "me", {"stream": ">"}, block=100)
    assert client.wait(0, 0) == 0


def users(client, way_in):
    client.acl_setuser(
        "alice", enabled=True, reset=True, passwords=["+secret"], keys=["app:*"], channels=["app:*"], categories=["+@all", "-@dangerous"]
    )
    assert "alice" in map(text, client.acl_users()) and text(client.acl_whoami()) == "default"
    rules = client.acl_getuser("alice")
    assert rules["keys"] == "~app:*" or rules["keys"] == ["~app:*"], rules
    assert rules["enabled"] is True
    way_in = {**way_in, "retry": Retry(NoBackoff(), 0)}
    alice = redis.Redis(username="alice", password="secret", **way_in)
    assert text(alice.acl_whoami()) == "alice"
    assert alice.set("app:1", "x") is True and alice.get("app:1") == b"x"
    for refused in (lambda: alice.get("other"), lambda: alice.flushall(), lambda: alice.publish("other", "x")):
        try:
            refused()
            raise AssertionError("a refusal was expected")
        except redis.exceptions.NoPermissionError:
            pass
    log = client.acl_log()
    assert any(text(entry["username"]) == "alice" and text(entry["reason"]) == "key" for entry in log), log
    try:
        redis.Redis(username="alice", password="wrong", **way_in).ping()
        raise AssertionError("a wrong password must be refused")
    except redis.AuthenticationError:
        pass
    assert text(client.acl_dryrun("alice", "get", "app:1")) == "OK"
    assert client.acl_deluser("alice") == 1
    try:
        # Its connection is closed, and a new one is refused.
        alice.get("app:1")
        raise AssertionError("a deleted user must be gone")
    except redis.ConnectionError:
        pass
    assert client.acl_log_reset() in (True, b"OK")


def caching(way_in):
    """redis-py's own cache: a local answer until the server says that the key changed."""
    cached = redis.Redis(protocol=3, cache_config=CacheConfig(max_size=100), **way_in)
    other = redis.Redis(protocol=3, **way_in)
    cache = cached.get_cache()
    other.mset({"cached:1": "a", "cached:2": "b"})
    assert cached.get("cached:1") == b"a" and cached.get("cached:2") == b"b"
    assert cache.size == 2
    reads = other.info("commandstats")["cmdstat_get"]["calls"]
    assert cached.get("cached:1") == b"a"
    assert other.info("commandstats")["cmdstat_get"]["calls"] == reads, "a cached key is not asked for"
    for change in (
        lambda: other.set("cached:1", "new"),
        lambda: other.delete("cached:1"),
        lambda: other.flushall(),
    ):
        other.set("cached:1", "old")
        settle(lambda: cached.get("cached:1") == b"old")
        change()
        settle(lambda: cached.get("cached:1") == other.get("cached:1"))
    other.set("cached:1", "short", px=30)
    settle(lambda: cached.get("cached:1") is None)
    cached.close()


def settle(holds):
    """An invalidation is on its way when the change is answered: it may come a moment later."""
    deadline = time.time() + WAIT_S
    while not holds():
        assert time.time() < deadline, "it did not come to hold"


async def asynchronous(way_in):
    way_in = dict(way_in)
    client = redis.asyncio.Redis(protocol=3, **way_in)
    assert await asyncio.gather(*(client.incr("async") for _ in range(100))) != []
    assert await client.get("async") == b"100"
    async with client.pubsub(ignore_subscribe_messages=True) as subscriber:
        await subscriber.subscribe("async:channel")
        deadline = time.time() + WAIT_S
        while (await client.pubsub_numsub("async:channel"))[0][1] == 0:
            await subscriber.get_message(timeout=0.05)
            assert time.time() < deadline
        await client.publish("async:channel", "hello")
        while (message := await subscriber.get_message(timeout=1)) is None:
            assert time.time() < deadline
        assert message["data"] == b"hello"
    await client.aclose()


def main():
    port, unix_socket, tls_port, certificates = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
    for way_in in ways_in(port, unix_socket, tls_port, certificates):
        for protocol in (2, 3):
            client = redis.Redis(protocol=protocol, socket_timeout=2 * WAIT_S, **way_in)
            for part in (pubsub, handlers, notifications, transactions, blocking):
                client.flushall()
                part(client)
            users(client, {**way_in, "protocol": protocol})
            client.close()
        # The library caches over TCP and TLS only.
        if "port" in way_in:
            caching(way_in)
        asyncio.run(asynchronous(way_in))
    print("python features: ok")


main()
