//! Streams. Ids are given; idle times and what depends on them are not compared.

use super::Script;

pub const SCRIPTS: &[Script] = &[
    Script {
        name: "streams: adding and trimming",
        lines: r#"
            SETUP
            % XADD s 0-0|0|0-*|1-1|1-0|1|5-*|5-*|18446744073709551615-18446744073709551615 f v
            % XADD s 18446744073709551615-*|1-1|* f v
            % XADD t x|-1|1-|1-x|-|+|""|1-1-1|99999999999999999999-1|1-99999999999999999999|(1|"1-1\x00" f v
            % XADD t 1-1 f
            % XADD t 1-1 f v g
            XADD t 1-1
            XADD none NOMKSTREAM 1-1 f v
            % XADD t NOMKSTREAM MAXLEN 1 NOMKSTREAM 2-1 f v
            % XADD t MAXLEN|MINID ?=|~ {i64}|{bad} 3-1 f v
            % XADD t MAXLEN 3 MINID 4 5-1 f v
            % XADD t LIMIT 3 5-1 f v
            % XADD t MAXLEN = 5 LIMIT 3 5-1 f v
            % XADD t MAXLEN ~ 5 LIMIT {i64}|{bad} 5-1 f v
            % XADD str|list 1-1 f v
            DEL s
            @20 XADD s $-1 field value$
            % COPY s t REPLACE ; XTRIM t MAXLEN ?= 5|0|20|100|{bad}|-1 ; XLEN t ; XRANGE t - + COUNT 2
            % COPY s t REPLACE ; XTRIM t MINID ?= 5|5-1|5-2|0|21|{bad}|- ; XLEN t ; XRANGE t - + COUNT 2
            % COPY s t REPLACE ; XTRIM t MAXLEN|MINID ~ 5 ?(LIMIT {i64}|{bad}) ; XLEN t
            % XTRIM s MAXLEN|MINID|FOO
            % XTRIM s MAXLEN = 5 LIMIT 1
            % XTRIM none|str MAXLEN 1
            % XTRIM s MAXLEN 5 FOO 1
            CONFIG SET stream-node-max-entries 5
            DEL s
            @23 XADD s $-1 field value$ other $
            % COPY s t REPLACE ; XTRIM t MAXLEN ~ 3|5|8|12|22 ?(LIMIT 0|3|5|10) ; XLEN t ; XINFO STREAM t
            % COPY s t REPLACE ; XTRIM t MINID ~ 3|5|6|11|30 ?(LIMIT 0|3|5|10) ; XLEN t ; XINFO STREAM t
            % XADD s MAXLEN ~ 10 3$|30-1 f v ; XLEN s
            CONFIG SET stream-node-max-entries 100
            XADD bin 1-1 "" "" "\r\n" "\x00" "\x00" "\r\n"
            XADD bin 2-1 "" "x" "\r\n" "y" "\x00" "z"
            XADD bin 3-1 same same same same
            XRANGE bin - +
            XDEL bin 2-1 2-1 9-9
            % XDEL bin {bad}|3-1|-
            % XDEL none|str 1-1
            XINFO STREAM bin
            XLEN bin
        "#,
    },
    Script {
        name: "streams: ranges and reads",
        lines: r#"
            SETUP
            % XRANGE stream -|+|1|1-1|(1-1|2|(2|2-1|(5-0|0|(18446744073709551615-18446744073709551615 +|-|2|2-0|(2-1|(2|5|(0-0|(1-0 ?(COUNT 0|1|2|-1|100)
            % XREVRANGE stream +|-|5|(5-0|2|(2|2-1 -|+|1-1|(1-1|2|(2 ?(COUNT 0|1|2|-1|100)
            % XRANGE stream {bad}|(- +
            % XRANGE stream - {bad}|(+
            % XRANGE stream - + COUNT {bad}|{i64}
            % XRANGE|XREVRANGE stream - + ?FOO|COUNT
            % XRANGE|XREVRANGE none|str - +
            % XLEN none|str|stream
            % XREAD ?(COUNT 0|1|2|-1) STREAMS stream 0|1|1-1|2-0|5-0|$|9
            % XREAD COUNT {bad}|{i64} STREAMS stream 0
            % XREAD STREAMS stream none|str|bin 0 0
            % XREAD STREAMS none stream str 0 0 0
            % XREAD STREAMS stream {bad}|>|-|(1
            % XREAD STREAMS stream none 0
            % XREAD STREAMS
            % XREAD COUNT 1|STREAMS
            % XREAD BLOCK {bad}|-1|1 STREAMS none 0
            % XREAD BLOCK 1 COUNT 1 STREAMS stream $|0|5-0
            % XREAD NOACK|GROUP STREAMS stream 0
            % XREAD GROUP group one STREAMS stream 0
            MULTI
            XREAD BLOCK 0 STREAMS none $
            XREADGROUP GROUP group one BLOCK 0 STREAMS stream >
            XREADGROUP GROUP group one BLOCK 0 STREAMS stream >
            EXEC
            % XSETID stream {i64}|{bad}|5-0|4-0|9-1
            % XSETID none|str 1-1
            % XSETID stream 9-2 ?(ENTRIESADDED 0|3|4|100|-1|x) ?(MAXDELETEDID 1-1|9-2|9-3|x)
            XSETID stream 10 ENTRIESADDED
            XINFO STREAM stream
        "#,
    },
    Script {
        name: "streams: groups",
        lines: r#"
            SETUP
            % XGROUP CREATE stream new$|group 0|$|5-0|x
            % XGROUP CREATE none|str g 0 ?MKSTREAM ; DEL none
            % XGROUP CREATE stream g{i64}|g 0 ENTRIESREAD {i64}|{bad}
            XGROUP CREATE stream both $ MKSTREAM ENTRIESREAD 2
            % XGROUP CREATE stream h ?0 ?FOO|ENTRIESREAD
            % XGROUP CREATE made m $|0 MKSTREAM ; XLEN made ; XINFO STREAM made ; XINFO GROUPS made ; DEL made
            XINFO GROUPS stream
            % XGROUP SETID stream group|none 0|2-0|$|x ?(ENTRIESREAD 0|2|-1|-2|x) ; XINFO GROUPS stream
            % XGROUP SETID none|str group 0
            % XGROUP CREATECONSUMER stream group|none one|two|"" ; XINFO GROUPS stream
            % XGROUP CREATECONSUMER|DELCONSUMER none|str group one
            % XGROUP DELCONSUMER stream group|none one|two|none ; XPENDING stream group
            % XGROUP DESTROY stream|none|str group|none
            % XGROUP DESTROY|CREATE|SETID|FOO|HELP
            XGROUP HELP x
            XINFO HELP x
            % XINFO STREAM|GROUPS none|str|stream ?FOO
            % XINFO CONSUMERS stream|none|str nosuch
            % XINFO STREAM stream FULL COUNT {bad}|x
            XINFO STREAM stream FULL FOO 1
        "#,
    },
    Script {
        name: "streams: pending entries",
        lines: r#"
            @10 XADD s $-1 f v$
            XGROUP CREATE s g 0
            XGROUP CREATECONSUMER s g one
            XGROUP CREATECONSUMER s g two
            XGROUP CREATECONSUMER s g three
            XPENDING s g
            XREADGROUP GROUP g one COUNT 3 STREAMS s >
            XREADGROUP GROUP g two COUNT 3 STREAMS s >
            XREADGROUP GROUP g three NOACK COUNT 1 STREAMS s >
            XPENDING s g
            XINFO GROUPS s
            % XREADGROUP GROUP g one ?(COUNT 0|1|2) STREAMS s 0|1-1|2-1|9|-|+|$|x
            % XREADGROUP GROUP g|none one STREAMS s|none|str >
            % XREADGROUP GROUP g one STREAMS s none > >
            % XREADGROUP GROUP g
            % XREADGROUP COUNT 1 STREAMS s >
            % XREADGROUP GROUP g one NOACK STREAMS s 0
            XPENDING s g
            % XPENDING s|none|str g|none
            % XPENDING s g ?(IDLE 0|-1|x|9223372036854775807) -|(1-1|+ +|(9|-|x {bad}|0|-1 ?one|none
            % XPENDING s g IDLE
            % XPENDING s g - +
            % XPENDING s g IDLE 0 - +
            % ~XPENDING s g -|2-1|(2-1 + 1|100 ?one|two|none
            % XACK s g 1-1|1-1|99|x|0
            % XACK s g 2-1 3-1 2-1 x
            % XACK none|str|s g|none 1-1
            XPENDING s g
            XDEL s 4-1
            XREADGROUP GROUP g two STREAMS s 0
            % XCLAIM s g three 0 4-1|5-1|6-1|9-9 ?JUSTID ; XPENDING s g
            % XCLAIM s g one 0 9-1|1-1|10-1 FORCE ?JUSTID ; XPENDING s g
            % XCLAIM s g one 0 5-1 ?(IDLE 0|100|-1|x) ?(RETRYCOUNT 0|3|-1|x) ?(LASTID 3-1|99-1|x) ; XINFO GROUPS s
            % XCLAIM s g one 0 5-1 TIME 0|1000|-1|x|9223372036854775807
            % XCLAIM s g one {bad}|0|-1|-9223372036854775808|9223372036854775807|9223372036854775808 5-1
            % XCLAIM s g one 0 {bad}|FORCE|-
            % XCLAIM s g one 0 5-1 FOO|IDLE|TIME
            % XCLAIM s|none|str g|none one 0 5-1
            XCLAIM s g two 100000 5-1 6-1
            XPENDING s g
            % XAUTOCLAIM s g three 0 0|-|5-1|(5-1|9|x|+ ?(COUNT 1|2|100|0|-1|x) ?JUSTID
            % XAUTOCLAIM s g one {bad}|100000|0|-1|-9223372036854775808|9223372036854775807|9223372036854775808 0
            % XAUTOCLAIM s|none|str g|none one 0 0
            % XAUTOCLAIM s g one 0 0 FOO|COUNT
            XDEL s 5-1
            XDEL s 9-1
            XAUTOCLAIM s g two 0 0 COUNT 1
            XAUTOCLAIM s g two 0 0
            XPENDING s g
            ^% XINFO STREAM s FULL ?(COUNT 0|1|2|-1|100)
            ^XINFO CONSUMERS s g
            XINFO GROUPS s
            XINFO STREAM s
            XTRIM s MAXLEN 0
            XINFO STREAM s
            XINFO GROUPS s
            XREADGROUP GROUP g one STREAMS s 0
            XADD s 50-1 f v
            XINFO GROUPS s
            XREADGROUP GROUP g one STREAMS s >
            XPENDING s g
            ^XINFO STREAM s FULL
            XGROUP DELCONSUMER s g one
            XPENDING s g
            XINFO GROUPS s
        "#,
    },
    Script {
        name: "streams: lag",
        lines: r#"
            @10 XADD s $-1 f v$
            % XGROUP CREATE s a 0
            XGROUP CREATE s b $
            XGROUP CREATE s c 5-1
            XGROUP CREATE s d 5-1 ENTRIESREAD 5
            XINFO GROUPS s
            XREADGROUP GROUP a one COUNT 4 STREAMS s >
            XREADGROUP GROUP c one COUNT 2 STREAMS s >
            XREADGROUP GROUP d one COUNT 2 STREAMS s >
            XINFO GROUPS s
            XDEL s 1-1
            XINFO GROUPS s
            XDEL s 8-1
            XINFO GROUPS s
            XREADGROUP GROUP a one COUNT 3 STREAMS s >
            XINFO GROUPS s
            XREADGROUP GROUP a one STREAMS s >
            XREADGROUP GROUP c one STREAMS s >
            XINFO GROUPS s
            XADD s 11-1 f v
            XINFO GROUPS s
            XGROUP SETID s a 0
            XINFO GROUPS s
            XGROUP SETID s a 11-1 ENTRIESREAD 11
            XINFO GROUPS s
            XINFO STREAM s
        "#,
    },
];
