//! What a command about the server gets to see.

use super::server::Server;
use crate::base::clock::Now;
use crate::base::ids::ClientId;
use crate::client::Client;
use crate::keyspace::Tx;
use crate::keyspace::tx::Touch;
use crate::resp::Reply;

/// The server, the calling client, and the reply under construction.
pub struct Cx<'a> {
    pub server: &'a mut Server,
    pub client_id: ClientId,
    /// Index of the running command in the command table.
    pub command: usize,
    pub now: Now,
    pub reply: Reply<'a>,
}

impl Cx<'_> {
    /// The calling client, which cannot go away while its command runs.
    pub fn client(&mut self) -> &mut Client {
        self.server.clients.get_mut(self.client_id).expect("the calling client is connected")
    }

    /// The keyspace, seen from the caller's database.
    pub fn tx(&mut self) -> Tx<'_> {
        let client = self.client();
        let (db, touch) = (client.db, if client.no_touch { Touch::No } else { Touch::Yes });
        let now_ms = self.now.unix_ms();
        Tx { touch, ..Tx::new(&mut self.server.keyspace, &mut self.server.ledger, db, now_ms) }
    }
}
