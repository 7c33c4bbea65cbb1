//! shim
use super::server::{Server, Shutdown};
impl Server {
    pub fn misconf(&self) -> Option<String> {
        None
    }
    pub fn snapshots_cron(&mut self) {}
    pub fn prepare_shutdown(&mut self, _request: Shutdown) -> Result<(), String> {
        self.exit(0);
        Ok(())
    }
    pub fn start_loading(&mut self) -> Result<bool, String> {
        Ok(false)
    }
    pub fn load_step(&mut self) -> Result<bool, String> {
        Ok(false)
    }
    pub fn kill_child_for_flush(&mut self) {}
}
