//! Every form that a value ever had in a file, converted to every version that holds it.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tintype::persist::convert::{ConvertOptions, Unknown, convert};
use tintype::persist::disk::System;

use crate::forms::{self, Form, Key};
use crate::support::server::is_stand_in;
use crate::support::{Connection, Server, Start};

const VERSIONS: [u16; 5] = [9, 10, 11, 12, 80];

fn converted(input: &Path, version: Option<u16>) -> Result<Vec<u8>, String> {
    let output = input.with_extension("new");
    let options = ConvertOptions { version, unknown: Unknown::Refuse, redis_version: "7.4.0", nonce: 1 };
    convert(&mut System, input, &output, &options, &mut |_, _| {}).map_err(|error| error.to_string())?;
    Ok(fs::read(output).expect("the new file"))
}

/// What a server is asked for of each file.
struct Asked {
    server: Server,
    connection: Connection,
}

impl Asked {
    fn new(start: Start) -> Asked {
        let server = start.with("--save", "").with("--enable-debug-command", "yes").spawn();
        Asked { connection: server.connect(), server }
    }

    #[track_caller]
    fn digest(&mut self, file: &[u8]) -> String {
        fs::write(self.server.path("dump.rdb"), file).expect("a file");
        self.connection.ok("DEBUG RELOAD NOSAVE");
        self.connection.run("DEBUG DIGEST").text()
    }
}

fn is_held(lowest: &[u8], version: u16) -> bool {
    match &lowest[..9] {
        b"REDIS0010" | b"REDIS0011" => true,
        b"REDIS0012" => version >= 12,
        magic => {
            assert_eq!(magic, b"REDIS0014");
            false
        }
    }
}

#[track_caller]
fn assert_names_a_key(form: &Form, reason: &str) {
    let names = |key: &Key| reason.contains(&format!("key \"{}\" in db 0 has ", key.name));
    assert!(form.keys.iter().any(names), "{}: {reason}", form.name);
}

#[test]
fn every_form_in_every_version_that_holds_it() {
    if is_stand_in() {
        return;
    }
    let (mut ours, mut oracle) = (Asked::new(Start::tintype()), Asked::new(Start::oracle()));
    let folder = TempDir::new().expect("a temporary directory");
    let input = folder.path().join("in.rdb");
    let mut refused = 0;
    for form in forms::all() {
        fs::write(&input, form.file()).expect("a file");
        let expected = ours.digest(&form.file());
        let lowest = converted(&input, None).expect("nothing is lost");
        assert_eq!(ours.digest(&lowest), expected, "{}", form.name);
        for version in VERSIONS {
            let file = match converted(&input, Some(version)) {
                Ok(file) => file,
                Err(reason) => {
                    assert!(!is_held(&lowest, version), "{}: {reason}", form.name);
                    assert_names_a_key(&form, &reason);
                    refused += 1;
                    continue;
                }
            };
            assert!(is_held(&lowest, version), "{} in version {version}", form.name);
            assert_eq!(ours.digest(&file), expected, "{} in version {version}", form.name);
            if version <= 10 {
                assert_eq!(oracle.digest(&file), expected, "{} in version {version}", form.name);
            }
        }
    }
    assert!(refused > 0, "some form is too new for some version");
}
