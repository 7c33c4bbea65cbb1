//! DEBUG DIGEST and DEBUG DIGEST-VALUE: 20 bytes that are equal for equal data.
//!
//! ```text
//! xor(d, bytes)    d ^= SHA1(bytes)
//! mix(d, bytes)    xor(d, bytes); d = SHA1(d)
//!
//! value    d = 0; mix(type as 4 bytes, big-endian); content; xor("!!expire!!") if the key has an expiry
//! content  string: mix(text)                         list: mix(element) each
//!          set: xor(member) each                     stream: mix("ms.seq"), mix(field), mix(value) each
//!          sorted set: xor(d') each, d' = 0; mix(member); mix(score as %.17g)
//!          hash: xor(d') each, d' = 0; mix(field); mix(value); xor("!!hexpire!!") if the field has an expiry
//! key      d = 0; mix(key), then as the value
//! dataset  d = 0; for each database with keys, by number: mix(number as 4 bytes, big-endian); xor(d of each key)
//! ```
//! The order of keys and the encoding of values make no difference; nor does the time of an expiry. Equal datasets
//! have the digest that redis-server 7.0.15 gives them, so both can be compared across servers. (It has no expiries of
//! fields; those are marked as Redis 7.4 marks them. Fields that have expired count until they are removed.)

use crate::base::argv::Args;
use crate::base::number;
use crate::encoding::listpack::{Digits, Element};
use crate::keyspace::{Entry, Keyspace, StrView};
use crate::object::{Stream, ValueType, View};
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
        match entry.view() {
            None => match entry.str_view() {
                StrView::Bytes(bytes) => self.mix(bytes),
                StrView::Int(value) => self.mix(&number::format_i64(value)),
            },
            Some(View::List(list)) => list.for_each(|element| self.mix_element(element)),
            Some(View::Set(set)) => {
                set.iter().for_each(|member| self.xor(member.text(&mut Digits::default())));
            }
            Some(View::Zset(zset)) => zset.iter().for_each(|(member, score)| {
                self.xor_pair(|pair| {
                    pair.mix_element(member);
                    pair.mix(&number::format_f64(score));
                });
            }),
            Some(View::Hash(hash)) => hash.for_each_stored(&mut |stored| {
                self.xor_pair(|pair| {
                    pair.mix_element(stored.field);
                    pair.mix_element(stored.value);
                    if stored.expire_at_ms.is_some() {
                        pair.xor(b"!!hexpire!!");
                    }
                });
            }),
            Some(View::Stream(stream)) => self.stream(stream),
        }
        if entry.expire_at_ms().is_some() {
            self.xor(b"!!expire!!");
        }
    }

    fn mix_element(&mut self, element: Element<'_>) {
        self.mix(element.text(&mut Digits::default()));
    }

    /// Adds something that belongs together, and whose place among others does not matter.
    fn xor_pair(&mut self, mix: impl FnOnce(&mut Digest)) {
        let mut pair = Digest::default();
        mix(&mut pair);
        self.xor(&pair.0);
    }

    /// The entries; groups do not count.
    fn stream(&mut self, stream: &Stream) {
        for entry in stream.log().iter() {
            self.mix(format!("{}.{}", entry.id.ms, entry.id.seq).as_bytes());
            for (field, value) in entry.fields {
                self.mix_element(field);
                self.mix_element(value);
            }
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
        if let Some(entry) = cx.tx().peek(key) {
            digest.value(entry);
        }
        cx.reply.simple(&digest.to_string());
    }
    Ok(Flow::Done)
}
