//! What scripts see, and what they cannot do. Texts are those of redis-server 7.0.15.

use super::*;
use crate::base::argv::Args;
use crate::resp::Protocol;
use crate::script::{Host, Progress, Tick};

/// Lets scripts run for a number of ticks.
pub struct Patience {
    pub ticks_left: u32,
    pub ticks: u32,
}

impl Host for Patience {
    fn tick(&mut self) -> Tick {
        self.ticks += 1;
        match self.ticks_left.checked_sub(1) {
            Some(left) => self.ticks_left = left,
            None => return Tick::End(b"killed".to_vec()),
        }
        Tick::GoOn
    }

    fn command(&mut self, _args: Args<'_>, _reply: &mut Vec<u8>) {}

    fn set_protocol(&mut self, _protocol: Protocol) {}
}

pub struct Room {
    pub state: State,
    pub environment: Environment,
    pub ticks: u32,
}

fn push_ours(stack: &mut Stack<'_>) {
    stack.push_table(0, 1);
    stack.push_number(1.0);
    stack.raw_set_field(-2, "one");
}

pub fn room() -> Room {
    let mut state = State::new().expect("memory");
    let environment = open(&mut state, &[("redis", push_ours), ("cjson", push_ours)]);
    Room { state, environment, ticks: 0 }
}

impl Room {
    /// The result as text, or the error's text behind `!`.
    pub fn eval(&mut self, body: &str) -> String {
        self.eval_for(body, 10_000)
    }

