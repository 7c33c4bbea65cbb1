//! Several threads on one file: one cuts off a stretch, others decode, and the loop puts the keys in their places.
//!
//! ```text
//!  front                                                                          back
//!  | decoded | decoded | being decoded | cut | being decoded | cut |  <- the cutter, in whose hands it is
//!   └─ the loop takes it                └─ whoever has time takes the first one
//! ```
//! Every thread takes what is to be done next: cut while too little is cut, else decode. The loop does so, too, when
//! the front is not decoded yet, but only pieces of a size that does not hold it up. So all cores are busy whatever is
//! dear in a file: strings are inserted about as fast as they are made, and the loop does little of the rest;
//! compressed values and tables take all their time in decoding.
//!
//! Invariants
//! 1. The loop takes stretches in the order of the file, whoever decoded them.
//! 2. No thread touches the keyspace: they share only the line, whose lock is held for a few moves of pointers.
//! 3. What is wrong in a stretch is not judged here: the loop reads the file from there (`Next::Alone`), and comes upon
//!    it as if there had been no other thread.
//! 4. Nobody waits for a thread that is gone: one that panics leaves its stretch to the loop in the same way.
//! 5. When a team is dropped its threads end, after the stretch they are at; so nothing of them is left at a fork.

use super::FileInput;
use super::decode::{Batch, Decoder};
use super::making::Terms;
use super::place::Arrival;
use crate::base::{alloc, cpus};
use crate::rdb::{Cut, Cutter, Ending, ReaderOptions, Stretch, Version};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Stretches between the cutter and the loop.
const SLOTS_MAX: usize = 12;
/// Bytes of the file between the two; one stretch may be more.
const BYTES_MAX: usize = 16 << 20;
/// Stretches that wait to be decoded are this many for each thread.
const CUT_AHEAD: usize = 1;
/// The loop decodes no stretch that is longer, in bytes of the file.
const LOOP_STRETCH_BYTES_MAX: usize = 512 << 10;
/// A larger buffer is not kept for the next stretch.
const SPARE_BYTES_MAX: usize = 1 << 20;
/// So long the loop waits for others before it looks at the clock.
const WAIT: Duration = Duration::from_millis(1);

/// What the loop is to do next.
pub(super) enum Next {
    Batch(Batch),
    /// Read the file from this offset, and say where the cutter shall go on.
    Aside {
        offset: u64,
    },
    /// Read the file from this offset to its end.
    Alone {
        offset: u64,
    },
    End(Ending),
    /// Ask again.
    Nothing,
}

/// The loop's end of it.
pub(super) struct Team {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    decoder: Decoder,
}

struct Shared {
    line: Mutex<Line>,
    changed: Condvar,
}

struct Line {
    slots: VecDeque<Slot>,
    /// The number of the slot at the front; they are counted from the beginning of the load.
    first: u64,
    /// Bytes of the file in the slots.
    bytes: usize,
    cutter: Tool,
    terms: Terms,
    spare_buffers: Vec<Vec<u8>>,
    spare_rooms: Vec<Vec<Arrival>>,
    threads: usize,
    is_over: bool,
}

enum Tool {
    /// Nobody is cutting, and there is more to cut: from an offset, when the loop has read what is in front of it.
    Free(Box<Cutter<FileInput>>, Option<u64>),
    /// Somebody is cutting.
    InUse,
    /// Waits to be told where to go on.
    Parked(Box<Cutter<FileInput>>),
    /// The cutter is at the end, or lost.
    Gone,
}

enum Slot {
    Cut(Stretch),
    /// Being decoded; so many bytes.
    Taken(usize),
    Decoded(Batch, usize),
    Aside {
        offset: u64,
    },
    Alone {
        offset: u64,
    },
    End(Ending),
}

impl Slot {
    fn bytes(&self) -> usize {
        match self {
            Slot::Cut(stretch) => stretch.bytes(),
            Slot::Taken(bytes) | Slot::Decoded(_, bytes) => *bytes,
            Slot::Aside { .. } | Slot::Alone { .. } | Slot::End(_) => 0,
        }
    }
}

enum Job {
    Cut { cutter: Box<Cutter<FileInput>>, from: Option<u64>, spare: Vec<u8> },
    Decode { number: u64, stretch: Stretch, terms: Terms, room: Vec<Arrival> },
}

