//! The two programs under comparison: starting, finding out when they answer, killing them whatever happens.
//!
//! Invariants:
//! 1. A server never outlives this program: `Server` kills on drop (a panic unwinds through it), and a thread
//!    waits for SIGINT, SIGTERM and SIGHUP. Excepted are SIGKILL, and a signal in the instant in which a
//!    server is started.
//! 2. A server is the leader of its own process group, so that the child of a BGSAVE goes with it.
//! 3. Both servers are started by the same code with the same arguments.

use std::cell::Cell;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal, killpg};
use nix::unistd::Pid;

use crate::client::Client;
use crate::machine::{self, Cores};

const START_LIMIT: Duration = Duration::from_secs(300);
const SETTLE_LIMIT: Duration = Duration::from_secs(20);

/// Process groups to kill when a signal ends this program.
static RUNNING: Mutex<Vec<i32>> = Mutex::new(Vec::new());

/// Which of the two programs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    Redis,
    Tintype,
}

impl Side {
    /// The order within a round.
    pub const BOTH: [Side; 2] = [Side::Redis, Side::Tintype];

    pub fn other(self) -> Side {
        match self {
            Side::Redis => Side::Tintype,
            Side::Tintype => Side::Redis,
        }
    }
}

/// Where servers are started: programs, cores, and a directory for their files.
#[derive(Debug)]
pub struct Arena {
    redis: PathBuf,
    tintype: PathBuf,
    pub cores: Cores,
    root: PathBuf,
    directories: Cell<u32>,
}

impl Arena {
    /// Finds both programs and asks them for their version, so that a missing one is known at once.
    pub fn new(cores: Cores, root: &Path) -> io::Result<Arena> {
        let redis = std::env::var_os("REDIS_BIN").unwrap_or_else(|| "redis-server".into());
        let tintype = std::env::var_os("TINTYPE_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_tintype").into());
        let root = root.to_path_buf();
        let directories = Cell::new(0);
        let arena = Arena { redis: redis.into(), tintype: tintype.into(), cores, root, directories };
        for side in Side::BOTH {
            arena.version(side)?;
        }
        Ok(arena)
    }

    /// Below it lie all files of all servers.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn program(&self, side: Side) -> &Path {
        match side {
            Side::Redis => &self.redis,
            Side::Tintype => &self.tintype,
        }
    }

    /// First line of `--version`.
    pub fn version(&self, side: Side) -> io::Result<String> {
        let program = self.program(side);
        let hint = match side {
            Side::Redis => "install redis-server (Debian: apt-get install redis-server) or set REDIS_BIN",
            Side::Tintype => "build it (cargo build --release) or set TINTYPE_BIN",
        };
        let output = Command::new(program).arg("--version").output().map_err(|error| {
            io::Error::new(error.kind(), format!("cannot run {}: {error}; {hint}", program.display()))
        })?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(text.lines().next().unwrap_or("unknown version").to_string())
    }

    /// A new empty directory for a server's files.
    pub fn directory(&self) -> io::Result<PathBuf> {
        let number = self.directories.get();
        self.directories.set(number + 1);
        let path = self.root.join(number.to_string());
        fs::create_dir(&path)?;
        Ok(path)
    }

    /// Starts a server without data and waits until it answers.
    pub fn start(&self, side: Side) -> io::Result<Server> {
        Ok(self.start_in(side, &self.directory()?)?.0)
    }

    /// Starts a server on what the directory holds and waits for PONG; also says how long that took from
    /// exec.
    pub fn start_in(&self, side: Side, directory: &Path) -> io::Result<(Server, Duration)> {
        self.launch(side, directory, &[])
    }

    /// As `start`, with further arguments.
    pub fn start_with(&self, side: Side, arguments: &[&str]) -> io::Result<Server> {
        Ok(self.launch(side, &self.directory()?, arguments)?.0)
    }

    /// Starts a server without data whose saving child runs on the load's core, and leaves the server's own to the
    /// server.
    pub fn start_apart_from_child(&self, side: Side) -> io::Result<Server> {
        let core = self.cores.load.to_string();
        // The spelling of Redis 7.0, which both know.
        Ok(self.launch(side, &self.directory()?, &["--bgsave_cpulist", &core])?.0)
    }

    fn launch(&self, side: Side, directory: &Path, extra: &[&str]) -> io::Result<(Server, Duration)> {
        let port = free_port()?;
        let log = File::create(directory.join("log"))?;
        let mut command = Command::new(self.program(side));
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--daemonize", "no", "--save", ""]);
        command.args(extra);
        command.arg("--dir").arg(directory).current_dir(directory).process_group(0);
        command.stdin(Stdio::null()).stderr(log.try_clone()?).stdout(log);
        // A child inherits the pin and the signal mask of the thread that starts it.
        machine::pin(self.cores.server)?;
        caught_signals().thread_unblock()?;
        let started = Instant::now();
        let child = command.spawn();
        caught_signals().thread_block()?;
        machine::pin(self.cores.load)?;
        let server = Server::new(child?, side, port, directory);
        let server = server.wait_until_ready(started)?;
        Ok((server, started.elapsed()))
    }
}

