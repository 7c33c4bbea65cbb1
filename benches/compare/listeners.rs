//! Subscribers: many connections read by one thread, which counts the messages.
//!
//! It waits with epoll and reads what has come, as a client program with many connections does. All messages have one
//! length, so that counting them is a division: the generator must be cheaper than any server.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const EVENTS: usize = 1024;
const INPUT_BYTES: usize = 256 << 10;
const WAIT_MS: i32 = 20;
/// Nothing comes later than this from a healthy server.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct Listeners {
    received: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Listeners {
    /// Connects `count` clients and lets each subscribe to `channel`.
    pub fn connect(port: u16, count: usize, channel: &str) -> io::Result<Listeners> {
        let request = format!("*2\r\n$9\r\nSUBSCRIBE\r\n${}\r\n{channel}\r\n", channel.len());
        let confirmed = format!("*3\r\n$9\r\nsubscribe\r\n${}\r\n{channel}\r\n:1\r\n", channel.len());
        let mut streams = Vec::with_capacity(count);
        for _ in 0..count {
            let mut stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port)))?;
            stream.write_all(request.as_bytes())?;
            let mut answer = vec![0; confirmed.len()];
            stream.read_exact(&mut answer)?;
            if answer != confirmed.as_bytes() {
                return Err(io::Error::other("a subscription was refused"));
            }
            stream.set_nonblocking(true)?;
            streams.push(stream);
        }
        let (received, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, told) = (Arc::clone(&received), Arc::clone(&stop));
        let read = move || listen(&mut streams, &count, &told);
        let thread = thread::Builder::new().name("listeners".to_string()).spawn(read)?;
        Ok(Listeners { received, stop, thread: Some(thread) })
    }

    /// Bytes received by all of them so far.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Waits until so many bytes have come, or a connection failed.
    pub fn wait_for(&self, bytes: u64) -> io::Result<()> {
        let started = Instant::now();
        while self.received() < bytes {
            let is_over = self.thread.as_ref().is_none_or(JoinHandle::is_finished);
            if is_over || started.elapsed() > PATIENCE {
                let missing = bytes - self.received();
                return Err(io::Error::other(format!("{missing} bytes of messages never came")));
            }
            thread::sleep(Duration::from_micros(50));
        }
        Ok(())
    }
}

impl Drop for Listeners {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Its failure was seen by who waited for messages.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn listen(streams: &mut [TcpStream], received: &AtomicU64, stop: &AtomicBool) -> io::Result<()> {
    // SAFETY: plain system calls; the descriptor is owned from here on.
    let epoll = unsafe { OwnedFd::from_raw_fd(check(libc::epoll_create1(libc::EPOLL_CLOEXEC))?) };
    for (index, stream) in streams.iter().enumerate() {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: index as u64 };
        // SAFETY: both descriptors are open, and the event is a live struct.
        check(unsafe {
            libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, stream.as_raw_fd(), &raw mut event)
        })?;
    }
    let mut events = [libc::epoll_event { events: 0, u64: 0 }; EVENTS];
    let mut input = vec![0; INPUT_BYTES];
    while !stop.load(Ordering::Relaxed) {
        // SAFETY: the array has room for as many events as are asked for.
        let found =
            unsafe { libc::epoll_wait(epoll.as_raw_fd(), events.as_mut_ptr(), EVENTS as i32, WAIT_MS) };
        let found = match check(found) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            outcome => usize::try_from(outcome?).expect("a count"),
        };
        for event in &events[..found] {
            let index = usize::try_from(event.u64).expect("an index of ours");
            match streams[index].read(&mut input) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => drop(received.fetch_add(count as u64, Ordering::Relaxed)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

fn check(result: i32) -> io::Result<i32> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
