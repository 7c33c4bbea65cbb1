//! The elements that are sorted: copied, so that other keys can be looked up meanwhile.

use super::request::{By, Direction, Request};
use crate::encoding::listpack::Element;
use crate::encoding::prefetch::prefetch;
use crate::encoding::quicklist;
use crate::keyspace::Seen;
use crate::object::zset::Order;
use crate::object::{ListView, SetView, View, ZsetView};
use crate::spec::CommandError;
use std::ops::{ControlFlow, Range};

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
            Some(Seen::Str(_) | Seen::Object(View::Hash(_) | View::Stream(_))) => {
                Err(CommandError::WrongType)
            }
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

    /// The elements, and which of them are wanted when they are sorted. Of a list or a sorted set that stays as it is
    /// only the wanted ones are loaded, from its end if descending.
    pub(super) fn load(self, request: &Request<'_>) -> (Elements, Range<usize>) {
        let window = request.window(self.len());
        if self.is_set() || !matches!(request.by, By::Nothing) {
            return (self.part(0..self.len(), Direction::Ascending), window);
        }
        let elements = self.part(window, request.direction);
        let wanted = 0..elements.len();
        (elements, wanted)
    }

    /// The elements at `places` as counted from where `direction` begins. (A set has no direction.)
    fn part(self, places: Range<usize>, direction: Direction) -> Elements {
        let mut elements = Elements::with_capacity(places.len());
        match self {
            Source::Absent => {}
            Source::Set(set) => set.iter().for_each(|member| elements.push(member)),
            Source::Zset(zset) => {
                let order = match direction {
                    Direction::Ascending => Order::Ascending,
                    Direction::Descending => Order::Descending,
                };
                let members = zset.entries(places.start, places.len(), order);
                members.for_each(|(member, _)| elements.push(member));
            }
            Source::List(list) if !places.is_empty() => {
                let (first, direction) = match direction {
                    Direction::Ascending => (places.start, quicklist::Direction::Forward),
                    Direction::Descending => (list.len() - 1 - places.start, quicklist::Direction::Backward),
                };
                let _ = list.visit(first, direction, |element| {
                    elements.push(element);
                    if elements.len() < places.len() {
                        ControlFlow::Continue(())
                    } else {
                        ControlFlow::Break(())
                    }
                });
            }
            Source::List(_) => {}
        }
        elements
    }
}

/// Elements in one buffer; integers lie in their places.
#[derive(Default)]
pub(super) struct Elements {
    bytes: Vec<u8>,
    places: Vec<Placed>,
}

enum Placed {
    Int(i64),
    Bytes { start: usize, end: usize },
}

impl Elements {
    fn with_capacity(count: usize) -> Elements {
        Elements { bytes: Vec::new(), places: Vec::with_capacity(count) }
    }

    pub(super) fn push(&mut self, element: Element<'_>) {
        self.places.push(match element {
            Element::Int(value) => Placed::Int(value),
            Element::Bytes(bytes) => {
                let start = self.bytes.len();
                self.bytes.extend_from_slice(bytes);
                Placed::Bytes { start, end: self.bytes.len() }
            }
        });
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    #[inline]
    pub(super) fn at(&self, index: usize) -> Element<'_> {
        match self.places[index] {
            Placed::Int(value) => Element::Int(value),
            Placed::Bytes { start, end } => Element::Bytes(&self.bytes[start..end]),
        }
    }

    /// Asks for the memory that `at` will read.
    #[inline]
    pub(super) fn prefetch(&self, index: usize) {
        prefetch(&raw const self.places[index]);
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = Element<'_>> {
        (0..self.len()).map(|index| self.at(index))
    }
}
