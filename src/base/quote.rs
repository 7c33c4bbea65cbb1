//! Quoted arguments: the line syntax of inline requests and configuration files, and the reverse.
//!
//! ```text
//! SET key "two words\x0a\n\"\\"    double quotes: \n \r \t \b \a, \xHH; any other byte after \ is itself
//! SET key 'it\'s raw \n'           single quotes: only \' is an escape
//! SET ke"y wi"th                   a quote may open inside a word, but must end it (so this is an error)
//! ```
//!
//! A NUL byte ends the line, as it does where lines are C strings: redis-server reads no further either.

use super::argv::Argv;

/// A quote is not closed, or something sticks to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnbalancedQuotes;

impl std::fmt::Display for UnbalancedQuotes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("unbalanced quotes")
    }
}

impl std::error::Error for UnbalancedQuotes {}

/// Splits a line (without its line end) into its arguments; none for an empty or blank line.
pub fn split_line(line: &[u8]) -> Result<Argv, UnbalancedQuotes> {
    let line = &line[..line.iter().position(|&byte| byte == 0).unwrap_or(line.len())];
    let mut argv = Argv::new();
    let mut word = Vec::new();
    let mut rest = line;
    loop {
        rest = &rest[rest.iter().take_while(|&&byte| is_space(byte)).count()..];
        if rest.is_empty() {
            return Ok(argv);
        }
        word.clear();
        rest = take_word(rest, &mut word)?;
        argv.push(&word);
    }
}

/// The bytes in double quotes, everything unprintable escaped, so that `split_line` gives them back and a
/// terminal survives them.
pub fn quote(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len() + 2);
    text.push('"');
    for &byte in bytes {
        match byte {
            b'\\' | b'"' => text.extend(['\\', char::from(byte)]),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            0x07 => text.push_str("\\a"),
            0x08 => text.push_str("\\b"),
            0x20..=0x7e => text.push(char::from(byte)),
            _ => write!(text, "\\x{byte:02x}").expect("a String takes everything"),
        }
    }
    text.push('"');
    text
}

/// Space as C's isspace sees it; inside a word only some of them end it.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | 0x09..=0x0d)
}

/// Moves the first word of `line` to `word`; returns what follows it.
fn take_word<'a>(line: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], UnbalancedQuotes> {
    for (index, &byte) in line.iter().enumerate() {
        match byte {
            b' ' | b'\n' | b'\r' | b'\t' => return Ok(&line[index..]),
            b'"' => return after_quote(take_double_quoted(&line[index + 1..], word)?),
            b'\'' => return after_quote(take_single_quoted(&line[index + 1..], word)?),
            _ => word.push(byte),
        }
    }
    Ok(&[])
}

/// A closing quote must be the end of its word.
fn after_quote(rest: &[u8]) -> Result<&[u8], UnbalancedQuotes> {
    match rest.first() {
        Some(&byte) if !is_space(byte) => Err(UnbalancedQuotes),
        _ => Ok(rest),
    }
}

fn take_double_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], UnbalancedQuotes> {
    loop {
        match *rest {
            [] => return Err(UnbalancedQuotes),
            [b'"', ..] => return Ok(&rest[1..]),
            [b'\\', b'x', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                word.push(hex_value(high) << 4 | hex_value(low));
                rest = &rest[4..];
            }
            [b'\\', escaped, ..] => {
                word.push(unescape(escaped));
                rest = &rest[2..];
            }
            [byte, ..] => {
                word.push(byte);
                rest = &rest[1..];
            }
        }
    }
}

fn take_single_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], UnbalancedQuotes> {
    loop {
        match *rest {
            [] => return Err(UnbalancedQuotes),
            [b'\'', ..] => return Ok(&rest[1..]),
            [b'\\', b'\'', ..] => {
                word.push(b'\'');
                rest = &rest[2..];
            }
            [byte, ..] => {
                word.push(byte);
                rest = &rest[1..];
            }
        }
    }
}

fn unescape(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}

/// The value of a hexadecimal digit; the caller has checked that it is one.
fn hex_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(line: &[u8]) -> Option<Vec<Vec<u8>>> {
        split_line(line).ok().map(|argv| argv.args().iter().map(<[u8]>::to_vec).collect())
    }

    #[test]
    fn lines_split_as_in_redis() {
        // Each seen on redis-server 7.0.15 as an inline ECHO.
        let expected: [(&[u8], &[&[u8]]); 18] = [
            (b"", &[]),
            (b"  \x0b ", &[]),
            (b"  ECHO  \"a\\x41\\n\\q\\\"\" ", &[b"ECHO", b"aA\nq\""]),
            (b"ECHO 'a\\'b\\n\"'", &[b"ECHO", b"a'b\\n\""]),
            (b"ECHO a\"b\"", &[b"ECHO", b"ab"]),
            (b"ECHO \"\\x4\"", &[b"ECHO", b"x4"]),
            (b"ECHO \"\\xZZ\"", &[b"ECHO", b"xZZ"]),
            (b"ECHO \"\\xfF\"", &[b"ECHO", b"\xff"]),
            (b"ECHO \x0b a", &[b"ECHO", b"a"]),
            (b"ECHO\ta\x0bb", &[b"ECHO", b"a\x0bb"]),
            (b"ECHO \"\"", &[b"ECHO", b""]),
            (b"''", &[b""]),
            (b"ECHO a\\nb", &[b"ECHO", b"a\\nb"]),
            (b"PING\x0c", &[b"PING\x0c"]),
            (b"ECHO \"a\"\x0cb", &[b"ECHO", b"a", b"b"]),
            (b"ECHO \"a\rb\"", &[b"ECHO", b"a\rb"]),
            (b"ECHO \xff\xfe", &[b"ECHO", b"\xff\xfe"]),
            (b"ECHO a\0b", &[b"ECHO", b"a"]),
        ];
        for (line, result) in expected {
            let result: Vec<Vec<u8>> = result.iter().map(|word| word.to_vec()).collect();
            assert_eq!(words(line), Some(result), "{}", line.escape_ascii());
        }
    }

    #[test]
    fn unbalanced_quotes_are_refused() {
        let lines = [
            "ECHO \"a\"b",
            "ECHO 'a'b",
            "a'b c'd",
            "ECHO \"abc",
            "\"a\\",
            "'a",
            "'a\\'",
            "\"a\" \"b",
            "\"a\0\"",
        ];
        for line in lines {
            assert_eq!(words(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn quoting_is_printable() {
        assert_eq!(quote(b"a\\\"\n\r\t\x07\x08\x00\x7f\xff z"), r#""a\\\"\n\r\t\a\b\x00\x7f\xff z""#);
    }

    proptest! {
        #[test]
        fn quoting_is_undone_by_splitting(bytes: Vec<u8>) {
            let line = quote(&bytes);
            prop_assert_eq!(words(line.as_bytes()), Some(vec![bytes]));
        }

        #[test]
        fn splitting_survives_anything(bytes: Vec<u8>) {
            let _ = split_line(&bytes);
        }
    }
}
