//! The libraries that scripts find as globals. Each has `push_library`, which pushes the table of its functions.
pub mod bits;
mod limits;
pub mod msgpack;
pub mod structs;

#[cfg(test)]
mod recorded;
