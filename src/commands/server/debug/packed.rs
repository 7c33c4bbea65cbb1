//! DEBUG LISTPACK and DEBUG QUICKLIST: how packed values lie in memory, for people, on the standard output.
//!
//! The reply says only that something was printed, as redis-server's does: the text of a large value is no reply.

use crate::base::argv::Args;
use crate::base::{number, quote};
use crate::encoding::listpack::{At, Digits, Element, Listpack};
use crate::encoding::quicklist::{NodeRoom, NodeView, Quicklist};
use crate::keyspace::{Access, Seen};
use crate::object::{HashView, ListView, Rules, SetView, View, ZsetView};
use crate::server::{Cx, Flow};
use crate::spec::CommandError;
use std::fmt::Write as _;
use std::io::Write as _;

/// How much is told of a quicklist's nodes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    Nodes,
    Entries,
}

/// Of a longer text only so many bytes are shown.
const SHOWN_BYTES_MAX: usize = 40;

pub(super) fn listpack(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let text = {
        let mut tx = cx.tx();
        let seen = tx.view_any(args.at(2), Access::Peek).ok_or(CommandError::NoSuchKey)?;
        let packed = packed_of(seen).ok_or(CommandError::text("ERR Not a listpack encoded object."))?;
        listpack_text(packed)
    };
    print(&text);
    cx.reply.simple("Listpack structure printed on stdout");
    Ok(Flow::Done)
}

pub(super) fn quicklist(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let is_full = args.get(3).and_then(number::parse_i64).is_some_and(|level| level != 0);
    let detail = if is_full { Detail::Entries } else { Detail::Nodes };
    let rules = *cx.tx().rules();
    let text = {
        let mut tx = cx.tx();
        match tx.view_any(args.at(2), Access::Peek).ok_or(CommandError::NoSuchKey)? {
            Seen::Object(View::List(ListView::Quick(list))) => quicklist_text(list, &rules, detail),
            _ => return Err(CommandError::text("ERR Not a quicklist encoded object.")),
        }
    };
    print(&text);
    cx.reply.simple("Quicklist structure printed on stdout");
    Ok(Flow::Done)
}

