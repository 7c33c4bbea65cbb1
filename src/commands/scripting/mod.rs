//! Commands about what clients run on the server.
pub mod functions;
