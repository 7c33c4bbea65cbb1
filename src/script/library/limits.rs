//! What bounds functions of several libraries.

use super::super::lua::{Failure, Stack};

/// Values that a function of C may have on its stack (`LUAI_MAXCSTACK`): scripts see where that ends.
pub const RESULTS_MAX: i32 = 8000;
/// After so many steps of a loop the script may be suspended, or ended.
pub const STEPS_PER_TICK: u32 = 10_000;
/// What is kept of the buffer for outputs.
const OUTPUT_BYTES_KEPT: usize = 64 << 10;

/// Has a function write its result, which becomes a string on the top.
///
/// # Errors
/// The function's own.
#[inline]
pub fn push_output(
    stack: &mut Stack<'_>,
    write: impl FnOnce(&mut Stack<'_>, &mut Vec<u8>) -> Result<(), Failure>,
) -> Result<i32, Failure> {
    let mut out = stack.machine().output.take();
    out.clear();
    let written = write(stack, &mut out);
    if written.is_ok() {
        stack.push_bytes(&out);
    }
    if out.capacity() <= OUTPUT_BYTES_KEPT {
        stack.machine().output.set(out);
    }
    written.map(|()| 1)
}

/// Whether an output of so many bytes, which is not the interpreter's yet, keeps within its memory.
///
/// # Errors
/// It does not.
#[inline]
pub fn room_for(stack: &Stack<'_>, output_bytes: usize) -> Result<(), Failure> {
    if !stack.machine().memory.has_room(output_bytes) {
        return Err(Failure::Plain(b"not enough memory".to_vec()));
    }
    Ok(())
}