/// A port that nobody listens on. It is free again when this returns; nothing else here takes ports
/// meanwhile.
pub fn free_port() -> io::Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// A running server; dropping it kills it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    pub side: Side,
    pub port: u16,
    pub directory: PathBuf,
}

impl Server {
    fn new(child: Child, side: Side, port: u16, directory: &Path) -> Server {
        let server = Server { child, side, port, directory: directory.to_path_buf() };
        running().push(server.group());
        server
    }

    fn group(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a process id is a positive i32")
    }

    /// Tries until PING is answered by PONG (and not by LOADING), every half millisecond.
    fn wait_until_ready(mut self, started: Instant) -> io::Result<Server> {
        let mut client = None;
        loop {
            if client.is_none() {
                client = Client::connect(self.port).ok();
            }
            match client.as_mut().map(|client| client.ask(&["PING"])) {
                Some(Ok(text)) if text == "PONG" => return Ok(self),
                Some(Err(error)) if !error.to_string().starts_with("LOADING") => client = None,
                _ => {}
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(self.failed(&format!("ended at start with {status}")));
            }
            if started.elapsed() > START_LIMIT {
                return Err(self.failed("does not answer"));
            }
            thread::sleep(Duration::from_micros(500));
        }
    }

    /// An error that says what this server did, with its output.
    pub fn failed(&self, what: &str) -> io::Error {
        let log = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
        io::Error::other(format!("{:?} {what}; its output:\n{log}", self.side))
    }

    pub fn client(&self) -> io::Result<Client> {
        Client::connect(self.port)
    }

    pub fn cpu_ns(&self) -> io::Result<u64> {
        machine::cpu_ns(self.child.id())
    }

    pub fn rss_bytes(&self) -> io::Result<u64> {
        machine::rss_bytes(self.child.id())
    }

    /// Waits until the server uses less than 5 % of its core, so that work it does after the fact (freeing,
    /// repairing huge pages) is not charged to whoever is measured next.
    pub fn settle(&self) -> io::Result<()> {
        let window = Duration::from_millis(200);
        let started = Instant::now();
        while started.elapsed() < SETTLE_LIMIT {
            let before = self.cpu_ns()?;
            thread::sleep(window);
            if u128::from(self.cpu_ns()? - before) < window.as_nanos() / 20 {
                return Ok(());
            }
        }
        eprintln!("  (note: {:?} did not come to rest in {} s)", self.side, SETTLE_LIMIT.as_secs());
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let group = self.group();
        // Both can only fail because the server is gone already.
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        let _ = self.child.wait();
        running().retain(|&running| running != group);
        // Files of finished servers must not fill the disk; what is kept by mistake goes with the root
        // directory.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn running() -> std::sync::MutexGuard<'static, Vec<i32>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn caught_signals() -> SigSet {
    [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect()
}

/// From now on the caught signals kill the servers, remove `root` and end the program. Must be called before
/// any other thread exists, because threads inherit the mask.
pub fn stop_on_signals(root: &Path) -> io::Result<()> {
    caught_signals().thread_block()?;
    let root = root.to_path_buf();
    thread::Builder::new().name("signals".to_string()).spawn(move || {
        let signal = caught_signals().wait().map_or("a signal", Signal::as_str);
        for group in running().iter() {
            let _ = killpg(Pid::from_raw(*group), Signal::SIGKILL);
        }
        let _ = fs::remove_dir_all(&root);
        eprintln!("compare: stopped by {signal}");
        std::process::exit(130);
    })?;
    Ok(())
}
