//! Names of protocols and cipher suites: from the words of OpenSSL, in which the directives are written, to rustls.
//!
//! ```text
//! tls-protocols     "TLSv1.2 TLSv1.3"                        blanks separate
//! tls-ciphers       "HIGH:!AES128", "ECDHE-RSA-AES256-GCM-SHA384:.."   a cipher list, see openssl-ciphers(1)
//! tls-ciphersuites  "TLS_AES_256_GCM_SHA384:.."              names, ':' separates
//! ```
//! A cipher list is carried out from the left: a word adds its suites at the end, `-word` takes them away, `!word` for
//! good, `+word` moves them to the end; `a+b` are those that are both. `@STRENGTH` and `@SECLEVEL` change nothing: all
//! suites here are strong.
//!
//! rustls has six suites for TLS 1.2, all with ephemeral keys and authenticated encryption. Of what OpenSSL has beyond
//! them a name is left out, and told; a word that nobody knows is an error.

use rustls::SupportedCipherSuite;
use rustls::crypto::aws_lc_rs::cipher_suite as suites;
use rustls::version::{TLS12, TLS13};

type Version = &'static rustls::SupportedProtocolVersion;

/// What was chosen, and the names that rustls does not have.
#[derive(Debug, PartialEq)]
pub struct Chosen {
    pub suites: Vec<SupportedCipherSuite>,
    pub left_out: Vec<String>,
}

struct Suite {
    name: &'static str,
    suite: SupportedCipherSuite,
    /// The words of a cipher list that mean this suite besides its name.
    words: &'static [&'static str],
}

