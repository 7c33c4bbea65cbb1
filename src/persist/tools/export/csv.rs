//! One row an element, after a row of names; RFC 4180: rows end in CR LF, and what holds a comma, a quote or a line end
//! stands in quotes, which are doubled.
//!
//! ```text
//! db,key,type,expire_at_ms,id,field,value,field_expire_at_ms
//!
//!          id            field      value      field_expire_at_ms
//! string                            content
//! list     0, 1, ...                element
//! set                               member
//! zset                   member     score
//! hash                   field      value      Unix milliseconds
//! stream   1-1           field      value                           a row for each field of each entry
//! ```
//! What is not there is nothing, what is there and empty is `""`. Bytes stand as they are: CSV has no way to say them
//! otherwise. A stream without entries is one row; groups are not told.

use super::{Content, Exported};
use crate::base::number;
use crate::encoding::listpack::{Digits, Element};
use crate::object::View;
use crate::persist::tools::sink::Sink;

pub(super) fn write_head(out: &mut Sink<'_>) {
    out.put(b"db,key,type,expire_at_ms,id,field,value,field_expire_at_ms\r\n");
}

pub(super) fn write(exported: &Exported<'_>, out: &mut Sink<'_>) {
    let mut rows = Rows { out, exported };
    match &exported.content {
        Content::Int(text) => rows.row(Row { value: Some(text), ..Row::default() }),
        Content::Bytes(bytes) => rows.row(Row { value: Some(bytes), ..Row::default() }),
        Content::Object(object) => rows.object(object.view()),
    }
}

/// What differs from row to row of one key.
#[derive(Default)]
struct Row<'a> {
    id: Option<&'a [u8]>,
    field: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
    expire_at_ms: Option<i64>,
}

struct Rows<'r, 'a> {
    out: &'r mut Sink<'a>,
    exported: &'r Exported<'r>,
}

impl Rows<'_, '_> {
    fn object(&mut self, view: View<'_>) {
        match view {
            View::List(list) => {
                let mut index = 0;
                list.for_each(|element| {
                    self.element(Row { id: Some(&number::format_i64(index)), ..Row::default() }, element);
                    index += 1;
                });
            }
            View::Set(set) => set.iter().for_each(|member| self.element(Row::default(), member)),
            View::Zset(zset) => {
                for (member, score) in zset.iter() {
                    let (field, score) = (member.to_vec(), number::format_f64(score));
                    self.row(Row { field: Some(&field), value: Some(&score), ..Row::default() });
                }
            }
            View::Hash(hash) => hash.for_each_stored(&mut |stored| {
                let (field, expire_at_ms) = (stored.field.to_vec(), stored.expire_at_ms);
                self.element(Row { field: Some(&field), expire_at_ms, ..Row::default() }, stored.value);
            }),
            View::Stream(stream) if stream.log().is_empty() => self.row(Row::default()),
            View::Stream(stream) => {
                for entry in stream.log().iter() {
                    let id = entry.id.text();
                    for (field, value) in entry.fields {
                        let field = field.to_vec();
                        self.element(Row { id: Some(&id), field: Some(&field), ..Row::default() }, value);
                    }
                }
            }
        }
    }

    fn element(&mut self, row: Row<'_>, value: Element<'_>) {
        self.row(Row { value: Some(value.text(&mut Digits::default())), ..row });
    }

    fn row(&mut self, row: Row<'_>) {
        let Exported { db, key, expire_at_ms, ref content } = *self.exported;
        let (db, ttl) = (db.to_string(), expire_at_ms.map(number::format_i64));
        let field_ttl = row.expire_at_ms.map(number::format_i64);
        let cells = [
            Some(db.as_bytes()),
            Some(key),
            Some(content.value_type().name().as_bytes()),
            ttl.as_deref(),
            row.id,
            row.field,
            row.value,
            field_ttl.as_deref(),
        ];
        for (index, cell) in cells.into_iter().enumerate() {
            if index > 0 {
                self.out.put(b",");
            }
            if let Some(content) = cell {
                self.cell(content);
            }
        }
        self.out.put(b"\r\n");
    }

    fn cell(&mut self, content: &[u8]) {
        let is_plain = |byte: &u8| !matches!(byte, b',' | b'"' | b'\r' | b'\n');
        if !content.is_empty() && content.iter().all(is_plain) {
            return self.out.put(content);
        }
        self.out.put(b"\"");
        for (index, piece) in content.split(|byte| *byte == b'"').enumerate() {
            if index > 0 {
                self.out.put(b"\"\"");
            }
            self.out.put(piece);
        }
        self.out.put(b"\"");
    }
}
