//! Matches one pattern against one subject, without recursion.
//!
//! ```text
//!   pattern   %s*(%w+)=(.-)$         position p, read as it goes: what is wrong further on is an error when reached
//!   subject   key=value              position s
//!   choices   [s, where to go on]    what else could have been taken, the last on the top: taken when nothing matches
//! ```
//! A repetition of one character or class is one choice, so there are no more choices than items in the pattern.
//!
//! Invariants
//! 1. What is captured before a choice does not change while the choice is there: to go back to it, the number of
//!    captures and which of them are closed is enough.
//! 2. A zero ends a pattern.

use super::class::{is_in_set, is_of_letter};
use crate::script::lua::{Failure, Stack};
use std::cell::Cell;

pub const CAPTURES_MAX: usize = 32;
/// More choices than any sensible pattern has items.
const CHOICES_MAX: usize = 100_000;
const STEPS_PER_TICK: usize = 10_000;
/// A set is gone through for every byte, so it is not longer than this.
const SET_BYTES_MAX: usize = 1 << 14;
/// Beyond so many bytes it is worth finding out for every byte there is whether it is in a set.
const NEAR_BYTES: usize = 1024;

/// Part of a subject, or a position in it.
#[derive(Clone, Copy, Default)]
struct Capture {
    start: usize,
    /// `POSITION`: only the start counts.
    end: usize,
}

const POSITION: usize = usize::MAX;

/// What a capture has caught.
pub enum Caught<'s> {
    Bytes(&'s [u8]),
    /// Counted from 1.
    Position(usize),
}

#[derive(Clone, Copy)]
struct Choice {
    /// Where to go on in the subject.
    s: usize,
    /// A greedy one goes on there, too, and everywhere between.
    lowest: usize,
    /// Where to go on in the pattern.
    p: usize,
    /// A lazy one takes one more of the item that begins there, and ends before `p`. `GREEDY`: nothing more is taken.
    item: usize,
    closed: u32,
    level: usize,
}

const GREEDY: usize = usize::MAX;

pub struct Matcher<'s> {
    subject: &'s [u8],
    pattern: &'s [u8],
    captures: [Capture; CAPTURES_MAX],
    /// How many captures are open or closed.
    level: usize,
    /// One bit for each capture that is closed.
    closed: u32,
    choices: Vec<Choice>,
    steps: usize,
}

thread_local! {
    /// Room for choices, so that not every match has to get its own.
    static SPARE: Cell<Vec<Choice>> = const { Cell::new(Vec::new()) };
}

impl Drop for Matcher<'_> {
    fn drop(&mut self) {
        const KEPT: usize = 1000;
        if (1..=KEPT).contains(&self.choices.capacity()) {
            self.choices.clear();
            SPARE.set(std::mem::take(&mut self.choices));
        }
    }
}

type Next = Option<(usize, usize)>;

/// How many bytes a text begins with that are in a set; `None`: all of them.
#[inline]
fn run_in_set(text: &[u8], set: &[u8]) -> Option<usize> {
    let (near, far) = text.split_at(text.len().min(NEAR_BYTES));
    let run = near.iter().position(|byte| !is_in_set(*byte, set));
    if run.is_some() || far.is_empty() {
        return run;
    }
    let is_in: [bool; 256] = std::array::from_fn(|byte| is_in_set(byte as u8, set));
    far.iter().position(|byte| !is_in[usize::from(*byte)]).map(|run| near.len() + run)
}

