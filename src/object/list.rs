//! Stub.
use super::{Corrupt, DataType, Depth, Encoding, Packing, Rehash, Rules, ValueType};
use crate::encoding::listpack::{Element, Listpack, edit};

pub struct List(Vec<u8>);
#[derive(Clone, Copy)]
pub enum ListView<'a> { Packed(Listpack<'a>), Nodes(&'a Nodes) }
pub struct Nodes;
pub enum Node<'a> { Plain(&'a [u8]), Packed(Listpack<'a>), Compressed { stream: &'a [u8], content_len: usize } }
impl Nodes { pub fn len(&self) -> usize { 0 } pub fn iter(&self) -> impl Iterator<Item = Node<'_>> { std::iter::empty() } }
impl List { pub fn push_back(&mut self, text: &[u8], _rules: &Rules) { edit::push(&mut self.0, text) }
 pub fn load_node(&mut self, bytes: Vec<u8>, _rules: &Rules) -> Result<(), Corrupt> {
   let l = Listpack::check(&bytes).map_err(|e| Corrupt(e.0))?; edit::append(&mut self.0, l); Ok(()) } }
impl<'a> ListView<'a> { pub fn for_each(self, visit: &mut dyn FnMut(Element<'a>)) { if let ListView::Packed(l) = self { l.iter().for_each(visit) } } }

impl DataType for List {
    const TYPE: ValueType = ValueType::List;
    type View<'a> = ListView<'a>;
    fn create(_rules: &Rules) -> Self { List(edit::empty()) }
    fn view(&self) -> ListView<'_> { ListView::Packed(Listpack::trusted(&self.0)) }
    fn is_empty(&self) -> bool { self.0.len() == 7 }
    fn encoding(_view: ListView<'_>) -> Encoding { Encoding::Listpack }
    fn packed(&self) -> Option<(Packing, &[u8])> { Some((Packing::List, &self.0)) }
    fn into_packed(self) -> Result<(Packing, Vec<u8>), Self> { Ok((Packing::List, self.0)) }
    fn from_packed(_packing: Packing, bytes: Vec<u8>) -> Self { List(bytes) }
    fn view_packed(_packing: Packing, bytes: &[u8]) -> ListView<'_> { ListView::Packed(Listpack::trusted(bytes)) }
    fn load_packed(_packing: Packing, bytes: Vec<u8>, _depth: Depth, _rules: &Rules) -> Result<Self, Corrupt> {
        Listpack::check(&bytes).map_err(|error| Corrupt(error.0))?;
        Ok(List(bytes))
    }
    fn duplicate(&self) -> Self { List(self.0.clone()) }
    fn heap_bytes(_view: ListView<'_>, _samples: usize) -> usize { 0 }
    fn drop_cost(&self) -> usize { 1 }
    fn set_rehash(&mut self, _rehash: Rehash) {}
}
