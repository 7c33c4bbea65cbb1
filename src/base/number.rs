//! Numbers as text, exactly as Redis reads and writes them.
//!
//! Integers have one spelling only (no plus sign, no leading zero, no space), so that a string that can be
//! stored as an integer comes back unchanged. Floats are read like strtod and written like `%.17g`: 0.1 is
//! 0.10000000000000001. Sizes have units, "64mb".

use super::float_text::{self, Format, Magnitude, Rounded};
use std::io::Write;

/// The longest text of an i64: `-9223372036854775808`.
pub const I64_TEXT_BYTES_MAX: usize = 20;

const F64_FORMAT: Format = Format { precision: 53, lowest: -1074, highest: 971 };

/// Significant digits that tell any two f64 apart.
const F64_DIGITS: usize = 17;

/// A short number's text, on the stack.
#[derive(Clone, Copy)]
pub struct NumberText {
    bytes: [u8; 32],
    length: u8,
}

impl NumberText {
    fn new(text: &[u8]) -> Self {
        let mut number = NumberText { bytes: [0; 32], length: 0 };
        number.append(text);
        number
    }

    fn append(&mut self, text: &[u8]) {
        let start = usize::from(self.length);
        self.bytes[start..start + text.len()].copy_from_slice(text);
        self.length += text.len() as u8;
    }
}

impl std::ops::Deref for NumberText {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl std::fmt::Debug for NumberText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.escape_ascii())
    }
}

/// An integer in its one spelling: what is read is what `format_i64` writes.
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    match text {
        [b'-', digits @ ..] => {
            let magnitude = parse_u64(digits)?;
            if magnitude == 0 { None } else { 0i64.checked_sub_unsigned(magnitude) }
        }
        digits => i64::try_from(parse_u64(digits)?).ok(),
    }
}

/// As `parse_i64`, without a sign and up to 18446744073709551615.
pub fn parse_u64(text: &[u8]) -> Option<u64> {
    match text {
        [digit @ b'0'..=b'9'] => Some(u64::from(digit - b'0')),
        [b'1'..=b'9', ..] if text.len() < 20 => text.iter().try_fold(0u64, |value, &byte| {
            let digit = byte.wrapping_sub(b'0');
            (digit <= 9).then(|| value * 10 + u64::from(digit))
        }),
        [b'1', ..] if text.len() == 20 => text.iter().try_fold(0u64, |value, &byte| {
            let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
            value.checked_mul(10)?.checked_add(digit)
        }),
        _ => None,
    }
}

/// The integer's text.
pub fn format_i64(value: i64) -> NumberText {
    NumberText::new(itoa::Buffer::new().format(value).as_bytes())
}

/// The length of the integer's text, its minus sign included.
pub fn digits_len(value: i64) -> usize {
    let digits = value.unsigned_abs().checked_ilog10().map_or(1, |log| log as usize + 1);
    digits + usize::from(value < 0)
}

/// A float as Redis reads an argument or a stored value: the whole text as strtod takes it, hexadecimal and
/// `inf` in any case included; no space, no `nan`, nothing that overflows or is too small to differ from
/// zero.
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    let scanned = float_text::scan(text)?;
    let magnitude = match scanned.magnitude {
        Magnitude::Infinite => f64::INFINITY,
        Magnitude::Binary(bits) if bits.mantissa == 0 => 0.0,
        Magnitude::Binary(bits) => match float_text::round(bits, F64_FORMAT) {
            Rounded::Finite { mantissa, exponent } => compose_f64(mantissa, exponent),
            Rounded::Zero | Rounded::Overflow => return None,
        },
        Magnitude::Decimal { whole, fraction, .. } => {
            let value = std::str::from_utf8(text).ok()?.parse::<f64>().ok()?.abs();
            let is_zero = whole.iter().chain(fraction).all(|&digit| digit == b'0');
            if value.is_infinite() || (value == 0.0 && !is_zero) {
                return None;
            }
            value
        }
    };
    Some(if scanned.negative { -magnitude } else { magnitude })
}

