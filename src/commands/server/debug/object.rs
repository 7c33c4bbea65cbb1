//! DEBUG OBJECT: one line about a key, in the form that Redis's tests take apart.

use crate::base::argv::Args;
use crate::commands::dump::dump_entry;
use crate::commands::object::{refcount, shares_integers};
use crate::keyspace::{Entry, lru};
use crate::rdb::Compression;
use crate::server::{Cx, Flow};
use crate::spec::CommandError;

/// What a payload of DUMP has besides the value: its type, version and checksum.
const DUMP_FRAME_LEN: usize = 1 + 2 + 8;

/// The key is looked at as it lies there, expired or not, and is not used by it.
pub(super) fn object(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let (key, db) = (args.at(2), cx.client().db);
    let table = cx.server.keyspace.db(db).table();
    let entry = table.get(table.hash(key), key).ok_or(CommandError::NoSuchKey)?;
    let compression = if cx.server.config.rdbcompression { Compression::Lzf } else { Compression::Off };
    let line = format!(
        "Value at:{:p} refcount:{} encoding:{} serializedlength:{} lru:{} lru_seconds_idle:{}",
        entry.key().as_ptr(),
        refcount(entry, shares_integers(&cx.server.keyspace.settings)),
        entry.encoding().name(),
        serialized_len(entry, compression),
        entry.lru(),
        lru::idle_s(entry.lru(), cx.now.unix_ms()),
    );
    cx.reply.simple(&line);
    Ok(Flow::Done)
}

/// Bytes that the value takes in an RDB file.
fn serialized_len(entry: &Entry, compression: Compression) -> usize {
    let mut payload = Vec::new();
    dump_entry(entry, compression, &mut payload);
    payload.len() - DUMP_FRAME_LEN
}
