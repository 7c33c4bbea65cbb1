//! Lists, element by element or node by node.
//!
//! ```text
//! count(length) { element }*                            before 3.2
//! count(length) { ziplist }*                            before 7.0
//! count(length) { container(length) node }*             container 2: a listpack; 1: one element as it is
//! ```

use super::{Around, Built, collection, corrupt};
use crate::encoding::listpack::Digits;
use crate::object::{Corrupt, DataType, List, Packing, Variant};
use crate::rdb::cursor::{Cursor, Stop};
use crate::rdb::error::Fault;
use crate::rdb::legacy::Ziplist;
use crate::rdb::types::Nodes;

pub(in crate::rdb) const CONTAINER_PLAIN: u64 = 1;
pub(in crate::rdb) const CONTAINER_PACKED: u64 = 2;

pub(in crate::rdb) struct ListBuild {
    nodes: Nodes,
    list: Option<List>,
    count: u64,
    left: u64,
}

impl ListBuild {
    pub(super) fn new(nodes: Nodes) -> Self {
        ListBuild { nodes, list: None, count: 0, left: 0 }
    }

    pub(super) fn step(&mut self, cursor: &mut Cursor<'_>, around: &mut Around<'_>) -> Result<(), Stop> {
        if self.list.is_none() {
            self.count = cursor.length()?;
            self.left = self.count;
            self.list = Some(List::create(around.rules));
            cursor.commit();
        }
        while self.left > 0 {
            match self.nodes {
                Nodes::None => self.element(cursor, around)?,
                Nodes::Ziplists => self.ziplist(cursor, around)?,
                Nodes::Listpacks => self.node(cursor, around)?,
            }
            self.left -= 1;
            cursor.commit();
        }
        Ok(())
    }

    fn list(&mut self) -> &mut List {
        self.list.as_mut().expect("it was made before its first node")
    }

    fn element(&mut self, cursor: &mut Cursor<'_>, around: &mut Around<'_>) -> Result<(), Stop> {
        let element = cursor.content(&mut around.scratch.first)?;
        self.list().push_back(element, around.rules);
        Ok(())
    }

    fn ziplist(&mut self, cursor: &mut Cursor<'_>, around: &mut Around<'_>) -> Result<(), Stop> {
        let at = cursor.at();
        let bytes = cursor.content(&mut around.scratch.first)?;
        let ziplist = match Ziplist::check(bytes) {
            Ok(ziplist) => ziplist,
            Err(reason) => return corrupt(at, reason),
        };
        let list = self.list();
        for element in ziplist.iter() {
            list.push_back(element.text(&mut Digits::default()), around.rules);
        }
        Ok(())
    }

    fn node(&mut self, cursor: &mut Cursor<'_>, around: &mut Around<'_>) -> Result<(), Stop> {
        let at = cursor.at();
        match cursor.length()? {
            CONTAINER_PLAIN => self.element(cursor, around),
            CONTAINER_PACKED => {
                let at = cursor.at();
                let bytes = cursor.owned()?;
                self.listpack(bytes, around).or_else(|reason| corrupt(at, reason))
            }
            _ => cursor.fault(at, Fault::Corrupt("Quicklist integrity check failed.")),
        }
    }

    fn listpack(&mut self, bytes: Vec<u8>, around: &Around<'_>) -> Result<(), Corrupt> {
        if self.count == 1 {
            // The common form of a small list.
            self.list = Some(List::load_packed(Packing::List, bytes, around.depth, around.rules)?);
            return Ok(());
        }
        self.list().load_node(bytes, around.rules)
    }

    pub(super) fn finish(self) -> Built {
        self.list.map_or(Built::Empty, |list| collection(list.into_object()))
    }
}
