//! The server's snapshots from end to end, with real children and a clock that the test moves.

use super::*;
use crate::base::clock::{Clock, Now};
use crate::config::SaveRule;
use crate::keyspace::{Expiry, Tx};
use crate::server::history::Pace;
use crate::server::loading::{ReloadError, ReloadInto, ReloadSave};
use crate::server::server::{Shutdown, ShutdownSave};
use crate::server::shutdown::Begun;
use crate::server::table::CommandTable;
use std::cell::Cell;
use std::rc::Rc;

mod clock;

struct Bench {
    server: Server,
    now: Rc<Cell<Now>>,
    directory: tempfile::TempDir,
}

impl Bench {
    fn new() -> Bench {
        let directory = tempfile::tempdir().unwrap();
        let now = Rc::new(Cell::new(Now { unix_us: 1_700_000_000_000_000, mono_ns: 1 }));
        let mut config = Config::default();
        config.dir = directory.path().into();
        config.save = vec![SaveRule { seconds: 10, changes: 1 }];
        let server = Server::new(config, Clock::manual(now.clone()), CommandTable::new(&[]), 5);
        Bench { server, now, directory }
    }

    fn set(&mut self, key: &str, value: &str) {
        let Server { keyspace, ledger, snapshots, .. } = &mut self.server;
        let now_ms = self.now.get().unix_ms();
        Tx::new(keyspace, ledger, 0, now_ms).set_str(key.as_bytes(), value.as_bytes(), Expiry::None);
        snapshots.dirty += 1;
    }

    fn later(&mut self, seconds: u64) {
        self.now.set(self.now.get().later_by_ms(seconds * 1000));
        self.server.snapshots_cron();
    }

    fn wait_for_child(&mut self) {
        while self.server.snapshots.in_progress() {
            std::thread::sleep(Duration::from_millis(5));
            self.server.snapshots_cron();
        }
        // What the thread of the history does after a save is done when it answers.
        self.server.edit_history(Pace::Now, |_| (), |_, _| ());
    }

    /// The snapshots, without their catalogue.
    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.directory.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".rdb")).collect()
    }
}

const BY_RULES: Shutdown = Shutdown { save: ShutdownSave::ByRules, now: false, force: false, client: None };

#[test]
fn a_rule_starts_a_save_that_takes_the_changes_of_its_time() {
    let mut bench = Bench::new();
    bench.set("a", "1");
    bench.later(10);
    assert!(!bench.server.snapshots.in_progress());
    bench.later(1);
    assert!(bench.server.snapshots.in_progress() && bench.server.keyspace.sharing() == Sharing::WithChild);
    bench.set("b", "2");
    bench.wait_for_child();
    assert_eq!((bench.server.snapshots.dirty, bench.server.stats.forks), (1, 1));
    assert_eq!(
        (bench.server.snapshots.last_status, bench.server.snapshots.last_duration_s),
        (SaveStatus::Ok, 0)
    );
    assert_eq!(bench.server.keyspace.sharing(), Sharing::Alone);
    assert_eq!(bench.files(), ["dump.rdb"]);
}

#[test]
fn a_failed_background_save_refuses_writes_and_says_why() {
    let mut bench = Bench::new();
    bench.server.config.dir = "/nowhere/at/all".into();
    let error = bench.server.start_background_save().unwrap_err().to_string();
    assert_eq!(error, "write to directory /nowhere/at/all: No such file or directory");
    let misconf = bench.server.misconf().unwrap();
    assert!(misconf.starts_with(MISCONF) && misconf.ends_with(&format!("({error})")), "{misconf}");
    bench.server.config.stop_writes_on_bgsave_error = false;
    assert_eq!(bench.server.misconf(), None);
    bench.server.config.stop_writes_on_bgsave_error = true;
    bench.server.config.dir = bench.directory.path().into();
    bench.server.save_now().unwrap();
    assert_eq!(bench.server.misconf(), None);
}

#[test]
fn a_failed_foreground_save_refuses_nothing() {
    let mut bench = Bench::new();
    std::fs::create_dir(bench.directory.path().join("dump.rdb")).unwrap();
    let error = bench.server.save_now().unwrap_err().to_string();
    assert!(error.starts_with("rename to ") && error.ends_with("/dump.rdb: Is a directory"), "{error}");
    assert_eq!((bench.server.misconf(), bench.server.snapshots.last_error.as_deref()), (None, Some(&*error)));
    assert_eq!(bench.files(), ["dump.rdb"]);
    assert_eq!(bench.server.prepare_shutdown(BY_RULES), Ok(Begun::Saving));
    bench.wait_for_child();
    assert!(bench.server.exit_code.is_none() && !bench.server.is_ending());
    assert_eq!((bench.server.misconf(), bench.server.snapshots.last_error.as_deref()), (None, Some(&*error)));
    let forced = Shutdown { force: true, ..BY_RULES };
    assert_eq!(bench.server.prepare_shutdown(forced), Ok(Begun::Saving));
    bench.wait_for_child();
    assert_eq!(bench.server.exit_code, Some(0));
}

