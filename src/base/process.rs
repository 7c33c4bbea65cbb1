//! What a server owes its host: background, pid file, systemd, limits, out-of-memory score, and CPU
//! accounting.
//!
//! Nothing here logs; texts that Redis logs are made by `Display` or returned, so that the caller can say
//! them once the log exists.

use std::fmt;
use std::io::{self, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};

use super::os::read_small_file;

/// Leaves the terminal: the caller returns as a child in a session of its own, with /dev/null as its standard
/// streams. The working directory stays. To be called before any thread or runtime exists.
///
/// # Errors
/// When the fork or setsid fails.
pub fn daemonize() -> io::Result<()> {
    let (keep_directory, close_streams) = (true, false);
    Ok(nix::unistd::daemon(keep_directory, close_streams)?)
}

/// Writes this process's id and a newline.
///
/// # Errors
/// Those of creating or writing the file.
pub fn write_pidfile(path: &Path) -> io::Result<()> {
    std::fs::write(path, format!("{}\n", std::process::id()))
}

/// Removes the pid file; that it is gone already is fine.
///
/// # Errors
/// Those of removing a file, but for its absence.
pub fn remove_pidfile(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Whether a service manager heard us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notified {
    Sent,
    /// NOTIFY_SOCKET is not set: not started by systemd with Type=notify.
    NoManager,
}

/// Tells systemd `message` (`READY=1`, `STATUS=Loading..`, `STOPPING=1`; lines separated by newlines),
/// sd_notify(3).
///
/// # Errors
/// When the socket's address is unusable or the message cannot be sent.
pub fn sd_notify(message: &str) -> io::Result<Notified> {
    match std::env::var_os("NOTIFY_SOCKET") {
        Some(address) if !address.is_empty() => notify_at(address.as_bytes(), message),
        _ => Ok(Notified::NoManager),
    }
}

/// An address that begins with `@` is a name in the abstract namespace.
fn notify_at(address: &[u8], message: &str) -> io::Result<Notified> {
    let address = match address.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(address))?,
    };
    UnixDatagram::unbound()?.send_to_addr(message.as_bytes(), &address)?;
    Ok(Notified::Sent)
}

const OOM_SCORE_ADJ: &str = "/proc/self/oom_score_adj";

/// The range that the kernel accepts.
const OOM_SCORE_ADJ_MAX: i32 = 1000;

/// What this process's score is adjusted by now; read it at the start, for `oom-score-adj relative` and for
/// restoring.
pub fn oom_score_adj() -> Option<i32> {
    let mut buffer = [0; 16];
    std::str::from_utf8(read_small_file(OOM_SCORE_ADJ, &mut buffer).ok()?).ok()?.trim().parse().ok()
}

/// Sets the adjustment, clamped to what the kernel accepts. No allocation: a forked child may call it.
///
/// # Errors
/// Lowering it needs a privilege (EACCES).
pub fn set_oom_score_adj(adjustment: i32) -> io::Result<()> {
    let mut digits = itoa::Buffer::new();
    let text = digits.format(adjustment.clamp(-OOM_SCORE_ADJ_MAX, OOM_SCORE_ADJ_MAX));
    std::fs::OpenOptions::new().write(true).open(OOM_SCORE_ADJ)?.write_all(text.as_bytes())
}

/// Descriptors that are not clients: listeners, files, the pipe to a child.
pub const RESERVED_FDS: u64 = 32;

/// What became of the wish for enough open files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenFilesLimit {
    /// Clients that fit.
    pub maxclients: u64,
    pub outcome: OpenFilesOutcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenFilesOutcome {
    /// The limit was high enough already.
    Unchanged,
    /// To be logged as a notice.
    Raised { limit: u64, originally: u64 },
    /// To be logged as warnings: `lines()`.
    Reduced { requested_clients: u64, needed: u64, limit: u64, errno: Errno },
    /// The limit cannot be known.
    Unknown { errno: Errno },
}

/// The server cannot start: not even one client fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooFewFiles {
    pub limit: u64,
    pub needed: u64,
}

