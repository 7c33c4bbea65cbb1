//! The patterns of BY and GET: which value belongs to an element.
//!
//! ```text
//!  #              the element itself
//!  weight_*       the string at the key that has the element in place of the first *
//!  user_*->age    the field of the hash at that key
//!  other          nothing
//! ```

use crate::base::argv::Argv;
use crate::encoding::listpack::{Digits, Element};
use crate::keyspace::{StrView, Tx};
use crate::object::Hash;
use crate::spec::error::until_nul;

/// A pattern that makes a key of each element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyPattern<'a> {
    before: &'a [u8],
    after: &'a [u8],
    field: Option<&'a [u8]>,
}

/// A pattern of GET.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pattern<'a> {
    Element,
    Key(KeyPattern<'a>),
    Nothing,
}

impl<'a> Pattern<'a> {
    pub(super) fn of(text: &'a [u8]) -> Pattern<'a> {
        if until_nul(text) == b"#" {
            return Pattern::Element;
        }
        KeyPattern::of(text).map_or(Pattern::Nothing, Pattern::Key)
    }
}

impl<'a> KeyPattern<'a> {
    /// `None` without a star. (Redis looks for star and arrow in front of a NUL only.)
    pub(super) fn of(text: &'a [u8]) -> Option<KeyPattern<'a>> {
        const ARROW: &[u8] = b"->";
        let visible = until_nul(text);
        let star = visible.iter().position(|byte| *byte == b'*')?;
        let (before, rest) = (&text[..star], &text[star + 1..]);
        let arrow = until_nul(rest).windows(ARROW.len()).position(|window| window == ARROW);
        let (after, field) = match arrow {
            Some(at) if !until_nul(&rest[at + ARROW.len()..]).is_empty() => {
                (&rest[..at], Some(&rest[at + ARROW.len()..]))
            }
            _ => (rest, None),
        };
        Some(KeyPattern { before, after, field })
    }

    /// The key of `element`, written over `key`.
    fn write_key(&self, element: Element<'_>, key: &mut Vec<u8>) {
        key.clear();
        key.extend_from_slice(self.before);
        key.extend_from_slice(element.text(&mut Digits::default()));
        key.extend_from_slice(self.after);
    }
}

/// Values to look up, each by a pattern and an element.
pub(super) struct Lookups<'p> {
    keys: Argv,
    fields: Vec<Option<&'p [u8]>>,
    key: Vec<u8>,
}

impl<'p> Lookups<'p> {
    pub(super) fn new() -> Self {
        Lookups { keys: Argv::new(), fields: Vec::new(), key: Vec::new() }
    }

    pub(super) fn push(&mut self, pattern: &KeyPattern<'p>, element: Element<'_>) {
        pattern.write_key(element, &mut self.key);
        self.keys.push(&self.key);
        self.fields.push(pattern.field);
    }

    /// Calls `visit` with each value in the order in which they were pushed, and forgets them. The lookups overlap.
    pub(super) fn run(&mut self, tx: &mut Tx<'_>, mut visit: impl FnMut(Option<Element<'_>>)) {
        let mut fields = self.fields.iter();
        tx.for_keys(self.keys.args().iter(), |tx, key| {
            let field = fields.next().copied().flatten();
            visit(look_up(tx, key, field));
        });
        self.fields.clear();
        self.keys.clear();
    }
}

/// The string at `key`, or a field of the hash at `key`; nothing when something else is there.
fn look_up<'t>(tx: &'t mut Tx<'_>, key: &[u8], field: Option<&[u8]>) -> Option<Element<'t>> {
    let Some(field) = field else {
        return match tx.read_str(key).ok()?? {
            StrView::Int(value) => Some(Element::Int(value)),
            StrView::Bytes(bytes) => Some(Element::Bytes(bytes)),
        };
    };
    let now_ms = tx.now_ms;
    tx.read::<Hash>(key).ok()??.get(field, now_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_cut_at_the_first_star_and_arrow() {
        let key = |before: &'static str, after: &'static str, field: Option<&'static str>| {
            let (before, after, field) = (before.as_bytes(), after.as_bytes(), field.map(str::as_bytes));
            Pattern::Key(KeyPattern { before, after, field })
        };
        for (text, pattern) in [
            ("#", Pattern::Element),
            ("#\0x", Pattern::Element),
            ("##", Pattern::Nothing),
            ("", Pattern::Nothing),
            ("a->b", Pattern::Nothing),
            ("a\0*", Pattern::Nothing),
            ("*", key("", "", None)),
            ("w_*", key("w_", "", None)),
            ("a*b*c", key("a", "b*c", None)),
            ("a->b*c", key("a->b", "c", None)),
            ("u_*_x->age", key("u_", "_x", Some("age"))),
            ("u_*->a->b", key("u_", "", Some("a->b"))),
            ("u_*->", key("u_", "->", None)),
            ("u_*\0->f", key("u_", "\0->f", None)),
            ("u_*->f\0g", key("u_", "", Some("f\0g"))),
        ] {
            assert_eq!(Pattern::of(text.as_bytes()), pattern, "{text:?}");
        }
    }
}
