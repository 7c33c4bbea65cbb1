//! The set type.

use super::{Corrupt, DataType, Depth, Encoding, Packing, Rehash, Rules, ValueType};

pub struct Set(Vec<u8>);

#[derive(Clone, Copy)]
pub struct SetView<'a>(pub &'a [u8]);

impl DataType for Set {
    const TYPE: ValueType = ValueType::Set;
    type View<'a> = SetView<'a>;

    fn create(_rules: &Rules) -> Self {
        Set(vec![7, 0, 0, 0, 0, 0, 255])
    }
    fn view(&self) -> SetView<'_> {
        SetView(&self.0)
    }
    fn is_empty(&self) -> bool {
        self.0.len() == 7
    }
    fn encoding(_view: SetView<'_>) -> Encoding {
        Encoding::Listpack
    }
    fn packed(&self) -> Option<(Packing, &[u8])> {
        Some((Packing::Set, &self.0))
    }
    fn into_packed(self) -> Result<(Packing, Vec<u8>), Self> {
        Ok((Packing::Set, self.0))
    }
    fn from_packed(_packing: Packing, bytes: Vec<u8>) -> Self {
        Set(bytes)
    }
    fn view_packed(_packing: Packing, bytes: &[u8]) -> SetView<'_> {
        SetView(bytes)
    }
    fn load_packed(
        _packing: Packing,
        bytes: Vec<u8>,
        _depth: Depth,
        _rules: &Rules,
    ) -> Result<Self, Corrupt> {
        Ok(Set(bytes))
    }
    fn duplicate(&self) -> Self {
        Set(self.0.clone())
    }
    fn heap_bytes(view: SetView<'_>, _samples: usize) -> usize {
        view.0.len()
    }
    fn drop_cost(&self) -> usize {
        1
    }
    fn set_rehash(&mut self, _rehash: Rehash) {}
}
