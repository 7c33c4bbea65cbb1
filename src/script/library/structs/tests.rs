//! Records of redis-server, and formats that were made at random.

use super::super::super::lua::GLOBALS;
use super::super::recorded::{self, eval, interpreter};
use proptest::prelude::*;

#[test]
fn as_redis_has_it() {
    recorded::check(include_str!("../recorded/structs.txt"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Items of one format with values that fit come back, from as many bytes as `size` says.
    #[test]
    fn round_trip(
        items in proptest::collection::vec((0..9_usize, any::<i8>(), "[<>]?(![124]?)?"), 0..20),
    ) {
        const LETTERS: [&str; 9] = ["b", "h", "l", "i", "i3", "i7", "f", "d", "xb"];
        let format: String = items.iter().map(|(letter, _, control)| format!("{control}{}", LETTERS[*letter])).collect();
        let values: String = items.iter().map(|(_, value, _)| format!(", {value}")).collect();
        let expected: String = items.iter().map(|(_, value, _)| format!("{value} ")).collect();
        let body = format!(
            "local packed = struct.pack('{format}'{values}) local all = {{struct.unpack('{format}', packed)}} \
             assert(table.remove(all) == #packed + 1 and #packed == struct.size('{format}')) \
             return table.concat(all, ' ') .. ' '"
        );
        let got = String::from_utf8_lossy(&eval(&mut interpreter(), &body)).into_owned();
        prop_assert_eq!(got.trim(), expected.trim());
    }

    #[test]
    fn any_format_and_bytes(
        format in "[bBhHlLTfdsxiIc<>! 0-9]{0,12}|.{0,8}",
        data in proptest::collection::vec(any::<u8>(), 0..60),
        position in prop_oneof![-3..70_i64, any::<i64>()],
    ) {
        let mut state = interpreter();
        let mut stack = state.stack();
        for (name, bytes) in [("format", format.as_bytes()), ("data", &data)] {
            stack.push_bytes(bytes);
            stack.raw_set_field(GLOBALS, name);
        }
        drop(stack);
        let body = format!(
            "local function try(f) local ok, a = pcall(f) return ok or type(a) == 'string' end \
             return try(function() return (struct.unpack(format, data, {position})) end) \
             and try(function() return #struct.pack(format, 1, data, 2, data, data, 3) end) \
             and try(function() return struct.size(format) end) and 'survived'"
        );
        prop_assert_eq!(eval(&mut state, &body), b"survived".to_vec());
    }
}

#[test]
fn memory_is_limited() {
    let mut state = interpreter();
    state.memory().set_limit(16 << 20);
    let body = "local s = string.rep('x', 2 ^ 20) local many = {} for i = 1, 1000 do many[i] = s end \
        return select(2, pcall(struct.pack, string.rep('s', 1000), unpack(many)))";
    assert_eq!(eval(&mut state, body), b"not enough memory");
}
