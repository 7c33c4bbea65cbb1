//! `pcall` as scripts know it: an error that is a table with a text comes as that text, as it did before errors were
//! tables.

use crate::script::lua::{Failure, Kind, Stack};

/// Calls a function, and tells whether it ended without an error.
pub fn pcall(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    let arguments = stack.arguments();
    stack.reserve(arguments as usize + 4)?;
    if arguments == 0 {
        // Redis calls the truth value that it has put there.
        stack.push_truth(true);
    }
    let before = stack.len() - i32::from(arguments == 0);
    for argument in 1..=arguments {
        stack.push_copy(argument);
    }
    let ended = stack.call((arguments - 1).max(0), Stack::ALL_RESULTS);
    // The results may have filled the room that there was.
    stack.reserve(4)?;
    match ended {
        Ok(()) => stack.push_truth(true),
        Err(_) => {
            // Of another table the missing text stays, too: a third result.
            if stack.kind(-1) == Kind::Table
                && matches!(stack.raw_get_field(-1, "err"), Kind::String | Kind::Number)
            {
                stack.replace(-2);
            }
            stack.push_truth(false);
        }
    }
    stack.insert(before + 1);
    Ok(stack.len() - before)
}
