//! The libraries that scripts find as globals. Each has `push_library`, which pushes the table of its functions.
//!
//! `chunks`, `patterns`, `plain` and `random` are functions in the place of Lua's own; `sandbox` puts them there.
pub mod chunks;
mod numbers;
pub mod patterns;
pub mod plain;
pub mod random;
