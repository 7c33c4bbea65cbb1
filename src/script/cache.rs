//! The scripts that are known by their SHA-1.

use super::lua::Reference;
use sha1_smol::Sha1;
use std::collections::BTreeMap;

/// The SHA-1 of a script's body.
pub type Digest = [u8; 20];

/// A script that was compiled.
#[derive(Debug)]
pub struct Script {
    pub body: Box<[u8]>,
    pub function: Reference,
}

#[derive(Default)]
pub struct Cache {
    scripts: BTreeMap<Digest, Script>,
}

impl Cache {
    pub fn get(&self, digest: &Digest) -> Option<&Script> {
        self.scripts.get(digest)
    }

    pub fn insert(&mut self, digest: Digest, script: Script) {
        self.scripts.insert(digest, script);
    }

    pub fn len(&self) -> usize {
        self.scripts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.scripts.is_empty()
    }
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
        let [high, low] = [pair[0], pair[1]].map(|digit| char::from(digit).to_digit(16));
        *byte = (high? * 16 + low?) as u8;
    }
    Some(digest)
}

/// A digest as 40 hexadecimal digits in lower case.
pub fn digest_text(digest: &Digest) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
