//! Glob patterns, as KEYS, SCAN MATCH, PSUBSCRIBE and CONFIG GET understand them.
//!
//! ```text
//! *        any number of bytes          [abc]   one byte of the class
//! ?        exactly one byte             [^abc]  one byte outside the class
//! \x       the byte x itself            [a-z]   a range; written backwards it means the same
//! ```
//!
//! What happens in the corners follows redis-server 7.0.15, tried on 6000 random patterns: a class that is
//! never closed extends to the end of the pattern; `]` right after `[` closes an empty class, which matches
//! nothing; a backslash that ends the pattern stands for itself; an escaped byte inside a class keeps its
//! case even when case is ignored; a range is put in order before its ends are lowered, so `[[-F]` is empty
//! when case is ignored.
//!
//! Invariants:
//! 1. Every element but `*` consumes exactly one byte, so going back to the latest star is enough: the time
//!    is at most pattern length times text length, whatever the pattern.
//! 2. The empty text matches the empty pattern only. Commands for which `*` means "everything" (KEYS, SCAN)
//!    test for that pattern themselves, as redis-server does.

/// Whether upper and lower case ASCII letters differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    Sensitive,
    Insensitive,
}

/// Does the whole of `text` match `pattern`?
pub fn matches(pattern: &[u8], text: &[u8], case: Case) -> bool {
    if text.is_empty() {
        return pattern.is_empty();
    }
    let (mut at, mut read) = (0, 0);
    // Where to go on after the latest star, and how much text it and all before it have eaten.
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        if pattern.get(at) == Some(&b'*') {
            at += pattern[at..].iter().take_while(|&&byte| byte == b'*').count();
            if at == pattern.len() {
                return true;
            }
            star = Some((at, read));
            continue;
        }
        if let Some(next) = element(&pattern[at..], text[read], case) {
            at += next;
            read += 1;
            continue;
        }
        let Some((after_star, eaten)) = star else { return false };
        star = Some((after_star, eaten + 1));
        (at, read) = (after_star, eaten + 1);
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

/// Is this a pattern at all, or a plain name?
pub fn has_wildcard(pattern: &[u8]) -> bool {
    pattern.iter().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'\\'))
}

/// What every text that `pattern` matches begins with: its bytes before the first wildcard, escapes resolved.
pub fn literal_prefix(pattern: &[u8]) -> Vec<u8> {
    let mut prefix = Vec::new();
    let mut rest = pattern;
    loop {
        match *rest {
            [] | [b'*' | b'?' | b'[', ..] => return prefix,
            [b'\\', escaped, ref behind @ ..] => {
                prefix.push(escaped);
                rest = behind;
            }
            [literal, ref behind @ ..] => {
                prefix.push(literal);
                rest = behind;
            }
        }
    }
}

/// The length of the pattern's first element if it matches `byte`.
fn element(pattern: &[u8], byte: u8, case: Case) -> Option<usize> {
    match *pattern.first()? {
        b'?' => Some(1),
        b'[' => class(pattern, byte, case),
        b'\\' if pattern.len() >= 2 => same(pattern[1], byte, case).then_some(2),
        literal => same(literal, byte, case).then_some(1),
    }
}

/// As `element`, for a pattern that begins with `[`.
fn class(pattern: &[u8], byte: u8, case: Case) -> Option<usize> {
    let negated = pattern.get(1) == Some(&b'^');
    let mut at = if negated { 2 } else { 1 };
    let mut found = false;
    while at < pattern.len() {
        match pattern[at] {
            b'\\' if at + 1 < pattern.len() => {
                at += 1;
                found |= pattern[at] == byte;
            }
            b']' => {
                at += 1;
                return (found != negated).then_some(at);
            }
            start if at + 2 < pattern.len() && pattern[at + 1] == b'-' => {
                found |= in_range(start, pattern[at + 2], byte, case);
                at += 2;
            }
            literal => found |= same(literal, byte, case),
        }
        at += 1;
    }
    (found != negated).then_some(pattern.len())
}

