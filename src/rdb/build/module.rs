//! Values of modules: nobody here understands them, but their fields say where they end.
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
}

impl ModuleBuild {
    pub(super) fn step(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Stop> {
        if self.module_id.is_none() {
            self.module_id = Some(cursor.length()?);
            cursor.commit();
        }
        while module_field(cursor)? {
            cursor.commit();
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Built {
        Built::Module { module_id: self.module_id.unwrap_or_default() }
    }
}
