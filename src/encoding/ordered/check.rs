//! Walks every invariant of the tree and of the pair; for tests and DEBUG.

use super::node::{Address, ENTRIES_MAX, ENTRIES_MIN, INNER, LEAF, Node, Pair};
use super::tree::Tree;
use super::{Ordered, Scored};

/// What is known of a node from above.
#[derive(Clone, Copy)]
struct Place {
    height: usize,
    is_first: bool,
    is_last: bool,
}

impl Ordered {
    /// Panics if an invariant is broken.
    pub fn check(&self) {
        let mut pairs = Vec::with_capacity(self.len());
        self.tree.check(&mut pairs);
        assert_eq!((self.tree.len(), pairs.len()), (self.members.len(), self.members.len()));
        for pair in &pairs {
            // SAFETY: what is in the tree is alive.
            let (member, score) = unsafe { (pair.item.member(), pair.item.score()) };
            assert!(score == pair.score, "the tree's score of an item is the item's");
            let found = self.members.get(self.members.hash(member), member).map(Scored::pointer);
            assert_eq!(found, Some(pair.item), "the tree's item is the table's");
        }
    }
}

impl Tree {
    fn check(&self, pairs: &mut Vec<Pair>) {
        let Some(root) = self.root else { return assert_eq!((self.len(), self.height), (0, 0)) };
        let place = Place { height: self.height, is_first: true, is_last: true };
        if self.height > 0 {
            assert!(Node::<INNER>::at(root).count() > 1, "a root of one child");
        }
        check_node(root, place, pairs);
        for neighbours in pairs.windows(2) {
            let [low, high] = [neighbours[0], neighbours[1]];
            // SAFETY: what is in the tree is alive.
            let members = unsafe { (low.item.member(), high.item.member()) };
            assert!(
                low.score < high.score || low.score == high.score && members.0 < members.1,
                "out of order"
            );
        }
    }
}

fn check_node(address: Address, place: Place, pairs: &mut Vec<Pair>) {
    let is_outermost = place.is_first || place.is_last;
    let entries = if is_outermost { 1..=ENTRIES_MAX } else { ENTRIES_MIN..=ENTRIES_MAX };
    if place.height == 0 {
        let leaf = Node::<LEAF>::at(address);
        assert!(entries.contains(&leaf.count()) && leaf.count() <= leaf.capacity());
        pairs.extend((0..leaf.count()).map(|at| leaf.pair(at)));
        return;
    }
    let node = Node::<INNER>::at(address);
    let last = node.count() - 1;
    assert!(entries.contains(&node.count()) && node.count() <= node.capacity());
    for at in 0..node.count() {
        let before = pairs.len();
        let below = Place {
            height: place.height - 1,
            is_first: place.is_first && at == 0,
            is_last: place.is_last && at == last,
        };
        check_node(node.child(at), below, pairs);
        assert_eq!(node.sizes()[at], pairs.len() - before, "a child's size");
        let (told, first) = (node.pair(at), pairs[before]);
        assert!(told.item == first.item && told.score == first.score, "a child's first entry");
    }
}
