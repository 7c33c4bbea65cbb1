//! `cmsgpack`: values to and from MessagePack (its public specification), with the choices of lua-cmsgpack 0.4.0.
//!
//! ```text
//!   pack     arguments -> bytes: each in the smallest form that holds it
//!   unpack   bytes -> values: all of them, or some from an offset on
//! ```
mod pack;
mod unpack;

use super::super::lua::{Function, Stack};

const FUNCTIONS: [(&str, Function); 4] = [
    ("pack", pack::pack),
    ("unpack", unpack::unpack),
    ("unpack_one", unpack::unpack_one),
    ("unpack_limit", unpack::unpack_limit),
];

/// Texts that scripts may look at.
const FACTS: [(&str, &str); 4] = [
    ("_NAME", "cmsgpack"),
    ("_VERSION", "lua-cmsgpack 0.4.0"),
    ("_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo"),
    ("_DESCRIPTION", "MessagePack C implementation for Lua"),
];

/// Pushes the table that scripts know as `cmsgpack`.
pub fn push_library(stack: &mut Stack<'_>) {
    stack.push_table(0, FUNCTIONS.len() + FACTS.len());
    for (name, function) in FUNCTIONS {
        stack.push_function(function, 0);
        stack.raw_set_field(-2, name);
    }
    for (name, fact) in FACTS {
        stack.push_bytes(fact.as_bytes());
        stack.raw_set_field(-2, name);
    }
}

#[cfg(test)]
mod tests;
