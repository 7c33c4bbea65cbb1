//! Scripts that mean harm: each ends, is ended, or gets an error, and the next one runs as if nothing had been.

use super::tests::{Room, room};

/// A table of 30 elements whose length is half a billion.
const PHANTOM: &str = "
    local f = {} for i = 1, 64 do f[i] = 'k' .. i .. '=1' end
    local t = loadstring('return {' .. table.concat(f, ',') .. '}')()
    for i = 1, 64 do t['k' .. i] = nil end
    for i = 0, 29 do t[2 ^ i] = 1 end
    assert(#t == 2 ^ 29)";

/// Ends the script at its third tick.
fn ends(room: &mut Room, body: &str) -> String {
    let answer = room.eval_for(&body.replace("PHANTOM", PHANTOM), 2);
    assert_eq!(room.eval("return #('x'):rep(3)"), "3", "after {body}");
    answer
}

#[test]
fn what_runs_on_is_ended() {
    let mut room = room();
    for body in [
        "return ('a'):rep(5000):find(('a-'):rep(200) .. 'b')",
        "return ('a'):rep(5000):find('.-.-.-.-b')",
        "return ('a'):rep(5000):match(('.*'):rep(10) .. 'b')",
        "return ('('):rep(100000):find('%b()')",
        "return ('x'):rep(100000):gsub('.', tostring) and ('x'):rep(3000):gsub('.-.-.-y', '')",
        "return ('ab'):rep(3000):find('^(.-)%1(.-)%2(.-)%3$')",
        "for w in ('a'):rep(5000):gmatch('.-.-.-b') do end",
        "while true do end",
        "while true do pcall(string.find, ('a'):rep(300), ('a-'):rep(20) .. 'b') end",
        "load(os.clock)",
        "PHANTOM table.sort(t, function() return true end)",
        "PHANTOM table.foreachi(t, math.randomseed)",
        "local t = {} for i = 1, 2 ^ 17 do t[i] = i * 7 % 1000 end while true do table.sort(t, rawequal) end",
        "local t = {} for i = 1, 2 ^ 17 do t[i] = i * 7 % 1000 end while true do table.sort(t) t[1] = 1000 end",
        "local co = coroutine.wrap(function() while true do coroutine.yield() end end) while true do co() end",
        "local f f = function() return f() end f()",
        "local function f(d) if d == 0 then for i = 1, 2000 do end return end \
         for i = 1, 500 do coroutine.wrap(f)(d - 1) end end f(6)",
        "local function f(d) if d == 0 then for i = 1, 2000 do end return end \
         for i = 1, 500 do coroutine.resume(coroutine.create(f), d - 1) end end f(6)",
        "local all = {} for i = 1, 5000 do all[i] = coroutine.wrap(function() \
         while true do for i = 1, 2000 do end coroutine.yield() end end) end \
         coroutine.wrap(function() while true do for i = 1, #all do pcall(all[i]) end end end)()",
        "while true do collectgarbage() end",
        "local s = ('x = 1 '):rep(1e4) while true do loadstring(s) end",
        "return (('x'):rep(2 ^ 20) .. 'y'):rep(64):gsub('[' .. ('a-b'):rep(5000) .. 'x]-z', '')",
        "local s, p = ('x'):rep(2 ^ 20), '[' .. ('b'):rep(16000) .. 'x]*y' for i = 1, 1e9 do s:find(p) end",
        "return setmetatable({}, {__index = function(t, k) while true do end end}).x",
    ] {
        assert!(ends(&mut room, body).ends_with("killed"), "{body}");
    }
}

#[test]
fn what_is_too_deep_is_an_error() {
    let mut room = room();
    for (body, expected) in [
        ("local function f() return (('x'):gsub('x', f)) end return f()", "stack overflow"),
        ("local function f() local ok = pcall(f) return ok end return f()", ""),
        ("local function f() return 1 + f() end return f()", "stack overflow"),
        ("local function f() return coroutine.wrap(f)() end return f()", "C stack overflow"),
        ("local function f() local ok = coroutine.resume(coroutine.create(f)) return ok end return f()", ""),
        ("local function f() local ok = xpcall(f, f) return ok end return f()", ""),
        (
            "local t = {} for i = 1, 200 do t = setmetatable({}, {__index = t}) end return t.x",
            "loop in gettable",
        ),
        ("local t = setmetatable({}, {}) getmetatable(t).__index = t return t.x", "loop in gettable"),
        (
            "local t t = setmetatable({}, {__index = function(_, k) return t[k] end}) return t.x",
            "stack overflow",
        ),
        (
            "local t t = setmetatable({}, {__tostring = function() return tostring(t) end}) return tostring(t)",
            "stack overflow",
        ),
        (
            "local t t = setmetatable({}, {__index = function(_, k) return (k:gsub('.', t)) end}) return t.x",
            "stack overflow",
        ),
        ("local function f() table.sort({1, 2, 3}, f) end f()", "stack overflow"),
        ("local function f() table.foreach({1}, f) end f()", "stack overflow"),
        ("local function f() table.foreachi({1}, f) end f()", "stack overflow"),
        ("local function f() load(f) return 'x' end return f()", ""),
        ("return pcall(pcall, pcall, pcall, pcall, error)", "true"),
        ("return assert(loadstring(('('):rep(100000)))", "too many"),
        ("return assert(loadstring('return ' .. ('{'):rep(100000)))", "too many"),
        ("return assert(loadstring('return ' .. ('a..'):rep(100000) .. 'a'))", "too many"),
        ("return assert(loadstring('return ' .. ('-'):rep(100000, ' ') .. '1'))", ""),
        ("return assert(loadstring(('do '):rep(100000)))", "too many"),
        ("return assert(loadstring(('function f() '):rep(100000)))", "too many"),
        ("return ('x'):find(('('):rep(40))", "too many captures"),
        ("return #('x'):rep(200001):find(('x?'):rep(200000) .. 'y')", "pattern too complex"),
        ("return ('x'):find('[' .. ('a'):rep(20000) .. ']')", "pattern too complex"),
        ("return ('x'):find('[' .. ('a'):rep(20000))", "malformed pattern"),
        ("return unpack({}, 1, 1e8)", "too many results to unpack"),
        ("return unpack({}, -1, 2 ^ 31 - 1)", "too many results to unpack"),
        ("return unpack({}, -2 ^ 31 + 1, 2 ^ 31 - 1)", "too many results to unpack"),
        ("return unpack({}, -2 ^ 31, -1)", "too many results to unpack"),
        ("return select('#', unpack({}, 2 ^ 31 - 1, 2 ^ 31 - 1)) .. select('#', unpack({}, 3, -3))", "10"),
        (
            "local t = {} for i = 1, 7980 do t[i] = true end \
             return ('x'):rep(32):find(('(.)'):rep(32), 1, false, unpack(t))",
            "stack overflow",
        ),
        (
            "local t = {} for i = 1, 7970 do t[i] = true end \
             return ('x'):rep(32):match(('(.)'):rep(32), 1, unpack(t))",
            "stack overflow",
        ),
        ("return ('x'):rep(1e6):byte(1, -1)", "string slice too long"),
        ("PHANTOM table.remove(t, 1)", "too many elements to move"),
        ("table.insert({}, -2 ^ 31 + 1, 1)", "too many elements to move"),
        ("PHANTOM table.sort(t)", "attempt to compare"),
        ("table.sort({3, 1, 2, 5, 4}, function() return true end)", "invalid order function"),
        ("return string.format('%1000d', 1)", "invalid format"),
        ("return string.format('%.99f', 1e308):len()", "409"),
        ("return string.format('%s', 'a\\0b'):len()", ""),
    ] {
        let answer = room.eval(&body.replace("PHANTOM", PHANTOM));
        assert!(answer.contains(expected), "{body}: {answer}");
        assert_eq!(room.eval("return 1"), "1", "after {body}");
    }
}

#[test]
fn memory_is_held() {
    let mut room = room();
    room.state.memory().set_limit(16 << 20);
    for body in [
        "return ('x'):rep(2 ^ 31 - 1)",
        "return ('x'):rep(2 ^ 20):rep(2 ^ 30)",
        "local s = 'x' while true do s = s .. s end",
        "return ('x'):rep(1e6):gsub('x', ('y'):rep(1e6))",
        "return ('x'):rep(1e6):gsub('.+', ('%0'):rep(1000))",
        "return ('x'):rep(1e6):gsub('.+', ('%0'):rep(2e6))",
        "return ('x'):rep(1e6):gsub('(.+)', ('%1'):rep(2e6))",
        "return load(function() return ('x'):rep(1e6) end)",
        "local t = {} while true do t[#t + 1] = {} end",
        "local t = {} for i = 1, 1e9 do t[i] = tostring(i) end",
        "local t = {} while true do t = setmetatable({t}, {}) end",
        "collectgarbage('stop') while true do t = nil local x = {} for i = 1, 1e9 do x[i] = i end end",
        "local t = {} for i = 1, 1e9 do t[i] = coroutine.create(function() end) end",
    ] {
        let answer = room.eval(body);
        assert!(answer.contains("not enough memory") || answer.contains("readonly"), "{body}: {answer}");
        // Each halves the buffer that Lua has for texts.
        let left = (0..10).map(|_| room.state.collect()).last();
        assert!(left < Some(1 << 20), "{body}");
        assert_eq!(room.eval("return 1"), "1");
    }
    assert_eq!(room.eval("collectgarbage('stop') for i = 1, 1e6 do local t = {i} end return 1"), "1");
    assert_eq!(room.eval("return ('x'):rep(-1) .. ('x'):rep(2 ^ 31) .. (''):rep(2 ^ 31 - 1) .. '.'"), ".");
}

#[test]
fn lua_own_functions_are_as_before() {
    let mut room = room();
    for (body, expected) in [
        (
            "local t = {} for i = 1, 40000 do t[i] = i * 7919 % 40009 end table.sort(t) \
          for i = 2, #t do if t[i - 1] > t[i] then return i end end return 'sorted'",
            "sorted",
        ),
        (
            "local t = {3, 1, 2} table.sort(t, function(a, b) return a > b end) return table.concat(t, ' ')",
            "3 2 1",
        ),
        (
            "local t = {} for i = 1, 20000 do t[i] = {} end table.sort(t)",
            "!attempt to compare two table values",
        ),
        (
            "local t = {} for i = 1, 20000 do t[i] = 1 end table.sort(t, 1)",
            "!user_script:1: bad argument #2 to 'sort' (function expected, got number)",
        ),
        (
            "local t = {1, 2, 3} table.insert(t, 2, 9) table.insert(t, 7) return table.concat(t, ' ')",
            "1 9 2 3 7",
        ),
        ("local t = {1, 2, 3} return table.remove(t, 1) .. table.remove(t) .. #t", "131"),
        ("return select('#', table.remove({}, -2 ^ 31))", "0"),
        ("local s = '' table.foreachi({5, 6}, function(i, v) s = s .. i .. v end) return s", "1526"),
        ("return table.foreachi({5, 6}, function(i, v) if i == 2 then return v end end)", "6"),
        (
            "table.foreachi(1, print)",
            "!user_script:1: Script attempted to access nonexistent global variable 'print'",
        ),
        (
            "table.foreachi({}, 1)",
            "!user_script:1: bad argument #2 to 'foreachi' (function expected, got number)",
        ),
        ("return ('ab'):rep(3) .. string.rep('x', '2') .. string.rep(5, 2)", "abababxx55"),
        ("string.rep('x')", "!user_script:1: bad argument #2 to 'rep' (number expected, got no value)"),
        (
            "local co = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return b * 2 end) \
          return co(1) .. co(5)",
            "210",
        ),
        (
            "local co = coroutine.wrap(function() end) co() co()",
            "!user_script:1: cannot resume dead coroutine",
        ),
        (
            "return select(2, coroutine.resume(coroutine.create(function() error('no') end)))",
            "user_script:1: no",
        ),
        ("coroutine.wrap(1)", "!user_script:1: bad argument #1 to 'wrap' (Lua function expected)"),
        ("return collectgarbage('stop') + collectgarbage('setpause', 1) + collectgarbage()", "200"),
        ("collectgarbage('x')", "!user_script:1: bad argument #1 to 'collectgarbage' (invalid option 'x')"),
        (
            "collectgarbage('stop\\0') collectgarbage('setpause\\0', 1e6) collectgarbage('setstepmul\\0', 1) \
          return collectgarbage('setpause\\0')",
            "200",
        ),
        ("return collectgarbage('count') > 1 and gcinfo() > 1", "true"),
    ] {
        assert_eq!(room.eval(body), expected, "{body}");
    }
}
