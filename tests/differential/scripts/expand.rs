//! Every command that a form stands for.
//!
//! `a|b` is either word, `?a` a word or nothing, `(a b)` a group, `{class}` every word of a class; a word in quotes
//! knows the escapes of a line. All combinations are made, in the order in which they are written.

use crate::generator::tokens;
use crate::support;

const CLASSES: &[(&str, &[&str])] = &[
    (
        "i64",
        &[
            "0",
            "1",
            "-1",
            "3",
            "-3",
            "4294967296",
            "9223372036854775807",
            "-9223372036854775807",
            "-9223372036854775808",
            "9223372036854775808",
        ],
    ),
    ("bad", &["", "x", "1.5", "+1", "01", "1 ", " 1", "-0", "1e3", "0x1", "1\0"]),
    (
        "float",
        &[
            "0",
            "-0",
            "1.5",
            "-2",
            "inf",
            "-inf",
            "+Infinity",
            "nan",
            "1e308",
            "-1e308",
            "1e400",
            "5e-324",
            "0x10",
            "",
            "x",
            "1 ",
            " 1",
            "1e",
            ".5",
            "3.",
            "123456789012345678901234567890",
            "1\0",
        ],
    ),
    ("key", &["str", "int", "list", "hash", "set", "ints", "zset", "stream", "none"]),
    ("word", &["a", "", "1", "01", "nosuch", "x\0\r\n", "b"]),
];

/// The commands of a form, one after the other; ` ; ` separates them.
pub fn all(form: &str) -> Vec<Vec<Vec<u8>>> {
    let phrases = sequences(form);
    phrases.iter().flat_map(|phrase| phrase.split(|word| word == b";").map(<[_]>::to_vec)).collect()
}

fn sequences(form: &str) -> Vec<Vec<Vec<u8>>> {
    let mut found = vec![Vec::new()];
    for token in tokens(form) {
        let choices = choices(token);
        let longer = |start: &Vec<Vec<u8>>| {
            choices.iter().map(|choice| [start.as_slice(), choice].concat()).collect::<Vec<_>>()
        };
        found = found.iter().flat_map(longer).collect();
    }
    found
}

/// What a token may stand for, each a run of words.
fn choices(token: &str) -> Vec<Vec<Vec<u8>>> {
    if let Some(rest) = token.strip_prefix('?') {
        return std::iter::once(Vec::new()).chain(choices(rest)).collect();
    }
    if let Some(group) = token.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        return sequences(group);
    }
    token.split('|').flat_map(words).map(|word| vec![word]).collect()
}

fn words(word: &str) -> Vec<Vec<u8>> {
    match word.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(class) => {
            let (_, words) = CLASSES.iter().find(|(name, _)| *name == class).expect("a class of words");
            words.iter().map(|word| word.as_bytes().to_vec()).collect()
        }
        None if word.starts_with('"') => support::arguments(word),
        None => vec![word.as_bytes().to_vec()],
    }
}
