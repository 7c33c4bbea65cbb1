//! The 80-bit extended float of the x87, in software: what INCRBYFLOAT and HINCRBYFLOAT count in.
//!
//! Redis adds in C's `long double` and prints `%.17Lf`. On x86 that type has a 64-bit mantissa, which is why
//! 0.1 + 0.2 is 0.3 there; with f64 the replies would differ. Here it is exact on every machine.
//!
//! ```text
//! value = (-1)^negative * mantissa * 2^exponent,   mantissa < 2^64,   -16445 <= exponent <= 16320
//! ```
//!
//! Invariants:
//! 1. A finite mantissa has its top bit set, or the exponent is the lowest one (a subnormal), or the number
//!    is zero.
//! 2. Every operation rounds once, to nearest, ties to even.
//! 3. The common case (at most 19 digits, small exponents) needs integers of 128 bits only.
//!
//! It does nothing but read, add and print, because nothing else is asked of it.

use super::float_text::{self, Bits, Format, Magnitude, Rounded};
use num_bigint::BigUint;
use std::fmt::Write;

/// A text of this many bytes or more is not read as a number, as in Redis.
const TEXT_BYTES_MAX: usize = 5 * 1024;

/// Digits after the point that are printed.
const FRACTION_DIGITS: usize = 17;

const FORMAT: Format = Format { precision: 64, lowest: -16_445, highest: 16_320 };

/// Ten to this or more overflows, whatever the digits; below the negative it is zero. With a margin: rounding
/// decides.
const DECIMAL_EXPONENT_MAX: i64 = 4_960;

/// An 80-bit extended float.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongDouble {
    negative: bool,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Finite { mantissa: u64, exponent: i32 },
    Infinite,
    NotANumber,
}

const ZERO: Kind = Kind::Finite { mantissa: 0, exponent: 0 };

impl LongDouble {
    /// Reads a number as strtold does, with Redis's conditions: the whole text, no space, no NaN, shorter
    /// than 5 KiB. What overflows, or is not zero but rounds to zero, is refused; `inf` is read.
    pub fn parse(text: &[u8]) -> Option<LongDouble> {
        if text.len() >= TEXT_BYTES_MAX {
            return None;
        }
        let scanned = float_text::scan(text)?;
        let kind = match scanned.magnitude {
            Magnitude::Infinite => Kind::Infinite,
            Magnitude::Binary(bits) if bits.mantissa == 0 => ZERO,
            Magnitude::Binary(bits) => in_range(bits)?,
            Magnitude::Decimal { whole, fraction, exponent } => parse_decimal(whole, fraction, exponent)?,
        };
        Some(LongDouble { negative: scanned.negative, kind })
    }

    /// Neither infinite nor NaN.
    pub fn is_finite(self) -> bool {
        matches!(self.kind, Kind::Finite { .. })
    }

    /// Greater than zero, however little.
    pub fn is_positive(self) -> bool {
        !self.negative && !matches!(self.kind, ZERO | Kind::NotANumber)
    }

    /// `%.17Lf` without the zeros at its end, nor a point or a minus sign that would stand for nothing.
    pub fn to_text(self) -> String {
        let sign = if self.negative { "-" } else { "" };
        match self.kind {
            Kind::NotANumber => format!("{sign}nan"),
            Kind::Infinite => format!("{sign}inf"),
            Kind::Finite { mantissa, exponent } => {
                let magnitude = magnitude_text(mantissa, exponent);
                if magnitude == "0" { magnitude } else { format!("{sign}{magnitude}") }
            }
        }
    }
}

impl std::ops::Add for LongDouble {
    type Output = LongDouble;

    /// The sum, rounded once.
    fn add(self, other: LongDouble) -> LongDouble {
        let (left, right) = match (self.kind, other.kind) {
            (Kind::NotANumber, _) => return self,
            (_, Kind::NotANumber) => return other,
            (Kind::Infinite, Kind::Infinite) if self.negative != other.negative => {
                return LongDouble { negative: true, kind: Kind::NotANumber };
            }
            (Kind::Infinite, _) => return self,
            (_, Kind::Infinite) => return other,
            (Kind::Finite { mantissa: 0, .. }, _) => return other,
            (_, Kind::Finite { mantissa: 0, .. }) => return self,
            (
                Kind::Finite { mantissa: left, exponent: left_exponent },
                Kind::Finite { mantissa: right, exponent: right_exponent },
            ) => ((left, left_exponent), (right, right_exponent)),
        };
        if self.negative == other.negative {
            return add_magnitudes(left, right, self.negative);
        }
        subtract_magnitudes(left, right, self.negative)
    }
}

impl From<i64> for LongDouble {
    fn from(value: i64) -> Self {
        let bits = Bits { mantissa: u128::from(value.unsigned_abs()), exponent: 0, sticky: false };
        LongDouble { negative: value < 0, kind: rounded(bits) }
    }
}

