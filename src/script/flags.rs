//! The first line of a script: which engine runs it, and what it may do.
//!
//! ```text
//!   #!lua flags=no-writes,allow-oom        a script (EVAL, SCRIPT LOAD)
//!   #!lua name=mylib                       a library (FUNCTION LOAD)
//! ```
//! The words are split as redis-cli splits a line, quotes and all. The line itself is no Lua, but it counts: what is
//! compiled begins with the end of it, so that errors name the lines as the author sees them.
//!
//! A script without such a line is one of before Redis 7.0. Nothing is known of it before it runs, so each of its
//! commands passes the gates by itself; one with such a line passes them when it starts, as a command that writes and
//! takes memory, if its flags do not say that it does not.

use crate::base::quote::split_line;
use crate::spec::error::until_nul;
use crate::spec::{CommandError, Flags};

/// What a script may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScriptFlags(u8);

impl ScriptFlags {
    pub const NONE: ScriptFlags = ScriptFlags(0);
    /// It writes nothing, and so may run where nothing can be written.
    pub const NO_WRITES: ScriptFlags = ScriptFlags(1);
    /// It runs although memory is above `maxmemory`.
    pub const ALLOW_OOM: ScriptFlags = ScriptFlags(1 << 1);
    pub const ALLOW_STALE: ScriptFlags = ScriptFlags(1 << 2);
    pub const NO_CLUSTER: ScriptFlags = ScriptFlags(1 << 3);
    pub const ALLOW_CROSS_SLOT_KEYS: ScriptFlags = ScriptFlags(1 << 4);
    /// A script without a first line of this kind, whose flags nobody has told.
    pub const UNTOLD: ScriptFlags = ScriptFlags(1 << 5);

