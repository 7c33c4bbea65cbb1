//! The sparse encoding: runs of equal registers.
//!
//! ```text
//!   ZERO    00nnnnnn             n + 1 registers at 0                   1 to 64
//!   XZERO   01nnnnnn nnnnnnnn    n + 1 registers at 0                   1 to 16384
//!   VAL     1vvvvvnn             n + 1 registers at v + 1               1 to 4, value 1 to 32
//! ```
//! Raising a register splits the run it is in; afterwards runs of equal values nearby are joined. How far the search
//! for such runs goes decides on the bytes, so it is Redis's: it begins one run before the change and looks at five.

use super::hash::Place;
use super::registers::{Histogram, REGISTERS, Registers, VALUES};
use super::{Corrupt, HEADER_BYTES};
use std::fmt::Write;

const ZERO_LENGTH_MAX: usize = 64;
const VALUE_LENGTH_MAX: usize = 4;
const VALUE_MAX: u8 = 32;
const XZERO_TAG: u8 = 0x40;
const VALUE_TAG: u8 = 0x80;
/// How many runs are looked at for neighbours of equal value after a change.
const JOIN_RUNS: usize = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    /// The value of its registers.
    value: u8,
    /// How many registers.
    length: usize,
    /// How many bytes it takes.
    width: usize,
}

/// The run that begins at `at`; `None` at the end, or when the end cuts it off.
#[inline]
fn run_at(bytes: &[u8], at: usize) -> Option<Run> {
    let byte = *bytes.get(at)?;
    if byte & (VALUE_TAG | XZERO_TAG) == XZERO_TAG {
        let low = *bytes.get(at + 1)?;
        let length = usize::from(byte & 0x3f) << 8 | usize::from(low);
        return Some(Run { value: 0, length: length + 1, width: 2 });
    }
    if byte & VALUE_TAG == 0 {
        return Some(Run { value: 0, length: usize::from(byte) + 1, width: 1 });
    }
    Some(Run { value: ((byte >> 2) & 0x1f) + 1, length: usize::from(byte & 3) + 1, width: 1 })
}

/// `value` is 1 to 32, `length` 1 to 4.
fn value_run(value: u8, length: usize) -> u8 {
    VALUE_TAG | (value - 1) << 2 | (length - 1) as u8
}

/// Calls `visit` with the first register of every run and the run, which together must make up all registers.
fn for_runs(body: &[u8], mut visit: impl FnMut(usize, Run)) -> Result<(), Corrupt> {
    let (mut at, mut first) = (0, 0);
    while at < body.len() {
        let run = run_at(body, at).ok_or(Corrupt)?;
        if run.length > REGISTERS - first {
            return Err(Corrupt);
        }
        visit(first, run);
        at += run.width;
        first += run.length;
    }
    if first == REGISTERS { Ok(()) } else { Err(Corrupt) }
}

pub(super) fn histogram(body: &[u8]) -> Result<Histogram, Corrupt> {
    let mut histogram = [0; VALUES];
    for_runs(body, |_, run| histogram[usize::from(run.value)] += run.length as u32)?;
    Ok(histogram)
}

pub(super) fn merge_into(body: &[u8], registers: &mut Registers) -> Result<(), Corrupt> {
    let values = registers.values_mut();
    for_runs(body, |first, run| {
        if run.value > 0 {
            values[first..first + run.length].iter_mut().for_each(|value| *value = run.value.max(*value));
        }
    })
}

/// The runs as PFDEBUG DECODE tells them. Redis takes what is missing of a run that is cut off for a zero.
pub(super) fn describe(body: &[u8]) -> String {
    let padded = [body, &[0]].concat();
    let mut text = String::new();
    let mut at = 0;
    while let Some(run) = run_at(&padded, at).filter(|_| at < body.len()) {
        let length = run.length;
        let separator = if at == 0 { "" } else { " " };
        let written = match (run.value, run.width) {
            (0, 1) => write!(text, "{separator}z:{length}"),
            (0, _) => write!(text, "{separator}Z:{length}"),
            (value, _) => write!(text, "{separator}v:{value},{length}"),
        };
        written.expect("writing to a string cannot fail");
        at += run.width;
    }
    text
}

/// Where a search for a register begins: at a run before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Where a run begins in the string, header included.
    at: usize,
    /// Its first register.
    first: usize,
}

impl Cursor {
    pub(super) const START: Cursor = Cursor { at: HEADER_BYTES, first: 0 };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Unchanged,
    Raised,
    /// The count or the size asks for the dense encoding; nothing was changed.
    NeedsDense,
}

