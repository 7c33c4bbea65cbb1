//! Publishing: not built yet.

use super::Server;

impl Server {
    pub fn has_subscribers(&self) -> bool {
        false
    }

    pub fn publish(&mut self, _channel: &[u8], _message: &[u8]) -> usize {
        0
    }
}
