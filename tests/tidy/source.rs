//! A Rust file as the rules see it: its lines, and the same lines as bare code.
//!
//! Bare code has comments, the contents of strings and everything under `#[cfg(test)]` replaced by blanks, line for
//! line and column for column, so that a word found in it is a word of the product. This is a scanner, not a parser: it
//! knows comments, strings, characters and braces, which is enough for every rule.

pub struct Source {
    /// From the root of the repository, with forward slashes.
    pub path: String,
    pub lines: Vec<String>,
    /// Without comments and string contents.
    pub code: Vec<String>,
    /// `code` without what is compiled for tests only.
    pub product: Vec<String>,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Source {
        let code = without_comments_and_strings(text);
        let product = if is_test_file(path) { blank_of(&code) } else { without_tests(&code) };
        let lines = |text: &str| text.split('\n').map(str::to_owned).collect::<Vec<_>>();
        let mut source =
            Source { path: path.into(), lines: lines(text), code: lines(&code), product: lines(&product) };
        if text.ends_with('\n') {
            source.lines.pop();
            source.code.pop();
            source.product.pop();
        }
        source
    }

    /// `src/rdb/reader.rs` and `src/rdb.rs` are in the room `rdb`; files outside `src` are in none.
    pub fn room(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        Some(inside.split('/').next()?.trim_end_matches(".rs"))
    }

    /// The path of its module: `["rdb", "reader"]`; `mod.rs` is its folder.
    pub fn module(&self) -> Vec<&str> {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path).trim_end_matches(".rs");
        let mut module: Vec<_> = inside.split('/').collect();
        if matches!(module.last(), Some(&"mod" | &"lib" | &"main")) {
            module.pop();
        }
        module
    }
}

/// A file that the compiler sees only for tests: `mod tests;` behind `#[cfg(test)]`.
fn is_test_file(path: &str) -> bool {
    path.starts_with("tests/")
        || path.starts_with("benches/")
        || path.ends_with("/tests.rs")
        || path.ends_with("/testing.rs")
        || path.contains("/tests/")
}

fn blank_of(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { ' ' }).collect()
}

fn without_comments_and_strings(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < characters.len() {
        let end = opaque_end(&characters, at);
        if end > at {
            let kept = if characters[at] == '/' { 0 } else { 1 };
            for (offset, &c) in characters[at..end].iter().enumerate() {
                let is_edge = kept == 1 && (offset == 0 || offset + 1 == end - at);
                code.push(if c == '\n' || is_edge { c } else { ' ' });
            }
            at = end;
        } else {
            code.push(characters[at]);
            at += 1;
        }
    }
    code
}

/// Where the comment, string or character literal that starts here ends; `at` when none does.
fn opaque_end(text: &[char], at: usize) -> usize {
    let rest = &text[at..];
    let before = at.checked_sub(1).map(|before| text[before]);
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    match rest {
        ['/', '/', ..] => at + rest.iter().position(|&c| c == '\n').unwrap_or(rest.len()),
        ['/', '*', ..] => at + block_comment_length(rest),
        ['"', ..] => at + string_length(rest),
        ['r', '"' | '#', ..] if !in_word || before == Some('b') => at + raw_string_length(rest),
        ['\'', '\\', ..] => at + 3 + rest[3..].iter().position(|&c| c == '\'').unwrap_or(0) + 1,
        ['\'', _, '\'', ..] => at + 3,
        _ => at,
    }
}

fn block_comment_length(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at + 1 < rest.len() {
        match (rest[at], rest[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn string_length(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// 0 when this is no raw string but a name that begins with r, or a raw identifier.
fn raw_string_length(rest: &[char]) -> usize {
    let hashes = rest[1..].iter().take_while(|&&c| c == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return 0;
    }
    let mut at = 2 + hashes;
    while at < rest.len() {
        let closes = rest[at] == '"' && rest[at + 1..].iter().take_while(|&&c| c == '#').count() >= hashes;
        if closes {
            return at + 1 + hashes;
        }
        at += 1;
    }
    rest.len()
}

/// Blanks the item after each `#[cfg(test)]`, to its semicolon or its closing brace.
fn without_tests(code: &str) -> String {
    let mut rest: Vec<u8> = code.bytes().map(|b| if b.is_ascii() { b } else { b'?' }).collect();
    let text = String::from_utf8(rest.clone()).expect("made ASCII above");
    for (start, _) in text.match_indices("#[cfg(test)]") {
        let end = item_end(&rest, start);
        rest[start..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
    }
    String::from_utf8(rest).expect("made ASCII above")
}

fn item_end(code: &[u8], start: usize) -> usize {
    let mut depth = 0;
    for (at, byte) in code.iter().enumerate().skip(start) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return at + 1,
            b'}' => depth -= 1,
            b';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}
