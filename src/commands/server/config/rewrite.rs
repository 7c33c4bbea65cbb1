//! CONFIG REWRITE: replaces the configuration file by one that tells the configuration in force.
//!
//! The new text goes to a file of its own in the same directory, reaches the disk, and then takes the old file's place
//! and permissions: whoever reads the file at any moment finds one of the two, whole.

use super::apply::reason;
use crate::config::{self, Config};
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The mode of a file that was not there.
const MODE_DEFAULT: u32 = 0o644;

/// Rewrites the file at `path`; one that is gone is written anew.
///
/// # Errors
/// The system's words for what went wrong; the old file is untouched then.
pub(super) fn rewrite(path: &Path, config: &Config) -> Result<(), String> {
    replace(path, config).map_err(|error| reason(&error))
}

fn replace(path: &Path, config: &Config) -> io::Result<()> {
    // A link stays a link: the file that it names is replaced.
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (old_text, mode) = match std::fs::read(&path) {
        Ok(text) => (text, std::fs::metadata(&path)?.permissions().mode()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (Vec::new(), MODE_DEFAULT),
        Err(error) => return Err(error),
    };
    let temporary = temporary_path(&path);
    let result = write(&temporary, &config::rewrite(config, &old_text), mode)
        .and_then(|()| std::fs::rename(&temporary, &path));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn on_port(port: u16) -> Config {
        let mut config = Config::default();
        config.port = port;
        config
    }

    #[test]
    fn the_file_is_replaced_and_keeps_its_mode() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("redis.conf");
        std::fs::write(&path, "# mine\nport 1\n").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        rewrite(&path, &on_port(7)).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("# mine\nport 7\n"), "{text}");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_gone_is_written_anew_and_a_directory_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("redis.conf");
        rewrite(&path, &on_port(33)).unwrap();
        assert!(std::fs::read_to_string(&path).unwrap().contains("port 33"));
        assert_eq!(rewrite(directory.path(), &Config::default()), Err("Is a directory".to_owned()));
        let nowhere = directory.path().join("nosuch/redis.conf");
        assert_eq!(rewrite(&nowhere, &Config::default()), Err("No such file or directory".to_owned()));
    }
}