/// A float as C's strtod reads a text up to its end, which a NUL is, too: blanks before it are passed over, no text is
/// 0, what overflows is infinite and what is too small is zero. Redis reads the ends of score ranges so; `nan` is
/// refused.
pub fn strtod(text: &[u8]) -> Option<f64> {
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let number = &text[text.iter().take_while(|byte| is_blank(byte)).count()..];
    if text.is_empty() {
        return Some(0.0);
    }
    let scanned = float_text::scan(number)?;
    let magnitude = match scanned.magnitude {
        Magnitude::Infinite => f64::INFINITY,
        Magnitude::Binary(bits) => match float_text::round(bits, F64_FORMAT) {
            Rounded::Zero => 0.0,
            Rounded::Finite { mantissa, exponent } => compose_f64(mantissa, exponent),
            Rounded::Overflow => f64::INFINITY,
        },
        Magnitude::Decimal { .. } => std::str::from_utf8(number).ok()?.parse::<f64>().ok()?.abs(),
    };
    Some(if scanned.negative { -magnitude } else { magnitude })
}

/// The f64 of a normalized mantissa of at most 53 bits.
fn compose_f64(mantissa: u64, exponent: i64) -> f64 {
    let implicit = 1u64 << 52;
    if mantissa < implicit {
        return f64::from_bits(mantissa);
    }
    f64::from_bits(((exponent + 1075) as u64) << 52 | (mantissa & (implicit - 1)))
}

/// C's `%.17g`: as Redis 7.0 replies a double (`inf` and `-inf` are words).
pub fn format_f64(value: f64) -> NumberText {
    let sign: &[u8] = if value.is_sign_negative() { b"-" } else { b"" };
    if !value.is_finite() {
        let mut text = NumberText::new(sign);
        text.append(if value.is_nan() { b"nan" } else { b"inf" });
        return text;
    }
    // Whole numbers of up to 16 digits need no rounding, and are most scores.
    if value.abs() < 1e15 && value == value.trunc() && (value != 0.0 || sign.is_empty()) {
        return format_i64(value as i64);
    }
    format_significant(value, F64_DIGITS)
}

/// C's `%.<digits>g` of a finite number, for 1 to 17 digits.
pub fn format_significant(value: f64, digits: usize) -> NumberText {
    let mut scientific = [0u8; 32];
    let mut unwritten = &mut scientific[..];
    write!(unwritten, "{:.*e}", digits - 1, value.abs()).expect("at most 17 digits and an exponent of 4");
    let length = 32 - unwritten.len();
    let (text, exponent) = split_scientific(&scientific[..length], digits);
    let significant = text[..digits].iter().rposition(|&digit| digit != b'0').map_or(1, |last| last + 1);
    let sign: &[u8] = if value.is_sign_negative() { b"-" } else { b"" };
    let mut number = NumberText::new(sign);
    if (-4..digits as i32).contains(&exponent) {
        append_fixed(&mut number, &text[..significant], exponent);
    } else {
        append_scientific(&mut number, &text[..significant], exponent);
    }
    number
}

/// `d.ddd[e[-]x]` with so many digits as its digits and its exponent.
fn split_scientific(text: &[u8], count: usize) -> ([u8; F64_DIGITS], i32) {
    let mut digits = [b'0'; F64_DIGITS];
    digits[0] = text[0];
    // A single digit has no point after it.
    let end = if count == 1 { 1 } else { count + 1 };
    digits[1..count].copy_from_slice(&text[2.min(end)..end]);
    let exponent = parse_i64(&text[end + 1..]).expect("Rust writes an exponent as a plain integer");
    (digits, exponent as i32)
}

/// `digits` with the point after `exponent + 1` of them, which may be before the first or after the last.
fn append_fixed(text: &mut NumberText, digits: &[u8], exponent: i32) {
    if exponent < 0 {
        text.append(&b"0.000"[..1 + exponent.unsigned_abs() as usize]);
        return text.append(digits);
    }
    let whole = exponent as usize + 1;
    text.append(&digits[..whole.min(digits.len())]);
    text.append(&b"0000000000000000"[..whole.saturating_sub(digits.len())]);
    if digits.len() > whole {
        text.append(b".");
        text.append(&digits[whole..]);
    }
}

