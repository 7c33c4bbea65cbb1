//! The libraries that scripts find as globals. Each has `push_library`, which pushes the table of its functions.
//!
//! `chunks`, `random` and `patterns` are functions in the place of Lua's own; `sandbox` puts them there.
pub mod chunks;
pub mod json;
pub mod random;