    pub fn eval_for(&mut self, body: &str, ticks: u32) -> String {
        self.state.stack().push_function(|_| Ok(1), 0);
        if let Err(text) = self.state.load("@user_script", body.as_bytes()) {
            self.state.stack().cut(0);
            return format!("!!{}", String::from_utf8_lossy(&text));
        }
        let mut host = Patience { ticks_left: ticks, ticks: 0 };
        let sign = match self.state.run(&mut host, 0) {
            Progress::Returned => "",
            Progress::Failed => "!",
            Progress::Paused => "?",
        };
        self.ticks = host.ticks;
        let mut stack = self.state.stack();
        let text = match stack.kind(-1) {
            Kind::Number => {
                stack.push_text_of(-1);
                String::from_utf8_lossy(stack.bytes(-1).unwrap_or_default()).into_owned()
            }
            Kind::String => String::from_utf8_lossy(stack.bytes(-1).unwrap_or_default()).into_owned(),
            Kind::Boolean => stack.truth(-1).to_string(),
            kind => kind.name().to_owned(),
        };
        stack.cut(0);
        drop(stack);
        let text = self.state.take_end().map_or(text, |end| String::from_utf8_lossy(&end.why).into_owned());
        format!("{sign}{text}")
    }
}

const READ_ONLY: &str = "!Attempt to modify a readonly table";
const READ_ONLY_HERE: &str = "!user_script:1: Attempt to modify a readonly table";

fn check(cases: &[(&str, &str)]) {
    let mut room = room();
    for (body, expected) in cases {
        assert_eq!(room.eval(body), *expected, "{body}");
    }
}

#[test]
fn the_globals_are_those_of_redis() {
    let names = |of: &str| {
        format!(
            "local r = {{}} for k in pairs({of}) do r[#r + 1] = k end table.sort(r) return table.concat(r, ' ')"
        )
    };
    check(&[
        (
            &names("_G"),
            "_G _VERSION assert cjson collectgarbage coroutine error gcinfo getmetatable ipairs load loadstring math \
             next os pairs pcall rawequal rawget rawset redis select setmetatable string table tonumber tostring \
             type unpack xpcall",
        ),
        (
            &names("math"),
            "abs acos asin atan atan2 ceil cos cosh deg exp floor fmod frexp huge ldexp log log10 max min mod modf \
             pi pow rad random randomseed sin sinh sqrt tan tanh",
        ),
        (
            &names("string"),
            "byte char dump find format gfind gmatch gsub len lower match rep reverse sub upper",
        ),
        (&names("table"), "concat foreach foreachi getn insert maxn remove setn sort"),
        (&names("coroutine"), "create resume running status wrap yield"),
        (&names("os"), "clock"),
        (&names("getmetatable(_G)"), "__index"),
        (&names("getmetatable('')"), "__index"),
    ]);
}

#[test]
fn nothing_can_be_changed() {
    for body in
        ["x = 1", "local t = _G t.x = 1", "_G.tostring = 1", "string.len = 1", "_G[{}] = 1", "_G[1] = 2"]
    {
        check(&[(body, READ_ONLY_HERE)]);
    }
    for body in ["getmetatable('').__index = 1", "getmetatable('').x = 1", "getmetatable(_G).__index = nil"] {
        check(&[(body, READ_ONLY_HERE)]);
    }
    for body in ["redis.one = 2", "for k in pairs(_G) do _G[k] = nil end", "local function f() x = 1 end f()"]
    {
        check(&[(body, READ_ONLY_HERE)]);
    }
    for body in
        ["rawset(_G, 'x', 1)", "rawset(string, 'a', 1)", "table.insert(string, 1)", "rawset(_G, nil, 1)"]
    {
        check(&[(body, READ_ONLY)]);
    }
    for body in
        ["setmetatable(_G, {})", "setmetatable(string, {})", "setmetatable(_G, nil)", "rawset(cjson, 'x', 1)"]
    {
        check(&[(body, READ_ONLY)]);
    }
    check(&[
        ("table.insert(_G, 1, 1)", READ_ONLY),
        ("setmetatable(getmetatable(_G), {})", READ_ONLY),
        ("rawset(string, 1)", "!user_script:1: bad argument #3 to 'rawset' (value expected)"),
        ("rawset()", "!user_script:1: bad argument #1 to 'rawset' (table expected, got no value)"),
        ("table.insert(string, 1, 2, 3)", "!user_script:1: wrong number of arguments to 'insert'"),
        ("table.insert(string)", "!user_script:1: wrong number of arguments to 'insert'"),
        ("setmetatable({}, 1)", "!user_script:1: bad argument #2 to 'setmetatable' (nil or table expected)"),
        ("table.setn(string, 1)", "!user_script:1: 'setn' is obsolete"),
        ("table.sort(string)", "nil"),
        ("return table.remove(_G)", "nil"),
        ("table.remove(string, 1)", "nil"),
        ("return select(2, pcall(rawset, _G, 1, 2))", &READ_ONLY[1..]),
        ("return select(2, pcall(function() x = 2 end))", &READ_ONLY_HERE[1..]),
        ("loadstring('x=1')()", "![string \"x=1\"]:1: Attempt to modify a readonly table"),
        ("for k in pairs(_G) do rawset({}, k, 1) end return type(tostring)", "function"),
    ]);
}

#[test]
fn what_is_missing() {
    let missing = |name: &str| {
        format!("!user_script:1: Script attempted to access nonexistent global variable '{name}'")
    };
    let odd = "!user_script:1: Second argument to luaProtectedTableError must be a string or number";
    check(&[
        ("return unknown", &missing("unknown")),
        ("return _G.unknown", &missing("unknown")),
        ("return _G[1]", &missing("1")),
        ("return KEYS", &missing("KEYS")),
        ("return _G[{}]", odd),
        ("return _G[true]", odd),
        ("return rawget(_G, 'unknown')", "nil"),
        ("return string.unknown", "nil"),
        ("return redis.unknown", "nil"),
        ("getmetatable(_G).__index()", "!user_script:1: Wrong number of arguments to luaProtectedTableError"),
        ("getmetatable(_G).__index(1, 'x')", &missing("x")),
        ("print(1)", &missing("print")),
        ("newproxy()", &missing("newproxy")),
        ("setfenv(1, {})", &missing("setfenv")),
    ]);
}

#[test]
fn tables_that_are_shown_read_like_others() {
    check(&[
        ("return rawget(_G, 'redis') == redis and _G._G == _G and rawequal(_G, _G._G)", "true"),
        ("local f, s, v = pairs(string) return f == next and s == string and v == nil", "true"),
        ("for k, v in next, string do if k == 'len' then return type(v) end end", "function"),
        ("local n = 0 table.foreach(string, function() n = n + 1 end) return n", "15"),
        ("return next(redis)", "one"),
        ("return rawget(redis, 'one')", "1"),
        ("return getmetatable(string) == nil and getmetatable(redis) == nil", "true"),
        ("return type(getmetatable(_G))", "table"),
        ("return getmetatable('').__index == string", "true"),
        ("return ('x'):rep(3) .. ('%d'):format(7)", "xxx7"),
        ("return #string + #_G + table.maxn(_G) + table.getn(string)", "0"),
        ("return select('#', unpack(string))", "0"),
        ("return tostring(_G):sub(1, 7)", "table: "),
        ("local t = setmetatable({}, {__index = string}) return t.rep('a', 2)", "aa"),
        ("local t = setmetatable({}, {__metatable = 'no'}) return getmetatable(t)", "no"),
        (
            "setmetatable(setmetatable({}, {__metatable = 1}), {})",
            "!user_script:1: cannot change a protected metatable",
        ),
    ]);
}

#[test]
fn text_is_compiled_and_nothing_else() {
    check(&[
        ("return loadstring('return 1 + 1')()", "2"),
        ("return type(loadstring(string.dump(function() return 1 end)))", "nil"),
        ("return (select(2, loadstring('\\27Lua', '=x')))", "x:1: unexpected symbol near 'char(27)'"),
        (
            "local n = 0 return (select(2, load(function() n = n + 1 return ({'\\27', 'Lua'})[n] end)))",
            "(load):1: unexpected symbol near 'char(27)'",
        ),
        ("return select(2, loadstring('x=', '=abc'))", "abc:1: unexpected symbol near '<eof>'"),
        (
            "return select(2, load(function() return {} end))",
            "user_script:1: reader function must return a string",
        ),
        ("return select(3, pcall(load, function() return {} end))", "reader function must return a string"),
        ("return select(2, load(function() error('no') end))", "user_script:1: no"),
        ("local n = 0 return load(function() n = n + 1 return ({'return', ' ', 7, nil})[n] end)()", "7"),
        ("load(1)", "!user_script:1: bad argument #1 to 'load' (function expected, got number)"),
        ("\x1bLua", "!!user_script:1: unexpected symbol near 'char(27)'"),
    ]);
}

#[test]
fn random_numbers_are_those_of_redis() {
    let mut room = room();
    let number = "return string.format('%.17g', math.random())";
    for expected in ["0.39646477363839039", "0.84048536971234034", "0.35333609737145533"] {
        assert_eq!(room.eval(number), expected);
    }
    for (seed, expected) in [
        ("5", "0.52483957937212644"),
        ("-1", "0.3000257272739083"),
        ("2^31", "0.67082803634499577"),
        ("2^32+5", "0.52483957937212644"),
        ("1.9", "0.041630344484760586"),
        ("-1.9", "0.3000257272739083"),
        ("1e300", "0.1708280361121651"),
        ("0/0", "0.1708280361121651"),
        ("2^40+7", "0.26644419658297869"),
    ] {
        assert_eq!(room.eval(&format!("math.randomseed({seed}) {number}")), expected, "{seed}");
    }
    check(&[
        ("math.randomseed(42) return math.random(1000) .. ' ' .. math.random(1000)", "745 343"),
        ("return math.random(0)", "!user_script:1: bad argument #1 to 'random' (interval is empty)"),
        ("return math.random(2^31)", "!user_script:1: bad argument #1 to 'random' (interval is empty)"),
        ("return math.random(2, 1)", "!user_script:1: bad argument #2 to 'random' (interval is empty)"),
        ("return math.random(1, 2, 3)", "!user_script:1: wrong number of arguments"),
        (
            "return math.random('x')",
            "!user_script:1: bad argument #1 to 'random' (number expected, got string)",
        ),
        ("return math.random(-5.5, -5.2)", "-5"),
    ]);
}

#[test]
fn globals_of_a_script_and_scopes() {
    let mut room = room();
    let mut stack = room.state.stack();
    stack.push_number(7.0);
    room.environment.set(&mut stack, "KEYS");
    drop(stack);
    assert_eq!(room.eval("return KEYS + _G.KEYS + rawget(_G, 'KEYS')"), "21");
    let scope = room.environment.scope(&mut room.state, &[("redis", push_ours)]);
    room.environment.enter(&mut room.state.stack(), &scope);
    assert_eq!(room.eval("return redis.one"), "1");
    let missing = "!user_script:1: Script attempted to access nonexistent global variable";
    assert_eq!(room.eval("return redis.call"), format!("{missing} 'call'"));
    assert_eq!(room.eval("return string"), format!("{missing} 'string'"));
    assert_eq!(room.eval("x = 1"), READ_ONLY_HERE);
    assert_eq!(room.eval("redis.x = 1"), READ_ONLY_HERE);
    room.environment.leave(&mut room.state.stack());
    assert_eq!(room.eval("return type(string)"), "table");
}
