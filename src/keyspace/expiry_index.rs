//! Finds the keys that have expired without looking at those that have not: a timing wheel of key hashes.
//!
//! The index keeps records, not keys. A record says "look at the key with this hash at that time"; whether
//! the key is still there, and when it really expires, only the table knows. So records may be stale, and
//! deleting a key or moving its expiry further away costs nothing here.
//!
//! ```text
//!  level 0   256 slots of 1 ms        the rest of the running 256 ms
//!  level 1   256 slots of 256 ms      the rest of the running 65.5 s
//!  level 2   256 slots of 65.5 s      ... 4.7 hours, level 3 ... 49.7 days, and so on up to level 7: any i64
//!
//!  record    bits 40..56: 16 bits of the deadline   all others: those of the key's hash (HASH_BITS_USED)
//! ```
//! A deadline goes to the level of the highest byte in which it differs from the wheel's clock, into the slot
//! of that byte. When the clock reaches a slot of an upper level, its records move to lower ones (bounded
//! work per call); for that a record keeps the 16 bits of the deadline below its slot. Up to level 2 (4.7
//! hours ahead) that is exact; beyond, what is unknown counts as zero, so a record comes up too early, never
//! too late, and is pushed again.
//!
//! Invariants: 1. a record's slot lies at or after the clock (the slot that is being moved down is the only
//! one whose time has begun); 2. records of one level agree with the clock in all higher bytes.
//!
//! # What the Db must do
//! A key with an expiry has a *generation* in its entry, one bit: which of two wheels holds its record.
//! - A key gets an expiry it had not, or a new entry that has one (SET EX, EXPIRE, RENAME, COPY, MOVE, load):
//!   `push`, and store the generation returned.
//! - Its expiry changes: `push` and store if the new one is earlier; if it is later do nothing, the old
//!   record will come up early.
//! - It loses the expiry or is deleted: nothing.
//! - `pop_due` answers a hash: for each item that `Dict::find_by_hash` shows and whose own hash agrees with
//!   it in `HASH_BITS_USED`: delete it if it has expired, else `push` it again.
//! - `len` exceeds twice the volatile keys + 1024, or `is_compacting`: call `compact_step` with a budget. It
//!   starts a new generation and moves the records of the old one over: a record whose key is gone, or is in
//!   the new generation already, is dropped. So after a round there is one record per key.
//!
//! It deliberately reads no clock and knows no key. A clock that jumps back only delays it until it is back
//! at the old time (keys still expire on access).

use crate::encoding::dict::HASH_BITS_USED;

const LEVELS: usize = 8;
const SLOTS: usize = 256;
/// Records in one chunk: 512 bytes.
const CHUNK_RECORDS: usize = 64;
/// Records that one call moves down at most.
const CASCADE_RECORDS_MAX: usize = 64;
/// Where a record keeps its deadline bits, and how many.
const DEADLINE_SHIFT: u32 = 40;
const DEADLINE_MASK: u64 = 0xffff;

const _: () = assert!(HASH_BITS_USED == !(DEADLINE_MASK << DEADLINE_SHIFT));

/// Which of the two wheels holds a key's record; stored in the entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Generation {
    #[default]
    Even,
    Odd,
}

impl Generation {
    fn other(self) -> Generation {
        match self {
            Generation::Even => Generation::Odd,
            Generation::Odd => Generation::Even,
        }
    }
}

/// What `pop_due` found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// The key with this hash (only `HASH_BITS_USED` of it) may have expired.
    Record(u64),
    /// Nothing yet, but records were moved: call again, when there is time.
    Working,
    /// Nothing is due.
    Nothing,
}

/// See the module's description for the rules its owner keeps.
pub struct ExpiryIndex {
    /// The wheel of each generation.
    wheels: [Wheel; 2],
    generation: Generation,
    is_compacting: bool,
}

impl ExpiryIndex {
    /// `now_ms`: Unix ms. Allocates nothing.
    pub fn new(now_ms: i64) -> Self {
        let wheels = [Wheel::new(now_ms), Wheel::new(now_ms)];
        ExpiryIndex { wheels, generation: Generation::Even, is_compacting: false }
    }

