//! Scripts that fail: at run time in every way Lua has words for, nested in pcall, and before, by their syntax.

use super::expressions::Writer;

/// Statements that fail, in the words of Lua, of a library or of the server.
const FAILING: &[&str] = &[
    "error('text')",
    "error('text', 0)",
    "error('text', 2)",
    "error('text', 3)",
    "error()",
    "error(nil)",
    "error(42)",
    "error(4.5)",
    "error(true)",
    "error({err = 'CODE text'})",
    "error({err = 'text', source = 'me', line = 7})",
    "error(redis.error_reply('MINE text'))",
    "error(redis.error_reply('-MINE text'))",
    "error(print_nothing or 'or')",
    "error(function() end)",
    "error('two\\nlines')",
    "error('a\\0b')",
    "assert(false)",
    "assert(nil, 'asserted')",
    "assert(false, {err = 'CODE asserted'})",
    "assert(redis.pcall('INCR', 'str'))",
    "assert(redis.pcall('INCR', 'str').ok, 'not so')",
    "local t = nil; t.x = 1",
    "local t; local u = t.x.y",
    "local t = {}; local u = t.x.y",
    "local t = {}; t.x.y.z = 1",
    "local t = {a = {}}; t.a.b()",
    "local t = {}; t:nosuch()",
    "nosuch()",
    "nosuch = 1",
    "return nosuch.x",
    "local x = 1 + nil",
    "local a = {}; local x = a + 1",
    "local a = 'x'; local x = a * 2",
    "local a = '3'; local b = {}; local x = a .. b",
    "local x = -{}",
    "local x = #nil",
    "local a = 5; local x = #a",
    "local a = {}; local x = a < 1",
    "local a = {}; local x = a < {}",
    "local x = 1 < 'x'",
    "local x = nil <= nil",
    "local t = {}; t[nil] = 1",
    "local t = {}; t[0/0] = 1",
    "local f = 5; f()",
    "for i = 1, 'x' do end",
    "for i = 1, 10, {} do end",
    "for i in 5 do end",
    "('x'):nosuch()",
    "string.rep()",
    "string.rep({})",
    "('x').rep('x', {})",
    "redis.call()",
    "redis.call('NOSUCH')",
    "redis.call('NOSUCH', 'x')",
    "redis.call('GET')",
    "redis.call('GET', 'a', 'b')",
    "redis.call('GET', {})",
    "redis.call('GET', nil)",
    "redis.call('GET', true)",
    "redis.call({})",
    "redis.call('INCR', 'str')",
    "redis.call('LPUSH', 'str', 1)",
    "redis.call('SUBSCRIBE', 'x')",
    "redis.call('MULTI')",
    "redis.call('EVAL', 'return 1', 0)",
    "redis.call('BLPOP', 'none', 0)",
    "redis.call('CLIENT', 'ID')",
    "redis.call('CLIENT', 'NOSUCH')",
    "redis.call('CONFIG')",
    "redis.call('CONFIG', 'GET', 'port')",
    "redis.call('XGROUP', 'CREATE', 'none', 'g', '$')",
    "redis.call('SELECT', '99')",
    "redis.pcall('INCR', 'str').x.y = 1",
    "redis.nosuch()",
    "redis.x = 1",
    "string.x = 1",
    "_G.x = 1",
    "rawset(_G, 'x', 1)",
    "rawset(redis, 'call', 1)",
    "setmetatable(_G, {})",
    "setmetatable(_G, nil)",
    "getmetatable(_G).__index = nil",
    "getmetatable('').__index = nil",
    "local x = getmetatable('').__index.nosuch.x",
    "setmetatable(string, {})",
    "table.insert(redis, 1)",
    "table.insert(math, 'x', 1)",
    "redis.setresp(4)",
    "redis.setresp('x')",
    "redis.log('x')",
    "redis.log(99, 'x')",
    "redis.sha1hex()",
    "redis.error_reply()",
    "redis.error_reply(1)",
    "redis.acl_check_cmd()",
    "redis.acl_check_cmd('nosuch')",
    "redis.acl_check_cmd('get', {})",
    "redis.set_repl(99)",
    "redis.register_function('f', function() end)",
    "coroutine.yield()",
    "coroutine.wrap(function() error('inside') end)()",
    "coroutine.wrap(function() redis.call('INCR', 'str') end)()",
    "loadstring('x =')()",
    "loadstring('error(\"loaded\")')()",
    "loadstring('error(\"loaded\")', '@name')()",
    "loadstring('nosuch = 1')()",
    "local function f() return f() + 1 end f()",
    "local function f(n) if n == 0 then error('deep') end f(n - 1) end f(20)",
    "local t = setmetatable({}, {__index = function(t, k) error('no ' .. k) end}); local x = t.field",
    "table.sort({3, 1, 'x'})",
    "table.concat({1, {}, 3})",
    "('x'):gsub('(', '')",
    "('x'):gsub('x', function() error({err = 'CODE in gsub'}) end)",
    "cjson.decode('{')",
    "cjson.encode(show)",
    "cmsgpack.unpack('\\193')",
    "struct.pack('y', 1)",
    "bit.band('x')",
    "print('x')",
    "dofile('x')",
    "require('x')",
    "os.exit()",
    "os.time()",
    "io.open('x')",
    "debug.traceback()",
    "getfenv()",
    "setfenv(1, {})",
    "newproxy()",
    "module('x')",
    "package.loaded = nil",
    "KEYS = nil",
    "KEYS[1] = nil; ARGV = {}",
    "return KEYS[1] + 1",
    "return {1, {err = 'inner'}, nil, 3}",
    "return {err = 'returned'}",
    "return {err = 'CODE returned\\r\\nin lines'}",
    "return redis.error_reply('MINE returned')",
    "return redis.pcall('INCR', 'str')",
    "return redis.pcall('NOSUCH')",
    "return redis.pcall()",
    "return redis.pcall('GET', {})",
    "return tostring(redis.pcall('INCR', 'str').err)",
];

