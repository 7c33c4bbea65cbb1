//! Sets, member by member.
//!
//! ```text
//! count(length) { member }*
//! ```

use super::{Around, Built, collection};
use crate::object::{DataType, Set, Variant};
use crate::rdb::cursor::{Cursor, Stop};
use crate::rdb::error::Fault;

/// A table of shorter ones than this grows as they come.
const MEMBER_BYTES_EXPECTED: u64 = 4;

#[derive(Default)]
pub(in crate::rdb) struct SetBuild {
    set: Option<Set>,
    left: u64,
    expected: usize,
}

impl SetBuild {
    pub(super) fn step(&mut self, cursor: &mut Cursor<'_>, around: &mut Around<'_>) -> Result<(), Stop> {
        if self.set.is_none() {
            self.left = cursor.length()?;
            self.expected = around.expected(self.left, MEMBER_BYTES_EXPECTED, cursor);
            cursor.commit();
        }
        let set = self.set.get_or_insert_with(|| Set::create(around.rules));
        while self.left > 0 {
            let at = cursor.at();
            let member = cursor.content(&mut around.scratch.first)?;
            if set.is_empty() {
                set.expect(member, self.expected, around.rules);
            }
            if !set.add(member, around.rules) {
                return cursor.fault(at, Fault::Corrupt("Duplicate set members detected"));
            }
            self.left -= 1;
            cursor.commit();
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Built {
        self.set.map_or(Built::Empty, |set| collection(set.into_object()))
    }
}
