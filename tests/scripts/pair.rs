//! Tintype and the oracle, told the same, and lists of scripts in `cases/`.

use crate::support::{Connection, Server, arguments, encode};

/// `d` shows any Lua value, `p` what `pcall` gives.
const PRELUDE: &str = r#"local function d(v) local t=type(v)
if t=="table" then local k={} for x in pairs(v) do k[#k+1]=x end
table.sort(k,function(a,b) return tostring(a)<tostring(b) end)
local o={} for _,x in ipairs(k) do o[#o+1]=d(x).."="..d(v[x]) end return "{"..table.concat(o,",").."}" end
if t=="string" then return string.format("%q",v) end
if t=="number" then return string.format("%.17g",v) end
if t=="boolean" then return tostring(v) end return t end
local function p(f,...) local r={pcall(f,...)} return d(r) end "#;

pub struct Pair {
    pub ours: Server,
    pub theirs: Server,
}

pub struct Both {
    pub ours: Connection,
    pub theirs: Connection,
}

impl Pair {
    pub fn start() -> Pair {
        Pair::with(&[])
    }

    /// Both with the same arguments.
    pub fn with(arguments: &[&str]) -> Pair {
        Pair { ours: Server::start(arguments), theirs: Server::oracle(arguments) }
    }

    pub fn connect(&self) -> Both {
        Both { ours: self.ours.connect(), theirs: self.theirs.connect() }
    }
}

impl Both {
    /// Sends the same to both; their replies.
    #[track_caller]
    pub fn ask<T: AsRef<[u8]>>(&mut self, words: &[T]) -> [Vec<u8>; 2] {
        let request = encode(words);
        [&mut self.ours, &mut self.theirs].map(|connection| {
            connection.send(&request);
            connection.bytes()
        })
    }

    /// Asks both the same, and shows what both reply.
    #[track_caller]
    pub fn same<T: AsRef<[u8]>>(&mut self, words: &[T]) -> String {
        let [ours, theirs] = self.ask(words).map(|bytes| without_addresses(&bytes));
        let shown: Vec<String> = words.iter().map(|word| word.as_ref().escape_ascii().to_string()).collect();
        assert_eq!(ours, theirs, "ours, the oracle's: {}", shown.join(" "));
        ours
    }

    #[track_caller]
    pub fn same_line(&mut self, line: &str) -> String {
        self.same(&arguments(line))
    }

    /// Tells both, and does not wait for the reply.
    #[track_caller]
    pub fn tell(&mut self, line: &str) {
        let request = encode(&arguments(line));
        self.ours.send(&request);
        self.theirs.send(&request);
    }

    /// What both say next.
    #[track_caller]
    pub fn same_next(&mut self) -> String {
        let [ours, theirs] = [&mut self.ours, &mut self.theirs].map(|c| without_addresses(&c.bytes()));
        assert_eq!(ours, theirs, "ours, the oracle's");
        ours
    }

    #[track_caller]
    pub fn same_script(&mut self, script: &str) {
        self.same(&["EVAL", script, "0"]);
    }

    /// The lines of a list, as scripts.
    #[track_caller]
    pub fn same_scripts(&mut self, list: &'static str) {
        for line in lines(list) {
            let shows = line.contains("d(") || line.contains("p(");
            let prelude = if shows { PRELUDE } else { "" };
            self.same_script(&format!("{prelude}{}", line.replace('¶', "\n")));
        }
    }

    /// What a command replies to a script, as the script sees it and as its client does.
    #[track_caller]
    pub fn same_call(&mut self, before: &str, call: &str) {
        self.same_script(&format!("{PRELUDE}{before} return d(redis.pcall({call}))"));
        self.same_script(&format!("{before} return redis.call({call})"));
    }
}

/// A list without its remarks.
pub fn lines(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Where a function lies says nothing.
fn without_addresses(bytes: &[u8]) -> String {
    let text = bytes.escape_ascii().to_string();
    let mut parts = text.split("0x");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shown.push_str("0x");
        shown.push_str(part.trim_start_matches(|digit: char| digit.is_ascii_hexdigit()));
    }
    shown
}
