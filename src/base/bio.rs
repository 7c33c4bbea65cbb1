//! Background work: one thread that does what must not block the loop (close, unlink, fsync, freeing big
//! values).
//!
//! Jobs are done in the order they came. The queue is std's channel, which does not take a lock to send; the
//! forked child inherits neither the thread nor a reason to touch the queue.
//!
//! Invariants
//! 1. `pending_*` falls only after a job is done, so `0` means that nothing is left.
//! 2. A job that cannot be handed over is done at once by the caller; none is lost.
//! 3. The thread publishes its memory balance after each job, so `used_memory_bytes` sees what was freed.

use std::any::Any;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use super::{alloc, cpus};

/// What the thread can be asked to do.
pub enum Job {
    /// Close a descriptor; the last close of a deleted file frees its blocks, which can take long.
    CloseFd(OwnedFd),
    /// Remove a file; failures are ignored, as the file may be gone.
    Unlink(PathBuf),
    /// Write a file's data to the disk, then close it.
    Fsync(OwnedFd),
    /// Drop a value made of `objects` objects (keys, for INFO), which takes about so many bytes.
    Free { objects: u64, bytes: u64, garbage: Box<dyn Any + Send> },
    /// Anything else that takes long, such as the repair of huge pages.
    Run(Box<dyn FnOnce() + Send>),
}

impl Job {
    fn objects(&self) -> u64 {
        match self {
            Job::Free { objects, .. } => *objects,
            Job::CloseFd(_) | Job::Unlink(_) | Job::Fsync(_) | Job::Run(_) => 0,
        }
    }

    fn bytes(&self) -> u64 {
        match self {
            Job::Free { bytes, .. } => *bytes,
            Job::CloseFd(_) | Job::Unlink(_) | Job::Fsync(_) | Job::Run(_) => 0,
        }
    }

    fn perform(self) {
        match self {
            Job::CloseFd(descriptor) => drop(descriptor),
            // Nobody waits for the outcome of these two.
            Job::Unlink(path) => drop(std::fs::remove_file(path)),
            Job::Fsync(descriptor) => drop(File::from(descriptor).sync_data()),
            Job::Free { garbage, .. } => drop(garbage),
            Job::Run(work) => work(),
        }
    }
}

#[derive(Default)]
struct Counters {
    pending_jobs: AtomicU64,
    pending_objects: AtomicU64,
    pending_bytes: AtomicU64,
    freed_objects: AtomicU64,
}

/// One helper thread and its queue. Dropping it waits until the queue is done.
pub struct Bio {
    jobs: Option<Sender<Job>>,
    counters: Arc<Counters>,
    thread: Option<JoinHandle<()>>,
}

impl Bio {
    /// Starts a thread of this name, at most 15 bytes (`bio_lazy_free`).
    ///
    /// # Errors
    /// When the host refuses another thread.
    pub fn start(name: &str) -> io::Result<Bio> {
        let (sender, receiver) = channel();
        let counters = Arc::new(Counters::default());
        let shared = counters.clone();
        let thread =
            std::thread::Builder::new().name(name.to_owned()).spawn(move || work(receiver, &shared))?;
        Ok(Bio { jobs: Some(sender), counters, thread: Some(thread) })
    }

    /// Hands a job over; never blocks.
    pub fn submit(&self, job: Job) {
        self.counters.pending_jobs.fetch_add(1, Ordering::Relaxed);
        self.counters.pending_objects.fetch_add(job.objects(), Ordering::Relaxed);
        self.counters.pending_bytes.fetch_add(job.bytes(), Ordering::Relaxed);
        let refused = match &self.jobs {
            Some(jobs) => jobs.send(job).err().map(|error| error.0),
            None => Some(job),
        };
        if let Some(job) = refused {
            self.counters.perform(job);
        }
    }

    /// Drops `garbage`, which is made of `objects` objects and takes about `bytes`, on the thread.
    pub fn free<T: Any + Send>(&self, objects: u64, bytes: u64, garbage: T) {
        self.submit(Job::Free { objects, bytes, garbage: Box::new(garbage) });
    }

    /// Jobs not yet done.
    pub fn pending_jobs(&self) -> u64 {
        self.counters.pending_jobs.load(Ordering::Acquire)
    }

    /// Objects not yet freed (INFO lazyfree_pending_objects).
    pub fn pending_objects(&self) -> u64 {
        self.counters.pending_objects.load(Ordering::Acquire)
    }

    /// Bytes about to be freed, roughly. What a job frees counts here until the job is over.
    pub fn pending_bytes(&self) -> u64 {
        self.counters.pending_bytes.load(Ordering::Acquire)
    }

    /// Objects freed since the start or the last reset (INFO lazyfreed_objects).
    pub fn freed_objects(&self) -> u64 {
        self.counters.freed_objects.load(Ordering::Relaxed)
    }

    /// CONFIG RESETSTAT.
    pub fn reset_freed_objects(&self) {
        self.counters.freed_objects.store(0, Ordering::Relaxed);
    }
}

impl Drop for Bio {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic in a job has been reported by the panic hook already.
            let _ = thread.join();
        }
    }
}

fn work(jobs: Receiver<Job>, counters: &Counters) {
    cpus::join_helpers();
    for job in jobs {
        counters.perform(job);
    }
}

impl Counters {
    fn perform(&self, job: Job) {
        let (objects, bytes) = (job.objects(), job.bytes());
        job.perform();
        // Before it counts as done, so that no byte is missing from both accounts.
        alloc::publish();
        self.pending_bytes.fetch_sub(bytes, Ordering::Release);
        self.freed_objects.fetch_add(objects, Ordering::Relaxed);
        self.pending_objects.fetch_sub(objects, Ordering::Release);
        self.pending_jobs.fetch_sub(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn jobs_are_done_in_order_and_counted() {
        let bio = Bio::start("bio_lazy_free").unwrap();
        let (open_gate, gate) = mpsc::channel::<()>();
        let (tell, told) = mpsc::channel();
        bio.submit(Job::Run(Box::new(move || {
            let name = std::thread::current().name().map(str::to_owned);
            tell.send(name).unwrap();
            let _ = gate.recv();
        })));
        assert_eq!(told.recv().unwrap().as_deref(), Some("bio_lazy_free"));
        bio.free(3, 300, vec![vec![1_u8; 100]; 3]);
        bio.free(4, 4, String::from("four"));
        assert_eq!((bio.pending_jobs(), bio.pending_objects(), bio.freed_objects()), (3, 7, 0));
        assert_eq!(bio.pending_bytes(), 304);
        drop(open_gate);
        while bio.pending_jobs() > 0 {
            std::thread::yield_now();
        }
        assert_eq!((bio.pending_objects(), bio.pending_bytes(), bio.freed_objects()), (0, 0, 7));
        bio.reset_freed_objects();
        assert_eq!(bio.freed_objects(), 0);
    }

    #[test]
    fn dropping_it_finishes_the_queue() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("old.rdb");
        let file = File::create(&path).unwrap();
        let bio = Bio::start("bio_close").unwrap();
        bio.submit(Job::Unlink(path.clone()));
        bio.submit(Job::Unlink(path.clone()));
        bio.submit(Job::Fsync(file.try_clone().unwrap().into()));
        bio.submit(Job::CloseFd(file.into()));
        drop(bio);
        assert!(!path.exists());
    }
}
