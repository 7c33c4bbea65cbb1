//! Lines of words with quotes: the syntax of configuration files and inline commands, and its inverse.
//!
//! ```text
//!   set  key  "a\x00\n\"b"   'it\'s'      →   set | key | a 00 0A " b | it's
//!             escapes work    only \' does
//! ```
//! A closing quote must be followed by a blank or the end of the line.

use super::argv::Argv;

/// A quote was opened and not closed, or text follows a closing quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnbalancedQuotes;

/// Splits a line into words. An empty or blank line has none.
pub fn split_line(line: &[u8]) -> Result<Argv, UnbalancedQuotes> {
    let mut argv = Argv::new();
    let mut word = Vec::new();
    let mut rest = trim_start(line);
    while !rest.is_empty() {
        word.clear();
        rest = trim_start(split_word(rest, &mut word)?);
        argv.push(&word);
    }
    Ok(argv)
}

/// The printable form in double quotes, which `split_line` reads back; the text logs and MONITOR show.
pub fn quote(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len() + 2);
    text.push('"');
    for &byte in bytes {
        match byte {
            b'\\' | b'"' => text.extend(['\\', byte as char]),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            0x07 => text.push_str("\\a"),
            0x08 => text.push_str("\\b"),
            0x20..=0x7e => text.push(byte as char),
            _ => write!(text, "\\x{byte:02x}").expect("writing to a String cannot fail"),
        }
    }
    text.push('"');
    text
}

fn trim_start(line: &[u8]) -> &[u8] {
    let blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b || *byte == 0;
    let start = line.iter().position(|byte| !blank(byte)).unwrap_or(line.len());
    &line[start..]
}

/// Reads one word from the start of `line` into `word`; returns what follows it.
fn split_word<'a>(mut line: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], UnbalancedQuotes> {
    while let Some((&byte, after)) = line.split_first() {
        match byte {
            b' ' | b'\n' | b'\r' | b'\t' | 0 => return Ok(after),
            b'"' | b'\'' => {
                let after = if byte == b'"' { double_quoted(after, word)? } else { single_quoted(after, word)? };
                let ends = after.first().is_none_or(|next| next.is_ascii_whitespace() || *next == 0x0b);
                return if ends { Ok(after) } else { Err(UnbalancedQuotes) };
            }
            _ => word.push(byte),
        }
        line = after;
    }
    Ok(line)
}

fn single_quoted<'a>(mut line: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], UnbalancedQuotes> {
    loop {
        line = match line {
            [b'\\', b'\'', after @ ..] => {
                word.push(b'\'');
                after
            }
            [b'\'', after @ ..] => return Ok(after),
            [byte, after @ ..] => {
                word.push(*byte);
                after
            }
            [] => return Err(UnbalancedQuotes),
        };
    }
}

fn double_quoted<'a>(mut line: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], UnbalancedQuotes> {
    loop {
        line = match line {
            [b'\\', b'x', high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                word.push(hex_digit(*high) << 4 | hex_digit(*low));
                after
            }
            [b'\\', escaped, after @ ..] => {
                word.push(unescape(*escaped));
                after
            }
            [b'"', after @ ..] => return Ok(after),
            [byte, after @ ..] => {
                word.push(*byte);
                after
            }
            [] => return Err(UnbalancedQuotes),
        };
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

fn hex_digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<Vec<u8>> {
        split_line(line.as_bytes()).expect("balanced").args().iter().map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn words_quotes_and_escapes() {
        assert!(words("  \t ").is_empty());
        assert_eq!(words(r#" set  k "a\x41\n\q" 'it\'s \n' "" "#), [
            &b"set"[..],
            b"k",
            b"aA\nq",
            b"it's \\n",
            b""
        ]);
        assert_eq!(words(r#"a"b c"d"#.replace("\"d", "\"").as_str()), [b"ab c"]);
        for line in [r#""a"#, "'a", r#""a"b"#, "'a'b", r#"a""#, r#""a\"#] {
            assert_eq!(split_line(line.as_bytes()).err(), Some(UnbalancedQuotes), "{line}");
        }
    }

    #[test]
    fn a_quoted_word_reads_back() {
        let every: Vec<u8> = (0..=255).collect();
        let text = quote(&every);
        assert!(text.is_ascii());
        assert_eq!(split_line(text.as_bytes()).expect("balanced").args().at(0), every);
    }
}