#[test]
fn a_killed_child_refuses_writes_until_a_good_save() {
    let mut bench = Bench::new();
    bench.server.config.rdb_key_save_delay = 1_000_000;
    bench.set("a", "1");
    bench.set("b", "1");
    bench.server.start_background_save().unwrap();
    let pid = bench.server.snapshots.background.as_ref().unwrap().save.pid;
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).unwrap();
    bench.wait_for_child();
    assert!(bench.server.misconf().unwrap().ends_with("the child was killed by signal 9)"));
    assert!(bench.files().is_empty());
    bench.server.config.rdb_key_save_delay = 0;
    // The rules try again by themselves, not before some seconds have passed.
    bench.later(5);
    assert!(!bench.server.snapshots.in_progress());
    bench.later(6);
    bench.wait_for_child();
    assert_eq!((bench.server.misconf(), bench.server.snapshots.dirty), (None, 0));
}

#[test]
fn a_flush_cancels_the_child_and_saves_the_empty_dataset() {
    let mut bench = Bench::new();
    bench.server.config.rdb_key_save_delay = 1_000_000;
    bench.set("a", "1");
    bench.server.start_background_save().unwrap();
    let now_ms = bench.server.clock.now().unix_ms();
    let Server { keyspace, ledger, .. } = &mut bench.server;
    Tx::new(keyspace, ledger, 0, now_ms).remove(b"a", crate::keyspace::settings::Freeing::Inline);
    bench.server.config.rdb_key_save_delay = 0;
    bench.server.kill_child_for_flush();
    assert_eq!((bench.files(), bench.server.snapshots.dirty), (vec!["dump.rdb".to_owned()], 0));
    assert!(!bench.server.snapshots.in_progress());
    assert_eq!((bench.server.misconf(), bench.server.cancel_background_save()), (None, None));
    assert!(bench.server.start_loading().unwrap());
    while bench.server.load_step().unwrap() {}
    assert!(bench.server.loading.is_none() && bench.server.keyspace.is_empty());
}

#[test]
fn nobody_sees_a_key_before_the_whole_file_was_found_right() {
    let mut bench = Bench::new();
    (0..300).for_each(|number| bench.set(&format!("key {number}"), "value"));
    bench.server.save_now().unwrap();
    bench.server.config.loading_process_events_interval_bytes = 1024;
    let path = bench.directory.path().join("dump.rdb");
    let good = std::fs::read(&path).unwrap();
    let mut bad = good.clone();
    bad[good.len() - 20] ^= 1;
    for (file, is_good) in [(bad, false), (good, true)] {
        bench.server.keyspace = crate::keyspace::Keyspace::new(16, 1, 1_700_000_000_000);
        std::fs::write(&path, file).unwrap();
        assert!(bench.server.start_loading().unwrap());
        let mut steps = 0;
        let result = loop {
            match bench.server.load_step() {
                Ok(true) => steps += 1,
                Ok(false) => break Ok(()),
                Err(reason) => break Err(reason),
            }
            assert!(bench.server.keyspace.is_empty() && bench.server.loading.is_some());
        };
        assert!(steps > 3 && result.is_ok() == is_good, "{steps} {result:?}");
        assert_eq!(bench.server.keyspace.len(), if is_good { 300 } else { 0 });
        assert_eq!(bench.server.loading.is_none(), is_good);
    }
    bench.server.keyspace.db(0).check();
}

#[test]
fn a_scheduled_save_starts_by_itself_or_is_cancelled() {
    let mut bench = Bench::new();
    bench.server.snapshots.scheduled = true;
    assert_eq!(bench.server.cancel_background_save(), Some(CancelledSave::Scheduled));
    bench.later(1);
    assert!(!bench.server.snapshots.in_progress());
    bench.server.snapshots.scheduled = true;
    bench.later(1);
    assert!(bench.server.snapshots.in_progress() && !bench.server.snapshots.scheduled);
    assert_eq!(bench.server.cancel_background_save(), Some(CancelledSave::Running));
    bench.wait_for_child();
}

