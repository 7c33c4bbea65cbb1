//! Conversations about cached keys, compared with redis-server 7.0.15 byte for byte.

use crate::support::Stage;

/// With clients' numbers, which differ, made the same where replies tell of redirections.
fn stage(arguments: &[&str]) -> Stage {
    Stage::start(&[&["--enable-debug-command", "yes"], arguments].concat()).masking(without_numbers)
}

fn without_numbers(bytes: &[u8]) -> Vec<u8> {
    const BEFORE: [&str; 2] = ["redirect\r\n:", "tracking-redir-broken\r\n:"];
    let mut text = bytes.escape_ascii().to_string();
    for before in BEFORE.map(|before| before.as_bytes().escape_ascii().to_string()) {
        let mut from = 0;
        while let Some(at) = text[from..].find(&before) {
            from += at + before.len();
            let digits = text[from..].bytes().take_while(u8::is_ascii_digit).count();
            if digits > 0 && &text[from..from + digits] != "0" {
                text.replace_range(from..from + digits, "N");
            }
        }
    }
    text.into_bytes()
}

const OPTIONS: &str = "
    a CLIENT TRACKING
    a CLIENT TRACKING x
    a CLIENT TRACKING x foo
    a CLIENT TRACKING on foo
    a CLIENT TRACKING on redirect
    a CLIENT TRACKING on prefix
    a CLIENT TRACKING on prefix a
    a CLIENT TRACKING off prefix a
    a CLIENT TRACKING off bcast prefix a prefix ab
    a CLIENT TRACKING on redirect abc
    a CLIENT TRACKING on redirect 0
    a CLIENT TRACKING on redirect -1
    a CLIENT TRACKING on redirect 99999
    a CLIENT TRACKING off redirect 99999
    a CLIENT TRACKING on redirect $a redirect $a
    a CLIENT TRACKING on redirect $a redirect 99999
    a CLIENT TRACKING on bcast optin
    a CLIENT TRACKING on bcast optin optout
    a CLIENT TRACKING on optin optout
    a CLIENT TRACKING on bcast prefix foo prefix foobar
    a CLIENT TRACKING on bcast prefix foobar prefix foo
    a CLIENT TRACKING on bcast prefix foo prefix foo
    a CLIENT TRACKING on bcast prefix \"\" prefix a
    a CLIENT TRACKING on bcast prefix \"a\\x00b\" prefix \"a\\x00bc\\r\\n\"
    a CLIENT TRACKING on prefix a optin optout
    a CLIENT TRACKINGINFO
    a CLIENT TRACKINGINFO x
    a CLIENT GETREDIR
    a CLIENT GETREDIR x
    a CLIENT CACHING yes
    a CLIENT CACHING foo
    a CLIENT CACHING
    a CLIENT TRACKING on
    a CLIENT TRACKINGINFO
    a CLIENT GETREDIR
    a CLIENT CACHING yes
    a CLIENT CACHING no
    a CLIENT CACHING foo
    a CLIENT TRACKING on bcast
    a CLIENT TRACKING on optin
    a CLIENT TRACKINGINFO
    a CLIENT CACHING no
    a CLIENT CACHING foo
    a CLIENT CACHING yes
    a CLIENT TRACKINGINFO
    a CLIENT TRACKINGINFO
    a PING
    a CLIENT TRACKINGINFO
    a CLIENT TRACKING on
    a CLIENT TRACKINGINFO
    a CLIENT TRACKING on optout
    a CLIENT CACHING yes
    a CLIENT CACHING no
    a CLIENT TRACKINGINFO
    a foo
    a CLIENT TRACKINGINFO
    a CLIENT TRACKING on optin
    a CLIENT TRACKINGINFO
    a CLIENT TRACKING on optin bcast
    a CLIENT TRACKING on bcast optin optout
    a CLIENT TRACKING on optin optout
    a CLIENT TRACKING on prefix a
    a CLIENT TRACKING off
    a CLIENT TRACKING off
    a CLIENT TRACKINGINFO
    a CLIENT TRACKING on bcast noloop prefix b prefix a
    a CLIENT TRACKINGINFO
    a CLIENT TRACKING on
    a CLIENT TRACKING on bcast optin
    a CLIENT CACHING yes
    a CLIENT CACHING no
    a CLIENT TRACKING on bcast prefix abc
    a CLIENT TRACKING on bcast prefix x prefix xy
    a CLIENT TRACKING on bcast prefix c
    a CLIENT TRACKINGINFO
    a CLIENT TRACKING on bcast
    a CLIENT TRACKINGINFO
    a CLIENT TRACKING on bcast prefix zz
    a CLIENT TRACKING on bcast prefix a
    a RESET
    a CLIENT TRACKINGINFO
    a CLIENT GETREDIR
    a HELLO 3
    a CLIENT TRACKINGINFO
    a CLIENT TRACKING on bcast noloop prefix b prefix a
    a CLIENT TRACKINGINFO
    b PING
    a CLIENT TRACKING off
    a CLIENT TRACKING on optin redirect $b
    a CLIENT TRACKINGINFO
    a CLIENT TRACKING on redirect $b
    a CLIENT TRACKING on
    a CLIENT TRACKINGINFO
    a CLIENT TRACKING on redirect $a
    a CLIENT TRACKINGINFO
