//! SIGTERM and SIGINT ask for a shutdown; a SIGINT while one is under way does not ask.
//!
//! A thread of its own listens, so that a second SIGINT is heard while the loop is busy with the last save, which
//! somebody who presses Ctrl-C twice does not want to wait for.
//!
//! ```text
//!   kernel ── signal ──▶ thread: a shutdown is under way? ── no ──▶ loop: shut down ── failed ──▶ none is under way
//!                                      └─ SIGINT, yes ──▶ remove the temp file, exit(1)
//! ```

use super::Shared;
use crate::config::ShutdownFlags;
use crate::persist::disk::remove_own_temp_files;
use crate::server::Shutdown;
use crate::server::server::ShutdownSave;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Terminate,
    Interrupt,
}

/// Shuts the server down when it is told to.
///
/// # Errors
/// When the thread that listens cannot be started.
pub async fn watch(server: Shared) -> io::Result<()> {
    let (sender, mut asked) = unbounded_channel();
    let under_way = Arc::new(AtomicBool::new(false));
    let shared = under_way.clone();
    std::thread::Builder::new().name("signals".into()).spawn(move || listen(&sender, &shared))?;
    while let Some(asked) = asked.recv().await {
        let mut server = server.borrow_mut();
        let flags = match asked {
            Asked::Interrupt => server.config.shutdown_on_sigint,
            Asked::Terminate => server.config.shutdown_on_sigterm,
        };
        if server.prepare_shutdown(request(flags)).is_err() {
            under_way.store(false, Ordering::SeqCst);
        }
    }
    Ok(())
}

/// The thread's work: until the process ends.
fn listen(sender: &UnboundedSender<Asked>, under_way: &AtomicBool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    let heard = runtime.and_then(|runtime| runtime.block_on(hear(sender, under_way)));
    if let Err(error) = heard {
        tracing::warn!("Can't watch for signals: {error}");
    }
}

async fn hear(sender: &UnboundedSender<Asked>, under_way: &AtomicBool) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    loop {
        let (asked, name) = tokio::select! {
            _ = terminate.recv() => (Asked::Terminate, "SIGTERM"),
            _ = interrupt.recv() => (Asked::Interrupt, "SIGINT"),
        };
        let is_under_way = under_way.swap(true, Ordering::SeqCst);
        if is_under_way && asked == Asked::Interrupt {
            tracing::warn!("You insist... exiting now.");
            remove_own_temp_files(Path::new("."));
            std::process::exit(1);
        }
        tracing::warn!("Received {name} scheduling shutdown...");
        if !is_under_way && sender.send(asked).is_err() {
            return Ok(());
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
