//! Records of redis-server, and bytes that were made at random.

use super::super::super::lua::{GLOBALS, State};
use super::super::recorded::{self, eval, interpreter};
use proptest::prelude::*;

#[test]
fn as_redis_has_it() {
    recorded::check(include_str!("../recorded/msgpack.txt"));
}

/// A value as the specification knows it, as far as Lua can hold it.
#[derive(Clone, Debug)]
enum Value {
    Nil,
    Truth(bool),
    Integer(i64),
    Float(f64),
    Text(Vec<u8>),
    Array(Vec<Value>),
    /// One field: the order of more is Lua's.
    Map(Box<(Vec<u8>, Value)>),
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Truth),
        (0..53_u32, any::<i64>()).prop_map(|(bits, value)| Value::Integer(value >> (63 - bits))),
        any::<f64>()
            .prop_filter("not whole", |number| number.fract() != 0.0 && !number.is_nan())
            .prop_map(Value::Float),
        proptest::collection::vec(any::<u8>(), 0..300).prop_map(Value::Text),
    ];
    leaf.prop_recursive(5, 60, 20, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..20).prop_map(Value::Array),
            (proptest::collection::vec(any::<u8>(), 0..40), inner).prop_map(|field| Value::Map(field.into())),
        ]
    })
}

fn encode(value: &Value, out: &mut Vec<u8>) {
    let text = |text: &[u8], out: &mut Vec<u8>| {
        match text.len() {
            0..32 => out.push(0xa0 + text.len() as u8),
            32..256 => out.extend([0xd9, text.len() as u8]),
            length => out.extend([0xda, (length >> 8) as u8, length as u8]),
        }
        out.extend(text);
    };
    match value {
        Value::Nil => out.push(0xc0),
        Value::Truth(truth) => out.push(0xc2 + u8::from(*truth)),
        Value::Integer(number) => encode_integer(*number, out),
        Value::Float(number) if f64::from(*number as f32) == *number => {
            out.push(0xca);
            out.extend((*number as f32).to_be_bytes());
        }
        Value::Float(number) => {
            out.push(0xcb);
            out.extend(number.to_be_bytes());
        }
        Value::Text(bytes) => text(bytes, out),
        Value::Array(elements) => {
            match elements.len() {
                0..16 => out.push(0x90 + elements.len() as u8),
                length => out.extend([0xdc, 0, length as u8]),
            }
            elements.iter().for_each(|element| encode(element, out));
        }
        Value::Map(field) => {
            out.push(0x81);
            text(&field.0, out);
            encode(&field.1, out);
        }
    }
}

fn encode_integer(number: i64, out: &mut Vec<u8>) {
    let bytes = number.to_be_bytes();
    let (tag, length) = match number {
        -32..128 => return out.push(number as u8),
        128..256 => (0xcc, 1),
        256..65_536 => (0xcd, 2),
        65_536..4_294_967_296 => (0xce, 4),
        4_294_967_296.. => (0xcf, 8),
        -128..-32 => (0xd0, 1),
        -32_768..-128 => (0xd1, 2),
        -2_147_483_648..-32_768 => (0xd2, 4),
        _ => (0xd3, 8),
    };
    out.push(tag);
    out.extend(&bytes[8 - length..]);
}

fn with_data(state: &mut State, data: &[u8]) {
    let mut stack = state.stack();
    stack.push_bytes(data);
    stack.raw_set_field(GLOBALS, "data");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// What is unpacked and packed again is the same bytes.
    #[test]
    fn round_trip(values in proptest::collection::vec(values(), 1..4)) {
        let mut state = interpreter();
        let mut bytes = Vec::new();
        values.iter().for_each(|value| encode(value, &mut bytes));
        with_data(&mut state, &bytes);
        prop_assert_eq!(eval(&mut state, "return cmsgpack.pack(cmsgpack.unpack(data))"), bytes.clone());
        let one_by_one = "local out, at = '', 0 \
            while at ~= -1 do local value; at, value = cmsgpack.unpack_one(data, at) \
            out = out .. cmsgpack.pack(value) end return out";
        prop_assert_eq!(eval(&mut state, one_by_one), bytes);
    }

    /// A value that ends early is told, wherever it does.
    #[test]
    fn truncated(value in values()) {
        let mut state = interpreter();
        let mut bytes = Vec::new();
        encode(&value, &mut bytes);
        with_data(&mut state, &bytes);
        let every = "for length = 1, #data - 1 do \
            local ok, why = pcall(cmsgpack.unpack, string.sub(data, 1, length)) \
            if ok or why ~= 'Missing bytes in input.' then return length end end return 'all'";
        prop_assert_eq!(eval(&mut state, every), b"all".to_vec());
    }

    #[test]
    fn any_bytes(
        data in proptest::collection::vec(any::<u8>(), 0..200),
        offset in -2..210_i32,
        limit in -2..9_i32,
    ) {
        let mut state = interpreter();
        with_data(&mut state, &data);
        let body = format!(
            "local function try(f) local ok, a = pcall(f) return ok or type(a) == 'string' end \
             return try(function() return #cmsgpack.pack(cmsgpack.unpack(data)) end) \
             and try(function() return #cmsgpack.pack(cmsgpack.unpack_limit(data, {limit}, {offset})) end) \
             and 'survived'"
        );
        prop_assert_eq!(eval(&mut state, &body), b"survived".to_vec());
    }
}

#[test]
fn nil_is_a_value() {
    let mut bytes = Vec::new();
    encode(&Value::Array(vec![Value::Nil]), &mut bytes);
    assert_eq!(bytes, [0x91, 0xc0]);
    let mut state = interpreter();
    with_data(&mut state, &bytes);
    assert_eq!(eval(&mut state, "return #cmsgpack.unpack(data)"), b"0");
}

/// Lengths that are announced but not sent take no memory.
#[test]
fn announced_lengths_are_not_believed() {
    let mut state = interpreter();
    for head in [b"\xdd".as_slice(), b"\xdf", b"\xdb"] {
        // Four thousand of them, each within the one before.
        with_data(&mut state, &[head, &[0xff; 4]].concat().repeat(3000));
        let used = state.memory().used_bytes();
        let why = eval(&mut state, "local ok, why = pcall(cmsgpack.unpack, data) return why");
        assert!(matches!(why.as_slice(), b"Missing bytes in input." | b"table index is nil"), "{why:?}");
        assert!(state.memory().used_bytes() < used + (4 << 20));
    }
}

/// A small table may stand for endless bytes; and many small bytes for large tables.
#[test]
fn memory_is_limited() {
    let mut state = interpreter();
    state.memory().set_limit(16 << 20);
    let wide = "local t = string.rep('x', 1000) for depth = 1, 14 do local w = {} \
        for i = 1, 1000 do w[i] = t end t = w end return select(2, pcall(cmsgpack.pack, t))";
    assert_eq!(eval(&mut state, wide), b"not enough memory");
    let tables = "local s = '\\221\\0\\16\\0\\0' .. string.rep('\\144', 2 ^ 20) \
        return select(2, pcall(cmsgpack.unpack, s))";
    assert_eq!(eval(&mut state, tables), b"not enough memory");
    assert_eq!(eval(&mut state, "return 1"), b"1");
}
