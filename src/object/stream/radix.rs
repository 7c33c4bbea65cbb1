//! The shape of a radix tree that we do not have: XINFO STREAM tells how many keys and nodes Redis's has, so we count
//! what they would be.
//!
//! The tree has a node per branch, one per chain of bytes between branches, and one per key at its end.

use super::id::StreamId;
use super::log::Log;

const KEY_BYTES: usize = 16;
/// Beyond so many keys the nodes are reckoned from the first of them.
const KEYS_MAX: usize = 4096;

/// How many keys and nodes a compressed radix tree of the master IDs has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub keys: usize,
    pub nodes: usize,
}

impl Shape {
    pub(super) fn of(log: &Log) -> Shape {
        let keys = log.nodes().len();
        let counted = keys.min(KEYS_MAX);
        let nodes = count(log.nodes().map(|(master, _)| master).take(counted));
        Shape { keys, nodes: (nodes * keys).checked_div(counted).unwrap_or(nodes) }
    }
}

/// The nodes for keys that ascend.
fn count(keys: impl Iterator<Item = StreamId>) -> usize {
    let mut nodes = 0;
    // The depths, in bytes, of the branches on the way to the last key.
    let mut branches: Vec<usize> = Vec::new();
    let mut last: Option<[u8; KEY_BYTES]> = None;
    for key in keys.map(StreamId::to_bytes) {
        if let Some(last) = last {
            let common = last.iter().zip(&key).take_while(|(first, second)| first == second).count();
            close(&mut branches, &mut nodes, common);
        }
        nodes += 1;
        last = Some(key);
    }
    if last.is_none() {
        return 1;
    }
    // The last key's chain, then all branches that are still open.
    let parent = branches.last().copied();
    nodes += chain(parent, KEY_BYTES);
    while let Some(branch) = branches.pop() {
        nodes += 1 + chain(branches.last().copied(), branch);
    }
    nodes
}

/// Ends the chain of the last key, which shares `common` bytes with the next one, and the branches below that depth.
fn close(branches: &mut Vec<usize>, nodes: &mut usize, common: usize) {
    let deepest = branches.last().copied().filter(|branch| *branch > common);
    *nodes += chain(Some(deepest.unwrap_or(common)), KEY_BYTES);
    while let Some(branch) = branches.pop_if(|branch| *branch > common) {
        let parent = branches.last().copied().filter(|parent| *parent > common).unwrap_or(common);
        *nodes += 1 + chain(Some(parent), branch);
    }
    if branches.last() != Some(&common) {
        branches.push(common);
    }
}

/// Whether there are bytes between a branch (or the root) and what lies at depth `end`, for which there is a node.
fn chain(parent: Option<usize>, end: usize) -> usize {
    let start = parent.map_or(0, |branch| branch + 1);
    usize::from(end > start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_those_of_redis() {
        let shape = |ids: &[(u64, u64)]| count(ids.iter().map(|(ms, seq)| StreamId::new(*ms, *seq)));
        assert_eq!(shape(&[]), 1);
        assert_eq!(shape(&[(1, 0)]), 2);
        // A chain of seven bytes, a branch, and for each key a chain of eight and an end.
        assert_eq!(shape(&[(1, 0), (2, 0)]), 6);
        assert_eq!(shape(&[(1, 0), (2, 0), (3, 0)]), 8);
        // A chain of fifteen, a branch, two ends.
        assert_eq!(shape(&[(1, 1), (1, 2)]), 4);
        for (keys, nodes) in [(3, 9), (5, 14), (20, 44), (300, 647)] {
            let ids: Vec<_> = (1..=keys).map(|n| (n * n * 7919, 0)).collect();
            assert_eq!(shape(&ids), nodes, "{keys}");
        }
    }
}
