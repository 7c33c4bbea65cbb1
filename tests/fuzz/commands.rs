//! The target `commands`: lines of commands.
//!
//! ```text
//!   SET key a\x00b      words between blanks; \xNN is a byte
//!   @ BLPOP key 0       the second client, who waits until the end if it must
//!   + 1000              so many milliseconds pass, and the clock's jobs run
//! ```

use tintype::base::argv::{Args, Argv};

const LINES_MAX: usize = 64;

pub fn run(bytes: &[u8]) {
    super::with_session(|session| {
        for line in bytes.split(|byte| *byte == b'\n').take(LINES_MAX) {
            let words: Vec<Vec<u8>> =
                line.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).map(unescape).collect();
            let argv: Argv = words.iter().collect();
            match words.split_first() {
                None => {}
                Some((first, rest)) if first == b"+" => {
                    session.pass(rest.first().map_or(1, |word| milliseconds(word)))
                }
                Some((first, rest)) if first == b"@" => {
                    let args = argv.args().from(1);
                    if !rest.is_empty() && is_harmless(args) && !session.is_out_of_question(args) {
                        session.run_second(args);
                    }
                }
                Some(_) if is_harmless(argv.args()) && !session.is_out_of_question(argv.args()) => {
                    session.run_args(argv.args());
                }
                Some(_) => {}
            }
        }
        session.check_everything();
        session.use_every_key();
    });
}

/// Up to a year.
fn milliseconds(word: &[u8]) -> u64 {
    const MAX: u64 = 366 * 86_400_000;
    std::str::from_utf8(word).ok().and_then(|word| word.parse().ok()).unwrap_or(1).min(MAX)
}

/// `\xNN` becomes the byte it names.
fn unescape(word: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut at = 0;
    while at < word.len() {
        let escape = word[at..].strip_prefix(b"\\x").and_then(|rest| rest.get(..2));
        let byte = escape.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(word[at]));
        at += if byte.is_some() { 4 } else { 1 };
    }
    bytes
}

/// Commands that stop the process, write files, look at the machine or take long, and those that change for ever how
/// the session works.
const HARMFUL: &[&str] = &[
    "SHUTDOWN",
    "SAVE",
    "BGSAVE",
    "BGREWRITEAOF",
    "QUIT",
    "RESET",
    "MONITOR",
    "INFO",
    "FAILOVER",
    "REPLICAOF",
    "SLAVEOF",
    "SYNC",
    "PSYNC",
    "LOLWUT",
];

/// Containers, and the subcommands that may run.
const HARMLESS_PARTS: &[(&str, &[&str])] = &[
    ("DEBUG", &["OBJECT", "DIGEST", "DIGEST-VALUE", "HTSTATS", "HTSTATS-KEY", "PROTOCOL"]),
    ("CONFIG", &["GET"]),
    ("COMMAND", &["GETKEYS", "GETKEYSANDFLAGS", "COUNT"]),
    ("HELLO", &["2", "3"]),
    ("MEMORY", &["USAGE"]),
    ("CLIENT", &["ID", "INFO", "LIST", "GETNAME", "SETNAME", "SETINFO", "UNBLOCK", "NO-TOUCH", "NO-EVICT"]),
];

/// Whether a request may run here.
pub fn is_harmless(args: Args<'_>) -> bool {
    /// Of a negative count: that many elements are answered.
    const DIGITS_MAX: usize = 5;
    let Some(name) = args.get(0).map(<[u8]>::to_ascii_uppercase) else { return true };
    let is_sample = name.ends_with(b"MEMBER") || name.ends_with(b"FIELD");
    if is_sample && args.iter().any(|word| word.first() == Some(&b'-') && word.len() > DIGITS_MAX) {
        return false;
    }
    let container = HARMLESS_PARTS.iter().find(|(container, _)| container.as_bytes() == name);
    if let Some((_, parts)) = container {
        let part = args.get(1).unwrap_or_default();
        return parts.iter().any(|known| part.eq_ignore_ascii_case(known.as_bytes()));
    }
    !HARMFUL.iter().any(|harmful| harmful.as_bytes() == name)
}