/// Rounds; overflow gives infinity, as arithmetic does.
fn rounded(bits: Bits) -> Kind {
    match float_text::round(bits, FORMAT) {
        Rounded::Zero => ZERO,
        Rounded::Finite { mantissa, exponent } => Kind::Finite { mantissa, exponent: exponent as i32 },
        Rounded::Overflow => Kind::Infinite,
    }
}

/// Rounds what was not zero; overflow and underflow give nothing, as reading does.
fn in_range(bits: Bits) -> Option<Kind> {
    match float_text::round(bits, FORMAT) {
        Rounded::Finite { mantissa, exponent } => Some(Kind::Finite { mantissa, exponent: exponent as i32 }),
        Rounded::Zero | Rounded::Overflow => None,
    }
}

fn parse_decimal(whole: &[u8], fraction: &[u8], exponent: i64) -> Option<Kind> {
    let zeros = fraction.iter().rev().take_while(|&&digit| digit == b'0').count();
    let fraction = &fraction[..fraction.len() - zeros];
    let leading = |digits: &[u8]| digits.iter().take_while(|&&digit| digit == b'0').count();
    let whole = &whole[leading(whole)..];
    let exponent = exponent - fraction.len() as i64;
    let fraction = if whole.is_empty() { &fraction[leading(fraction)..] } else { fraction };
    let count = whole.len() + fraction.len();
    if count == 0 {
        return Some(ZERO);
    }
    if count <= 19 && (-18..=19).contains(&exponent) {
        let digits = whole.iter().chain(fraction);
        let value = digits.fold(0u64, |value, digit| value * 10 + u64::from(digit - b'0'));
        return in_range(scale_small(value, exponent));
    }
    let magnitude = exponent + count as i64;
    if !(-DECIMAL_EXPONENT_MAX..=DECIMAL_EXPONENT_MAX).contains(&magnitude) {
        return None;
    }
    in_range(scale_big(&[whole, fraction].concat(), exponent))
}

/// `value * 10^exponent` for a value below 10^19 and an exponent from -18 to 19.
fn scale_small(value: u64, exponent: i64) -> Bits {
    let power = 10u128.pow(exponent.unsigned_abs() as u32);
    if exponent >= 0 {
        return Bits { mantissa: u128::from(value) * power, exponent: 0, sticky: false };
    }
    // With the top bit of 128 set, a quotient by less than 2^60 keeps more than the 66 bits that rounding
    // needs.
    let shift = u128::from(value).leading_zeros();
    let numerator = u128::from(value) << shift;
    Bits { mantissa: numerator / power, exponent: -i64::from(shift), sticky: numerator % power != 0 }
}

/// As `scale_small`, for any digits and an exponent within some 10000 of zero.
fn scale_big(digits: &[u8], exponent: i64) -> Bits {
    let value = BigUint::parse_bytes(digits, 10).expect("the scan has left digits only");
    let power = BigUint::from(10u32).pow(exponent.unsigned_abs() as u32);
    if exponent >= 0 {
        return leading_bits(&(value * power), 0, false);
    }
    let shift = (u128::BITS as u64 + power.bits()).saturating_sub(value.bits());
    let numerator = value << shift;
    let quotient = &numerator / &power;
    let exact = &quotient * &power == numerator;
    leading_bits(&quotient, -(shift as i64), !exact)
}

/// The first 128 bits of a big number.
fn leading_bits(value: &BigUint, exponent: i64, sticky: bool) -> Bits {
    let excess = value.bits().saturating_sub(u64::from(u128::BITS));
    let mantissa = u128::try_from(value >> excess).expect("the excess over 128 bits is cut off");
    let sticky = sticky || value.trailing_zeros().is_some_and(|zeros| zeros < excess);
    Bits { mantissa, exponent: exponent + excess as i64, sticky }
}

/// Spare bits below the larger number's last one; above it stay two, for the carry.
const GUARD_BITS: u32 = 62;

/// The second of two numbers in units of the first one's last guard bit, and whether bits were lost below
/// that.
fn align(small: u64, distance: u32) -> (u128, bool) {
    let wide = u128::from(small) << GUARD_BITS;
    let shifted = wide.checked_shr(distance).unwrap_or(0);
    (shifted, distance >= u128::BITS || shifted << distance != wide)
}

fn add_magnitudes(left: (u64, i32), right: (u64, i32), negative: bool) -> LongDouble {
    let (large, small) = if left.1 >= right.1 { (left, right) } else { (right, left) };
    let (addend, sticky) = align(small.0, large.1.abs_diff(small.1));
    let mantissa = (u128::from(large.0) << GUARD_BITS) + addend;
    let bits = Bits { mantissa, exponent: i64::from(large.1) - i64::from(GUARD_BITS), sticky };
    LongDouble { negative, kind: rounded(bits) }
}

