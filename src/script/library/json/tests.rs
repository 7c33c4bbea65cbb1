//! Scripts with JSON, and what Redis 7.0.15 makes of them.

use super::push_library;
use crate::base::argv::Args;
use crate::resp::Protocol;
use crate::script::lua::{Failure, GLOBALS, Kind, Progress, Stack, State};
use crate::script::{Host, Tick};
use proptest::prelude::*;

/// `> script`, then `= result` for each line of it.
const RECORDED: &str = include_str!("recorded.txt");
const PRELUDE: &str = include_str!("prelude.lua");

struct Quiet {
    ticks: u32,
}

impl Host for Quiet {
    fn tick(&mut self) -> Tick {
        self.ticks += 1;
        Tick::GoOn
    }

    fn command(&mut self, _args: Args<'_>, _reply: &mut Vec<u8>) {}

    fn set_protocol(&mut self, _protocol: Protocol) {}
}

fn keep_error(_stack: &mut Stack<'_>) -> Result<i32, Failure> {
    Ok(1)
}

fn state() -> State {
    let mut state = State::new().expect("memory");
    state.open_libraries();
    let mut stack = state.stack();
    push_library(&mut stack);
    stack.raw_set_field(GLOBALS, "cjson");
    drop(stack);
    state
}

/// The result of a script, or its error, and how often the host was asked.
fn run(state: &mut State, body: &[u8]) -> (Vec<u8>, u32) {
    let mut host = Quiet { ticks: 0 };
    state.stack().push_function(keep_error, 0);
    state.load("@user_script", body).expect("it compiles");
    let progress = state.run(&mut host, 0);
    assert_ne!(progress, Progress::Paused);
    let mut stack = state.stack();
    assert_eq!(stack.kind(-1), Kind::String, "scripts of these tests return texts");
    let text = stack.bytes(-1).expect("a string").to_vec();
    stack.cut(0);
    (text, host.ticks)
}

fn eval(state: &mut State, body: &str) -> String {
    String::from_utf8_lossy(&run(state, body.as_bytes()).0).into_owned()
}

/// `text` as a literal of Lua.
fn quoted(text: &[u8]) -> String {
    let bytes: Vec<String> = text.iter().map(|byte| format!("\\{byte:03}")).collect();
    format!("'{}'", bytes.concat())
}

#[test]
fn scripts_find_what_redis_has() {
    let mut state = state();
    let prelude = PRELUDE.lines().skip(1).map(str::trim).collect::<Vec<_>>().join(" ");
    let mut failed = Vec::new();
    for case in RECORDED.strip_prefix("> ").expect("a script").split("\n> ") {
        let (script, expected) = case.split_once("\n= ").expect("a result");
        let expected = expected.trim_end_matches('\n').replace("\n= ", "\n");
        let body = format!(
            "{prelude} local r = (function() {script} end)() if type(r) == 'table' then \
             for i = 1, #r do r[i] = tostring(r[i]) end r = table.concat(r, '\\n') end return tostring(r)"
        );
        let found = eval(&mut state, &body);
        if found != expected {
            let pairs = found.lines().zip(expected.lines()).filter(|(one, other)| one != other);
            let lines: Vec<String> = pairs.map(|(one, other)| format!("{one}\n  not {other}")).collect();
            failed.push(format!("{script}\n  {}", lines.join("\n  ")));
        }
    }
    assert!(failed.is_empty(), "{} scripts:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn every_beginning_of_a_document_is_refused() {
    let mut state = state();
    let document = r#"{"a":[1,-2.5e3,"x\ny\u00e9\ud83d\ude00",true,false,null,{"b":[[],{}]}],"c":" "}"#;
    let decode = "local text = ... for i = 0, #TEXT - 1 do \
                  assert(not pcall(cjson.decode, TEXT:sub(1, i)), i) end \
                  return cjson.encode(cjson.decode(TEXT))";
    let body = format!("local TEXT = {} {decode}", quoted(document.as_bytes()));
    let expected = r#"{"a":[1,-2500,"x\nyé😀",true,false,null,{"b":[{},{}]}],"c":" "}"#;
    assert_eq!(eval(&mut state, &body), expected);
}

#[test]
fn depth_is_bounded_by_the_stack() {
    let mut state = state();
    let deep = "cjson.decode_max_depth(2147483647) cjson.encode_max_depth(2147483647) \
                local t = {} for i = 1, 1000000 do t = {t} end \
                local u = {} u.u = u \
                local function why(f, v) return (select(2, pcall(f, v))) end \
                return table.concat({why(cjson.encode, t), why(cjson.encode, u), \
                why(cjson.decode, ('['):rep(1000000)), why(cjson.decode, ('{\"a\":'):rep(1000000))}, '\\n')";
    let errors = "Cannot serialise, excessive nesting (7998)\n\
                  Cannot serialise, excessive nesting (4000)\n\
                  Found too many nested data structures (7999) at character 7999\n\
                  Found too many nested data structures (4000) at character 19996";
    assert_eq!(eval(&mut state, deep), errors);
}

#[test]
fn long_documents_ask_whether_to_go_on() {
    let mut state = state();
    let body = b"local t = cjson.decode('[' .. ('1,'):rep(50000) .. '1]') return cjson.encode(t)";
    let (text, ticks) = run(&mut state, body);
    assert_eq!(text.len(), 100_003);
    assert!(ticks >= 10, "{ticks}");
}

#[test]
fn texts_and_tables_are_held_to_the_memory_limit() {
    let mut state = state();
    state.memory().set_limit(8 << 20);
    let doubling = "local t = 'x' for i = 1, 60 do t = {t, t} end return cjson.encode(t)";
    assert_eq!(eval(&mut state, doubling), "not enough memory");
    let wide =
        "local s = ('x'):rep(1000000) local t = {} for i = 1, 100 do t[i] = s end return cjson.encode(t)";
    assert_eq!(eval(&mut state, wide), "not enough memory");
    let sparse = "local c = cjson.new() c.encode_sparse_array(false, 0) return c.encode({[2147483647] = 1})";
    assert_eq!(eval(&mut state, sparse), "not enough memory");
    let tables = "return type(cjson.decode('[' .. ('{},'):rep(300000) .. '1]'))";
    assert_eq!(eval(&mut state, tables), "not enough memory");
    assert!(state.collect() < 2 << 20);
    assert_eq!(eval(&mut state, "return cjson.encode({1})"), "[1]");
}

/// What a document can hold; arrays are never empty, which would come back as objects.
fn document() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|truth| truth.to_string()),
        (-99_999_999_999_999i64..=99_999_999_999_999).prop_map(|number| number.to_string()),
        "\"[a-z \u{e9}\u{1f600}]{0,20}\"",
        Just("\"\\/\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f\\u007f\"".to_owned()),
        Just("{}".to_owned()),
    ];
    leaf.prop_recursive(6, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..6).prop_map(|values| format!("[{}]", values.join(","))),
            inner.prop_map(|value| format!("{{\"key\":{value}}}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn documents_come_back(document in document()) {
        let body = format!("return cjson.encode(cjson.decode({}))", quoted(document.as_bytes()));
        prop_assert_eq!(eval(&mut state(), &body), document);
    }

    #[test]
    fn strings_come_back(text in prop::collection::vec(any::<u8>(), 0..64)) {
        let body = format!("return cjson.decode(cjson.encode({}))", quoted(&text));
        prop_assert_eq!(run(&mut state(), body.as_bytes()).0, text);
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        text in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..48),
            "[\\[\\]{}:,\"0-9eE+.xnaif\\\\u \\-]{0,48}".prop_map(String::into_bytes),
        ],
    ) {
        let text = quoted(&text);
        let body = format!("for _, lenient in ipairs{{true, false}} do cjson.decode_invalid_numbers(lenient) \
                            local ok, value = pcall(cjson.decode, {text}) \
                            if ok then pcall(cjson.encode, value) end end return ''");
        prop_assert_eq!(eval(&mut state(), &body), "");
    }
}