#[test]
fn the_end_saves_by_the_rules() {
    let mut bench = Bench::new();
    bench.set("a", "1");
    bench.server.prepare_shutdown(Shutdown { save: ShutdownSave::No, ..BY_RULES }).unwrap();
    assert!(bench.files().is_empty() && bench.server.exit_code == Some(0));
    bench.server.exit_code = None;
    assert_eq!(bench.server.prepare_shutdown(BY_RULES), Ok(Begun::Saving));
    bench.wait_for_child();
    assert_eq!((bench.files(), bench.server.exit_code), (vec!["dump.rdb".to_owned()], Some(0)));
}

/// What a shutdown does that comes now: whether it saves, and in how many forks since the start.
fn shut_down(bench: &mut Bench, shutdown: Shutdown) -> (Begun, u64) {
    let begun = bench.server.prepare_shutdown(shutdown).unwrap();
    bench.wait_for_child();
    assert_eq!(bench.server.exit_code.take(), Some(0));
    bench.server.shutdown = None;
    (begun, bench.server.stats.forks)
}

#[test]
fn the_end_saves_only_what_is_not_saved() {
    let mut bench = Bench::new();
    let path = bench.directory.path().join("dump.rdb");
    assert_eq!(shut_down(&mut bench, BY_RULES), (Begun::Saving, 1), "there is no file");
    assert_eq!(shut_down(&mut bench, BY_RULES), (Begun::Ended, 1));
    let always = Shutdown { save: ShutdownSave::Yes, ..BY_RULES };
    assert_eq!(shut_down(&mut bench, always), (Begun::Saving, 2));
    bench.set("a", "1");
    assert_eq!(shut_down(&mut bench, BY_RULES), (Begun::Saving, 3));
    assert_eq!(shut_down(&mut bench, BY_RULES), (Begun::Ended, 3));
    std::fs::write(&path, std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(shut_down(&mut bench, BY_RULES), (Begun::Saving, 4), "somebody else wrote the file");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(shut_down(&mut bench, BY_RULES), (Begun::Saving, 5), "the file is gone");
    bench.server.save_now().unwrap();
    assert_eq!(shut_down(&mut bench, BY_RULES), (Begun::Ended, 5));
    bench.server.reload(ReloadSave::Save, ReloadInto::Empty).unwrap();
    assert_eq!(shut_down(&mut bench, BY_RULES), (Begun::Ended, 5));
    bench.server.reload(ReloadSave::NoSave, ReloadInto::Merge).unwrap();
    assert_eq!(shut_down(&mut bench, BY_RULES), (Begun::Saving, 6), "the dataset was replaced");
    bench.server.config.dbfilename = "other.rdb".into();
    assert_eq!(shut_down(&mut bench, BY_RULES), (Begun::Saving, 7), "it belongs into another file");
    bench.server.keyspace = bench.server.keyspace.empty_twin(0);
    assert!(bench.server.start_loading().unwrap());
    while bench.server.load_step().unwrap() {}
    assert_eq!(shut_down(&mut bench, BY_RULES), (Begun::Ended, 7), "it is what was loaded");
}

#[test]
fn a_child_that_saves_what_is_there_is_the_last_one() {
    let mut bench = Bench::new();
    bench.server.config.rdb_key_save_delay = 200_000;
    bench.set("a", "1");
    bench.server.start_background_save().unwrap();
    assert_eq!(shut_down(&mut bench, BY_RULES), (Begun::Saving, 1));
    bench.server.start_background_save().unwrap();
    bench.set("b", "1");
    assert_eq!(shut_down(&mut bench, BY_RULES), (Begun::Saving, 3), "it was killed, and another one forked");
    bench.set("c", "1");
    bench.server.start_background_save().unwrap();
    bench.server.snapshots.dataset_replaced();
    assert_eq!(shut_down(&mut bench, BY_RULES), (Begun::Saving, 5));
    bench.set("d", "1");
    bench.server.start_background_save().unwrap();
    assert_eq!(bench.server.prepare_shutdown(BY_RULES), Ok(Begun::Saving));
    assert!(bench.server.abort_shutdown() && !bench.server.abort_shutdown());
    bench.wait_for_child();
    let snapshots = &bench.server.snapshots;
    assert_eq!((bench.server.exit_code, snapshots.last_status, snapshots.dirty), (None, SaveStatus::Ok, 0));
    assert_eq!(bench.server.stats.forks, 6, "an adopted child goes on when the shutdown is aborted");
}

#[test]
fn an_aborted_shutdown_leaves_nothing() {
    let mut bench = Bench::new();
    bench.server.config.rdb_key_save_delay = 10_000_000;
    bench.set("a", "1");
    assert_eq!(bench.server.prepare_shutdown(BY_RULES), Ok(Begun::Saving));
    assert!(bench.server.is_ending() && bench.server.stands_still(0));
    assert_ne!(bench.server.interrupts.child.load(Ordering::SeqCst), 0);
    assert!(bench.server.abort_shutdown());
    bench.wait_for_child();
    assert!(!bench.server.is_ending() && bench.files().is_empty());
    assert_eq!(bench.server.interrupts.child.load(Ordering::SeqCst), 0);
    assert_eq!((bench.server.snapshots.last_status, bench.server.snapshots.dirty), (SaveStatus::Ok, 1));
    // One more while the child of the aborted one may not even be reaped yet.
    assert_eq!(bench.server.prepare_shutdown(BY_RULES), Ok(Begun::Saving));
    assert!(bench.server.abort_shutdown());
    bench.server.config.rdb_key_save_delay = 0;
    assert_eq!(shut_down(&mut bench, BY_RULES).0, Begun::Saving);
    assert_eq!(bench.files(), ["dump.rdb"]);
}

#[test]
fn a_second_request_joins_the_first() {
    let mut bench = Bench::new();
    let client = Some(crate::base::ids::ClientId { number: 1, slot: 0 });
    bench.server.config.rdb_key_save_delay = 10_000_000;
    bench.set("a", "1");
    assert_eq!(bench.server.prepare_shutdown(BY_RULES), Ok(Begun::Saving));
    assert_eq!(bench.server.prepare_shutdown(BY_RULES), Ok(Begun::Saving));
    let unsaved = Shutdown { save: ShutdownSave::No, ..BY_RULES };
    assert_eq!(bench.server.prepare_shutdown(unsaved), Ok(Begun::Saving), "a signal takes nothing back");
    assert_eq!((bench.server.stats.forks, bench.server.exit_code), (1, None));
    assert_eq!(bench.server.prepare_shutdown(Shutdown { client, ..unsaved }), Ok(Begun::Ended));
    assert_eq!((bench.server.exit_code, bench.files().len()), (Some(0), 0));
}

#[test]
fn a_preflight_that_fails_costs_no_fork_and_holds_the_rules_back() {
    let mut bench = Bench::new();
    bench.set("a", "1");
    bench.server.config.dir = "/nowhere/at/all".into();
    bench.later(11);
    let attempts = |bench: &Bench| (bench.server.snapshots.attempts, bench.server.stats.forks);
    assert_eq!((attempts(&bench), bench.server.snapshots.last_status), ((1, 0), SaveStatus::Err));
    bench.later(5);
    assert_eq!(attempts(&bench), (1, 0), "not before five seconds are over");
    assert!(bench.server.start_background_save().is_err(), "by hand at any time");
    bench.later(5);
    assert_eq!(attempts(&bench), (2, 0));
    bench.later(1);
    assert_eq!(attempts(&bench), (3, 0));
    bench.server.config.dir = bench.directory.path().into();
    bench.later(6);
    bench.wait_for_child();
    assert_eq!((attempts(&bench), bench.server.snapshots.last_status), ((4, 1), SaveStatus::Ok));
}

#[test]
fn a_reload_gives_the_same_dataset_or_none_at_all() {
    let mut bench = Bench::new();
    bench.set("a", "1");
    bench.server.reload(ReloadSave::Save, ReloadInto::Empty).unwrap();
    assert_eq!(bench.server.keyspace.len(), 1);
    bench.set("b", "2");
    let present = bench.server.reload(ReloadSave::NoSave, ReloadInto::Existing);
    assert!(matches!(present, Err(ReloadError::Present(1))));
    bench.set("a", "changed");
    bench.server.reload(ReloadSave::NoSave, ReloadInto::Merge).unwrap();
    assert_eq!(bench.server.keyspace.len(), 2);
    let path = bench.directory.path().join("dump.rdb");
    let mut bytes = std::fs::read(&path).unwrap();
    let place = bytes.len() - 10;
    bytes[place] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert!(matches!(bench.server.reload(ReloadSave::NoSave, ReloadInto::Empty), Err(ReloadError::Load(_))));
    assert_eq!(bench.server.keyspace.len(), 2);
    bench.server.reload(ReloadSave::Save, ReloadInto::Empty).unwrap();
    assert_eq!(bench.server.keyspace.len(), 2);
}
