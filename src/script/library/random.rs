//! `math.random` and `math.randomseed`: the same numbers as in Redis, on every machine.
//!
//! ```text
//!   state      48 bits       next = (state * 0x5DEECE66D + 0xB) mod 2^48     (POSIX `lrand48`)
//!   number     the upper 31 bits, modulo 2^31 - 1, over 2^31 - 1
//!   seed n     n (32 bits) above 0x330E
//! ```
//! The state goes on from script to script.

use super::numbers::int;
use crate::script::lua::{Failure, Stack, State};

const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const INCREMENT: u64 = 0xB;
const MASK: u64 = (1 << 48) - 1;
/// Without any seed.
const START: u64 = 0x1234_ABCD_330E;
const SEED_BELOW: u64 = 0x330E;
const RANGE: u64 = i32::MAX as u64;

/// As in a server that has just started.
pub fn begin(state: &mut State) {
    state.stack().machine().random.set(START);
}

fn next(stack: &Stack<'_>) -> f64 {
    let random = &stack.machine().random;
    random.set(random.get().wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT) & MASK);
    ((random.get() >> 17) % RANGE) as f64 / RANGE as f64
}

pub fn random(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    let fraction = next(stack);
    let number = match stack.arguments() {
        0 => fraction,
        1 => {
            let upper = int(stack.check_number(1)?);
            if upper < 1 {
                return Err(Failure::argument(1, "interval is empty"));
            }
            (fraction * f64::from(upper)).floor() + 1.0
        }
        2 => {
            let [lower, upper] = [int(stack.check_number(1)?), int(stack.check_number(2)?)];
            if lower > upper {
                return Err(Failure::argument(2, "interval is empty"));
            }
            let count = upper.wrapping_sub(lower).wrapping_add(1);
            (fraction * f64::from(count)).floor() + f64::from(lower)
        }
        _ => return Err(Failure::here("wrong number of arguments")),
    };
    stack.push_number(number);
    Ok(1)
}

pub fn randomseed(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    let seed = int(stack.check_number(1)?) as u32;
    stack.machine().random.set(u64::from(seed) << 16 | SEED_BELOW);
    Ok(0)
}