fn in_range(first: u8, last: u8, byte: u8, case: Case) -> bool {
    let (low, high) = (first.min(last), first.max(last));
    match case {
        Case::Sensitive => (low..=high).contains(&byte),
        Case::Insensitive => {
            (low.to_ascii_lowercase()..=high.to_ascii_lowercase()).contains(&byte.to_ascii_lowercase())
        }
    }
}

fn same(left: u8, right: u8, case: Case) -> bool {
    match case {
        Case::Sensitive => left == right,
        Case::Insensitive => left.eq_ignore_ascii_case(&right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pattern, texts that match, texts that do not; each asked of redis-server 7.0.15 with KEYS.
    const SEEN_ON_REDIS: &[(&str, &[&str], &[&str])] = &[
        ("", &[""], &["]\\-", "\\-^"]),
        ("**", &["aabaab", "]*-"], &[""]),
        ("a*", &["a-a", "abbabaa"], &["-\\b", "^]a"]),
        ("*a", &["\\*a", "aababba"], &["a--", "-*-"]),
        ("[^]", &["*", "a"], &["bb^", ""]),
        ("[", &[], &["[ba", "[b["]),
        ("[a", &["a"], &["a]^", "^-b"]),
        ("[^", &["a", "\\"], &["-**", "abbababaa"]),
        ("\\", &["\\"], &["bababbaaab", "\\a-"]),
        ("a\\", &["a\\"], &["--]", "][^"]),
        ("[a-", &["a", "-"], &["^^b", "-^*"]),
        ("[a-]", &["]", "a"], &["bbabaabbbb", "-\\*"]),
        ("[b-a]", &["a", "b"], &["a]*", "aa]"]),
        ("[\\]]", &["]"], &["babbba", "abb"]),
        ("[a\\", &["\\", "a"], &["aabaaaaa", "[^-"]),
        ("[]a]", &[], &["-a]", "^ab"]),
        ("[^a-b]", &["^", "\\"], &["-^*", "^]a"]),
        ("?", &["a", "-"], &["", "\\a]"]),
        ("??", &["]a", "*["], &["\\[[", "[b\\"]),
        ("*?", &["^]*", "b-\\"], &[""]),
        ("?*", &["*]^", "[*-"], &[""]),
        ("***", &["a-\\", "\\]b"], &[""]),
        ("abb*[\\b[", &["abbbbbbb", "abbbbaaabb"], &["]]^", "]-"]),
        ("b-[b*\\?", &["b-b", "b-*"], &["-**", "--b"]),
        ("abab[*[^a", &["ababa"], &["abbbbaabb", "b^["]),
        ("[?*[?*", &["*", "["], &["b-\\", "^-["]),
        ("[-a-\\a?-", &["]", "^"], &["-a-", "b*-"]),
        ("b[[-?", &["b["], &["abbb", "-b"]),
        ("[-a^a", &["^", "-"], &["b]]", "[-*"]),
        ("-[?*bb*?[", &["-[", "-*"], &["b[^", "\\]*"]),
        ("aaaa", &["aaaa"], &["[-]", "b]]"]),
        ("\\\\^*", &["\\^b", "\\^["], &["bbaaaa", "^]["]),
        ("?[b-^b?", &["^^", "aa"], &["-*b", "a-"]),
        ("-[*?^\\]a", &["-*", "-a"], &["-]-", "*]*"]),
        ("*\\]*a", &["]]a", "\\]a"], &["bbbabbab", "^^["]),
        ("^^*b", &["^^b"], &["^b*", "b*a"]),
        ("abbb[a", &["abbba"], &["]*^", "aababba"]),
        ("[*-?^-[[", &["-", "*"], &["-a-", "\\-a"]),
        ("*-[aa*\\-", &["]-*", "]-a"], &["babbaba", "b^b"]),
        ("*a?-", &["a--", "a[-"], &["[b^", "[a^"]),
        ("*^b*-", &["^b-"], &["*b]", "\\a"]),
        ("*[\\b", &["abbb", "b-b"], &["\\b^", "*b\\"]),
        ("[?*]-[?b", &["*-b"], &["[\\^", "\\b]"]),
        ("[a*a", &["a", "*"], &["-[-", "^*\\"]),
        ("*[?*", &["-a*", "a-*"], &["^[[", "bbbbabb"]),
        ("b-[*[?b", &["b-b", "b-*"], &["b*", "*\\^"]),
        ("]*[ab*aa[", &["]**", "]ab"], &["^\\b", "]^\\"]),
        ("a]\\\\", &["a]\\"], &["*[*", "b-"]),
        ("[?\\*ab", &["b", "*"], &["aa*", "*b\\"]),
        ("[^\\*?", &["a", "\\"], &["]]", "-b-"]),
        ("\\-\\ab", &["-ab"], &["-*-", "a[^"]),
        ("baa[[-a", &["baaa"], &["*]a", "bbaabba"]),
        ("**\\-*", &["--a", "-ba"], &["aabab", "[]\\"]),
        ("--*]", &["--]"], &["-*\\", "^aa"]),
        ("b*[?b\\bb]", &["b-b", "bbabbbb"], &["abbababaa", "*-["]),
        ("[bb*", &["b", "*"], &["abbbbaabb", "*--"]),
        ("a*]a", &["a]a"], &["-*a", "--b"]),
        ("-*ab", &["-ab"], &["\\]a", "^a^"]),
    ];

    #[test]
    fn patterns_match_as_in_redis() {
        for (pattern, hits, misses) in SEEN_ON_REDIS {
            for (text, result) in
                hits.iter().map(|text| (text, true)).chain(misses.iter().map(|text| (text, false)))
            {
                let matched = matches(pattern.as_bytes(), text.as_bytes(), Case::Sensitive);
                assert_eq!(matched, result, "{pattern} on {text:?}");
            }
        }
    }

    #[test]
    fn case_is_ignored_as_in_redis() {
        // Verified with COMMAND LIST FILTERBY PATTERN, which ignores case, on the command `get`.
        let expected = [
            ("g[A-F]t", true),
            ("g[D-_]t", false),
            ("g[^D-_]t", true),
            ("g[F-d]t", false),
            ("g[\\E]t", false),
            ("g[_-D]t", false),
            ("G\\Et", true),
            ("g[[-f]t", true),
            ("g[[-F]t", false),
            ("g[^E]t", false),
            ("G?T", true),
        ];
        for (pattern, result) in expected {
            assert_eq!(matches(pattern.as_bytes(), b"get", Case::Insensitive), result, "{pattern}");
        }
        assert!(!matches(b"GET", b"get", Case::Sensitive));
    }

    #[test]
    fn hostile_patterns_take_polynomial_time() {
        let pattern = b"a*".repeat(200);
        let text = [b"a".repeat(5000), b"b".to_vec()].concat();
        assert!(matches(&pattern, &text, Case::Sensitive));
        let never = [&pattern[..], b"c"].concat();
        assert!(!matches(&never, &text, Case::Insensitive));
    }

    #[test]
    fn what_matches_begins_with_the_prefix() {
        for (pattern, prefix) in [
            ("abc", "abc"),
            ("a*c", "a"),
            ("*", ""),
            ("a\\*b?", "a*b"),
            ("x[y]", "x"),
            ("a\\", "a\\"),
            ("", ""),
        ] {
            assert_eq!(literal_prefix(pattern.as_bytes()), prefix.as_bytes(), "{pattern}");
        }
        for (pattern, hits, _) in SEEN_ON_REDIS {
            let prefix = literal_prefix(pattern.as_bytes());
            assert!(hits.iter().all(|hit| hit.as_bytes().starts_with(&prefix)), "{pattern}");
        }
    }

    #[test]
    fn wildcards_are_seen() {
        assert!(has_wildcard(b"a*") && has_wildcard(b"[a]") && has_wildcard(b"a?") && has_wildcard(b"\\a"));
        assert!(!has_wildcard(b"plain]^-"));
    }
}
