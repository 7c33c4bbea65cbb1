//! Replaces a text file whole: the configuration, the file of users.
//!
//! The new text goes to a file of its own in the same directory, reaches the disk, and then takes the old file's place
//! and permissions: whoever reads the file at any moment finds one of the two, whole.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Replaces the file at `path` by what `new_text` makes of its text. One that is not there counts as empty and gets
/// `mode_default`.
///
/// # Errors
/// The old file is untouched then.
pub fn replace_file(
    path: &Path,
    mode_default: u32,
    new_text: impl FnOnce(&[u8]) -> Vec<u8>,
) -> io::Result<()> {
    // A link stays a link: the file that it names is replaced.
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (old_text, mode) = match std::fs::read(&path) {
        Ok(text) => (text, std::fs::metadata(&path)?.permissions().mode()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (Vec::new(), mode_default),
        Err(error) => return Err(error),
    };
    let temporary = temporary_path(&path);
    let result =
        write(&temporary, &new_text(&old_text), mode).and_then(|()| std::fs::rename(&temporary, &path));
    if result.is_err() {
        // It may not have come into being at all.
        let _ = std::fs::remove_file(&temporary);
    }
    result?;
    match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => File::open(directory)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

fn temporary_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    name.into()
}

fn write(path: &Path, text: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.set_permissions(Permissions::from_mode(mode & 0o7777))?;
    file.write_all(text)?;
    file.sync_all()
}
