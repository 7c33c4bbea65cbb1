//! One server process in its own directory.
//!
//! 1. The port lies below the kernel's ephemeral range, so that no test's outgoing connection can have taken it; a
//!    start that loses the port to someone else tries again on another one.
//! 2. A server counts as started when the process is alive, its log says that it accepts connections and it answers.
//! 3. It is killed by its pid at drop, and by the kernel should the test process die first.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;
use tempfile::TempDir;

use super::{Connection, PATIENCE, holds_within, process};

const PORT_MIN: u32 = 20_001;
const PORT_COUNT: u32 = 12_000;
const START_TRIES_MAX: usize = 5;
const LOG_LINES_SHOWN: usize = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    Tintype,
    Oracle,
}

/// Until when `Start::spawn` waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The data is loaded and connections are served.
    Ready,
    /// Something accepts connections on the port; the data may still be loading.
    Listening,
    /// Only until the process exists.
    Nothing,
}

/// How to start a server: `Start::tintype().with("--save", "").spawn()`.
#[derive(Clone, Debug)]
pub struct Start {
    binary: Binary,
    arguments: Vec<String>,
    directory: Option<PathBuf>,
    config_file: Option<PathBuf>,
    wait: Wait,
    file_size_max: Option<u64>,
    files_max: Option<u64>,
    environment: Vec<(String, PathBuf)>,
}

pub struct Server {
    pub port: u16,
    child: Child,
    directory: PathBuf,
    log: PathBuf,
    /// Kept for its drop; `None` when the caller owns the directory.
    _own: Option<TempDir>,
}

impl Start {
    pub fn tintype() -> Start {
        Self::new(Binary::Tintype)
    }

    pub fn oracle() -> Start {
        Self::new(Binary::Oracle)
    }

    pub fn new(binary: Binary) -> Start {
        Start {
            binary,
            arguments: Vec::new(),
            directory: None,
            config_file: None,
            wait: Wait::Ready,
            file_size_max: None,
            files_max: None,
            environment: Vec::new(),
        }
    }

    /// Adds a directive, as on the command line: `with("--maxclients", "10")`.
    pub fn with(mut self, directive: &str, value: &str) -> Start {
        self.arguments.extend([directive.to_owned(), value.to_owned()]);
        self
    }

    /// Adds raw arguments.
    pub fn arguments(mut self, arguments: &[&str]) -> Start {
        self.arguments.extend(arguments.iter().map(|&a| a.to_owned()));
        self
    }

    /// Runs in a directory of the caller's, for example to start again on the same files.
    pub fn in_directory(mut self, directory: &Path) -> Start {
        self.directory = Some(directory.to_owned());
        self
    }

    /// Reads a configuration file first; the arguments override it.
    pub fn config_file(mut self, file: &Path) -> Start {
        self.config_file = Some(file.to_owned());
        self
    }

    pub fn wait(mut self, wait: Wait) -> Start {
        self.wait = wait;
        self
    }

    /// RLIMIT_FSIZE with SIGXFSZ ignored: writes beyond it fail with EFBIG, a full disk for everyone, root or not.
    pub fn file_size_max(mut self, bytes: u64) -> Start {
        self.file_size_max = Some(bytes);
        self
    }

    /// RLIMIT_NOFILE.
    pub fn files_max(mut self, count: u64) -> Start {
        self.files_max = Some(count);
        self
    }

    /// Adds a variable to its environment.
    pub fn environment(mut self, name: &str, value: &Path) -> Start {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    #[track_caller]
    pub fn spawn(self) -> Server {
        static FILES: Once = Once::new();
        FILES.call_once(allow_many_files);
        for _ in 0..START_TRIES_MAX {
            if let Some(server) = self.try_spawn() {
                return server;
            }
        }
        panic!("the server found no free port in {START_TRIES_MAX} tries");
    }

    /// `None` when somebody else got the port first. Any other failure ends the test with the server's log.
    #[track_caller]
    fn try_spawn(&self) -> Option<Server> {
        let own = self.directory.is_none().then(|| TempDir::new().expect("a temporary directory"));
        let directory = self.directory.clone().or_else(|| own.as_ref().map(|own| own.path().to_owned()));
        let directory = directory.expect("one of the two is there");
        let port = free_port();
        let log = directory.join(format!("server-{port}.log"));
        let child = self.command(port, &directory, &log).spawn().expect("the server's binary starts");
        let mut server = Server { port, child, directory, log, _own: own };
        if self.wait == Wait::Nothing || server.has_started(self.wait) {
            return Some(server);
        }
        let log = server.log();
        assert!(log.contains("ddress already in use"), "the server did not start; its log:\n{log}");
        None
    }

    fn command(&self, port: u16, directory: &Path, log: &Path) -> Command {
        let output = File::create(log).expect("a log file");
        let mut command = Command::new(binary_path(self.binary));
        command.current_dir(directory).args(&self.config_file).args(["--port", &port.to_string()]);
        command.args(&self.arguments).stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stderr(output.try_clone().expect("a second handle")).stdout(output);
        let (file_size_max, files_max) = (self.file_size_max, self.files_max);
        // SAFETY: only async-signal-safe system calls happen between fork and exec.
        unsafe {
            command.pre_exec(move || {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                limit(libc::RLIMIT_FSIZE, file_size_max);
                limit(libc::RLIMIT_NOFILE, files_max);
                if file_size_max.is_some() {
                    libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
                }
                Ok(())
            });
        }
        command
    }
}

/// Parallel tests hold more sockets than the usual soft limit of 1,024.
fn allow_many_files() {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).expect("the limit can be read");
    setrlimit(Resource::RLIMIT_NOFILE, most, most).expect("a soft limit may be raised");
}

