//! Every function that scripts find, and what its arguments are meant to be.
//!
//! A letter stands for an argument: `n` any number, `i` a small one, `s` a string, `p` a pattern, `r` what gsub puts
//! in place, `f` a format with what it asks for, `t` a table, `w` a table of several fields, `b` a scalar, `v`
//! anything; `l` a list to sort, `F` a function, `L` one that gives the pieces of a script. What stands behind `?` may be missing. One argument in some is of
//! another kind, missing or one too many.

use super::expressions::Writer;

pub struct Function {
    pub library: &'static str,
    pub name: &'static str,
    pub arguments: &'static str,
}

const fn function(library: &'static str, name: &'static str, arguments: &'static str) -> Function {
    Function { library, name, arguments }
}

/// Wrong kinds are drawn for these too, but no number that means as many bytes or values.
const HUNGRY: &[&str] =
    &["rep", "unpack", "concat", "lshift", "setn", "insert", "remove", "foreachi", "random"];

pub const FUNCTIONS: &[Function] = &[
    function("string", "byte", "s?ii"),
    function("string", "char", "?iiii"),
    function("string", "find", "sp?i"),
    function("string", "find", "sp?ib"),
    function("string", "find", "ss?ib"),
    function("string", "format", "f"),
    function("string", "format", "f"),
    function("string", "format", "f"),
    function("string", "gsub", "spr?i"),
    function("string", "gsub", "spr"),
    function("string", "gsub", "ssr"),
    function("string", "len", "s"),
    function("string", "lower", "s"),
    function("string", "match", "sp?i"),
    function("string", "match", "sp"),
    function("string", "rep", "si"),
    function("string", "reverse", "s"),
    function("string", "sub", "sn?n"),
    function("string", "sub", "si?i"),
    function("string", "upper", "s"),
    function("table", "concat", "l?sii"),
    function("table", "getn", "t"),
    function("table", "maxn", "t"),
    function("table", "insert", "l?iv"),
    function("table", "remove", "l?i"),
    function("table", "setn", "ti"),
    function("math", "abs", "n"),
    function("math", "acos", "n"),
    function("math", "asin", "n"),
    function("math", "atan", "n"),
    function("math", "atan2", "nn"),
    function("math", "ceil", "n"),
    function("math", "cos", "n"),
    function("math", "cosh", "n"),
    function("math", "deg", "n"),
    function("math", "exp", "n"),
    function("math", "floor", "n"),
    function("math", "fmod", "nn"),
    function("math", "frexp", "n"),
    function("math", "ldexp", "ni"),
    function("math", "log", "n"),
    function("math", "log10", "n"),
    function("math", "max", "n?nnn"),
    function("math", "min", "n?nnn"),
    function("math", "mod", "nn"),
    function("math", "modf", "n"),
    function("math", "pow", "nn"),
    function("math", "rad", "n"),
    function("math", "sin", "n"),
    function("math", "sinh", "n"),
    function("math", "sqrt", "n"),
    function("math", "tan", "n"),
    function("math", "tanh", "n"),
    function("bit", "arshift", "ni"),
    function("bit", "band", "n?nn"),
    function("bit", "bnot", "n"),
    function("bit", "bor", "n?nn"),
    function("bit", "bswap", "n"),
    function("bit", "bxor", "n?nn"),
    function("bit", "lshift", "ni"),
    function("bit", "rol", "ni"),
    function("bit", "ror", "ni"),
    function("bit", "rshift", "ni"),
    function("bit", "tobit", "n"),
    function("bit", "tohex", "n?i"),
    function("redis", "error_reply", "s"),
    function("redis", "status_reply", "s"),
    function("redis", "sha1hex", "s"),
    function("redis", "setresp", "i"),
    function("redis", "set_repl", "i"),
    function("redis", "log", "is"),
    function("redis", "acl_check_cmd", "s?ss"),
    function("redis", "replicate_commands", ""),
    function("redis", "register_function", "sF"),
    function("redis", "call", "s?bb"),
    function("redis", "pcall", "s?bb"),
    function("redis", "call", "v?vv"),
    function("", "tonumber", "b?i"),
    function("", "tonumber", "s?i"),
    function("", "tostring", "v"),
    function("", "type", "v"),
    function("", "select", "i?vvv"),
    function("", "unpack", "l?ii"),
    function("", "rawget", "tv"),
    function("", "rawset", "tbv"),
    function("", "rawequal", "vv"),
    function("", "next", "t?b"),
    function("", "ipairs", "l"),
    function("", "pairs", "t"),
    function("", "assert", "v?vv"),
    function("", "error", "v?i"),
    function("", "pcall", "F?vv"),
    function("", "xpcall", "FF"),
    function("", "getmetatable", "v"),
    function("", "setmetatable", "tt"),
    function("", "loadstring", "s?s"),
    function("", "load", "L?s"),
    function("coroutine", "resume", "v?v"),
    function("coroutine", "status", "v"),
    function("coroutine", "wrap", "F"),
    function("coroutine", "create", "F"),
    function("coroutine", "running", ""),
    function("coroutine", "yield", "?v"),
    function("cjson", "encode", "t"),
    function("cjson", "encode", "v"),
    function("cjson", "decode", "s"),
    function("cmsgpack", "pack", "?vvvv"),
    function("cmsgpack", "unpack", "s"),
    function("cmsgpack", "unpack_one", "s?i"),
    function("cmsgpack", "unpack_limit", "si?i"),
    function("struct", "size", "s"),
    function("struct", "pack", "s?bb"),
    function("struct", "unpack", "ss?i"),
];

