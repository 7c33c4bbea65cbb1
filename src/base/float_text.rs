//! The grammar of a number as C's strtod reads it, and rounding to a binary format; shared by the two float
//! types.
//!
//! ```text
//! [+-] ( inf | infinity | digits [. digits] [e [+-] digits] | 0x hexdigits [. hexdigits] [p [+-] digits] )
//! ```
//!
//! The whole text must be the number: no space, nothing after it, at least one digit in the mantissa and in
//! an exponent that is begun. Letters in either case. `nan` is not a number here, as it is refused wherever
//! Redis reads one.

/// Exponents beyond this overflow or underflow any format, however long the mantissa (which fits in memory).
const EXPONENT_MAX: i64 = 1 << 50;

/// A number's sign and the rest.
#[derive(Debug)]
pub(super) struct FloatText<'a> {
    pub(super) negative: bool,
    pub(super) magnitude: Magnitude<'a>,
}

#[derive(Debug)]
pub(super) enum Magnitude<'a> {
    Infinite,
    /// `whole.fraction` times ten to the `exponent`; both may be empty but not together.
    Decimal {
        whole: &'a [u8],
        fraction: &'a [u8],
        exponent: i64,
    },
    /// `bits` times two to the `exponent`, plus less than one more bit if `sticky`.
    Binary(Bits),
}

/// An exact or truncated binary number: `mantissa * 2^exponent`, and something below the mantissa's last bit
/// if `sticky`. A sticky one has at least 66 significant bits, so that it can be rounded correctly.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bits {
    pub(super) mantissa: u128,
    pub(super) exponent: i64,
    pub(super) sticky: bool,
}

/// A binary format: bits of mantissa (at most 64), and the smallest and largest exponent of its last bit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Format {
    pub(super) precision: i64,
    pub(super) lowest: i64,
    pub(super) highest: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rounded {
    Zero,
    /// Normalized: the mantissa has `precision` bits unless the exponent is the lowest one.
    Finite {
        mantissa: u64,
        exponent: i64,
    },
    Overflow,
}

/// Reads `text` as one number; `None` if it is not one.
pub(super) fn scan(text: &[u8]) -> Option<FloatText<'_>> {
    let (negative, rest) = split_sign(text);
    let magnitude = match rest {
        [b'0', b'x' | b'X', digits @ ..] => scan_hexadecimal(digits)?,
        [b'i' | b'I', ..] => {
            let infinite = rest.eq_ignore_ascii_case(b"inf") || rest.eq_ignore_ascii_case(b"infinity");
            infinite.then_some(Magnitude::Infinite)?
        }
        _ => scan_decimal(rest)?,
    };
    Some(FloatText { negative, magnitude })
}

/// Rounds to nearest, ties to even, as the processor and strtod do.
pub(super) fn round(bits: Bits, format: Format) -> Rounded {
    let Bits { mantissa, exponent, sticky } = bits;
    if mantissa == 0 {
        return Rounded::Zero;
    }
    let length = i64::from(u128::BITS - mantissa.leading_zeros());
    let drop = (length - format.precision).max(format.lowest - exponent);
    if drop <= 0 {
        debug_assert!(!sticky, "a truncated number has spare bits");
        let shift = (format.precision - length).min(exponent - format.lowest);
        return finite((mantissa << shift) as u64, exponent - shift, format);
    }
    if drop > i64::from(u128::BITS) {
        return Rounded::Zero;
    }
    let kept = mantissa.checked_shr(drop as u32).unwrap_or(0);
    let half = 1u128 << (drop - 1);
    let rest = mantissa & (half | (half - 1));
    let up = rest > half || rest == half && (sticky || kept & 1 == 1);
    let kept = kept + u128::from(up);
    let exponent = exponent + drop;
    if kept >> format.precision == 0 {
        finite(kept as u64, exponent, format)
    } else {
        finite((kept >> 1) as u64, exponent + 1, format)
    }
}

fn finite(mantissa: u64, exponent: i64, format: Format) -> Rounded {
    if mantissa == 0 {
        Rounded::Zero
    } else if exponent > format.highest {
        Rounded::Overflow
    } else {
        Rounded::Finite { mantissa, exponent }
    }
}

fn split_sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

fn scan_decimal(text: &[u8]) -> Option<Magnitude<'_>> {
    let (whole, fraction, rest) = split_mantissa(text, u8::is_ascii_digit)?;
    let exponent = match rest {
        [] => 0,
        [b'e' | b'E', exponent @ ..] => scan_exponent(exponent)?,
        _ => return None,
    };
    Some(Magnitude::Decimal { whole, fraction, exponent })
}

fn scan_hexadecimal(text: &[u8]) -> Option<Magnitude<'_>> {
    let (whole, fraction, rest) = split_mantissa(text, u8::is_ascii_hexdigit)?;
    let mut exponent = match rest {
        [] => 0,
        [b'p' | b'P', exponent @ ..] => scan_exponent(exponent)?,
        _ => return None,
    };
    exponent -= 4 * fraction.len() as i64;
    let (mut mantissa, mut sticky) = (0u128, false);
    for &digit in whole.iter().chain(fraction) {
        let value = char::from(digit).to_digit(16)?;
        if mantissa >> (u128::BITS - 4) == 0 {
            mantissa = mantissa << 4 | u128::from(value);
        } else {
            sticky |= value != 0;
            exponent += 4;
        }
    }
    Some(Magnitude::Binary(Bits { mantissa, exponent, sticky }))
}

/// `digits [. digits]`: the part before the point, the part after it, and what follows.
fn split_mantissa(text: &[u8], is_digit: fn(&u8) -> bool) -> Option<(&[u8], &[u8], &[u8])> {
    let (whole, rest) = text.split_at(text.iter().take_while(|byte| is_digit(byte)).count());
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => rest.split_at(rest.iter().take_while(|byte| is_digit(byte)).count()),
        _ => rest.split_at(0),
    };
    (whole.len() + fraction.len() > 0).then_some((whole, fraction, rest))
}

fn scan_exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = split_sign(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0i64, |value, digit| {
        (value.saturating_mul(10).saturating_add(i64::from(digit - b'0'))).min(EXPONENT_MAX)
    });
    Some(if negative { -value } else { value })
}