/// `left - right`, and the other sign if `negative`.
fn subtract_magnitudes(left: (u64, i32), right: (u64, i32), negative: bool) -> LongDouble {
    let left_is_larger = (left.1, left.0) >= (right.1, right.0);
    let (large, small, negative) =
        if left_is_larger { (left, right, negative) } else { (right, left, !negative) };
    let (subtrahend, sticky) = align(small.0, large.1.abs_diff(small.1));
    // What was lost below the guard bits is taken off as one whole unit and given back as the sticky part.
    let mantissa = (u128::from(large.0) << GUARD_BITS) - subtrahend - u128::from(sticky);
    let bits = Bits { mantissa, exponent: i64::from(large.1) - i64::from(GUARD_BITS), sticky };
    LongDouble { negative: negative && mantissa != 0, kind: rounded(bits) }
}

fn magnitude_text(mantissa: u64, exponent: i32) -> String {
    if exponent > 64 {
        return (BigUint::from(mantissa) << exponent).to_string();
    }
    if exponent >= 0 {
        return (u128::from(mantissa) << exponent).to_string();
    }
    let shift = exponent.unsigned_abs();
    let whole = mantissa.checked_shr(shift).unwrap_or(0);
    let fraction = if shift < 64 { mantissa & ((1 << shift) - 1) } else { mantissa };
    // Below 2^64 * 10^17 < 2^121, so from a shift of 128 on it is less than a half.
    let scaled = u128::from(fraction) * 10u128.pow(FRACTION_DIGITS as u32);
    let digits = shift_right_rounded(scaled, shift);
    let carry = digits / 10u128.pow(FRACTION_DIGITS as u32);
    let digits = digits % 10u128.pow(FRACTION_DIGITS as u32);
    let mut text = (u128::from(whole) + carry).to_string();
    if digits != 0 {
        write!(text, ".{digits:017}").expect("a String takes everything");
        text.truncate(text.trim_end_matches('0').len());
    }
    text
}

