//! Values by prefix: which of many prefixes does a text begin with? Asked without looking at the others.
//!
//! ```text
//!  "" ─┬─ "user:" ●─┬─ "1" ●          ● has a value
//!      │            └─ "2" ●          a node's path from the root is its prefix
//!      └─ "news" ●
//! ```
//! A tree whose edges carry as many bytes as they can. The nodes lie in one vector and name each other by index, so
//! that a chain of a million prefixes, each one byte longer than the last, costs no stack.
//!
//! Invariants:
//! 1. A node but the root has a value, or at least two children: there are at most twice as many nodes as values.
//! 2. The labels of a node's children begin with different bytes and are sorted by them; only the root's is empty.

/// Prefixes with their values.
#[derive(Debug)]
pub struct Radix<V> {
    /// The root is the first one.
    nodes: Vec<Node<V>>,
    free: Vec<u32>,
    values: usize,
    /// Of labels, in bytes.
    label_bytes: usize,
}

#[derive(Debug)]
struct Node<V> {
    label: Box<[u8]>,
    parent: u32,
    children: Vec<u32>,
    value: Option<V>,
}

const ROOT: u32 = 0;

impl<V> Default for Radix<V> {
    fn default() -> Self {
        Radix { nodes: vec![Node::new(Box::default(), ROOT)], free: Vec::new(), values: 0, label_bytes: 0 }
    }
}

impl<V> Node<V> {
    fn new(label: Box<[u8]>, parent: u32) -> Self {
        Node { label, parent, children: Vec::new(), value: None }
    }
}

impl<V> Radix<V> {
    /// How many prefixes have a value.
    pub fn len(&self) -> usize {
        self.values
    }

    pub fn is_empty(&self) -> bool {
        self.values == 0
    }

    /// Calls `show` with the value of every prefix of `text`, the shortest first.
    pub fn for_each_prefix_of<'a>(&'a self, text: &[u8], mut show: impl FnMut(&'a V)) {
        let (mut node, mut rest) = (self.node(ROOT), text);
        loop {
            if let Some(value) = &node.value {
                show(value);
            }
            let Some(&first) = rest.first() else { return };
            let Ok(place) = self.child(node, first) else { return };
            node = self.node(node.children[place]);
            let Some(behind) = rest.strip_prefix(&*node.label) else { return };
            rest = behind;
        }
    }

    pub fn get(&self, prefix: &[u8]) -> Option<&V> {
        self.node(self.find(prefix)?).value.as_ref()
    }

    pub fn get_mut(&mut self, prefix: &[u8]) -> Option<&mut V> {
        let node = self.find(prefix)?;
        self.node_mut(node).value.as_mut()
    }

    /// The value of `prefix`, which `make` makes when there is none.
    pub fn get_or_insert_with(&mut self, prefix: &[u8], make: impl FnOnce() -> V) -> &mut V {
        let node = self.reach(prefix);
        self.values += usize::from(self.node(node).value.is_none());
        self.node_mut(node).value.get_or_insert_with(make)
    }

    pub fn remove(&mut self, prefix: &[u8]) -> Option<V> {
        let node = self.find(prefix)?;
        let value = self.node_mut(node).value.take()?;
        self.values -= 1;
        if node != ROOT && self.node(node).children.is_empty() {
            let parent = self.cut_off(node);
            self.join_with_child(parent);
        } else {
            self.join_with_child(node);
        }
        Some(value)
    }

