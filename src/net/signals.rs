//! SIGTERM and SIGINT ask for a shutdown; a second SIGINT does not ask.

use super::Shared;
use crate::config::ShutdownFlags;
use crate::server::Shutdown;
use crate::server::server::ShutdownSave;
use std::io;
use tokio::signal::unix::{SignalKind, signal};

/// Shuts the server down when it is told to.
pub async fn watch(server: Shared) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut interrupts = 0;
    loop {
        let is_interrupt = tokio::select! {
            _ = terminate.recv() => false,
            _ = interrupt.recv() => true,
        };
        let mut server = server.borrow_mut();
        interrupts += i32::from(is_interrupt);
        let name = if is_interrupt { "SIGINT" } else { "SIGTERM" };
        tracing::warn!("Received {name} scheduling shutdown...");
        let flags = match is_interrupt {
            true => server.config.shutdown_on_sigint,
            false => server.config.shutdown_on_sigterm,
        };
        let failed = server.prepare_shutdown(request(flags)).is_err();
        if failed && is_interrupt && interrupts > 1 {
            tracing::warn!("You insist... exiting now.");
            server.exit(1);
        }
    }
}

fn request(flags: ShutdownFlags) -> Shutdown {
    let save = match (flags.save, flags.nosave) {
        (_, true) => ShutdownSave::No,
        (true, false) => ShutdownSave::Yes,
        (false, false) => ShutdownSave::ByRules,
    };
    Shutdown { save, now: flags.now, force: flags.force, client: None }
}
