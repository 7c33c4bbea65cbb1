//! SIGTERM and SIGINT ask for a shutdown; a SIGINT while one is under way does not ask.
//!
//! A thread of its own listens, so that a second SIGINT is heard even when the loop is busy: somebody who presses
//! Ctrl-C twice does not want to wait for the last save.
//!
//! ```text
//!   kernel ── signal ──▶ thread: a shutdown is under way? ── no ──▶ loop: shut down ── failed ──▶ none is under way
//!                                      └─ SIGINT, yes ──▶ end the child, remove the temp file, exit(1)
//! ```

use super::Shared;
use crate::config::ShutdownFlags;
use crate::persist::disk::remove_own_temp_files;
use crate::server::Shutdown;
use crate::server::server::ShutdownSave;
use crate::server::shutdown::Interrupts;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Longer than it takes from deciding to save until the temp file is there.
const TEMP_FILE_GRACE: Duration = Duration::from_millis(20);
/// How often a child that was killed is looked for, and how long between two looks: one that hangs in the kernel must
/// not hold us.
const CHILD_LOOKS_MAX: u32 = 50;
const CHILD_PAUSE: Duration = Duration::from_millis(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Terminate,
    Interrupt,
}

/// What was asked by signals, and not yet done.
pub struct Signals {
    asked: UnboundedReceiver<Asked>,
}

impl Signals {
    /// Listens from now on: when this returns, no signal of ours ends the process any more.
    ///
    /// # Errors
    /// When the thread that listens cannot be started.
    pub fn listen(interrupts: Arc<Interrupts>) -> io::Result<Signals> {
        let (sender, asked) = unbounded_channel();
        let (started, has_started) = std::sync::mpsc::channel();
        let work = move || listen(&sender, &interrupts, &started);
        std::thread::Builder::new().name("signals".into()).spawn(work)?;
        // A thread that ended without a word has logged why.
        let _ = has_started.recv();
        Ok(Signals { asked })
    }

    /// Shuts the server down when it is told to.
    pub async fn obey(mut self, server: Shared) {
        while let Some(asked) = self.asked.recv().await {
            let mut server = server.borrow_mut();
            let flags = match asked {
                Asked::Interrupt => server.config.shutdown_on_sigint,
                Asked::Terminate => server.config.shutdown_on_sigterm,
            };
            server.shutdown_by_signal(request(flags));
        }
    }
}

/// The thread's work: until the process ends.
fn listen(asked: &UnboundedSender<Asked>, interrupts: &Interrupts, started: &Sender<()>) {
    crate::base::cpus::join_helpers();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    let heard = runtime.and_then(|runtime| runtime.block_on(hear(asked, interrupts, started)));
    if let Err(error) = heard {
        tracing::warn!("Can't watch for signals: {error}");
    }
}

async fn hear(
    sender: &UnboundedSender<Asked>,
    interrupts: &Interrupts,
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
        let is_under_way = interrupts.asked.swap(true, Ordering::SeqCst);
        if is_under_way && asked == Asked::Interrupt {
            tracing::warn!("You insist... exiting now.");
            leave_at_once(interrupts);
        }
        tracing::warn!("Received {name} scheduling shutdown...");
        if !is_under_way && sender.send(asked).is_err() {
            return Ok(());
        }
    }
}

/// Ends the process in the middle of the last save. The loop may be about to make its temp file: it does so once, so
/// what appears after the first look is gone after the second.
fn leave_at_once(interrupts: &Interrupts) -> ! {
    end_save(interrupts);
    std::thread::sleep(TEMP_FILE_GRACE);
    end_save(interrupts);
    std::process::exit(1);
}

fn end_save(interrupts: &Interrupts) {
    // A child that were still there could make its file again.
    match interrupts.child.load(Ordering::SeqCst) {
        0 => {}
        child => kill_child(Pid::from_raw(child)),
    }
    remove_own_temp_files(Path::new("."));
}

fn kill_child(child: Pid) {
    let _ = kill(child, Signal::SIGKILL);
    for _ in 0..CHILD_LOOKS_MAX {
        match waitpid(child, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => std::thread::sleep(CHILD_PAUSE),
            // The loop may have been quicker.
            _ => return,
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