impl fmt::Display for TooFewFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Your current 'ulimit -n' of {} is not enough for the server to start. \
             Please increase your open file limit to at least {}. Exiting.",
            self.limit, self.needed
        )
    }
}

impl std::error::Error for TooFewFiles {}

impl OpenFilesLimit {
    /// The lines that Redis logs for this outcome.
    pub fn lines(&self) -> Vec<String> {
        match &self.outcome {
            OpenFilesOutcome::Unchanged => Vec::new(),
            OpenFilesOutcome::Raised { limit, originally } => vec![format!(
                "Increased maximum number of open files to {limit} (it was originally set to {originally})."
            )],
            OpenFilesOutcome::Reduced { requested_clients, needed, limit, errno } => vec![
                format!(
                    "You requested maxclients of {requested_clients} requiring at least {needed} max file \
                     descriptors."
                ),
                format!(
                    "Server can't set maximum open files to {needed} because of OS error: {}.",
                    errno.desc()
                ),
                format!(
                    "Current maximum open files is {limit}. maxclients has been reduced to {} to \
                     compensate for low ulimit. If you need higher maxclients increase 'ulimit -n'.",
                    self.maxclients
                ),
            ],
            OpenFilesOutcome::Unknown { errno } => vec![format!(
                "Unable to obtain the current NOFILE limit ({}), assuming 1024 and setting the max clients \
                 configuration accordingly.",
                errno.desc()
            )],
        }
    }
}

/// Raises the limit of open files so that `maxclients` fit, or as far as the host lets us.
///
/// # Errors
/// When the limit leaves no room for a single client.
pub fn adjust_open_files_limit(maxclients: u64) -> Result<OpenFilesLimit, TooFewFiles> {
    let needed = maxclients.saturating_add(RESERVED_FDS);
    let (soft, hard) = match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok(limits) => limits,
        Err(errno) => {
            let maxclients = maxclients.min(1024 - RESERVED_FDS);
            return Ok(OpenFilesLimit { maxclients, outcome: OpenFilesOutcome::Unknown { errno } });
        }
    };
    if soft >= needed {
        return Ok(OpenFilesLimit { maxclients, outcome: OpenFilesOutcome::Unchanged });
    }
    let Err(errno) = setrlimit(Resource::RLIMIT_NOFILE, needed, hard.max(needed)) else {
        let outcome = OpenFilesOutcome::Raised { limit: needed, originally: soft };
        return Ok(OpenFilesLimit { maxclients, outcome });
    };
    // Without the privilege to pass the hard limit: take all of it.
    let limit = if setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok() { hard.max(soft) } else { soft };
    reduce_maxclients(maxclients, limit, errno)
}

fn reduce_maxclients(maxclients: u64, limit: u64, errno: Errno) -> Result<OpenFilesLimit, TooFewFiles> {
    let needed = maxclients.saturating_add(RESERVED_FDS);
    if limit >= needed {
        return Ok(OpenFilesLimit { maxclients, outcome: OpenFilesOutcome::Unchanged });
    }
    if limit <= RESERVED_FDS {
        return Err(TooFewFiles { limit, needed });
    }
    let outcome = OpenFilesOutcome::Reduced { requested_clients: maxclients, needed, limit, errno };
    Ok(OpenFilesLimit { maxclients: limit - RESERVED_FDS, outcome })
}

/// `vm.overcommit_memory`; anything but 1 can make a fork fail.
pub fn overcommit_memory() -> Option<u32> {
    read_number("/proc/sys/vm/overcommit_memory")
}

/// `net.core.somaxconn`, the upper bound of `tcp-backlog`.
pub fn somaxconn() -> Option<u32> {
    read_number("/proc/sys/net/core/somaxconn")
}

fn read_number(path: &str) -> Option<u32> {
    let mut buffer = [0; 32];
    std::str::from_utf8(read_small_file(path, &mut buffer).ok()?).ok()?.trim().parse().ok()
}

/// Nanoseconds that a thread of this process has run so far. Kept up to date a few hundred times a second.
pub fn thread_run_ns(thread: u32) -> Option<u64> {
    let mut buffer = [0; 64];
    let text = read_small_file(&format!("/proc/self/task/{thread}/schedstat"), &mut buffer).ok()?;
    std::str::from_utf8(text).ok()?.split(' ').next()?.parse().ok()
}

