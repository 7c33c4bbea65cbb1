//! Libraries of functions in a string of bytes, as FUNCTION DUMP and RESTORE move them between servers.
//!
//! ```text
//! { F5 code }* version(2) crc64(8)           as in a file; the footer is that of a dumped value
//! ```
//! Code of release candidates of Redis 7.0 (F6) had its name beside it; no server that was released has written it.

use super::cursor::Cursor;
use super::dump::{checked_body, put_footer};
use super::records::{OPCODE_FUNCTION, OPCODE_FUNCTION_PRE_GA};
use super::strings::{TextCompressor, put_text};
use super::version::VERSION_BASE;
use super::{Checksum, Compression};
use std::fmt;

/// The payload of libraries with these codes.
pub fn dump_functions(codes: &[&[u8]], compression: Compression) -> Vec<u8> {
    let mut out = Vec::new();
    let mut compressor = TextCompressor::new();
    for code in codes {
        out.push(OPCODE_FUNCTION);
        put_text(&mut out, code, compression, &mut compressor);
    }
    put_footer(&mut out, 0, VERSION_BASE);
    out
}

/// Why a payload gives no libraries. The texts are Redis's, without the error code, but for the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionsError {
    /// The last ten bytes do not fit the rest, or say a version that cannot be read.
    Footer,
    /// There is something else between them.
    NotAFunction,
    /// A code is cut off, or not encoded as a string.
    Code,
    PreRelease,
}

impl fmt::Display for FunctionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FunctionsError::Footer => "DUMP payload version or checksum are wrong",
            FunctionsError::NotAFunction => "given type is not a function",
            FunctionsError::Code => "Failed loading library payload",
            FunctionsError::PreRelease => "Pre-release function format not supported.",
        })
    }
}

impl std::error::Error for FunctionsError {}

/// The codes in a payload.
pub fn restore_functions(payload: &[u8], checksum: Checksum) -> Result<Vec<Vec<u8>>, FunctionsError> {
    let (body, _) = checked_body(payload, checksum).ok_or(FunctionsError::Footer)?;
    let mut cursor = Cursor::new(body);
    let mut codes = Vec::new();
    while cursor.rest_len() > 0 {
        match cursor.byte() {
            Ok(OPCODE_FUNCTION) => codes.push(cursor.owned().map_err(|_| FunctionsError::Code)?),
            Ok(OPCODE_FUNCTION_PRE_GA) => return Err(FunctionsError::PreRelease),
            _ => return Err(FunctionsError::NotAFunction),
        }
    }
    Ok(codes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODES: [&[u8]; 3] = [
        b"#!lua name=a\nredis.register_function('f', function() return 'ffffffffffffffffffffffffff' end)",
        b"12",
        b"",
    ];

    /// What redis-server 7.0.15 answers without a library, and with one.
    const EMPTY: &[u8] = b"\n\x00]\x9b\\@\x0f\x7f\xa2\xda";
    const ONE: &[u8] = b"\xf5@D#!lua name='q'\nredis.register_function('f', function() return 1 end)\xf5\xc3@E@g\x1f\
        #!lua name=l\nredis.register_func\ntion('f1', \xe0\x00\x0e\x06) end) \xe0\x11-\x022',\xe0\x04,\x01d)\n\x00*/\
        \xa3\x8c\x10%\x7fd";

    #[test]
    fn payloads_come_back() {
        for compression in [Compression::Lzf, Compression::Off] {
            let payload = dump_functions(&CODES, compression);
            assert_eq!(restore_functions(&payload, Checksum::On).unwrap(), CODES);
        }
        assert_eq!(dump_functions(&[], Compression::Lzf), EMPTY);
        let codes = restore_functions(ONE, Checksum::On).unwrap();
        assert_eq!(codes.len(), 2);
        assert!(codes[1].starts_with(b"#!lua name=l\nredis.register_function('f1', function() end)"));
    }

    #[test]
    fn what_is_no_payload_is_told() {
        let error = |body: &[u8]| {
            let mut payload = body.to_vec();
            put_footer(&mut payload, 0, VERSION_BASE);
            restore_functions(&payload, Checksum::On).unwrap_err()
        };
        assert_eq!(error(b"\0"), FunctionsError::NotAFunction);
        assert_eq!(error(b"\xf5"), FunctionsError::Code);
        assert_eq!(error(b"\xf5\x05ab"), FunctionsError::Code);
        assert_eq!(error(b"\xf5\x02ab\xff"), FunctionsError::NotAFunction);
        assert_eq!(error(b"\xf6\x01a"), FunctionsError::PreRelease);
        let mut payload = dump_functions(&CODES, Compression::Lzf);
        *payload.last_mut().unwrap() ^= 1;
        assert_eq!(restore_functions(&payload, Checksum::On), Err(FunctionsError::Footer));
    }

    /// Every truncation and many changed bytes, with the footer as it should be.
    #[test]
    fn damage_is_an_error_and_takes_no_memory() {
        let whole = dump_functions(&CODES, Compression::Lzf);
        let body = &whole[..whole.len() - 10];
        let mut rng = fastrand::Rng::with_seed(7);
        let check = |mut body: Vec<u8>| {
            put_footer(&mut body, 0, VERSION_BASE);
            if let Ok(codes) = restore_functions(&body, Checksum::On) {
                let bytes: usize = codes.iter().map(Vec::len).sum();
                assert!(bytes <= crate::base::lzf::EXPANSION_MAX * body.len());
            }
        };
        for length in 0..whole.len() {
            check(body[..length.min(body.len())].to_vec());
            assert_eq!(restore_functions(&whole[..length], Checksum::On), Err(FunctionsError::Footer));
        }
        for _ in 0..3000 {
            let mut changed = body.to_vec();
            for _ in 0..rng.usize(1..4) {
                let at = rng.usize(..changed.len());
                changed[at] = rng.u8(..);
            }
            check(changed);
        }
    }
}
