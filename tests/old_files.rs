//! Files of every age: one for each form that a value ever had in an RDB file, from Redis 1.2 to 8.8 and Valkey 9.
//!
//! The files are made here, byte by byte (`old_files/forms.rs`). Each loads and holds what commands make on the same
//! server; redis-server 7.0 must see the same in those that it can read, and in what we save after loading them. Each
//! is also cut and damaged at every byte: that gives an error or another value, never a panic.

#[path = "old_files/convert.rs"]
mod convert;
#[path = "old_files/forms.rs"]
mod forms;
#[path = "old_files/pack.rs"]
mod pack;
pub mod support;

use forms::{Form, Key};
use std::fs;
use support::server::is_stand_in;
use support::{Connection, Server, Start, Value};
use tempfile::TempDir;
use tintype::object::{Depth, Rules};
use tintype::rdb::{
    Cut, Cutter, Foreign, RdbError, Reader, ReaderOptions, Record, Stretch, Value as RdbValue, check,
};

/// A server that has loaded `file`.
fn loaded(start: Start, file: &[u8]) -> (Server, TempDir) {
    let folder = TempDir::new().expect("a temporary directory");
    fs::write(folder.path().join("dump.rdb"), file).expect("a file");
    let start = start.with("--save", "").with("--enable-debug-command", "yes");
    (start.in_directory(folder.path()).spawn(), folder)
}

fn digest(connection: &mut Connection, name: &str) -> String {
    connection.command(&["DEBUG", "DIGEST-VALUE", name]).elements()[0].text()
}

fn make_same(connection: &mut Connection, key: &Key) {
    for command in &key.commands {
        let reply = connection.command(command);
        assert!(!reply.is_error(), "{reply:?}");
    }
}

/// What is told of a key besides its digest.
fn facts(connection: &mut Connection, name: &str) -> Vec<Value> {
    let mut facts = vec![connection.command(&["TYPE", name])];
    if facts[0].text() == "stream" {
        facts.push(connection.command(&["XINFO", "GROUPS", name]));
        facts.push(connection.command(&["XPENDING", name, "group"]));
        facts.push(connection.command(&["XLEN", name]));
        facts.push(connection.command(&["XRANGE", name, "-", "+", "COUNT", "3"]));
    }
    facts
}

#[track_caller]
fn assert_loads(form: &Form) {
    let (server, folder) = loaded(Start::tintype(), &form.file());
    let mut connection = server.connect();
    assert_eq!(connection.run("DBSIZE").integer(), form.keys.len() as i64, "{}", form.name);
    let mut digests = Vec::new();
    for key in &form.keys {
        make_same(&mut connection, key);
        let same = format!("same:{}", key.name);
        let found = digest(&mut connection, key.name);
        assert_eq!(found, digest(&mut connection, &same), "{} of {}", key.name, form.name);
        if !is_stand_in() {
            let encoding =
                |connection: &mut Connection, name: &str| connection.command(&["OBJECT", "ENCODING", name]);
            let found = encoding(&mut connection, key.name);
            // A single element may lie in a form that holds more than is asked of it; single nodes stay single.
            let is_same = ["one", "single"].contains(&key.name) || found == encoding(&mut connection, &same);
            assert!(is_same, "{} of {} is {found:?}", key.name, form.name);
        }
        let told = facts(&mut connection, key.name);
        // The first form of streams does not say what was deleted: the oracle knows what follows from that.
        let is_told = form.name == "stream" || told == facts(&mut connection, &same);
        assert!(is_told, "{} of {}: {told:?}", key.name, form.name);
        connection.command(&["DEL", &same]);
        digests.push((key.name, found, told));
    }
    if form.is_known_to_oracle {
        let (oracle, _folder) = loaded(Start::oracle(), &form.file());
        assert_same(&oracle, &digests, form);
        connection.ok("SAVE");
        let again = Start::oracle().with("--save", "").with("--enable-debug-command", "yes");
        assert_same(&again.in_directory(folder.path()).spawn(), &digests, form);
    }
    connection.ok("DEBUG RELOAD");
    assert_same(&server, &digests, form);
    if !is_stand_in() {
        connection.ok("CONFIG SET rdb-load-threads 2");
        connection.ok("DEBUG RELOAD");
        assert_same(&server, &digests, form);
    }
}

