//! Looks every `tls-auto-reload-interval` seconds whether a certificate or key has changed on disk, and takes the new
//! ones. Files that do not fit together (one of two was replaced) are tried again at the next look.
//!
//! The disk is read on a thread of its own: the loop does not wait for it.

use super::settings::{self, Loaded};
use crate::config::Config;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// What tells one state of a file from another: where it lies, its inode, its size, when it was changed.
type Seen = Vec<(Option<(u64, u64, i64, i64)>, PathBuf)>;

/// Looks again and again; `take` gets what was loaded.
pub async fn watch(config: Config, mut take: impl FnMut(&Loaded)) {
    let interval = Duration::from_secs(u64::from(config.tls_auto_reload_interval));
    let files = config.clone();
    let Ok(mut in_force) = spawn_blocking(move || look(&files)).await else { return };
    let mut tried = in_force.clone();
    loop {
        sleep(interval).await;
        let (files, last) = (config.clone(), in_force.clone());
        let looked = spawn_blocking(move || {
            let seen = look(&files);
            (seen != last).then(|| (settings::load(&files), seen))
        });
        match looked.await {
            Ok(Some((Ok(loaded), seen))) => {
                tracing::info!("The certificates of TLS have changed and are in use now");
                take(&loaded);
                (in_force, tried) = (seen.clone(), seen);
            }
            // Said once for each state of the files, tried every time.
            Ok(Some((Err(reason), seen))) if seen != tried => {
                tracing::warn!("The certificates of TLS have changed and cannot be used: {reason}");
                tried = seen;
            }
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

fn look(config: &Config) -> Seen {
    let files = [&config.tls_cert_file, &config.tls_key_file, &config.tls_ca_cert_file];
    let mut paths: Vec<PathBuf> =
        files.into_iter().filter(|path| !path.is_empty()).map(PathBuf::from).collect();
    if !config.tls_ca_cert_dir.is_empty() {
        let entries = std::fs::read_dir(&config.tls_ca_cert_dir).into_iter().flatten().flatten();
        paths.extend(entries.map(|entry| entry.path()));
    }
    paths.sort();
    paths.into_iter().map(|path| (state(&path), path)).collect()
}

fn state(path: &Path) -> Option<(u64, u64, i64, i64)> {
    let state = |file: Metadata| (file.ino(), file.len(), file.mtime(), file.mtime_nsec());
    std::fs::metadata(path).ok().map(state)
}
