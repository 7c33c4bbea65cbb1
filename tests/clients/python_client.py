"""What a redis-py user does with strings, keys, pipelines and snapshots. Run as: python_client.py PORT.

Every check is an assertion; the last line printed is `python client: ok`.
"""

import sys
import threading
import time

import redis


def strings(client):
    assert client.set("greeting", "hello") is True
    assert client.get("greeting") == b"hello"
    assert client.get("absent") is None
    assert client.set("greeting", "again", nx=True) is None
    assert client.set("greeting", "again", xx=True, get=True) == b"hello"
    assert client.append("greeting", "!") == 6
    assert client.getrange("greeting", 0, 2) == b"aga"
    assert client.incrby("counter", 41) == 41
    assert client.incr("counter") == 42
    assert abs(client.incrbyfloat("float", 0.25) - 0.25) < 1e-9
    assert client.mset({"a": 1, "b": b"\x00\xff", "c": ""}) is True
    assert client.mget("a", "b", "c", "absent") == [b"1", b"\x00\xff", b"", None]
    assert client.getex("a", ex=100) == b"1"
    assert 98 <= client.ttl("a") <= 100
    assert client.getdel("c") == b""
    assert client.strlen("greeting") == 6
    big = b"x" * 1_000_000
    assert client.set("big", big) is True and client.get("big") == big


def keys(client):
    client.flushall()
    client.mset({f"key:{n}": n for n in range(500)})
    assert client.dbsize() == 500
    assert len(set(client.scan_iter(match="key:*", count=37))) == 500
    assert sorted(client.keys("key:1?")) == [b"key:%d" % n for n in range(10, 20)]
    assert client.exists("key:1", "key:2", "absent") == 2
    assert client.type("key:1") == b"string"
    assert client.rename("key:1", "renamed") is True
    assert client.copy("renamed", "copied") is True
    assert client.delete("renamed", "copied") == 2
    assert client.unlink("key:2") == 1
    assert client.expire("key:3", 100) is True
    assert client.persist("key:3") is True
    assert client.pexpireat("key:4", 4_000_000_000_000) is True
    assert client.pexpiretime("key:4") == 4_000_000_000_000
    payload = client.dump("key:5")
    assert client.restore("restored", 0, payload) == b"OK"
    assert client.get("restored") == b"5"
    assert client.object("encoding", "key:5") in (b"int", "int")


def transactions(client):
    with client.pipeline(transaction=True) as pipe:
        assert pipe.set("p", 1).incr("p").get("p").execute() == [True, 2, b"2"]
    with client.pipeline(transaction=False) as pipe:
        for n in range(10_000):
            pipe.set(f"pipe:{n}", n)
        assert all(pipe.execute())
    with client.pipeline() as pipe:
        pipe.watch("p")
        client.set("p", "changed elsewhere")
        pipe.multi()
        pipe.set("p", "mine")
        try:
            pipe.execute()
            raise AssertionError("a watched key changed: EXEC must fail")
        except redis.WatchError:
            pass

    def add_one(pipe):
        value = int(pipe.get("total") or 0)
        pipe.multi()
        pipe.set("total", value + 1)

    threads = [threading.Thread(target=lambda: [client.transaction(add_one, "total") for _ in range(25)]) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert int(client.get("total")) == 100


def errors(client):
    client.set("text", "abc")
    for call, kind in [
        (lambda: client.incr("text"), redis.ResponseError),
        (lambda: client.execute_command("NOSUCH", 1), redis.ResponseError),
        (lambda: client.execute_command("GET"), redis.ResponseError),
        (lambda: client.restore("text", 0, b"junk", replace=True), redis.ResponseError),
    ]:
        try:
            call()
            raise AssertionError("an error was expected")
        except kind:
            pass


def admin(client):
    assert client.ping() is True
    assert client.echo("x") == b"x"
    info = client.info()
    assert info["redis_version"].count(".") == 2 and info["connected_clients"] >= 1
    assert client.info("keyspace")["db0"]["keys"] == client.dbsize()
    assert client.config_set("maxmemory-samples", 7) is True
    assert client.config_get("maxmemory-samples") == {"maxmemory-samples": "7"}
    assert client.client_setname("python") is True
    assert client.client_getname() in ("python", b"python")
    assert any(entry["name"] == "python" for entry in client.client_list())
    assert client.command_count() > 50
    assert client.memory_usage("text") > 0
    assert client.slowlog_len() >= 0
    assert abs(client.time()[0] - time.time()) < 5


def snapshots(client):
    assert client.save() is True
    before = client.lastsave()
    time.sleep(1.1)
    assert client.bgsave()
    deadline = time.time() + 10
    while client.info("persistence")["rdb_bgsave_in_progress"] and time.time() < deadline:
        time.sleep(0.02)
    assert client.info("persistence")["rdb_last_bgsave_status"] == "ok"
    assert client.lastsave() > before


def main():
    port = int(sys.argv[1])
    for protocol in (2, 3):
        client = redis.Redis(port=port, protocol=protocol, socket_timeout=10)
        client.flushall()
        for part in (strings, keys, transactions, errors, admin, snapshots):
            part(client)
        client.close()
    print("python client: ok")


main()
