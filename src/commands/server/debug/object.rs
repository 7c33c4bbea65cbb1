//! DEBUG OBJECT: one line about a key, in the form that Redis's tests take apart.

use crate::base::argv::Args;
use crate::commands::dump::dump_entry;
use crate::commands::object::{refcount, shares_integers};
use crate::encoding::quicklist::{NodeRoom, NodeView, Quicklist};
use crate::keyspace::{Entry, lru};
use crate::object::{ListView, Rules, View};
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
    let rules = &cx.server.keyspace.settings.rules;
    let nodes = match entry.view() {
        Some(View::List(ListView::Quick(list))) => nodes(list, rules),
        _ => String::new(),
    };
    cx.reply.simple(&(line + &nodes));
    Ok(Flow::Done)
}

/// What Redis tells of the nodes of a quicklist.
fn nodes(list: &Quicklist, rules: &Rules) -> String {
    let mut bytes = 0;
    list.for_each_node(&mut NodeRoom::default(), &mut |node| {
        bytes += match node {
            NodeView::Packed(node) | NodeView::Plain(node) => node.len(),
        };
    });
    format!(
        " ql_nodes:{} ql_avg_node:{:.2} ql_listpack_max:{} ql_compressed:{} ql_uncompressed_size:{bytes}",
        list.node_count(),
        list.len() as f64 / list.node_count() as f64,
        rules.list_max_listpack_size,
        u8::from(rules.list_compress_depth > 0),
    )
}

/// Bytes that the value takes in an RDB file.
fn serialized_len(entry: &Entry, compression: Compression) -> usize {
    let mut payload = Vec::new();
    dump_entry(entry, compression, &mut payload);
    payload.len() - DUMP_FRAME_LEN
}
