//! The elements that are sorted.

use super::request::{By, Direction, Request};
use crate::encoding::listpack::Element;
use crate::keyspace::Seen;
use crate::object::{ListView, SetView, View, ZsetView};
use crate::spec::CommandError;
use std::ops::Range;

#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    Absent,
    List(ListView<'a>),
    Set(SetView<'a>),
    Zset(ZsetView<'a>),
}

impl<'a> Source<'a> {
    /// # Errors
    /// When the value is of a type that cannot be sorted.
    pub(super) fn of(seen: Option<Seen<'a>>) -> Result<Source<'a>, CommandError> {
        match seen {
            None => Ok(Source::Absent),
            Some(Seen::Object(View::List(list))) => Ok(Source::List(list)),
            Some(Seen::Object(View::Set(set))) => Ok(Source::Set(set)),
            Some(Seen::Object(View::Zset(zset))) => Ok(Source::Zset(zset)),
            Some(Seen::Str(_) | Seen::Object(View::Hash(_) | View::Stream(_))) => Err(CommandError::WrongType),
        }
    }

    pub(super) fn is_set(self) -> bool {
        matches!(self, Source::Set(_))
    }

    fn len(self) -> usize {
        match self {
            Source::Absent => 0,
            Source::List(list) => list.len(),
            Source::Set(set) => set.len(),
            Source::Zset(zset) => zset.len(),
        }
    }

    /// The elements, and which of them are wanted when they are sorted. Of a list or a sorted set that stays as it is only
    /// the wanted ones are loaded, from the end if descending.
    pub(super) fn load(self, request: &Request<'_>) -> (Vec<Element<'a>>, Range<usize>) {
        let window = request.window(self.len());
        if self.is_set() || !matches!(request.by, By::Nothing) {
            return (self.part(0..self.len(), Direction::Ascending), window);
        }
        let elements = self.part(window, request.direction);
        let wanted = 0..elements.len();
        (elements, wanted)
    }
}