    /// Records, stale ones included.
    pub fn len(&self) -> usize {
        self.wheels.iter().map(|wheel| wheel.len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The generation that `push` files under.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// Files a record; `expire_at_ms` is any Unix time. The caller stores the generation in the entry.
    #[must_use = "the entry must know its generation"]
    pub fn push(&mut self, hash: u64, expire_at_ms: i64) -> Generation {
        self.wheels[self.generation as usize].push(hash, clock_of(expire_at_ms));
        self.generation
    }

    /// Takes a record whose deadline lies before `now_ms`: a key is expired when now is *after* its expiry.
    /// The work of one call is bounded by a few dozen records.
    pub fn pop_due(&mut self, now_ms: i64) -> Due {
        let limit = clock_of(now_ms.saturating_sub(1));
        if !self.is_compacting {
            return self.wheels[self.generation as usize].pop_due(limit);
        }
        match self.wheels[self.generation.other() as usize].pop_due(limit) {
            Due::Nothing => self.wheels[self.generation as usize].pop_due(limit),
            found => found,
        }
    }

    /// From when on (Unix ms) `pop_due` finds something to do: a record that is due, or records to move. `None`: never.
    pub fn next_due_ms(&self) -> Option<i64> {
        let next = self.wheels.iter().filter_map(Wheel::next).min()?;
        // A deadline is due when it is over.
        Some(i64::try_from(next).unwrap_or(i64::MAX).saturating_add(1))
    }

    pub fn is_compacting(&self) -> bool {
        self.is_compacting
    }

    /// Looks at up to `budget` records of the old generation; starts a new generation if no round goes on.
    /// `refile` is asked for each: if the hash (of which it gets `HASH_BITS_USED`) belongs to a key with an
    /// expiry whose generation is not the given one, it stores the given one in the entry and answers the
    /// expiry; else None. True if the round goes on.
    pub fn compact_step(
        &mut self,
        budget: usize,
        refile: &mut dyn FnMut(u64, Generation) -> Option<i64>,
    ) -> bool {
        if !self.is_compacting {
            self.generation = self.generation.other();
            self.is_compacting = true;
            let clock = self.wheels[self.generation.other() as usize].clock;
            self.wheels[self.generation as usize].clock = clock;
        }
        let generation = self.generation;
        for _ in 0..budget {
            let Some(record) = self.wheels[generation.other() as usize].pop_any() else {
                self.wheels[generation.other() as usize] = Wheel::new(0);
                self.is_compacting = false;
                return false;
            };
            if let Some(expire_at_ms) = refile(record & HASH_BITS_USED, generation) {
                self.wheels[generation as usize].push(record, clock_of(expire_at_ms));
            }
        }
        true
    }

    /// The hash (`HASH_BITS_USED`) of a random record, all equally likely.
    pub fn sample(&self, rng: &mut fastrand::Rng) -> Option<u64> {
        if self.is_empty() {
            return None;
        }
        let number = rng.usize(..self.len());
        let first = self.wheels[0].len;
        let record =
            if number < first { self.wheels[0].nth(number) } else { self.wheels[1].nth(number - first) };
        record.map(|record| record & HASH_BITS_USED)
    }

    /// Up to `n` hashes (`HASH_BITS_USED`) of those that come up next, from each generation that has records;
    /// within a slot in no order.
    pub fn soonest(&self, n: usize, out: &mut Vec<u64>) {
        for wheel in &self.wheels {
            let records = wheel.levels.iter().flatten().flat_map(|level| level.iter());
            out.extend(records.take(n).map(|record| record & HASH_BITS_USED));
        }
    }

    /// Forgets everything but the clock.
    pub fn clear(&mut self) {
        self.wheels.iter_mut().for_each(|wheel| *wheel = Wheel { clock: wheel.clock, ..Wheel::new(0) });
        self.is_compacting = false;
    }

    pub fn heap_bytes(&self) -> usize {
        let levels = || self.wheels.iter().flat_map(|wheel| wheel.levels.iter().flatten());
        levels()
            .map(|level| size_of::<Level>() + level.slots.iter().map(Slot::heap_bytes).sum::<usize>())
            .sum()
    }

    /// Walks every invariant; panics with the reason if one does not hold.
    #[doc(hidden)]
    pub fn check(&self) {
        self.wheels.iter().for_each(Wheel::check);
        let old = &self.wheels[self.generation.other() as usize];
        assert!(self.is_compacting || old.len == 0, "records of an old generation without a round");
    }
}

/// A Unix time as the wheel counts it. What is before 1970 is as good as 1970.
fn clock_of(time_ms: i64) -> u64 {
    time_ms.max(0).unsigned_abs()
}

struct Wheel {
    /// Unix ms; every deadline before it has been popped.
    clock: u64,
    len: usize,
    /// The slot that is being moved down, in steps: level and number.
    cascading: Option<(usize, usize)>,
    /// Made when first used.
    levels: [Option<Box<Level>>; LEVELS],
}

impl Wheel {
    fn new(now_ms: i64) -> Wheel {
        Wheel { clock: clock_of(now_ms), len: 0, cascading: None, levels: [const { None }; LEVELS] }
    }

    /// Of `hash` only the bits `HASH_BITS_USED` are kept.
    fn push(&mut self, hash: u64, deadline: u64) {
        let deadline = deadline.max(self.clock);
        let level = (deadline ^ self.clock).checked_ilog2().unwrap_or(0) as usize / 8;
        let bits = (deadline >> deadline_shift(level)) & DEADLINE_MASK;
        let record = hash & HASH_BITS_USED | bits << DEADLINE_SHIFT;
        self.levels[level].get_or_insert_default().push(byte_of(deadline, level), record);
        self.len += 1;
    }

    /// `limit`: deadlines up to it are due.
    fn pop_due(&mut self, limit: u64) -> Due {
        loop {
            if limit < self.clock {
                return Due::Nothing;
            }
            if let Some((level, slot)) = self.cascading {
                return self.cascade(level, slot);
            }
            let Some((level, slot)) = self.earliest() else {
                self.clock = limit;
                return Due::Nothing;
            };
            let start = slot_start(self.clock, level, slot);
            if start > limit {
                self.clock = limit;
                return Due::Nothing;
            }
            self.clock = start;
            if level == 0 {
                self.len -= 1;
                let record = self.levels[0].as_mut().and_then(|level| level.pop(slot));
                return Due::Record(record.expect("`earliest` names a slot with records") & HASH_BITS_USED);
            }
            self.cascading = Some((level, slot));
        }
    }

    /// The time at which the next slot with records begins.
    fn next(&self) -> Option<u64> {
        match (self.cascading, self.earliest()) {
            (Some(_), _) => Some(self.clock),
            (None, Some((level, slot))) => Some(slot_start(self.clock, level, slot)),
            (None, None) => None,
        }
    }

    /// The first slot with records: those of a lower level come before those of a higher one, by invariant 2.
    fn earliest(&self) -> Option<(usize, usize)> {
        let first = |(number, level): (usize, &Option<Box<Level>>)| Some((number, level.as_ref()?.first()?));
        self.levels.iter().enumerate().find_map(first)
    }

    /// Moves records of a slot whose time has begun to the levels below.
    fn cascade(&mut self, level: usize, slot: usize) -> Due {
        let start = slot_start(self.clock, level, slot);
        for _ in 0..CASCADE_RECORDS_MAX {
            let Some(record) = self.levels[level].as_mut().and_then(|level| level.pop(slot)) else {
                self.cascading = None;
                break;
            };
            self.len -= 1;
            self.push(record, deadline_at_least(start, level, record));
        }
        Due::Working
    }

    /// Takes any record.
    fn pop_any(&mut self) -> Option<u64> {
        let (level, slot) = self.earliest()?;
        self.len -= 1;
        self.levels[level].as_mut()?.pop(slot)
    }

    fn nth(&self, number: usize) -> Option<u64> {
        let mut left = number;
        for level in self.levels.iter().flatten() {
            if left < level.len {
                return level.nth(left);
            }
            left -= level.len;
        }
        None
    }

    fn check(&self) {
        assert_eq!(
            self.len,
            self.levels.iter().flatten().map(|level| level.len).sum::<usize>(),
            "a wrong count"
        );
        for (number, level) in self.levels.iter().enumerate() {
            let Some(level) = level else { continue };
            assert_eq!(
                level.len,
                level.slots.iter().map(|slot| slot.len).sum::<usize>(),
                "a wrong count in a level"
            );
            for (slot, records) in level.slots.iter().enumerate().filter(|(_, slot)| slot.len > 0) {
                let is_begun = slot_start(self.clock, number, slot) <= self.clock && number > 0;
                assert!(!is_begun || self.cascading == Some((number, slot)), "a slot was passed by");
                assert!(number > 0 || slot >= byte_of(self.clock, 0), "a due record was passed by");
                assert_eq!(records.chunks.len(), records.len.div_ceil(CHUNK_RECORDS), "a chunk too many");
            }
        }
    }
}

/// From which bit on a record of this level keeps the deadline.
fn deadline_shift(level: usize) -> u32 {
    8 * (level as u32).saturating_sub(2)
}

fn byte_of(time: u64, level: usize) -> usize {
    (time >> (8 * level)) as usize % SLOTS
}

/// When a slot of a level begins, in the round of the clock.
fn slot_start(clock: u64, level: usize, slot: usize) -> u64 {
    let shift = 8 * level as u32;
    let above = clock.checked_shr(shift + 8).unwrap_or(0).checked_shl(shift + 8).unwrap_or(0);
    above | (slot as u64) << shift
}

/// The deadline of a record in the slot that begins at `start`; where bits are unknown, an earlier one.
fn deadline_at_least(start: u64, level: usize, record: u64) -> u64 {
    let shift = deadline_shift(level);
    let bits = (record >> DEADLINE_SHIFT & DEADLINE_MASK) << shift;
    start | bits & ((1 << (8 * level)) - 1)
}

struct Level {
    slots: [Slot; SLOTS],
    /// A bit for each slot that has records.
    occupied: [u64; SLOTS / 64],
    len: usize,
}

impl Default for Level {
    fn default() -> Self {
        Level {
            slots: [const { Slot { chunks: Vec::new(), len: 0 } }; SLOTS],
            occupied: [0; SLOTS / 64],
            len: 0,
        }
    }
}

impl Level {
    fn push(&mut self, slot: usize, record: u64) {
        self.slots[slot].push(record);
        self.occupied[slot / 64] |= 1 << (slot % 64);
        self.len += 1;
    }

    fn pop(&mut self, slot: usize) -> Option<u64> {
        let record = self.slots[slot].pop()?;
        self.len -= 1;
        if self.slots[slot].len == 0 {
            self.occupied[slot / 64] &= !(1 << (slot % 64));
        }
        Some(record)
    }

    fn first(&self) -> Option<usize> {
        let word = self.occupied.iter().position(|word| *word != 0)?;
        Some(word * 64 + self.occupied[word].trailing_zeros() as usize)
    }

    fn nth(&self, number: usize) -> Option<u64> {
        let mut left = number;
        for slot in &self.slots {
            if left < slot.len {
                return Some(slot.at(left));
            }
            left -= slot.len;
        }
        None
    }

    fn iter(&self) -> impl Iterator<Item = u64> {
        self.slots.iter().flat_map(|slot| (0..slot.len).map(|position| slot.at(position)))
    }
}

/// A stack of records in chunks, so that growing never copies them. All chunks but the last are full.
struct Slot {
    #[expect(clippy::vec_box, reason = "the list may move when it grows, the records must not")]
    chunks: Vec<Box<[u64; CHUNK_RECORDS]>>,
    len: usize,
}

impl Slot {
    fn push(&mut self, record: u64) {
        if self.len == self.chunks.len() * CHUNK_RECORDS {
            self.chunks.push(Box::new([0; CHUNK_RECORDS]));
        }
        self.chunks[self.len / CHUNK_RECORDS][self.len % CHUNK_RECORDS] = record;
        self.len += 1;
    }

    fn pop(&mut self) -> Option<u64> {
        self.len = self.len.checked_sub(1)?;
        let record = self.at(self.len);
        if self.len.is_multiple_of(CHUNK_RECORDS) {
            self.chunks.pop();
        }
        if self.len == 0 {
            self.chunks = Vec::new();
        }
        Some(record)
    }

    fn at(&self, position: usize) -> u64 {
        self.chunks[position / CHUNK_RECORDS][position % CHUNK_RECORDS]
    }

    fn heap_bytes(&self) -> usize {
        self.chunks.len() * CHUNK_RECORDS * 8 + self.chunks.capacity() * 8
    }
}

#[cfg(test)]
mod tests;
