//! `redis.call` and `redis.pcall`: a command from within a script.

use crate::base::number::{format_f64, format_i64};
use crate::script::convert::push_reply;
use crate::script::lua::{Failure, Kind, Scratch, Stack};

/// Runs a command; an error of its ends the script, unless it is caught.
pub fn call(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    if run(stack)? == Answer::Error { Err(Failure::Top) } else { Ok(1) }
}

/// Runs a command; an error of its is the result.
pub fn pcall(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    run(stack)?;
    Ok(1)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Value,
    Error,
}

/// Leaves the value of the reply on the top.
fn run(stack: &mut Stack<'_>) -> Result<Answer, Failure> {
    let mut scratch = stack.machine().scratch.take();
    scratch.argv.clear();
    scratch.reply.clear();
    let answer = run_with(stack, &mut scratch);
    stack.machine().scratch.set(scratch);
    answer
}

fn run_with(stack: &mut Stack<'_>, scratch: &mut Scratch) -> Result<Answer, Failure> {
    if stack.arguments() == 0 {
        return Err(Failure::Plain(
            b"Please specify at least one argument for this redis.call() call".to_vec(),
        ));
    }
    for argument in 1..=stack.arguments() {
        match stack.kind(argument) {
            Kind::String => scratch.argv.push(stack.bytes(argument).expect("a string")),
            Kind::Number => push_number(scratch, stack.number(argument).expect("a number")),
            _ => {
                return Err(Failure::Plain(
                    b"Lua redis lib command arguments must be strings or integers".to_vec(),
                ));
            }
        }
    }
    let ran = stack.machine().with_host(|host| {
        host.command(scratch.argv.args(), &mut scratch.reply);
        host.is_due()
    });
    let Some(is_due) = ran else {
        return Err(Failure::Plain(
            b"redis.call/pcall can only be called inside a script invocation".to_vec(),
        ));
    };
    push_reply(stack, &scratch.reply)?;
    if is_due {
        stack.tick()?;
    }
    Ok(if scratch.reply.first() == Some(&b'-') { Answer::Error } else { Answer::Value })
}

fn push_number(scratch: &mut Scratch, number: f64) {
    let whole = number as i64;
    if whole as f64 == number {
        scratch.argv.push(&format_i64(whole));
    } else {
        scratch.argv.push(&format_f64(number));
    }
}
