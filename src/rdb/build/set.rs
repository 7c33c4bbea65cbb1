//! Sets, member by member.
//!
//! ```text
//! count(length) { member }*
//! ```

use super::{Around, Built, collection};
use crate::object::{DataType, Set, Variant};
use crate::rdb::cursor::{Cursor, Stop};
use crate::rdb::error::Fault;

/// A length and nothing behind it.
const MEMBER_BYTES_MIN: u64 = 1;

#[derive(Default)]
pub(in crate::rdb) struct SetBuild {
    set: Option<Set>,
    left: u64,
}

impl SetBuild {
    pub(super) fn step(&mut self, cursor: &mut Cursor<'_>, around: &mut Around<'_>) -> Result<(), Stop> {
        if self.set.is_none() {
            self.left = cursor.length()?;
            let expected = around.expected(self.left, MEMBER_BYTES_MIN, cursor);
            let mut set = Set::create(around.rules);
            set.reserve(expected, around.rules);
            self.set = Some(set);
            cursor.commit();
        }
        let Some(set) = &mut self.set else { return Ok(()) };
        while self.left > 0 {
            let at = cursor.at();
            let member = cursor.content(&mut around.scratch.first)?;
            if !set.load(member, around.rules) {
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
