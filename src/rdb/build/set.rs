//! Sets, member by member.
//!
//! ```text
//! count(length) { member }*
//! ```

use super::{Around, Built, Members, collection};
use crate::object::set::SetLoader;
use crate::object::{Loaded, Variant};
use crate::rdb::cursor::{Cursor, Stop};
use crate::rdb::error::Fault;

/// A table of shorter ones than this grows as they come.
const MEMBER_BYTES_EXPECTED: u64 = 4;

#[derive(Default)]
pub(in crate::rdb) struct SetBuild {
    loader: Option<SetLoader>,
    left: u64,
}

impl SetBuild {
    pub(super) fn step(&mut self, cursor: &mut Cursor<'_>, around: &mut Around<'_>) -> Result<(), Stop> {
        if self.loader.is_none() {
            self.left = cursor.length()?;
            let expected = around.expected(self.left, MEMBER_BYTES_EXPECTED, cursor);
            self.loader = Some(SetLoader::new(expected, around.rules));
            cursor.commit();
        }
        let loader = self.loader.as_mut().expect("made above");
        loader.take(&mut self.left, cursor, around)
    }

    pub(super) fn finish(self) -> Built {
        self.loader.map_or(Built::Empty, |loader| collection(loader.finish().into_object()))
    }
}

impl Members for SetLoader {
    const TWICE: &'static str = "Duplicate set members detected";

    #[inline]
    fn push(&mut self, cursor: &mut Cursor<'_>, around: &mut Around<'_>) -> Result<Option<usize>, Stop> {
        let at = cursor.at();
        let member = cursor.content(&mut around.scratch.first)?;
        match SetLoader::push(self, member, around.rules) {
            Loaded::Pushed => Ok(Some(at)),
            Loaded::Settled => Ok(None),
            Loaded::Twice => cursor.fault(at, Fault::Corrupt(Self::TWICE)),
        }
    }

    fn settle(&mut self) -> Result<(), usize> {
        SetLoader::settle(self)
    }
}
