//! What a table looks like from outside (DEBUG HTSTATS), and the walk that checks every invariant.

use super::bucket::{SLOTS, tag_of};
use super::scan::chain_len;
use super::table::Table;
use super::{Dict, Item, item_at};

/// Fill levels told apart; the last one means "so many or more".
const FILL_LEVELS: usize = 16;

/// One table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableStatistics {
    /// Buckets, without overflow buckets.
    pub buckets: usize,
    pub items: usize,
    /// Buckets that have an overflow bucket.
    pub chained_buckets: usize,
    pub overflow_buckets: usize,
    /// Buckets of the longest chain.
    pub longest_chain: usize,
    /// How many buckets hold 0, 1, 2 .. items, with their chains; the last number counts all that hold more.
    pub fill_histogram: [usize; FILL_LEVELS],
}

/// The table, and while it is being rehashed the one it moves to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DictStatistics {
    pub tables: Vec<TableStatistics>,
}

impl<T: Item> Dict<T> {
    /// Walks the tables; does not read the items.
    pub fn statistics(&self) -> DictStatistics {
        let allocated = [&self.current, &self.next].into_iter().filter(|table| table.is_allocated());
        let first = |table| if std::ptr::eq(table, &self.current) { self.moved } else { 0 };
        DictStatistics { tables: allocated.map(|table| table_statistics(table, first(table))).collect() }
    }

    /// Walks every invariant; panics with the reason if one does not hold. For tests and DEBUG.
    #[doc(hidden)]
    pub fn check(&self) {
        assert!(self.moved == 0 || self.is_rehashing(), "moved buckets without a rehash");
        assert!(self.moved <= self.current.mask(), "a finished rehash was not concluded");
        self.check_table(&self.current, self.moved);
        self.check_table(&self.next, 0);
        let mut visited = 0;
        self.for_each(&mut |_| visited += 1);
        assert_eq!((visited, self.iter().count()), (self.len(), self.len()), "a walk missed items");
    }

    fn check_table(&self, table: &Table, first: usize) {
        let (mut items, mut overflow_bytes) = (0, 0);
        for index in first..table.count() {
            for (position, bucket) in table.chain(index).enumerate() {
                let (held, capacity) = (bucket.occupied().len(), bucket.capacity());
                items += held;
                overflow_bytes += if position > 0 { bucket.bytes() } else { 0 };
                assert!(position == 0 || held >= 2, "an overflow bucket with {held} items");
                assert!(position > 0 || capacity == SLOTS, "a head of {capacity} slots");
                match bucket.next() {
                    Some(_) => assert_eq!((held, capacity), (6, SLOTS), "a chained bucket with free slots"),
                    None => assert!(position == 0 || capacity - held <= 2, "{held} of {capacity} slots"),
                }
                for slot in bucket.occupied() {
                    // SAFETY: an occupied slot holds an item.
                    let hash = self.hash(unsafe { item_at::<T>(bucket.slot(slot)) }.key());
                    assert_eq!(bucket.tag(slot), tag_of(hash), "a wrong tag");
                    assert_eq!(table.index_of(hash), index, "an item in a wrong bucket");
                    assert!(std::ptr::eq(self.table_of(hash), table), "an item in the wrong table");
                }
            }
        }
        assert_eq!(items, table.items(), "a wrong count of items");
        assert_eq!(overflow_bytes, table.overflow_bytes(), "a wrong size of overflow buckets");
    }
}

fn table_statistics(table: &Table, first: usize) -> TableStatistics {
    let mut statistics =
        TableStatistics { buckets: table.count(), items: table.items(), ..TableStatistics::default() };
    statistics.fill_histogram[0] = first;
    for index in first..table.count() {
        let (lines, items) = (table.chain(index).count(), chain_len(table, index));
        statistics.chained_buckets += usize::from(lines > 1);
        statistics.overflow_buckets += lines - 1;
        statistics.longest_chain = statistics.longest_chain.max(lines);
        statistics.fill_histogram[items.min(FILL_LEVELS - 1)] += 1;
    }
    statistics
}