/// Whoever closed the standard output does not want to see it.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// The listpack that a value is.
fn packed_of(seen: Seen<'_>) -> Option<Listpack<'_>> {
    let Seen::Object(view) = seen else { return None };
    match view {
        View::List(ListView::Packed(packed))
        | View::Set(SetView::Packed(packed))
        | View::Zset(ZsetView::Packed(packed))
        | View::Hash(HashView::Packed(packed) | HashView::PackedTtl(packed)) => Some(packed),
        _ => None,
    }
}

fn listpack_text(packed: Listpack<'_>) -> String {
    let mut text = String::new();
    put_listpack(&mut text, packed);
    text
}

fn put_listpack(text: &mut String, packed: Listpack<'_>) {
    put(text, format_args!("{{total bytes {}}} {{num entries {}}}\n", packed.bytes().len(), packed.len()));
    let mut next = packed.first();
    let mut index = 0;
    while let Some(at) = next {
        next = packed.next(at);
        put_entry(text, packed, (index, at, next));
        index += 1;
    }
    text.push_str("{end}\n\n");
}

/// One entry: its index, where it begins, and where the next one does.
fn put_entry(text: &mut String, packed: Listpack<'_>, (index, at, next): (usize, At, Option<At>)) {
    let end = next.map_or(packed.bytes().len() - 1, At::offset);
    let entry = &packed.bytes()[at.offset()..end];
    let element = packed.at(at);
    // From the end on each byte says whether another one is before it.
    let backlen = 1 + entry.iter().rev().take_while(|byte| **byte & 0x80 != 0).count();
    let payload = match element {
        Element::Bytes(bytes) => bytes.len(),
        Element::Int(_) => entry.len() - backlen - 1,
    };
    let header = entry.len() - backlen - payload;
    let mut digits = Digits::default();
    let content = element.text(&mut digits);
    let (shown, more) = match content.get(..SHOWN_BYTES_MAX) {
        Some(shown) if content.len() > SHOWN_BYTES_MAX => (shown, "..."),
        _ => (content, ""),
    };
    let bytes: String = entry.iter().map(|byte| format!("{byte:02x}|")).collect();
    put(
        text,
        format_args!(
            "{{\n\taddr: {:p},\n\tindex: {index:2},\n\toffset: {},\n\thdr+entrylen+backlen: {:2},\n\thdrlen: {header:3},\n\
             \tbacklen: {backlen:2},\n\tpayload: {payload}\n\tbytes: {bytes}\n\t[str]{}{more}\n}}\n",
            entry.as_ptr(),
            at.offset(),
            entry.len(),
            quote::quote(shown),
        ),
    );
}

fn quicklist_text(list: &Quicklist, rules: &Rules, detail: Detail) -> String {
    let mut text = String::new();
    put(
        &mut text,
        format_args!(
            "{{count : {}}}\n{{len : {}}}\n{{fill : {}}}\n{{compress : {}}}\n{{compressed nodes : {}}}\n",
            list.len(),
            list.node_count(),
            rules.list_max_listpack_size,
            rules.list_compress_depth,
            list.squeezed_node_count(),
        ),
    );
    let mut number = 0;
    list.for_each_node(&mut NodeRoom::default(), &mut |node| {
        put_node(&mut text, number, node, detail);
        number += 1;
    });
    text
}

fn put_node(text: &mut String, number: usize, node: NodeView<'_>, detail: Detail) {
    let (container, size, count) = match node {
        NodeView::Packed(bytes) => ("PACKED", bytes.len(), Listpack::trusted(bytes).len()),
        NodeView::Plain(bytes) => ("PLAIN", bytes.len(), 1),
    };
    put(
        text,
        format_args!(
            "{{quicklist node({number})\n{{container : {container}, size: {size}, count: {count}}}\n"
        ),
    );
    if detail == Detail::Entries {
        match node {
            NodeView::Packed(bytes) => {
                text.push_str("{ listpack:\n");
                put_listpack(text, Listpack::trusted(bytes));
                text.push_str("}\n");
            }
            NodeView::Plain(bytes) => {
                let shown = &bytes[..bytes.len().min(SHOWN_BYTES_MAX)];
                put(text, format_args!("{{ entry : {} }}\n", quote::quote(shown)));
            }
        }
    }
    text.push_str("}\n");
}

fn put(text: &mut String, line: std::fmt::Arguments<'_>) {
    text.write_fmt(line).expect("a string takes what it is given");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::listpack::edit;
    use crate::encoding::quicklist::{End, Limits, NodeLimit};

    #[test]
    fn an_entry_is_taken_apart() {
        let mut blob = edit::empty();
        [&b"f"[..], b"3", b"-5000", &[b'x'; 200]].into_iter().for_each(|text| edit::push(&mut blob, text));
        let text = listpack_text(Listpack::trusted(&blob));
        assert!(
            text.starts_with(&format!("{{total bytes {}}} {{num entries 4}}\n{{\n\taddr: 0x", blob.len()))
        );
        let entries: Vec<&str> = text.split("\n}\n").collect();
        let has =
            |index: usize, part: &str| assert!(entries[index].contains(part), "{part}: {}", entries[index]);
        has(
            0,
            "\tindex:  0,\n\toffset: 6,\n\thdr+entrylen+backlen:  3,\n\thdrlen:   1,\n\tbacklen:  1,\n\tpayload: 1\n",
        );
        has(0, "\tbytes: 81|66|02|\n\t[str]\"f\"");
        has(
            1,
            "\thdr+entrylen+backlen:  2,\n\thdrlen:   1,\n\tbacklen:  1,\n\tpayload: 0\n\tbytes: 03|01|\n",
        );
        has(2, "[str]\"-5000\"");
        has(3, "\thdrlen:   2,\n\tbacklen:  2,\n\tpayload: 200\n");
        has(3, &format!("[str]\"{}\"...", "x".repeat(SHOWN_BYTES_MAX)));
        assert_eq!(entries[4], "{end}\n\n");
    }

    #[test]
    fn nodes_are_told_with_and_without_their_entries() {
        let limits = Limits { node: NodeLimit::Entries(2), compress_depth: 0, plain_bytes_min: 10 };
        let mut list = Quicklist::new();
        [&b"a"[..], b"b", b"0123456789"].into_iter().for_each(|text| list.push(End::Tail, text, limits));
        let nodes = quicklist_text(&list, &Rules::default(), Detail::Nodes);
        assert!(nodes.starts_with("{count : 3}\n{len : 2}\n{fill : -2}\n{compress : 0}\n"), "{nodes}");
        assert!(
            nodes.contains("{quicklist node(0)\n{container : PACKED, size: 13, count: 2}\n}\n"),
            "{nodes}"
        );
        assert!(
            nodes.ends_with("{quicklist node(1)\n{container : PLAIN, size: 10, count: 1}\n}\n"),
            "{nodes}"
        );
        let entries = quicklist_text(&list, &Rules::default(), Detail::Entries);
        assert!(entries.contains("{ listpack:\n{total bytes 13} {num entries 2}\n"), "{entries}");
        assert!(entries.contains("{ entry : \"0123456789\" }\n"), "{entries}");
    }
}