/// The same; the oracle ends when nobody catches these, tables without an `err`.
const FAILING_CAUGHT: &[&str] = &[
    "error({})",
    "error({1, 2})",
    "error({err = 5})",
    "error({ok = 'fine'})",
    "error(setmetatable({}, {__tostring = function() return 'shown' end}))",
];

/// Pieces that a broken script is put together from.
const TOKENS: &[&str] = &[
    "return", "local", "x", "=", "1", "'s'", "\"t\"", "{", "}", "(", ")", "[", "]", "end", "if", "then",
    "else", "for", "in", "do", "while", "repeat", "until", "function", "and", "or", "not", "nil", "..",
    "...", ".", ",", ";", "+", "-", "*", "/", "%", "^", "#", "==", "~=", "<", ">=", "break", "elseif",
    "true", "0x", "1e", "3..2", "'open", "[[long", "[==[", "--", "--[[", "\\", "@", "$", "!", "?", "\n",
    "\0", "\u{e9}", "~", ":", "goto", "::",
];

impl Writer {
    /// A script that fails, or catches what fails within.
    pub fn failure(&mut self) -> String {
        if self.chance(12) {
            return format!("return run(function() {} end)", self.one_of(FAILING_CAUGHT));
        }
        let failing = self.one_of(FAILING);
        match self.rng.u32(..9) {
            0 | 1 => failing.to_owned(),
            2 => format!(
                "\n\nlocal function inner() {failing} end\n\nlocal function outer()\n  inner()\nend\nouter()"
            ),
            3 => format!("return run(function() {failing} end)"),
            4 => {
                format!("return run(function() return pcall(function() {failing} end) end, {})", self.any(1))
            }
            5 => format!(
                "local ok, e = pcall(function() {failing} end)\nif not ok then error(e, {}) end\nreturn e",
                self.small()
            ),
            // A handler that fails is called again for that, and how often is each build's own: none counts.
            6 => format!(
                "return run(xpcall, function() {failing} end, {})",
                self.one_of(&[
                    "function(e) return {handled = e} end",
                    "function(e) return type(e) end",
                    "function(e) error(e) end",
                    "tostring",
                    "nil",
                    "5",
                    "function(e) return redis.call('GET', 'str') end",
                ])
            ),
            7 => format!(
                "redis.call('INCR', 'int')\nlocal ok, e = pcall(function() {failing} end)\nredis.call('APPEND', 'str', 'x')\nreturn {{tostring(ok), show(e)}}"
            ),
            _ => format!("return show({{pcall(pcall, error, {})}}), {failing:?}", self.any(1)),
        }
    }

    /// A script that is no Lua, or nearly none.
    pub fn broken(&mut self) -> String {
        let count = self.rng.usize(1..9);
        let tokens: Vec<_> = (0..count).map(|_| self.one_of(TOKENS)).collect();
        match self.rng.u32(..4) {
            0 => tokens.join(" "),
            1 => format!("return {}", tokens.join(" ")),
            2 => format!("local x = 1\n{}\nreturn x", tokens.join(" ")),
            _ => format!("return run(loadstring, {:?})", tokens.join(" ").replace('\0', "")),
        }
    }
}
