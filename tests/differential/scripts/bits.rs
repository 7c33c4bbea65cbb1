//! Bitmaps and HyperLogLogs.

use super::Script;

pub const SCRIPTS: &[Script] = &[
    Script {
        name: "bitmaps",
        lines: r#"
            SETUP
            % GETBIT bits|str|int|none|list 0|7|8|39|40|4294967295|-1|x|4294967296|""
            % BITCOUNT bits ?({i64} {i64} ?BIT|BYTE)
            % BITCOUNT bits|none 0|-1|-2|100|7|-100 0|-1|-2|100|39|-100|8 ?BIT|BYTE|FOO
            % BITCOUNT bits {bad} 0
            % BITCOUNT bits 0 {bad}
            % BITCOUNT bits 0
            % BITPOS bits|none|str 0|1 ?0|2|-1|100|-100 ?0|-1|3|100|-100 ?BIT|BYTE|FOO
            % BITPOS bits 2|x|-1|""
            % BITPOS bits 1 {i64}|{bad} ?{i64}|{bad}
            SET ones "\xff\xff\xff"
            SET zeros "\x00\x00\x00"
            % BITPOS ones|zeros 0|1 ?0|1|3|-1 ?2|-1|3 ?BIT|BYTE
            % BITOP AND|OR|XOR|NOT d bits ; GET d
            % BITOP AND|OR|XOR d bits|none str|none|ones ; GET d
            % BITOP NOT d bits ones
            % BITOP FOO|and d bits ones
            % BITOP AND|NOT d list|none ; EXISTS d
            % BITOP AND d bits list
            BITOP AND
            BITOP XOR list bits
            TYPE list
            % SETBIT b 0|7|8|100|-1|x|4294967296 0|1|2|x|"" ; GET b
            % SETBIT int 1|5 0|1 ; GET int ; OBJECT ENCODING int
            SETBIT new 9 0
            STRLEN new
            SETBIT list 1 1
        "#,
    },
    Script {
        name: "bitmaps: BITFIELD",
        lines: r#"
            SETUP
            % DEL b ; BITFIELD b SET u8 0 250 ; BITFIELD b ?(OVERFLOW WRAP|SAT) INCRBY u8|i8|u3|i3|u63|i64 0 {i64} GET u8 0 ; GET b
            % DEL b ; BITFIELD b SET u8 0 250 SET u8 8 1 OVERFLOW FAIL INCRBY u8|i8|u3|i3|u63|i64 0 {i64} GET u8 0 ; GET b
            % DEL b ; BITFIELD b ?(OVERFLOW WRAP|SAT) SET u8|i8|u1|i1|u63|i64|i63 3 {i64} ; BITFIELD b GET u8|i8|u63|i64 3|0 ; GET b
            % BITFIELD b GET u0|u64|i65|i0|u|i|x8|u8x|U8|I8|i-1|"" 0
            % BITFIELD b GET u8 {bad}|-1|#1|#x|#-1|4294967296|#536870912|9223372036854775807|#9223372036854775807
            % BITFIELD b SET|INCRBY u8 0 {bad}
            % BITFIELD b OVERFLOW FOO|wrap|Sat|fail GET u8 0
            % BITFIELD b GET|SET|INCRBY|OVERFLOW|FOO
            % BITFIELD b GET u8
            BITFIELD b
            BITFIELD none
            EXISTS none
            BITFIELD none GET u8 100
            EXISTS none
            BITFIELD b SET u8 #0 1 SET u8 #1 2 SET u4 #4 15 GET u16 0 GET u16 #1 INCRBY u4 #5 3
            GET b
            BITFIELD b OVERFLOW SAT INCRBY u8 0 255 OVERFLOW FAIL INCRBY u8 0 1 OVERFLOW WRAP INCRBY u8 0 1 GET u8 0
            % BITFIELD b SET i64 0 9223372036854775807 OVERFLOW WRAP|SAT|FAIL INCRBY i64 0 1|-1|9223372036854775807|-9223372036854775808 GET i64 0
            % BITFIELD b SET i64 0 -9223372036854775808 OVERFLOW WRAP|SAT|FAIL INCRBY i64 0 1|-1|9223372036854775807|-9223372036854775808 GET i64 0
            % BITFIELD b SET i5 1 -16 OVERFLOW WRAP|SAT|FAIL INCRBY i5 1 {i64}|-16|31|16|15 GET i5 1
            % BITFIELD b SET u5 1 31 OVERFLOW WRAP|SAT|FAIL INCRBY u5 1 {i64}|-32|31|32|-31 GET u5 1
            % BITFIELD_RO bits|none|str|list GET u8 0 ?(GET i5 3)
            % BITFIELD_RO bits SET|INCRBY u8 0 1
            BITFIELD_RO bits OVERFLOW WRAP GET u8 0
            % BITFIELD list GET|SET u8 0 1
            % BITFIELD int INCRBY u8 0 1 ; GET int
        "#,
    },
    Script {
        name: "HyperLogLogs",
        lines: r#"
            SETUP
            @600 PFADD h e$
            PFCOUNT h
            PFDEBUG ENCODING h
            ~DUMP h
            @300 PFADD g f$ e$
            PFCOUNT g h
            PFMERGE m g h hll
            PFCOUNT m
            GET m
            % PFMERGE m none ; PFCOUNT m
            PFMERGE empty
            PFCOUNT empty
            GET empty
            PFMERGE dense
            PFADD dense a
            PFDEBUG TODENSE dense
            PFDEBUG ENCODING dense
            PFMERGE dense hll
            PFCOUNT dense
            GET dense
            PFADD new
            PFADD new
            GET new
            % PFADD new a a "" "\x00" "\r\n"
            PFCOUNT new
            GET new
            % PFADD|PFCOUNT str|list|bits|int
            % PFADD str|list|bits|int x
            % PFMERGE m str|list|bits
            % PFMERGE str|list m
            % PFCOUNT m str|list|none
            % PFDEBUG DECODE|GETREG|ENCODING|TODENSE none|str|list
            PFDEBUG DECODE new
            PFDEBUG FOO new
            % PFSELFTEST x
            CONFIG SET hll-sparse-max-bytes 50
            @30 PFADD small s$
            PFDEBUG ENCODING small
            GET small
            CONFIG SET hll-sparse-max-bytes 3000
            @2500 PFADD large l$
            PFDEBUG ENCODING large
            PFCOUNT large
            GET large
            SET corrupt "HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80abc"
            PFCOUNT corrupt
            SET corrupt "HYLL\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80abc"
            PFCOUNT corrupt
            SET corrupt "HYLL"
            PFADD corrupt a
            SET corrupt "HYLL\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80abc"
            PFCOUNT corrupt
        "#,
    },
];