/// `value / 2^shift`, to nearest, ties to even; zero from a shift of 128 on. The shift is not zero.
fn shift_right_rounded(value: u128, shift: u32) -> u128 {
    if shift >= u128::BITS {
        return 0;
    }
    let kept = value >> shift;
    let half = 1u128 << (shift - 1);
    let rest = value & (half | (half - 1));
    kept + u128::from(rest > half || rest == half && kept & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored value, increment, reply of INCRBYFLOAT on redis-server 7.0.15 (x86-64).
    const SEEN_ON_REDIS: &[(&str, &str, &str)] = &[
        ("0.1", "0.2", "0.3"),
        ("0", "3.0e3", "3000"),
        ("0", "1e17", "100000000000000000"),
        ("0", "5e-324", "0"),
        ("0", "1e-4940", "0"),
        ("0", "0e99999", "0"),
        ("-0", "-0", "0"),
        ("0", "-1e-20", "0"),
        ("0", "1e-17", "0.00000000000000001"),
        ("0", "5e-18", "0"),
        ("0", "6e-18", "0.00000000000000001"),
        ("0", "1.5e-17", "0.00000000000000002"),
        ("0", "2.5e-17", "0.00000000000000002"),
        ("0", "+5", "5"),
        ("1", "-1", "0"),
        ("0", "18446744073709551617", "18446744073709551616"),
        ("0", "0x1.00000000000000018p0", "1"),
        ("0", "0x1p-16445", "0"),
        ("0", "0x1.8p-16446", "0"),
        ("9007199254740993", "0.5", "9007199254740993.5"),
        ("12345678901234567890", "0.99999999999999999", "12345678901234567891"),
        ("0", "0e-99999999999999999999", "0"),
        ("0x1p63", "0x1.8p-1", "9223372036854775809"),
        ("0x1p64", "-0x1p-1", "18446744073709551616"),
        ("0x1p64", "-0x1p-2", "18446744073709551616"),
        ("0x1p64", "1", "18446744073709551616"),
        ("0x1p64", "3", "18446744073709551620"),
        ("-0x1p64", "1e-4000", "-18446744073709551616"),
        ("10.50", "0.1", "10.6"),
        ("5.0e3", "2.0e2", "5200"),
        ("0.99999999999999999", "0.000000000000000009", "1"),
        ("0", "-0.0", "0"),
        ("1e30", "-1e10", "1000000000000000000024696061952"),
        ("340282366920938463463374607431768211456", "1", "340282366920938463463374607431768211456"),
        ("0", "0x.8", "0.5"),
        ("3", "1.", "4"),
        ("0", "inf", "not finite"),
        ("-inf", "1", "not finite"),
        ("inf", "-inf", "not finite"),
        ("1e4932", "1e4932", "not finite"),
        ("0", "nan", "refused"),
        ("nan", "1", "refused"),
        ("0", "0x", "refused"),
        ("0", "1e4933", "refused"),
        ("0", "1e-5000", "refused"),
        ("0", " 1", "refused"),
        ("0", "1 ", "refused"),
        ("0", "", "refused"),
        ("0", "1e99999999999999999999", "refused"),
        ("0", "0x1p-16446", "refused"),
        ("130980582", "559631578776245833", "559631578907226415"),
        ("-36401.3042", "0.78285", "-36400.52135000000000176"),
        ("+32768.25", "+524289.75", "557058"),
        ("4096.125", "+144115188075855871.75", "144115188075859967.875"),
        ("-4.5421e-6", "33554432", "33554431.99999545789978583"),
        ("-0.000000009589557372770673301", "-0.01847491051452682457", "-0.0184749201040842"),
        ("-37.166757", "983155.24807", "983118.081312999999966"),
        ("+531193134702035547", "7618619935248912142", "8149813069950947689"),
        ("+0x935.311498546ffe2cap-181", "0x35acc78425c08e04830.c3p-4", "990127500899174450304"),
        ("92676570919022", "14", "92676570919036"),
        ("0.000000001077565568857692357", "0.07758764193132369351", "0.07758764300888926"),
        ("7586035", "+83543587", "91129622"),
        ("0x0.6104cep-173", "-1.4939130498e29", "-149391304980000000003895459840"),
        ("646792.2", "+1.5", "646793.69999999999998863"),
        ("+4269.254", "-181076.83418", "-176807.58017999999999859"),
        ("+0xf6b704d9b3750f79p-16445", "0xcecaf72f8077be3ap-64", "0.80778450879776551"),
        ("-6912868499438745817", "7054", "-6912868499438738763"),
        ("0x1a.45f5b015e4c14ap76", "0x1ce9.3p-31", "1985152921118466681864192"),
        ("-18446744073709551616.125", "2048.125", "-18446744073709549568"),
        ("-7.3209665150983939e-29", "+3.57907299749125964e15", "3579072997491259.639892578125"),
        ("4.621935e4", "+3.8273818861211337067864824e-4", "46219.35038273818861398"),
        ("0xc73119c188ae7445p-70", "0x20c.5p-119", "0.01215770259126261"),
        ("8.68303955329481600682102e-26", "6.9848306939369642879956e19", "69848306939369642880"),
        ("7.73157587780161776e1", "8.13758659255e7", "81375943.2412587780127069"),
    ];

    /// As INCRBYFLOAT goes about it.
    fn increment(stored: &str, increment: &str) -> String {
        let (stored, increment) =
            (LongDouble::parse(stored.as_bytes()), LongDouble::parse(increment.as_bytes()));
        let (Some(stored), Some(increment)) = (stored, increment) else { return "refused".into() };
        let sum = stored + increment;
        if sum.is_finite() { sum.to_text() } else { "not finite".into() }
    }

    #[test]
    fn sums_are_those_of_redis() {
        for (stored, by, expected) in SEEN_ON_REDIS {
            assert_eq!(increment(stored, by), *expected, "{stored} + {by}");
            assert_eq!(increment(by, stored), *expected, "{by} + {stored}");
        }
    }

    #[test]
    fn the_largest_number_has_all_its_digits() {
        let largest = increment("0", "1.18973149535723176502e4932");
        assert_eq!(largest.len(), 4933);
        assert!(
            largest.starts_with("118973149535723176502126385303097020516906332229462420044032373389173700")
        );
        assert_eq!(increment("0", "1.18973149535723176506e4932"), "refused");
        assert_eq!(increment(&largest, &largest), "not finite");
        assert_eq!(increment(&largest, &format!("-{largest}")), "0");
    }

    #[test]
    fn a_text_of_five_kibibytes_is_not_a_number() {
        assert_eq!(increment("0", &format!("0.{}", "1".repeat(5117))), "0.11111111111111111");
        assert_eq!(increment("0", &format!("0.{}", "1".repeat(5118))), "refused");
        assert_eq!(increment("0", &"1".repeat(5119)), "refused");
    }

    #[test]
    fn integers_convert_exactly() {
        for value in [0, 1, -1, i64::MAX, i64::MIN] {
            assert_eq!(LongDouble::from(value).to_text(), value.to_string());
        }
    }

    #[test]
    fn small_and_big_arithmetic_agree() {
        for (digits, exponent) in [("1", -18), ("9999999999999999999", -18), ("12345", -3), ("7", 19)] {
            let value = digits.parse().expect("a number");
            let small = rounded(scale_small(value, exponent));
            assert_eq!(small, rounded(scale_big(digits.as_bytes(), exponent)), "{digits}e{exponent}");
        }
    }
}
