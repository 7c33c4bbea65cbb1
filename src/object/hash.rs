//! The hash type.

use super::{Corrupt, DataType, Depth, Encoding, Packing, Rehash, Rules, ValueType};

pub struct Hash(Vec<u8>);

#[derive(Clone, Copy)]
pub struct HashView<'a>(pub &'a [u8]);

impl DataType for Hash {
    const TYPE: ValueType = ValueType::Hash;
    type View<'a> = HashView<'a>;

    fn create(_rules: &Rules) -> Self {
        Hash(vec![7, 0, 0, 0, 0, 0, 255])
    }
    fn view(&self) -> HashView<'_> {
        HashView(&self.0)
    }
    fn is_empty(&self) -> bool {
        self.0.len() == 7
    }
    fn encoding(_view: HashView<'_>) -> Encoding {
        Encoding::Listpack
    }
    fn packed(&self) -> Option<(Packing, &[u8])> {
        Some((Packing::Hash, &self.0))
    }
    fn into_packed(self) -> Result<(Packing, Vec<u8>), Self> {
        Ok((Packing::Hash, self.0))
    }
    fn from_packed(_packing: Packing, bytes: Vec<u8>) -> Self {
        Hash(bytes)
    }
    fn view_packed(_packing: Packing, bytes: &[u8]) -> HashView<'_> {
        HashView(bytes)
    }
    fn load_packed(
        _packing: Packing,
        bytes: Vec<u8>,
        _depth: Depth,
        _rules: &Rules,
    ) -> Result<Self, Corrupt> {
        Ok(Hash(bytes))
    }
    fn duplicate(&self) -> Self {
        Hash(self.0.clone())
    }
    fn heap_bytes(view: HashView<'_>, _samples: usize) -> usize {
        view.0.len()
    }
    fn drop_cost(&self) -> usize {
        1
    }
    fn set_rehash(&mut self, _rehash: Rehash) {}
}
