//! Publish and subscribe in process: what is answered, and what waits for whom.

use crate::base::ids::ClientId;
use crate::client::client::Origin;
use crate::commands::testing::Fixture;

fn join(fixture: &mut Fixture) -> ClientId {
    let origin = Origin::local(50_001);
    let now_ms = fixture.now().unix_ms();
    fixture.server.clients.add(origin, now_ms)
}

/// Runs a line as another client.
fn run_as(fixture: &mut Fixture, client: ClientId, line: &str) -> String {
    let own = std::mem::replace(&mut fixture.client, client);
    let reply = fixture.run(line);
    fixture.client = own;
    reply
}

/// What was sent to a client out of turn since the last look.
fn received(fixture: &mut Fixture, client: ClientId) -> String {
    let output = &mut fixture.server.clients.get_mut(client).unwrap().output;
    let mut slices = [std::io::IoSlice::new(&[]); 16];
    let count = output.pieces(&mut slices);
    let bytes: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.to_vec()).collect();
    output.advance(bytes.len());
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn messages_reach_channels_then_patterns() {
    let mut fixture = Fixture::new();
    let listener = join(&mut fixture);
    let confirmed = run_as(&mut fixture, listener, "SUBSCRIBE news news");
    assert_eq!(confirmed, "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n".repeat(2));
    let confirmed = run_as(&mut fixture, listener, "PSUBSCRIBE n*");
    assert_eq!(confirmed, "*3\r\n$10\r\npsubscribe\r\n$2\r\nn*\r\n:2\r\n");
    fixture.check("PUBLISH news hi", ":2\r\n");
    fixture.check("PUBLISH other hi", ":0\r\n");
    assert_eq!(
        received(&mut fixture, listener),
        "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n*4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$2\r\nhi\r\n"
    );
    fixture.check("PUBSUB NUMSUB news x", "*4\r\n$4\r\nnews\r\n:1\r\n$1\r\nx\r\n:0\r\n");
    fixture.check("PUBSUB NUMPAT", ":1\r\n");
    fixture.check("PUBSUB CHANNELS", "*1\r\n$4\r\nnews\r\n");
    fixture.check("PUBSUB CHANNELS x*", "*0\r\n");
    let left = run_as(&mut fixture, listener, "UNSUBSCRIBE");
    assert_eq!(left, "*3\r\n$11\r\nunsubscribe\r\n$4\r\nnews\r\n:1\r\n");
    let left = run_as(&mut fixture, listener, "UNSUBSCRIBE");
    assert_eq!(left, "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:1\r\n");
    fixture.check("PUBLISH news again", ":1\r\n");
}

#[test]
fn long_messages_are_shared() {
    let mut fixture = Fixture::new();
    let listeners = [join(&mut fixture), join(&mut fixture)];
    run_as(&mut fixture, listeners[1], "HELLO 3");
    for listener in listeners {
        run_as(&mut fixture, listener, "SUBSCRIBE c");
        run_as(&mut fixture, listener, "PSUBSCRIBE *");
    }
    let message = "m".repeat(5000);
    fixture.check(&format!("PUBLISH c {message}"), ":4\r\n");
    for (listener, mark) in [(listeners[0], '*'), (listeners[1], '>')] {
        assert_eq!(fixture.server.clients.get(listener).unwrap().output.segments(), 2);
        let expected = format!(
            "{mark}3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$5000\r\n{message}\r\n{mark}4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\nc\r\n\
             $5000\r\n{message}\r\n"
        );
        assert_eq!(received(&mut fixture, listener), expected);
    }
}

#[test]
fn what_one_sends_oneself_follows_the_reply() {
    let mut fixture = Fixture::new();
    fixture.run("HELLO 3");
    fixture.run("SUBSCRIBE c");
    let message = ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n";
    fixture.check("PUBLISH c x", &format!(":1\r\n{message}"));
    fixture.run("MULTI");
    fixture.run("PUBLISH c x");
    fixture.run("PING");
    fixture.check("EXEC", &format!("*2\r\n:1\r\n+PONG\r\n{message}"));
    fixture.run("CLIENT REPLY OFF");
    fixture.check("PUBLISH c x", message);
    fixture.check("SUBSCRIBE d", ">3\r\n$9\r\nsubscribe\r\n$1\r\nd\r\n:2\r\n");
    fixture.check("PING", "");
}

