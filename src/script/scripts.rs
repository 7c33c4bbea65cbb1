//! What the server keeps for scripts.

use super::cache::Cache;
use super::engine::Engine;

#[derive(Default)]
pub struct Scripts {
    /// Runs EVAL's scripts; made when the first one comes, and away while one runs.
    pub engine: Option<Engine>,
    pub cache: Cache,
}
