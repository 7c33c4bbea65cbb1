//! The stream type.

use super::{Corrupt, DataType, Depth, Encoding, Packing, Rehash, Rules, ValueType};

pub struct Stream;

impl DataType for Stream {
    const TYPE: ValueType = ValueType::Stream;
    type View<'a> = &'a Stream;

    fn create(_rules: &Rules) -> Self {
        Stream
    }
    fn view(&self) -> &Stream {
        self
    }
    fn is_empty(&self) -> bool {
        true
    }
    fn encoding(_view: &Stream) -> Encoding {
        Encoding::Stream
    }
    fn packed(&self) -> Option<(Packing, &[u8])> {
        None
    }
    fn into_packed(self) -> Result<(Packing, Vec<u8>), Self> {
        Err(self)
    }
    fn from_packed(_packing: Packing, _bytes: Vec<u8>) -> Self {
        unreachable!("streams are not packed")
    }
    fn view_packed(_packing: Packing, _bytes: &[u8]) -> &Stream {
        unreachable!("streams are not packed")
    }
    fn load_packed(
        _packing: Packing,
        _bytes: Vec<u8>,
        _depth: Depth,
        _rules: &Rules,
    ) -> Result<Self, Corrupt> {
        Err(Corrupt("Streams are not packed"))
    }
    fn duplicate(&self) -> Self {
        Stream
    }
    fn heap_bytes(_view: &Stream, _samples: usize) -> usize {
        0
    }
    fn drop_cost(&self) -> usize {
        1
    }
    fn set_rehash(&mut self, _rehash: Rehash) {}
}
