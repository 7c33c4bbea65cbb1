//! What was saved and what was not, for people.

use super::super::sink::Sink;
use super::survey::{Gap, Survey};
use super::write::Written;
use super::{Sum, is_whole};
use std::path::Path;

pub(super) fn write(
    survey: &Survey,
    written: &Written,
    sum: Sum,
    (input, output): (&Path, &Path),
    out: &mut Sink<'_>,
) {
    out.line(&format!("Salvaging {}", input.display()));
    write_sum(survey, sum, out);
    if !survey.is_version_known {
        out.line(&format!("The head of the file is damaged: it is read as {}", survey.version));
    }
    survey.gaps.iter().for_each(|gap| write_gap(gap, survey, out));
    if !survey.is_ended {
        out.line("No end record was found: keys behind the last one saved may be missing");
    }
    if survey.trailing_bytes > 0 {
        out.line(&format!("{} bytes behind the end record were ignored", survey.trailing_bytes));
    }
    let left_out = [
        (written.twice, "came a second time"),
        (written.foreign.len() as u64, "hold values of modules, or of types that cannot be held here"),
        (written.empty, "have no value"),
    ];
    for (keys, why) in left_out.into_iter().filter(|(keys, _)| *keys > 0) {
        out.line(&format!("{keys} keys were left out: they {why}"));
    }
    written.foreign.iter().for_each(|key| out.line(&format!("  {key}")));
    let (keys, bytes, name) = (written.keys, written.bytes, output.display());
    if survey.stretches.len() > 1 {
        let behind: u64 = written.stretch_keys.iter().skip(1).sum();
        let front = written.stretch_keys.first().copied().unwrap_or_default();
        out.line(&format!("{front} keys in front of the first damage, {behind} behind it"));
    }
    for (db, keys) in &written.databases {
        out.line(&format!("db{db}: {keys} keys"));
    }
    out.line(&format!("Saved {keys} keys to {name}: {bytes} bytes, RDB version {}", survey.needed_version));
    out.line(if is_whole(survey, written, sum) {
        "Nothing was lost"
    } else {
        "Not everything could be saved"
    });
}

fn write_sum(survey: &Survey, sum: Sum, out: &mut Sink<'_>) {
    match sum {
        Sum::Unknown | Sum::Right => {}
        Sum::DamagedItself => {
            out.line("Only the checksum itself is damaged: what it is of is right");
        }
        Sum::Mended(mend) => {
            let (bytes, offset) = (mend.bytes(), mend.offset);
            let bytes = if bytes == 1 { "1 byte was".to_owned() } else { format!("{bytes} bytes were") };
            out.line(&format!("{bytes} wrong at offset {offset}: the checksum tells what they were"));
        }
        Sum::Wrong if survey.gaps.is_empty() => {
            out.line(
                "The checksum does not fit, and every record can be read: some name or text is not what it was, and \
                 nothing tells which",
            );
        }
        Sum::Wrong => {
            out.line(
                "The checksum does not fit: names and texts beside the damage may not be what they were",
            );
        }
    }
}

fn write_gap(gap: &Gap, survey: &Survey, out: &mut Sink<'_>) {
    let Gap { start, end, fault } = gap;
    out.line(&format!("Fault: {fault}"));
    out.line(&format!("  left out: offset {start} to {end}, {} bytes", end - start));
    let Some(next) = survey.stretches.iter().find(|stretch| stretch.start == *end) else {
        return out.line("  nothing behind it could be proven");
    };
    match next.db {
        Some(db) => out.line(&format!("  behind it in database {db}, as was found there")),
        None => out.line("  behind it in the database that was selected last, which is not certain"),
    }
}
