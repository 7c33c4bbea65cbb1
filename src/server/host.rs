//! What the server asks of the room that owns sockets and timers, which stands above it.

use super::tls::Certificates;
use crate::config::Config;
use std::sync::Arc;

/// Makes the loop look at what other threads have handed over; can be called from any of them.
pub type Alarm = Arc<dyn Fn() + Send + Sync>;

/// Implemented by `net`; a server without a network (in tests) has none.
pub trait Host {
    /// Greets new connections over TLS as `config` says from now on; those that are there stay. On `Err`, which says
    /// why, nothing changes.
    fn configure_tls(&self, config: &Config) -> Result<Certificates, String>;
    /// Listens where `config` says from now on (`bind`, `port`, `tls-port`). On `Err`, which says why, the old
    /// listeners stay.
    fn listen(&self, config: &Config) -> Result<(), String>;
    /// Makes the main task look at `Server::exit_code`.
    fn wake(&self);
    /// What wakes the loop from another thread, so that it calls `Server::run_deferred`.
    fn alarm(&self) -> Alarm;
    /// Has `exec::tracking::broadcast` run once the requests that are here have been run.
    fn end_round(&self);
    /// Has `exec::suspended::go_on` called as long as `Server::is_busy`, and serves others between two calls.
    fn script_suspended(&self);
    /// Has the timer tick `hz` times a second.
    fn set_hz(&self, hz: i64);
}
