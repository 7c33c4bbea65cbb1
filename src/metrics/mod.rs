//! Room `metrics`: what the server counts about itself. Pure data: no clock, no IO; who reports brings the
//! time.
pub mod command_log;
pub mod command_stats;
pub mod error_stats;
pub mod latency;
pub mod rates;
pub mod stats;
