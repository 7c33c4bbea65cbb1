//! The zset type.

use super::{Corrupt, DataType, Depth, Encoding, Packing, Rehash, Rules, ValueType};

pub struct Zset(Vec<u8>);

#[derive(Clone, Copy)]
pub struct ZsetView<'a>(pub &'a [u8]);

impl DataType for Zset {
    const TYPE: ValueType = ValueType::Zset;
    type View<'a> = ZsetView<'a>;

    fn create(_rules: &Rules) -> Self {
        Zset(vec![7, 0, 0, 0, 0, 0, 255])
    }
    fn view(&self) -> ZsetView<'_> {
        ZsetView(&self.0)
    }
    fn is_empty(&self) -> bool {
        self.0.len() == 7
    }
    fn encoding(_view: ZsetView<'_>) -> Encoding {
        Encoding::Listpack
    }
    fn packed(&self) -> Option<(Packing, &[u8])> {
        Some((Packing::Zset, &self.0))
    }
    fn into_packed(self) -> Result<(Packing, Vec<u8>), Self> {
        Ok((Packing::Zset, self.0))
    }
    fn from_packed(_packing: Packing, bytes: Vec<u8>) -> Self {
        Zset(bytes)
    }
    fn view_packed(_packing: Packing, bytes: &[u8]) -> ZsetView<'_> {
        ZsetView(bytes)
    }
    fn load_packed(
        _packing: Packing,
        bytes: Vec<u8>,
        _depth: Depth,
        _rules: &Rules,
    ) -> Result<Self, Corrupt> {
        Ok(Zset(bytes))
    }
    fn duplicate(&self) -> Self {
        Zset(self.0.clone())
    }
    fn heap_bytes(view: ZsetView<'_>, _samples: usize) -> usize {
        view.0.len()
    }
    fn drop_cost(&self) -> usize {
        1
    }
    fn set_rehash(&mut self, _rehash: Rehash) {}
}