impl Writer {
    /// A call of a function of a library with mostly fitting arguments, in one of the forms in which errors name it
    /// differently.
    pub fn library_call(&mut self) -> String {
        let function = &FUNCTIONS[self.rng.usize(..FUNCTIONS.len())];
        let name = match function.library {
            "" => function.name.to_owned(),
            library => format!("{library}.{}", function.name),
        };
        let arguments = self.arguments(function);
        // The oracle ends when nobody catches a table without an `err`.
        let must_be_caught = ["error", "assert"].contains(&function.name);
        match self.rng.u32(if must_be_caught { 4..6 } else { 0..6 }) {
            // Some functions are no fields of strings: then that is the error.
            0 if function.library == "string" && function.name != "format" => {
                let (first, rest) =
                    arguments.split_first().map_or(("''", &[][..]), |(first, rest)| (first, rest));
                format!("return run(function() return ({first}):{}({}) end)", function.name, rest.join(", "))
            }
            0 | 1 => format!("return run(function() return {name}({}) end)", arguments.join(", ")),
            2 => format!("return {name}({})", arguments.join(", ")),
            3 => format!("local f = {name}\nlocal a, b = f({})\nreturn {{a, b}}", arguments.join(", ")),
            _ => {
                let arguments: String = arguments.iter().map(|argument| format!(", {argument}")).collect();
                format!("return run({name}{arguments})")
            }
        }
    }

    fn arguments(&mut self, function: &Function) -> Vec<String> {
        let mut arguments = Vec::new();
        let mut may_end = false;
        for letter in function.arguments.chars() {
            if letter == '?' {
                may_end = true;
                continue;
            }
            if may_end && self.chance(3) {
                break;
            }
            arguments.push(self.argument(letter));
        }
        let is_hungry = HUNGRY.contains(&function.name);
        if self.chance(5) && !arguments.is_empty() {
            let at = self.rng.usize(..arguments.len());
            arguments[at] = if is_hungry {
                self.one_of(&["nil", "true", "{}", "'abc'", "show", "'3'", "cjson.null"]).to_owned()
            } else {
                self.any(2)
            };
        }
        if self.chance(12) {
            arguments.pop();
        }
        if self.chance(12) && !is_hungry {
            arguments.push(self.any(1));
        }
        arguments
    }

