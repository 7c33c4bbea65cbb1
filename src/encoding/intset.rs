//! Intset: distinct integers in ascending order, as they also lie in RDB files.
//!
//! ```text
//! | width u32 LE: 2, 4 or 8 | count u32 LE | count integers of that width, signed, LE |
//! ```
//! Invariants: 1. the integers are strictly ascending; 2. an `Intset` is valid: it was checked when it came from
//! outside, or it was made by `insert` and `remove`. The width fits the widest integer there ever was: it never
//! shrinks.

/// Bytes before the first integer.
pub const HEADER_BYTES: usize = 8;
/// Integers in one blob at most, whatever the directives say: more are better off in a table.
pub const LEN_MAX: usize = 1 << 30;

/// A borrowed blob, header included.
#[derive(Clone, Copy, Debug)]
pub struct Intset<'a> {
    bytes: &'a [u8],
}

/// Why bytes are not an intset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntsetError(pub &'static str);

/// An owned blob without integers.
pub fn empty() -> Vec<u8> {
    with_capacity(0, 2)
}

/// An empty blob with room for `count` integers of `width` bytes.
fn with_capacity(count: usize, width: usize) -> Vec<u8> {
    let mut blob = Vec::with_capacity(HEADER_BYTES + count * width);
    blob.extend_from_slice(&(width as u32).to_le_bytes());
    blob.extend_from_slice(&0_u32.to_le_bytes());
    blob
}

/// A blob of integers that are strictly ascending.
pub fn of_ascending(values: &[i64]) -> Vec<u8> {
    debug_assert!(values.is_sorted_by(|left, right| left < right));
    let ends = [values.first(), values.last()];
    let width = ends.into_iter().flatten().map(|value| width_for(*value)).max().unwrap_or(2);
    let mut blob = with_capacity(values.len(), width);
    values.iter().for_each(|value| blob.extend_from_slice(&value.to_le_bytes()[..width]));
    set_count(&mut blob, values.len());
    blob
}

/// The least width that holds `value`.
fn width_for(value: i64) -> usize {
    if i16::try_from(value).is_ok() {
        2
    } else if i32::try_from(value).is_ok() {
        4
    } else {
        8
    }
}

fn set_count(blob: &mut [u8], count: usize) {
    blob[4..HEADER_BYTES].copy_from_slice(&(count as u32).to_le_bytes());
}

impl<'a> Intset<'a> {
    /// One of our own blobs.
    #[inline]
    pub fn trusted(bytes: &'a [u8]) -> Self {
        debug_assert!(Intset::check(bytes).is_ok());
        Intset { bytes }
    }

    /// A blob from outside.
    ///
    /// # Errors
    /// When the bytes are not an intset; says why.
    pub fn check(bytes: &'a [u8]) -> Result<Self, IntsetError> {
        if bytes.len() < HEADER_BYTES {
            return Err(IntsetError("intset: shorter than its header"));
        }
        let intset = Intset { bytes };
        if !matches!(intset.width(), 2 | 4 | 8) {
            return Err(IntsetError("intset: integers of a width that there is not"));
        }
        if intset.len().checked_mul(intset.width()) != Some(bytes.len() - HEADER_BYTES) {
            return Err(IntsetError("intset: its length is not what its header says"));
        }
        if !intset.iter().is_sorted_by(|left, right| left < right) {
            return Err(IntsetError("intset: integers that are not in ascending order"));
        }
        Ok(intset)
    }

    #[inline]
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    #[inline]
    fn word(self, at: usize) -> usize {
        let word = self.bytes[at..at + 4].try_into().expect("four bytes");
        u32::from_le_bytes(word) as usize
    }

    #[inline]
    fn width(self) -> usize {
        self.word(0)
    }

    #[inline]
    pub fn len(self) -> usize {
        self.word(4)
    }

    #[inline]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The integer at `index`, which is below `len`.
    #[inline]
    pub fn nth(self, index: usize) -> i64 {
        let width = self.width();
        read(&self.bytes[HEADER_BYTES + index * width..][..width])
    }

    pub fn first(self) -> Option<i64> {
        (!self.is_empty()).then(|| self.nth(0))
    }

    pub fn last(self) -> Option<i64> {
        (!self.is_empty()).then(|| self.nth(self.len() - 1))
    }

    /// Ascending.
    #[inline]
    pub fn iter(self) -> Iter<'a> {
        Iter(self.bytes[HEADER_BYTES..].chunks_exact(self.width()))
    }

    #[inline]
    pub fn contains(self, value: i64) -> bool {
        self.find(value).is_ok()
    }

    /// Where `value` is, or where it would go.
    fn find(self, value: i64) -> Result<usize, usize> {
        // Integers often come in ascending order.
        match self.last() {
            Some(last) if value > last => return Err(self.len()),
            _ => {}
        }
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.nth(middle).cmp(&value) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Ok(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Err(low)
    }
}

