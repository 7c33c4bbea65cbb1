//! The libraries that scripts find as globals. Each has `push_library`, which pushes the table of its functions.
pub mod json;
