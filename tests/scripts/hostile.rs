//! Scripts that mean harm, from a client's side: each gets its error, and the next client finds everything as it was.

use crate::support::process::rss_kib;
use crate::support::{Connection, Server, Value, encode, wait_for};

fn eval(connection: &mut Connection, body: &str) -> Value {
    connection.command(&["EVAL", body, "1", "key", "argument"])
}

/// What the next one sees of the room that all scripts share.
const LOOK: &str = "
    local seen = {}
    local function look(name, t)
        for k, v in pairs(t) do
            seen[#seen + 1] = name .. '.' .. tostring(k) .. ':' .. type(v)
            if type(v) == 'table' and k ~= '_G' then look(name .. '.' .. tostring(k), v) end
        end
    end
    look('_G', _G)
    table.sort(seen)
    return {table.concat(seen, ' '), #KEYS, #ARGV, tostring(getmetatable('')), ('x'):rep(2), tostring(rawget(_G, 'foo')),
        string.format('%s', 1), redis.call('ping').ok, redis.sha1hex('')}";

struct Room {
    server: Server,
    attacker: Connection,
    next: Connection,
    before: Value,
}

fn room(arguments: &[&str]) -> Room {
    let server = Server::start(arguments);
    let (attacker, mut next) = (server.connect(), server.connect());
    let before = without_address(eval(&mut next, LOOK));
    assert!(!before.is_error(), "{before:?}");
    Room { server, attacker, next, before }
}

/// Where the metatable of strings lies says nothing.
fn without_address(seen: Value) -> Value {
    match seen {
        Value::Array(mut parts) => {
            let text = parts[3].text();
            parts[3] = Value::Simple(text.split(':').next().unwrap_or_default().to_owned());
            Value::Array(parts)
        }
        other => other,
    }
}

impl Room {
    /// What the script gets; afterwards everything is untouched.
    #[track_caller]
    fn after(&mut self, body: &str) -> Value {
        let reply = eval(&mut self.attacker, body);
        assert_eq!(without_address(eval(&mut self.next, LOOK)), self.before, "after {body}");
        reply
    }
}

#[test]
fn what_all_share_stays() {
    let mut room = room(&[]);
    for body in [
        "foo = 1",
        "_G.foo = 1",
        "_G['redis'] = nil",
        "rawset(_G, 'foo', 1)",
        "rawset(redis, 'call', nil)",
        "setmetatable(_G, {})",
        "setmetatable(_G, nil)",
        "setmetatable(_G, {__index = function() return 1 end})",
        "getmetatable(_G).__newindex = nil",
        "getmetatable(_G).__metatable = nil foo = 1",
        "getmetatable('').__index = function() return 1 end",
        "getmetatable('').__add = function() return 1 end return '' + ''",
        "setmetatable(getmetatable(''), {})",
        "string.rep = nil",
        "string.format = function() return 'mine' end",
        "table.insert = 1",
        "math.huge = 0",
        "redis.call = function() return 'mine' end",
        "redis.sha1hex = nil",
        "cjson.encode = nil",
        "setfenv(0, {})",
        "setfenv(1, {redis = 1}) foo = 1",
        "setfenv(2, {})",
        "getfenv(0).foo = 1",
        "getfenv(1).foo = 1",
        "getfenv(redis.call).foo = 1",
        "local f = loadstring('foo = 1') f()",
        "local f = loadstring('foo = 1') setfenv(f, setmetatable({}, {__index = _G})) f()",
        "for k in pairs(_G) do _G[k] = nil end",
        "table.insert(_G, 1)",
        "table.sort(_G, function() return true end) table.insert(string, 1, 'x')",
        "table.remove(redis)",
        "next(_G, nil) KEYS[1] = nil ARGV[1] = nil KEYS = {} ARGV = nil",
        "KEYS.x = 1 ARGV.x = 1 table.insert(KEYS, 'more') return #KEYS",
        "math.randomseed(42) math.random()",
        "redis.setresp(3)",
        "redis.set_repl(redis.REPL_NONE)",
        "collectgarbage('stop') collectgarbage('setpause', 1000000)",
        "local p = newproxy and newproxy(true) if p then getmetatable(p).__gc = function() foo = 1 end end",
        "redis.register_function('f', function() end)",
        "print('x') dofile('x')",
        "require('x')",
        "io.open('/etc/passwd')",
        "os.exit(1)",
        "debug.sethook()",
        "debug.getregistry()",
        "package.loadlib('x', 'y')",
        "module('x')",
        "redis.breakpoint() redis.debug('x')",
        "error(setmetatable({}, {__tostring = function() error('x') end}))",
        "error(setmetatable({err = 'X y'}, {__index = function() error('x') end}))",
        "return setmetatable({}, {__index = function() error('x') end})",
        "error(nil)",
        "error(true)",
        "error(12)",
        "error(function() end)",
        "error({err = {}})",
        "error({err = 'a\\r\\nb'})",
        "error({err = ('x'):rep(1000000)})",
        "error({ignore_error_stats_update = true})",
        "return {err = 'a\\r\\nb'}",
        "return {ok = 'a\\r\\nb'}",
        "return {err = 5}",
        "return {double = 'x'}, {map = 1}",
    ] {
        room.after(body);
    }
}

#[test]
fn compiled_code_is_not_taken() {
    let mut room = room(&[]);
    for body in [
        "return loadstring(string.dump(function() end))()",
        "return tostring(loadstring('\\27Lua\\81\\0\\1\\4\\8\\4\\8\\0'))",
        "return tostring(load(function() return '\\27Lua' end))",
        "assert(loadstring('\\27' .. ('x'):rep(10000)))",
    ] {
        let reply = room.after(body);
        assert!(reply.is_error() || matches!(reply.text().as_str(), "nil" | "(nil)"), "{body}: {reply:?}");
    }
    let direct = room.attacker.command(&[&b"EVAL"[..], b"\x1bLua\x51\0\x01\x04\x08\x04\x08\0", b"0"]);
    assert!(direct.is_error(), "{direct:?}");
    let loaded = room.attacker.command(&[&b"SCRIPT"[..], b"LOAD", b"\x1bLua\x51\0\x01\x04\x08\x04\x08\0"]);
    assert!(loaded.is_error(), "{loaded:?}");
    let library = b"#!lua name=x\n\x1bLua\x51\0\x01\x04\x08\x04\x08\0";
    let loaded = room.attacker.command(&[&b"FUNCTION"[..], b"LOAD", library]);
    assert!(loaded.is_error(), "{loaded:?}");
}

#[test]
fn depth_is_an_error() {
    let mut room = room(&[]);
    for body in [
        "local function f() return 1 + f() end return f()",
        "local function f() return (('x'):gsub('x', f)) end return f()",
        "local function f() return coroutine.wrap(f)() end return f()",
        "local t t = setmetatable({}, {__index = function(_, k) return t[k] end}) return t.x",
        "local function f() table.sort({1, 2, 3}, f) end f()",
        "return ('x'):rep(300000):find(('x?'):rep(200000) .. 'y')",
        "return loadstring(('('):rep(100000))()",
        "return cjson.decode(('['):rep(100000))",
        "return cjson.decode(('{\"a\":'):rep(100000))",
        "local t = {} for i = 1, 10000 do t = {t} end return cjson.encode(t)",
        "local t = {} t.t = t return cjson.encode(t)",
        "return cmsgpack.unpack(('\\145'):rep(100000))",
        "return unpack({}, 1, 1e8)",
        "return redis.call(unpack({}, 1, 7000))",
        "return struct.pack('i99', 1)",
        "return struct.unpack('s', 'no end')",
        "return struct.unpack('i4', 'xx')",
        "return redis.call('nosuch')",
        "return redis.call()",
        "return redis.call({})",
        "return redis.call('set', 'key', {})",
        "coroutine.yield(1)",
        "return select(2, pcall(coroutine.yield, 1)) .. error('x')",
        "local co = coroutine.wrap(function() end) co() co()",
        "local co co = coroutine.create(function() return assert(coroutine.resume(co)) end) return assert(coroutine.resume(co))",
        "return assert(coroutine.resume(coroutine.running() or 1))",
    ] {
        let reply = room.after(body);
        assert!(reply.is_error(), "{body}: {reply:?}");
    }
}

/// A reply cannot be deeper than its protocol allows, nor endless.
#[test]
fn odd_results() {
    let mut room = room(&[]);
    for body in [
        "return {{{{{{{{{{}}}}}}}}}}",
        "return {1, nil, 3}",
        "return function() end",
        "return coroutine.create(function() end)",
        "return {map = {a = {map = {b = 1}}}}",
        "return {set = {a = true, b = true}}",
        "return {double = 0 / 0}",
        "return {big_number = 'x\\r\\n'}",
        "return {verbatim_string = {format = 'too long', string = 'x'}}",
    ] {
        room.after(body);
        room.attacker.run("HELLO 3");
        room.after(body);
        room.attacker.run("HELLO 2");
    }
    let big = room.after("local t = {} for i = 1, 200000 do t[i] = ('x'):rep(50) end return t");
    assert_eq!(big.elements().len(), 200_000);
}

#[test]
fn memory_is_held_and_comes_back() {
    const LIMIT_KIB: u64 = 64 * 1024;
    let mut room = room(&["--script-memory-limit", "64mb"]);
    let pid = room.server.pid();
    let before_kib = rss_kib(pid);
    for body in [
        "return ('x'):rep(2 ^ 31 - 1)",
        "local s = 'x' while true do s = s .. s end",
        "local t = {} while true do t[#t + 1] = {} end",
        "local t = {} for i = 1, 1e9 do t[i] = tostring(i) end",
        "collectgarbage('stop') for i = 1, 3e5 do local x = {1, 2, 3} end",
        "return ('x'):rep(1e6):gsub('x', ('y'):rep(1e6))",
        "local t = {} for i = 1, 1e9 do t[i] = coroutine.create(function() end) end",
        "return cmsgpack.unpack('\\221\\127\\255\\255\\255')",
        "return cjson.encode({('x'):rep(3e7)})",
        "local t = {} for i = 1, 1e7 do t[i] = ('x'):rep(1000) end return t",
        "return string.format(('%s'):rep(200), unpack({('x'):rep(1e6)}, 1, 1))",
    ] {
        let reply = room.after(body);
        assert!(reply.is_error() || !body.contains("while true"), "{body}: {reply:?}");
        let now_kib = rss_kib(pid);
        assert!(now_kib < before_kib + 3 * LIMIT_KIB, "{body}: {before_kib} KiB, then {now_kib} KiB");
    }
    let next = &mut room.next;
    wait_for("the interpreter to be tidy", || next.info_number("used_memory_vm_eval") < 300_000);
}

/// The dataset's own limits hold for what a script writes.
#[test]
fn what_is_too_long_is_refused() {
    let mut room = room(&["--proto-max-bulk-len", "1mb"]);
    for body in [
        "return redis.call('setrange', 'key', 2000000, 'x')",
        "redis.call('set', 'key', 'x') return redis.call('append', 'key', ('x'):rep(2000000))",
        "return redis.call('lpush', 'key', unpack({}, 1, 8000))",
        "return redis.call('setbit', 'key', 4294967296, 1)",
    ] {
        let reply = room.after(body);
        assert!(reply.is_error(), "{body}: {reply:?}");
    }
    assert_eq!(room.next.run("GET key").text(), "x");
}

/// A library is hostile, too: what it does while it is loaded, and what it keeps.
#[test]
fn hostile_libraries() {
    let mut room = room(&["--busy-reply-threshold", "50"]);
    for code in [
        "while true do end",
        "local t = {} while true do t[#t + 1] = ('x'):rep(1e6) end",
        "local function f() return f() + 1 end f()",
        "redis.call('set', 'a', 1)",
        "redis.register_function('f', 1)",
        "redis.register_function('f', function() end) error('x')",
        "redis.register_function('f', function() end) redis.register_function('f', function() end)",
        "for i = 1, 1e9 do redis.register_function('f' .. i, function() end) end",
        "redis.register_function('\\0', function() end)",
        "coroutine.yield()",
        "redis = nil",
        "foo = 1 redis.register_function('f', function() end)",
        "string.rep = nil",
        "getmetatable('').__index = nil",
        "setfenv(0, {})",
    ] {
        let reply = room.attacker.command(&["FUNCTION", "LOAD", &format!("#!lua name=bad\n{code}")]);
        assert!(reply.is_error(), "{code}: {reply:?}");
        assert_eq!(without_address(eval(&mut room.next, LOOK)), room.before, "after {code}");
        assert!(room.next.run("FUNCTION LIST").elements().is_empty(), "{code}");
    }
    let keeps = "#!lua name=keeps\nlocal kept = {} redis.register_function('keep', function(keys, args) \
        kept[#kept + 1] = args[1] keys[1] = 'changed' args[1] = 'changed' redis.setresp(3) return #kept end)";
    room.attacker.send(&encode(&["FUNCTION", "LOAD", keeps]));
    assert_eq!(room.attacker.value().text(), "keeps");
    for expected in 1..5 {
        assert_eq!(room.attacker.run("FCALL keep 1 a b").integer(), expected);
    }
    room.attacker.ok("FUNCTION DELETE keeps");
    room.after("return 1");
}
