//! Values of all types but short strings, built while their bytes come.
//!
//! A value is built piece by piece: an element, a packed node, a counter. `step` takes as many pieces as there are
//! and commits each, so that neither a value's length in the file nor the time it takes has to be borne at once: a
//! hash of a hundred million fields passes through a buffer of a few hundred kilobytes.
//!
//! | file | what |
//! |---|---|
//! | `blob` | values that are one packed blob, of every age |
//! | `list`, `set`, `zset`, `hash` | values element by element |
//! | `text` | long strings |
//! | `stream` | streams of the five versions |
//! | `module` | values of modules: stepped over |
//!
//! Invariants
//! 1. A step changes what it builds only when the whole piece is there, and commits the piece at once (or some
//!    together: `Members`): an attempt that ended early is repeated from the first piece that was not used.
//! 2. An announced count is a hint for the size of a table (`Around::expected`), never more.
//! 3. A blob of others is checked before it is used; what stands twice in a collection is a fault.

mod blob;
mod hash;
pub(super) mod list;
mod module;
mod set;
pub(super) mod stream;
mod text;
mod zset;

use super::cursor::{Cursor, Stop};
use super::error::Fault;
use super::types::Form;
use crate::encoding::dict::BATCH;
use crate::object::{Corrupt, Depth, Object, Rules};
use blob::BlobBuild;
use hash::HashBuild;
use list::ListBuild;
use module::ModuleBuild;
use set::SetBuild;
use stream::StreamBuild;
use text::TextBuild;
use zset::ZsetBuild;

/// What values are built with.
pub(super) struct Around<'a> {
    pub(super) rules: &'a Rules,
    pub(super) depth: Depth,
    /// Fields of hashes that expired before are dropped. None: kept.
    pub(super) now_ms: Option<i64>,
    /// How many more bytes may come, as far as anybody knows.
    pub(super) input_bytes: u64,
    pub(super) scratch: &'a mut Scratch,
}

/// Room for compressed texts.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) first: Vec<u8>,
    pub(super) second: Vec<u8>,
}

impl Around<'_> {
    /// How many of `announced` elements to make room for: as many as are in the bytes that are to come, if they take
    /// `bytes_each`.
    fn expected(&self, announced: u64, bytes_each: u64, cursor: &Cursor<'_>) -> usize {
        let possible = self.input_bytes.max(cursor.rest_len() as u64) / bytes_each;
        announced.min(possible) as usize
    }
}

/// A value whose elements are told apart by their names, and are taken in together: their cache misses overlap.
trait Members {
    /// What a name that comes twice is.
    const TWICE: &'static str;

    /// Takes one element; where its name stands if the element must be settled.
    fn push(&mut self, cursor: &mut Cursor<'_>, around: &mut Around<'_>) -> Result<Option<usize>, Stop>;
    /// Takes in what was pushed. Err: the place of an element that is there already among those that were.
    fn settle(&mut self) -> Result<(), usize>;

    /// Takes the elements that are there, out of `left` ones.
    fn take(&mut self, left: &mut u64, cursor: &mut Cursor<'_>, around: &mut Around<'_>) -> Result<(), Stop> {
        while *left > 0 {
            let mut names = [0; BATCH];
            let (mut pushed, mut end, mut stopped) = (0, cursor.at(), Ok(()));
            let before = *left;
            while *left > 0 && before - *left < BATCH as u64 {
                match self.push(cursor, around) {
                    Ok(Some(name)) => {
                        names[pushed] = name;
                        pushed += 1;
                    }
                    Ok(None) => {}
                    Err(stop) => {
                        stopped = Err(stop);
                        break;
                    }
                }
                *left -= 1;
                end = cursor.at();
            }
            if let Err(place) = self.settle() {
                return cursor.fault(names[place], Fault::Corrupt(Self::TWICE));
            }
            cursor.commit_to(end);
            stopped?;
        }
        Ok(())
    }
}

/// A value that was read to its end.
pub(super) enum Built {
    Object(Object),
    /// A string.
    Text(Vec<u8>),
    /// A collection without elements: no value.
    Empty,
    /// All its elements had expired.
    Expired,
    /// A module's value was stepped over.
    Module {
        module_id: u64,
        /// Its bytes, after `keep_raw`.
        raw: Option<Vec<u8>>,
    },
}

/// A value under construction.
pub(super) enum Build {
    Blob(BlobBuild),
    List(ListBuild),
    Set(SetBuild),
    Zset(ZsetBuild),
    Hash(HashBuild),
    Stream(Box<StreamBuild>),
    Module(ModuleBuild),
    Text(TextBuild),
}

impl Build {
    pub(super) fn new(form: Form) -> Build {
        match form {
            Form::Blob(blob) => Build::Blob(BlobBuild::new(blob)),
            Form::List(nodes) => Build::List(ListBuild::new(nodes)),
            Form::Set => Build::Set(SetBuild::default()),
            Form::Zset(scores) => Build::Zset(ZsetBuild::new(scores)),
            Form::Hash(expiries) => Build::Hash(HashBuild::new(expiries)),
            Form::Stream(version) => Build::Stream(Box::new(StreamBuild::new(version))),
            Form::Module => Build::Module(ModuleBuild::default()),
        }
    }

    /// A string of `len` bytes.
    pub(super) fn text(len: u64) -> Build {
        Build::Text(TextBuild::new(len))
    }

    /// The bytes of a module's value are wanted.
    pub(super) fn keep_raw(&mut self) {
        if let Build::Module(build) = self {
            build.keep_raw();
        }
    }

    /// Takes the pieces that are there. Ok: the value ends here.
    pub(super) fn step(&mut self, cursor: &mut Cursor<'_>, around: &mut Around<'_>) -> Result<(), Stop> {
        match self {
            Build::Blob(build) => build.step(cursor, around),
            Build::List(build) => build.step(cursor, around),
            Build::Set(build) => build.step(cursor, around),
            Build::Zset(build) => build.step(cursor, around),
            Build::Hash(build) => build.step(cursor, around),
            Build::Stream(build) => build.step(cursor, around),
            Build::Module(build) => build.step(cursor),
            Build::Text(build) => build.step(cursor, around),
        }
    }

    /// The value, after the step that ended it.
    pub(super) fn finish(self) -> Built {
        match self {
            Build::Blob(build) => build.finish(),
            Build::List(build) => build.finish(),
            Build::Set(build) => build.finish(),
            Build::Zset(build) => build.finish(),
            Build::Hash(build) => build.finish(),
            Build::Stream(build) => build.finish(),
            Build::Module(build) => build.finish(),
            Build::Text(build) => build.finish(),
        }
    }
}

/// A collection: nothing, if it has no elements.
fn collection(object: Object) -> Built {
    if object.is_empty() { Built::Empty } else { Built::Object(object) }
}

/// The fault of a piece that began at `at`.
fn corrupt<T>(at: usize, Corrupt(reason): Corrupt) -> Result<T, Stop> {
    Err(Stop::Fault { at, fault: Fault::Corrupt(reason) })
}