    /// Every value, in no particular order.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.nodes.iter().filter_map(|node| node.value.as_ref())
    }

    /// Bytes on the heap, without what the values hold there.
    pub fn heap_bytes(&self) -> usize {
        self.nodes.capacity() * (size_of::<Node<V>>() + size_of::<u32>()) + self.label_bytes
    }

    fn node(&self, index: u32) -> &Node<V> {
        &self.nodes[index as usize]
    }

    fn node_mut(&mut self, index: u32) -> &mut Node<V> {
        &mut self.nodes[index as usize]
    }

    /// The place among `node`'s children of the one whose label begins with `first`, or where it would go.
    fn child(&self, node: &Node<V>, first: u8) -> Result<usize, usize> {
        node.children.binary_search_by_key(&first, |child| self.node(*child).label[0])
    }

    /// The node whose path is `prefix`.
    fn find(&self, prefix: &[u8]) -> Option<u32> {
        let (mut at, mut rest) = (ROOT, prefix);
        while let Some(&first) = rest.first() {
            let node = self.node(at);
            at = node.children[self.child(node, first).ok()?];
            rest = rest.strip_prefix(&*self.node(at).label)?;
        }
        Some(at)
    }

    /// As `find`, making what is missing.
    fn reach(&mut self, prefix: &[u8]) -> u32 {
        let (mut at, mut rest) = (ROOT, prefix);
        while let Some(&first) = rest.first() {
            match self.child(self.node(at), first) {
                Err(place) => return self.add(at, place, rest),
                Ok(place) => {
                    let child = self.node(at).children[place];
                    let label = &self.node(child).label;
                    let common = label.iter().zip(rest).take_while(|(left, right)| left == right).count();
                    at = if common < label.len() { self.split(child, common) } else { child };
                    rest = &rest[common..];
                }
            }
        }
        at
    }

    fn add(&mut self, parent: u32, place: usize, label: &[u8]) -> u32 {
        let added = self.place(Node::new(label.into(), parent));
        self.node_mut(parent).children.insert(place, added);
        added
    }

    /// Puts a node between `child` and its parent, which takes the first `length` bytes of the label.
    fn split(&mut self, child: u32, length: usize) -> u32 {
        let parent = self.node(child).parent;
        let label = &self.node(child).label;
        let (upper, lower): (Box<[u8]>, Box<[u8]>) = (label[..length].into(), label[length..].into());
        let place = self.child(self.node(parent), upper[0]).expect("a child is among its parent's");
        self.label_bytes -= upper.len() + lower.len();
        let between = self.place(Node::new(upper, parent));
        self.node_mut(between).children.push(child);
        self.node_mut(parent).children[place] = between;
        self.label_bytes += lower.len();
        let child = self.node_mut(child);
        (child.label, child.parent) = (lower, between);
        between
    }

    fn place(&mut self, node: Node<V>) -> u32 {
        self.label_bytes += node.label.len();
        match self.free.pop() {
            Some(index) => {
                self.nodes[index as usize] = node;
                index
            }
            None => {
                self.nodes.push(node);
                u32::try_from(self.nodes.len() - 1).expect("fewer than 2^32 prefixes fit in memory")
            }
        }
    }

    /// Removes a node that leads nowhere; returns its parent.
    fn cut_off(&mut self, leaf: u32) -> u32 {
        let (parent, first) = (self.node(leaf).parent, self.node(leaf).label[0]);
        let place = self.child(self.node(parent), first).expect("a child is among its parent's");
        self.node_mut(parent).children.remove(place);
        self.release(leaf);
        parent
    }

    /// A node without a value that leads to one other only becomes one with it.
    fn join_with_child(&mut self, index: u32) {
        let node = self.node(index);
        let [child] = node.children[..] else { return };
        if index == ROOT || node.value.is_some() {
            return;
        }
        let label = [&*node.label, &*self.node(child).label].concat();
        let below = std::mem::replace(self.node_mut(child), Node::new(Box::default(), ROOT));
        let parent = self.node(index).parent;
        below.children.iter().for_each(|grandchild| self.node_mut(*grandchild).parent = index);
        *self.node_mut(index) = Node { label: label.into(), parent, ..below };
        self.release(child);
        self.shrink();
    }

    /// Its label has been accounted for by the caller, or goes with it.
    fn release(&mut self, index: u32) {
        let released = std::mem::replace(self.node_mut(index), Node::new(Box::default(), ROOT));
        self.label_bytes -= released.label.len();
        self.free.push(index);
        self.shrink();
    }

    /// Without any value nothing is kept.
    fn shrink(&mut self) {
        if self.values == 0 && self.node(ROOT).children.is_empty() {
            self.nodes.truncate(1);
            self.nodes.shrink_to_fit();
            self.free = Vec::new();
        }
    }

    /// Walks every invariant.
    #[cfg(test)]
    fn check(&self) {
        let mut seen = 0;
        let mut left = vec![ROOT];
        while let Some(index) = left.pop() {
            seen += 1;
            let node = self.node(index);
            assert!(index == ROOT || node.value.is_some() || node.children.len() > 1, "invariant 1");
            let firsts: Vec<u8> = node.children.iter().map(|child| self.node(*child).label[0]).collect();
            assert!(firsts.windows(2).all(|pair| pair[0] < pair[1]), "invariant 2");
            for child in &node.children {
                assert_eq!(self.node(*child).parent, index);
                left.push(*child);
            }
        }
        assert_eq!(seen + self.free.len(), self.nodes.len());
        assert_eq!(self.values().count(), self.values);
        assert_eq!(self.nodes.iter().map(|node| node.label.len()).sum::<usize>(), self.label_bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn as_a_map_that_is_scanned(steps in proptest::collection::vec(("[ab]{0,6}", any::<u8>()), 1..120)) {
            let (mut radix, mut model) = (Radix::default(), BTreeMap::new());
            for (prefix, number) in &steps {
                let prefix = prefix.as_bytes();
                if number % 3 == 0 {
                    prop_assert_eq!(radix.remove(prefix), model.remove(prefix));
                } else {
                    *radix.get_or_insert_with(prefix, || 0) = *number;
                    model.insert(prefix.to_vec(), *number);
                }
                radix.check();
                prop_assert_eq!(radix.len(), model.len());
            }
            for (text, _) in &steps {
                let text = [text.as_bytes(), b"ab"].concat();
                let mut found = Vec::new();
                radix.for_each_prefix_of(&text, |number| found.push(*number));
                let expected = (0..=text.len()).filter_map(|length| model.get(&text[..length]));
                prop_assert_eq!(found, expected.copied().collect::<Vec<_>>());
                prop_assert_eq!(radix.get(&text), model.get(&text));
            }
        }
    }

    #[test]
    fn a_long_chain_costs_no_stack() {
        let mut radix = Radix::default();
        let text = vec![b'a'; 20_000];
        for length in 0..text.len() {
            radix.get_or_insert_with(&text[..length], || length);
        }
        let mut count = 0;
        radix.for_each_prefix_of(&text, |_| count += 1);
        assert_eq!(count, text.len());
        assert!(radix.heap_bytes() < 4 << 20);
        for length in 0..text.len() {
            assert_eq!(radix.remove(&text[..length]), Some(length));
        }
        radix.check();
        assert!(radix.is_empty() && radix.heap_bytes() < 200);
    }
}