    fn argument(&mut self, letter: char) -> String {
        match letter {
            'n' => self.number(),
            'i' => self.small(),
            's' => self.string(),
            'p' => self.pattern(),
            'r' => self.replacement(),
            'f' => self.format_call(),
            't' => self.table(2),
            'b' => self.scalar(),
            'L' => {
                let pieces = self.one_of(&[
                    "'return', ' 1'",
                    "'x', ' ='",
                    "'return {'",
                    "{}",
                    "5",
                    "'return ', 5",
                    "''",
                    "",
                ]);
                format!(
                    "(function() local n = 0 return function() n = n + 1 return ({{{pieces}}})[n] end end)()"
                )
            }
            'l' => {
                let elements: Vec<_> = (0..self.rng.usize(..6)).map(|_| self.list_element()).collect();
                format!("{{{}}}", elements.join(", "))
            }
            'F' => {
                let body = self.one_of(&[
                    "return ...",
                    "error('failed')",
                    "error({err = 'CODE failed'})",
                    "error()",
                    "return nil, 1, nil",
                    "local x = nil; return x.y",
                    "return redis.call('GET', 'str')",
                    "return redis.call('INCR', 'str')",
                    "return redis.pcall('NOSUCH')",
                    "return coroutine.yield(1, 2)",
                ]);
                format!("function(...) {body} end")
            }
            _ => self.any(2),
        }
    }

    fn list_element(&mut self) -> String {
        if self.chance(20) { self.any(1) } else { self.scalar_but_boolean() }
    }

    fn scalar_but_boolean(&mut self) -> String {
        if self.rng.bool() { self.number() } else { self.string() }
    }

    /// Loops, sorts and iterators of the libraries.
    pub fn library_loop(&mut self) -> String {
        let list: Vec<_> = (0..self.rng.usize(..40)).map(|_| self.rng.i32(-50..50).to_string()).collect();
        let list = format!("{{{}}}", list.join(", "));
        match self.rng.u32(..11) {
            0 => format!("local t = {list} table.sort(t) return t"),
            1 => format!("local t = {list} table.sort(t, function(a, b) return a > b end) return t"),
            2 => format!(
                "return run(table.sort, {}, {})",
                self.table(1),
                self.one_of(&["nil", "true", "tostring"])
            ),
            3 => format!(
                "local found = {{}} for a, b in string.gmatch({}, {}) do found[#found + 1] = {{a, b}} \
                 if #found > 50 then break end end return show(found)",
                self.string(),
                self.pattern()
            ),
            4 => format!("return run(table.foreach, {list}, function(k, v) if v == 7 then return k end end)"),
            5 => format!(
                "return run(table.foreachi, {list}, function(i, v) if i > {} then return v end end)",
                self.small()
            ),
            6 => format!(
                "math.randomseed({}) return {{math.random({}), math.random(1000000), tostring(math.random())}}",
                self.number(),
                self.one_of(&["10", "5, 10", "-5, 5", "0", "2, 1", "'7'", "1, 2, 3", "2^31 - 1", "nil"])
            ),
            7 => format!(
                "local s = 0 for i = {}, {}, {} do s = s * 31 % 1000003 + i if s > 1e9 then break end end return tostring(s)",
                self.small(),
                self.rng.u32(..300),
                self.one_of(&["1", "2", "0.5", "7", "-1", "'3'", "'x'"])
            ),
            8 => format!(
                "local c = coroutine.create(function(...) local x = coroutine.yield(...) \
                 local y = coroutine.yield(x) {} end) \
                 return show({{{{coroutine.resume(c, {}, 1)}}, {{coroutine.resume(c, {})}}, {{coroutine.resume(c)}}, \
                 {{coroutine.resume(c)}}, coroutine.status(c)}})",
                self.one_of(&[
                    "error('e')",
                    "return 1, 2",
                    "error({1})",
                    "return redis.call('PING')",
                    "x.y = 1"
                ]),
                self.scalar(),
                self.any(1)
            ),
            9 => format!(
                "local t = setmetatable({}, {{{} = {}}}) return run(function() return {} end)",
                self.table(1),
                self.one_of(&[
                    "__index",
                    "__add",
                    "__call",
                    "__tostring",
                    "__len",
                    "__eq",
                    "__concat",
                    "__metatable",
                    "__lt"
                ]),
                self.one_of(&[
                    "function(a, b) return b end",
                    "{x = 1}",
                    "string",
                    "function() error('meta') end",
                    "5"
                ]),
                self.one_of(&[
                    "t.x",
                    "t + 1",
                    "t(1, 2)",
                    "tostring(t)",
                    "#t",
                    "t == {}",
                    "t .. 'x'",
                    "getmetatable(t)",
                    "t < t"
                ])
            ),
            _ => format!(
                "local copy = {{}} for k, v in pairs({}) do copy[k] = v end return show(copy)",
                self.wide_table(2)
            ),
        }
    }
}
