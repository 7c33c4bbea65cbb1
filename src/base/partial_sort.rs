//! Sorting a part of a slice, with equal elements in the order in which Redis leaves them.
//!
//! Who asks for the first ten of many need not wait until all are sorted. Redis sorts such a part with the quicksort of
//! the C libraries of BSD (Bentley and McIlroy, "Engineering a sort function", 1993), which goes on only in the pieces
//! that the wanted places fall into. That sort is not stable, so which of several equal elements come first follows
//! from its steps, and clients see it. This is that algorithm:
//!
//! ```text
//!   up to 6 elements: insertion sort
//!   pivot: the middle one; from 8 on the median of first, middle, last; from 41 on of three medians of three
//!   [ equal | smaller | not looked at | greater | equal ]   then the equal ones move into the middle
//! ```
//! A sequence made to lead it astray does not: beyond a number of splits the rest is sorted by the standard library.

use std::cmp::Ordering;
use std::ops::Range;

const INSERTION_MAX: usize = 6;
const MEDIAN_MIN: usize = 8;
const MEDIAN_OF_MEDIANS_MIN: usize = 41;

/// Brings the elements of `items` whose places are in `wanted` to those places; the others are somewhere on their side.
pub fn sort_part<T, F>(items: &mut [T], wanted: Range<usize>, mut compare: F)
where
    F: FnMut(&T, &T) -> Ordering,
{
    if wanted.is_empty() {
        return;
    }
    let splits_max = 2 * (usize::BITS - items.len().leading_zeros());
    let mut pieces = vec![(0..items.len(), 0)];
    while let Some((piece, splits)) = pieces.pop() {
        if piece.len() < 2 || piece.start >= wanted.end || piece.end <= wanted.start {
            continue;
        }
        let part = &mut items[piece.clone()];
        if splits > splits_max {
            part.sort_by(&mut compare);
            continue;
        }
        if part.len() <= INSERTION_MAX {
            insertion_sort(part, &mut compare);
            continue;
        }
        let (smaller, greater) = split(part, &mut compare);
        pieces.push((piece.end - greater..piece.end, splits + 1));
        pieces.push((piece.start..piece.start + smaller, splits + 1));
    }
}

fn insertion_sort<T>(items: &mut [T], compare: &mut impl FnMut(&T, &T) -> Ordering) {
    for end in 1..items.len() {
        let mut at = end;
        while at > 0 && compare(&items[at - 1], &items[at]) == Ordering::Greater {
            items.swap(at - 1, at);
            at -= 1;
        }
    }
}

/// Brings the elements smaller than a pivot to the front and the greater ones to the back. How many there are of each.
fn split<T>(items: &mut [T], compare: &mut impl FnMut(&T, &T) -> Ordering) -> (usize, usize) {
    let pivot = choose_pivot(items, compare);
    items.swap(0, pivot);
    // Equal elements gather in front of `low_equal` and behind `high_equal`; `low..high` is not looked at yet.
    let (mut low_equal, mut low) = (1, 1);
    let (mut high, mut high_equal) = (items.len(), items.len());
    loop {
        while low < high {
            match compare(&items[low], &items[0]) {
                Ordering::Greater => break,
                Ordering::Equal => {
                    items.swap(low_equal, low);
                    low_equal += 1;
                }
                Ordering::Less => {}
            }
            low += 1;
        }
        while low < high {
            match compare(&items[high - 1], &items[0]) {
                Ordering::Less => break,
                Ordering::Equal => {
                    items.swap(high - 1, high_equal - 1);
                    high_equal -= 1;
                }
                Ordering::Greater => {}
            }
            high -= 1;
        }
        if low >= high {
            break;
        }
        items.swap(low, high - 1);
        low += 1;
        high -= 1;
    }
    let (smaller, greater) = (low - low_equal, high_equal - low);
    swap_ranges(items, 0, low, low_equal.min(smaller));
    swap_ranges(items, low, items.len(), greater.min(items.len() - high_equal));
    (smaller, greater)
}

/// Exchanges the `count` elements from `first` on with those that end before `end`.
fn swap_ranges<T>(items: &mut [T], first: usize, end: usize, count: usize) {
    (0..count).for_each(|index| items.swap(first + index, end - count + index));
}

fn choose_pivot<T>(items: &[T], compare: &mut impl FnMut(&T, &T) -> Ordering) -> usize {
    let count = items.len();
    let (mut first, mut middle, mut last) = (0, count / 2, count - 1);
    if count < MEDIAN_MIN {
        return middle;
    }
    let mut median = |low: usize, center: usize, high: usize| {
        let mut is = |left: usize, right: usize, order| compare(&items[left], &items[right]) == order;
        if is(low, center, Ordering::Less) {
            if is(center, high, Ordering::Less) {
                center
            } else if is(low, high, Ordering::Less) {
                high
            } else {
                low
            }
        } else if is(center, high, Ordering::Greater) {
            center
        } else if is(low, high, Ordering::Less) {
            low
        } else {
            high
        }
    };
    if count >= MEDIAN_OF_MEDIANS_MIN {
        let step = count / 8;
        first = median(first, first + step, first + 2 * step);
        middle = median(middle - step, middle, middle + step);
        last = median(last - 2 * step, last - step, last);
    }
    median(first, middle, last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What redis-server 7.0.15 answers to `SORT list BY w_* ALPHA LIMIT` for elements of these weights.
    #[test]
    fn equal_elements_come_in_the_order_of_redis() {
        let sorted = |keys: &[u32], wanted: Range<usize>| {
            let mut items: Vec<(u32, usize)> = keys.iter().copied().zip(0..).collect();
            sort_part(&mut items, wanted.clone(), |left, right| left.0.cmp(&right.0));
            items[wanted].iter().map(|item| item.1).collect::<Vec<_>>()
        };
        let keys = [3, 1, 2, 1, 3, 2, 1, 2, 3, 1];
        assert_eq!(sorted(&keys, 0..5), [9, 6, 1, 3, 5]);
        assert_eq!(sorted(&keys, 2..5), [1, 3, 5]);
        let keys: Vec<u32> = (0..16).map(|index| 2 - index % 2).collect();
        assert_eq!(sorted(&keys, 0..7), [15, 9, 5, 11, 3, 13, 7]);
        let keys: Vec<u32> = (0..45).map(|index| index * 7 % 5).collect();
        assert_eq!(sorted(&keys, 0..12), [40, 20, 5, 25, 0, 10, 30, 15, 35, 8, 33, 3]);
    }

    #[test]
    fn nothing_wanted_is_nothing_done() {
        let mut items = [3, 1, 2];
        sort_part(&mut items, 1..1, i32::cmp);
        assert_eq!(items, [3, 1, 2]);
        sort_part::<i32, _>(&mut [], 0..0, i32::cmp);
    }

    proptest! {
        #[test]
        fn the_wanted_part_is_sorted(
            mut items in prop::collection::vec(0..50_u8, 0..300),
            start in 0..300_usize,
            length in 0..300_usize,
        ) {
            let mut sorted = items.clone();
            sorted.sort_unstable();
            let start = start.min(items.len());
            let wanted = start..(start + length).min(items.len());
            sort_part(&mut items, wanted.clone(), u8::cmp);
            prop_assert_eq!(&items[wanted.clone()], &sorted[wanted]);
            items.sort_unstable();
            prop_assert_eq!(items, sorted);
        }
    }
}