/// Who looks for something to do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Loop,
    Thread,
}

/// What a team works on.
pub(super) struct Work {
    pub(super) input: FileInput,
    pub(super) version: Version,
    /// The checksum of these is the cutter's.
    pub(super) options: ReaderOptions,
}

impl Team {
    /// Starts the threads that are to be `threads` with the loop. The cutter waits for `go_on_at`. `None` when the host
    /// refuses every thread.
    pub(super) fn start(work: Work, threads: usize, terms: Terms) -> Option<Team> {
        let Work { input, version, options } = work;
        let cutter = Box::new(Cutter::new(input, version, options.checksum));
        let line = Line {
            slots: VecDeque::with_capacity(SLOTS_MAX + 1),
            first: 0,
            bytes: 0,
            cutter: Tool::Parked(cutter),
            terms,
            spare_buffers: Vec::new(),
            spare_rooms: Vec::new(),
            threads,
            is_over: false,
        };
        let shared = Arc::new(Shared { line: Mutex::new(line), changed: Condvar::new() });
        let mut team = Team { shared, threads: Vec::new(), decoder: Decoder::new(version, options) };
        for _ in 1..threads {
            let shared = team.shared.clone();
            let thread = std::thread::Builder::new().name("rdb_load".to_owned());
            match thread.spawn(move || shared.serve(version, options)) {
                Ok(thread) => team.threads.push(thread),
                Err(error) => tracing::warn!("Can't start a thread for the load: {error}"),
            }
        }
        (!team.threads.is_empty()).then_some(team)
    }

    /// Keys are made by these terms from now on.
    pub(super) fn set_terms(&self, terms: Terms) {
        self.shared.lock().terms = terms;
    }

    /// After `Next::Aside`, and at the start: the loop has read the file up to `offset`.
    pub(super) fn go_on_at(&self, offset: u64) {
        let mut line = self.shared.lock();
        line.cutter = match std::mem::replace(&mut line.cutter, Tool::Gone) {
            Tool::Parked(cutter) => Tool::Free(cutter, Some(offset)),
            other => other,
        };
        drop(line);
        self.shared.changed.notify_all();
    }

    /// Takes the batch that was placed, for its memory.
    pub(super) fn give_back(&self, mut room: Vec<Arrival>) {
        room.clear();
        self.shared.lock().spare_rooms.push(room);
    }

    #[cfg(test)]
    pub(super) fn watch(&self) -> std::sync::Weak<impl Sized + use<>> {
        Arc::downgrade(&self.shared)
    }

