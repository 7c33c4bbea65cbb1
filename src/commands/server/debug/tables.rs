//! DEBUG HTSTATS and DEBUG HTSTATS-KEY: how well the tables are filled. Text for people.

use crate::base::argv::Args;
use crate::encoding::dict::{DictStatistics, TableStatistics};
use crate::keyspace::{Access, Db, Seen};
use crate::object::{HashView, SetView, View, ZsetView};
use crate::server::{Cx, Flow};
use crate::spec::CommandError;
use crate::spec::args::{self as arguments, is_word};
use std::fmt::Write;

/// How much is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    Summary,
    Full,
}

fn detail(args: Args<'_>) -> Result<Detail, CommandError> {
    match args.get(3) {
        None => Ok(Detail::Summary),
        Some(word) if is_word(word, "FULL") => Ok(Detail::Full),
        Some(_) => Err(CommandError::Syntax),
    }
}

pub(super) fn htstats(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let (number, detail) = (arguments::integer(args.at(2))?, detail(args)?);
    let databases = cx.server.keyspace.databases();
    let number = usize::try_from(number).ok().filter(|number| *number < databases);
    let number = number.ok_or_else(|| CommandError::text("ERR Out of range database"))?;
    let text = database_text(cx.server.keyspace.db(number), detail);
    cx.reply.verbatim("txt", text.as_bytes());
    Ok(Flow::Done)
}

pub(super) fn htstats_key(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let detail = detail(args)?;
    let statistics = {
        let mut tx = cx.tx();
        let seen = tx.view_any(args.at(2), Access::Peek).ok_or(CommandError::NoSuchKey)?;
        table_of(seen).ok_or(CommandError::text(
            "ERR The value stored at the specified key is not represented using an hash table",
        ))?
    };
    let mut text = String::new();
    tables_text(&statistics, detail, &mut text);
    cx.reply.verbatim("txt", text.as_bytes());
    Ok(Flow::Done)
}

/// The table in which a value keeps its elements.
fn table_of(seen: Seen<'_>) -> Option<DictStatistics> {
    match seen {
        Seen::Object(View::Hash(HashView::Table(table))) => Some(table.fields().statistics()),
        Seen::Object(View::Set(SetView::Table(table))) => Some(table.statistics()),
        Seen::Object(View::Zset(ZsetView::Table(table))) => Some(table.table_statistics()),
        Seen::Object(_) | Seen::Str(_) => None,
    }
}

fn database_text(db: &Db, detail: Detail) -> String {
    let mut text = String::from("[Dictionary HT]\n");
    tables_text(&db.table().statistics(), detail, &mut text);
    text += "[Expires index]\n";
    line(&mut text, "number of elements", db.volatile_len());
    line(&mut text, "bytes", db.index_bytes());
    text
}

fn tables_text(statistics: &DictStatistics, detail: Detail, text: &mut String) {
    const NAMES: [&str; 2] = ["main hash table", "rehashing target"];
    if statistics.tables.iter().all(|table| table.items == 0) {
        *text += "Hash table 0 stats (main hash table):\nNo stats available for empty dictionaries\n";
        return;
    }
    for (index, (table, name)) in statistics.tables.iter().zip(NAMES).enumerate() {
        writeln!(text, "Hash table {index} stats ({name}):").expect("a string takes what it is given");
        table_text(table, detail, text);
    }
}

fn table_text(table: &TableStatistics, detail: Detail, text: &mut String) {
    line(text, "table size", table.buckets);
    line(text, "number of elements", table.items);
    line(text, "different slots", table.buckets - table.fill_histogram[0]);
    line(text, "chained buckets", table.chained_buckets);
    line(text, "overflow buckets", table.overflow_buckets);
    line(text, "max chain length", table.longest_chain);
    if detail == Detail::Summary {
        return;
    }
    *text += " Elements per bucket:\n";
    let last = table.fill_histogram.len() - 1;
    for (items, buckets) in table.fill_histogram.iter().enumerate().filter(|(_, buckets)| **buckets > 0) {
        let share = 100.0 * *buckets as f64 / table.buckets as f64;
        let more = if items == last { ">=" } else { "" };
        writeln!(text, "   {more}{items}: {buckets} ({share:.2}%)").expect("a string takes what it is given");
    }
}

fn line(text: &mut String, name: &str, value: usize) {
    writeln!(text, " {name}: {value}").expect("a string takes what it is given");
}
