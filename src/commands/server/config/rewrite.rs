//! CONFIG REWRITE: replaces the configuration file by one that tells the configuration in force.

use crate::base::os::reason;
use crate::commands::replace_file::replace_file;
use crate::config::{self, Config};
use std::path::Path;

/// The mode of a file that was not there.
const MODE_DEFAULT: u32 = 0o644;

/// Rewrites the file at `path`; one that is gone is written anew. `users` are its lines `user ...`.
///
/// # Errors
/// The system's words for what went wrong; the old file is untouched then.
pub(super) fn rewrite(path: &Path, config: &Config, users: &[Vec<u8>]) -> Result<(), String> {
    let new_text = |old_text: &[u8]| config::rewrite(config, users, old_text);
    replace_file(path, MODE_DEFAULT, new_text).map_err(|error| reason(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

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
        rewrite(&path, &on_port(7), &[]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("# mine\nport 7\n"), "{text}");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_gone_is_written_anew_and_a_directory_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("redis.conf");
        rewrite(&path, &on_port(33), &[]).unwrap();
        assert!(std::fs::read_to_string(&path).unwrap().contains("port 33"));
        assert_eq!(rewrite(directory.path(), &Config::default(), &[]), Err("Is a directory".to_owned()));
        let nowhere = directory.path().join("nosuch/redis.conf");
        assert_eq!(rewrite(&nowhere, &Config::default(), &[]), Err("No such file or directory".to_owned()));
    }
}
