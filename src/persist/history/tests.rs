//! A history under faults, crashes, lost catalogues and a clock that jumps. Files hold text: nothing here reads them.

use super::*;
use crate::persist::disk::faulty::Faulty;
use crate::persist::disk::{KeepOld, System, WithoutLinks, put_in_place};
use std::collections::BTreeSet;

/// A server as far as its history goes.
struct Bench {
    directory: tempfile::TempDir,
    place: Place,
    known: Option<Line>,
    keep: usize,
    now_s: i64,
    nonce: u64,
}

/// How far a save gets before the process dies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dies {
    No,
    /// The child, between link and rename.
    AfterLink,
    /// Child and parent, before the catalogue is written.
    BeforeCatalog,
}

fn sum(content: &[u8]) -> u64 {
    let mut sum = Crc64Xz::new();
    sum.update(content);
    sum.value()
}

impl Bench {
    fn new(keep: usize) -> Bench {
        let directory = tempfile::tempdir().unwrap();
        let place = Place::new(directory.path(), "dump.rdb");
        Bench { directory, place, known: None, keep, now_s: 1_795_455_000, nonce: 0 }
    }

    fn save(&mut self, content: &str) {
        self.save_with(&mut System, content, Dies::No).unwrap();
    }

    /// As `server::history` does it.
    fn save_with<C: Calls>(&mut self, calls: &mut C, content: &str, dies: Dies) -> Result<State, String> {
        self.now_s += 60;
        self.nonce += 1;
        let old = old(&self.place, self.known.as_ref());
        let mut paths = SavePaths::new(self.directory.path(), "dump.rdb", self.nonce).unwrap();
        let mut replaced = None;
        if let Some(old) = old.filter(|_| self.keep > 0) {
            if !old.has_name {
                let path = self.place.path(&old.line.file);
                paths.keep = Some(KeepOld::new(&path, WithoutLinks::LoseOld).unwrap());
            }
            replaced = Some(Line { kept: Kept::ByRule, ..old.line });
        }
        if dies == Dies::AfterLink {
            System.link(&paths.target, &paths.keep.unwrap().path).unwrap();
            return Err("died".into());
        }
        let policy = FilePolicy {
            incremental: Incremental::No,
            page_cache: PageCache::Release,
            rate: WriteRate::Unlimited,
        };
        let written = write_file(calls, &paths, policy, |file| {
            file.write_all(content.as_bytes()).map_err(|_| file.fault().expect("it says why"))
        });
        let written = written.map_err(|fault| paths.explain(fault).to_string())?;
        let stamp = FileStamp::of(&self.place.current_path()).unwrap();
        let line = Line {
            id: paths.id(),
            made_s: self.now_s,
            kept: Kept::ByRule,
            keys: Some(content.len() as u64),
            crc64_xz: Some(written.crc64_xz),
            ..Line::unknown("dump.rdb", &stamp)
        };
        if dies == Dies::BeforeCatalog {
            return Err("died".into());
        }
        self.known = Some(line.clone());
        let replaced = replaced.filter(|_| written.unkept.is_none());
        let entered = Entered { line, replaced, keep: self.keep };
        let edited = edit(calls, &self.place, self.nonce << 32, |editing| editing.enter(&entered));
        edited.map(|(_, state)| state).map_err(|error| error.to_string())
    }

    /// Every line has its file and nothing is listed twice; returns what the snapshots hold, the newest first.
    fn contents(&self) -> Vec<String> {
        let state = look(&self.place).unwrap();
        let mut inodes = BTreeSet::new();
        let content = |line: &Line| {
            let path = self.place.path(&line.file);
            let content = std::fs::read(&path).unwrap();
            assert!(inodes.insert(std::fs::metadata(&path).unwrap().ino()), "{} is listed twice", line.file);
            assert_eq!(line.bytes, content.len() as u64);
            assert!(line.crc64_xz.is_none_or(|saved| saved == sum(&content)), "{line:?}");
            String::from_utf8(content).unwrap()
        };
        let contents = state.lines.iter().rev().map(content).collect();
        let current = state.current_line().map(|line| self.place.path(&line.file));
        let same = current.map(|path| std::fs::read(path).unwrap());
        assert_eq!(same, std::fs::read(self.place.current_path()).ok());
        contents
    }

