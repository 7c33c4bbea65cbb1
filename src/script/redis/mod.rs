//! The table `redis`: what a script can ask of the server.

mod call;

use crate::script::lua::{Failure, Function, Kind, Stack};
use sha1_smol::Sha1;

/// Pushes the table.
pub fn push_library(stack: &mut Stack<'_>) {
    const FUNCTIONS: &[(&str, Function)] = &[
        ("call", call::call),
        ("pcall", call::pcall),
        ("error_reply", error_reply),
        ("status_reply", status_reply),
        ("sha1hex", sha1hex),
    ];
    stack.push_table(0, FUNCTIONS.len());
    for (name, function) in FUNCTIONS {
        stack.push_function(*function, 0);
        stack.raw_set_field(-2, name);
    }
}

/// Pushes the table as a library of functions sees it while it is loaded.
pub fn push_loading_library(stack: &mut Stack<'_>) {
    stack.push_table(0, 8);
}

fn sha1hex(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    if stack.arguments() != 1 {
        return Err(Failure::Plain(b"wrong number of arguments".to_vec()));
    }
    let digest = Sha1::from(stack.check_bytes(1)?).digest().to_string();
    stack.push_bytes(digest.as_bytes());
    Ok(1)
}

fn error_reply(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    one_field(stack, "err")
}

fn status_reply(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    one_field(stack, "ok")
}

fn one_field(stack: &mut Stack<'_>, field: &str) -> Result<i32, Failure> {
    if stack.arguments() != 1 || stack.kind(1) != Kind::String {
        return Err(Failure::Plain(b"wrong number or type of arguments".to_vec()));
    }
    stack.push_table(0, 1);
    stack.push_copy(1);
    stack.raw_set_field(-2, field);
    Ok(1)
}
