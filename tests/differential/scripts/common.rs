//! What belongs to no type but strings: transactions, keys, expiry, connections, administration; raw requests.

use super::Script;

pub const SCRIPTS: &[Script] = &[
    Script {
        name: "transactions",
        lines: r#"
            MULTI
            SET a 1
            INCR a
            GET a
            EXEC
            MULTI
            MULTI
            NOSUCH
            EXEC
            MULTI
            GET
            SET a 5
            EXEC
            GET a
            MULTI
            SET t text
            INCR t
            GET t
            EXEC
            EXEC
            DISCARD
            MULTI
            SET a 9
            DISCARD
            GET a
            MULTI
            EXEC
            WATCH a
            SET a 2
            MULTI
            GET a
            EXEC
            WATCH a
            2> SET a 3
            MULTI
            GET a
            EXEC
            WATCH a nosuch
            2> SET other 3
            MULTI
            GET a
            EXEC
            WATCH nosuch
            2> SET nosuch 3
            2> DEL nosuch
            MULTI
            GET a
            EXEC
            WATCH a
            2> FLUSHALL
            MULTI
            GET a
            EXEC
            SET a 1
            WATCH a
            2> SELECT 1
            2> SET a 7
            2> SWAPDB 0 1
            MULTI
            GET a
            EXEC
            2> SELECT 0
            WATCH a
            UNWATCH
            2> SET a 8
            MULTI
            WATCH a
            GET a
            EXEC
            WATCH b
            2> EXPIRE b 100
            2> PERSIST b
            2> TOUCH b
            MULTI
            PING
            EXEC
            SET b 1
            WATCH b
            2> EXPIRE b 100
            MULTI
            PING
            EXEC
            MULTI
            SELECT 3
            SET three 3
            EXEC
            GET three
            DBSIZE
            MULTI
            SAVE
            EXEC
            MULTI
            CLIENT SETNAME inside
            CLIENT GETNAME
            RESET
            EXEC
            CLIENT GETNAME
            MULTI
            HELLO 3
            SET f 1.5
            INCRBYFLOAT f 1
            ~EXEC
            GET f
        "#,
    },
    Script {
        name: "strings",
        lines: r#"
            SET k v EX 0
            SET k v PX -1
            SET k v EX 9223372036854775807
            SET k v PXAT 9223372036854775807
            SET k v EXAT 9223372036854775
            SET k v EX 10 PX 10
            SET k v KEEPTTL EX 10
            SET k v NX XX
            SET k v NX GET
            SET k w GET
            SET k x XX GET KEEPTTL
            SET k v EX
            SET k
            SET k v EX abc
            SET k v EX 100
            =2 TTL k
            SET k v KEEPTTL
            =2 TTL k
            SET k v
            TTL k
            GETEX k EX 0
            GETEX k PERSIST EX 5
            GETEX nosuch EX 10
            GETEX k EX 100
            =2 TTL k
            GETEX k PERSIST
            TTL k
            GETEX k EXAT 1
            EXISTS k
            SETEX k 0 v
            SETEX k -1 v
            SETEX k 10.5 v
            PSETEX k 0 v
            SET n 9223372036854775807
            INCR n
            DECRBY n -9223372036854775808
            INCRBY n -9223372036854775808
            DECR n
            DECR n
            INCRBY n 1.5
            SET n "10 "
            INCR n
            SET n 012
            INCR n
            OBJECT ENCODING n
            SET f 3.0e3
            INCRBYFLOAT f 200
            INCRBYFLOAT f 1e400
            INCRBYFLOAT f nan
            INCRBYFLOAT f inf
            SET f 0.1
            INCRBYFLOAT f 0.2
            INCRBYFLOAT f -0.3
            INCRBYFLOAT f 1e-20
            SET f 1e17
            INCRBYFLOAT f 0.5
            SET f 1.7976931348623157e308
            INCRBYFLOAT f 1.7976931348623157e308
            SET f " 5"
            INCRBYFLOAT f 1
            SET e embstr
            OBJECT ENCODING e
            APPEND e x
            OBJECT ENCODING e
            SET e aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
            OBJECT ENCODING e
            SET e aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
            OBJECT ENCODING e
            SET i 12345678901234567890
            OBJECT ENCODING i
            SET i 1234567890123456789
            OBJECT ENCODING i
            APPEND new abc
            OBJECT ENCODING new
            SETRANGE new 6 xyz
            GET new
            SETRANGE nothing 5 ""
            EXISTS nothing
            SETRANGE big 536870912 x
            SETRANGE big 536870911 ""
            SETRANGE big -1 x
            GETRANGE new 0 -1
            GETRANGE new -3 -1
            GETRANGE new 5 2
            GETRANGE new -100 100
            GETRANGE new 0 9223372036854775807
            GETRANGE new a b
            SUBSTR new 1 2
            STRLEN new
            STRLEN nothing
            MSET a 1 b
            MSET a 1 b 2 a 3
            MGET a b nosuch
            MSETNX c 1 a 2
            MSETNX c 1 d 2
            MSETNX x
            GETDEL c
            GETDEL c
            GETSET c new
            GETSET c newer
            LCS a b
            SET s1 ohmytext
            SET s2 mynewtext
            LCS s1 s2
            LCS s1 s2 LEN
            LCS s1 s2 IDX
            LCS s1 s2 IDX MINMATCHLEN 4
            LCS s1 s2 IDX MINMATCHLEN 4 WITHMATCHLEN
            LCS s1 s2 IDX WITHMATCHLEN
            LCS s1 s2 IDX LEN
            LCS s1 s2 FOO
            LCS s1 nosuch
            LCS nosuch nosuch IDX
            LCS s1 s2 MINMATCHLEN
            LCS s1 s2 MINMATCHLEN abc
        "#,
    },
    Script {
        name: "keys",
        lines: r#"
            SET a 1
            RENAME a a
            RENAMENX a a
            RENAME nosuch b
            RENAMENX nosuch b
            COPY a a
            COPY a b
            COPY a b
            COPY a b REPLACE
            COPY a b DB 16
            COPY a b DB x
            COPY a b DB 1 REPLACE
            COPY a a DB 1
            COPY a b FOO
            COPY nosuch b
            MOVE a 0
            MOVE a 1
            MOVE a 16
            MOVE a x
            MOVE nosuch 2
            SELECT 16
            SELECT -1
            SELECT x
            SELECT 99999999999
            SWAPDB 0 16
            SWAPDB x 0
            SWAPDB 0 x
            SWAPDB 0 0
            SET a 1 EX 1000
            COPY a ttl
            =2 TTL ttl
            RENAME ttl moved
            =2 TTL moved
            MOVE moved 3
            SELECT 3
            =2 TTL moved
            SELECT 0
            EXPIRE a 10 NX
            EXPIRE a 10 GT
            EXPIRE a 10 LT
            EXPIRE a 10 NX XX
            EXPIRE a 10 GT LT
            EXPIRE a 10 NX GT
            EXPIRE a 10 FOO
            EXPIRE a 5 XX GT
            EXPIRE a 20 XX GT
            EXPIRE a 9223372036854775807
            EXPIRE a -9223372036854775808
            PEXPIRE a 9223372036854775807
            PEXPIREAT a 9223372036854775807
            PEXPIRETIME a
            EXPIRETIME a
            EXPIREAT a 9223372036854775807
            EXPIRE nosuch 10
            EXPIRE nosuch x
            PERSIST a
            PERSIST a
            EXPIRE a 1000 GT
            TTL a
            EXPIRE a 1000 LT
            =2 TTL a
            EXPIRE a -1
            EXISTS a a
            TTL a
            PTTL a
            EXPIRETIME a
            PEXPIRETIME a
            MSET x 1 y 2 z 3
            EXISTS x y z x nosuch
            TOUCH x y nosuch
            UNLINK x nosuch
            DEL y z y
            TYPE y
            OBJECT ENCODING y
            OBJECT FREQ y
            OBJECT REFCOUNT y
            OBJECT IDLETIME y
            OBJECT FREQ b
            OBJECT HELP
            OBJECT FOO
            OBJECT
            OBJECT ENCODING
            OBJECT ENCODING a b
            KEYS
            KEYS nosuch*
            RANDOMKEY x
            SELECT 7
            RANDOMKEY
            SET only 1
            RANDOMKEY
            SCAN 0
            SCAN 0 COUNT 0
            SCAN 0 COUNT x
            SCAN 0 MATCH
            SCAN 0 FOO x
            SCAN x
            ~SCAN -1
            SCAN 99999999999999999999999
            SCAN 0 TYPE string
            SCAN 0 TYPE nosuch
            SCAN 0 MATCH o* TYPE list
            ~SCAN 0 MATCH o* COUNT 3
            DUMP nosuch
            RESTORE only 0 junk
            RESTORE only -1 junk
            RESTORE only x junk
            RESTORE fresh 0 junk
            RESTORE only 0 junk REPLACE
            RESTORE only 0 junk FOO
            RESTORE only 0 junk IDLETIME -1
            RESTORE only 0 junk FREQ 256
            RESTORE only 0 junk IDLETIME
            RESTORE r 0 "\x00\xc0\x07\n\x00\xe8\xbb\xb5\x9a\x9b\x05\x98\x1a" ABSTTL
            FLUSHDB FOO
            FLUSHALL FOO
            FLUSHALL SYNC ASYNC
            FLUSHDB ASYNC
            DBSIZE
            DBSIZE x
            FLUSHALL SYNC
        "#,
    },
    Script {
        name: "expiry",
        lines: r#"
            SET gone 1 PX 30
            SET stays 1
            DEBUG SLEEP 0.06
            GET gone
            EXISTS gone
            TTL gone
            TYPE gone
            OBJECT ENCODING gone
            SET gone 1 PX 30
            DEBUG SLEEP 0.06
            RENAME gone other
            SET gone 1 PX 30
            DEBUG SLEEP 0.06
            SETNX gone 2
            GET gone
            SET gone 5 PX 30
            DEBUG SLEEP 0.06
            INCR gone
            TTL gone
            SET gone 5 PX 30
            DEBUG SLEEP 0.06
            APPEND gone x
            SET gone 5 PX 30
            DEBUG SLEEP 0.06
            SET gone 6 XX
            SET gone 5 PX 30
            WATCH gone
            DEBUG SLEEP 0.06
            MULTI
            GET gone
            EXEC
            SET gone 5 PX 30
            DEBUG SLEEP 0.06
            DEL gone
            PERSIST gone
            COPY gone copy
            SET k v PXAT 1000
            EXISTS k
            GET k
            SET k v
            PEXPIREAT k 1000
            EXISTS k
            DBSIZE
        "#,
    },
    Script {
        name: "connection",
        lines: r#"
            PING
            PING hello
            PING a b
            ECHO
            ECHO ""
            ECHO "a\r\nb"
            CLIENT SETNAME "with space"
            CLIENT SETNAME good
            CLIENT GETNAME
            CLIENT SETNAME ""
            CLIENT GETNAME
            CLIENT SETNAME
            CLIENT
            CLIENT FOO
            CLIENT ID x
            ~CLIENT ID
            ~CLIENT INFO
            ~CLIENT LIST
            CLIENT LIST TYPE foo
            CLIENT LIST TYPE replica
            CLIENT LIST ID x
            CLIENT LIST FOO
            CLIENT KILL
            CLIENT KILL 1.2.3.4:5
            CLIENT KILL ID x
            CLIENT KILL ID 0
            CLIENT KILL ID 999999
            CLIENT KILL TYPE foo
            CLIENT KILL TYPE pubsub
            CLIENT KILL USER nosuch
            CLIENT KILL ADDR 1.2.3.4:5
            CLIENT KILL LADDR 1.2.3.4:5
            CLIENT KILL ADDR 1.2.3.4:5 SKIPME maybe
            CLIENT KILL ADDR
            CLIENT KILL ADDR x ID
            CLIENT PAUSE
            CLIENT PAUSE x
            CLIENT PAUSE -1
            CLIENT PAUSE 1 FOO
            CLIENT PAUSE 0
            CLIENT UNPAUSE
            CLIENT UNPAUSE x
            CLIENT REPLY
            CLIENT REPLY FOO
            CLIENT REPLY ON
            CLIENT NO-EVICT
            CLIENT NO-EVICT foo
            CLIENT NO-EVICT ON
            CLIENT NO-EVICT OFF
            CLIENT UNBLOCK x
            CLIENT UNBLOCK 99999
            CLIENT UNBLOCK 99999 FOO
            CLIENT HELP
            HELLO 1
            HELLO 4
            HELLO x
            HELLO 2 AUTH
            ~HELLO 2 AUTH default x
            HELLO 2 AUTH nosuch x
            HELLO 2 SETNAME
            HELLO 2 SETNAME "a b"
            HELLO 2 FOO
            ~HELLO
            ~HELLO 3 SETNAME three
            CLIENT GETNAME
            GET nosuch
            ~HELLO 2 AUTH default ""
            GET nosuch
            AUTH x
            AUTH default x
            AUTH nosuch x
            AUTH a b c
            AUTH
            SELECT 2
            CLIENT SETNAME before
            RESET
            CLIENT GETNAME
            DBSIZE
            RESET x
            FOO
            foo bar
            FOO "with 'quotes'" "new\nline"
            GET
            get
            GeT a b
            CONFIG
            COMMAND FOO
            QUIT
        "#,
    },
    Script {
        name: "refused exec",
        lines: r#"
            EXEC extra
            WATCH a
            MULTI
            SET a 1
            EXEC extra
            EXEC
            SET a 2
            MULTI
            DISCARD extra
            EXEC
            MULTI
            MULTI extra
            SET
            EXEC
        "#,
    },
    Script {
        name: "repeated options",
        lines: r#"
            SET a b EX 10 EX 2000
            =1 TTL a
            SET a b EX x EX 20
            SET a b EX 20 EX x
            SET a b NX NX
            SET a b GET GET
            SET a b KEEPTTL KEEPTTL
            =1 TTL a
            SET a b PXAT pxat PXAT 9000000000000
            PEXPIRETIME a
            GETEX a EX 10 EX 3000
            =1 TTL a
            GETEX a PERSIST PERSIST
            TTL a
            SET a b XX NX
            SET a b EX 10 PX 20
            SET a b EX 10 EX
            SET a b EX 10 KEEPTTL
            SET a b KEEPTTL EX 10
            GETEX a EX 10 PERSIST
            GETEX a PERSIST EX 10
            GETEX a EX 10 PX 10
            GETEX a EX 10 EX
            GETEX a KEEPTTL
        "#,
    },
    Script {
        name: "keys whose time is over",
        lines: r#"
            DEBUG SET-ACTIVE-EXPIRE 0
            SET a 1 PXAT 1
            DBSIZE
            GET a
            DBSIZE
            SET a 1 EXAT 1
            SET a 2 KEEPTTL
            TTL a
            GET a
            SET b 1 PXAT 1
            SET b 2 NX
            SET b 1 PXAT 1
            SET b 2 XX
            SET b 1 PXAT 1
            INCR b
            SET b 1 PXAT 1
            APPEND b x
            SET b 1 PXAT 1
            DEL b
            DBSIZE
            SET b 1 PXAT 1
            EXISTS b b
            SET b 1 PXAT 1
            RENAME a b
            SET b 1 PXAT 1
            RENAME b c
            SET b 1 PXAT 1
            RENAMENX a b
            SET b 1 PXAT 1
            COPY b c
            DBSIZE
            SET b 1 PXAT 1
            TYPE b
            SET b 1 PXAT 1
            OBJECT ENCODING b
            SET b 1 PXAT 1
            TOUCH b
            SET b 1 PXAT 1
            PERSIST b
            SET b 1 PXAT 1
            EXPIRE b 100
            SET b 1 PXAT 1
            KEYS *
            DBSIZE
            SCAN 0 COUNT 1000
            DBSIZE
            SET b 1 PXAT 1
            MGET b b
            SET b 1 PXAT 1
            GETEX b
            SET b 1 PXAT 1
            GETDEL b
            SET b 1 PXAT 1
            MOVE b 1
            SET b 1 PXAT 1
            WATCH b
            MULTI
            PING
            EXEC
            FLUSHALL
            DBSIZE
            DEBUG SET-ACTIVE-EXPIRE 1
        "#,
    },
    Script {
        name: "empty keys and binary ones",
        lines: r#"
            % DEL ""|"\x00\r\n" ; RPUSH ""|"\x00\r\n" "" "\r\n" "\x00" ; LRANGE ""|"\x00\r\n" 0 -1
            % DEL ""|"\x00\r\n" ; HSET ""|"\x00\r\n" "" "" "\r\n" "\x00" ; HMGET ""|"\x00\r\n" "" "\r\n" "\x00"
            % DEL ""|"\x00\r\n" ; SADD ""|"\x00\r\n" "" "\x00" ; SMISMEMBER ""|"\x00\r\n" "" "\x00" "\r\n"
            % DEL ""|"\x00\r\n" ; ZADD ""|"\x00\r\n" 1 "" 1 "\x00" 1 "\r\n" ; ZRANGE ""|"\x00\r\n" 0 -1 WITHSCORES
            % DEL ""|"\x00\r\n" ; XADD ""|"\x00\r\n" 1-1 "" "" "\x00" "\r\n" ; XRANGE ""|"\x00\r\n" - +
            % XGROUP CREATE ""|"\x00\r\n" ""|"\r\n" 0 ; XINFO GROUPS ""|"\x00\r\n"
            % XGROUP CREATECONSUMER ""|"\x00\r\n" ""|"\r\n" ""|"\x00"
            % XREADGROUP GROUP ""|"\r\n" ""|"\x00" STREAMS ""|"\x00\r\n" > ; XPENDING ""|"\x00\r\n" ""|"\r\n"
            % TYPE|OBJECT|COPY|RENAME ""|"\x00\r\n" "\x00\r\n"|""
            % XREADGROUP GROUP "no\r\ngroup" c STREAMS ""|"\x00\r\n" >
            % XGROUP CREATECONSUMER|DESTROY|SETID ""|"\x00\r\n" "no\r\ngroup" "c\r\n"
            % XCLAIM|XPENDING|XACK|XAUTOCLAIM "\r\nkey" "no\r\ngroup" c 0 0
            % XCLAIM ""|"\x00\r\n" "" c 0 1-1 "\r\nFOO"
            #KEYS *
        "#,
    },
    Script {
        name: "bytes in errors",
        lines: r#"
            "\xff\xfe" "\x80x" "new\nline"
            "a\x00b" "x\x00y" z
            CONFIG "\xff\x00b"
            CONFIG SET "\xff\x00b" 1
            CONFIG SET " \n\xff" 1
            CONFIG GET "\xff\x00b"
            EXPIRE a 1 "\xff\x00r"
            HELLO 2 "\xff\x00r"
            CLIENT KILL USER "\xff\x00a"
            CLIENT KILL TYPE "\xff\x00a"
            CLIENT LIST TYPE "\xff\x00a"
            LATENCY GRAPH "\xff\x00a"
            SLOWLOG "\xff\x00a"
            SLOWLOG GET 1 2 3 4
            SLOWLOG LEN 1 2 3 4
            DEBUG "\xff\x00a"
            OBJECT "\xff\x00a" x
            MEMORY "\xff\x00a"
            COMMAND INFO "\xff\x00a"
            DEBUG ERROR "\n\x00a\r\nb\xff"
            DEBUG ERROR ""
            DEBUG ERROR noprefix
        "#,
    },
    Script {
        name: "policies",
        lines: r#"
            SET before 1
            CONFIG SET maxmemory-policy allkeys-lfu
            SET a "no shared integer"
            OBJECT FREQ a
            OBJECT IDLETIME a
            OBJECT ENCODING a
            OBJECT FREQ nosuch
            RESTORE f 0 junk FREQ 255
            RESTORE f 0 "\x00\xc0\x07\n\x00\xe8\xbb\xb5\x9a\x9b\x05\x98\x1a" FREQ 200
            CONFIG SET maxmemory-policy volatile-ttl
            OBJECT FREQ a
            =3 OBJECT IDLETIME a
            CONFIG SET maxmemory-policy noeviction
            OBJECT FREQ a
            CONFIG SET lfu-decay-time 1
        "#,
    },
    Script {
        name: "admin",
        lines: r#"
            CONFIG GET
            #CONFIG GET maxm*
            #CONFIG GET maxmemory hz
            #CONFIG GET *policy MAXMEMORY
            CONFIG GET nosuch
            CONFIG SET
            CONFIG SET maxmemory
            CONFIG SET nosuch 1
            CONFIG SET hz 10 nosuch 1
            CONFIG SET hz 11 maxmemory abc
            CONFIG GET hz
            CONFIG SET hz 12 hz 13
            CONFIG GET hz
            CONFIG SET hz 14 maxmemory-samples 6
            CONFIG GET hz
            CONFIG SET hz 10 maxmemory-samples 5
            CONFIG SET HZ 10
            CONFIG SET port abc
            CONFIG SET databases 3
            CONFIG SET dir /tmp
            CONFIG SET dbfilename a/b
            CONFIG SET enable-debug-command no
            CONFIG SET hz 10 maxmemory
            CONFIG REWRITE
            CONFIG RESETSTAT
            CONFIG RESETSTAT x
            CONFIG FOO
            CONFIG HELP
            CONFIG HELP x
            COMMAND HELP
            COMMAND INFO nosuch
            COMMAND INFO nosuch nosuch|nosuch
            COMMAND COUNT x
            COMMAND GETKEYS
            COMMAND GETKEYS GET
            COMMAND GETKEYS GET a
            COMMAND GETKEYS MSET a 1 b 2 c
            COMMAND GETKEYS NOSUCH a
            COMMAND GETKEYS PING
            COMMAND GETKEYS COPY a b
            COMMAND GETKEYS OBJECT ENCODING a
            COMMAND GETKEYS MEMORY USAGE a
            COMMAND GETKEYSANDFLAGS SET a b
            COMMAND GETKEYSANDFLAGS SET a b GET
            COMMAND GETKEYSANDFLAGS GETDEL a
            COMMAND GETKEYSANDFLAGS RENAME a b
            COMMAND GETKEYSANDFLAGS COPY a b
            COMMAND GETKEYSANDFLAGS MSETNX a 1 b 2
            COMMAND GETKEYSANDFLAGS LCS a b LEN
            COMMAND LIST FILTERBY
            COMMAND LIST FILTERBY FOO x
            COMMAND LIST FILTERBY MODULE nosuch
            COMMAND LIST FILTERBY ACLCAT nosuch
            COMMAND LIST FILTERBY PATTERN nosuch*
            #COMMAND LIST FILTERBY PATTERN get[der]*
            #COMMAND LIST FILTERBY PATTERN rename*
            COMMAND LIST FOO
            COMMAND DOCS nosuch
            SLOWLOG HELP
            SLOWLOG LEN
            SLOWLOG GET
            SLOWLOG GET -2
            SLOWLOG GET x
            SLOWLOG GET 5
            SLOWLOG RESET
            SLOWLOG FOO
            LATENCY HELP
            LATENCY LATEST
            LATENCY HISTORY nosuch
            LATENCY RESET
            LATENCY RESET nosuch
            LATENCY GRAPH nosuch
            LATENCY FOO
            LATENCY HISTOGRAM nosuch
            MEMORY HELP
            MEMORY FOO
            MEMORY USAGE nosuch
            MEMORY USAGE nosuch SAMPLES x
            MEMORY USAGE nosuch FOO 1
            MEMORY PURGE
            MEMORY DOCTOR x
            ~MEMORY STATS
            ~MEMORY MALLOC-STATS
            DEBUG
            DEBUG FOO
            DEBUG SLEEP
            DEBUG SET-ACTIVE-EXPIRE 1
            DEBUG OBJECT nosuch
            DEBUG PROTOCOL string
            DEBUG PROTOCOL integer
            DEBUG PROTOCOL double
            DEBUG PROTOCOL null
            DEBUG PROTOCOL array
            DEBUG PROTOCOL set
            DEBUG PROTOCOL map
            DEBUG PROTOCOL bignum
            DEBUG PROTOCOL true
            DEBUG PROTOCOL false
            DEBUG PROTOCOL verbatim
            DEBUG PROTOCOL foo
            DEBUG POPULATE 5
            #KEYS *
            GET key:3
            DEBUG POPULATE 3 pre 40
            GET pre:2
            STRLEN pre:2
            DEBUG POPULATE x
            DBSIZE
            DEBUG RELOAD FOO
            DEBUG RELOAD
            DBSIZE
            GET pre:2
            DEBUG RELOAD MERGE NOSAVE NOFLUSH
            DBSIZE
            INFO nosuch
            ~INFO
            ~INFO server clients
            ~LASTSAVE
            LASTSAVE x
            SAVE x
            BGSAVE FOO
            BGSAVE SCHEDULE x
            SHUTDOWN FOO
            SHUTDOWN ABORT
            SHUTDOWN ABORT NOW
            SHUTDOWN SAVE NOSAVE
            ~TIME
            TIME x
            MONITOR x
            MULTI
            MONITOR
            EXEC
        "#,
    },
];

