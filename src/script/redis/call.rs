//! `redis.call`, `redis.pcall` and `redis.acl_check_cmd`: commands from within a script.
//!
//! Arguments are copied into one buffer, the reply is written into another; both are kept from call to call, so that
//! a call allocates nothing but the Lua values of its reply.

use super::{error_table, push_error};
use crate::base::number::format_f64;
use crate::script::convert::push_reply;
use crate::script::lua::{Failure, Scratch, Stack};

/// Runs a command; an error of its ends the script, unless it is caught.
pub fn call(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    match with_scratch(stack, run)? {
        Answer::Value => Ok(1),
        Answer::Error => Err(Failure::Top),
    }
}

/// Runs a command; an error of its is the result.
pub fn pcall(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    with_scratch(stack, run)?;
    Ok(1)
}

/// Whether the caller of the script may run a command.
pub fn acl_check_cmd(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    match with_scratch(stack, ask)? {
        Answer::Value => Ok(1),
        Answer::Error => Err(Failure::Top),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Value,
    Error,
}

type Work = fn(&mut Stack<'_>, &mut Scratch) -> Result<Answer, Failure>;

/// What `work` leaves on the top is the answer.
#[inline]
fn with_scratch(stack: &mut Stack<'_>, work: Work) -> Result<Answer, Failure> {
    const KEPT_BYTES_MAX: usize = 64 << 10;
    let machine = stack.machine();
    let mut scratch = machine.scratch.take().unwrap_or_default();
    scratch.argv.clear();
    scratch.reply.clear();
    let answer = work(stack, &mut scratch);
    if scratch.argv.heap_bytes() + scratch.reply.capacity() <= KEPT_BYTES_MAX {
        machine.scratch.set(Some(scratch));
    }
    answer
}

fn run(stack: &mut Stack<'_>, scratch: &mut Scratch) -> Result<Answer, Failure> {
    if let Err(why) = take_arguments(stack, scratch) {
        push_error(stack, why.as_bytes());
        return Ok(Answer::Error);
    }
    let ran = stack.machine().with_host(|host| {
        host.command(scratch.argv.args(), &mut scratch.reply);
        host.is_due()
    });
    let Some(is_due) = ran else {
        let text = "ERR redis.call/pcall can only be called inside a script invocation";
        return Err(error_table(stack, text));
    };
    push_reply(stack, &scratch.reply)?;
    if is_due {
        stack.tick()?;
    }
    Ok(if scratch.reply.first() == Some(&b'-') { Answer::Error } else { Answer::Value })
}

fn ask(stack: &mut Stack<'_>, scratch: &mut Scratch) -> Result<Answer, Failure> {
    if let Err(why) = take_arguments(stack, scratch) {
        push_error(stack, why.as_bytes());
        return Ok(Answer::Error);
    }
    match stack.machine().with_host(|host| host.may_run(scratch.argv.args())) {
        Some(Some(may)) => {
            stack.push_truth(may);
            return Ok(Answer::Value);
        }
        Some(None) => push_error(stack, b"ERR Invalid command passed to redis.acl_check_cmd()"),
        None => push_error(stack, b"ERR redis.acl_check_cmd can only be called inside a script invocation"),
    }
    Ok(Answer::Error)
}

/// A longer argument is copied only while all of them are no more than a script may have itself.
const TEXT_BYTES_FREE: usize = 4 << 10;

fn take_arguments(stack: &Stack<'_>, scratch: &mut Scratch) -> Result<(), &'static str> {
    if stack.arguments() == 0 {
        return Err("ERR Please specify at least one argument for this redis lib call");
    }
    let memory = &stack.machine().memory;
    for argument in 1..=stack.arguments() {
        if let Some(text) = stack.argument_bytes(argument) {
            // The same text may be there thousands of times. What a script can hold it can also store.
            let is_long = text.len() > TEXT_BYTES_FREE;
            if is_long && scratch.argv.heap_bytes().saturating_add(text.len()) > memory.limit_bytes() {
                return Err("ERR not enough memory");
            }
            scratch.argv.push(text);
        } else if let Some(number) = stack.number(argument) {
            scratch.argv.push(&format_f64(number));
        } else {
            return Err("ERR Lua redis lib command arguments must be strings or integers");
        }
    }
    Ok(())
}
