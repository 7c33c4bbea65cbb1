//! `redis.log`: a script writes to the server's log.

use super::error_table;
use crate::script::lua::{Failure, Kind, Stack};
use tracing::{debug, info, trace, warn};

pub const DEBUG: i32 = 0;
pub const VERBOSE: i32 = 1;
pub const NOTICE: i32 = 2;
pub const WARNING: i32 = 3;

/// Writes its arguments but the first, which is the level; what is neither text nor number is left out.
pub fn log(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    if stack.arguments() < 2 {
        return Err(error_table(stack, "ERR redis.log() requires two arguments or more."));
    }
    let Ok(level) = stack.check_number(1) else {
        return Err(error_table(stack, "ERR First argument must be a number (log level)."));
    };
    let level = level as i32;
    if !(DEBUG..=WARNING).contains(&level) {
        return Err(error_table(stack, "ERR Invalid debug level."));
    }
    let mut line = Vec::new();
    for argument in 2..=stack.arguments() {
        if !matches!(stack.kind(argument), Kind::String | Kind::Number) {
            continue;
        }
        if argument > 2 {
            line.push(b' ');
        }
        let text = stack.check_bytes(argument)?;
        // The same text may be there thousands of times.
        stack.check_memory(line.len() + text.len())?;
        line.extend_from_slice(text);
    }
    let line = String::from_utf8_lossy(&line);
    match level {
        DEBUG => trace!("{line}"),
        VERBOSE => debug!("{line}"),
        NOTICE => info!("{line}"),
        _ => warn!("{line}"),
    }
    Ok(0)
}
