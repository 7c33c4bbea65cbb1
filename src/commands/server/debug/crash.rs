//! The ways to end this process that no client should need.

use crate::base::argv::Args;
use crate::server::{Cx, Flow};
use crate::spec::CommandError;
use nix::sys::signal::{Signal, raise};

pub(super) fn segfault(_cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    tracing::error!("DEBUG SEGFAULT: raising SIGSEGV");
    // The standard library's handler, which looks for stack overflows, gives way at the first signal and returns; the
    // second one meets the default action. Whatever happens, the process ends here.
    for _ in 0..2 {
        let _ = raise(Signal::SIGSEGV);
    }
    std::process::abort()
}

pub(super) fn panic(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    tracing::error!("Guru Meditation: Panic called at Unix time {}", cx.now.unix_s());
    std::process::abort()
}

pub(super) fn assert(_cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    tracing::error!("=== ASSERTION FAILED === DEBUG ASSERT was called");
    std::process::abort()
}
