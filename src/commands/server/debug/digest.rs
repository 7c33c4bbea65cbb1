//! DEBUG DIGEST and DEBUG DIGEST-VALUE: 20 bytes that are equal for equal data.
//!
//! ```text
//! xor(d, bytes)    d ^= SHA1(bytes)
//! mix(d, bytes)    xor(d, bytes); d = SHA1(d)
//!
//! value    d = 0; mix(type as 4 bytes, big-endian); mix(content); xor("!!expire!!") if the key has an expiry
//! key      d = 0; mix(key), then as the value
//! dataset  d = 0; for each database with keys, by number: mix(number as 4 bytes, big-endian); xor(d of each key)
//! ```
//! The order of keys and the encoding of values make no difference; nor does the time of an expiry. Equal datasets
//! have the digest that redis-server 7.0.15 gives them, so both can be compared across servers.

use crate::base::argv::Args;
use crate::base::number;
use crate::keyspace::{Access, Entry, Keyspace, StrView};
use crate::object::ValueType;
use crate::server::{Cx, Flow};
use crate::spec::CommandError;
use sha1_smol::Sha1;
use std::fmt;

#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Digest([u8; 20]);

impl Digest {
    /// Adds something whose order does not matter.
    fn xor(&mut self, bytes: &[u8]) {
        let sum = Sha1::from(bytes).digest().bytes();
        self.0.iter_mut().zip(sum).for_each(|(byte, other)| *byte ^= other);
    }

    /// Adds something whose order matters.
    fn mix(&mut self, bytes: &[u8]) {
        self.xor(bytes);
        self.0 = Sha1::from(self.0).digest().bytes();
    }

    fn value(&mut self, entry: &Entry) {
        self.mix(&type_number(entry.value_type()).to_be_bytes());
        match entry.str_view() {
            StrView::Bytes(bytes) => self.mix(bytes),
            StrView::Int(value) => self.mix(&number::format_i64(value)),
        }
        if entry.expire_at_ms().is_some() {
            self.xor(b"!!expire!!");
        }
    }

    fn keyspace(&mut self, keyspace: &Keyspace) {
        for (number, db) in keyspace.dbs().filter(|(_, db)| !db.is_empty()) {
            self.mix(&(number as u32).to_be_bytes());
            db.table().for_each(&mut |entry| {
                let mut digest = Digest::default();
                digest.mix(entry.key());
                digest.value(entry);
                self.xor(&digest.0);
            });
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn type_number(value_type: ValueType) -> u32 {
    match value_type {
        ValueType::String => 0,
        ValueType::List => 1,
        ValueType::Set => 2,
        ValueType::Zset => 3,
        ValueType::Hash => 4,
        ValueType::Stream => 6,
    }
}

pub(super) fn digest(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    let mut digest = Digest::default();
    digest.keyspace(&cx.server.keyspace);
    cx.reply.simple(&digest.to_string());
    Ok(Flow::Done)
}

pub(super) fn digest_value(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    cx.reply.array(args.len() - 2);
    for key in args.iter().skip(2) {
        let mut digest = Digest::default();
        if let Some(entry) = cx.tx().lookup(key, Access::Peek) {
            digest.value(entry);
        }
        cx.reply.simple(&digest.to_string());
    }
    Ok(Flow::Done)
}