/// Sent as they are, on a connection of their own that then sends no more.
pub const RAW: &[&[u8]] = &[
    b"PING\r\n",
    b"PING\n",
    b"  PING  \r\n",
    b"\r\n\r\nPING\r\n",
    b"\n\n\nPING\n",
    b"SET inline \"a \\x41\\n\\\"q\\\"\"\r\nGET inline\r\n",
    b"SET inline 'single \\' quote'\r\nGET inline\r\n",
    b"SET inline \"unbalanced\r\n",
    b"SET inline 'unbalanced\r\n",
    b"SET inline \"a\"b\r\n",
    b"ECHO \"\"\r\n",
    b"echo hi\0there\r\n",
    b"NOSUCH a b\r\n",
    b"*0\r\nPING\r\n",
    b"*-1\r\nPING\r\n",
    b"*-10\r\nPING\r\n",
    b"*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n",
    b"*2\r\n$4\r\nECHO\r\n$0\r\n\r\n",
    b"*x\r\n",
    b"*\r\n",
    b"*1x\r\n",
    b"* 1\r\n",
    b"*+1\r\n$4\r\nPING\r\n",
    b"*01\r\n$4\r\nPING\r\n",
    b"*1048577\r\n",
    b"*2147483648\r\n",
    b"*99999999999999999999\r\n",
    b"*1\r\nPING\r\n",
    b"*1\r\n:4\r\nPING\r\n",
    b"*1\r\n$x\r\nPING\r\n",
    b"*1\r\n$-1\r\n",
    b"*1\r\n$-2\r\nPING\r\n",
    b"*1\r\n$\r\n",
    b"*1\r\n$536870913\r\n",
    b"*1\r\n$99999999999999999999\r\n",
    b"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n",
    b"*1\r\n$3\r\nPING\r\n",
    b"*2\r\n$3\r\nGET\r\n",
    b"*1\r\n\r\n",
    b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$-1\r\n",
    b"PING\r\n*1\r\n$x\r\nPING\r\n",
    b"QUIT\r\nPING\r\n",
    b"*1\r\n$4\r\nQUIT\r\n*1\r\n$4\r\nPING\r\n",
    b"QUIT now please\r\n",
    b"CLIENT REPLY OFF\r\nPING\r\nCLIENT REPLY ON\r\nPING\r\n",
    b"CLIENT REPLY SKIP\r\nPING\r\nPING\r\n",
    b"CLIENT REPLY SKIP\r\nCLIENT REPLY OFF\r\nPING\r\nCLIENT REPLY SKIP\r\nCLIENT REPLY ON\r\nPING\r\n",
    b"CLIENT REPLY OFF\r\nNOSUCH\r\nGET\r\nCLIENT REPLY ON\r\n",
    b"MULTI\r\nCLIENT REPLY OFF\r\nPING\r\nEXEC\r\nPING\r\n",
    b"MULTI\r\nQUIT\r\nEXEC\r\n",
    b"NOSUCH 0123456789012345678901234567890123456789012345678901234567890123456789\
      0123456789012345678901234567890123456789012345678901234567890123456789 b c\r\n",
    b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"host: x\r\n",
    b"HELLO 3 SETNAME\r\nPING\r\n",
    b"\0\0\0\0\r\n",
    b"\xff\xfe\xfd\r\n",
    b"GET",
    b"",
];
