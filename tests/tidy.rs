//! The house rules that a program can check, over every Rust file of the repository.
//!
//! The compiler does not know the floors, how long a function may be, or that a file begins with what it is about. A
//! finding names file, line and rule. Each rule is shown a text that breaks it, so that none can fall asleep.

#[path = "tidy/rules.rs"]
mod rules;
#[path = "tidy/source.rs"]
mod source;

use std::fs;
use std::path::{Path, PathBuf};

use source::Source;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() && name != "node_modules" && name != ".venv" {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    ["src", "tests", "benches"].iter().for_each(|folder| rust_files(&root().join(folder), &mut files));
    files.sort();
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).expect("a source file in UTF-8");
        let name = path.strip_prefix(root()).expect("found below the root");
        Source::new(&name.to_string_lossy(), &text)
    };
    files.iter().map(read).collect()
}

#[test]
fn every_file_keeps_the_rules() {
    let sources = sources();
    assert!(sources.len() > 10, "only {} files found: looking in the wrong place?", sources.len());
    let findings: Vec<_> = sources.iter().flat_map(rules::check).collect();
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

/// A room appears when its capability is built: a folder with code in it, and a place in the table of floors.
#[test]
fn no_room_is_empty() {
    let sources = sources();
    for source in sources.iter().filter(|source| source.room().is_some_and(|room| room != "lib")) {
        let room = source.room().expect("filtered above");
        let code = sources.iter().filter(|other| other.room() == Some(room)).flat_map(|other| &other.code);
        let is_lived_in = code.filter(|line| line.contains("fn ") || line.contains("struct ")).count() > 0;
        assert!(is_lived_in, "{}: the room {room} is empty", source.path);
    }
    for entry in fs::read_dir(root().join("src")).expect("src is there").flatten() {
        let mut files = Vec::new();
        rust_files(&entry.path(), &mut files);
        let is_empty_folder = entry.path().is_dir() && files.is_empty();
        assert!(!is_empty_folder, "{} is an empty room", entry.path().display());
    }
}

/// One text for each rule that must break it, and how its finding begins.
const BROKEN: &[(&str, &str, &str)] = &[
    ("src/base/a.rs", "fn a() {}\n", "src/base/a.rs:1: no //! head"),
    ("src/base/a.rs", "//! A.\n\tfn a() {}\n", "src/base/a.rs:2: a tab"),
    ("src/base/a.rs", "//! A.\nfn a() {} \n", "src/base/a.rs:2: blanks"),
    ("src/base/a.rs", "//! A.\nfn a() { todo!() }\n", "src/base/a.rs:2: todo!"),
    ("src/base/a.rs", "//! A.\n#[allow(dead_code)]\nfn a() {}\n", "src/base/a.rs:2: #[allow"),
    ("tests/a.rs", "//! A.\n#[ignore]\nfn a() {}\n", "tests/a.rs:2: #[ignore"),
    ("src/base/a.rs", concat!("//! A.\n// FIX", "ME: later\n"), concat!("src/base/a.rs:2: FIX", "ME")),
    ("src/base/a.rs", "//! A.\npub struct KeyManager;\n", "src/base/a.rs:2: KeyManager"),
    ("src/base/utils.rs", "//! A.\n", "src/base/utils.rs:1: the file's name"),
    ("src/attic/a.rs", "//! A.\n", "src/attic/a.rs:1: attic stands on no floor"),
    ("src/base/a.rs", "//! A.\nuse crate::net::b;\n", "src/base/a.rs:2: base (floor 0) imports net"),
    (
        "src/rdb/a.rs",
        "//! A.\nuse crate::{base::x, keyspace::y};\n",
        "src/rdb/a.rs:2: rdb (floor 3) imports keyspace",
    ),
    (
        "src/rdb/a.rs",
        "//! A.\nuse crate::{base::{x, y}, server};\n",
        "src/rdb/a.rs:2: rdb (floor 3) imports server",
    ),
    ("src/rdb/a.rs", "//! A.\nuse super::super::exec;\n", "src/rdb/a.rs:2: rdb (floor 3) imports exec"),
    ("src/rdb/mod.rs", "//! A.\nfn a() { super::net::b() }\n", "src/rdb/mod.rs:2: rdb (floor 3) imports net"),
    ("src/exec/a.rs", "//! A.\nfn a() { b().await }\n", "src/exec/a.rs:2: .await"),
    ("src/exec/a.rs", "//! A.\nfn a() { Instant::now(); }\n", "src/exec/a.rs:2: Instant::now"),
    ("src/exec/a.rs", "//! A.\nfn a() { fastrand::u32(..); }\n", "src/exec/a.rs:2: fastrand::u32("),
    (
        "src/exec/a.rs",
        "//! A.\n// SAFETY: b.\nfn a() { unsafe { b() } }\n",
        "src/exec/a.rs:3: unsafe does not",
    ),
    ("src/encoding/a.rs", "//! A.\nfn a() { unsafe { b() } }\n", "src/encoding/a.rs:2: unsafe without"),
];

#[test]
fn each_rule_can_fail() {
    for (path, text, finding) in BROKEN {
        let findings = rules::check(&Source::new(path, text));
        assert!(findings.iter().any(|found| found.starts_with(finding)), "{finding:?} not in {findings:?}");
    }
    let wide = format!("//! A.\nfn {}() {{}}\n", "w".repeat(120));
    let long = format!("//! A.\n{}", "// b\n".repeat(1000));
    let tall = format!("//! A.\nfn a() {{\n{}}}\n", "    b();\n".repeat(71));
    for (text, finding) in [
        (wide, "src/base/a.rs:2: 128 columns"),
        (long, "src/base/a.rs:1001: 1001 lines"),
        (tall, "src/base/a.rs:2: a function of 71 lines"),
    ] {
        let findings = rules::check(&Source::new("src/base/a.rs", &text));
        assert!(findings.iter().any(|found| found.starts_with(finding)), "{finding:?} not in {findings:?}");
    }
    let named: Vec<_> = rules::RULES.iter().map(|(name, _)| *name).collect();
    assert_eq!(named.len(), 10, "a new rule needs a text that breaks it here: {named:?}");
}

/// Texts that look bad and are not.
const SOUND: &[(&str, &str)] = &[
    ("src/base/a.rs", "//! A.\nfn a() { b(\"todo!() unsafe .await crate::net\"); }\n"),
    ("src/base/a.rs", "//! A.\n// crate::net would be wrong, dbg! too, unsafe as well\n"),
    ("src/base/a.rs", "//! A.\n/* unsafe /* nested */ todo!() */\n"),
    ("src/base/a.rs", "//! A.\nconst B: &str = r#\"a \" unsafe todo!() \"#;\nconst C: char = '\"';\n"),
    ("src/base/a.rs", "//! A.\nfn a<'b>(c: &'b str) -> char { '\\'' }\nconst D: u8 = b'\\n';\n"),
    (
        "src/rdb/a.rs",
        "//! A.\n#[cfg(test)]\nmod tests {\n    use crate::net::b;\n    fn c() { Instant::now(); }\n}\n",
    ),
    ("src/rdb/a.rs", "//! A.\n#[cfg(test)]\nmod tests;\nuse crate::base::a;\nuse super::reader;\n"),
    ("src/rdb/b/c.rs", "//! A.\nuse super::super::reader;\n"),
    ("src/net/a.rs", "//! A.\nuse crate::{exec::b, base};\nasync fn a() { b().await }\n"),
    ("src/base/clock.rs", "//! A.\nfn a() { SystemTime::now(); }\n"),
    ("src/encoding/a.rs", "//! A.\nfn a() {\n    // SAFETY: b is sound.\n    unsafe { b() }\n}\n"),
    ("src/lib.rs", "//! A.\npub mod net;\npub use crate::net::a;\n"),
];

#[test]
fn sound_code_passes() {
    for (path, text) in SOUND {
        assert_eq!(rules::check(&Source::new(path, text)), Vec::<String>::new(), "{path}: {text}");
    }
}
