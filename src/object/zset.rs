//! Stub.
use super::{Corrupt, DataType, Depth, Encoding, Packing, Rehash, Rules, ValueType};
use crate::encoding::listpack::{Element, Listpack, edit};

pub struct Zset(Vec<u8>);
#[derive(Clone, Copy)]
pub enum ZsetView<'a> { Packed(Listpack<'a>) , Table(&'a u8)}
impl Zset { pub fn reserve(&mut self, _: usize, _rules: &Rules) {}
 pub fn load(&mut self, text: &[u8], score: f64, _rules: &Rules) -> bool { let l = Listpack::trusted(&self.0); if l.find(l.first(), text, 1).is_some() { return false; }
  edit::push_front(&mut self.0, &crate::base::number::format_f64(score)); edit::push_front(&mut self.0, text); true } }
impl<'a> ZsetView<'a> { pub fn len(self) -> usize { if let ZsetView::Packed(l) = self { l.len() / 2 } else { 0 } }
 pub fn iter(self) -> impl DoubleEndedIterator<Item = (Element<'a>, f64)> { std::iter::empty() }
 pub fn for_each(self, visit: &mut dyn FnMut(Element<'a>, f64)) { if let ZsetView::Packed(l) = self { let v: Vec<_> = l.iter().collect(); v.chunks(2).for_each(|c| visit(c[0], crate::base::number::parse_f64(&c[1].to_vec()).unwrap())) } } }

impl DataType for Zset {
    const TYPE: ValueType = ValueType::Zset;
    type View<'a> = ZsetView<'a>;
    fn create(_rules: &Rules) -> Self { Zset(edit::empty()) }
    fn view(&self) -> ZsetView<'_> { ZsetView::Packed(Listpack::trusted(&self.0)) }
    fn is_empty(&self) -> bool { self.0.len() == 7 }
    fn encoding(_view: ZsetView<'_>) -> Encoding { Encoding::Listpack }
    fn packed(&self) -> Option<(Packing, &[u8])> { Some((Packing::Zset, &self.0)) }
    fn into_packed(self) -> Result<(Packing, Vec<u8>), Self> { Ok((Packing::Zset, self.0)) }
    fn from_packed(_packing: Packing, bytes: Vec<u8>) -> Self { Zset(bytes) }
    fn view_packed(_packing: Packing, bytes: &[u8]) -> ZsetView<'_> { ZsetView::Packed(Listpack::trusted(bytes)) }
    fn load_packed(_packing: Packing, bytes: Vec<u8>, _depth: Depth, _rules: &Rules) -> Result<Self, Corrupt> {
        Listpack::check(&bytes).map_err(|error| Corrupt(error.0))?;
        Ok(Zset(bytes))
    }
    fn duplicate(&self) -> Self { Zset(self.0.clone()) }
    fn heap_bytes(_view: ZsetView<'_>, _samples: usize) -> usize { 0 }
    fn drop_cost(&self) -> usize { 1 }
    fn set_rehash(&mut self, _rehash: Rehash) {}
}
