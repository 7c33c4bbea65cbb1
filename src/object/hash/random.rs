//! Random fields of a hash: what has expired is never among them.
//!
//! A packed hash is read as a whole and drawn from. A table is sampled, unless so many fields are wanted, or so many
//! have expired, that reading it as a whole is cheaper.

use super::{FieldView, HashView, packed};
use std::collections::BTreeSet;

/// Samples of a table for each field that is wanted, before it is read as a whole.
const TRIES_PER_FIELD: usize = 16;

/// So many times more fields than are wanted make sampling cheaper than reading all.
const SAMPLING_MIN_RATIO: usize = 3;

impl<'a> HashView<'a> {
    /// A random field.
    pub fn random(self, now_ms: i64, rng: &mut fastrand::Rng) -> Option<FieldView<'a>> {
        if let HashView::Packed(blob) = self {
            let fields = self.len();
            return (fields > 0).then(|| packed::pairs(blob).nth(rng.usize(..fields))).flatten();
        }
        if let Some(found) = self.sample(now_ms, rng) {
            return Some(found);
        }
        let alive = self.alive(now_ms);
        (!alive.is_empty()).then(|| alive[rng.usize(..alive.len())])
    }

    /// Shows `count` random fields, among which a field may stand several times. None if all have expired.
    pub fn random_with_repetition(
        self,
        count: usize,
        now_ms: i64,
        rng: &mut fastrand::Rng,
        visit: &mut dyn FnMut(FieldView<'a>),
    ) {
        let mut alive = Vec::new();
        for _ in 0..count {
            let sampled = if alive.is_empty() { self.sample(now_ms, rng) } else { None };
            if let Some(found) = sampled {
                visit(found);
                continue;
            }
            if alive.is_empty() {
                alive = self.alive(now_ms);
            }
            if alive.is_empty() {
                return;
            }
            visit(alive[rng.usize(..alive.len())]);
        }
    }

    /// Up to `count` random fields, each once; all in the order of the encoding when there are no more.
    pub fn random_distinct(self, count: usize, now_ms: i64, rng: &mut fastrand::Rng) -> Vec<FieldView<'a>> {
        if let HashView::Table(_) = self
            && count.saturating_mul(SAMPLING_MIN_RATIO) < self.len()
            && let Some(found) = self.sample_distinct(count, now_ms, rng)
        {
            return found;
        }
        let mut alive = self.alive(now_ms);
        if count < alive.len() {
            for place in 0..count {
                let other = rng.usize(place..alive.len());
                alive.swap(place, other);
            }
            alive.truncate(count);
        }
        alive
    }

    /// A random field of a table; `None` too when what was met had expired.
    fn sample(self, now_ms: i64, rng: &mut fastrand::Rng) -> Option<FieldView<'a>> {
        let HashView::Table(table) = self else { return None };
        (0..TRIES_PER_FIELD).find_map(|_| {
            let found = FieldView::from(table.fields().sample(rng)?);
            (!found.has_expired(now_ms)).then_some(found)
        })
    }

    /// `None` when too many tries met what had been met before, or had expired.
    fn sample_distinct(
        self,
        count: usize,
        now_ms: i64,
        rng: &mut fastrand::Rng,
    ) -> Option<Vec<FieldView<'a>>> {
        let HashView::Table(table) = self else { return None };
        let (mut found, mut met) = (Vec::with_capacity(count), BTreeSet::new());
        for _ in 0..count.saturating_mul(TRIES_PER_FIELD) {
            if found.len() == count {
                break;
            }
            let field = table.fields().sample(rng)?;
            let view = FieldView::from(field);
            if !view.has_expired(now_ms) && met.insert(field.name().as_ptr().addr()) {
                found.push(view);
            }
        }
        (found.len() == count).then_some(found)
    }

    /// Every field that has not expired.
    fn alive(self, now_ms: i64) -> Vec<FieldView<'a>> {
        let mut alive: Vec<FieldView<'a>> = match self {
            HashView::Packed(blob) => packed::pairs(blob).collect(),
            HashView::PackedTtl(blob) => packed::triples(blob).collect(),
            HashView::Table(table) => table.fields().iter().map(FieldView::from).collect(),
        };
        if self.has_expired_fields(now_ms) {
            alive.retain(|stored| !stored.has_expired(now_ms));
        }
        alive
    }
}
