//! Our functions beside those of Lua 5.1 itself.

use super::*;
use crate::script::lua::{GLOBALS, Progress, State};
use proptest::prelude::*;

/// An interpreter with Lua's own functions in `string` and ours in `ours`.
fn state() -> State {
    let mut state = State::new().expect("memory");
    state.open_libraries();
    let mut stack = state.stack();
    stack.push_table(0, 4);
    let ours: [(&str, crate::script::lua::Function); 4] =
        [("find", find), ("match", match_), ("gmatch", gmatch), ("gsub", gsub)];
    for (name, function) in ours {
        stack.push_function(function, 0);
        stack.raw_set_field(-2, name);
    }
    stack.raw_set_field(GLOBALS, "ours");
    drop(stack);
    state
}

/// Runs a body with some strings as its arguments; what it returns, or the error, as text.
fn run(state: &mut State, body: &str, arguments: &[&[u8]]) -> String {
    state.stack().push_function(|_| Ok(1), 0);
    state.load("@user_script", body.as_bytes()).expect("it compiles");
    for argument in arguments {
        state.stack().push_bytes(argument);
    }
    let mut host = crate::script::sandbox::tests::Patience { ticks_left: 1000, ticks: 0 };
    assert_ne!(state.run(&mut host, arguments.len() as i32), Progress::Paused);
    let mut stack = state.stack();
    stack.push_text_of(-1);
    let text = String::from_utf8_lossy(stack.bytes(-1).unwrap_or(b"?")).into_owned();
    stack.cut(0);
    text
}

const COMPARE: &str = r#"
    local s, p, r, n = ...
    n = tonumber(n)
    local function show(...)
        local all = {}
        for i = 1, select('#', ...) do
            local value = select(i, ...)
            all[i] = type(value) .. ':' .. tostring(value)
        end
        return table.concat(all, '|')
    end
    local function each(lib)
        local all = {}
        all[1] = show(pcall(lib.find, s, p))
        all[2] = show(pcall(lib.find, s, p, n))
        all[3] = show(pcall(lib.match, s, p, n))
        all[4] = show(pcall(lib.gsub, s, p, r))
        all[5] = show(pcall(lib.gsub, s, p, r, n))
        all[6] = show(pcall(lib.gsub, s, p, {a = 'b', [1] = 2, b = false, ['1'] = 5}))
        all[7] = show(pcall(lib.gsub, s, p, function(...) return #show(...) end))
        all[8] = show(pcall(lib.gsub, s, p, function(x) if x == 'a' then return {} end end))
        all[9] = show(pcall(function()
            local found = {}
            for x, y in lib.gmatch(s, p) do
                found[#found + 1] = show(x, y)
                if #found > 50 then break end
            end
            return table.concat(found, ';')
        end))
        all[10] = show(pcall(lib.find, s, p, n, true))
        return all
    end
    local theirs, mine = each(string), each(ours)
    for i = 1, #theirs do
        local mine_i = mine[i]:gsub('^boolean:false|string:user_script:%d+: ', 'boolean:false|string:')
        local theirs_i = theirs[i]:gsub('^boolean:false|string:user_script:%d+: ', 'boolean:false|string:')
        if theirs_i ~= mine_i then
            return i .. ' theirs ' .. theirs_i .. ' ours ' .. mine_i
        end
    end
    return 'same'
"#;

fn token() -> impl Strategy<Value = &'static [u8]> {
    prop::sample::select(vec![
        b"a" as &[u8],
        b"a",
        b"b",
        b"1",
        b".",
        b".",
        b"%a",
        b"%d",
        b"%w",
        b"%W",
        b"[ab]",
        b"[^a]",
        b"[a-c1]",
        b"%s",
        b"(",
        b")",
        b"()",
        b"(a*)",
        b"(.-)",
        b"*",
        b"+",
        b"-",
        b"?",
        b"*",
        b"+",
        b"%b()",
        b"%b",
        b"%f[%w]",
        b"%f",
        b"%1",
        b"%2",
        b"%0",
        b"^",
        b"$",
        b"%",
        b"[",
        b"]",
        b"[%a-]",
        b"[]]",
        b"[^]",
        b"\0",
        b"%z",
        b"%.",
        b"[%",
        b"\xff",
        b"%S",
    ])
}

fn subject() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(b"aaabbc1 ().\0\xff\n".to_vec()), 0..12)
}

fn replacement() -> impl Strategy<Value = &'static [u8]> {
    prop::sample::select(vec![b"x" as &[u8], b"%1", b"<%0>", b"%2%1", b"x%", b"%%", b"", b"%a%9", b"7"])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn as_in_c(
        subject in subject(),
        pattern in prop::collection::vec(token(), 0..7),
        replacement in replacement(),
        start in -14_i32..14,
    ) {
        thread_local! {
            static STATE: std::cell::RefCell<State> = std::cell::RefCell::new(state());
        }
        let pattern = pattern.concat();
        let start = start.to_string();
        let arguments: [&[u8]; 4] = [&subject, &pattern, replacement, start.as_bytes()];
        let answer = STATE.with_borrow_mut(|state| run(state, COMPARE, &arguments));
        prop_assert_eq!(answer, "same");
    }
}

