//! Bitmaps and HyperLogLogs.
//!
//! Offsets are drawn from words, so that no string grows beyond a kilobyte. Two things are kept out because Redis
//! changes a value without counting it: a BITFIELD all of whose writes fail makes the string longer (so `OVERFLOW FAIL`
//! follows a write that does not), and a PFADD that meets a corrupt run has raised registers before.

use crate::compare::Rule;
use crate::table::{Template, by, exact};

pub const TEMPLATES: &[Template] = &[
    exact(16, "SETBIT {bits} 0|1|6|7|8|9|15|16|31|63|64|100|127|128|500|1000|5000 0|1"),
    exact(3, "SETBIT {bits} 0|7|x|-1|+1|4294967296|9223372036854775807| 0|1|2|x|"),
    exact(8, "GETBIT {bits} {offset}"),
    exact(8, "BITCOUNT {bits}"),
    exact(10, "BITCOUNT {bits} {index} {index} ?BYTE|BIT"),
    exact(1, "BITCOUNT {bits} {index} ?{index} ?FOO|BIT ?BYTE"),
    exact(6, "BITPOS {bits} 0|1"),
    exact(10, "BITPOS {bits} 0|1 {index} ?({index} ?BYTE|BIT)"),
    exact(1, "BITPOS {bits} 0|1|2|x| {index} {bad_int} BYTE|BIT|FOO ?BIT"),
    exact(12, "BITOP AND|OR|XOR {bits} {bits}*"),
    exact(4, "BITOP NOT {bits} {bits}"),
    exact(1, "BITOP NOT|FOO|AND {bits} {bits}* {bits}"),
    exact(10, "BITFIELD {bits} (GET u1|u3|u8|u16|u31|u63|i1|i5|i8|i13|i32|i63|i64 {offset})*"),
    exact(
        10,
        "BITFIELD {bits} SET u1|u3|u8|u16|u63|i1|i5|i8|i13|i63|i64 0|1|3|7|8|13|100|#0|#1|#3 {integer}",
    ),
    exact(
        10,
        "BITFIELD {bits} ?(OVERFLOW WRAP|SAT) (INCRBY|SET u1|u3|u8|u16|u63|i1|i5|i8|i13|i63|i64 \
         0|1|3|7|8|13|100|#0|#1|#3 {integer})* ?(GET i8|u5|i64 0|3|8)",
    ),
    exact(
        6,
        "BITFIELD {bits} SET u8 200|#2 {integer} OVERFLOW FAIL (INCRBY u1|u3|u8|u16|i5|i8|i63|i64 \
         0|1|3|7|8|13|100|#0|#1|#3 {integer})* GET u8 0",
    ),
    exact(
        4,
        "BITFIELD {bits} ?(SET u8 7|8 1) GET|SET|INCRBY|FOO|OVERFLOW u8|u64|i65|u0|x|I8| 0|x|-1|#x|#1 ?{bad_int}",
    ),
    exact(4, "BITFIELD_RO {bits} (GET u1|u8|u63|i5|i64 {offset})*"),
    exact(1, "BITFIELD_RO {bits} SET|INCRBY u8 0 {integer}"),
    exact(4, "SET {bits} {value}"),
    exact(3, "SET {bits} {integer}"),
    exact(6, "GET {bits}"),
    exact(3, "STRLEN {bits}"),
    by(Rule::Encoding, 4, "OBJECT ENCODING {bits}"),
    exact(3, "DEL {bits}*"),
    exact(24, "PFADD {hll} {element}*"),
    exact(10, "PFADD {hll} ({integer} {value} {element})* {float}"),
    exact(2, "PFADD {hll}"),
    exact(14, "PFCOUNT {hll}"),
    exact(8, "PFCOUNT {hll} {hll}*"),
    exact(8, "PFMERGE {hll} {hll}*"),
    exact(2, "PFMERGE {hll}"),
    exact(4, "PFDEBUG DECODE|ENCODING {hll}"),
    exact(1, "PFDEBUG TODENSE|GETREG|FOO {hll}"),
    exact(10, "GET {hll}"),
    by(Rule::Encoding, 3, "OBJECT ENCODING {hll}"),
    exact(1, "STRLEN|DEL {hll}"),
    exact(2, "COPY|RENAME {hll} {hll}"),
    exact(2, "COPY {bits} {hll} ?REPLACE"),
    by(Rule::Shape, 2, "DUMP {hll}"),
    exact(1, "CONFIG SET hll-sparse-max-bytes 3000|100|0"),
];