impl<'s> Matcher<'s> {
    /// `pattern` without its anchor.
    pub fn new(subject: &'s [u8], pattern: &'s [u8]) -> Matcher<'s> {
        let pattern = super::until_zero(pattern);
        Matcher {
            subject,
            pattern,
            captures: [Capture::default(); CAPTURES_MAX],
            level: 0,
            closed: 0,
            choices: SPARE.take(),
            steps: 0,
        }
    }

    /// The first match that begins at `from` or behind it.
    ///
    /// # Errors
    /// The pattern is malformed, or the script is to end.
    pub fn find(&mut self, stack: &mut Stack<'_>, from: usize) -> Result<Option<(usize, usize)>, Failure> {
        let first = self.first_byte();
        let mut start = from;
        while start <= self.subject.len() {
            if let Some(first) = first {
                let rest = &self.subject[start..];
                let Some(skipped) = rest.iter().position(|byte| *byte == first) else { return Ok(None) };
                start += skipped;
            }
            if let Some(end) = self.match_at(stack, start)? {
                return Ok(Some((start, end)));
            }
            start += 1;
        }
        Ok(None)
    }

    /// What every match begins with.
    fn first_byte(&self) -> Option<u8> {
        let first = *self.pattern.first()?;
        let is_plain = !b"^$*+?.([%-)".contains(&first);
        (is_plain && !matches!(self.pattern.get(1), Some(b'*' | b'?' | b'-'))).then_some(first)
    }

    /// Where the match that begins at `start` ends.
    ///
    /// # Errors
    /// As `find`.
    pub fn match_at(&mut self, stack: &mut Stack<'_>, start: usize) -> Result<Option<usize>, Failure> {
        (self.level, self.closed) = (0, 0);
        self.choices.clear();
        let (mut s, mut p) = (start, 0);
        while p < self.pattern.len() {
            self.steps += 1;
            if self.steps >= STEPS_PER_TICK {
                self.steps = 0;
                stack.tick()?;
            }
            let next = match self.step(s, p)? {
                None => self.go_back(),
                next => next,
            };
            let Some(next) = next else { return Ok(None) };
            (s, p) = next;
        }
        Ok(Some(s))
    }

    /// Matches one item.
    #[inline]
    fn step(&mut self, s: usize, p: usize) -> Result<Next, Failure> {
        match (self.pattern[p], self.pattern.get(p + 1)) {
            (b'(', Some(b')')) => {
                self.open(s, POSITION)?;
                self.closed |= 1 << (self.level - 1);
                Ok(Some((s, p + 2)))
            }
            (b'(', _) => {
                self.open(s, 0)?;
                Ok(Some((s, p + 1)))
            }
            (b')', _) => self.close(s, p + 1),
            (b'%', Some(b'b')) => self.balanced(s, p + 2),
            (b'%', Some(b'f')) => self.frontier(s, p + 2),
            (b'%', Some(digit)) if digit.is_ascii_digit() => self.captured_again(s, p),
            (b'$', None) => Ok((s == self.subject.len()).then_some((s, p + 1))),
            _ => self.repeated(s, p),
        }
    }

    fn open(&mut self, s: usize, end: usize) -> Result<(), Failure> {
        if self.level == CAPTURES_MAX {
            return Err(Failure::here("too many captures"));
        }
        self.captures[self.level] = Capture { start: s, end };
        self.closed &= !(1 << self.level);
        self.level += 1;
        Ok(())
    }

    fn close(&mut self, s: usize, p: usize) -> Result<Next, Failure> {
        let last_open = (0..self.level).rev().find(|index| self.closed & (1 << index) == 0);
        let index = last_open.ok_or_else(|| Failure::here("invalid pattern capture"))?;
        self.captures[index].end = s;
        self.closed |= 1 << index;
        Ok(Some((s, p)))
    }

    /// `%bxy`; `p` is that of x.
    fn balanced(&mut self, s: usize, p: usize) -> Result<Next, Failure> {
        let &[opening, closing, ..] = &self.pattern[p..] else {
            return Err(Failure::here("unbalanced pattern"));
        };
        if self.subject.get(s) != Some(&opening) {
            return Ok(None);
        }
        let mut depth = 1;
        for (offset, byte) in self.subject[s + 1..].iter().enumerate() {
            if *byte == closing {
                depth -= 1;
                if depth == 0 {
                    self.steps += offset;
                    return Ok(Some((s + offset + 2, p + 2)));
                }
            } else if *byte == opening {
                depth += 1;
            }
        }
        self.steps += self.subject.len() - s;
        Ok(None)
    }

    /// `%f[set]`; `p` is that of the set.
    fn frontier(&mut self, s: usize, p: usize) -> Result<Next, Failure> {
        if self.pattern.get(p) != Some(&b'[') {
            return Err(Failure::here("missing '[' after '%f' in pattern"));
        }
        let end = self.item_end(p)?;
        let set = &self.pattern[p + 1..end - 1];
        let before = if s == 0 { 0 } else { self.subject[s - 1] };
        let here = self.subject.get(s).copied().unwrap_or(0);
        Ok((!is_in_set(before, set) && is_in_set(here, set)).then_some((s, end)))
    }

    /// `%1`
    fn captured_again(&mut self, s: usize, p: usize) -> Result<Next, Failure> {
        let index = usize::from(self.pattern[p + 1] - b'0').wrapping_sub(1);
        if index >= self.level || self.closed & (1 << index) == 0 {
            return Err(Failure::here("invalid capture index"));
        }
        let Capture { start, end } = self.captures[index];
        if end == POSITION {
            return Ok(None);
        }
        let again = &self.subject[start..end];
        self.steps += again.len() / 16;
        Ok(self.subject[s..].starts_with(again).then_some((s + again.len(), p + 2)))
    }

    /// A character or a class, and how often.
    #[inline]
    fn repeated(&mut self, s: usize, p: usize) -> Result<Next, Failure> {
        let end = self.item_end(p)?;
        match self.pattern.get(end) {
            Some(b'?') => {
                if !self.is_item(s, p, end) {
                    return Ok(Some((s, end + 1)));
                }
                self.choose(Choice { s, lowest: s, p: end + 1, ..self.choice() })?;
                Ok(Some((s + 1, end + 1)))
            }
            Some(b'*') => self.greedy(s, s, p, end),
            Some(b'+') => self.greedy(s, s + 1, p, end),
            Some(b'-') => {
                self.choose(Choice { s, item: p, p: end + 1, ..self.choice() })?;
                Ok(Some((s, end + 1)))
            }
            _ => Ok(self.is_item(s, p, end).then_some((s + 1, end))),
        }
    }

    /// As much as there is of an item, at least to `lowest`.
    #[inline]
    fn greedy(&mut self, s: usize, lowest: usize, p: usize, end: usize) -> Result<Next, Failure> {
        let rest = &self.subject[s..];
        let taken = match self.pattern[p] {
            b'.' => None,
            b'%' => {
                let letter = self.pattern[p + 1];
                rest.iter().position(|byte| !is_of_letter(*byte, letter))
            }
            b'[' => {
                let set = &self.pattern[p + 1..end - 1];
                self.steps += set.len() / 16;
                run_in_set(rest, set)
            }
            plain => rest.iter().position(|byte| *byte != plain),
        };
        let highest = s + taken.unwrap_or(rest.len());
        self.steps += (highest - s) / 4;
        if highest < lowest {
            return Ok(None);
        }
        if highest > lowest && end + 1 < self.pattern.len() {
            self.choose(Choice { s: highest - 1, lowest, p: end + 1, ..self.choice() })?;
        }
        Ok(Some((highest, end + 1)))
    }

    fn choice(&self) -> Choice {
        Choice { s: 0, lowest: 0, p: 0, item: GREEDY, closed: self.closed, level: self.level }
    }

    fn choose(&mut self, choice: Choice) -> Result<(), Failure> {
        if self.choices.len() == CHOICES_MAX {
            return Err(Failure::here("pattern too complex"));
        }
        self.choices.push(choice);
        Ok(())
    }

    /// Takes the last choice.
    fn go_back(&mut self) -> Next {
        while let Some(&Choice { s, lowest, p, item, closed, level }) = self.choices.last() {
            (self.closed, self.level) = (closed, level);
            let is_lazy = item != GREEDY;
            let goes_on = if is_lazy { self.is_item(s, item, p - 1) } else { s > lowest };
            match self.choices.last_mut() {
                Some(choice) if goes_on => choice.s = if is_lazy { s + 1 } else { s - 1 },
                _ => {
                    self.choices.pop();
                }
            }
            if goes_on || !is_lazy {
                return Some((if is_lazy { s + 1 } else { s }, p));
            }
        }
        None
    }

    /// Where the character or class that begins at `p` ends.
    #[inline]
    fn item_end(&self, p: usize) -> Result<usize, Failure> {
        match self.pattern[p] {
            b'%' if p + 1 == self.pattern.len() => Err(Failure::here("malformed pattern (ends with '%')")),
            b'%' => Ok(p + 2),
            b'[' => match self.set_end(p + 1) {
                Some(end) if end - p <= SET_BYTES_MAX => Ok(end),
                Some(_) => Err(Failure::here("pattern too complex")),
                None => Err(Failure::here("malformed pattern (missing ']')")),
            },
            _ => Ok(p + 1),
        }
    }

    fn set_end(&self, start: usize) -> Option<usize> {
        let mut end = start;
        if self.pattern.get(end) == Some(&b'^') {
            end += 1;
        }
        // The first one is no end.
        loop {
            end += if *self.pattern.get(end)? == b'%' { 2 } else { 1 };
            if *self.pattern.get(end)? == b']' {
                return Some(end + 1);
            }
        }
    }

    #[inline]
    fn is_item(&self, s: usize, p: usize, end: usize) -> bool {
        let Some(byte) = self.subject.get(s).copied() else { return false };
        match self.pattern[p] {
            b'.' => true,
            b'%' => is_of_letter(byte, self.pattern[p + 1]),
            b'[' => is_in_set(byte, &self.pattern[p + 1..end - 1]),
            plain => plain == byte,
        }
    }

    /// How many values a match gives: its captures, or the whole.
    pub fn values(&self) -> usize {
        self.level.max(1)
    }

    pub fn captures(&self) -> usize {
        self.level
    }

    pub fn whole(&self, (start, end): (usize, usize)) -> &'s [u8] {
        &self.subject[start..end]
    }

    /// What a capture has caught; the first is the whole match where there is none.
    ///
    /// # Errors
    /// There is no such capture, or it is not closed.
    pub fn caught(&self, index: usize, (start, end): (usize, usize)) -> Result<Caught<'s>, Failure> {
        if index >= self.level {
            if index == 0 {
                return Ok(Caught::Bytes(&self.subject[start..end]));
            }
            return Err(Failure::here("invalid capture index"));
        }
        if self.closed & (1 << index) == 0 {
            return Err(Failure::here("unfinished capture"));
        }
        let Capture { start, end } = self.captures[index];
        if end == POSITION {
            Ok(Caught::Position(start + 1))
        } else {
            Ok(Caught::Bytes(&self.subject[start..end]))
        }
    }
}
