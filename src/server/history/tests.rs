//! What the server decides: names by its clock, which may jump, and what a flush keeps.

use super::*;
use crate::base::clock::{Clock, Now};
use crate::config::{Config, SaveRule};
use crate::keyspace::{Expiry, Tx};
use crate::server::table::CommandTable;
use std::cell::Cell;
use std::rc::Rc;

mod faults;

struct Bench {
    server: Server,
    now: Rc<Cell<Now>>,
    directory: tempfile::TempDir,
}

impl Bench {
    fn new(keep: u32) -> Bench {
        // Where syncing costs nothing, if there is such a place.
        let memory = std::path::Path::new("/dev/shm");
        let directory = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let directory = directory.unwrap();
        let now = Rc::new(Cell::new(Now { unix_us: 1_700_000_000_000_000, mono_ns: 1 }));
        let mut config = Config::default();
        config.dir = directory.path().into();
        config.save = vec![SaveRule { seconds: 1000, changes: 1 }];
        config.snapshot_keep = keep;
        let server = Server::new(config, Clock::manual(now.clone()), CommandTable::new(&[]), 5);
        Bench { server, now, directory }
    }

    fn fill(&mut self, keys: usize) {
        let Server { keyspace, ledger, .. } = &mut self.server;
        let now_ms = self.now.get().unix_ms();
        for key in 0..keys {
            let key = key.to_string();
            Tx::new(keyspace, ledger, 0, now_ms).set_str(key.as_bytes(), b"value", Expiry::None);
        }
    }

    fn save(&mut self, keys: usize) {
        self.fill(keys);
        self.server.save_now().unwrap();
    }

    fn move_clock_s(&mut self, seconds: i64) {
        let now = self.now.get();
        self.now.set(Now { unix_us: now.unix_us + seconds * 1_000_000, ..now });
    }

    fn keys(&self) -> Vec<Option<u64>> {
        history::look(&self.server.place()).unwrap().lines.iter().rev().map(|line| line.keys).collect()
    }
}

#[test]
fn a_clock_that_jumps_back_keeps_the_order_of_the_saves() {
    let mut bench = Bench::new(2);
    for keys in 1..=5 {
        bench.save(keys);
        bench.move_clock_s(if keys == 2 { -1_000_000 } else { 0 });
    }
    assert_eq!(bench.keys(), [Some(5), Some(4), Some(3)]);
    let line = bench.server.history.current.as_ref().map(|(_, line)| line.clone()).unwrap();
    assert_eq!(line.made_s, 1_699_000_000);
    assert_eq!((bench.server.history.totals.kept, &bench.server.history.last_error), (2, &None));
}

#[test]
fn a_flush_keeps_what_it_would_lose_even_where_links_fail() {
    let mut bench = Bench::new(0);
    bench.save(3);
    // In the way of the link: another name is found.
    let line = bench.server.history.current.as_ref().map(|(_, line)| line.clone()).unwrap();
    let name = bench.server.place().kept(line.made_s, line.id);
    std::fs::write(bench.directory.path().join(&name), "somebody else's").unwrap();
    bench.server.keyspace = bench.server.keyspace.empty_twin(0);
    bench.server.kill_child_for_flush();
    assert_eq!(bench.keys().iter().filter(|keys| **keys == Some(3)).count(), 1);
    assert_eq!(std::fs::read(bench.directory.path().join(&name)).unwrap(), b"somebody else's");
    // Nobody knows what is in the file now; it is looked into, and is empty.
    bench.server.history.current = None;
    std::fs::remove_file(bench.directory.path().join("dump.catalog")).unwrap();
    let before = bench.keys().len();
    bench.server.kill_child_for_flush();
    assert_eq!(bench.keys().len(), before);
}