    /// The process starts again, or forgets.
    fn restart(&mut self) {
        let ((), state) = edit(&mut System, &self.place, 77, |_| ()).unwrap();
        self.known = state.current_line().cloned();
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.directory.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

#[test]
fn so_many_stay_and_the_oldest_goes() {
    let mut bench = Bench::new(2);
    for content in ["one", "two", "three", "four"] {
        bench.save(content);
    }
    assert_eq!(bench.contents(), ["four", "three", "two"]);
    assert_eq!(bench.files().len(), 4, "three snapshots and the catalogue");
    let state = look(&bench.place).unwrap();
    assert_eq!(state.totals(), Totals { kept: 2, kept_bytes: 8 });
    assert!(state.lines.iter().all(|line| line.crc64_xz.is_some() && line.keys.is_some()));
    let before = bench.known.clone();
    bench.restart();
    assert_eq!(bench.known, before);
    bench.keep = 0;
    bench.save("five");
    assert_eq!(bench.contents(), ["five"]);
    bench.save("six");
    assert_eq!(bench.contents(), ["six"]);
}

#[test]
fn every_call_can_fail_and_all_stays_consistent() {
    let fresh = || {
        let mut bench = Bench::new(2);
        ["one", "two", "three"].iter().for_each(|content| bench.save(content));
        bench
    };
    let mut probe = Faulty::new(0, Errno::EIO);
    fresh().save_with(&mut probe, "four", Dies::No).unwrap();
    assert!(probe.log().contains(&"link") && probe.calls() > 12, "{:?}", probe.log());
    for fail_at in 1..=probe.calls() {
        for errno in [Errno::ENOSPC, Errno::EIO, Errno::EACCES, Errno::EDQUOT, Errno::EINTR] {
            let mut bench = fresh();
            let mut calls = Faulty::new(fail_at, errno);
            let saved = bench.save_with(&mut calls, "four", Dies::No);
            let call = calls.log().last().copied();
            let contents = bench.contents();
            match &saved {
                Ok(state) if errno == Errno::EINTR => {
                    assert_eq!(
                        (&*contents, state.faults.len()),
                        (&["four", "three", "two"].map(String::from)[..], 0)
                    );
                }
                Ok(state) if probe.log()[fail_at - 1] == "unlink" => {
                    assert_eq!(contents, ["four", "three", "two", "one"]);
                    let told = &state.faults[0];
                    assert!(told.starts_with("remove /") && told.ends_with(&error_text(errno)), "{told}");
                }
                Err(reason) if errno == Errno::EINTR => panic!("{fail_at} {call:?}: {reason}"),
                Ok(_) if probe.log()[fail_at - 1] == "link" => assert_eq!(contents, ["four", "two", "one"]),
                Ok(state) => {
                    assert_eq!(contents, ["four", "three", "two"], "{fail_at} {call:?}");
                    assert_eq!(state.faults.len(), 1, "{fail_at}: a catalogue that fails is told");
                }
                Err(_) if contents[0] == "four" => assert_eq!(contents[1..], ["three", "two", "one"]),
                Err(_) => assert_eq!(contents, ["three", "two", "one"], "{fail_at} {call:?}"),
            }
            assert!(bench.files().iter().all(|name| !name.starts_with("temp")), "{:?}", bench.files());
            // The next save finds everything in order.
            bench.restart();
            let before = bench.contents();
            bench.save("five");
            let expected: Vec<_> = std::iter::once("five".to_owned()).chain(before).take(3).collect();
            assert_eq!(bench.contents(), expected, "{fail_at} {call:?}");
        }
    }
}

#[test]
fn a_child_that_dies_between_link_and_rename_leaves_one_snapshot_with_two_names() {
    for forgets in [false, true] {
        let mut bench = Bench::new(3);
        bench.save("one");
        bench.save("two");
        for _ in 0..2 {
            // The second time the name is there already, and is recognised.
            let old = old(&bench.place, bench.known.as_ref()).unwrap();
            if !old.has_name {
                bench.save_with(&mut System, "lost", Dies::AfterLink).unwrap_err();
            }
            assert_eq!(bench.contents(), ["two", "one"]);
            if forgets {
                let _ = std::fs::remove_file(bench.place.path("dump.catalog"));
                bench.known = None;
            } else {
                bench.restart();
            }
        }
        assert!(super::old(&bench.place, bench.known.as_ref()).unwrap().has_name);
        bench.save("three");
        assert_eq!(bench.contents(), ["three", "two", "one"]);
        assert_eq!(bench.files().len(), 4);
    }
}

#[test]
fn what_nobody_entered_is_found() {
    let mut bench = Bench::new(3);
    bench.save("one");
    // As long as the one before: only its time tells that it is another file.
    bench.save_with(&mut System, "two", Dies::BeforeCatalog).unwrap_err();
    assert_eq!(bench.contents(), ["two", "one"]);
    let state = look(&bench.place).unwrap();
    assert_eq!((state.lines[0].crc64_xz, state.lines[1].crc64_xz), (Some(sum(b"one")), None));
    bench.restart();
    bench.save("three");
    assert_eq!(bench.contents(), ["three", "two", "one"]);
}

#[test]
fn a_lost_or_damaged_catalogue_is_made_again() {
    let mut bench = Bench::new(3);
    ["one", "two", "three"].iter().for_each(|content| bench.save(content));
    let catalog = bench.place.path("dump.catalog");
    let text = std::fs::read(&catalog).unwrap();
    for damaged in [None, Some(&text[..text.len() / 2]), Some(&b"\xff\0"[..]), Some(b"")] {
        match damaged {
            Some(bytes) => std::fs::write(&catalog, bytes).unwrap(),
            None => std::fs::remove_file(&catalog).unwrap(),
        }
        let faults = look(&bench.place).unwrap().faults;
        assert_eq!(faults.is_empty(), damaged.is_none(), "{faults:?}");
        bench.restart();
        assert_eq!(bench.contents(), ["three", "two", "one"]);
        assert!(look(&bench.place).unwrap().faults.is_empty());
    }
    // What was found is ours to remove by the rule.
    bench.keep = 1;
    bench.save("four");
    assert_eq!(bench.contents(), ["four", "three"]);
    // But without a rule it stays: nobody knows why it is there.
    std::fs::remove_file(&catalog).unwrap();
    bench.restart();
    bench.keep = 0;
    bench.save("five");
    assert_eq!(bench.contents(), ["five", "three"]);
}

#[test]
fn names_in_a_catalogue_that_are_not_ours_are_nothing() {
    let mut bench = Bench::new(1);
    bench.save("one");
    let precious = bench.directory.path().join("precious");
    std::fs::write(&precious, "x").unwrap();
    let state = look(&bench.place).unwrap();
    let mut lines = state.lines.clone();
    for file in ["precious", "../precious", "/etc/passwd"] {
        lines.insert(0, Line { file: file.into(), ..lines[0].clone() });
    }
    std::fs::write(bench.place.path("dump.catalog"), Catalog::text(&lines)).unwrap();
    bench.save("two");
    bench.save("three");
    assert_eq!(bench.contents(), ["three", "two"]);
    assert!(precious.exists());
}

#[test]
fn a_clock_that_jumps_back_changes_neither_names_nor_order() {
    let mut bench = Bench::new(2);
    bench.save("one");
    bench.now_s -= 1_000_000;
    for content in ["two", "three", "four"] {
        bench.now_s -= 60;
        bench.save(content);
    }
    assert_eq!(bench.contents(), ["four", "three", "two"]);
    bench.restart();
    bench.save("five");
    assert_eq!(bench.contents(), ["five", "four", "three"]);
    // Snapshots of one second and one identity would have one name.
    let line = bench.known.clone().unwrap();
    let name = with_free_name(&bench.place, line.clone()).file;
    std::fs::write(bench.place.path(&name), "in the way").unwrap();
    assert_ne!(with_free_name(&bench.place, line).file, name);
}

#[test]
fn two_servers_in_one_directory_do_not_meet() {
    let mut bench = Bench::new(1);
    let neighbour = Place::new(bench.directory.path(), "dump-b.rdb");
    let kept = neighbour.kept(1_795_455_000, SnapshotId(1));
    for name in ["dump-b.rdb", &kept, "dump.rdb.bak", "dump-2.rdb"] {
        std::fs::write(neighbour.path(name), "theirs").unwrap();
    }
    ["one", "two", "three"].iter().for_each(|content| bench.save(content));
    assert_eq!(bench.contents(), ["three", "two"]);
    let theirs = look(&neighbour).unwrap();
    assert_eq!(theirs.lines.len(), 2);
    // The same name by mistake: whoever enters a file that is not there any more removes nothing.
    let stale =
        Entered { line: Line { modified_ns: 1, ..bench.known.clone().unwrap() }, replaced: None, keep: 0 };
    let (removed, _) = edit(&mut System, &bench.place, 5, |editing| editing.enter(&stale)).unwrap();
    assert!(removed.is_empty());
    assert_eq!(bench.contents(), ["three", "two"]);
    let held = File::open(bench.directory.path()).unwrap();
    held.lock().unwrap();
    assert_eq!(edit(&mut System, &bench.place, 6, |_| ()).unwrap_err(), HistoryError::Locked);
}

#[test]
fn the_last_that_holds_anything_outlives_the_rule() {
    let mut bench = Bench::new(1);
    bench.save("full");
    for _ in 0..4 {
        bench.save("");
    }
    assert_eq!(bench.contents(), ["", "", "full"]);
    bench.save("new");
    bench.save("newer");
    assert_eq!(bench.contents(), ["newer", "new"]);
}

#[test]
fn one_for_each_reason_is_spared() {
    let mut bench = Bench::new(3);
    ["flushed", "flushed again", "replaced", "now"].iter().for_each(|content| bench.save(content));
    let mut state = look(&bench.place).unwrap();
    let reasons = [Kept::Flushed, Kept::Flushed, Kept::Replaced];
    state.lines.iter_mut().zip(reasons).for_each(|(line, kept)| line.kept = kept);
    assert_eq!(state.beyond(0), [0]);
    assert_eq!(state.beyond(1), [0; 0]);
    // Without a current file nothing goes.
    state.current = None;
    assert_eq!(state.beyond(0), [0; 0]);
}

#[test]
fn a_snapshot_that_becomes_current_again_is_one() {
    let mut bench = Bench::new(5);
    ["one", "two", "three"].iter().for_each(|content| bench.save(content));
    let line = look(&bench.place).unwrap().lines[0].clone();
    let mut paths = SavePaths::new(bench.directory.path(), "dump.rdb", 99).unwrap();
    let old = old(&bench.place, bench.known.as_ref()).unwrap();
    paths.keep = Some(KeepOld::new(&bench.place.path(&old.line.file), WithoutLinks::LoseOld).unwrap());
    assert_eq!(put_in_place(&mut System, &paths, &bench.place.path(&line.file)), Ok(None));
    assert_eq!(bench.contents(), ["three", "two", "one"]);
    bench.restart();
    assert_eq!(bench.known, Some(line.clone()));
    let refused = edit(&mut System, &bench.place, 8, |editing| editing.delete(line.id)).unwrap().0;
    assert_eq!(refused, Err(HistoryError::Current(line.id)));
    bench.save("four");
    assert_eq!(bench.contents(), ["four", "three", "two", "one"]);
    let deleted = edit(&mut System, &bench.place, 9, |editing| editing.delete(line.id)).unwrap().0;
    assert_eq!(deleted, Ok(()));
    assert_eq!(bench.contents(), ["four", "three", "two"]);
    let gone = edit(&mut System, &bench.place, 9, |editing| editing.delete(line.id)).unwrap().0;
    assert_eq!(gone, Err(HistoryError::NoSuch(line.id)));
}
