//! Clients that track keys: how it begins and ends for one of them.

use super::server::Server;
use crate::base::ids::ClientId;
use crate::client::tracking::Wish;

impl Server {
    /// Has a client track as it wishes; `Tracking::start` tells what it must not wish.
    pub fn start_tracking(&mut self, id: ClientId, wish: Wish) {
        if let Some(client) = self.clients.get_mut(id) {
            self.tracking.start(client, wish);
        }
    }

    /// Has a client track no more.
    pub fn stop_tracking(&mut self, id: ClientId) {
        if let Some(client) = self.clients.get_mut(id) {
            self.tracking.stop(client);
        }
    }

    /// A client is about to be removed.
    pub fn forget_tracking(&mut self, id: ClientId) {
        if let Some(client) = self.clients.get_mut(id) {
            self.tracking.forget(client);
        }
    }
}
