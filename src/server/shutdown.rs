//! The end of the server: the last save. What is left behind (pid file, sockets) is the concern of those who
//! made it.

use super::history::Occasion;
use super::server::{Server, Shutdown, ShutdownSave};
use crate::persist::SnapshotError;
use crate::persist::disk::PageCache;

impl Server {
    /// Saves what is to be saved and has the main task end the process. On `Err` the server goes on.
    ///
    /// Texts of the log as in Redis: supervisors look for them.
    pub fn prepare_shutdown(&mut self, shutdown: Shutdown) -> Result<(), SnapshotError> {
        tracing::warn!("User requested shutdown...");
        if self.snapshots.in_progress() {
            tracing::warn!("There is a child saving an .rdb. Killing it!");
            self.end_background_save();
        }
        if self.wants_final_save(shutdown.save) {
            tracing::info!("Saving the final RDB snapshot before exiting.");
            if let Err(error) = self.save_in_foreground(PageCache::Keep, Occasion::Save) {
                if !shutdown.force {
                    tracing::warn!("Error trying to save the DB, can't exit. ({error})");
                    return Err(error);
                }
                tracing::warn!("Error trying to save the DB. Exit anyway. ({error})");
            }
        }
        self.exit(0);
        Ok(())
    }

    /// While a file is being loaded, saving the part of it that is in would destroy it.
    fn wants_final_save(&self, save: ShutdownSave) -> bool {
        self.loading.is_none()
            && match save {
                ShutdownSave::Yes => true,
                ShutdownSave::No => false,
                ShutdownSave::ByRules => !self.config.save.is_empty(),
            }
    }
}