    /// The flags that can be told, by their names, in the order in which FUNCTION LIST shows them.
    pub const NAMES: [(ScriptFlags, &'static str); 5] = [
        (ScriptFlags::NO_WRITES, "no-writes"),
        (ScriptFlags::ALLOW_OOM, "allow-oom"),
        (ScriptFlags::ALLOW_STALE, "allow-stale"),
        (ScriptFlags::NO_CLUSTER, "no-cluster"),
        (ScriptFlags::ALLOW_CROSS_SLOT_KEYS, "allow-cross-slot-keys"),
    ];

    /// As a number, and back.
    pub const fn bits(self) -> u8 {
        self.0
    }

    pub const fn from_bits(bits: u8) -> ScriptFlags {
        ScriptFlags(bits)
    }

    /// The flag of a name.
    pub fn named(name: &[u8]) -> Option<ScriptFlags> {
        let names = Self::NAMES.iter();
        names.filter(|(_, known)| name == known.as_bytes()).map(|(flag, _)| *flag).next()
    }

    pub const fn or(self, other: ScriptFlags) -> ScriptFlags {
        ScriptFlags(self.0 | other.0)
    }

    /// Whether any flag of `other` is in this set.
    pub const fn has(self, other: ScriptFlags) -> bool {
        self.0 & other.0 != 0
    }

    pub const fn is_told(self) -> bool {
        !self.has(Self::UNTOLD)
    }

    /// The flags of a command that runs a script with these flags: what the script tells stands in the place of what
    /// is assumed of every script.
    pub fn of_command(self, command: Flags) -> Flags {
        if !self.is_told() {
            return command;
        }
        const TOLD: Flags = Flags::STALE.or(Flags::DENYOOM).or(Flags::WRITE).or(Flags::MAY_REPLICATE);
        let mut flags = command.without(TOLD);
        if !self.has(Self::NO_WRITES) {
            flags = flags.or(Flags::WRITE);
        }
        if !self.has(Self::NO_WRITES.or(Self::ALLOW_OOM)) {
            flags = flags.or(Flags::DENYOOM);
        }
        if self.has(Self::ALLOW_STALE) {
            flags = flags.or(Flags::STALE);
        }
        flags
    }
}

/// A script as EVAL gets it: its flags, and the Lua to compile.
///
/// # Errors
/// The first line promises what is not known.
pub fn read_script(body: &[u8]) -> Result<(ScriptFlags, &[u8]), CommandError> {
    if !body.starts_with(b"#!") {
        return Ok((ScriptFlags::UNTOLD, body));
    }
    let (line, code) = cut_line(body).ok_or(CommandError::ScriptShebang)?;
    let words = split_line(line).map_err(|_| CommandError::ScriptEngine)?;
    let mut words = words.args().iter();
    let engine = words.next().ok_or(CommandError::ScriptEngine)?;
    if until_nul(engine) != b"#!lua" {
        return Err(CommandError::quoting("ERR Unexpected engine in script shebang: ", engine, ""));
    }
    let mut flags = ScriptFlags::NONE;
    for word in words {
        let Some(names) = word.strip_prefix(b"flags=") else {
            return Err(CommandError::quoting("ERR Unknown lua shebang option: ", word, ""));
        };
        for name in names.split(|byte| *byte == b',').filter(|_| !names.is_empty()) {
            let flag = ScriptFlags::named(until_nul(name))
                .ok_or_else(|| CommandError::quoting("ERR Unexpected flag in script shebang: ", name, ""))?;
            flags = flags.or(flag);
        }
    }
    Ok((flags, code))
}

/// A library as FUNCTION LOAD gets it: its name, and the Lua to compile.
///
/// # Errors
/// There is no such line, it names no library, or an engine that is not here.
pub fn read_library(body: &[u8]) -> Result<(Box<[u8]>, &[u8]), CommandError> {
    if !body.starts_with(b"#!") {
        return Err(CommandError::LibraryMetadataMissing);
    }
    let (line, code) = cut_line(body).ok_or(CommandError::LibraryMetadata)?;
    let words = split_line(line).map_err(|_| CommandError::LibraryMetadata)?;
    let mut words = words.args().iter();
    let engine = words.next().and_then(|word| word.get(2..)).ok_or(CommandError::LibraryMetadata)?;
    let mut name: Option<&[u8]> = None;
    for word in words {
        const KEY: &[u8] = b"name=";
        match word.split_at_checked(KEY.len()) {
            Some((key, _)) if key.eq_ignore_ascii_case(KEY) && name.is_some() => {
                return Err(CommandError::LibraryNamedTwice);
            }
            Some((key, given)) if key.eq_ignore_ascii_case(KEY) => name = Some(given),
            _ => return Err(CommandError::quoting("ERR Invalid metadata value given: ", word, "")),
        }
    }
    let name = name.ok_or(CommandError::LibraryNotNamed)?;
    if !is_name(name) {
        return Err(CommandError::LibraryName);
    }
    if !engine.eq_ignore_ascii_case(b"lua") {
        return Err(CommandError::quoting("ERR Engine '", engine, "' not found"));
    }
    Ok((name.into(), code))
}

/// What a library or a function may be called.
pub fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// The first line, and what comes behind it, its end included.
fn cut_line(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = body.iter().position(|byte| matches!(byte, b'\n' | 0))?;
    (body[end] == b'\n').then(|| body.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused<T>(read: Result<T, CommandError>) -> String {
        read.err().expect("an error").to_string()
    }

    #[test]
    fn flags_are_read_and_line_numbers_stay() {
        let (flags, code) =
            read_script(b"#!lua  flags=no-writes,allow-oom \"flags=allow-stale\"\nreturn 1").unwrap();
        assert_eq!(flags, ScriptFlags::NO_WRITES.or(ScriptFlags::ALLOW_OOM).or(ScriptFlags::ALLOW_STALE));
        assert_eq!(code, b"\nreturn 1");
        assert_eq!(read_script(b"return 1").unwrap(), (ScriptFlags::UNTOLD, &b"return 1"[..]));
        assert_eq!(read_script(b"#!lua flags=\nx").unwrap().0, ScriptFlags::NONE);
        for (flag, name) in ScriptFlags::NAMES {
            assert_eq!(read_script(format!("#!lua flags={name}\n").as_bytes()).unwrap().0, flag);
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let error = |body: &str| refused(read_script(body.as_bytes()));
        assert_eq!(error("#!lua"), "ERR Invalid script shebang");
        assert_eq!(error("#!lua\0\n"), "ERR Invalid script shebang");
        assert_eq!(error("#!LUA\n"), "ERR Unexpected engine in script shebang: #!LUA");
        assert_eq!(error("#! lua\n"), "ERR Unexpected engine in script shebang: #!");
        assert_eq!(error("#!lua \"x\n"), "ERR Invalid engine in script shebang");
        assert_eq!(error("#!lua name=x\n"), "ERR Unknown lua shebang option: name=x");
        assert_eq!(error("#!lua flags=no-writes,\n"), "ERR Unexpected flag in script shebang: ");
        assert_eq!(error("#!lua flags=NO-WRITES\n"), "ERR Unexpected flag in script shebang: NO-WRITES");
    }

    #[test]
    fn libraries_have_names() {
        let (name, code) = read_library(b"#!LUA NAME=a_1\nreturn").unwrap();
        assert_eq!((&*name, code), (&b"a_1"[..], &b"\nreturn"[..]));
        let error = |body: &str| refused(read_library(body.as_bytes()));
        assert_eq!(error("return"), "ERR Missing library metadata");
        assert_eq!(error("#!lua name=x"), "ERR Invalid library metadata");
        assert_eq!(error("#!\n"), "ERR Library name was not given");
        assert_eq!(error("#!foo name=x\n"), "ERR Engine 'foo' not found");
        assert_eq!(error("#!lua flags=x name=x\n"), "ERR Invalid metadata value given: flags=x");
        assert!(error("#!foo name=a-b\n").starts_with("ERR Library names can only contain letters"));
        assert!(error("#!lua name=x name=x\n").ends_with("name argument was given multiple times"));
    }

    #[test]
    fn told_flags_stand_in_the_place_of_assumed_ones() {
        let assumed = Flags::NOSCRIPT.or(Flags::STALE).or(Flags::MAY_REPLICATE);
        assert_eq!(ScriptFlags::UNTOLD.of_command(assumed), assumed);
        let plain = Flags::NOSCRIPT.or(Flags::WRITE).or(Flags::DENYOOM);
        assert_eq!(ScriptFlags::NONE.of_command(assumed), plain);
        assert_eq!(ScriptFlags::NO_WRITES.of_command(assumed), Flags::NOSCRIPT);
        let greedy = ScriptFlags::ALLOW_OOM.or(ScriptFlags::ALLOW_STALE);
        assert_eq!(greedy.of_command(assumed), Flags::NOSCRIPT.or(Flags::WRITE).or(Flags::STALE));
    }
}