const fn suite(name: &'static str, suite: SupportedCipherSuite, words: &'static [&'static str]) -> Suite {
    Suite { name, suite, words }
}

/// Suites of TLS 1.2, in the order in which OpenSSL prefers them.
const TLS12_SUITES: [Suite; 6] = [
    suite(
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        suites::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        &["aECDSA", "ECDSA", "AES", "AES256", "AESGCM", "SHA384"],
    ),
    suite(
        "ECDHE-RSA-AES256-GCM-SHA384",
        suites::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        &["aRSA", "AES", "AES256", "AESGCM", "SHA384"],
    ),
    suite(
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        suites::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        &["aECDSA", "ECDSA", "CHACHA20"],
    ),
    suite(
        "ECDHE-RSA-CHACHA20-POLY1305",
        suites::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        &["aRSA", "CHACHA20"],
    ),
    suite(
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        suites::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        &["aECDSA", "ECDSA", "AES", "AES128", "AESGCM", "SHA256"],
    ),
    suite(
        "ECDHE-RSA-AES128-GCM-SHA256",
        suites::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        &["aRSA", "AES", "AES128", "AESGCM", "SHA256"],
    ),
];

const TLS13_SUITES: [Suite; 3] = [
    suite("TLS_AES_256_GCM_SHA384", suites::TLS13_AES_256_GCM_SHA384, &[]),
    suite("TLS_CHACHA20_POLY1305_SHA256", suites::TLS13_CHACHA20_POLY1305_SHA256, &[]),
    suite("TLS_AES_128_GCM_SHA256", suites::TLS13_AES_128_GCM_SHA256, &[]),
];

/// Words that mean every suite of TLS 1.2 here.
const ALL_WORDS: &[&str] =
    &["ALL", "DEFAULT", "HIGH", "ECDHE", "EECDH", "kECDHE", "kEECDH", "ECDH", "TLSv1.2", "FIPS"];

/// Words of OpenSSL that mean no suite here.
const NONE_WORDS: &[&str] = &[
    "COMPLEMENTOFALL",
    "COMPLEMENTOFDEFAULT",
    "MEDIUM",
    "LOW",
    "EXP",
    "EXPORT",
    "NULL",
    "eNULL",
    "aNULL",
    "ADH",
    "AECDH",
    "PSK",
    "kPSK",
    "aPSK",
    "SRP",
    "DSS",
    "aDSS",
    "DH",
    "DHE",
    "EDH",
    "kDHE",
    "kEDH",
    "RSA",
    "kRSA",
    "MD5",
    "SHA",
    "SHA1",
    "RC2",
    "RC4",
    "DES",
    "3DES",
    "IDEA",
    "SEED",
    "CAMELLIA",
    "CAMELLIA128",
    "CAMELLIA256",
    "ARIA",
    "ARIA128",
    "ARIA256",
    "ARIAGCM",
    "AESCCM",
    "AESCCM8",
    "SSLv3",
    "TLSv1",
    "TLSv1.0",
];

/// What the names of OpenSSL's suites are made of, between their dashes.
const NAME_PARTS: &[&str] = &[
    "ECDHE",
    "DHE",
    "DH",
    "ECDH",
    "RSA",
    "ECDSA",
    "DSS",
    "ADH",
    "AECDH",
    "PSK",
    "SRP",
    "3DES",
    "EDE",
    "AES128",
    "AES256",
    "CBC",
    "CBC3",
    "GCM",
    "CCM",
    "CCM8",
    "SHA",
    "SHA256",
    "SHA384",
    "MD5",
    "CHACHA20",
    "POLY1305",
    "DES",
    "RC4",
    "SEED",
    "IDEA",
    "NULL",
    "ARIA128",
    "ARIA256",
    "CAMELLIA128",
    "CAMELLIA256",
];

/// The versions that `tls-protocols` names; empty: all that rustls has.
///
/// # Errors
/// A word that is no protocol, or one that is too old for rustls.
pub fn protocols(text: &str) -> Result<Vec<Version>, String> {
    let mut versions: Vec<Version> = Vec::new();
    for word in text.split_ascii_whitespace() {
        let version: Version = match word.to_ascii_lowercase().as_str() {
            "tlsv1.2" => &TLS12,
            "tlsv1.3" => &TLS13,
            "tlsv1" | "tlsv1.1" => {
                return Err(format!(
                    "tls-protocols: {word} is not offered here, only TLSv1.2 and TLSv1.3 are"
                ));
            }
            _ => {
                return Err(format!(
                    "Invalid tls-protocols specified. Use a combination of 'TLSv1.2' and 'TLSv1.3', not '{word}'"
                ));
            }
        };
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    Ok(if versions.is_empty() { vec![&TLS13, &TLS12] } else { versions })
}

/// The suites of TLS 1.2 that the cipher list names, in its order.
///
/// # Errors
/// A word that neither OpenSSL nor rustls knows, or a list that leaves nothing.
pub fn tls12(list: &str) -> Result<Chosen, String> {
    let mut chosen: Vec<usize> = Vec::new();
    let mut banned: Vec<usize> = Vec::new();
    let mut left_out = Vec::new();
    for item in list.split([':', ',', ' ']).filter(|item| !item.is_empty() && !item.starts_with('@')) {
        let (operator, word) = match item.split_at_checked(1) {
            Some((operator @ ("!" | "-" | "+"), word)) => (operator, word),
            _ => ("", item),
        };
        let meant = meaning(word, &mut left_out)?;
        match operator {
            "!" => banned.extend(&meant),
            "" => chosen.extend(meant.iter().filter(|index| !chosen.contains(index)).collect::<Vec<_>>()),
            _ => {}
        }
        let (moved, mut kept): (Vec<usize>, Vec<usize>) =
            chosen.iter().partition(|index| !operator.is_empty() && meant.contains(index));
        if operator == "+" {
            kept.extend(moved);
        }
        chosen = kept;
    }
    chosen.retain(|index| !banned.contains(index));
    if chosen.is_empty() {
        return Err(format!("Failed to configure ciphers: {list}: none of them is offered here"));
    }
    Ok(Chosen { suites: chosen.into_iter().map(|index| TLS12_SUITES[index].suite).collect(), left_out })
}

/// Which suites a word means: those that all its parts mean. Notes a suite's name that only OpenSSL has.
fn meaning(word: &str, left_out: &mut Vec<String>) -> Result<Vec<usize>, String> {
    let mut meant: Vec<usize> = (0..TLS12_SUITES.len()).collect();
    for part in word.split('+') {
        let means =
            |suite: &Suite| suite.name == part || suite.words.contains(&part) || ALL_WORDS.contains(&part);
        meant.retain(|index| means(&TLS12_SUITES[*index]));
        if TLS12_SUITES.iter().any(means) || NONE_WORDS.contains(&part) {
            continue;
        }
        if !part.contains('-') || part.split('-').any(|piece| !NAME_PARTS.contains(&piece)) {
            return Err(format!("Failed to configure ciphers: '{part}' is not known"));
        }
        left_out.push(part.to_owned());
    }
    Ok(meant)
}

/// The suites of TLS 1.3 that `list` names, in its order.
///
/// # Errors
/// A name that nobody knows, or a list that leaves nothing.
pub fn tls13(list: &str) -> Result<Chosen, String> {
    let mut chosen = Chosen { suites: Vec::new(), left_out: Vec::new() };
    for name in list.split([':', ' ']).filter(|name| !name.is_empty()) {
        match TLS13_SUITES.iter().find(|suite| suite.name == name) {
            Some(found) if chosen.suites.contains(&found.suite) => {}
            Some(found) => chosen.suites.push(found.suite),
            None if name.starts_with("TLS_AES_128_CCM") => chosen.left_out.push(name.to_owned()),
            None => return Err(format!("Failed to configure ciphersuites: '{name}' is not known")),
        }
    }
    if chosen.suites.is_empty() {
        return Err(format!("Failed to configure ciphersuites: {list}: none of them is offered here"));
    }
    Ok(chosen)
}

/// All suites that TLS 1.2, and TLS 1.3, have without a directive.
pub fn defaults() -> [Vec<SupportedCipherSuite>; 2] {
    let all = |suites: &[Suite]| suites.iter().map(|suite| suite.suite).collect();
    [all(&TLS12_SUITES), all(&TLS13_SUITES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &str) -> Vec<&'static str> {
        let chosen = tls12(list).unwrap_or_else(|error| panic!("{list}: {error}"));
        let name = |suite: &SupportedCipherSuite| TLS12_SUITES.iter().find(|known| known.suite == *suite);
        chosen.suites.iter().map(|suite| name(suite).expect("one of the table").name).collect()
    }

    #[test]
    fn cipher_lists_mean_what_they_mean_to_openssl() {
        assert_eq!(names("DEFAULT:!MEDIUM").len(), 6);
        assert_eq!(
            names("ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"),
            ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"]
        );
        assert_eq!(names("CHACHA20+aRSA"), ["ECDHE-RSA-CHACHA20-POLY1305"]);
        assert_eq!(
            names("HIGH:!aECDSA:-CHACHA20:@STRENGTH"),
            ["ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256"]
        );
        assert_eq!(
            names("aRSA +AES256"),
            ["ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"]
        );
        assert_eq!(names("!AES:ALL"), ["ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"]);
        let mozilla = tls12("ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384").expect("one is there");
        assert_eq!(
            (mozilla.suites.len(), mozilla.left_out),
            (1, vec!["DHE-RSA-AES256-GCM-SHA384".to_owned()])
        );
    }

    #[test]
    fn unknown_words_and_empty_lists_are_errors() {
        for (list, reason) in [
            ("foo", "'foo' is not known"),
            ("HIGH:ECDHE-FOO-AES128-SHA", "'ECDHE-FOO-AES128-SHA' is not known"),
            ("DHE-RSA-AES128-SHA:RC4", "none of them"),
            ("HIGH:!ALL", "none of them"),
            ("", "none of them"),
        ] {
            let error = tls12(list).expect_err(list);
            assert!(error.contains(reason), "{list}: {error}");
        }
        assert!(tls13("TLS_FOO").is_err() && tls13("TLS_AES_128_CCM_SHA256").is_err());
        assert_eq!(
            tls13("TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_SHA256").expect("one is there").suites.len(),
            1
        );
    }

    #[test]
    fn protocols_are_those_of_rustls() {
        assert_eq!(protocols("").expect("the default"), [&TLS13, &TLS12]);
        assert_eq!(protocols(" tlsv1.2  TLSv1.2 ").expect("one"), [&TLS12]);
        assert!(protocols("TLSv1.3 TLSv1.1").expect_err("too old").contains("TLSv1.1 is not offered"));
        assert!(protocols("SSL").expect_err("no protocol").contains("Invalid tls-protocols"));
    }
}
