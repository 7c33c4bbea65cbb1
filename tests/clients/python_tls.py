"""What a redis-py user does over TLS. Run as: python_tls.py PORT CA CERTIFICATE KEY OTHER_CA.

Every check is an assertion; the last line printed is `python tls: ok`.
"""

import sys
import threading

import redis


def work(client):
    assert client.ping() is True
    for size in (0, 1, 16_383, 16_384, 1_000_000, 5_000_000):
        value = bytes(n % 256 for n in range(256)) * (size // 256 + 1)
        assert client.set("value", value[:size]) is True and client.get("value") == value[:size]
    with client.pipeline(transaction=False) as pipe:
        for n in range(5_000):
            pipe.set(f"pipe:{n}", "x" * (n % 500)).get(f"pipe:{n}")
        replies = pipe.execute()
    assert all(replies[::2]) and [len(reply) for reply in replies[1::2]] == [n % 500 for n in range(5_000)]
    with client.pipeline(transaction=True) as pipe:
        assert pipe.set("p", 1).incr("p").get("p").execute() == [True, 2, b"2"]


def threads(client):
    def count():
        for _ in range(100):
            client.incr("counter")

    client.delete("counter")
    workers = [threading.Thread(target=count) for _ in range(8)]
    [worker.start() for worker in workers]
    [worker.join() for worker in workers]
    assert client.get("counter") == b"800"


def messages(client):
    subscription = client.pubsub(ignore_subscribe_messages=True)
    subscription.subscribe("news")
    # The confirmation.
    subscription.get_message(timeout=10)
    long = "x" * 200_000
    assert client.publish("news", "short") == 1 and client.publish("news", long) == 1
    for expected in ("short", long):
        message = None
        while message is None:
            message = subscription.get_message(timeout=10)
        assert message["data"] == expected.encode()
    subscription.close()


def refused(**arguments):
    try:
        redis.Redis(socket_timeout=10, retry=None, **arguments).ping()
        raise AssertionError(f"let in with {arguments}")
    except (redis.ConnectionError, redis.TimeoutError):
        pass


def main():
    port, authority, certificate, key, other = int(sys.argv[1]), *sys.argv[2:]
    own = {"port": port, "ssl": True, "ssl_certfile": certificate, "ssl_keyfile": key}
    for protocol in (2, 3):
        client = redis.Redis(protocol=protocol, socket_timeout=20, ssl_ca_certs=authority, ssl_check_hostname=True, **own)
        for part in (work, threads, messages):
            part(client)
        client.close()
    by_address = redis.from_url(
        f"rediss://localhost:{port}/0?ssl_ca_certs={authority}&ssl_certfile={certificate}&ssl_keyfile={key}"
    )
    assert by_address.ping() is True
    refused(ssl_ca_certs=other, **own)
    refused(port=port, ssl=True, ssl_ca_certs=authority)
    refused(port=port)
    print("python tls: ok")


main()