#[test]
fn each_byte_has_the_same_classes() {
    let body = "
        for class in ('acdlpsuwxzACDLPSUWXZ'):gmatch('.') do
            for byte in ('x'):rep(256):gmatch('()') do
                local s, p = string.char(byte % 256), '%' .. class
                if string.find(s, p) ~= ours.find(s, p) then return class .. byte end
            end
        end
        return 'same'";
    assert_eq!(run(&mut state(), body, &[]), "same");
}

#[test]
fn arguments_are_checked_as_in_c() {
    let body = "
        local cases = {
            {'find'}, {'find', 'a'}, {'find', {}, 'a'}, {'find', 'a', 'a', {}}, {'gsub', 'a', 'b'},
            {'gsub', 'a', 'b', true}, {'gsub', 'a', 'b', 'c', 'x'}, {'gsub', 1, 1, 2}, {'find', 12, 2},
            {'gmatch'}, {'gmatch', 'a'}, {'match', 'a'}, {'gsub', 'a', '(', 'x'}, {'gsub', 'abc', 'b', 7},
            {'find', 'abc', 'b', 1e300}, {'find', 'abc', 'b', -1e300}, {'find', 'abc', 'b', '2'},
        }
        local function show(name, ok, ...)
            local all = {tostring(ok)}
            for i = 1, select('#', ...) do
                if type((select(i, ...))) ~= 'function' then all[#all + 1] = tostring((select(i, ...))) end
            end
            return table.concat(all, '|')
        end
        for _, case in ipairs(cases) do
            local theirs = show(case[1], pcall(string[case[1]], unpack(case, 2)))
            local mine = show(case[1], pcall(ours[case[1]], unpack(case, 2)))
            if theirs ~= mine then return case[1] .. ' theirs ' .. theirs .. ' ours ' .. mine end
        end
        return 'same'";
    assert_eq!(run(&mut state(), body, &[]), "same");
}

#[test]
fn metamethods_and_errors_of_callbacks() {
    let mut state = state();
    let mut check = |body: &str, expected: &str| assert_eq!(run(&mut state, body, &[]), expected, "{body}");
    check(
        "return (ours.gsub('abc', '%w', setmetatable({}, {__index = function(_, k) return k .. k end})))",
        "aabbcc",
    );
    check("return (ours.gsub('abc', 'b', setmetatable({}, {__index = {b = 'x'}})))", "axc");
    check("return ours.gsub('abc', 'b', function() error('no') end)", "user_script:1: no");
    check(
        "return ours.gsub('abc', 'b', setmetatable({}, {__index = function() error('no') end}))",
        "user_script:1: no",
    );
    check("return ours.find('a', '%')", "user_script:1: malformed pattern (ends with '%')");
    check("return ours.find('a', '[a')", "user_script:1: malformed pattern (missing ']')");
    check(
        "return ours.gsub('a', 'a', function() return {} end)",
        "user_script:1: invalid replacement value (a table)",
    );
    check("return (ours.gsub('x y', '%w', function(c) return (ours.gsub(c, '.', '<%0>')) end))", "<x> <y>");
}

/// Not a test of what is right: run by name, it tells how long both take.
#[test]
fn beside_c_in_time() {
    let body = "
        local text = ('key=value; other=12345, '):rep(430)
        local cases = {
            digits = function(lib) for i = 1, N do lib.find('abc 123', '%d+') end end,
            captures = function(lib) for i = 1, N do lib.match('key=value', '^(%w+)=(%w+)$') end end,
            plain = function(lib) for i = 1, N do lib.find('hello world', 'world', 1, true) end end,
            long_plain = function(lib) for i = 1, N / 100 do lib.find(text, 'nowhere') end end,
            gsub_words = function(lib) for i = 1, N / 1000 do lib.gsub(text, '%w+', '<%0>') end end,
            gsub_function = function(lib) for i = 1, N / 1000 do lib.gsub(text, '%d', function(d) return d end) end end,
            gmatch = function(lib) for i = 1, N / 1000 do for k, v in lib.gmatch(text, '(%w+)=(%w+)') do end end end,
            lazy = function(lib) for i = 1, N / 1000 do lib.find(text, '(.-)nowhere') end end,
        }
        local r = {}
        for name, run in pairs(cases) do
            local times = {}
            for i, lib in ipairs({string, ours}) do
                local start = os.clock()
                run(lib)
                times[i] = os.clock() - start
            end
            r[#r + 1] = string.format('%s %.1f ms, ours %.1f', name, times[1] * 1000, times[2] * 1000)
        end
        return table.concat(r, '; ')";
    let times = if cfg!(debug_assertions) { "1000" } else { "100000" };
    println!("{}", run(&mut state(), &body.replace('N', times), &[]));
}
