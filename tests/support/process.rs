//! What the kernel knows about a server process: its memory, its children, its state. And how to signal it.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Resident memory in KiB (VmRSS); 0 when the process is gone.
pub fn rss_kib(pid: u32) -> u64 {
    status_number(pid, "VmRSS:").unwrap_or(0)
}

/// The pids of the live (not zombie) children of `pid`.
pub fn children(pid: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("/proc is readable").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|&child| status_number(child, "PPid:") == Some(u64::from(pid)) && is_alive(child)).collect()
}

/// True while the process exists and is no zombie.
pub fn is_alive(pid: u32) -> bool {
    status(pid, "State:").is_some_and(|state| !state.starts_with('Z') && !state.starts_with('X'))
}

/// The number of threads.
pub fn threads(pid: u32) -> u64 {
    status_number(pid, "Threads:").unwrap_or(0)
}

pub fn command_line(pid: u32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ").trim().to_owned()
}

/// The open file descriptors, as what they point to.
pub fn open_files(pid: u32) -> Vec<String> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else { return Vec::new() };
    let targets = entries.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    targets.map(|target| target.to_string_lossy().into_owned()).collect()
}

pub fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).expect("a pid fits"));
    kill(pid, signal).expect("the process is ours and there");
}

fn status_number(pid: u32, field: &str) -> Option<u64> {
    status(pid, field)?.split_whitespace().next()?.parse().ok()
}

fn status(pid: u32, field: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    text.lines().find_map(|line| line.strip_prefix(field)).map(|rest| rest.trim().to_owned())
}
