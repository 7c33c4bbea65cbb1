//! Trimming: taking the oldest entries away, down to a length or up to an ID.
//!
//! Exact trimming marks entries in the node where it ends; approximate trimming stops before that node. What becomes
//! of the groups' references to entries that go is for the caller to choose (`References`).

use super::Stream;
use super::groups::Groups;
use super::id::StreamId;
use super::log::Log;
use super::node::Node;
use std::ops::Bound;

/// What is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// The oldest entries, until so many are left.
    MaxLen(u64),
    /// The entries below this ID.
    MinId(StreamId),
}

/// How far a trim goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exactness {
    Exact,
    /// Whole nodes only, and at most so many entries looked at (`None`: any number).
    Nodes {
        limit: Option<u64>,
    },
}

/// What the deletion of an entry means for the groups that have it pending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum References {
    /// They keep it (KEEPREF).
    #[default]
    Kept,
    /// They lose it (DELREF).
    Deleted,
    /// Only entries are deleted that every group has read and acknowledged (ACKED).
    Awaited,
}

impl Stream {
    /// Takes entries away from the front. Returns how many.
    pub fn trim(&mut self, threshold: Threshold, exactness: Exactness, references: References) -> u64 {
        let (log, groups) = (&mut self.log, &mut self.groups);
        let before = log.length;
        let limit = match exactness {
            Exactness::Exact => None,
            Exactness::Nodes { limit } => limit,
        };
        let mut looked_at = 0;
        let mut next = log.nodes.keys().next().copied();
        while let Some(master) = next {
            let behind = (Bound::Excluded(master), Bound::Unbounded);
            next = log.nodes.range(behind).next().map(|(master, _)| *master);
            let node = &log.nodes[&master];
            let live = node.live();
            looked_at += live;
            if is_reached(log.length, threshold) || limit.is_some_and(|limit| looked_at > limit) {
                break;
            }
            let goes_whole = goes_whole(node, master, log.length, threshold);
            if goes_whole && references == References::Kept {
                log.length -= live;
                log.nodes.remove(&master);
            } else if goes_whole || exactness == Exactness::Exact {
                trim_node(log, master, threshold, |id| may_go(groups, references, id));
            }
            if !goes_whole {
                break;
            }
        }
        let trimmed = before - log.length;
        if trimmed > 0 {
            log.find_first();
        }
        trimmed
    }

    /// Deletes one entry if its references allow it.
    pub fn delete(&mut self, id: StreamId, references: References) -> Deleted {
        if !self.log.contains(id) {
            // What groups still know of an entry that has long gone is forgotten as well.
            let is_forgotten = references == References::Deleted && self.groups.forget(id);
            return if is_forgotten { Deleted::Forgotten } else { Deleted::Absent };
        }
        if !may_go(&mut self.groups, references, id) {
            return Deleted::Referenced;
        }
        self.log.delete(id);
        Deleted::Yes
    }
}

/// What became of an entry that was to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    Yes,
    Absent,
    /// It was not there, and groups have forgotten it.
    Forgotten,
    /// A group still needs it.
    Referenced,
}

fn is_reached(length: u64, threshold: Threshold) -> bool {
    matches!(threshold, Threshold::MaxLen(max) if length <= max)
}

/// Whether all entries of a node are beyond the threshold.
fn goes_whole(node: &Node, master: StreamId, length: u64, threshold: Threshold) -> bool {
    match threshold {
        Threshold::MaxLen(max) => length - node.live() >= max,
        Threshold::MinId(min) => node.view(master).last().is_some_and(|last| last.entry.id < min),
    }
}

/// Takes entries of one node away: those beyond the threshold that `may_go`.
fn trim_node(
    log: &mut Log,
    master: StreamId,
    threshold: Threshold,
    mut may_go: impl FnMut(StreamId) -> bool,
) {
    let node = log.nodes.get_mut(&master).expect("the caller has found the node");
    let mut going = Vec::new();
    let view = node.view(master);
    let mut next = view.first();
    while let Some(found) = next {
        let is_kept = match threshold {
            Threshold::MaxLen(_) => is_reached(log.length - going.len() as u64, threshold),
            Threshold::MinId(min) => found.entry.id >= min,
        };
        if is_kept {
            break;
        }
        if !found.is_deleted && may_go(found.entry.id) {
            going.push(found.at);
        }
        next = view.after(&found);
    }
    log.length -= going.len() as u64;
    if going.len() as u64 == node.live() {
        log.nodes.remove(&master);
    } else if !going.is_empty() {
        // Marks first: they do not move what follows them, the counts may.
        going.iter().for_each(|at| node.mark(*at));
        node.marked(going.len() as u64);
    }
}

/// Whether an entry that is there may be deleted. Takes it away from the groups where that is asked for.
fn may_go(groups: &mut Groups, references: References, id: StreamId) -> bool {
    match references {
        References::Kept => true,
        References::Deleted => {
            groups.forget(id);
            true
        }
        References::Awaited => groups.are_done_with(id),
    }
}
