//! Patterns of keys and channels, sorted out when they are set: most have a plain beginning and a star.

use crate::base::glob::{self, Case};
use crate::spec::KeyFlags;

/// A glob pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: Box<[u8]>,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// No byte of it is special.
    Literal,
    /// Plain but for one star at its end.
    Prefix,
    Glob,
}

impl Pattern {
    pub fn new(text: &[u8]) -> Self {
        let form = match text.split_last() {
            _ if !glob::has_wildcard(text) => Form::Literal,
            Some((b'*', prefix)) if !prefix.is_empty() && !glob::has_wildcard(prefix) => Form::Prefix,
            _ => Form::Glob,
        };
        Pattern { text: text.into(), form }
    }

    pub fn text(&self) -> &[u8] {
        &self.text
    }

    pub fn is_everything(&self) -> bool {
        *self.text == *b"*"
    }

    #[inline]
    pub fn matches(&self, name: &[u8]) -> bool {
        match self.form {
            Form::Literal => *self.text == *name,
            Form::Prefix => name.starts_with(&self.text[..self.text.len() - 1]),
            Form::Glob => glob::matches(&self.text, name, Case::Sensitive),
        }
    }
}

/// What may be done, or is to be done, with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct KeyAccess(u8);

impl KeyAccess {
    pub const READ: KeyAccess = KeyAccess(1);
    pub const WRITE: KeyAccess = KeyAccess(2);
    pub const FULL: KeyAccess = KeyAccess(3);

    pub const fn or(self, other: KeyAccess) -> KeyAccess {
        KeyAccess(self.0 | other.0)
    }

    /// Whether all of `other` is in this.
    pub const fn holds(self, other: KeyAccess) -> bool {
        self.0 & other.0 == other.0
    }

    /// What a command needs that does this with a key; nothing when it only looks whether there is one, or how large:
    /// then any access will do.
    #[inline]
    pub const fn needed(flags: KeyFlags) -> KeyAccess {
        const WRITES: KeyFlags = KeyFlags::INSERT.or(KeyFlags::DELETE).or(KeyFlags::UPDATE);
        let read = if flags.has(KeyFlags::ACCESS) { KeyAccess::READ } else { KeyAccess(0) };
        if flags.has(WRITES) { read.or(KeyAccess::WRITE) } else { read }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPattern {
    pub pattern: Pattern,
    pub access: KeyAccess,
}

impl KeyPattern {
    /// The sign in front of the pattern in a rule: `~`, `%R~` or `%W~`.
    pub fn sign(&self) -> &'static [u8] {
        match self.access {
            KeyAccess::READ => b"%R~",
            KeyAccess::WRITE => b"%W~",
            _ => b"~",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn forms_are_only_faster(text in "[ab*?\\\\\\[\\]]{0,6}", name in "[ab*]{0,5}") {
            let pattern = Pattern::new(text.as_bytes());
            prop_assert_eq!(
                pattern.matches(name.as_bytes()),
                glob::matches(text.as_bytes(), name.as_bytes(), Case::Sensitive)
            );
        }
    }

    #[test]
    fn needs_follow_from_what_is_done() {
        let needed = KeyAccess::needed;
        assert_eq!(needed(KeyFlags::RO.or(KeyFlags::ACCESS)), KeyAccess::READ);
        assert_eq!(needed(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::DELETE)), KeyAccess::FULL);
        assert_eq!(needed(KeyFlags::OW.or(KeyFlags::INSERT)), KeyAccess::WRITE);
        assert!(KeyAccess::READ.holds(needed(KeyFlags::RO)), "any access is enough to look");
    }
}
