//! What a script sets for the rest of its run, and functions that are there for scripts of before.

use super::error_table;
use crate::resp::Protocol;
use crate::script::host::Replication;
use crate::script::lua::{Failure, Stack};

pub const REPL_NONE: i32 = 0;
pub const REPL_AOF: i32 = 1;
pub const REPL_REPLICA: i32 = 2;
pub const REPL_ALL: i32 = REPL_AOF | REPL_REPLICA;

/// The protocol of the replies to the script's commands.
pub fn setresp(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    if stack.arguments() != 1 {
        return Err(error_table(stack, "ERR redis.setresp() requires one argument."));
    }
    let protocol = match number_or_zero(stack) {
        2 => Protocol::Resp2,
        3 => Protocol::Resp3,
        _ => return Err(error_table(stack, "ERR RESP version must be 2 or 3.")),
    };
    match stack.machine().with_host(|host| host.set_protocol(protocol)) {
        Some(()) => Ok(0),
        None => Err(error_table(stack, "ERR redis.setresp can only be called inside a script invocation")),
    }
}

/// Where the effects of the script's commands go.
pub fn set_repl(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    if stack.arguments() != 1 {
        return Err(error_table(stack, "ERR redis.set_repl() requires two arguments."));
    }
    let places = number_or_zero(stack);
    if !(REPL_NONE..=REPL_ALL).contains(&places) {
        let text = "ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.";
        return Err(error_table(stack, text));
    }
    let replication = Replication { file: places & REPL_AOF != 0, replicas: places & REPL_REPLICA != 0 };
    match stack.machine().with_host(|host| host.set_replication(replication)) {
        Some(()) => Ok(0),
        None => Err(error_table(stack, "ERR redis.set_repl can only be called inside a script invocation")),
    }
}

/// As a C cast of what C takes for a number: what is none is far away.
fn number_or_zero(stack: &Stack<'_>) -> i32 {
    let number = stack.check_number(1).unwrap_or_default();
    if number.is_nan() { i32::MIN } else { number as i32 }
}

/// Effects are replicated in any case.
pub fn replicate_commands(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    stack.push_truth(true);
    Ok(1)
}

/// There is no debugger.
pub fn breakpoint(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    stack.push_truth(false);
    Ok(1)
}

pub fn debug(_stack: &mut Stack<'_>) -> Result<i32, Failure> {
    Ok(0)
}
