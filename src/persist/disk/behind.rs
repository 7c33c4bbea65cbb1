//! The disk behind the writer: what is new is handed to it, what was handed to it before is waited for.
//!
//! ```text
//!  0 ........ finished ........ started ........ written
//!     on the disk,     the disk is       in the kernel's cache; a portion
//!     page cache free  busy with it      is started when it is whole
//! ```
//! Waiting is not work, so it gets a thread (`attend`) while the save goes on on others. Where there is no such thread,
//! the writer does its part in between.
//!
//! Invariants
//! 1. The attendant, if there is one, makes all these calls, else the writer: never both.
//! 2. At most `BACKLOG_BYTES` are written beyond what is on the disk, and a portion: so the last sync is short.
//! 3. What fails on the attendant's side is told to the writer at its next write, or at the end.

use super::{Calls, FileRange, PageCache, steady};
use crate::base::os::RangeSync;
use crate::persist::error::{Fault, Operation};
use std::fs::File;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// So much is handed to the disk at a time.
const PORTION_BYTES: u64 = 4 << 20;
/// See invariant 2.
const BACKLOG_BYTES: u64 = 16 << 20;

pub(super) struct Behind<'a> {
    file: &'a File,
    page_cache: PageCache,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Clone, Copy)]
struct State {
    written_bytes: u64,
    started_bytes: u64,
    finished_bytes: u64,
    attendant: Attendant,
    fault: Option<Fault>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Attendant {
    None,
    AtWork,
    /// Nothing more is to be written.
    SentHome,
}

impl State {
    fn has_portion(&self) -> bool {
        self.written_bytes - self.started_bytes >= PORTION_BYTES
    }

    fn backlog_bytes(&self) -> u64 {
        self.written_bytes - self.finished_bytes
    }
}

impl<'a> Behind<'a> {
    pub(super) fn new(file: &'a File, page_cache: PageCache) -> Behind<'a> {
        let (written_bytes, started_bytes, finished_bytes) = (0, 0, 0);
        let (attendant, fault) = (Attendant::None, None);
        let state = State { written_bytes, started_bytes, finished_bytes, attendant, fault };
        Behind { file, page_cache, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// The writer has written so much.
    pub(super) fn written(&self, calls: &mut impl Calls, written_bytes: u64) -> Result<(), Fault> {
        let mut state = self.lock();
        state.written_bytes = written_bytes;
        if state.attendant == Attendant::None {
            if state.has_portion() {
                *state = self.step(calls, *state)?;
            }
            return Ok(());
        }
        if state.has_portion() {
            self.changed.notify_all();
        }
        while state.fault.is_none() && state.backlog_bytes() > BACKLOG_BYTES + PORTION_BYTES {
            state = self.wait(state);
        }
        state.fault.map_or(Ok(()), Err)
    }

    /// The attendant's work, until the writer has ended and whole portions are done.
    pub(super) fn attend(&self, calls: &mut impl Calls) {
        let mut state = self.lock();
        if state.attendant == Attendant::None {
            state.attendant = Attendant::AtWork;
        }
        while state.fault.is_none() {
            if !state.has_portion() {
                if state.attendant == Attendant::SentHome {
                    return;
                }
                state = self.wait(state);
                continue;
            }
            let before = *state;
            drop(state);
            let stepped = self.step(calls, before);
            state = self.lock();
            match stepped {
                Ok(after) => {
                    (state.started_bytes, state.finished_bytes) = (after.started_bytes, after.finished_bytes);
                }
                Err(fault) => state.fault = Some(fault),
            }
            self.changed.notify_all();
        }
    }

    /// The writer has ended, well or not.
    pub(super) fn send_home(&self) {
        self.lock().attendant = Attendant::SentHome;
        self.changed.notify_all();
    }

    /// What failed on the attendant's side, when it has gone.
    pub(super) fn fault(&self) -> Option<Fault> {
        self.lock().fault
    }

    /// Starts writing out what is new and waits for what was started before: the disk is always busy.
    fn step(&self, calls: &mut impl Calls, state: State) -> Result<State, Fault> {
        let fault = |errno| Fault::new(Operation::Sync, errno);
        let State { written_bytes, started_bytes, finished_bytes, .. } = state;
        let new = FileRange { start: started_bytes, bytes: written_bytes - started_bytes };
        let old = FileRange { start: finished_bytes, bytes: started_bytes - finished_bytes };
        steady(|| calls.sync_range(self.file, new, RangeSync::Start)).map_err(fault)?;
        if old.bytes > 0 {
            steady(|| calls.sync_range(self.file, old, RangeSync::Finish)).map_err(fault)?;
            if self.page_cache == PageCache::Release {
                calls.forget(self.file, old);
            }
        }
        Ok(State { started_bytes: written_bytes, finished_bytes: started_bytes, ..state })
    }

    /// A panic while it was held ends the process, or a test.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}
