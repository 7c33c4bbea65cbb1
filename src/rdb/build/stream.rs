//! Streams.

use super::{Around, Built};
use crate::object::{Stream, DataType, Variant};
use crate::rdb::cursor::{Cursor, Stop};
use crate::rdb::types::StreamForm;

pub(in crate::rdb) struct StreamBuild {
    form: StreamForm,
}

impl StreamBuild {
    pub(super) fn new(form: StreamForm) -> Self {
        StreamBuild { form }
    }

    pub(super) fn step(&mut self, _cursor: &mut Cursor<'_>, _around: &mut Around<'_>) -> Result<(), Stop> {
        Ok(())
    }

    pub(super) fn finish(self) -> Built {
        Built::Empty
    }
}