/// Bytes that a process has handed to the kernel so far, to files, pipes and sockets.
pub fn written_bytes(pid: i32) -> Option<u64> {
    let mut buffer = [0; 256];
    let text = read_small_file(&format!("/proc/{pid}/io"), &mut buffer).ok()?;
    let text = std::str::from_utf8(text).ok()?;
    text.lines().find_map(|line| line.strip_prefix("wchar: "))?.parse().ok()
}

/// CPU time spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuTime {
    pub user: Duration,
    pub system: Duration,
}

/// INFO cpu.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuUsage {
    pub process: CpuTime,
    /// Children that ended and were waited for.
    pub children: CpuTime,
    /// The calling thread; call it from the loop's.
    pub thread: CpuTime,
}

pub fn cpu_usage() -> CpuUsage {
    CpuUsage {
        process: cpu_time(UsageWho::RUSAGE_SELF),
        children: cpu_time(UsageWho::RUSAGE_CHILDREN),
        thread: cpu_time(UsageWho::RUSAGE_THREAD),
    }
}

fn cpu_time(who: UsageWho) -> CpuTime {
    let duration = |time: nix::sys::time::TimeVal| {
        Duration::new(time.tv_sec().max(0) as u64, time.tv_usec().max(0) as u32 * 1_000)
    };
    getrusage(who)
        .map(|usage| CpuTime { user: duration(usage.user_time()), system: duration(usage.system_time()) })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemd_hears_paths_and_abstract_names() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let mut buffer = [0; 64];
        assert_eq!(notify_at(path.as_os_str().as_bytes(), "READY=1").unwrap(), Notified::Sent);
        let received = socket.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..received], b"READY=1");

        let name = format!("tintype-test-{}", std::process::id());
        let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        assert_eq!(notify_at(format!("@{name}").as_bytes(), "STATUS=on").unwrap(), Notified::Sent);
        let received = socket.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..received], b"STATUS=on");
        assert!(notify_at(b"/nowhere/at/all", "READY=1").is_err());
    }

    #[test]
    fn pid_files_come_and_go() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pid");
        write_pidfile(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
        remove_pidfile(&path).unwrap();
        remove_pidfile(&path).unwrap();
        assert!(write_pidfile(&directory.path().join("no/pid")).is_err());
    }

    #[test]
    fn a_low_limit_costs_clients_and_a_lower_one_the_start() {
        let reduced = reduce_maxclients(10_000, 100, Errno::EPERM).unwrap();
        assert_eq!(reduced.maxclients, 68);
        assert_eq!(
            reduced.lines(),
            [
                "You requested maxclients of 10000 requiring at least 10032 max file descriptors.",
                "Server can't set maximum open files to 10032 because of OS error: Operation not permitted.",
                "Current maximum open files is 100. maxclients has been reduced to 68 to compensate for \
                 low ulimit. If you need higher maxclients increase 'ulimit -n'.",
            ]
        );
        let refused = reduce_maxclients(10_000, 20, Errno::EPERM).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "Your current 'ulimit -n' of 20 is not enough for the server to start. Please increase your \
             open file limit to at least 10032. Exiting."
        );
        assert!(reduce_maxclients(u64::MAX, 33, Errno::EPERM).is_ok());
    }

    #[test]
    fn a_modest_wish_is_granted() {
        let granted = adjust_open_files_limit(10).unwrap();
        assert_eq!((granted.maxclients, granted.lines().len()), (10, 0));
    }

    #[test]
    fn this_host_can_be_read() {
        let current = oom_score_adj().unwrap();
        set_oom_score_adj(current).unwrap();
        assert_eq!(oom_score_adj(), Some(current));
        assert!(overcommit_memory().is_some() && somaxconn().is_some());
        assert!(thread_run_ns(std::process::id()).is_some() && thread_run_ns(0).is_none());
        let usage = cpu_usage();
        assert!(usage.process.user + usage.process.system >= usage.thread.user);
    }
}