/// The integers of an intset, ascending.
#[derive(Clone)]
pub struct Iter<'a>(std::slice::ChunksExact<'a, u8>);

impl Iterator for Iter<'_> {
    type Item = i64;

    #[inline]
    fn next(&mut self) -> Option<i64> {
        self.0.next().map(read)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Iter<'_> {}

#[inline]
fn read(bytes: &[u8]) -> i64 {
    match *bytes {
        [a, b] => i64::from(i16::from_le_bytes([a, b])),
        [a, b, c, d] => i64::from(i32::from_le_bytes([a, b, c, d])),
        _ => i64::from_le_bytes(bytes.try_into().expect("a width is 2, 4 or 8")),
    }
}

/// Adds `value` to an owned blob; whether it was not there.
pub fn insert(blob: &mut Vec<u8>, value: i64) -> bool {
    let intset = Intset::trusted(blob);
    let Err(index) = intset.find(value) else { return false };
    let (count, width) = (intset.len(), intset.width());
    let wanted = width_for(value);
    if wanted > width {
        widen(blob, wanted);
    }
    let width = width.max(wanted);
    let at = HEADER_BYTES + index * width;
    let end = blob.len();
    blob.resize(end + width, 0);
    blob.copy_within(at..end, at + width);
    blob[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
    set_count(blob, count + 1);
    true
}

/// Takes `value` out of an owned blob; whether it was there.
pub fn remove(blob: &mut Vec<u8>, value: i64) -> bool {
    let intset = Intset::trusted(blob);
    let Ok(index) = intset.find(value) else { return false };
    let (count, width) = (intset.len(), intset.width());
    let at = HEADER_BYTES + index * width;
    blob.drain(at..at + width);
    set_count(blob, count - 1);
    true
}

fn widen(blob: &mut Vec<u8>, width: usize) {
    let intset = Intset::trusted(blob);
    let mut wide = with_capacity(intset.len() + 1, width);
    intset.iter().for_each(|value| wide.extend_from_slice(&value.to_le_bytes()[..width]));
    set_count(&mut wide, intset.len());
    *blob = wide;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn value() -> impl Strategy<Value = i64> {
        prop_oneof![
            4 => -20..20_i64,
            1 => any::<i16>().prop_map(i64::from),
            1 => any::<i32>().prop_map(i64::from),
            1 => any::<i64>(),
            1 => prop::sample::select(vec![i64::MIN, i64::MAX, -32768, -32769, 32767, 32768, 1 << 31]),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn behaves_like_a_set(steps in prop::collection::vec((any::<bool>(), value()), 0..80)) {
            let (mut blob, mut model) = (empty(), BTreeSet::new());
            for (adds, value) in steps {
                match adds {
                    true => prop_assert_eq!(insert(&mut blob, value), model.insert(value)),
                    false => prop_assert_eq!(remove(&mut blob, value), model.remove(&value)),
                }
                let intset = Intset::check(&blob).unwrap();
                prop_assert!(intset.iter().eq(model.iter().copied()));
                prop_assert!(model.iter().all(|value| intset.contains(*value)));
                let ends = (model.first().copied(), model.last().copied());
                prop_assert_eq!((intset.first(), intset.last()), ends);
            }
            let values: Vec<i64> = model.iter().copied().collect();
            prop_assert!(Intset::check(&of_ascending(&values)).unwrap().iter().eq(values.iter().copied()));
        }

        #[test]
        fn foreign_bytes_never_panic(bytes in prop::collection::vec(0..9_u8, 0..40)) {
            if let Ok(intset) = Intset::check(&bytes) {
                prop_assert_eq!(intset.iter().count(), intset.len());
            }
        }
    }

    #[test]
    fn the_blob_is_that_of_rdb_files() {
        let mut blob = empty();
        assert_eq!(blob, [2, 0, 0, 0, 0, 0, 0, 0]);
        insert(&mut blob, 5);
        insert(&mut blob, -1);
        assert_eq!(blob, [2, 0, 0, 0, 2, 0, 0, 0, 0xff, 0xff, 5, 0]);
        insert(&mut blob, 65536);
        assert_eq!(blob[..12], [4, 0, 0, 0, 3, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    }

    #[test]
    fn broken_blobs_are_told() {
        let good = of_ascending(&[1, 2, 3]);
        let mut descending = good.clone();
        descending.copy_within(10..12, 8);
        let mut wide = good.clone();
        wide[0] = 3;
        for broken in [&good[..7], &good[..13], &descending, &wide, &[2, 0, 0, 0, 255, 255, 255, 255]] {
            assert!(Intset::check(broken).is_err(), "{broken:?}");
        }
        assert!(Intset::check(&good).is_ok());
    }
}
