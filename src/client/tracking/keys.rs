//! The keys that clients have read, each with the numbers of its readers.
//!
//! ```text
//!  Dict -> [ key | number | number | .. ]      one block per key (encoding::field)
//!                    4 bytes each, little-endian, ascending
//! ```
//! So a key of 20 bytes with one reader takes some 45 bytes, and each further reader four. Invariant: a key that is
//! here has at least one reader; `items` is the sum of all.
//!
//! It deliberately keeps no list of a client's keys, which would double it: whoever goes is swept out of it in steps.

use crate::encoding::dict::{Dict, HashSeed};
use crate::encoding::field::Field;

const NUMBER_BYTES: usize = size_of::<u32>();

pub struct KeyTable {
    table: Dict<Field>,
    items: usize,
    /// Bytes of the blocks.
    block_bytes: usize,
}

/// The numbers that a key remembers, in order.
pub fn readers_of(remembered: &Field) -> impl Iterator<Item = u32> + '_ {
    remembered.value().chunks_exact(NUMBER_BYTES).map(number_at)
}

fn number_at(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes.try_into().expect("chunks are as long as a number"))
}

/// Where `number` stands among the ascending numbers of `value`, in bytes, or where it belongs.
fn find(value: &[u8], number: u32) -> Result<usize, usize> {
    let (mut low, mut high) = (0, value.len() / NUMBER_BYTES);
    while low < high {
        let middle = low.midpoint(high);
        let at = middle * NUMBER_BYTES;
        match number_at(&value[at..at + NUMBER_BYTES]).cmp(&number) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Equal => return Ok(at),
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    Err(low * NUMBER_BYTES)
}

impl KeyTable {
    pub(super) fn new(seed: HashSeed) -> Self {
        KeyTable { table: Dict::new(seed), items: 0, block_bytes: 0 }
    }

    /// How many keys.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    pub fn is_empty(&self) -> bool {
        self.items == 0
    }

    /// How many readers of all keys.
    #[inline]
    pub fn items(&self) -> usize {
        self.items
    }

    /// Memory held, in bytes.
    pub fn heap_bytes(&self) -> usize {
        self.table.heap_bytes() + self.block_bytes
    }

    /// Remembers that the reader with this number has read `key`.
    pub fn remember(&mut self, key: &[u8], number: u32) {
        let hash = self.table.hash(key);
        let Some(old) = self.table.get(hash, key) else {
            let block = Field::new(key, &number.to_le_bytes(), None);
            (self.items, self.block_bytes) = (self.items + 1, self.block_bytes + block.heap_bytes());
            self.table.insert_new(hash, block);
            return;
        };
        let Err(at) = find(old.value(), number) else { return };
        let mut numbers = Vec::with_capacity(old.value().len() + NUMBER_BYTES);
        numbers.extend_from_slice(&old.value()[..at]);
        numbers.extend_from_slice(&number.to_le_bytes());
        numbers.extend_from_slice(&old.value()[at..]);
        let block = self.table.get_mut(hash, key).expect("it was found above");
        let before = block.heap_bytes();
        block.set_value(&numbers);
        self.block_bytes = self.block_bytes - before + block.heap_bytes();
        self.items += 1;
    }

    /// Forgets `key`, and gives what it remembered.
    pub fn forget(&mut self, key: &[u8]) -> Option<Field> {
        let hash = self.table.hash(key);
        let block = self.table.remove(hash, key)?;
        self.went(&block);
        Some(block)
    }

    /// Forgets a random key.
    pub fn forget_random(&mut self, rng: &mut fastrand::Rng) -> Option<Field> {
        let block = self.table.take_sample(rng)?;
        self.went(&block);
        Some(block)
    }

    fn went(&mut self, block: &Field) {
        self.items -= block.value().len() / NUMBER_BYTES;
        self.block_bytes -= block.heap_bytes();
    }

    /// Gives all that is remembered away.
    pub(super) fn take(&mut self) -> KeyTable {
        let empty = KeyTable { table: self.table.empty_twin(), items: 0, block_bytes: 0 };
        std::mem::replace(self, empty)
    }

    /// Removes the numbers that `is_here` says no to from the keys at `cursor`, at least `keys` of them, and returns
    /// where to go on: 0 is the end.
    pub(super) fn sweep(&mut self, mut cursor: u64, keys: usize, is_here: &dyn Fn(u32) -> bool) -> u64 {
        let (mut seen, mut stale) = (0, Vec::new());
        loop {
            cursor = self.table.scan(cursor, &mut |block| {
                seen += 1;
                if !readers_of(block).all(is_here) {
                    stale.push(block.name().to_vec());
                }
            });
            if cursor == 0 || seen >= keys {
                break;
            }
        }
        stale.iter().for_each(|key| self.retain(key, is_here));
        cursor
    }

    fn retain(&mut self, key: &[u8], is_here: &dyn Fn(u32) -> bool) {
        let Some(block) = self.forget(key) else { return };
        let left: Vec<u8> =
            readers_of(&block).filter(|number| is_here(*number)).flat_map(u32::to_le_bytes).collect();
        if left.is_empty() {
            return;
        }
        let block = Field::new(key, &left, None);
        self.items += left.len() / NUMBER_BYTES;
        self.block_bytes += block.heap_bytes();
        self.table.insert_new(self.table.hash(key), block);
    }

    #[cfg(test)]
    pub(super) fn check(&self) {
        self.table.check();
        let (mut items, mut block_bytes) = (0, 0);
        self.table.for_each(&mut |block| {
            let numbers: Vec<u32> = readers_of(block).collect();
            assert!(!numbers.is_empty() && numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
            items += numbers.len();
            block_bytes += block.heap_bytes();
        });
        assert_eq!((items, block_bytes), (self.items, self.block_bytes));
    }
}
