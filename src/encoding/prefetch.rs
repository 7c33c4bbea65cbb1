//! The one instruction that hides a cache miss: ask for a line now, read it some work later.
//!
//! It deliberately does nothing on processors for which no stable intrinsic exists: a prefetch is never
//! needed for a correct result.

/// Bytes that come into the cache together.
pub const LINE_BYTES: usize = 64;

/// Asks for the cache line of `address`, which need not be valid.
#[inline(always)]
pub fn prefetch<T>(address: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch never faults and changes nothing that a program can observe, whatever the
        // address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast::<i8>()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// Asks for the line of `address` and the one after it.
#[inline(always)]
pub fn prefetch_two_lines(address: *const u8) {
    prefetch(address);
    prefetch(address.wrapping_add(LINE_BYTES));
}
