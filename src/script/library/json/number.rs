//! Numbers as C reads and writes them.

use crate::base::number::{format_significant, strtod};

/// Powers of ten that a double holds exactly, as far as 15 digits need them.
const POWERS: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
/// Any number of so many digits is exact in a double.
const EXACT_DIGITS: usize = 15;
/// Decimals that `append` tries before it computes digits.
const DECIMALS_TRIED: usize = 4;

/// `%.<precision>g`; `nan`, `inf` and `-inf` where there are no digits.
#[inline]
pub fn append(value: f64, precision: u8, text: &mut Vec<u8>) {
    let limit = POWERS[usize::from(precision)];
    let whole = value as i64;
    let is_whole = whole as f64 == value && value.abs() < limit;
    if is_whole && (whole != 0 || value.is_sign_positive()) {
        text.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
    } else if !append_decimals(value, limit, text) {
        append_any(value, precision, text);
    }
}

/// A number that is the nearest one to a decimal number of few digits is written as that: to round it to the
/// precision gives the same. False if it is none.
fn append_decimals(value: f64, limit: f64, text: &mut Vec<u8>) -> bool {
    let magnitude = value.abs();
    if !(1e-4..limit).contains(&magnitude) {
        return false;
    }
    for (decimals, power) in POWERS.iter().enumerate().take(DECIMALS_TRIED + 1).skip(1) {
        let scaled = magnitude * power;
        let digits = scaled as u64;
        if scaled >= limit {
            return false;
        }
        // Division rounds to the nearest, so that this is exact.
        if digits as f64 == scaled && scaled / power == magnitude {
            if digits.is_multiple_of(10) {
                // Fewer decimals would have done, but for the rounding of `scaled`.
                return false;
            }
            let power = *power as u64;
            if value < 0.0 {
                text.push(b'-');
            }
            text.extend_from_slice(itoa::Buffer::new().format(digits / power).as_bytes());
            text.push(b'.');
            let start = text.len();
            text.resize(start + decimals, b'0');
            let mut rest = digits % power;
            for place in text[start..].iter_mut().rev() {
                *place = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
            return true;
        }
    }
    false
}

#[cold]
fn append_any(value: f64, precision: u8, text: &mut Vec<u8>) {
    if value.is_finite() {
        text.extend_from_slice(&format_significant(value, precision.into()));
    } else if value.is_nan() {
        text.extend_from_slice(b"nan");
    } else {
        text.extend_from_slice(if value < 0.0 { b"-inf" } else { b"inf" });
    }
}

/// What C's strtod makes of the beginning of a text (no blanks before it), and of how many bytes; `None` if it begins
/// with no number.
#[inline]
pub fn take(text: &[u8]) -> Option<(f64, usize)> {
    let sign = usize::from(matches!(text.first(), Some(b'-' | b'+')));
    let (whole, mantissa) = digits(&text[sign..], 0);
    let mut end = sign + whole;
    let mut value = mantissa as f64;
    let mut count = whole;
    if text.get(end) == Some(&b'.') {
        let (fraction, mantissa) = digits(&text[end + 1..], mantissa);
        count += fraction;
        end += 1 + fraction;
        value = mantissa as f64 / POWERS[fraction.min(EXACT_DIGITS)];
    }
    let goes_on = matches!(text.get(end), Some(b'e' | b'E' | b'x' | b'X'));
    if goes_on || count > EXACT_DIGITS || count == 0 {
        return take_any(text);
    }
    Some((if text[0] == b'-' { -value } else { value }, end))
}

/// How many digits a text begins with, and `mantissa` with them after it.
#[inline]
fn digits(text: &[u8], mut mantissa: u64) -> (usize, u64) {
    let mut count = 0;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        mantissa = mantissa.wrapping_mul(10).wrapping_add(digit.into());
        count += 1;
    }
    (count, mantissa)
}

#[cold]
fn take_any(text: &[u8]) -> Option<(f64, usize)> {
    let sign = usize::from(matches!(text.first(), Some(b'-' | b'+')));
    let (magnitude, length) = match &text[sign..] {
        rest if starts_with_word(rest, b"nan") => (f64::NAN, nan_length(rest)),
        rest if starts_with_word(rest, b"infinity") => (f64::INFINITY, 8),
        rest if starts_with_word(rest, b"inf") => (f64::INFINITY, 3),
        rest => match hexadecimal_length(rest).or_else(|| decimal_length(rest)) {
            Some(length) => (strtod(&rest[..length])?, length),
            None => return None,
        },
    };
    // A NaN of an unknown sign is none that is told.
    let sign_bit = if text[0] == b'-' { -1.0 } else { 1.0 };
    Some((magnitude.copysign(sign_bit), sign + length))
}

/// Whether a text begins with a word in lower case, in any case.
pub fn starts_with_word(text: &[u8], word: &[u8]) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// `nan` may have letters, digits and underscores in parentheses after it.
fn nan_length(text: &[u8]) -> usize {
    let Some(inside) = text[3..].strip_prefix(b"(") else { return 3 };
    let letters = inside.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    if inside.get(letters) == Some(&b')') { 3 + letters + 2 } else { 3 }
}

/// Of `0x1.8p3`.
fn hexadecimal_length(text: &[u8]) -> Option<usize> {
    let [b'0', b'x' | b'X', rest @ ..] = text else { return None };
    let length = mantissa_length(rest, u8::is_ascii_hexdigit)?;
    Some(2 + length + exponent_length(&rest[length..], b'p'))
}

fn decimal_length(text: &[u8]) -> Option<usize> {
    let length = mantissa_length(text, u8::is_ascii_digit)?;
    Some(length + exponent_length(&text[length..], b'e'))
}

/// Digits with a point before, among or after them.
fn mantissa_length(text: &[u8], is_digit: fn(&u8) -> bool) -> Option<usize> {
    let count = |text: &[u8]| text.iter().take_while(|byte| is_digit(byte)).count();
    let whole = count(text);
    let fraction = text[whole..].strip_prefix(b".").map(count);
    match (whole, fraction) {
        (0, None | Some(0)) => None,
        (_, None) => Some(whole),
        (_, Some(fraction)) => Some(whole + 1 + fraction),
    }
}

/// 0 if there is none, or none that is complete.
fn exponent_length(text: &[u8], letter: u8) -> usize {
    let [first, rest @ ..] = text else { return 0 };
    let sign = usize::from(matches!(rest.first(), Some(b'-' | b'+')));
    match rest[sign..].iter().take_while(|byte| byte.is_ascii_digit()).count() {
        0 => 0,
        _ if !first.eq_ignore_ascii_case(&letter) => 0,
        digits => 1 + sign + digits,
    }
}