";

#[test]
fn options_and_their_errors() {
    stage(&[]).play(OPTIONS);
}

const READ: &str = "
    a HELLO 3
    a CLIENT TRACKING on
    a GET k
    b SET k 1
    b SET k 2
    a GET k
    a SET k 3
    a GET k ;; SET k 4 ;; GET k ;; SET k 5
    # Whatever the database.
    a GET k
    b SELECT 3
    b SET k 1
    b SELECT 0
    # What stops is remembered, for one that goes on.
    a GET a
    a CLIENT TRACKING off
    a CLIENT TRACKING on
    b SET a 1
    a GET a
    a CLIENT TRACKING off
    b SET a 1
    a CLIENT TRACKING on
    b SET a 1
    a GET a
    a CLIENT TRACKING off ;; CLIENT TRACKING on bcast prefix zz
    b SET a 1
    a CLIENT TRACKING off ;; CLIENT TRACKING on
    a GET a ;; GET b
    a RESET
    b SET a 1
    a HELLO 3 ;; CLIENT TRACKING on
    b SET b 1
    # Commands that read, and such that do not.
    a LPUSH L 1
    a GET L
    b LPUSH L 2
    a MEMORY USAGE nothing ;; OBJECT FREQ L
    b LPUSH L 2
    a TYPE L ;; TTL L
    b LPUSH L 2
    a EXISTS L
    b LPUSH L 2
    a SCAN 0 MATCH nothing ;; KEYS nothing
    b LPUSH L 2
    a SORT_RO L BY w_* GET g_*
    b SET w_1 1
    b SET g_1 1
    b LPUSH L 2
    a SORT L BY w_* GET g_*
    b LPUSH L 2
    a SUNION S T
    b SADD T 1
    b SADD S 1
    a WATCH S
    b SADD S 2
    a TOUCH S
    b SADD S 3
    a GETEX k
    b SET k 3
    a XREAD STREAMS s 0
    b XADD s 1-1 a b
    a LCS k k
    b SET k 4
    a GEORADIUS G 0 0 1 m
    b GEOADD G 1 1 m
    a GEORADIUS_RO G 0 0 1 m
    b GEOADD G 1 2 m
    a GETRANGE k 0
    a MGET k k2 k
    b MSET k 4 k2 4 k3 4
    b RENAME k k2
    a MGET k2 k3
    b RENAME k2 k3
";

#[test]
fn keys_that_were_read() {
    stage(&[]).play(READ);
}

#[test]
fn own_changes_and_transactions() {
    stage(&[]).play(
        "
        a HELLO 3
        a CLIENT TRACKING on
        a MULTI ;; GET a ;; SET a 1 ;; GET b ;; SET b 1 ;; EXEC ;; PING
        a MULTI ;; GET a ;; SET a 1 ;; CLIENT TRACKING off ;; EXEC ;; PING
        a CLIENT TRACKING on
        a GET k ;; GET l
        a MULTI ;; SET k 1 ;; SET l 1 ;; DISCARD
        a MULTI ;; SET l 1 ;; FLUSHDB ;; SET k 1 ;; EXEC
        b MULTI ;; SET k 1 ;; GET k ;; EXEC
        # Only of the others' changes.
        a CLIENT TRACKING on noloop
        a GET k ;; GET l
        a SET k 1
        b SET k 1
        b SET l 2
        a FLUSHDB
        # Muted replies mute no message.
        a CLIENT TRACKING on
        a GET k
        a CLIENT REPLY off
        b SET k 1
        a GET k ;; SET k 1
        a CLIENT REPLY SKIP
        a CLIENT REPLY on
        a GET k
        a CLIENT REPLY SKIP ;; SET k 1 ;; PING
        a MULTI ;; GET k ;; CLIENT REPLY OFF ;; SET k 4 ;; EXEC
        a CLIENT REPLY on
        # A waiting client, and who serves it.
        a GET list
        a BLPOP list 0
        b RPUSH list x y
        a GET list ;; GET other
        c HELLO 3 ;; CLIENT TRACKING on ;; LRANGE other 0 -1
        c BLMOVE list2 other LEFT LEFT 0
        b RPUSH list2 x
        ",
    );
}