    /// What comes next in the file; does some of the work if it is not there yet.
    pub(super) fn next(&mut self) -> Next {
        let mut line = self.shared.lock();
        match line.slots.front() {
            Some(Slot::Cut(_) | Slot::Taken(_)) | None => {}
            Some(_) => {
                let next = line.take_front();
                drop(line);
                self.shared.changed.notify_all();
                return next;
            }
        }
        match line.pick(Who::Loop) {
            Some(job) => {
                drop(line);
                self.shared.perform(job, &mut self.decoder);
            }
            None => drop(self.shared.changed.wait_timeout(line, WAIT)),
        }
        Next::Nothing
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.lock().is_over = true;
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            // It has told of its panic, if it had one.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread's life.
    fn serve(&self, version: Version, options: ReaderOptions) {
        cpus::join_helpers();
        // Refused, everything works, on pages that the heap does not look after.
        alloc::share_the_loops_arena();
        let mut decoder = Decoder::new(version, options);
        loop {
            let mut line = self.lock();
            let job = loop {
                if line.is_over {
                    drop((line, decoder));
                    alloc::publish();
                    return;
                }
                match line.pick(Who::Thread) {
                    Some(job) => break job,
                    None => line = self.changed.wait(line).unwrap_or_else(PoisonError::into_inner),
                }
            };
            drop(line);
            self.perform(job, &mut decoder);
            alloc::publish();
        }
    }

    fn perform(&self, job: Job, decoder: &mut Decoder) {
        match job {
            Job::Cut { cutter, from, spare } => self.cut(cutter, from, spare),
            Job::Decode { number, stretch, terms, room } => {
                let (offset, bytes) = (stretch.offset, stretch.bytes());
                let decode = AssertUnwindSafe(|| decoder.decode(stretch, &terms, room));
                // After a panic the decoder is only told to begin anew, which it can.
                let (batch, buffer) = catch_unwind(decode).unwrap_or_default();
                let mut line = self.lock();
                line.keep_buffer(buffer);
                let place = (number - line.first) as usize;
                line.slots[place] = match batch {
                    Some(batch) => Slot::Decoded(batch, bytes),
                    None => Slot::Alone { offset },
                };
            }
        }
        self.changed.notify_all();
    }

    fn cut(&self, mut cutter: Box<Cutter<FileInput>>, from: Option<u64>, spare: Vec<u8>) {
        let lost = from.filter(|offset| cutter.skip_to(*offset).is_err());
        let (slot, tool) = match lost {
            Some(offset) => (Slot::Alone { offset }, Tool::Gone),
            None => match cutter.cut(spare) {
                Cut::Keys(stretch) => (Slot::Cut(stretch), Tool::Free(cutter, None)),
                Cut::Aside { offset } => (Slot::Aside { offset }, Tool::Parked(cutter)),
                Cut::End(ending) => (Slot::End(ending), Tool::Gone),
            },
        };
        let mut line = self.lock();
        line.bytes += slot.bytes();
        line.slots.push_back(slot);
        line.cutter = tool;
    }
}

impl Line {
    /// What is to be done next, by whoever asks.
    fn pick(&mut self, who: Who) -> Option<Job> {
        let cut = self.slots.iter().filter(|slot| matches!(slot, Slot::Cut(_))).count();
        if cut < CUT_AHEAD * self.threads
            && let Some(job) = self.pick_cut(who)
        {
            return Some(job);
        }
        self.pick_stretch(who).or_else(|| self.pick_cut(who))
    }

    fn pick_cut(&mut self, who: Who) -> Option<Job> {
        if self.slots.len() >= SLOTS_MAX || self.bytes >= BYTES_MAX {
            return None;
        }
        match std::mem::replace(&mut self.cutter, Tool::InUse) {
            Tool::Free(cutter, from) if who == Who::Thread || is_near(&cutter, from) => {
                Some(Job::Cut { cutter, from, spare: self.spare_buffers.pop().unwrap_or_default() })
            }
            other => {
                self.cutter = other;
                None
            }
        }
    }

    fn pick_stretch(&mut self, who: Who) -> Option<Job> {
        let is_ours = |slot: &Slot| match slot {
            Slot::Cut(stretch) => who == Who::Thread || stretch.bytes() <= LOOP_STRETCH_BYTES_MAX,
            _ => false,
        };
        let place = self.slots.iter().position(is_ours)?;
        let taken = Slot::Taken(self.slots[place].bytes());
        match std::mem::replace(&mut self.slots[place], taken) {
            Slot::Cut(stretch) => {
                let (number, terms) = (self.first + place as u64, self.terms);
                let room = self.spare_rooms.pop().unwrap_or_default();
                Some(Job::Decode { number, stretch, terms, room })
            }
            _ => unreachable!("it was looked at"),
        }
    }

    fn take_front(&mut self) -> Next {
        let Some(slot) = self.slots.pop_front() else { return Next::Nothing };
        self.first += 1;
        self.bytes -= slot.bytes();
        match slot {
            Slot::Decoded(batch, _) => Next::Batch(batch),
            Slot::Aside { offset } => Next::Aside { offset },
            Slot::Alone { offset } => Next::Alone { offset },
            Slot::End(ending) => Next::End(ending),
            Slot::Cut(_) | Slot::Taken(_) => unreachable!("the caller has looked"),
        }
    }

    fn keep_buffer(&mut self, buffer: Vec<u8>) {
        if buffer.len() <= SPARE_BYTES_MAX && self.spare_buffers.len() < SLOTS_MAX {
            self.spare_buffers.push(buffer);
        }
    }
}

/// Whether a cut that begins at `from` is as quick as another one.
fn is_near(cutter: &Cutter<FileInput>, from: Option<u64>) -> bool {
    from.is_none_or(|from| from - cutter.offset() <= LOOP_STRETCH_BYTES_MAX as u64)
}
