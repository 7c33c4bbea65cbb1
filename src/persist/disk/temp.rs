//! The names of temp files, and what becomes of those that nobody writes any more.

use nix::fcntl::OFlag;
use nix::sys::stat::Mode;
use std::fs::File;
use std::path::{Path, PathBuf};

const TEMP_PREFIX: &str = "temp-";
const TEMP_SUFFIX: &str = ".rdb";

/// The name of a temp file of this process. `nonce` makes it one that nobody else has or had.
pub(super) fn name(nonce: u64) -> String {
    format!("{TEMP_PREFIX}{}-{nonce:016x}{TEMP_SUFFIX}", std::process::id())
}

/// Whether `name` is one of ours: `temp-<decimal>-<16 hexadecimal digits>.rdb`.
pub(super) fn is_temp_name(name: &str) -> bool {
    let middle = name.strip_prefix(TEMP_PREFIX).and_then(|rest| rest.strip_suffix(TEMP_SUFFIX));
    let Some((pid, nonce)) = middle.and_then(|middle| middle.split_once('-')) else { return false };
    let is_lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    !pid.is_empty()
        && pid.bytes().all(|byte| byte.is_ascii_digit())
        && nonce.len() == 16
        && nonce.bytes().all(is_lower_hex)
}

/// Removes the temp files that crashed processes left in `directory`; returns what was removed. Files of our
/// pattern that a living process holds locked, and all files of another pattern, stay; and `spared`, the name of the
/// snapshot itself, whatever it is.
pub fn sweep_temp_files(directory: &Path, spared: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let is_orphans_name = |name: &str| name != spared && is_temp_name(name);
    let ours = entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(is_orphans_name));
    ours.map(|entry| entry.path())
        .filter(|path| is_orphan(path) && std::fs::remove_file(path).is_ok())
        .collect()
}

/// Removes the temp files of this process, which is about to end in the middle of a save.
pub fn remove_own_temp_files(directory: &Path) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    let beginning = format!("{TEMP_PREFIX}{}-", std::process::id());
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(&beginning) && is_temp_name(name)) {
            // What cannot be removed now is swept at the next start.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn is_orphan(path: &Path) -> bool {
    // Without O_NONBLOCK a FIFO of that name would hold us for ever.
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let Ok(file) = nix::fcntl::open(path, flags, Mode::empty()).map(File::from) else { return false };
    file.metadata().is_ok_and(|metadata| metadata.is_file()) && file.try_lock().is_ok()
}
