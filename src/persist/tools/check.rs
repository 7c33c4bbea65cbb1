//! `check-rdb`: a report on a file, for people or as one JSON object.
//!
//! The lines for people begin as those of redis-check-rdb do. The object:
//!
//! ```text
//! {"file", "sound", "bytes", "rdb_version", "dialect": "redis" | "valkey" | null,
//!  "checksum": "ok" | "disabled" | "absent" | null, "crc64_xz": "<16 hexadecimal digits>" | null,
//!  "error": null | {"offset", "key": null | <bytes>, "reason"},
//!  "keys", "expires", "expired", "empty_keys", "foreign_keys", "function_libraries", "aux": {<name>: <text>},
//!  "databases": [{"db", "keys", "expires", "bytes"}],
//!  "types": {<type>: {"keys", "bytes", "elements", "largest": {"db", "key": <bytes>, "bytes", "elements"},
//!                     "encodings": {<form>: {"keys", "bytes"}}}},
//!  "sizes": [{"up_to_bytes": <number> | null, "keys"}], "ttl": {<class>: <keys>}}
//! ```
//! `<bytes>` as `json` has it. Sizes are those of records in the file. After a fault everything tells of what stands
//! before it.

use super::json::Json;
use super::progress::Progress;
use super::sink::Sink;
use super::{ToolError, Verdict, open};
use crate::base::clock::Clock;
use crate::rdb::statistics::{SIZE_CLASSES, Statistics, TTL_CLASSES, TypeStatistics};
use crate::rdb::{self, CheckReport, ChecksumState, Dialect};
use std::path::Path;

/// For whom the report is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    People,
    Json,
}

/// Checks a file and reports on it. Bad: it has a fault.
///
/// # Errors
/// When the file cannot be read, or the report cannot be written.
pub fn check(path: &Path, form: Report, clock: &Clock, out: &mut Sink<'_>) -> Result<Verdict, ToolError> {
    let source = open(path)?;
    let mut progress = Progress::new(clock, "checking", source.bytes);
    let mut input = source.summed();
    let mut report = rdb::check(&mut input, clock.now().unix_ms(), &mut |offset| progress.at(offset));
    drop(progress);
    if report.fault.as_ref().is_some_and(|fault| matches!(fault.fault, rdb::Fault::Io(_))) {
        let fault = report.fault.take().expect("it was just seen");
        return Err(ToolError::rdb(path, fault));
    }
    // Read to its end: the sum that 7-Zip and xz print of it, to compare copies with.
    let sum = report.fault.is_none().then(|| input.sum.value());
    match form {
        Report::People => write_lines(path, &report, sum, out),
        Report::Json => write_json(path, &report, sum, out),
    }
    out.flush().map_err(ToolError::Output)?;
    Ok(Verdict::good_if(report.fault.is_none()))
}

fn write_lines(path: &Path, report: &CheckReport, sum: Option<u64>, out: &mut Sink<'_>) {
    out.line(&format!("[offset 0] Checking RDB file {}", path.display()));
    for (name, value) in &report.aux {
        out.line(&format!("[info] AUX FIELD {name} = '{value}'"));
    }
    match (&report.fault, &report.checksum) {
        (Some(fault), _) => out.line(&format!("--- RDB ERROR DETECTED ---\n{fault}")),
        (None, Some(ChecksumState::Checked(_))) => {
            out.line(&format!("[offset {}] Checksum OK\n[offset {0}] \\o/ RDB looks OK! \\o/", report.bytes));
        }
        (None, _) => {
            out.line(&format!("[offset {}] \\o/ RDB looks OK, but has no checksum! \\o/", report.bytes));
        }
    }
    if let Some(version) = &report.version {
        out.line(&format!("[info] {version}"));
    }
    out.line(&format!("[info] {} keys read", report.keys));
    out.line(&format!("[info] {} expires", report.volatile_keys));
    out.line(&format!("[info] {} already expired", report.expired_keys));
    let libraries = report.function_libraries;
    out.line(&format!("[info] {} databases, {libraries} function libraries", report.databases));
    if report.empty_keys > 0 {
        out.line(&format!("[info] {} keys without elements, which a load leaves out", report.empty_keys));
    }
    if report.foreign_keys > 0 {
        let keys = report.foreign_keys;
        out.line(&format!("[info] {keys} keys that cannot be held here: a load needs rdb-skip-unknown yes"));
    }
    for (name, count) in &report.type_counts {
        out.line(&format!("[info] {count} of type {name}"));
    }
    if report.keys > 0 {
        write_statistics(&report.statistics, out);
    }
    if let Some(sum) = sum {
        out.line(&format!("[info] CRC-64/XZ of the file: {sum:016X}"));
    }
}

