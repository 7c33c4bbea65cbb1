//! The interpreter without a server.

use super::*;
use crate::base::argv::Args;
use crate::resp::Protocol;
use crate::script::{Host, Tick};

/// Pauses at every tick until it has done so a number of times.
#[derive(Default)]
struct Patience {
    pauses_left: u32,
    ends: bool,
    ticks: u32,
}

impl Host for Patience {
    fn tick(&mut self) -> Tick {
        self.ticks += 1;
        match self.pauses_left {
            0 if self.ends => Tick::End(b"enough".to_vec()),
            0 => Tick::GoOn,
            _ => {
                self.pauses_left -= 1;
                Tick::Pause
            }
        }
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
    state
}

fn begin(state: &mut State, body: &str, host: &mut Patience) -> Progress {
    state.stack().push_function(keep_error, 0);
    state.load("@user_script", body.as_bytes()).expect("it compiles");
    state.run(host, 0)
}

/// The result as text, or the error.
fn end(state: &mut State) -> String {
    let mut stack = state.stack();
    let text = match stack.kind(-1) {
        Kind::Number => stack.number(-1).expect("a number").to_string(),
        Kind::String => String::from_utf8_lossy(stack.bytes(-1).expect("a string")).into_owned(),
        kind => kind.name().to_owned(),
    };
    stack.cut(0);
    text
}

fn eval(state: &mut State, body: &str) -> String {
    let progress = begin(state, body, &mut Patience::default());
    assert_ne!(progress, Progress::Paused);
    end(state)
}

#[test]
fn scripts_return_and_fail() {
    let mut state = state();
    assert_eq!(eval(&mut state, "return 1 + 2"), "3");
    assert_eq!(eval(&mut state, "local t = {} for i = 1, 100 do t[i] = i end return #t"), "100");
    assert_eq!(eval(&mut state, "error('no')"), "user_script:1: no");
    assert_eq!(
        eval(&mut state, "return nil + 1"),
        "user_script:1: attempt to perform arithmetic on a nil value"
    );
    assert!(state.load("@f", b"return (").is_err_and(|text| text.starts_with(b"f:1: unexpected symbol")));
    assert!(state.load("@f", b"\x1bLua").is_err(), "compiled code");
}

fn double(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    let text = stack.check_bytes(1)?;
    let twice = [text, text].concat();
    stack.push_bytes(&twice);
    Ok(1)
}

fn call_it(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    stack.check_kind(1, Kind::Function)?;
    stack.push_copy(1);
    stack.call(0, 1)?;
    Ok(1)
}

fn fail(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    let owned = stack.check_bytes(1)?.to_vec();
    Err(Failure::Here(owned))
}

#[test]
fn functions_of_ours() {
    let mut state = state();
    for (name, function) in [("double", double as Function), ("call_it", call_it), ("fail", fail)] {
        set_global(&mut state.stack(), name, function);
    }
    assert_eq!(eval(&mut state, "return double('ab')"), "abab");
    assert_eq!(eval(&mut state, "return double(12)"), "1212");
    let wrong = "user_script:1: bad argument #1 to 'double' (string expected, got nil)";
    assert_eq!(eval(&mut state, "return double(nil)"), wrong);
    assert_eq!(eval(&mut state, "return fail('x')"), "user_script:1: x");
    assert_eq!(eval(&mut state, "return select(2, pcall(fail, 'x'))"), "x");
    assert_eq!(eval(&mut state, "return call_it(function() return 7 end)"), "7");
    assert_eq!(eval(&mut state, "return call_it(function() error('deep') end)"), "user_script:1: deep");
}

#[test]
fn a_slow_script_is_suspended() {
    let mut state = state();
    let mut host = Patience { pauses_left: 2, ..Patience::default() };
    let slow = "local n = 0 for i = 1, 1000000 do n = n + 1 end return n";
    assert_eq!(begin(&mut state, slow, &mut host), Progress::Paused);
    assert_eq!(state.resume(&mut host), Progress::Paused);
    assert_eq!(state.resume(&mut host), Progress::Returned);
    assert_eq!(end(&mut state), "1000000");
}

#[test]
fn nothing_keeps_a_script_from_being_ended() {
    let mut state = state();
    set_global(&mut state.stack(), "call_it", call_it);
    let endless = "function() while true do end end";
    for body in [
        format!("while true do pcall({endless}) end"),
        format!("return pcall({endless})"),
        format!("while true do xpcall({endless}, {endless}) end"),
        format!("xpcall(function() error('x') end, {endless})"),
        format!("while true do coroutine.wrap({endless})() end"),
        format!("while true do coroutine.resume(coroutine.create({endless})) end"),
        "local function more() while true do coroutine.resume(coroutine.create(more)) end end _G.more = more more()"
            .replace("local function more", "function more"),
        format!("local t = setmetatable({{}}, {{__index = {endless}}}) while true do pcall(function() return t.x end) end"),
        format!("while true do pcall(table.sort, {{3, 2, 1}}, {endless}) end"),
        format!("while true do pcall(string.gsub, 'abc', '.', {endless}) end"),
        format!("while true do pcall(call_it, {endless}) end"),
        "while true do pcall(loadstring('while true do end')) end".to_owned(),
        "local t = {} while true do t[#t + 1] = coroutine.create(function() end) if #t > 99 then t = {} end end".into(),
    ] {
        let mut host = Patience { ends: true, pauses_left: 1, ..Patience::default() };
        assert_eq!(begin(&mut state, &body, &mut host), Progress::Paused, "{body}");
        assert_eq!(state.resume(&mut host), Progress::Failed, "{body}");
        let ended = state.take_end().expect("it was ended");
        assert_eq!(ended.why, b"enough", "{body}");
        assert_eq!(ended.place.map(|place| place.line), Some(1), "{body}");
        end(&mut state);
        assert_eq!(eval(&mut state, "return #{coroutine.create(function() end)}"), "1", "memory is there again");
    }
}

#[test]
fn memory_is_limited() {
    let mut state = state();
    set_global(&mut state.stack(), "double", double);
    state.memory().set_limit(4 << 20);
    assert_eq!(eval(&mut state, "return #string.rep('x', 100000000)"), "not enough memory");
    assert_eq!(eval(&mut state, "local t = {} while true do t[#t + 1] = {} end"), "not enough memory");
    assert_eq!(eval(&mut state, "local s = 'x' while true do s = double(s) end"), "not enough memory");
    assert!(state.collect() < 1 << 20);
    assert_eq!(eval(&mut state, "return 1"), "1");
}

#[test]
fn deep_recursion_fails() {
    let mut state = state();
    let endless = "local function f() return 1 + f() end return f()";
    assert!(eval(&mut state, endless).contains("stack overflow"));
    let through_c = "local function f() return string.gsub('x', 'x', f) end return f()";
    assert!(eval(&mut state, through_c).contains("C stack overflow"));
}

#[test]
fn an_interpreter_goes_with_a_script_under_way() {
    let mut state = state();
    let mut host = Patience { pauses_left: 1, ..Patience::default() };
    assert_eq!(begin(&mut state, "while true do end", &mut host), Progress::Paused);
    drop(state);
}
