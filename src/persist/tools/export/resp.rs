//! The commands that make a dataset again, as a client sends them:
//!
//! ```text
//! library  FUNCTION LOAD REPLACE source                  database  SELECT db, before its first key
//! string   SET key value                                 list      DEL key, RPUSH key element ...
//! set      DEL key, SADD key member ...                  zset      DEL key, ZADD key score member ...
//! hash     DEL key, HSET key field value ..., HPEXPIREAT key ms FIELDS n field ...
//! stream   DEL key, XADD key id field value ... for each entry, XSETID key last ENTRIESADDED n MAXDELETEDID id
//! stream with groups or without entries                  RESTORE key 0 payload REPLACE
//! expiry   PEXPIREAT key ms, last
//! ```
//! A key that is there already is replaced, so the output can be sent twice. Large values take several commands, of
//! about `COMMAND_BYTES` each. Groups have pending entries and consumers whose times no command sets: their streams
//! come as payloads, in the form of Redis 7.0 if that holds them (it lacks only when consumers were active, which is
//! then taken for the time when they were seen).

use super::{Content, Exported};
use crate::base::number;
use crate::encoding::listpack::{Digits, Element};
use crate::object::{HashView, Stream, View};
use crate::persist::tools::sink::Sink;
use crate::rdb::{Compression, dump_portable};

/// A command is sent when it is longer than this, or
const COMMAND_BYTES: usize = 64 << 10;
/// has so many arguments.
const ARGUMENTS: usize = 1024;

/// Writes the commands of a file.
#[derive(Default)]
pub(super) struct Commands {
    /// As SELECT was sent last; a connection begins at 0.
    db: u64,
    arguments: Vec<u8>,
    count: usize,
    payload: Vec<u8>,
}

impl Commands {
    pub(super) fn write_library(&mut self, source: &[u8], out: &mut Sink<'_>) {
        command(out, &[b"FUNCTION", b"LOAD", b"REPLACE", source]);
    }

    pub(super) fn write(&mut self, exported: &Exported<'_>, out: &mut Sink<'_>) {
        let key = exported.key;
        if self.db != exported.db {
            self.db = exported.db;
            command(out, &[b"SELECT", exported.db.to_string().as_bytes()]);
        }
        match &exported.content {
            Content::Int(text) => command(out, &[b"SET", key, text]),
            Content::Bytes(bytes) => command(out, &[b"SET", key, bytes]),
            Content::Object(object) => self.object(key, object.view(), out),
        }
        if let Some(expire_at_ms) = exported.expire_at_ms {
            command(out, &[b"PEXPIREAT", key, &number::format_i64(expire_at_ms)]);
        }
    }

    fn object(&mut self, key: &[u8], view: View<'_>, out: &mut Sink<'_>) {
        if let View::Stream(stream) = view
            && (stream.group_count() > 0 || stream.log().is_empty())
        {
            return self.restore(key, view, out);
        }
        command(out, &[b"DEL", key]);
        match view {
            View::List(list) => {
                list.for_each(|element| {
                    self.element(element);
                    self.send_if_long(&[b"RPUSH", key], out);
                });
                self.send(&[b"RPUSH", key], out);
            }
            View::Set(set) => {
                for member in set.iter() {
                    self.element(member);
                    self.send_if_long(&[b"SADD", key], out);
                }
                self.send(&[b"SADD", key], out);
            }
            View::Zset(zset) => {
                for (member, score) in zset.iter() {
                    self.argument(&number::format_f64(score));
                    self.element(member);
                    self.send_if_long(&[b"ZADD", key], out);
                }
                self.send(&[b"ZADD", key], out);
            }
            View::Hash(hash) => self.hash(key, hash, out),
            View::Stream(stream) => self.stream(key, stream, out),
        }
    }

    fn hash(&mut self, key: &[u8], hash: HashView<'_>, out: &mut Sink<'_>) {
        let mut expiries = 0;
        hash.for_each_stored(&mut |stored| {
            expiries += usize::from(stored.expire_at_ms.is_some());
            self.element(stored.field);
            self.element(stored.value);
            self.send_if_long(&[b"HSET", key], out);
        });
        self.send(&[b"HSET", key], out);
        if expiries == 0 {
            return;
        }
        hash.for_each_stored(&mut |stored| {
            if let Some(at_ms) = stored.expire_at_ms {
                let (field, at_ms) = (stored.field.to_vec(), number::format_i64(at_ms));
                command(out, &[b"HPEXPIREAT", key, &at_ms, b"FIELDS", b"1", &field]);
            }
        });
    }

    fn stream(&mut self, key: &[u8], stream: &Stream, out: &mut Sink<'_>) {
        let log = stream.log();
        for entry in log.iter() {
            for (field, value) in entry.fields {
                self.element(field);
                self.element(value);
            }
            self.send(&[b"XADD", key, &entry.id.text()], out);
        }
        let added = log.entries_added().to_string();
        let (last, deleted) = (log.last_id().text(), log.max_deleted_id().text());
        command(out, &[b"XSETID", key, &last, b"ENTRIESADDED", added.as_bytes(), b"MAXDELETEDID", &deleted]);
    }

    fn restore(&mut self, key: &[u8], view: View<'_>, out: &mut Sink<'_>) {
        self.payload.clear();
        dump_portable(view, Compression::Off, &mut self.payload);
        command(out, &[b"RESTORE", key, b"0", &self.payload, b"REPLACE"]);
    }

    fn element(&mut self, element: Element<'_>) {
        self.argument(element.text(&mut Digits::default()));
    }

    fn argument(&mut self, argument: &[u8]) {
        self.count += 1;
        self.arguments.extend_from_slice(bulk_head(argument).as_bytes());
        self.arguments.extend_from_slice(argument);
        self.arguments.extend_from_slice(b"\r\n");
    }

    fn send_if_long(&mut self, head: &[&[u8]], out: &mut Sink<'_>) {
        if self.arguments.len() >= COMMAND_BYTES || self.count >= ARGUMENTS {
            self.send(head, out);
        }
    }

    /// Sends what was collected, behind `head`.
    fn send(&mut self, head: &[&[u8]], out: &mut Sink<'_>) {
        if self.count > 0 {
            put_head(out, head.len() + self.count);
            head.iter().for_each(|argument| put_argument(out, argument));
            out.put(&self.arguments);
        }
        self.arguments.clear();
        self.count = 0;
    }
}

fn command(out: &mut Sink<'_>, arguments: &[&[u8]]) {
    put_head(out, arguments.len());
    arguments.iter().for_each(|argument| put_argument(out, argument));
}

fn put_head(out: &mut Sink<'_>, arguments: usize) {
    out.put(format!("*{arguments}\r\n").as_bytes());
}

fn put_argument(out: &mut Sink<'_>, argument: &[u8]) {
    out.put(bulk_head(argument).as_bytes());
    out.put(argument);
    out.put(b"\r\n");
}

fn bulk_head(argument: &[u8]) -> String {
    format!("${}\r\n", argument.len())
}
