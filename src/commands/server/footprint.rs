//! Where the memory goes: the figures behind INFO memory and MEMORY.
//!
//! ```text
//! used       what the allocator gave out + the tables' own mappings
//!            = startup + clients + tracking + scripts + tables and indices (the overhead) + the dataset
//! allocated ≤ active ≤ resident of the allocator, then the resident set of the whole process
//! ```
//! All figures are bytes.

use crate::base::{alloc, pages};
use crate::script::scripts::Figures;
use crate::server::Server;

/// What one database holds besides its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DbFootprint {
    pub index: usize,
    pub table: u64,
    pub expiry_index: u64,
}

/// One reading of all figures.
#[derive(Clone, Debug, Default)]
pub struct Footprint {
    pub used: u64,
    pub peak: u64,
    /// In use right after the start.
    pub startup: u64,
    pub clients: u64,
    /// What is remembered for clients that cache keys.
    pub tracking: u64,
    pub scripts: Figures,
    /// Those that hold keys.
    pub databases: Vec<DbFootprint>,
    pub keys: u64,
    pub allocator: alloc::Statistics,
    /// Of the process.
    pub resident: u64,
}

/// How much more `whole` is than `part`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overhang {
    whole: u64,
    part: u64,
}

impl Overhang {
    pub fn ratio(self) -> f64 {
        self.whole as f64 / self.part.max(1) as f64
    }

    /// Negative when the whole is the smaller one: part of it is swapped out, or was never touched.
    pub fn bytes(self) -> i64 {
        self.whole as i64 - self.part as i64
    }
}

impl Footprint {
    pub fn of(server: &Server) -> Footprint {
        let used = server.used_memory_bytes() as u64;
        let databases =
            server.keyspace.dbs().filter(|(_, db)| !db.is_empty()).map(|(index, db)| DbFootprint {
                index,
                table: db.table().heap_bytes() as u64,
                expiry_index: db.index_bytes() as u64,
            });
        Footprint {
            used,
            peak: used.max(server.stats.used_memory_peak_bytes),
            startup: server.identity.startup_memory_bytes,
            clients: server.clients.iter().map(|client| client.heap_bytes() as u64).sum(),
            tracking: server.tracking.heap_bytes() as u64,
            scripts: server.scripts.figures(),
            databases: databases.collect(),
            keys: server.keyspace.len() as u64,
            allocator: alloc::statistics(),
            resident: pages::rss_bytes().unwrap_or(0),
        }
    }

    /// Everything that is not keys and values.
    pub fn overhead(&self) -> u64 {
        let databases: u64 = self.databases.iter().map(|db| db.table + db.expiry_index).sum();
        let scripts = self.scripts.vm_total() + self.scripts.scripts_total();
        self.startup + self.clients + self.tracking + scripts + databases
    }

    pub fn dataset(&self) -> u64 {
        self.used.saturating_sub(self.overhead())
    }

    /// What has been added since the start.
    fn net(&self) -> u64 {
        self.used.saturating_sub(self.startup)
    }

    pub fn dataset_percent(&self) -> f64 {
        self.dataset() as f64 * 100.0 / self.net().max(1) as f64
    }

    pub fn peak_percent(&self) -> f64 {
        self.used as f64 * 100.0 / self.peak.max(1) as f64
    }

    pub fn bytes_per_key(&self) -> u64 {
        self.net().checked_div(self.keys).unwrap_or(0)
    }

    /// Holes within the allocator's pages.
    pub fn allocator_fragmentation(&self) -> Overhang {
        Overhang { whole: self.allocator.active as u64, part: self.allocator.allocated as u64 }
    }

    /// Pages the allocator keeps for later, and its own tables.
    pub fn allocator_resident(&self) -> Overhang {
        Overhang { whole: self.allocator.resident as u64, part: self.allocator.active as u64 }
    }

    /// What the process holds beside the allocator: the keyspace's tables, code, stacks.
    pub fn resident_overhead(&self) -> Overhang {
        Overhang { whole: self.resident, part: self.allocator.resident as u64 }
    }

    pub fn fragmentation(&self) -> Overhang {
        Overhang { whole: self.resident, part: self.used }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_make_up_the_whole() {
        let databases = vec![DbFootprint { index: 3, table: 200, expiry_index: 50 }];
        let footprint = Footprint {
            used: 1_000,
            peak: 2_000,
            startup: 100,
            clients: 50,
            databases,
            keys: 9,
            ..Footprint::default()
        };
        assert_eq!((footprint.overhead(), footprint.dataset(), footprint.bytes_per_key()), (400, 600, 100));
        assert_eq!((footprint.peak_percent(), footprint.dataset_percent()), (50.0, 600.0 * 100.0 / 900.0));
    }

    #[test]
    fn an_empty_server_divides_by_nothing() {
        let footprint = Footprint { startup: 10, ..Footprint::default() };
        assert_eq!(
            (footprint.dataset(), footprint.bytes_per_key(), footprint.dataset_percent()),
            (0, 0, 0.0)
        );
        assert_eq!((footprint.fragmentation().ratio(), footprint.fragmentation().bytes()), (0.0, 0));
        assert_eq!(Overhang { whole: 3, part: 5 }.bytes(), -2);
    }
}