#[test]
fn expiry() {
    stage(&[]).play(
        "
        a HELLO 3
        a CLIENT TRACKING on
        n HELLO 3
        n CLIENT TRACKING on noloop
        # By itself.
        b SET e 1 PX 60
        a GET e
        - !wait 300
        # When it is met.
        b DEBUG SET-ACTIVE-EXPIRE 0
        a SET e 1 PX 60
        a GET e ;; GET e
        - !wait 100
        a GET e
        b SET e 1
        a SET e 1 PX 60
        a GET e
        - !wait 100
        a MULTI ;; GET e ;; GET e ;; PING ;; EXEC
        a SET e 1 PX 60
        a GET e
        - !wait 100
        a SET e 5
        a SET e 1 PX 60
        a GET e
        - !wait 100
        a EXPIRE e 100
        b SET e 1
        a GET e
        a PEXPIRE e -1
        a SET e 1 PX 60
        a GET e
        - !wait 100
        b GET e
        n SET e 1 PX 60
        n GET e
        - !wait 100
        n GET e
        b SET e 1
        ",
    );
}

#[test]
fn whole_databases() {
    stage(&[]).play(
        "
        a HELLO 3
        a CLIENT TRACKING on
        p HELLO 3
        p CLIENT TRACKING on bcast noloop prefix x
        a GET k
        b FLUSHDB
        a GET k
        a FLUSHDB
        p FLUSHDB
        a MULTI ;; GET k ;; FLUSHDB ;; SET k 1 ;; FLUSHALL ;; EXEC
        a WATCH k ;; SET k 1
        b FLUSHALL ASYNC
        b SELECT 3
        a GET k
        b SET k 1
        b SWAPDB 0 3
        a GET k
        b SWAPDB 0 3
        b DEBUG RELOAD
        a GET k
        a DEBUG RELOAD
        b SET k 1
        b FLUSHALL
        b SELECT 0
        b DEBUG POPULATE 3 k
        a MGET n:0 n:1
        b DEBUG POPULATE 2 n
        ",
    );
}

#[test]
fn redirection_in_resp2() {
    stage(&[]).play(
        "
        # Without one nothing is sent.
        c CLIENT TRACKING on
        c GET k
        b SET k 1
        c GET k
        c HELLO 3
        b SET k 1
        e PING
        d CLIENT TRACKING on redirect $e
        d GET k
        b SET k 1
        e SUBSCRIBE foo
        d GET k
        b SET k 1
        e SUBSCRIBE __redis__:invalidate
        d GET k ;; GET l ;; SET k 1 ;; PING
        b MULTI ;; SET k 1 ;; SET l 1 ;; EXEC
        b FLUSHALL
        e UNSUBSCRIBE foo
        e UNSUBSCRIBE
        d GET k
        b SET k 1
        e PSUBSCRIBE *
        d GET k
        b SET k 1
        d GET k
        e PUNSUBSCRIBE
        e HELLO 3
        b SET k 1
        d GET k
        e SUBSCRIBE __redis__:invalidate
        b SET k 1
        e CLIENT REPLY OFF
        d GET k
        b SET k 1
        # Two for whom one is told.
        f HELLO 3
        g CLIENT TRACKING on redirect $f
        h CLIENT TRACKING on redirect $f
        g GET k
        h GET k
        g MULTI ;; SET k 1 ;; SET l 1 ;; EXEC
        g GET k ;; GET l
        h GET k ;; GET l
        g MULTI ;; SET k 1 ;; SET l 1 ;; EXEC
        # To itself.
        g HELLO 3 ;; CLIENT TRACKING on redirect $g
        g GET k
        g SET k 1
        g HELLO 2
        g GET k
        g SET k 1
        g GET k
        g SUBSCRIBE z
        b SET k 1
        ",
    );
}