fn limit(resource: libc::__rlimit_resource_t, value: Option<u64>) {
    if let Some(value) = value {
        let limits = libc::rlimit { rlim_cur: value, rlim_max: value };
        // SAFETY: a valid resource and a pointer to a live struct.
        unsafe { libc::setrlimit(resource, &limits) };
    }
}

impl Server {
    /// Tintype with no save rules, and the given arguments.
    #[track_caller]
    pub fn start(arguments: &[&str]) -> Server {
        Start::tintype().with("--save", "").arguments(arguments).spawn()
    }

    /// The oracle with no save rules, and the given arguments.
    #[track_caller]
    pub fn oracle(arguments: &[&str]) -> Server {
        Start::oracle().with("--save", "").arguments(arguments).spawn()
    }

    #[track_caller]
    pub fn connect(&self) -> Connection {
        Connection::tcp(self.port)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it runs and saves.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The names in its directory, sorted, without the log.
    pub fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.directory).expect("the directory is there").flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut names: Vec<_> = names.filter(|name| !name.ends_with(".log")).collect();
        names.sort();
        names
    }

    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    #[track_caller]
    pub fn wait_for_log(&self, text: &str) {
        let found = holds_within(PATIENCE, || self.log().contains(text));
        assert!(found, "the log never said {text:?}:\n{}", self.log());
    }

    pub fn signal(&self, signal: Signal) {
        process::signal(self.pid(), signal);
    }

    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for the process to end by itself.
    #[track_caller]
    pub fn wait_for_end(&mut self) -> ExitStatus {
        let ended = holds_within(PATIENCE, || !self.is_running());
        assert!(ended, "the server did not end; its log:\n{}", self.log());
        self.child.wait().expect("the status of our own child")
    }

    /// Kills the process with SIGKILL and waits until it is gone; the directory stays.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn has_started(&mut self, wait: Wait) -> bool {
        holds_within(Duration::from_secs(30), || !self.is_running() || self.answers(wait))
            && self.is_running()
    }

    fn answers(&mut self, wait: Wait) -> bool {
        if wait == Wait::Ready && !self.log().contains("eady to accept connections") {
            return false;
        }
        let Ok(mut connection) = Connection::try_tcp(self.port) else { return false };
        connection.try_send(b"PING\r\n").is_ok() && connection.try_value().is_ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<_> =
                log.lines().rev().filter(|line| !line.contains("overcommit")).take(LOG_LINES_SHOWN).collect();
            eprintln!("--- last log lines of the server on port {} ---", self.port);
            tail.iter().rev().for_each(|line| eprintln!("{line}"));
        }
    }
}

/// The file that is started for `binary`.
pub fn binary_path(binary: Binary) -> PathBuf {
    match binary {
        Binary::Tintype => match std::env::var_os("TINTYPE_BINARY") {
            Some(path) => PathBuf::from(path),
            None => PathBuf::from(env!("CARGO_BIN_EXE_tintype")),
        },
        Binary::Oracle => tool("redis-server"),
    }
}

/// True when another binary stands in Tintype's place: what only Tintype promises is then not demanded.
pub fn is_stand_in() -> bool {
    std::env::var_os("TINTYPE_BINARY").is_some()
}

/// A program from PATH that `tests/run` installs.
#[track_caller]
pub fn tool(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| {
        panic!("{name} is not installed: run tests/run, which installs what the tests need")
    })
}

/// A port nobody listens on, different for every call in this process.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(977);
    for _ in 0..PORT_COUNT {
        let offset = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % PORT_COUNT;
        let port = (PORT_MIN + offset) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port between {PORT_MIN} and {}", PORT_MIN + PORT_COUNT);
}
