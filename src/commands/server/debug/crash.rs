//! The ways to end this process that no client should need.

use crate::base::argv::Args;
use crate::base::os::fault;
use crate::server::{Cx, Flow};
use crate::spec::CommandError;

pub(super) fn segfault(_cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    fault::segfault();
    std::process::abort()
}

pub(super) fn panic(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    panic!("Guru Meditation: Panic called at Unix time {}", cx.now.unix_s())
}

pub(super) fn assert(_cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let sum = args.len() - 1;
    assert_eq!(sum, 2, "=== ASSERTION FAILED === by DEBUG ASSERT");
    std::process::abort()
}
