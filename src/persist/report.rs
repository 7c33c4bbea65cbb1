//! `check-rdb`: a report on a file for people.

use crate::base::crc::Crc64Xz;
use crate::rdb::{self, CheckReport, ChecksumState};
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

/// Progress is shown after so many bytes.
const PROGRESS_BYTES: u64 = 64 << 20;

/// Checks a file and writes the report to `out`. Whether the file is sound.
///
/// # Errors
/// When the file cannot be opened, or the report cannot be written.
pub fn check_file(path: &Path, now_ms: i64, out: &mut dyn Write) -> io::Result<bool> {
    let file = File::open(path)?;
    let total = file.metadata()?.len();
    writeln!(out, "[offset 0] Checking RDB file {}", path.display())?;
    let is_terminal = io::stderr().is_terminal();
    let mut shown = 0;
    let mut progress = |offset: u64| {
        if is_terminal && offset >= shown + PROGRESS_BYTES {
            shown = offset;
            eprint!("\r{:3} %", offset * 100 / total.max(1));
        }
    };
    let mut input = FileInput { file, sum: Crc64Xz::new() };
    let report = rdb::check(&mut input, now_ms, &mut progress);
    if shown > 0 {
        eprintln!("\r100 %");
    }
    write_report(&report, out)?;
    if report.fault.is_none() {
        // Read to its end: the sum that 7-Zip and xz print of it, to compare copies with.
        writeln!(out, "[info] CRC-64/XZ of the file: {:016X}", input.sum.value())?;
    }
    Ok(report.fault.is_none())
}

struct FileInput {
    file: File,
    sum: Crc64Xz,
}

impl rdb::Input for FileInput {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = io::Read::read(&mut self.file, buffer)?;
        self.sum.update(&buffer[..count]);
        Ok(count)
    }
}

fn write_report(report: &CheckReport, out: &mut dyn Write) -> io::Result<()> {
    for (name, value) in &report.aux {
        writeln!(out, "[info] AUX FIELD {name} = '{value}'")?;
    }
    match (&report.fault, &report.checksum) {
        (Some(fault), _) => writeln!(out, "--- RDB ERROR DETECTED ---\n{fault}")?,
        (None, Some(ChecksumState::Checked(_))) => {
            writeln!(out, "[offset {}] Checksum OK\n[offset {0}] \\o/ RDB looks OK! \\o/", report.bytes)?;
        }
        (None, _) => writeln!(out, "[offset {}] \\o/ RDB looks OK, but has no checksum! \\o/", report.bytes)?,
    }
    if let Some(version) = &report.version {
        writeln!(out, "[info] {version}")?;
    }
    writeln!(out, "[info] {} keys read", report.keys)?;
    writeln!(out, "[info] {} expires", report.volatile_keys)?;
    writeln!(out, "[info] {} already expired", report.expired_keys)?;
    writeln!(out, "[info] {} databases, {} function libraries", report.databases, report.function_libraries)?;
    if report.empty_keys > 0 {
        writeln!(out, "[info] {} keys without elements, which a load leaves out", report.empty_keys)?;
    }
    if report.foreign_keys > 0 {
        let keys = report.foreign_keys;
        writeln!(out, "[info] {keys} keys that cannot be held here: a load needs rdb-skip-unknown yes")?;
    }
    for (name, count) in &report.type_counts {
        writeln!(out, "[info] {count} of type {name}")?;
    }
    Ok(())
}
