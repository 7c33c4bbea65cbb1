//! The machine: which core does what, what `/proc` says about a process, and how the table names the machine.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::{Pid, SysconfVar, sysconf};

/// The core of the server under test, and the core of whoever loads it.
#[derive(Clone, Copy, Debug)]
pub struct Cores {
    pub server: usize,
    pub load: usize,
}

impl Cores {
    /// The server gets the last core it may use (the first one tends to serve interrupts), the load the first
    /// core that is not a hyperthread of the same one, if there is such a core.
    pub fn choose() -> io::Result<Cores> {
        let allowed = sched_getaffinity(Pid::from_raw(0))?;
        let usable: Vec<usize> =
            (0..CpuSet::count()).filter(|&core| allowed.is_set(core).unwrap_or(false)).collect();
        let [others @ .., server] = usable.as_slice() else {
            return Err(io::Error::other("no core to run on"));
        };
        let siblings = core_list(&read_core(*server, "topology/thread_siblings_list"));
        let apart = others.iter().find(|core| !siblings.contains(core)).or(others.first());
        let load = apart.ok_or_else(|| io::Error::other("two cores are needed: one serves, one loads"))?;
        Ok(Cores { server: *server, load: *load })
    }
}

fn read_core(core: usize, file: &str) -> String {
    fs::read_to_string(format!("/sys/devices/system/cpu/cpu{core}/{file}")).unwrap_or_default()
}

/// Parses the kernel's `0-3,8`.
fn core_list(text: &str) -> Vec<usize> {
    let mut cores = Vec::new();
    for part in text.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.parse::<usize>(), last.parse::<usize>()) {
            cores.extend(first..=last);
        }
    }
    cores
}

/// Pins the calling thread. Threads and processes it starts from now on inherit the pin.
pub fn pin(core: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(core)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}

/// Asks for the real-time class (SCHED_FIFO) for the calling thread, so that nothing else on its core delays it.
///
/// # Errors
/// Without the privilege the thread stays as it is.
pub fn rise(priority: u8) -> io::Result<()> {
    let thread = nix::unistd::gettid().to_string();
    let mut command = Command::new("chrt");
    command.args(["--fifo", "--pid", &priority.to_string(), &thread]);
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
}

/// CPU time that all threads of a process have used, in nanoseconds (proc_pid_schedstat(5), first field).
/// Exact while the process sleeps; a running thread is behind by up to one tick.
pub fn cpu_ns(pid: u32) -> io::Result<u64> {
    let mut total = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may end between the listing and the reading.
        let text = fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
        total += text.split_whitespace().next().and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    }
    if total == 0 {
        return Err(io::Error::other(format!(
            "no schedstat of process {pid}: it is gone, or the kernel keeps none"
        )));
    }
    Ok(total)
}

/// Resident set of a process in bytes (proc_pid_statm(5), second field).
pub fn rss_bytes(pid: u32) -> io::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/statm"))?;
    let pages = text.split_whitespace().nth(1).and_then(|field| field.parse::<u64>().ok());
    let page_bytes = sysconf(SysconfVar::PAGE_SIZE)?.and_then(|bytes| u64::try_from(bytes).ok());
    pages
        .zip(page_bytes)
        .map(|(pages, bytes)| pages * bytes)
        .ok_or_else(|| io::Error::other("statm has no resident field"))
}

/// A field of /proc/meminfo (`MemAvailable`, `AnonPages`) in bytes.
pub fn memory_bytes(field: &str) -> io::Result<u64> {
    let text = fs::read_to_string("/proc/meminfo")?;
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kib = line.and_then(|rest| rest.split_whitespace().next()).and_then(|kib| kib.parse::<u64>().ok());
    kib.map(|kib| kib << 10).ok_or_else(|| io::Error::other(format!("meminfo has no field {field}")))
}

/// Bytes that a file may take where `path` lies.
pub fn free_disk_bytes(path: &Path) -> io::Result<u64> {
    let statistics = nix::sys::statvfs::statvfs(path)?;
    Ok(statistics.blocks_available() * statistics.fragment_size())
}

/// One line: cores, model, kernel, huge-page mode.
pub fn describe() -> String {
    let info = read("/proc/cpuinfo");
    let model =
        info.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(':'));
    let model = model.map_or("unknown processor", |(_, name)| name.trim());
    let cores = info.lines().filter(|line| line.starts_with("processor")).count();
    let kernel = read("/proc/sys/kernel/osrelease");
    let huge = read("/sys/kernel/mm/transparent_hugepage/enabled");
    let huge = huge.split(['[', ']']).nth(1).unwrap_or("unknown");
    let memory = read("/proc/meminfo");
    let memory_kb = memory.split_whitespace().nth(1).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    let memory_gb = memory_kb.div_ceil(1 << 20);
    format!("{cores} x {model}, {memory_gb} GB, Linux {}, transparent huge pages: {huge}", kernel.trim())
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// Today as YYYY-MM-DD (UTC), from days since 1970 (the civil-from-days algorithm of Howard Hinnant).
pub fn today() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let shifted = since.as_secs() / 86_400 + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_shifted + 2) / 5 + 1;
    let month = if month_shifted < 10 { month_shifted + 3 } else { month_shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}
