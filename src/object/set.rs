//! Stub.
use super::{Corrupt, DataType, Depth, Encoding, Packing, Rehash, Rules, ValueType};
use crate::encoding::listpack::{Element, Listpack, edit};

pub struct Set(Vec<u8>);
#[derive(Clone, Copy)]
pub struct Intset<'a>(&'a [u8]);
impl<'a> Intset<'a> { pub fn bytes(self) -> &'a [u8] { self.0 } }
#[derive(Clone, Copy)]
pub enum SetView<'a> { Intset(Intset<'a>), Packed(Listpack<'a>) }
impl Set { pub fn reserve(&mut self, _: usize, _rules: &Rules) {}
 pub fn load(&mut self, text: &[u8], _rules: &Rules) -> bool { let l = Listpack::trusted(&self.0); if l.find(l.first(), text, 0).is_some() { return false; } edit::push(&mut self.0, text); true } }
impl<'a> SetView<'a> { pub fn len(self) -> usize { if let SetView::Packed(l) = self { l.len() } else { 0 } }
 pub fn for_each(self, visit: &mut dyn FnMut(Element<'a>)) { if let SetView::Packed(l) = self { l.iter().for_each(visit) } } }

impl DataType for Set {
    const TYPE: ValueType = ValueType::Set;
    type View<'a> = SetView<'a>;
    fn create(_rules: &Rules) -> Self { Set(edit::empty()) }
    fn view(&self) -> SetView<'_> { SetView::Packed(Listpack::trusted(&self.0)) }
    fn is_empty(&self) -> bool { self.0.len() == 7 }
    fn encoding(_view: SetView<'_>) -> Encoding { Encoding::Listpack }
    fn packed(&self) -> Option<(Packing, &[u8])> { Some((Packing::Set, &self.0)) }
    fn into_packed(self) -> Result<(Packing, Vec<u8>), Self> { Ok((Packing::Set, self.0)) }
    fn from_packed(_packing: Packing, bytes: Vec<u8>) -> Self { Set(bytes) }
    fn view_packed(_packing: Packing, bytes: &[u8]) -> SetView<'_> { SetView::Packed(Listpack::trusted(bytes)) }
    fn load_packed(_packing: Packing, bytes: Vec<u8>, _depth: Depth, _rules: &Rules) -> Result<Self, Corrupt> {
        Listpack::check(&bytes).map_err(|error| Corrupt(error.0))?;
        Ok(Set(bytes))
    }
    fn duplicate(&self) -> Self { Set(self.0.clone()) }
    fn heap_bytes(_view: SetView<'_>, _samples: usize) -> usize { 0 }
    fn drop_cost(&self) -> usize { 1 }
    fn set_rehash(&mut self, _rehash: Rehash) {}
}
