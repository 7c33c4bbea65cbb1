//! The list type.

use super::{Corrupt, DataType, Depth, Encoding, Packing, Rehash, Rules, ValueType};

pub struct List(Vec<u8>);

#[derive(Clone, Copy)]
pub struct ListView<'a>(pub &'a [u8]);

impl DataType for List {
    const TYPE: ValueType = ValueType::List;
    type View<'a> = ListView<'a>;

    fn create(_rules: &Rules) -> Self {
        List(vec![7, 0, 0, 0, 0, 0, 255])
    }
    fn view(&self) -> ListView<'_> {
        ListView(&self.0)
    }
    fn is_empty(&self) -> bool {
        self.0.len() == 7
    }
    fn encoding(_view: ListView<'_>) -> Encoding {
        Encoding::Listpack
    }
    fn packed(&self) -> Option<(Packing, &[u8])> {
        Some((Packing::List, &self.0))
    }
    fn into_packed(self) -> Result<(Packing, Vec<u8>), Self> {
        Ok((Packing::List, self.0))
    }
    fn from_packed(_packing: Packing, bytes: Vec<u8>) -> Self {
        List(bytes)
    }
    fn view_packed(_packing: Packing, bytes: &[u8]) -> ListView<'_> {
        ListView(bytes)
    }
    fn load_packed(
        _packing: Packing,
        bytes: Vec<u8>,
        _depth: Depth,
        _rules: &Rules,
    ) -> Result<Self, Corrupt> {
        Ok(List(bytes))
    }
    fn duplicate(&self) -> Self {
        List(self.0.clone())
    }
    fn heap_bytes(view: ListView<'_>, _samples: usize) -> usize {
        view.0.len()
    }
    fn drop_cost(&self) -> usize {
        1
    }
    fn set_rehash(&mut self, _rehash: Rehash) {}
}
