//! The table `redis`: what a script can ask of the server.

mod call;
mod logging;
mod protected;
mod replies;
mod settings;

pub use protected::pcall as protected_call;

use crate::script::lua::{Failure, Function, Stack};
use crate::spec::{REDIS_VERSION, version_number};
use sha1_smol::Sha1;

const FUNCTIONS: &[(&str, Function)] = &[
    ("call", call::call),
    ("pcall", call::pcall),
    ("acl_check_cmd", call::acl_check_cmd),
    ("error_reply", replies::error_reply),
    ("status_reply", replies::status_reply),
    ("log", logging::log),
    ("sha1hex", sha1hex),
    ("setresp", settings::setresp),
    ("set_repl", settings::set_repl),
];

/// Of the time before there were functions, which lack them.
const FUNCTIONS_OF_SCRIPTS: &[(&str, Function)] = &[
    ("replicate_commands", settings::replicate_commands),
    ("breakpoint", settings::breakpoint),
    ("debug", settings::debug),
];

/// The first of `NUMBERS`.
const LOG_LEVELS: usize = 4;
const NUMBERS: &[(&str, i32)] = &[
    ("LOG_DEBUG", logging::DEBUG),
    ("LOG_VERBOSE", logging::VERBOSE),
    ("LOG_NOTICE", logging::NOTICE),
    ("LOG_WARNING", logging::WARNING),
    ("REPL_NONE", settings::REPL_NONE),
    ("REPL_AOF", settings::REPL_AOF),
    ("REPL_SLAVE", settings::REPL_REPLICA),
    ("REPL_REPLICA", settings::REPL_REPLICA),
    ("REPL_ALL", settings::REPL_ALL),
];

/// Pushes the table, for scripts.
pub fn push_library(stack: &mut Stack<'_>) {
    push_function_library(stack);
    set_functions(stack, FUNCTIONS_OF_SCRIPTS);
}

/// Pushes the table, for functions of libraries.
pub fn push_function_library(stack: &mut Stack<'_>) {
    stack.push_table(0, FUNCTIONS.len() + NUMBERS.len() + FUNCTIONS_OF_SCRIPTS.len() + 2);
    set_functions(stack, FUNCTIONS);
    set_numbers(stack, NUMBERS);
    set_version(stack);
}

/// Pushes the table as a library of functions sees it while it is loaded.
pub fn push_loading_library(stack: &mut Stack<'_>) {
    stack.push_table(0, 8);
    set_functions(stack, &[("log", logging::log)]);
    set_numbers(stack, &NUMBERS[..LOG_LEVELS]);
    set_version(stack);
}

fn set_functions(stack: &mut Stack<'_>, functions: &[(&str, Function)]) {
    for (name, function) in functions {
        stack.push_function(*function, 0);
        stack.raw_set_field(-2, name);
    }
}

fn set_numbers(stack: &mut Stack<'_>, numbers: &[(&str, i32)]) {
    for (name, number) in numbers {
        stack.push_number(f64::from(*number));
        stack.raw_set_field(-2, name);
    }
}

fn set_version(stack: &mut Stack<'_>) {
    stack.push_bytes(REDIS_VERSION.as_bytes());
    stack.raw_set_field(-2, "REDIS_VERSION");
    stack.push_number(f64::from(version_number(REDIS_VERSION)));
    stack.raw_set_field(-2, "REDIS_VERSION_NUM");
}

/// The value of an error of ours: a table, as that of a command. It is pushed.
fn error_table(stack: &mut Stack<'_>, text: &str) -> Failure {
    push_error(stack, text.as_bytes());
    Failure::Top
}

/// Pushes the value of an error whose text, with its code, is given.
pub fn push_error(stack: &mut Stack<'_>, text: &[u8]) {
    stack.push_table(0, 1);
    stack.push_bytes(text);
    stack.raw_set_field(-2, "err");
}

fn sha1hex(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    if stack.arguments() != 1 {
        return Err(error_table(stack, "ERR wrong number of arguments"));
    }
    // What is no text counts as an empty one.
    let digest = Sha1::from(stack.check_bytes(1).unwrap_or_default()).digest().to_string();
    stack.push_bytes(digest.as_bytes());
    Ok(1)
}