#[track_caller]
fn assert_same(server: &Server, digests: &[(&str, String, Vec<Value>)], form: &Form) {
    let mut connection = server.connect();
    for (name, expected, told) in digests {
        assert_eq!(&digest(&mut connection, name), expected, "{name} of {}", form.name);
        assert_eq!(&facts(&mut connection, name), told, "{name} of {}", form.name);
    }
}

#[test]
fn old_forms_load_and_are_what_they_were() {
    forms::old().iter().for_each(assert_loads);
}

#[test]
fn newer_forms_load_and_are_what_they_were() {
    forms::newer().iter().for_each(assert_loads);
}

#[test]
fn streams_load_and_are_what_they_were() {
    forms::of_streams().iter().for_each(assert_loads);
}

/// Reads a file to its end; how many values it has.
fn read(file: &[u8], depth: Depth) -> Result<usize, RdbError> {
    let options = ReaderOptions { depth, foreign: Foreign::StepOver, ..ReaderOptions::default() };
    let (mut reader, rules) = (Reader::new(file, options)?, Rules::default());
    let mut values = 0;
    loop {
        match reader.next_record(&rules)? {
            Record::Key(key) => values += usize::from(!matches!(key.value, RdbValue::Empty)),
            Record::End { .. } => return Ok(values),
            _ => {}
        }
    }
}

/// How many keys a stretch has, which must be read to exactly its end.
fn keys_of(reader: &mut Reader<&'static [u8]>, stretch: Stretch) -> usize {
    let (end, mut keys) = (stretch.end(), 0);
    reader.begin_stretch(stretch);
    while reader.offset() < end {
        let record = reader.next_record(&Rules::default()).expect("whole records");
        keys += usize::from(matches!(record, Record::Key(_) | Record::LeftOut { .. }));
    }
    assert_eq!(reader.offset(), end);
    keys
}

/// Keys are cut off whatever their form is: what is left aside is none.
#[test]
fn every_form_is_cut_where_it_ends() {
    for form in forms::all() {
        let file = form.file();
        let options = ReaderOptions { foreign: Foreign::StepOver, ..ReaderOptions::default() };
        let version = Reader::new(&file[..], options).expect("a file").version();
        let mut cutter = Cutter::new(&file[..], version, options.checksum);
        let mut reader = Reader::of_stretches(version, options);
        cutter.skip_to(9).expect("behind the magic");
        let mut keys = 0;
        loop {
            match cutter.cut(Vec::new()) {
                Cut::Keys(stretch) => keys += keys_of(&mut reader, stretch),
                Cut::Aside { offset } => {
                    let rest = &file[offset as usize..];
                    let mut other = Reader::from_middle(rest, version, offset, options);
                    let record = other.next_record(&Rules::default()).expect("a whole record");
                    assert!(!matches!(record, Record::Key(_)), "{}: {record:?}", form.name);
                    let behind = other.offset();
                    cutter.skip_to(behind).expect("it was read");
                }
                Cut::End(ending) => break assert!(ending.is_last.expect("no fault"), "{}", form.name),
            }
        }
        assert_eq!(keys, form.keys.len(), "{}", form.name);
    }
}

#[test]
fn every_form_passes_the_checker() {
    for form in forms::all() {
        let report = check(&form.file()[..], 0, &mut |_| {});
        assert!(report.fault.is_none(), "{}: {:?}", form.name, report.fault);
        assert_eq!(report.keys, form.keys.len() as u64);
    }
}

#[test]
fn cut_at_every_byte() {
    for form in forms::all().into_iter().map(Form::small) {
        let file = form.file();
        for length in 0..file.len() {
            assert!(read(&file[..length], Depth::Structure).is_err(), "{} cut at {length}", form.name);
        }
        assert_eq!(read(&file, Depth::Deep).expect("whole"), form.keys.len());
    }
}

#[test]
fn damaged_at_every_byte() {
    for form in forms::all().into_iter().map(Form::small) {
        let file = form.file();
        for at in 9..file.len() - 1 {
            for byte in [file[at] ^ 1, file[at] ^ 0x80, file[at].wrapping_add(1), 0, 0xff, 0x81, 0xc3] {
                let mut damaged = file.clone();
                damaged[at] = byte;
                for depth in [Depth::Structure, Depth::Deep] {
                    let _ = read(&damaged, depth);
                }
            }
        }
    }
}
