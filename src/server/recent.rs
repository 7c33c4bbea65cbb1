//! The last commands that ran, for the report of a crash: who ran which, without arguments.

use crate::base::ids::ClientId;

const KEPT: usize = 32;

/// A ring of the last commands.
#[derive(Clone, Copy)]
pub struct Recent {
    /// The client's number, and the place in the command table.
    commands: [(u64, u32); KEPT],
    count: usize,
}

impl Default for Recent {
    fn default() -> Self {
        Recent { commands: [(0, 0); KEPT], count: 0 }
    }
}

impl Recent {
    #[inline]
    pub fn note(&mut self, client: ClientId, command: usize) {
        self.commands[self.count % KEPT] = (client.number, command as u32);
        self.count = self.count.wrapping_add(1);
    }

    pub fn newest_first(&self) -> impl Iterator<Item = (u64, usize)> {
        (0..self.count.min(KEPT)).map(|age| {
            let (client, command) = self.commands[(self.count - 1 - age) % KEPT];
            (client, command as usize)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_are_kept() {
        let mut recent = Recent::default();
        assert_eq!(recent.newest_first().count(), 0);
        (0..100).for_each(|number| recent.note(ClientId { number, slot: 0 }, number as usize * 2));
        let kept: Vec<_> = recent.newest_first().collect();
        assert_eq!((kept.len(), kept[0], kept[KEPT - 1]), (KEPT, (99, 198), (68, 136)));
    }
}
