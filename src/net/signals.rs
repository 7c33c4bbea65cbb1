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
use std::sync::mpsc::Sender;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Longer than it takes from deciding to save until the temp file is there.
const TEMP_FILE_GRACE: Duration = Duration::from_millis(20);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Terminate,
    Interrupt,
}

/// What was asked by signals, and not yet done.
pub struct Signals {
    asked: UnboundedReceiver<Asked>,
    under_way: Arc<AtomicBool>,
}

impl Signals {
    /// Listens from now on: when this returns, no signal of ours ends the process any more.
    ///
    /// # Errors
    /// When the thread that listens cannot be started.
    pub fn listen() -> io::Result<Signals> {
        let (sender, asked) = unbounded_channel();
        let (started, has_started) = std::sync::mpsc::channel();
        let under_way = Arc::new(AtomicBool::new(false));
        let shared = under_way.clone();
        let work = move || listen(&sender, &shared, &started);
        std::thread::Builder::new().name("signals".into()).spawn(work)?;
        // A thread that ended without a word has logged why.
        let _ = has_started.recv();
        Ok(Signals { asked, under_way })
    }

    /// Shuts the server down when it is told to.
    pub async fn obey(mut self, server: Shared) {
        while let Some(asked) = self.asked.recv().await {
            let mut server = server.borrow_mut();
            let flags = match asked {
                Asked::Interrupt => server.config.shutdown_on_sigint,
                Asked::Terminate => server.config.shutdown_on_sigterm,
            };
            if server.prepare_shutdown(request(flags)).is_err() {
                self.under_way.store(false, Ordering::SeqCst);
            }
        }
    }
}

/// The thread's work: until the process ends.
fn listen(asked: &UnboundedSender<Asked>, under_way: &AtomicBool, started: &Sender<()>) {
    crate::base::cpus::join_helpers();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    let heard = runtime.and_then(|runtime| runtime.block_on(hear(asked, under_way, started)));
    if let Err(error) = heard {
        tracing::warn!("Can't watch for signals: {error}");
    }
}

async fn hear(
    sender: &UnboundedSender<Asked>,
    under_way: &AtomicBool,
    started: &Sender<()>,
) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let _ = started.send(());
    loop {
        let (asked, name) = tokio::select! {
            _ = terminate.recv() => (Asked::Terminate, "SIGTERM"),
            _ = interrupt.recv() => (Asked::Interrupt, "SIGINT"),
        };
        let is_under_way = under_way.swap(true, Ordering::SeqCst);
        if is_under_way && asked == Asked::Interrupt {
            tracing::warn!("You insist... exiting now.");
            leave_at_once();
        }
        tracing::warn!("Received {name} scheduling shutdown...");
        if !is_under_way && sender.send(asked).is_err() {
            return Ok(());
        }
    }
}

/// Ends the process in the middle of the last save. The loop may be about to make its temp file: it does so once, so
/// what appears after the first look is gone after the second.
fn leave_at_once() -> ! {
    remove_own_temp_files(Path::new("."));
    std::thread::sleep(TEMP_FILE_GRACE);
    remove_own_temp_files(Path::new("."));
    std::process::exit(1);
}

fn request(flags: ShutdownFlags) -> Shutdown {
    let save = match (flags.save, flags.nosave) {
        (_, true) => ShutdownSave::No,
        (true, false) => ShutdownSave::Yes,
        (false, false) => ShutdownSave::ByRules,
    };
    Shutdown { save, now: flags.now, force: flags.force, client: None }
}
