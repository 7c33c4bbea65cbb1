//! `string.rep` and `table.foreachi`: as Lua's, but they cannot run away.

use super::numbers::int;
use crate::script::lua::{Failure, Kind, Stack};

const ELEMENTS_PER_TICK: usize = 1000;

/// `string.rep(text, times)`
pub fn rep(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    let text = stack.check_bytes(1)?;
    let times = usize::try_from(int(stack.check_number(2)?)).unwrap_or(0);
    let no_memory = || Failure::Plain(b"not enough memory".to_vec());
    let length = text.len().checked_mul(times).ok_or_else(no_memory)?;
    // Once here, once in Lua's memory.
    stack.check_memory(length.saturating_mul(2))?;
    let mut out = Vec::new();
    out.try_reserve_exact(length).map_err(|_| no_memory())?;
    match text {
        [] => {}
        [byte] => out.resize(length, *byte),
        _ => (0..times).for_each(|_| out.extend_from_slice(text)),
    }
    stack.push_bytes(&out);
    Ok(1)
}

/// `table.foreachi(table, function)`: until the function returns something.
pub fn foreachi(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    stack.check_kind(1, Kind::Table)?;
    stack.check_kind(2, Kind::Function)?;
    for element in 1..=stack.raw_len(1) {
        if element % ELEMENTS_PER_TICK == 0 {
            stack.tick()?;
        }
        stack.push_copy(2);
        stack.push_number(element as f64);
        stack.raw_get_index(1, i32::try_from(element).unwrap_or(i32::MAX));
        stack.call(2, 1)?;
        if stack.kind(-1) != Kind::Nil {
            return Ok(1);
        }
        stack.pop(1);
    }
    Ok(0)
}