#[test]
fn a_receiver_that_went() {
    stage(&[]).play(
        "
        e SUBSCRIBE __redis__:invalidate
        d CLIENT TRACKING on redirect $e
        d GET k
        e !close
        d CLIENT TRACKINGINFO
        b SET k 1
        d CLIENT TRACKINGINFO
        d HELLO 3
        d GET k
        b SET k 1
        d GET k ;; SET k 1 ;; PING
        d MULTI ;; GET k ;; SET k 1 ;; EXEC
        b FLUSHALL
        d FLUSHALL
        d CLIENT TRACKINGINFO
        d CLIENT TRACKING off
        d CLIENT TRACKING on
        d CLIENT TRACKINGINFO
        f PING
        g HELLO 3
        g CLIENT TRACKING on bcast redirect $f
        f !close
        b SET k 1
        g CLIENT TRACKINGINFO
        b FLUSHALL
        g SET k 1
        ",
    );
}

#[test]
fn broadcasts() {
    stage(&[]).play(
        "
        a HELLO 3
        a CLIENT TRACKING on bcast
        b HELLO 3
        b CLIENT TRACKING on bcast noloop prefix a prefix b
        c SET k 1
        c SET a1 1 ;; SET b1 1 ;; SET a2 1 ;; SET a1 2 ;; PING
        b SET a1 1 ;; SET b1 1 ;; SET a2 1 ;; PING
        a SET a1 1 ;; SET b1 1 ;; SET a2 1 ;; PING
        a SET z 1 ;; PING
        a GET z
        a MULTI ;; SET a 1 ;; SET b 1 ;; EXEC ;; PING
        b MULTI ;; SET a 1 ;; SET b 1 ;; EXEC ;; PING
        c FLUSHALL
        a FLUSHALL
        b FLUSHALL
        b MULTI ;; FLUSHALL ;; SET a 1 ;; EXEC ;; PING
        a MULTI ;; FLUSHALL ;; SET a 1 ;; EXEC ;; PING
        b SET a 1 PX 60
        - !wait 300
        d DEBUG SET-ACTIVE-EXPIRE 0
        b SET a 1 PX 30
        - !wait 60
        b GET a
        b SET a 1 PX 30
        - !wait 60
        b SET a 1
        b SET a 1 PX 30
        - !wait 60
        a GET a
        b CLIENT TRACKING off
        a CLIENT TRACKING off
        a CLIENT TRACKING on bcast prefix foo
        c SET fo 1 ;; SET foo 1 ;; SET foobar 1 ;; PING
        a CLIENT TRACKING on bcast
        c SET fo 1 ;; SET foo 1 ;; SET foobar 1 ;; PING
        c DEBUG RELOAD
        a SET foo 1 ;; CLIENT TRACKING off ;; PING
        a CLIENT REPLY off
        a CLIENT TRACKING on bcast
        a SET foo 1
        a CLIENT REPLY on
        a CLIENT REPLY skip ;; SET foo 1
        # By way of another client.
        e SUBSCRIBE __redis__:invalidate
        f CLIENT TRACKING on bcast redirect $e noloop
        f SET a 1
        c SET a 1 ;; SET b 1
        c FLUSHALL
        e UNSUBSCRIBE
        c SET a 1
        ",
    );
}

/// Which commands change a key for those who cached it, shown by one who hears of every key.
#[test]
fn what_is_a_change() {
    stage(&[]).play(
        "
        a HELLO 3
        a CLIENT TRACKING on bcast
        c SET a 1
        c DEL nokey ;; SREM nokey x ;; SETNX a 5 ;; EXPIRE nokey 5 ;; SADD s a ;; SADD s a ;; PING
        c EXPIRE s 100 ;; PERSIST s ;; PERSIST s ;; PING
        c RENAME s t ;; COPY t u ;; MOVE u 3 ;; PING
        c SORT t ALPHA STORE u ;; SORT nokey STORE u ;; SORT nokey STORE u ;; PING
        c RPUSH l 1 2 3 ;; LMOVE l m LEFT RIGHT ;; RPOPLPUSH l l ;; PING
        c RPUSH l 1 2 3 ;; LMOVE l zz LEFT RIGHT
        c SETRANGE n1 0 \"\" ;; APPEND n2 \"\" ;; SETBIT n3 0 0 ;; GETSET n4 a ;; GETDEL n4 ;; GETDEL n4 ;; PING
        c XADD x 1-1 a b ;; PING
        c XGROUP CREATE x g 1-1 ;; XGROUP CREATE new g 0 MKSTREAM ;; PING
        c XGROUP CREATECONSUMER x g c ;; PING
        c XREADGROUP GROUP g d STREAMS x > ;; PING
        c XADD x 1-2 a b ;; PING
        c XREADGROUP GROUP g c STREAMS x > ;; XACK x g 1-2 ;; PING
        c XCLAIM x g e 0 1-1 ;; PING
        c XGROUP SETID x g 0 ;; XAUTOCLAIM x g e 0 0 ;; PING
        c XGROUP DELCONSUMER x g c ;; PING
        c XGROUP DESTROY x g ;; PING
        c XTRIM x MAXLEN 0 ;; PING
        c XSETID x 5-5 ;; PING
        c PFADD h a ;; PING
        c PFADD h a ;; PING
        c PFCOUNT h ;; PING
        c PFCOUNT h ;; PING
        c PFMERGE h2 h ;; PING
        c PFCOUNT h2 h ;; PING
        c RESTORE r 0 x ;; TOUCH a ;; OBJECT ENCODING a ;; PING
        ",
    );
}

