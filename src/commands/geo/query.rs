//! The arguments of the searches, as far as they do not depend on the sorted set.
//!
//! ```text
//! GEORADIUS[_RO]          key longitude latitude radius unit      options
//! GEORADIUSBYMEMBER[_RO]  key member radius unit                  options
//! GEOSEARCH               key                                     options, and from where and what among them
//! GEOSEARCHSTORE          destination key                         options, and from where and what among them
//! ```
//! A member that is searched around is looked up where it stands among the arguments, so that of several errors the
//! same one is answered as by redis-server. Around a member of an absent key nothing is looked up or checked further.

use super::arguments::{extents, place, radius, unit};
use crate::base::argv::Args;
use crate::object::ZsetView;
use crate::object::geo::{Area, Place, Polygon, Shape, Unit, place_of_score};
use crate::spec::CommandError;
use crate::spec::args::{Options, integer, integer_in, is_word};

/// Which command it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Radius,
    RadiusReadOnly,
    RadiusByMember,
    RadiusByMemberReadOnly,
    Search,
    SearchStore,
}

impl Form {
    /// Where the searched key stands.
    pub(super) fn key(self) -> usize {
        if self == Form::SearchStore { 2 } else { 1 }
    }

    /// Where the options begin.
    fn options(self) -> usize {
        match self {
            Form::Radius | Form::RadiusReadOnly => 6,
            Form::RadiusByMember | Form::RadiusByMemberReadOnly => 5,
            Form::Search => 2,
            Form::SearchStore => 3,
        }
    }

    fn is_search(self) -> bool {
        matches!(self, Form::Search | Form::SearchStore)
    }

    fn may_store(self) -> bool {
        matches!(self, Form::Radius | Form::RadiusByMember)
    }
}

/// The order of the results by distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Nearest,
    Farthest,
}

/// How many results are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    All,
    /// The first ones in order; the nearest ones when no order is asked for.
    First(usize),
    /// The ones that are found first.
    Any(usize),
}

/// What becomes the scores of the stored results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StoredScore {
    Place,
    Distance,
}

/// What is answered besides the member.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shown {
    pub(super) distance: bool,
    pub(super) score: bool,
    pub(super) place: bool,
}

impl Shown {
    pub(super) fn count(self) -> usize {
        usize::from(self.distance) + usize::from(self.score) + usize::from(self.place)
    }
}

pub(super) struct Query<'a> {
    /// `None` when the key is absent.
    pub(super) area: Option<Area>,
    pub(super) shown: Shown,
    pub(super) order: Option<Order>,
    pub(super) count: Count,
    pub(super) store: Option<(&'a [u8], StoredScore)>,
}

/// From where is searched.
#[derive(Clone, Copy)]
enum From {
    Place(Place),
    /// Of a key that is absent.
    Nowhere,
}

/// The word that said what is searched; words of different kinds exclude each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Radius,
    Box,
    Polygon,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum FromKind {
    Member,
    Place,
}

struct Parser<'a, 'z> {
    form: Form,
    zset: Option<ZsetView<'z>>,
    options: Options<'a>,
    from: Option<(FromKind, From)>,
    shape: Option<(Kind, Shape, Unit)>,
    shown: Shown,
    order: Option<Order>,
    count: Option<usize>,
    is_any: bool,
    store: Option<&'a [u8]>,
    stored_score: StoredScore,
}

impl<'a> Query<'a> {
    /// `zset` is what the searched key holds.
    pub(super) fn parse(
        form: Form,
        args: Args<'a>,
        zset: Option<ZsetView<'_>>,
    ) -> Result<Query<'a>, CommandError> {
        let mut parser = Parser {
            form,
            zset,
            options: Options::new(args, form.options()),
            from: None,
            shape: None,
            shown: Shown::default(),
            order: None,
            count: None,
            is_any: false,
            store: (form == Form::SearchStore).then(|| args.at(1)),
            stored_score: StoredScore::Place,
        };
        parser.fixed_arguments(args)?;
        while let Some(word) = parser.options.next_argument() {
            if !parser.common_option(word)? && !parser.store_option(word)? && !parser.search_option(word)? {
                return Err(CommandError::Syntax);
            }
        }
        parser.finish(args)
    }
}

