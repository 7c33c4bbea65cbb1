//! Replays what fuzzing has found worth keeping: `tests/fuzz/corpus/<target>/*`, every file through its target.
//!
//! To look for more: `tests/fuzz/run TARGET [SECONDS]` (see there).

#[path = "fuzz/targets.rs"]
mod targets;

use std::fs;
use std::path::Path;

#[test]
fn the_corpus_is_survived() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    for (name, target) in targets::TARGETS {
        let files =
            fs::read_dir(corpus.join(name)).unwrap_or_else(|error| panic!("corpus of {name}: {error}"));
        let mut count = 0;
        for file in files {
            let path = file.expect("the folder can be read").path();
            let bytes = fs::read(&path).expect("the file can be read");
            eprintln!("{}", path.display());
            target(&bytes);
            count += 1;
        }
        assert!(count > 0, "no corpus for {name}");
    }
}