/// The run that holds a register, and the two before it as far as the search met them.
struct Found {
    here: Cursor,
    run: Run,
    before: Option<Cursor>,
    before_that: Option<Cursor>,
}

impl Found {
    /// Where the search for the same or a later register may begin, whatever happens to this one.
    fn resume(&self) -> Cursor {
        self.before_that.or(self.before).unwrap_or(self.here)
    }
}

/// As `search`, but with both runs before the one found, unless there are none.
fn find(bytes: &[u8], index: usize, from: Cursor) -> Option<Found> {
    let found = search(bytes, index, from)?;
    let is_complete = found.before_that.is_some() || from == Cursor::START;
    if is_complete { Some(found) } else { search(bytes, index, Cursor::START) }
}

fn search(bytes: &[u8], index: usize, from: Cursor) -> Option<Found> {
    let mut here = from;
    let (mut before, mut before_that) = (None, None);
    loop {
        let run = run_at(bytes, here.at)?;
        if index < here.first + run.length {
            return Some(Found { here, run, before, before_that });
        }
        before_that = before;
        before = Some(here);
        here = Cursor { at: here.at + run.width, first: here.first + run.length };
    }
}

/// Raises a register of the whole string `bytes`. `from` moves on to where the search for a later register may begin.
pub(super) fn raise(
    bytes: &mut Vec<u8>,
    place: Place,
    from: &mut Cursor,
    bytes_max: usize,
) -> Result<Outcome, Corrupt> {
    if place.count > VALUE_MAX {
        return Ok(Outcome::NeedsDense);
    }
    let found = find(bytes, place.index, *from).ok_or(Corrupt)?;
    *from = found.resume();
    if found.run.value >= place.count {
        return Ok(Outcome::Unchanged);
    }
    let split = Split::of(&found, place);
    let grown = bytes.len() - found.run.width + split.length;
    if split.length > found.run.width && grown > bytes_max {
        return Ok(Outcome::NeedsDense);
    }
    split.put(bytes, found.here.at, found.run.width);
    join_equal_runs(bytes, found.before.unwrap_or(found.here).at);
    Ok(Outcome::Raised)
}

/// What a run becomes when one of its registers is raised: the rest of it on both sides of the register.
struct Split {
    bytes: [u8; 5],
    length: usize,
}

impl Split {
    fn of(found: &Found, place: Place) -> Split {
        let (run, left) = (found.run, place.index - found.here.first);
        let mut split = Split { bytes: [0; 5], length: 0 };
        split.push_rest(run.value, left);
        split.push(value_run(place.count, 1));
        split.push_rest(run.value, run.length - left - 1);
        split
    }

    fn push_rest(&mut self, value: u8, length: usize) {
        match (value, length) {
            (_, 0) => {}
            (0, 1..=ZERO_LENGTH_MAX) => self.push(length as u8 - 1),
            (0, _) => long_zeros(length).into_iter().for_each(|byte| self.push(byte)),
            _ => self.push(value_run(value, length)),
        }
    }

    fn push(&mut self, byte: u8) {
        self.bytes[self.length] = byte;
        self.length += 1;
    }

    /// Puts it in place of the `width` bytes at `at`.
    fn put(&self, bytes: &mut Vec<u8>, at: usize, width: usize) {
        let (old_length, tail) = (bytes.len(), at + width);
        if self.length > width {
            bytes.resize(old_length + self.length - width, 0);
        }
        bytes.copy_within(tail..old_length, at + self.length);
        bytes.truncate(old_length + self.length - width);
        bytes[at..at + self.length].copy_from_slice(&self.bytes[..self.length]);
    }
}

fn long_zeros(length: usize) -> [u8; 2] {
    let [high, low] = ((length - 1) as u16).to_be_bytes();
    [XZERO_TAG | high, low]
}

/// Appends a run of 65 to 16384 registers at zero.
pub(super) fn append_zeros(bytes: &mut Vec<u8>, length: usize) {
    bytes.extend_from_slice(&long_zeros(length));
}

fn join_equal_runs(bytes: &mut Vec<u8>, from: usize) {
    let mut at = from;
    for _ in 0..JOIN_RUNS {
        let Some(run) = run_at(bytes, at) else { return };
        let next = run_at(bytes, at + run.width);
        let joined = next.filter(|next| run.value > 0 && next.value == run.value);
        match joined.map(|next| run.length + next.length) {
            Some(length @ ..=VALUE_LENGTH_MAX) => {
                bytes[at] = value_run(run.value, length);
                bytes.remove(at + 1);
            }
            _ => at += run.width,
        }
    }
}
