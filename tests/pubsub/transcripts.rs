//! Conversations about channels, compared with redis-server 7.0.15 byte for byte.

use crate::support::Stage;

const COMMANDS: &str = "
    # Confirmations and their counts.
    a SUBSCRIBE one two one
    a PSUBSCRIBE o* o* t?o
    a SSUBSCRIBE s1 s2
    a UNSUBSCRIBE two nothing
    a PUNSUBSCRIBE nothing o*
    a SUNSUBSCRIBE nothing s2
    b PUBLISH one hello
    b PUBLISH two hello
    b PUBLISH three hello
    b SPUBLISH s1 hello
    b SPUBLISH one hello
    b PUBLISH s1 hello
    b PUBLISH one \"\"
    b PUBLISH \"\" x
    b PUBLISH one \"a\\r\\nb\\x00\\xff\"
    # Asking.
    b PUBSUB CHANNELS
    b PUBSUB CHANNELS o*
    b PUBSUB CHANNELS x*
    b PUBSUB NUMSUB
    b PUBSUB NUMSUB one two one
    b PUBSUB NUMPAT
    b PUBSUB SHARDCHANNELS
    b PUBSUB SHARDCHANNELS t*
    b PUBSUB SHARDNUMSUB s1 s2
    b PUBSUB SHARDNUMSUB
    b PUBSUB CHANNELS a b
    b PUBSUB SHARDCHANNELS a b
    b PUBSUB NUMPAT x
    b PUBSUB FOO
    b PUBSUB
    b PUBSUB HELP x
    b SUBSCRIBE
    b PUBLISH one
    b SPUBLISH one two three
    # The end of each kind.
    a UNSUBSCRIBE
    a UNSUBSCRIBE
    a PUNSUBSCRIBE
    a PUNSUBSCRIBE
    a PING
    a SUNSUBSCRIBE
    a SUNSUBSCRIBE
    a PING
    b PUBSUB CHANNELS
    b PUBSUB NUMPAT
    b PUBSUB SHARDCHANNELS
";

#[test]
fn subscriptions_in_resp2() {
    Stage::start(&[]).play(COMMANDS);
}

#[test]
fn subscriptions_in_resp3() {
    let stage = Stage::start(&[]);
    let mut conversation = stage.conversation();
    conversation.play("a HELLO 3\nb HELLO 3");
    conversation.play(COMMANDS);
}

#[test]
fn what_a_subscriber_may_do() {
    Stage::start(&[]).play(
        "
        a PING
        a PING hi
        a SUBSCRIBE c
        a PING
        a PING hi
        a PING hi there
        a GET x
        a get
        a CONFIG GET hz
        a CLIENT LIST
        a MULTI
        a EXEC
        a HELLO 3
        a PUBLISH c x
        a AUTH x
        a SELECT 1
        a WATCH k
        a NOSUCH
        a SUBSCRIBE
        a RESET
        a GET x
        a PSUBSCRIBE p
        a GET x
        a PUNSUBSCRIBE
        a GET x
        a SSUBSCRIBE s
        a GET x
        a SUNSUBSCRIBE
        a GET x
        a SUBSCRIBE c
        a QUIT
        b HELLO 3
        b SUBSCRIBE c
        b PING
        b PING hi
        b GET x
        b MULTI
        b PING
        b EXEC
        b HELLO 2
        b PING
        b GET x
        c PUBLISH c x
        c PUBSUB NUMSUB c
        b RESET
        c PUBSUB NUMSUB c
        ",
    );
}

#[test]
fn protocols_change_while_somebody_listens() {
    Stage::start(&[]).play(
        "
            a HELLO 3
            a SUBSCRIBE c
            a PSUBSCRIBE c*
            b PUBLISH c one
            a HELLO 2
            b PUBLISH c two
            a GET x
            a UNSUBSCRIBE
            b PUBLISH c three
            a RESET
            b PUBLISH c four
            a HELLO 3
            a SSUBSCRIBE c
            b SPUBLISH c five
            ",
    );
}

#[test]
fn transactions() {
    Stage::start(&[]).play(
        "
        a MULTI
        a SUBSCRIBE c d
        a PSUBSCRIBE *
        a SET k v
        a EXEC
        b PUBLISH c x
        a MULTI
        a UNSUBSCRIBE c d
        a PUNSUBSCRIBE
        a MULTI
        a PING
        a UNSUBSCRIBE
        a EXEC
        b MULTI
        b SUBSCRIBE c
        b DISCARD
        b SUBSCRIBE c
        c MULTI
        c PUBLISH c one
        c SET k v
        c PUBLISH c two
        c EXEC
        c MULTI
        c PUBLISH c never
        c NOSUCH
        c EXEC
        d HELLO 3
        d MULTI
        d SUBSCRIBE c
        d PING
        d UNSUBSCRIBE
        d EXEC
        ",
    );
}