impl<'a> Parser<'a, '_> {
    /// The place and the radius of the older commands.
    fn fixed_arguments(&mut self, args: Args<'a>) -> Result<(), CommandError> {
        let (kind, from, next) = match self.form {
            Form::Search | Form::SearchStore => return Ok(()),
            Form::Radius | Form::RadiusReadOnly => {
                (FromKind::Place, From::Place(place(args.at(2), args.at(3))?), 4)
            }
            Form::RadiusByMember | Form::RadiusByMemberReadOnly => {
                let from = self.member(args.at(2))?;
                if matches!(from, From::Nowhere) {
                    return Ok(());
                }
                (FromKind::Member, from, 3)
            }
        };
        self.from = Some((kind, from));
        let radius = radius(args.at(next))?;
        self.shape = Some((Kind::Radius, Shape::Circle { radius }, unit(args.at(next + 1))?));
        Ok(())
    }

    fn member(&self, member: &[u8]) -> Result<From, CommandError> {
        match self.zset {
            None => Ok(From::Nowhere),
            Some(zset) => {
                let score = zset.score(member).ok_or(CommandError::GeoMember)?;
                Ok(From::Place(place_of_score(score)))
            }
        }
    }

    /// Takes a word that every search knows; `false` when it is another.
    fn common_option(&mut self, word: &[u8]) -> Result<bool, CommandError> {
        if is_word(word, "WITHDIST") {
            self.shown.distance = true;
        } else if is_word(word, "WITHHASH") {
            self.shown.score = true;
        } else if is_word(word, "WITHCOORD") {
            self.shown.place = true;
        } else if is_word(word, "ANY") {
            self.is_any = true;
        } else if is_word(word, "ASC") {
            self.order = Some(Order::Nearest);
        } else if is_word(word, "DESC") {
            self.order = Some(Order::Farthest);
        } else if is_word(word, "COUNT") && self.options.left() >= 1 {
            let count = integer(self.options.value()?)?;
            let count = usize::try_from(count).ok().filter(|count| *count > 0);
            self.count = Some(count.ok_or(CommandError::GeoCount)?);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn store_option(&mut self, word: &[u8]) -> Result<bool, CommandError> {
        let is_distance = is_word(word, "STOREDIST");
        if is_distance && self.form == Form::SearchStore {
            self.stored_score = StoredScore::Distance;
        } else if self.form.may_store() && self.options.left() >= 1 && (is_distance || is_word(word, "STORE"))
        {
            self.store = Some(self.options.value()?);
            self.stored_score = if is_distance { StoredScore::Distance } else { StoredScore::Place };
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// From where and what, of the newer commands.
    fn search_option(&mut self, word: &[u8]) -> Result<bool, CommandError> {
        if !self.form.is_search() {
            return Ok(false);
        }
        let from = self.from.map(|(kind, _)| kind);
        let kind = self.shape.as_ref().map(|(kind, ..)| *kind);
        let left = self.options.left();
        let may_be_from = |given| kind != Some(Kind::Polygon) && from.is_none_or(|from| from == given);
        let may_be = |given| kind.is_none_or(|kind| kind == given);
        if is_word(word, "FROMMEMBER") && left >= 1 && may_be_from(FromKind::Member) {
            let member = self.options.value()?;
            self.from = Some((FromKind::Member, self.member(member)?));
        } else if is_word(word, "FROMLONLAT") && left >= 2 && may_be_from(FromKind::Place) {
            let place = place(self.options.value()?, self.options.value()?)?;
            self.from = Some((FromKind::Place, From::Place(place)));
        } else if is_word(word, "BYRADIUS") && left >= 2 && may_be(Kind::Radius) {
            let radius = radius(self.options.value()?)?;
            self.shape = Some((Kind::Radius, Shape::Circle { radius }, unit(self.options.value()?)?));
        } else if is_word(word, "BYBOX") && left >= 3 && may_be(Kind::Box) {
            let (width, height) = extents(self.options.value()?, self.options.value()?)?;
            self.shape = Some((Kind::Box, Shape::Box { width, height }, unit(self.options.value()?)?));
        } else if is_word(word, "BYPOLYGON") && left >= 1 && from.is_none() && may_be(Kind::Polygon) {
            self.shape = Some((Kind::Polygon, Shape::Polygon(self.polygon()?), Unit::Metre));
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn polygon(&mut self) -> Result<Polygon, CommandError> {
        const VERTICES_MAX: i64 = i32::MAX as i64;
        let count = integer_in(self.options.value()?, 1..=VERTICES_MAX, CommandError::GeoVertices)
            .map_err(|_| CommandError::GeoVertices)? as usize;
        if count < Polygon::VERTICES_MIN {
            return Err(CommandError::GeoVerticesFew);
        }
        if self.options.left() / 2 < count {
            return Err(CommandError::Syntax);
        }
        let vertices = (0..count).map(|_| place(self.options.value()?, self.options.value()?));
        Polygon::new(vertices.collect::<Result<_, _>>()?).ok_or(CommandError::GeoVerticesFew)
    }

    fn finish(self, args: Args<'a>) -> Result<Query<'a>, CommandError> {
        if self.store.is_some() && self.shown.count() > 0 {
            let command = if self.form.is_search() { "GEOSEARCHSTORE" } else { "STORE option in GEORADIUS" };
            let options = "is not compatible with WITHDIST, WITHHASH and WITHCOORD options";
            return Err(CommandError::text(format!("ERR {command} {options}")));
        }
        let kind = self.shape.as_ref().map(|(kind, ..)| *kind);
        if self.form.is_search() && self.from.is_none() && kind != Some(Kind::Polygon) {
            let before = "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ";
            return Err(CommandError::quoting(before, args.at(0), ""));
        }
        if self.form.is_search() && kind.is_none() {
            let before = "ERR exactly one of BYRADIUS and BYBOX can be specified for ";
            return Err(CommandError::quoting(before, args.at(0), ""));
        }
        let count = match (self.count, self.is_any) {
            (None, true) => return Err(CommandError::GeoAnyWithoutCount),
            (None, false) => Count::All,
            (Some(count), true) => Count::Any(count),
            (Some(count), false) => Count::First(count),
        };
        // The nearest few can only be told when all are sorted.
        let order = match (self.order, count) {
            (None, Count::First(_)) => Some(Order::Nearest),
            (order, _) => order,
        };
        let stored_score = self.stored_score;
        Ok(Query {
            area: area(self.from.map(|(_, from)| from), self.shape),
            shown: self.shown,
            order,
            count,
            store: self.store.map(|key| (key, stored_score)),
        })
    }
}

fn area(from: Option<From>, shape: Option<(Kind, Shape, Unit)>) -> Option<Area> {
    let (_, shape, unit) = shape?;
    let center = match (&shape, from) {
        (Shape::Polygon(polygon), _) => polygon.center(),
        (_, Some(From::Place(place))) => place,
        (_, Some(From::Nowhere) | None) => return None,
    };
    Some(Area { center, shape, unit })
}
