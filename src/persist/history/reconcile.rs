//! What the catalogue says, made to agree with what is in the directory.

use super::Place;
use crate::persist::catalog::{Kept, Line};
use crate::persist::stamp::FileStamp;
use std::collections::{BTreeMap, BTreeSet};

/// The lines of the files that are there, in the order in which they were made, and the place of the current file's.
/// `files` holds every file of our pattern.
pub(super) fn reconcile(
    place: &Place,
    lines: Vec<Line>,
    files: &BTreeMap<String, FileStamp>,
    current: Option<FileStamp>,
) -> (Vec<Line>, Option<usize>) {
    let mut lines = only_once(place, lines, files);
    let known: BTreeSet<String> = lines.iter().map(|line| line.file.clone()).collect();
    for (file, stamp) in files.iter().filter(|(file, _)| !known.contains(*file)) {
        let Some((made_s, id)) = place.parse(file) else { continue };
        let is_it = |line: &&mut Line| {
            line.file == place.current
                && line.is_of(stamp)
                && (line.id == id || current.is_some_and(|current| current.is_same_file(stamp)))
        };
        match lines.iter_mut().find(is_it) {
            // It was the current file when the line was written, and has been linked since.
            Some(line) => (line.file, line.id) = (file.clone(), id),
            None => {
                let line = Line { id, made_s, kept: Kept::Found, ..Line::unknown(file, stamp) };
                let moment = |line: &Line| (line.made_s, line.modified_ns);
                let later = lines.iter().position(|other| moment(other) > moment(&line));
                lines.insert(later.unwrap_or(lines.len()), line);
            }
        }
    }
    // A current file of another time, which nobody has kept, or which was another one.
    let is_current = |line: &Line| current.is_some_and(|stamp| line.is_of(&stamp));
    lines.retain(|line| line.file != place.current || is_current(line));
    let Some(stamp) = current else { return (lines, None) };
    let is_under_current_name = |line: &Line| line.file == place.current;
    let has_other_name = |line: &Line| files.get(&line.file).is_some_and(|other| other.is_same_file(&stamp));
    let index = lines.iter().position(has_other_name);
    if index.is_some() {
        lines.retain(|line| !is_under_current_name(line));
    }
    match lines.iter().position(has_other_name).or_else(|| lines.iter().position(is_under_current_name)) {
        Some(index) => (lines, Some(index)),
        None => {
            lines.push(Line::unknown(&place.current, &stamp));
            let index = lines.len() - 1;
            (lines, Some(index))
        }
    }
}

/// Without the lines of files that are gone, or not ours, and without second lines for one file. Those for the current
/// file's name stay: the file may have another name now.
fn only_once(place: &Place, lines: Vec<Line>, files: &BTreeMap<String, FileStamp>) -> Vec<Line> {
    let mut seen = BTreeSet::new();
    let is_there = |line: &Line| line.file == place.current || files.contains_key(&line.file);
    lines.into_iter().filter(|line| is_there(line) && seen.insert(line.file.clone())).collect()
}