#[test]
fn subscribers_in_resp2_may_do_little() {
    let mut fixture = Fixture::new();
    fixture.check("PING", "+PONG\r\n");
    fixture.run("SSUBSCRIBE s");
    let refused = |name: &str| {
        format!(
            "-ERR Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in \
             this context\r\n"
        )
    };
    fixture.check("GET x", &refused("get"));
    fixture.check("CONFIG GET x", &refused("config|get"));
    fixture.check("MULTI", &refused("multi"));
    fixture.check("PING", "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
    fixture.check("PING hi", "*2\r\n$4\r\npong\r\n$2\r\nhi\r\n");
    fixture.check("SUNSUBSCRIBE", "*3\r\n$12\r\nsunsubscribe\r\n$1\r\ns\r\n:0\r\n");
    fixture.check("PING", "+PONG\r\n");
    fixture.run("PSUBSCRIBE p");
    fixture.check("RESET", "+RESET\r\n");
    fixture.check("GET x", "$-1\r\n");
    assert!(fixture.server.pubsub.is_empty());
    fixture.run("HELLO 3");
    fixture.run("SUBSCRIBE c");
    fixture.check("PING", "+PONG\r\n");
    fixture.check("GET x", "_\r\n");
}

#[test]
fn shard_channels_are_apart() {
    let mut fixture = Fixture::new();
    let listener = join(&mut fixture);
    run_as(&mut fixture, listener, "SUBSCRIBE c");
    run_as(&mut fixture, listener, "PSUBSCRIBE *");
    let confirmed = run_as(&mut fixture, listener, "SSUBSCRIBE c");
    assert_eq!(confirmed, "*3\r\n$10\r\nssubscribe\r\n$1\r\nc\r\n:1\r\n");
    fixture.check("SPUBLISH c x", ":1\r\n");
    assert_eq!(received(&mut fixture, listener), "*3\r\n$8\r\nsmessage\r\n$1\r\nc\r\n$1\r\nx\r\n");
    fixture.check("PUBLISH c x", ":2\r\n");
    fixture.check("PUBSUB SHARDCHANNELS", "*1\r\n$1\r\nc\r\n");
    fixture.check("PUBSUB SHARDNUMSUB c", "*2\r\n$1\r\nc\r\n:1\r\n");
    let info = fixture.run("INFO");
    for line in [
        "pubsub_channels:1\r\n",
        "pubsub_patterns:1\r\n",
        "pubsubshard_channels:1\r\n",
        "pubsub_clients:1\r\n",
    ] {
        assert!(info.contains(line), "{line}");
    }
    let list = fixture.run("CLIENT LIST TYPE pubsub");
    assert!(list.contains(" flags=P db=0 sub=1 psub=1 ssub=1 "), "{list}");
    fixture.check("CLIENT KILL TYPE pubsub", ":1\r\n");
    fixture.check("PUBLISH c x", ":0\r\n");
}

#[test]
fn slow_subscribers_are_closed() {
    let mut fixture = Fixture::new();
    let listener = join(&mut fixture);
    fixture.run("CONFIG SET client-output-buffer-limit \"pubsub 10000 0 0\"");
    run_as(&mut fixture, listener, "SUBSCRIBE c");
    let message = "m".repeat(2000);
    for reached in [1, 1, 1, 1, 1, 0] {
        fixture.check(&format!("PUBLISH c {message}"), &format!(":{reached}\r\n"));
    }
    assert!(fixture.server.clients.get(listener).unwrap().close_now);
    assert_eq!(fixture.server.stats.output_buffer_limit_disconnections, 1);
}
