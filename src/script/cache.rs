//! The scripts that are known by their SHA-1.
//!
//! ```text
//!   EVAL     body ── xxh3 ──▶ bodies ──▶ digest, when the body there is the same: SHA-1 takes ten times as long
//!   EVALSHA  digest ────────▶ scripts ──▶ body, flags, function
//!                             passing ──▶ digests of those that EVAL brought, each with when it was last used
//! ```
//! What EVAL brought is kept until `PASSING_MAX` others were used after it: clients that write arguments into their
//! scripts would fill the memory. What SCRIPT LOAD brought stays.
//!
//! Invariants
//! 1. A digest in `bodies` or in `passing` is one in `scripts`.
//! 2. A script's place in `passing` is the one it knows.
//! 3. Who takes a script out of here releases its function.

use super::flags::ScriptFlags;
use super::lua::Reference;
use crate::spec::CommandError;
use sha1_smol::Sha1;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use xxhash_rust::xxh3::xxh3_64;

/// The SHA-1 of a script's body.
pub type Digest = [u8; 20];

/// So many scripts that EVAL brought are kept, as in Redis 7.4.
pub const PASSING_MAX: usize = 500;

/// A script that was compiled.
#[derive(Debug)]
pub struct Script {
    pub body: Box<[u8]>,
    pub function: Reference,
    pub flags: ScriptFlags,
    /// Its place among those that pass; `None`: it stays.
    passing: Option<usize>,
}

/// How long a script is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Until others push it out.
    Passing,
    /// Until SCRIPT FLUSH.
    Always,
}

/// A script that may be pushed out.
#[derive(Debug)]
struct Passing {
    digest: Digest,
    used: u64,
}

#[derive(Default)]
pub struct Cache {
    scripts: HashMap<Digest, Script, BuildHasherDefault<FirstBytes>>,
    /// One digest for each hash of a body.
    bodies: HashMap<u64, Digest, BuildHasherDefault<FirstBytes>>,
    passing: Vec<Passing>,
    /// Counts uses.
    clock: u64,
    /// Scripts whose flags are told.
    told: usize,
    body_bytes: usize,
}

impl Cache {
    #[inline]
    pub fn get(&self, digest: &Digest) -> Option<&Script> {
        self.scripts.get(digest)
    }

    /// The script that will run now, which was used last from now on.
    #[inline]
    pub fn touch(&mut self, digest: &Digest) -> Option<&Script> {
        let script = self.scripts.get(digest)?;
        if let Some(place) = script.passing {
            self.clock += 1;
            self.passing[place].used = self.clock;
        }
        Some(script)
    }

    /// The digest of a body, when the script is here; cheaper than to calculate it.
    #[inline]
    pub fn find_body(&self, body: &[u8]) -> Option<Digest> {
        let digest = *self.bodies.get(&xxh3_64(body))?;
        (*self.scripts.get(&digest)?.body == *body).then_some(digest)
    }

    /// Adds a script that is not here. The one that it pushes out is to be released.
    #[must_use]
    pub fn insert(&mut self, digest: Digest, source: Source<'_>, keep: Keep) -> Option<Script> {
        let Source { body, function, flags } = source;
        let pushed_out = if keep == Keep::Passing { self.make_room() } else { None };
        let passing = (keep == Keep::Passing).then_some(self.passing.len());
        if passing.is_some() {
            self.clock += 1;
            self.passing.push(Passing { digest, used: self.clock });
        }
        self.body_bytes += body.len();
        self.told += usize::from(flags.is_told());
        self.bodies.insert(xxh3_64(body), digest);
        let before = self.scripts.insert(digest, Script { body: body.into(), function, flags, passing });
        debug_assert!(before.is_none(), "it was not here");
        pushed_out
    }

    /// From now on the script stays.
    pub fn keep_always(&mut self, digest: &Digest) {
        let place = self.scripts.get_mut(digest).and_then(|script| script.passing.take());
        if let Some(place) = place {
            self.forget_place(place);
        }
    }

    fn make_room(&mut self) -> Option<Script> {
        if self.passing.len() < PASSING_MAX {
            return None;
        }
        let oldest = (0..self.passing.len()).min_by_key(|place| self.passing[*place].used)?;
        let digest = self.forget_place(oldest);
        let script = self.scripts.remove(&digest)?;
        let hash = xxh3_64(&script.body);
        if self.bodies.get(&hash) == Some(&digest) {
            self.bodies.remove(&hash);
        }
        self.body_bytes -= script.body.len();
        self.told -= usize::from(script.flags.is_told());
        Some(script)
    }

    /// The last one takes the place that becomes free.
    fn forget_place(&mut self, place: usize) -> Digest {
        let digest = self.passing.swap_remove(place).digest;
        let moved = self.passing.get(place).map(|moved| moved.digest);
        if let Some(script) = moved.and_then(|moved| self.scripts.get_mut(&moved)) {
            script.passing = Some(place);
        }
        digest
    }

    pub fn len(&self) -> usize {
        self.scripts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.scripts.is_empty()
    }

    /// Whether any script has told its flags.
    #[inline]
    pub fn has_told_flags(&self) -> bool {
        self.told > 0
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Digest, &Script)> {
        self.scripts.iter()
    }

    /// Bytes that the scripts take here, without what the interpreter has made of them.
    pub fn heap_bytes(&self) -> usize {
        // A hash map keeps an eighth free, and a byte of its own for each place.
        let table = |capacity: usize, entry: usize| capacity * 8 / 7 * (entry + 1);
        table(self.scripts.capacity(), size_of::<(Digest, Script)>())
            + table(self.bodies.capacity(), size_of::<(u64, Digest)>())
            + self.passing.capacity() * size_of::<Passing>()
            + self.body_bytes
    }
}

/// What a script is made of.
#[derive(Debug)]
pub struct Source<'a> {
    pub body: &'a [u8],
    pub function: Reference,
    pub flags: ScriptFlags,
}

/// A digest is as good as random; so is a hash. Who finds bodies with the same first bytes of their SHA-1 fills one
/// group of a table with what he has stored there himself.
#[derive(Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    #[inline]
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    /// The length of an array comes before its bytes.
    #[inline]
    fn write_usize(&mut self, _length: usize) {}
}

pub fn digest(body: &[u8]) -> Digest {
    Sha1::from(body).digest().bytes()
}

/// The digest that 40 hexadecimal digits name.
pub fn parse_digest(text: &[u8]) -> Option<Digest> {
    if text.len() != 40 {
        return None;
    }
    let mut digest = [0; 20];
    for (byte, pair) in digest.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(digest)
}

#[inline]
fn digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// A digest as 40 hexadecimal digits in lower case.
pub fn digest_text(digest: &Digest) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// The digest of a script that is here.
///
/// # Errors
/// NOSCRIPT.
pub fn known(cache: &Cache, text: &[u8]) -> Result<Digest, CommandError> {
    parse_digest(text).filter(|digest| cache.get(digest).is_some()).ok_or(CommandError::NoScript)
}
