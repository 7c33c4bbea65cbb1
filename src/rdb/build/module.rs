//! Values of modules: nobody here understands them, but their fields say where they end. Who writes another file can
//! have their bytes.
//!
//! ```text
//! module-id(length) { kind(length) content }* 0        kind 1, 2: length; 3: 4 bytes; 4: 8 bytes; 5: string
//! ```

use super::Built;
use crate::rdb::cursor::{Cursor, Stop};
use crate::rdb::records::module_field;

#[derive(Default)]
pub(in crate::rdb) struct ModuleBuild {
    module_id: Option<u64>,
    /// The bytes so far, when they are wanted.
    raw: Option<Vec<u8>>,
}

impl ModuleBuild {
    pub(super) fn step(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Stop> {
        if self.module_id.is_none() {
            self.module_id = Some(cursor.length()?);
            self.commit(cursor);
        }
        while module_field(cursor)? {
            self.commit(cursor);
        }
        self.commit(cursor);
        Ok(())
    }

    pub(super) fn keep_raw(&mut self) {
        self.raw = Some(Vec::new());
    }

    fn commit(&mut self, cursor: &mut Cursor<'_>) {
        if let Some(raw) = &mut self.raw {
            raw.extend_from_slice(cursor.taken());
        }
        cursor.commit();
    }

    pub(super) fn finish(self) -> Built {
        Built::Module { module_id: self.module_id.unwrap_or_default(), raw: self.raw }
    }
}