fn write_statistics(statistics: &Statistics, out: &mut Sink<'_>) {
    for (index, database) in &statistics.databases {
        let (keys, volatile, bytes) = (database.keys, database.volatile_keys, database.bytes);
        out.line(&format!("[info] db{index}: {keys} keys, {volatile} expires, {bytes} bytes"));
    }
    for (name, of_type) in &statistics.types {
        write_type(name, of_type, out);
    }
    let mut from = 0;
    for (index, keys) in statistics.sizes.iter().enumerate() {
        let end = SIZE_CLASSES.get(index);
        if *keys > 0 {
            match end {
                Some(end) => out.line(&format!("[info] {keys} keys of {from} to {end} bytes")),
                None => out.line(&format!("[info] {keys} keys of {from} bytes and more")),
            }
        }
        from = end.map_or(0, |end| end + 1);
    }
    for (class, keys) in TTL_CLASSES.iter().zip(statistics.ttls).filter(|(_, keys)| *keys > 0) {
        out.line(&format!("[info] time to live: {class}: {keys} keys"));
    }
}

fn write_type(name: &str, of_type: &TypeStatistics, out: &mut Sink<'_>) {
    let TypeStatistics { keys, bytes, elements, .. } = of_type;
    out.line(&format!("[info] {name}: {keys} keys, {bytes} bytes, {elements} elements"));
    if let Some(largest) = &of_type.largest {
        let (key, db, bytes) = (largest.key.escape_ascii(), largest.db, largest.bytes);
        out.line(&format!("[info]   largest: '{key}' in db{db}, {bytes} bytes"));
    }
    for (form, of_form) in &of_type.forms {
        out.line(&format!("[info]   as {form}: {} keys, {} bytes", of_form.keys, of_form.bytes));
    }
}

fn write_json(path: &Path, report: &CheckReport, sum: Option<u64>, out: &mut Sink<'_>) {
    let mut json = Json::new(out);
    json.object(|json| {
        json.name("file").text(&path.to_string_lossy());
        json.name("sound").truth(report.fault.is_none());
        json.name("bytes").number(report.bytes);
        write_version(json, report, sum);
        json.name("error");
        match &report.fault {
            None => json.null(),
            Some(fault) => json.object(|json| {
                json.name("offset").number(fault.offset).name("key");
                match &fault.key {
                    Some(key) => json.bytes(key),
                    None => json.null(),
                };
                json.name("reason").text(&fault.fault.to_string());
            }),
        };
        let counts = [
            ("keys", report.keys),
            ("expires", report.volatile_keys),
            ("expired", report.expired_keys),
            ("empty_keys", report.empty_keys),
            ("foreign_keys", report.foreign_keys),
            ("function_libraries", report.function_libraries),
        ];
        for (name, count) in counts {
            json.name(name).number(count);
        }
        json.name("aux").object(|json| {
            for (name, value) in &report.aux {
                json.name(name).text(value);
            }
        });
        write_statistics_json(json, &report.statistics);
    });
    json.end_line();
}

fn write_version(json: &mut Json<'_, '_>, report: &CheckReport, sum: Option<u64>) {
    json.name("rdb_version").optional(report.version.map(|version| version.number)).name("dialect");
    match report.version.map(|version| version.dialect) {
        Some(Dialect::Redis) => json.text("redis"),
        Some(Dialect::Valkey) => json.text("valkey"),
        None => json.null(),
    };
    json.name("checksum");
    match (&report.fault, &report.checksum) {
        (None, Some(ChecksumState::Checked(_))) => json.text("ok"),
        (None, Some(ChecksumState::Disabled)) => json.text("disabled"),
        (None, Some(ChecksumState::Absent)) => json.text("absent"),
        (Some(_), _) | (None, None) => json.null(),
    };
    json.name("crc64_xz");
    match sum {
        Some(sum) => json.text(&format!("{sum:016X}")),
        None => json.null(),
    };
}

fn write_statistics_json(json: &mut Json<'_, '_>, statistics: &Statistics) {
    json.name("databases").array(|json| {
        for (index, database) in &statistics.databases {
            json.object(|json| {
                json.name("db").number(index).name("keys").number(database.keys);
                json.name("expires").number(database.volatile_keys).name("bytes").number(database.bytes);
            });
        }
    });
    json.name("types").object(|json| {
        for (name, of_type) in &statistics.types {
            json.name(name).object(|json| write_type_json(json, of_type));
        }
    });
    json.name("sizes").array(|json| {
        for (index, keys) in statistics.sizes.iter().enumerate() {
            json.object(|json| {
                json.name("up_to_bytes").optional(SIZE_CLASSES.get(index)).name("keys").number(keys);
            });
        }
    });
    json.name("ttl").object(|json| {
        for (class, keys) in TTL_CLASSES.iter().zip(statistics.ttls) {
            json.name(class).number(keys);
        }
    });
}

fn write_type_json(json: &mut Json<'_, '_>, of_type: &TypeStatistics) {
    json.name("keys").number(of_type.keys).name("bytes").number(of_type.bytes);
    json.name("elements").number(of_type.elements);
    if let Some(largest) = &of_type.largest {
        json.name("largest").object(|json| {
            json.name("db").number(largest.db).name("key").bytes(&largest.key);
            json.name("bytes").number(largest.bytes).name("elements").number(largest.elements);
        });
    }
    json.name("encodings").object(|json| {
        for (form, of_form) in &of_type.forms {
            json.name(form).object(|json| {
                json.name("keys").number(of_form.keys).name("bytes").number(of_form.bytes);
            });
        }
    });
}
