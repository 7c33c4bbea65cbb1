//! Numbers of scripts as the C functions of Lua take them, on the machines of today.

/// As C casts to 64 bits: the least number for what is beyond them.
pub fn wide(number: f64) -> i64 {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if (-BEYOND..BEYOND).contains(&number) { number as i64 } else { i64::MIN }
}

/// The lower 32 bits of that.
pub fn int(number: f64) -> i32 {
    wide(number) as i32
}