const OPTING: &str = "
    a HELLO 3
    a CLIENT TRACKING on optin
    a GET k
    b SET k 1
    a CLIENT CACHING yes ;; GET k ;; GET l
    b SET k 1
    b SET l 1
    a CLIENT CACHING yes ;; CLIENT GETNAME ;; GET k ;; GET l
    b SET k 1
    b SET l 1
    a CLIENT CACHING yes ;; PING ;; GET k
    b SET k 1
    a CLIENT CACHING yes ;; CLIENT FOO ;; GET k
    b SET k 1
    a CLIENT CACHING yes ;; client getname a b ;; GET k
    b SET k 1
    a CLIENT CACHING yes ;; MULTI ;; GET k ;; GET l ;; EXEC ;; GET m
    b SET k 1
    b SET l 1
    b SET m 1
    a CLIENT CACHING yes ;; MULTI ;; GET k ;; DISCARD ;; GET l
    b SET k 1
    b SET l 1
    a MULTI ;; GET k ;; CLIENT CACHING yes ;; GET l ;; GET m ;; EXEC ;; GET n
    b SET k 1
    b SET l 1
    b SET m 1
    b SET n 1
    a MULTI ;; CLIENT CACHING yes ;; CLIENT GETNAME ;; GET l ;; EXEC ;; GET n
    b SET l 1
    b SET n 1
    a CLIENT CACHING yes ;; MULTI ;; NOTACOMMAND ;; EXEC ;; GET l
    b SET l 1
    a CLIENT CACHING yes ;; CLIENT REPLY SKIP ;; GET l ;; GET l
    b SET l 1
    a CLIENT CACHING yes ;; CLIENT CACHING yes ;; CLIENT TRACKINGINFO ;; GET l
    b SET l 1
    a CLIENT CACHING yes ;; CLIENT TRACKING on optin ;; GET l ;; GET k
    b SET l 1
    b SET k 1
    a CLIENT CACHING yes ;; XREAD BLOCK 50 STREAMS s 0
    - !wait 300
    b XADD s 1-1 a b
    a CLIENT CACHING yes ;; BLPOP nolist 0.05 ;; GET l
    - !wait 300
    b SET l 1
    a CLIENT CACHING yes ;; SUBSCRIBE x ;; GET l
    b SET l 1
    a UNSUBSCRIBE x
    # Out.
    a CLIENT TRACKING off ;; CLIENT TRACKING on optout
    a GET k ;; CLIENT CACHING no ;; GET l
    b SET k 1
    b SET l 1
    a CLIENT CACHING no ;; MULTI ;; GET k ;; GET l ;; EXEC ;; GET m
    b SET k 1
    b SET l 1
    b SET m 1
    a MULTI ;; GET k ;; CLIENT CACHING no ;; GET l ;; EXEC
    b SET k 1
    b SET l 1
";

#[test]
fn opting_in() {
    stage(&[]).play(OPTING);
}

/// What goes to make room for a command is told before its reply.
#[test]
fn eviction() {
    stage(&[]).play(
        "
        a HELLO 3
        a CLIENT TRACKING on
        a SET big 1 ;; GET big
        a CONFIG SET maxmemory 1
        a GET big
        a CONFIG SET maxmemory-policy allkeys-lru ;; PING
        a SET x 1
        b CONFIG SET maxmemory 0
        a SET x 1 ;; GET x
        b CONFIG SET maxmemory-policy noeviction ;; CONFIG SET maxmemory 1
        b CONFIG SET maxmemory-policy allkeys-lru ;; PING
        a PING
        ",
    );
}

#[test]
fn one_key_at_most() {
    stage(&["--tracking-table-max-keys", "1"]).play(
        "
        a HELLO 3
        a CLIENT TRACKING on
        a GET a ;; PING
        a GET a ;; PING
        b INFO nothing
        a MULTI ;; GET a ;; GET a ;; EXEC ;; PING
        b SET a 1
        ",
    );
}
