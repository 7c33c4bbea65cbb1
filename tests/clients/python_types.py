"""What a redis-py user does with every data type and with blocking pops. Run as: python_types.py PORT.

Every check is an assertion; the last line printed is `python types: ok`. Where redis-py shapes replies differently for
RESP2 and RESP3, the helper `plain` brings both to one form.
"""

import sys
import threading
import time

import redis


def plain(value):
    """Tuples and sets become lists, integral floats integers: what is compared is the content."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, set):
        return sorted(plain(item) for item in value)
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def expect_error(call, text):
    try:
        call()
    except redis.ResponseError as error:
        assert text in str(error), error
    else:
        raise AssertionError(f"an error with {text!r} was expected")


def wait_until(condition):
    deadline = time.time() + 10
    while not condition():
        assert time.time() < deadline, "waited in vain"
        time.sleep(0.01)


def lists(client):
    assert client.rpush("l", "a", "b", 3, b"\x00\xff") == 4
    assert client.lpush("l", "first") == 5
    assert client.lrange("l", 0, -1) == [b"first", b"a", b"b", b"3", b"\x00\xff"]
    assert client.lindex("l", -1) == b"\x00\xff" and client.llen("l") == 5
    assert client.linsert("l", "BEFORE", "b", "between") == 6
    assert client.lset("l", 0, "zero") is True
    assert client.lrem("l", 0, "between") == 1
    assert client.lpos("l", "b") == 2 and client.lpos("l", "absent") is None
    assert client.lpop("l") == b"zero" and client.rpop("l", 2) == [b"\x00\xff", b"3"]
    assert client.lmove("l", "m", "LEFT", "RIGHT") == b"a"
    assert plain(client.lmpop(2, "none", "m", direction="LEFT", count=5)) == [b"m", [b"a"]]
    assert client.ltrim("l", 5, 9) is True and client.exists("l") == 0
    queue = [f"job:{n}" for n in range(1500)]
    assert client.rpush("queue", *queue) == 1500
    assert client.object("encoding", "queue") in (b"quicklist", "quicklist")
    assert [item.decode() for item in client.lrange("queue", 0, -1)] == queue
    assert client.sort("queue", start=0, num=2, alpha=True, desc=True) == [b"job:999", b"job:998"]


def hashes(client):
    assert client.hset("h", mapping={"name": "Ada", "born": 1815, "empty": ""}) == 3
    assert client.hset("h", "name", "Ada L.") == 0
    assert client.hget("h", "name") == b"Ada L." and client.hget("h", "absent") is None
    assert client.hgetall("h") == {b"name": b"Ada L.", b"born": b"1815", b"empty": b""}
    assert client.hmget("h", "born", "absent") == [b"1815", None]
    assert client.hincrby("h", "born", 2) == 1817
    assert abs(client.hincrbyfloat("h", "ratio", 0.5) - 0.5) < 1e-9
    assert client.hexists("h", "name") and client.hlen("h") == 4 and client.hstrlen("h", "name") == 6
    assert sorted(client.hkeys("h")) == [b"born", b"empty", b"name", b"ratio"]
    assert client.hsetnx("h", "name", "x") in (0, False)
    assert client.hdel("h", "empty", "absent") == 1
    client.hset("big", mapping={f"field:{n}": n for n in range(2000)})
    assert dict(client.hscan_iter("big", match="field:1?", count=50)).keys() == {b"field:%d" % n for n in range(10, 20)}
    assert len(client.hrandfield("big", 5)) == 5


def field_expiry(client):
    client.hset("session", mapping={"token": "t", "user": "u", "theme": "dark"})
    assert client.hexpire("session", 100, "token", "absent") == [1, -2]
    assert 98 <= client.httl("session", "token")[0] <= 100
    assert client.httl("session", "user", "absent") == [-1, -2]
    assert client.hpersist("session", "token") == [1]
    assert client.hpexpire("session", 30, "user") == [1]
    assert client.hpexpiretime("session", "user")[0] > time.time() * 1000
    wait_until(lambda: not client.hexists("session", "user"))
    assert sorted(client.hkeys("session")) == [b"theme", b"token"]
    assert client.hsetex("session", mapping={"code": "42"}, ex=100) == 1
    assert client.hgetex("session", "code", persist=True) == [b"42"]
    assert client.hgetdel("session", "code", "theme") == [b"42", b"dark"]
    assert client.hexpireat("session", 1, "token") == [2]
    # A field that has expired may keep the key until the server's clock has looked at it.
    wait_until(lambda: client.exists("session") == 0)


def sets(client):
    assert client.sadd("a", 1, 2, 3) == 3 and client.sadd("b", 2, 3, "x") == 3
    assert plain(client.smembers("a")) == [b"1", b"2", b"3"]
    assert plain(client.sinter("a", "b")) == [b"2", b"3"] and plain(client.sdiff("b", "a")) == [b"x"]
    assert len(client.sunion("a", "b")) == 4 and client.sintercard(2, ["a", "b"], limit=1) == 1
    assert client.sunionstore("u", "a", "b") == 4 and client.smove("u", "v", "x")
    assert client.smismember("a", [1, 9]) in ([1, 0], [True, False])
    assert client.srem("a", 1) == 1 and client.spop("v") == b"x"
    client.sadd("big", *range(3000))
    assert {int(member) for member in client.sscan_iter("big", count=100)} == set(range(3000))
    assert len(client.srandmember("big", 7)) == 7


def sorted_sets(client):
    assert client.zadd("z", {"one": 1, "two": 2, "half": 0.5}) == 3
    assert client.zadd("z", {"one": 10}, xx=True, gt=True, ch=True) == 1
    assert plain(client.zrange("z", 0, -1, withscores=True)) == [[b"half", 0.5], [b"two", 2], [b"one", 10]]
    assert client.zrange("z", 1, 5, byscore=True, offset=0, num=1) == [b"two"]
    assert client.zrevrank("z", "one") == 0 and client.zscore("z", "half") == 0.5
    assert client.zmscore("z", ["two", "absent"]) == [2, None]
    assert client.zincrby("z", 1.5, "half") == 2 and client.zcount("z", 2, 2) == 2
    assert client.zadd("y", {"two": 1, "three": 3}) == 2
    assert client.zunionstore("s", {"z": 2, "y": 1}, aggregate="MAX") == 4
    assert plain(client.zinter(["z", "y"], withscores=True)) == [[b"two", 3]]
    assert client.zrangebylex("lex", "-", "+") == [] and client.zdiffstore("d", ["z", "y"]) == 2
    assert plain(client.zpopmax("s")) in ([[b"one", 20]], [b"one", 20])
    assert plain(client.zmpop(1, ["y"], min=True, count=9))[0] == b"y"
    client.zadd("big", {f"m{n}": n for n in range(3000)})
    assert client.zremrangebyrank("big", 0, 999) == 1000 and client.zcard("big") == 2000
    assert len(dict(client.zscan_iter("big"))) == 2000


def streams(client):
    ids = [client.xadd("s", {"n": n, "text": f"t{n}"}) for n in range(10)]
    assert client.xlen("s") == 10
    assert client.xrange("s", ids[3], count=1) == [(ids[3], {b"n": b"3", b"text": b"t3"})]
    assert [entry for entry, _ in client.xrevrange("s", count=2)] == [ids[9], ids[8]]
    assert client.xgroup_create("s", "g", id="0") is True
    expect_error(lambda: client.xgroup_create("s", "g"), "BUSYGROUP")
    read = entries(client.xreadgroup("g", "alice", {"s": ">"}, count=4))
    assert [entry for entry, _ in read] == ids[:4]
    assert [entry for entry, _ in entries(client.xreadgroup("g", "bob", {"s": ">"}))] == ids[4:]
    assert client.xack("s", "g", *ids[:3]) == 3
    pending = client.xpending("s", "g")
    assert pending["pending"] == 7 and pending["min"] == ids[3]
    detail = client.xpending_range("s", "g", "-", "+", 10, consumername="alice")
    assert [item["message_id"] for item in detail] == [ids[3]] and detail[0]["times_delivered"] == 1
    assert [entry for entry, _ in client.xclaim("s", "g", "carol", 0, [ids[3]])] == [ids[3]]
    assert [entry for entry, _ in client.xautoclaim("s", "g", "dave", 0, count=2)[1]] == ids[3:5]
    assert [entry for entry, _ in entries(client.xreadgroup("g", "dave", {"s": "0"}))] == ids[3:5]
    assert client.xinfo_stream("s")["length"] == 10
    assert client.xinfo_groups("s")[0]["pending"] == 7
    assert sorted(plain(consumer["name"]) for consumer in client.xinfo_consumers("s", "g"))[0] in (b"alice", "alice")
    assert client.xdel("s", ids[0]) == 1 and client.xtrim("s", maxlen=5, approximate=False) == 4
    assert entries(client.xread({"s": ids[7]}))[0][0] == ids[8]
    assert client.xgroup_delconsumer("s", "g", "bob") == 5 and client.xgroup_destroy("s", "g") == 1


def entries(reply):
    """The entries of the one stream that XREAD or XREADGROUP answered."""
    if isinstance(reply, dict):
        reply = list(reply.items())
    [[_, found]] = reply
    # RESP3 wraps the entries of a stream once more.
    return found[0] if found and isinstance(found[0], list) else found


def places(client):
    assert client.geoadd("g", (13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania")) == 2
    assert 166 < client.geodist("g", "Palermo", "Catania", unit="km") < 167
    assert abs(client.geopos("g", "Palermo")[0][0] - 13.361389) < 1e-4
    near = client.geosearch("g", longitude=15, latitude=37, radius=200, unit="km", sort="ASC", withdist=True)
    assert [place[0] for place in near] == [b"Catania", b"Palermo"]
    assert client.geosearch("g", member="Palermo", width=400, height=400, unit="km", count=1) == [b"Palermo"]
    assert plain(client.geohash("g", "Palermo")) in (["sqc8b49rny0"], [b"sqc8b49rny0"])


def bits(client):
    assert client.setbit("bits", 7, 1) == 0 and client.setbit("bits", 100, 1) == 0
    assert client.getbit("bits", 7) == 1 and client.bitcount("bits") == 2
    assert client.bitpos("bits", 1) == 7 and client.bitpos("bits", 1, 1) == 100
    client.set("mask", b"\x01")
    assert client.bitop("AND", "both", "bits", "mask") == 13 and client.bitcount("both") == 1
    field = client.bitfield("numbers", default_overflow="SAT")
    assert field.set("u8", "#0", 250).incrby("u8", "#0", 10).get("u8", "#0").execute() == [0, 255, 255]


def counting(client):
    assert client.pfadd("visitors", *[f"user:{n}" for n in range(1000)]) == 1
    assert client.pfadd("visitors", "user:1") == 0
    assert 970 < client.pfcount("visitors") < 1030
    client.pfadd("others", "x", "y")
    assert client.pfmerge("all", "visitors", "others") is True
    assert client.pfcount("all") >= client.pfcount("visitors")


def blocking(client):
    def later(act):
        thread = threading.Thread(target=lambda: (time.sleep(0.05), act()))
        thread.start()
        return thread

    def served(wait, act):
        thread = later(act)
        reply = wait()
        thread.join()
        return plain(reply)

    assert client.blpop(["none", "q"], timeout=0.02) is None
    assert served(lambda: client.blpop(["none", "q"], timeout=5), lambda: client.rpush("q", 1)) == [b"q", b"1"]
    assert served(lambda: client.brpop("q", timeout=5), lambda: client.rpush("q", 1, 2)) == [b"q", b"2"]
    assert client.blmove("q", "done", 5, "LEFT", "RIGHT") == b"1"
    assert served(lambda: client.brpoplpush("q", "done", timeout=5), lambda: client.lpush("q", 9)) == b"9"
    assert plain(client.blmpop(0.02, 1, "q", direction="LEFT")) is None
    assert served(lambda: client.bzpopmin("z", timeout=5), lambda: client.zadd("z", {"m": 1.5})) == [b"z", b"m", 1.5]
    assert plain(client.bzmpop(0.02, 1, ["z"], min=True)) is None
    read = served(lambda: client.xread({"s": "$"}, block=5000), lambda: client.xadd("s", {"f": "v"}))
    assert "f" in str(read) and "v" in str(read)
    client.xgroup_create("s", "g", id="$")
    read = served(lambda: client.xreadgroup("g", "c", {"s": ">"}, block=5000), lambda: client.xadd("s", {"f": "w"}))
    assert "w" in str(read)


def workers(client):
    """Four workers share a queue of jobs; each job is done once."""
    done, lock, jobs = [], threading.Lock(), 400

    def work():
        while True:
            _, job = client.blpop("jobs", timeout=10)
            if job == b"stop":
                return
            with lock:
                done.append(int(job))

    threads = [threading.Thread(target=work) for _ in range(4)]
    [thread.start() for thread in threads]
    for start in range(0, jobs, 10):
        client.rpush("jobs", *range(start, start + 10))
    client.rpush("jobs", *["stop"] * 4)
    [thread.join() for thread in threads]
    assert sorted(done) == list(range(jobs)) and client.exists("jobs") == 0


def pipelines(client):
    with client.pipeline(transaction=True) as pipe:
        pipe.rpush("l", 1, 2).hset("h", "f", "v").sadd("s", "m").zadd("z", {"m": 1}).xadd("x", {"f": "v"})
        pipe.lrange("l", 0, -1).hgetall("h").smembers("s").zscore("z", "m").xlen("x").blpop("l", timeout=0)
        reply = pipe.execute()
    assert plain(reply[:4]) == [2, 1, 1, 1]
    assert plain(reply[5:]) == [[b"1", b"2"], {b"f": b"v"}, [b"m"], 1, 1, [b"l", b"1"]]
    with client.pipeline(transaction=False) as pipe:
        for n in range(2000):
            pipe.zadd("ranking", {f"player:{n}": n}).hset(f"player:{n % 50}", "score", n).lpush("log", n).ltrim("log", 0, 99)
        assert len(pipe.execute(raise_on_error=True)) == 8000
    assert client.zcard("ranking") == 2000 and client.llen("log") == 100
    with client.pipeline() as pipe:
        pipe.set("text", "x").lpush("text", 1).get("text")
        reply = pipe.execute(raise_on_error=False)
    assert isinstance(reply[1], redis.ResponseError) and reply[2] == b"x"
    expect_error(lambda: client.hget("text", "f"), "WRONGTYPE")


def main():
    port = int(sys.argv[1])
    parts = (lists, hashes, field_expiry, sets, sorted_sets, streams, places, bits, counting, blocking, workers, pipelines)
    for protocol in (2, 3):
        client = redis.Redis(port=port, protocol=protocol, socket_timeout=20)
        for part in parts:
            client.flushall()
            part(client)
        client.close()
    print("python types: ok")


main()
