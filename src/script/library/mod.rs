//! The libraries that scripts find as globals. Each has `push_library`, which pushes the table of its functions.
//!
//! `chunks`, `patterns`, `plain` and `random` are functions in the place of Lua's own; `sandbox` puts them there.
pub mod bits;
pub mod chunks;
pub mod json;
mod limits;
pub mod msgpack;
mod numbers;
pub mod patterns;
pub mod plain;
pub mod random;
pub mod structs;

#[cfg(test)]
mod recorded;
