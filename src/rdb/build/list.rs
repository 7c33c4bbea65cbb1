//! Lists, element by element or node by node.
//!
//! ```text
//! count(length) { element }*                            before 3.2
//! count(length) { ziplist }*                            before 7.0
//! count(length) { container(length) node }*             container 2: a listpack; 1: one element as it is
//! ```

use super::{Around, Built, collection, corrupt};
use crate::encoding::listpack::{Digits, Listpack, ListpackError};
use crate::object::{Corrupt, DataType, List, Variant};
use crate::rdb::cursor::{Cursor, Stop};
use crate::rdb::error::Fault;
use crate::rdb::legacy::Ziplist;
use crate::rdb::types::Nodes;

pub(in crate::rdb) const CONTAINER_PLAIN: u64 = 1;
pub(in crate::rdb) const CONTAINER_PACKED: u64 = 2;

pub(in crate::rdb) struct ListBuild {
    nodes: Nodes,
    list: Option<List>,
    left: u64,
}

impl ListBuild {
    pub(super) fn new(nodes: Nodes) -> Self {
        ListBuild { nodes, list: None, left: 0 }
    }

    pub(super) fn step(&mut self, cursor: &mut Cursor<'_>, around: &mut Around<'_>) -> Result<(), Stop> {
        if self.list.is_none() {
            self.left = cursor.length()?;
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
        self.list().finish_load(around.rules);
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
            CONTAINER_PLAIN => {
                let element = cursor.owned()?;
                self.list().push_plain(element, around.rules);
                Ok(())
            }
            CONTAINER_PACKED => {
                let at = cursor.at();
                let bytes = cursor.owned()?;
                if let Err(ListpackError(reason)) = Listpack::check(&bytes) {
                    return corrupt(at, Corrupt(reason));
                }
                self.list().push_listpack(bytes, around.rules);
                Ok(())
            }
            _ => cursor.fault(at, Fault::Corrupt("Quicklist integrity check failed.")),
        }
    }

    pub(super) fn finish(self) -> Built {
        self.list.map_or(Built::Empty, |list| collection(list.into_object()))
    }
}
