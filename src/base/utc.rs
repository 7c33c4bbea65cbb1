//! Moments as file names bear them: `20261123T173000Z`, in UTC, always sixteen characters.
//!
//! The calendar is the proleptic Gregorian one, without leap seconds, as Unix time has it.

/// Characters of a moment.
pub const COMPACT_LEN: usize = 16;

const DAY_S: i64 = 86_400;
/// 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z: what fits into four digits of a year.
const FIRST_S: i64 = -62_167_219_200;
const LAST_S: i64 = 253_402_300_799;

/// Text of a Unix time. What is before the year 0 or after 9999 is moved into it.
pub fn compact(unix_s: i64) -> String {
    let unix_s = unix_s.clamp(FIRST_S, LAST_S);
    let (year, month, day) = date_of(unix_s.div_euclid(DAY_S));
    let second = unix_s.rem_euclid(DAY_S);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// The Unix time of such a text; `None` when it is none, or no moment.
pub fn parse_compact(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() != COMPACT_LEN || bytes[8] != b'T' || bytes[15] != b'Z' {
        return None;
    }
    let number = |range: std::ops::Range<usize>| {
        let digits = &bytes[range];
        digits
            .iter()
            .all(u8::is_ascii_digit)
            .then(|| digits.iter().fold(0_i64, |number, digit| number * 10 + i64::from(digit - b'0')))
    };
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    let (hour, minute, second) = (number(9..11)?, number(11..13)?, number(13..15)?);
    let unix_s = days_to(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second;
    // The 31st of February has another text when it is written again.
    (compact(unix_s) == text).then_some(unix_s)
}

/// Days of 400 years, after which the calendar repeats.
const CYCLE_DAYS: i64 = 146_097;
/// From 0000-03-01 to 1970-01-01.
const EPOCH_DAYS: i64 = 719_468;

/// Days since 1970 of a date. Years begin in March here, so that a leap day is the last of its year.
fn days_to(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (cycle, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    cycle * CYCLE_DAYS + year * 365 + year / 4 - year / 100 + day_of_year - EPOCH_DAYS
}

fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH_DAYS;
    let (cycle, day) = (days.div_euclid(CYCLE_DAYS), days.rem_euclid(CYCLE_DAYS));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let year = cycle * 400 + year;
    if month < 10 { (year, month + 3, day_of_month) } else { (year + 1, month - 9, day_of_month) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments() {
        for (unix_s, text) in [
            (0, "19700101T000000Z"),
            (951_782_400, "20000229T000000Z"),
            (951_868_799, "20000229T235959Z"),
            (1_700_000_000, "20231114T221320Z"),
            (1_795_455_000, "20261123T173000Z"),
            (4_107_542_399, "21000228T235959Z"),
            (4_107_542_400, "21000301T000000Z"),
            (-1, "19691231T235959Z"),
            (i64::MAX, "99991231T235959Z"),
            (i64::MIN, "00000101T000000Z"),
        ] {
            assert_eq!(compact(unix_s), text);
            assert_eq!(parse_compact(text), Some(unix_s.clamp(FIRST_S, LAST_S)));
        }
    }

    #[test]
    fn every_day_of_many_years_follows_the_one_before() {
        let mut before = date_of(-400_000);
        for day in -399_999..400_000 {
            let date = date_of(day);
            let follows = match (date.0 - before.0, date.1 - before.1, date.2 - before.2) {
                (0, 0, 1) => true,
                (0, 1, _) => date.2 == 1 && before.2 >= 28,
                (1, -11, _) => (date.2, before.2) == (1, 31),
                _ => false,
            };
            assert!(follows, "{before:?} {date:?}");
            assert_eq!(days_to(date.0, date.1, date.2), day);
            before = date;
        }
    }

    #[test]
    fn what_is_no_moment() {
        for text in [
            "",
            "20261123T173000",
            "20260231T000000Z",
            "20261301T000000Z",
            "20261123T240000Z",
            "20261123 173000Z",
            "2026112aT173000Z",
            "20261123T17300\u{e9}",
            "+0261123T173000Z",
        ] {
            assert_eq!(parse_compact(text), None, "{text}");
        }
    }
}