fn append_scientific(text: &mut NumberText, digits: &[u8], exponent: i32) {
    text.append(&digits[..1]);
    if digits.len() > 1 {
        text.append(b".");
        text.append(&digits[1..]);
    }
    text.append(if exponent < 0 { b"e-" } else { b"e+" });
    if exponent.abs() < 10 {
        text.append(b"0");
    }
    text.append(&format_i64(i64::from(exponent.abs())));
}

/// A size in bytes: `1k` is 1000, `1kb` 1024, likewise m, mb, g, gb, in any case; plain or `b` are bytes. No
/// digits are zero, and a NUL ends the text, as in Redis; a size beyond 64 bits is the largest one, where Redis would
/// wrap around.
pub fn parse_memory(text: &[u8]) -> Option<u64> {
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    let (digits, unit) = text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count());
    let factor: u64 = match unit.to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1000,
        b"kb" => 1 << 10,
        b"m" => 1_000_000,
        b"mb" => 1 << 20,
        b"g" => 1_000_000_000,
        b"gb" => 1 << 30,
        _ => return None,
    };
    let grow = |value: u64, digit: &u8| value.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    Some(digits.iter().fold(0, grow).saturating_mul(factor))
}

/// `1.29M`: two decimals and a unit of 1024, plain bytes below; as INFO's `used_memory_human`.
pub fn format_human_bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["K", "M", "G", "T", "P"];
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    let step = (bytes.ilog2() / 10) as usize;
    match UNITS.get(step - 1) {
        Some(unit) => format!("{:.2}{unit}", bytes as f64 / (1u64 << (10 * step)) as f64),
        None => format!("{bytes}B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn integers_have_one_spelling() {
        let good =
            ["0", "7", "-1", "42", "9223372036854775807", "-9223372036854775808", "1000000000000000000"];
        for text in good {
            let value = parse_i64(text.as_bytes()).expect(text);
            assert_eq!((&*format_i64(value), digits_len(value)), (text.as_bytes(), text.len()));
        }
        let bad = [
            "",
            "-",
            "-0",
            "00",
            "01",
            "+1",
            " 1",
            "1 ",
            "1a",
            "a",
            "0x1",
            "-01",
            "--1",
            "1.0",
            "9223372036854775808",
            "-9223372036854775809",
            "92233720368547758070",
            "18446744073709551616",
            "1\0",
        ];
        for text in bad {
            assert_eq!(parse_i64(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse_u64(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(parse_u64(b"18446744073709551616"), None);
        assert_eq!(parse_u64(b"1844674407370955161:"), None);
    }

    #[test]
    fn floats_are_read_and_written_as_by_redis() {
        // ZADD and ZSCORE on redis-server 7.0.15.
        let good = [
            ("0.1", "0.10000000000000001"),
            ("0", "0"),
            ("1e16", "10000000000000000"),
            ("1e17", "1e+17"),
            ("99999999999999984", "99999999999999984"),
            ("123456789012345678", "1.2345678901234568e+17"),
            ("1e-5", "1.0000000000000001e-05"),
            ("0.0001", "0.0001"),
            ("0.00001234", "1.234e-05"),
            ("1125899906842624.25", "1125899906842624.2"),
            ("1125899906842624.75", "1125899906842624.8"),
            ("5e-324", "4.9406564584124654e-324"),
            ("0e999999999999", "0"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
            ("inf", "inf"),
            ("-inf", "-inf"),
            ("+INF", "inf"),
            ("iNfInItY", "inf"),
            ("0x10", "16"),
            ("0x1.8p3", "12"),
            ("0X1P-1074", "4.9406564584124654e-324"),
            ("0x.8", "0.5"),
            ("0x8.", "8"),
            ("-0x8", "-8"),
            ("1E5", "100000"),
            ("5.", "5"),
            (".5", "0.5"),
            ("00012", "12"),
            ("1e0005", "100000"),
            ("0x1.fffffffffffff8p0", "2"),
            ("0x1.00000000000008p0", "1"),
            ("0x1.000000000000080000000000000000000000000000000000001p0", "1.0000000000000002"),
            ("0x0p99999999999", "0"),
            ("3e-324", "4.9406564584124654e-324"),
            ("2.4703282292062328e-324", "4.9406564584124654e-324"),
            ("4503599627370496.5", "4503599627370496"),
            ("-1.5", "-1.5"),
        ];
        for (text, written) in good {
            let value = parse_f64(text.as_bytes()).expect(text);
            assert_eq!(format_f64(value).escape_ascii().to_string(), written, "{text}");
        }
        assert_eq!(&*format_f64(-0.0), b"-0");
        assert_eq!(&*format_f64(-f64::NAN.copysign(1.0)), b"-nan");
    }

    #[test]
    fn what_redis_refuses_as_a_float_is_refused() {
        let bad = [
            "1e-400",
            "1e400",
            "1.7976931348623159e308",
            "infin",
            "nan",
            "NAN",
            "nan(abc)",
            "-nan",
            "0x1p-1075",
            "0x1p1024",
            "0x",
            "0x.",
            "0x1p",
            "0x1p+",
            "0xp1",
            "1e",
            "1e+",
            ".",
            ".e1",
            "+-1",
            "--1",
            " 1",
            "1 ",
            "\t1",
            "",
            "1_0",
            "1\0",
            "1,5",
            "2e-324",
            "0b1",
            "1d",
            "2.4703282292062327e-324",
            "+",
            "-",
            "i",
        ];
        for text in bad {
            assert_eq!(parse_f64(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn strtod_is_lenient() {
        let good = [
            ("", 0.0),
            ("1.5", 1.5),
            (" \t\r\n-2", -2.0),
            ("1e400", f64::INFINITY),
            ("-1e400", f64::NEG_INFINITY),
            ("1e-400", 0.0),
            ("0x10", 16.0),
            ("0x1p1024", f64::INFINITY),
            ("0x1p-1080", 0.0),
            ("-inf", f64::NEG_INFINITY),
            ("3\0x", 3.0),
            ("\0x", 0.0),
        ];
        for (text, value) in good {
            assert_eq!(strtod(text.as_bytes()), Some(value), "{text}");
        }
        for text in [" ", "1 ", "nan", "(1", "x", "1x", "--1"] {
            assert_eq!(strtod(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn sizes_have_units() {
        let good = [
            ("1k", 1000),
            ("1kb", 1024),
            ("1K", 1000),
            ("1kB", 1024),
            ("2m", 2_000_000),
            ("1MB", 1 << 20),
            ("1g", 1_000_000_000),
            ("1gb", 1 << 30),
            ("1B", 1),
            ("", 0),
            ("kb", 0),
            ("007", 7),
            ("1\0k", 1),
            ("18446744073709551615", u64::MAX),
            ("99999999999999999999", u64::MAX),
            ("20000000000g", u64::MAX),
        ];
        for (text, value) in good {
            assert_eq!(parse_memory(text.as_bytes()), Some(value), "{text}");
        }
        for text in ["-1", "1 k", "1.5k", "1t", " 1", "+1", "1kbb", "1kib", "0x10"] {
            assert_eq!(parse_memory(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn sizes_are_readable() {
        let expected = [
            (0, "0B"),
            (1023, "1023B"),
            (1024, "1.00K"),
            (1_352_663, "1.29M"),
            (1 << 30, "1.00G"),
            (5 << 40, "5.00T"),
            (1 << 50, "1.00P"),
            (1 << 60, "1152921504606846976B"),
        ];
        for (bytes, text) in expected {
            assert_eq!(format_human_bytes(bytes), text);
        }
    }

    proptest! {
        #[test]
        fn integers_come_back(value: i64) {
            let text = format_i64(value);
            prop_assert_eq!(parse_i64(&text), Some(value));
            prop_assert_eq!(digits_len(value), text.len());
        }

        #[test]
        fn floats_come_back(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(!value.is_nan());
            prop_assert_eq!(parse_f64(&format_f64(value)), Some(value));
        }

        #[test]
        fn parsing_survives_anything(text in "[-+0-9.exXpPinfINF ]{0,24}") {
            let _ = (parse_f64(text.as_bytes()), parse_i64(text.as_bytes()), parse_memory(text.as_bytes()));
        }
    }
}
