//! Rule words: a selector may have been split at its blanks, and a word may have to be quoted.

use crate::base::quote::quote;

/// The word at this index opens a parenthesis that none of those behind it closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnmatchedParenthesis(pub usize);

/// Joins the words of a selector, from one that begins with `(` to the next that ends with `)`, by blanks.
pub fn merge_selectors<'a>(
    words: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<Vec<u8>>, UnmatchedParenthesis> {
    let mut merged: Vec<Vec<u8>> = Vec::new();
    let mut open: Option<(usize, Vec<u8>)> = None;
    for (index, word) in words.into_iter().enumerate() {
        let (start, selector) = match open.take() {
            Some((start, mut selector)) => {
                selector.push(b' ');
                selector.extend_from_slice(word);
                (start, selector)
            }
            None if word.starts_with(b"(") => (index, word.to_vec()),
            None => {
                merged.push(word.to_vec());
                continue;
            }
        };
        if selector.ends_with(b")") {
            merged.push(selector);
        } else {
            open = Some((start, selector));
        }
    }
    match open {
        Some((start, _)) => Err(UnmatchedParenthesis(start)),
        None => Ok(merged),
    }
}

/// Appends a word of a selector, in quotes when it would not be read as itself without.
pub fn push_word(line: &mut Vec<u8>, word: &[u8]) {
    let is_plain = !word.is_empty() && !word.iter().any(|byte| b"\"'".contains(byte));
    match is_plain {
        true => line.extend_from_slice(word),
        false => line.extend_from_slice(quote(word).as_bytes()),
    }
}

/// As C's isspace, and NUL: what no name and no pattern may hold.
pub fn has_space(text: &[u8]) -> bool {
    text.iter().any(|byte| matches!(byte, b' ' | 0x09..=0x0d | 0))
}
