//! Scripts whose results redis-server 7.0.15 was asked for: the libraries must give the same.
//!
//! A record is two lines: an expression, or a body that begins with `local` or `return`; a tab, `ok` or `error`, and
//! the values as `PRELUDE` shows them.

use super::super::lua::{Failure, GLOBALS, Kind, Progress, Stack, State};
use super::super::{Host, Tick};
use crate::base::argv::Args;
use crate::resp::Protocol;
use std::fmt::Write as _;

/// What the records were made with; one line, so that errors are on line 1.
const PRELUDE: &str = concat!(
    "local show function show(v, d) d = d or 0 local t = type(v) if t == 'string' then ",
    "if string.find(v, '^[%w%p ]*$') and not string.find(v, '[\"\\\\]') then return '\"' .. v .. '\"' end ",
    "return 'x' .. (string.gsub(v, '[%z\\1-\\255]', ",
    "function(c) return string.format('%02x', string.byte(c)) end)) ",
    "elseif t == 'number' then if v ~= v then return 'nan' end return string.format('%.17g', v) ",
    "elseif t == 'table' then if d > 40 then return '...' end local a = {} ",
    "for k, e in pairs(v) do a[#a + 1] = show(k, d + 1) .. '=' .. show(e, d + 1) end table.sort(a) ",
    "return '{' .. table.concat(a, ',') .. '}' elseif t == 'function' then return t end return tostring(v) end ",
    "local function all(...) local a = {} ",
    "for i = 1, select('#', ...) do a[i] = show((select(i, ...))) end return table.concat(a, ' ') end ",
    "local function run(f) local a, b = pcall(f) return a and 'ok ' .. b or 'error ' .. show(b) end ",
);

pub struct NoHost;

impl Host for NoHost {
    fn tick(&mut self) -> Tick {
        Tick::GoOn
    }

    fn command(&mut self, _args: Args<'_>, _reply: &mut Vec<u8>) {}

    fn set_protocol(&mut self, _protocol: Protocol) {}
}

fn keep_error(_stack: &mut Stack<'_>) -> Result<i32, Failure> {
    Ok(1)
}

/// An interpreter with Lua's own libraries and those under test.
pub fn interpreter() -> State {
    let mut state = State::new().expect("memory");
    state.open_libraries();
    let mut stack = state.stack();
    type Push = fn(&mut Stack<'_>);
    let libraries: [(&str, Push); 3] = [
        ("cmsgpack", super::msgpack::push_library),
        ("struct", super::structs::push_library),
        ("bit", super::bits::push_library),
    ];
    for (name, push) in libraries {
        push(&mut stack);
        stack.raw_set_field(GLOBALS, name);
    }
    stack.push_table(0, 1);
    stack.push_light(0);
    stack.raw_set_field(-2, "null");
    stack.raw_set_field(GLOBALS, "cjson");
    drop(stack);
    state
}

/// What a script returns, or its error, as text.
pub fn eval(state: &mut State, body: &str) -> Vec<u8> {
    state.stack().push_function(keep_error, 0);
    state.load("@user_script", body.as_bytes()).expect("it compiles");
    let progress = state.run(&mut NoHost, 0);
    assert_ne!(progress, Progress::Paused);
    let mut stack = state.stack();
    let text = match stack.kind(-1) {
        Kind::Number => stack.number(-1).expect("a number").to_string().into_bytes(),
        Kind::String => stack.bytes(-1).expect("a string").to_vec(),
        kind => kind.name().as_bytes().to_vec(),
    };
    stack.cut(0);
    text
}

/// Runs all records of a file.
pub fn check(records: &str) {
    let mut state = interpreter();
    let mut lines = records.lines();
    let (mut count, mut wrong) = (0, String::new());
    while let (Some(case), Some(expected)) = (lines.next(), lines.next()) {
        let expected = expected.strip_prefix('\t').expect("a result");
        let is_body = case.starts_with("local") || case.starts_with("return");
        let body = if is_body { case.to_owned() } else { format!("return all({case})") };
        let got = eval(&mut state, &format!("{PRELUDE}return run(function() {body} end)"));
        let got = String::from_utf8_lossy(&got);
        count += 1;
        if got != expected {
            writeln!(wrong, "{case}\n  redis: {expected}\n  here:  {got}").expect("memory");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count > 100, "{count} records");
}