#[test]
fn replies_that_are_switched_off() {
    Stage::start(&[]).play(
        "
        a CLIENT REPLY OFF
        a PING
        a SUBSCRIBE c
        b PUBLISH c x
        a PING
        a UNSUBSCRIBE
        a PING
        a CLIENT REPLY ON
        c CLIENT REPLY SKIP
        c SUBSCRIBE c
        c PING
        b PUBLISH c x
        d HELLO 3
        d CLIENT REPLY OFF
        d PSUBSCRIBE *
        d PING
        b PUBLISH c x
        d CLIENT REPLY ON
        d PING
        e CLIENT REPLY OFF
        e MULTI
        e SUBSCRIBE c
        e EXEC
        b PUBLISH c x
        ",
    );
}

#[test]
fn clients_that_go() {
    Stage::start(&[]).play(
        "
        a SUBSCRIBE c
        b SUBSCRIBE c
        c PUBLISH c x
        c CLIENT KILL TYPE pubsub ID $a
        c PUBLISH c x
        b !close
        c PING
        c PUBLISH c x
        c PUBSUB NUMSUB c
        d PSUBSCRIBE c
        e SSUBSCRIBE c
        c CLIENT KILL TYPE pubsub
        c PUBSUB NUMPAT
        c PUBSUB SHARDCHANNELS
        f SUBSCRIBE c ;; PING ;; QUIT ;; PING
        c PUBSUB NUMSUB c
        ",
    );
}

#[test]
fn clients_that_wait() {
    Stage::start(&[]).play(
        "
        a HELLO 3
        a SUBSCRIBE c
        a BLPOP list 0
        b PUBLISH c x
        b RPUSH list e
        b PUBLISH c y
        a BLPOP list 0
        b MULTI
        b RPUSH list e
        b PUBLISH c z
        b EXEC
        c SUBSCRIBE c
        b CLIENT PAUSE 300 WRITE
        b GET x
        b PUBLISH c paused
        - !wait 400
        b PUBLISH c after
        ",
    );
}

#[test]
fn patterns() {
    // One pattern at a time: the order among several is not told.
    let patterns = [
        "*",
        "?",
        "h?llo",
        "h*llo",
        "h[ae]llo",
        "h[^e]llo",
        "h[a-b]llo",
        "h\\\\*llo",
        "\\\\h*",
        "",
        "hello",
        "**",
    ];
    let channels = ["", "h", "hello", "hallo", "hillo", "hllo", "heeeello", "h*llo", "\\\\h"];
    let stage = Stage::start(&[]);
    let mut conversation = stage.conversation();
    for pattern in patterns {
        conversation.play(&format!("a PSUBSCRIBE \"{pattern}\""));
        for channel in channels {
            conversation.play(&format!("b PUBLISH \"{channel}\" x"));
        }
        conversation.play("a PUNSUBSCRIBE");
    }
}

#[test]
fn descriptions() {
    Stage::start(&[]).play(
        "
        a COMMAND INFO publish spublish subscribe psubscribe ssubscribe unsubscribe punsubscribe sunsubscribe
        a COMMAND INFO pubsub|channels pubsub|numsub pubsub|numpat pubsub|shardchannels pubsub|shardnumsub pubsub|help
        a COMMAND GETKEYS SSUBSCRIBE a b
        a COMMAND GETKEYS SPUBLISH a b
        a COMMAND GETKEYS SUBSCRIBE a b
        a COMMAND GETKEYS SUNSUBSCRIBE
        a COMMAND DOCS publish
        a COMMAND DOCS spublish
        a COMMAND DOCS subscribe
        a COMMAND DOCS ssubscribe
        a COMMAND DOCS unsubscribe
        a COMMAND DOCS punsubscribe
        a COMMAND DOCS sunsubscribe
        a COMMAND DOCS pubsub|channels
        a COMMAND DOCS pubsub|numsub
        a COMMAND DOCS pubsub|numpat
        a COMMAND DOCS pubsub|shardnumsub
        a COMMAND DOCS pubsub|shardchannels
        ",
    );
}
