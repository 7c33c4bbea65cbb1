//! What a client is told about keys it may have cached.
//!
//! ```text
//!  RESP3  >2 $10 invalidate                      keys            keys: *n and a bulk for each, or null: all of them
//!  RESP2  *3 $7 message $20 __redis__:invalidate keys            for subscribers only
//!  RESP3  >2 $21 tracking-redir-broken :number                   the client that got the messages is gone
//! ```

use crate::resp::{Protocol, Reply};
use bytes::Bytes;

/// The channel that invalidations seem to come from in RESP2.
pub const CHANNEL: &str = "__redis__:invalidate";

/// Which keys a message is about.
#[derive(Clone, Copy)]
pub enum Keys<'a> {
    All,
    One(&'a [u8]),
}

/// One message, encoded at most once for each protocol.
pub struct Message<W> {
    write_keys: W,
    resp2: Option<Bytes>,
    resp3: Option<Bytes>,
}

impl<W: Fn(&mut Reply<'_>)> Message<W> {
    /// `write_keys` writes the part about the keys.
    pub fn new(write_keys: W) -> Self {
        Message { write_keys, resp2: None, resp3: None }
    }

    pub fn bytes(&mut self, protocol: Protocol) -> &Bytes {
        let encoded = match protocol {
            Protocol::Resp2 => &mut self.resp2,
            Protocol::Resp3 => &mut self.resp3,
        };
        encoded.get_or_insert_with(|| encode(protocol, &self.write_keys))
    }
}

fn encode(protocol: Protocol, write_keys: &dyn Fn(&mut Reply<'_>)) -> Bytes {
    let mut bytes = Vec::new();
    let mut reply = Reply::new(&mut bytes, protocol);
    match protocol {
        Protocol::Resp3 => {
            reply.push(2);
            reply.bulk_text("invalidate");
        }
        Protocol::Resp2 => {
            reply.push(3);
            reply.bulk_text("message");
            reply.bulk_text(CHANNEL);
        }
    }
    write_keys(&mut reply);
    bytes.into()
}

impl Keys<'_> {
    pub fn write(self, reply: &mut Reply<'_>) {
        match self {
            Keys::All => reply.null(),
            Keys::One(key) => {
                reply.array(1);
                reply.bulk(key);
            }
        }
    }
}

/// Tells a client that whom it redirected to has gone. Nothing of this can be said in RESP2.
pub fn redirection_broken(receiver_number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut reply = Reply::new(&mut bytes, Protocol::Resp3);
    reply.push(2);
    reply.bulk_text("tracking-redir-broken");
    reply.integer(receiver_number as i64);
    bytes
}
