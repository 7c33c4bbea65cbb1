//! What bounds functions of several libraries.

use super::super::lua::{Failure, Stack};

/// Values that a function of C may have on its stack (`LUAI_MAXCSTACK`): scripts see where that ends.
pub const RESULTS_MAX: i32 = 8000;
/// After so many steps of a loop the script may be suspended, or ended.
pub const STEPS_PER_TICK: u32 = 10_000;

/// Whether an output of so many bytes, which is not the interpreter's yet, keeps within its memory.
///
/// # Errors
/// It does not.
#[inline]
pub fn room_for(stack: &Stack<'_>, output_bytes: usize) -> Result<(), Failure> {
    if output_bytes > stack.machine().memory.left_bytes() {
        return Err(Failure::Plain(b"not enough memory".to_vec()));
    }
    Ok(())
}
