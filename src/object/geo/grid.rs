//! The grid: places to cells and back, neighbours, ranges of scores, and the geohash that people exchange.
//!
//! ```text
//!  score of step 26, and of a coarser step s < 26 shifted left by 52 - 2s:
//!  bit 51                                   bit 0
//!  [ column 25 | row 25 | column 24 | ... | row 0 ]
//! ```
//! The place on the far edge (longitude 180, latitude 85.05112878) lies in column or row 2^step, one beyond the grid:
//! its score has bit 53 or 52 set. Redis writes and reads such scores, and so does this.

use super::{LATITUDE_MAX, LONGITUDE_MAX, Place};
use std::ops::Range;

/// The finest grid has 2^26 columns and rows: a cell is at most 0.6 m wide.
pub(super) const STEP_MAX: u32 = 26;
const SCORE_BITS: u32 = 2 * STEP_MAX;

const LONGITUDES: Span = Span { min: -LONGITUDE_MAX, max: LONGITUDE_MAX };
const LATITUDES: Span = Span { min: -LATITUDE_MAX, max: LATITUDE_MAX };
/// Geohashes that people exchange go from pole to pole.
const LATITUDES_OF_GEOHASH: Span = Span { min: -90.0, max: 90.0 };

/// Which degrees the slices of the grid share out.
#[derive(Clone, Copy)]
struct Span {
    min: f64,
    max: f64,
}

impl Span {
    fn length(self) -> f64 {
        self.max - self.min
    }

    /// The slice that `degrees` lies in when there are 2^step of them.
    fn slice(self, degrees: f64, step: u32) -> u32 {
        ((degrees - self.min) / self.length() * slices(step)) as u32
    }

    /// Where slice `index` begins.
    fn edge(self, index: u32, step: u32) -> f64 {
        self.min + (f64::from(index) / slices(step)) * self.length()
    }
}

fn slices(step: u32) -> f64 {
    (1_u64 << step) as f64
}

/// What a cell covers, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bounds {
    pub(super) west: f64,
    pub(super) south: f64,
    pub(super) east: f64,
    pub(super) north: f64,
}

impl Bounds {
    /// The middle; what lies beyond the grid counts as its edge.
    pub(super) fn center(self) -> Place {
        let longitude = (self.west + self.east) / 2.0;
        let latitude = (self.south + self.north) / 2.0;
        Place { longitude, latitude }.clamped()
    }
}

/// A cell of the grid of 2^step columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    column: u32,
    row: u32,
    step: u32,
}

/// A move to a neighbour along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    Stay,
    Up,
    Down,
}

impl Cell {
    pub(super) fn of(place: Place, step: u32) -> Cell {
        let column = LONGITUDES.slice(place.longitude, step);
        Cell { column, row: LATITUDES.slice(place.latitude, step), step }
    }

    /// The cell next to it, around the globe at the grid's edges (at the poles too).
    pub(super) fn neighbour(self, column: Move, row: Move) -> Cell {
        let mask = ((1_u64 << self.step) - 1) as u32;
        let moved = |slice: u32, step: Move| match step {
            Move::Stay => slice,
            Move::Up => slice.wrapping_add(1) & mask,
            Move::Down => slice.wrapping_sub(1) & mask,
        };
        Cell { column: moved(self.column, column), row: moved(self.row, row), step: self.step }
    }

    pub(super) fn bounds(self) -> Bounds {
        Bounds {
            west: LONGITUDES.edge(self.column, self.step),
            south: LATITUDES.edge(self.row, self.step),
            east: LONGITUDES.edge(self.column.wrapping_add(1), self.step),
            north: LATITUDES.edge(self.row.wrapping_add(1), self.step),
        }
    }

    fn bits(self) -> u64 {
        spread(self.row) | spread(self.column) << 1
    }

    /// The scores of all places in the cell.
    pub(super) fn scores(self) -> Range<f64> {
        let shift = SCORE_BITS - 2 * self.step;
        (self.bits() << shift) as f64..((self.bits() + 1) << shift) as f64
    }
}

/// The score of a place on the grid.
pub fn score_of_place(place: Place) -> f64 {
    Cell::of(place, STEP_MAX).bits() as f64
}

/// The place that a score stands for: the centre of its cell.
pub fn place_of_score(score: f64) -> Place {
    let bits = bits_of_score(score);
    Cell { column: gather(bits >> 1), row: gather(bits), step: STEP_MAX }.bounds().center()
}

/// What x86 makes of a double that is converted to 64 bits without a sign, as redis-server does: negative ones wrap
/// around, one beyond 2^64 is 0.
fn bits_of_score(score: f64) -> u64 {
    const HALF: f64 = 9_223_372_036_854_775_808.0;
    const OUT_OF_RANGE: u64 = 1 << 63;
    let signed = |value: f64| {
        if (-HALF..HALF).contains(&value) { (value as i64).cast_unsigned() } else { OUT_OF_RANGE }
    };
    if score < HALF { signed(score) } else { signed(score - HALF) ^ OUT_OF_RANGE }
}

/// The geohash of the place that `score` stands for: 11 characters. The last one says nothing, since 52 bits fill ten
/// characters and a bit.
pub fn geohash_text(score: f64) -> [u8; 11] {
    const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
    const BITS_PER_CHARACTER: u32 = 5;
    let place = place_of_score(score);
    let cell = Cell {
        column: LONGITUDES.slice(place.longitude, STEP_MAX),
        row: LATITUDES_OF_GEOHASH.slice(place.latitude, STEP_MAX),
        step: STEP_MAX,
    };
    let bits = cell.bits();
    let mut text = [ALPHABET[0]; 11];
    for (character, position) in text.iter_mut().zip(1..=SCORE_BITS / BITS_PER_CHARACTER) {
        *character = ALPHABET[(bits >> (SCORE_BITS - position * BITS_PER_CHARACTER)) as usize & 31];
    }
    text
}

/// The bits of `value` at the even places.
fn spread(value: u32) -> u64 {
    let mut bits = u64::from(value);
    bits = (bits | bits << 16) & 0x0000_ffff_0000_ffff;
    bits = (bits | bits << 8) & 0x00ff_00ff_00ff_00ff;
    bits = (bits | bits << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    bits = (bits | bits << 2) & 0x3333_3333_3333_3333;
    (bits | bits << 1) & 0x5555_5555_5555_5555
}

/// The bits at the even places of `bits`.
fn gather(bits: u64) -> u32 {
    let mut value = bits & 0x5555_5555_5555_5555;
    value = (value | value >> 1) & 0x3333_3333_3333_3333;
    value = (value | value >> 2) & 0x0f0f_0f0f_0f0f_0f0f;
    value = (value | value >> 4) & 0x00ff_00ff_00ff_00ff;
    value = (value | value >> 8) & 0x0000_ffff_0000_ffff;
    (value | value >> 16) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As `spread`, bit by bit.
    fn spread_slowly(value: u32) -> u64 {
        (0..32).map(|bit| u64::from(value >> bit & 1) << (2 * bit)).sum()
    }

    #[test]
    fn doubles_become_bits_as_on_x86() {
        let two_64 = 18_446_744_073_709_551_616.0;
        for (score, bits) in [
            (0.0, 0),
            (123.7, 123),
            (-1.0, u64::MAX),
            (-0.5, 0),
            (9.3e18, 9_300_000_000_000_000_000),
            (two_64, 0),
            (1e300, 0),
            (-1e300, 1 << 63),
            (f64::INFINITY, 0),
            (f64::NEG_INFINITY, 1 << 63),
        ] {
            assert_eq!(bits_of_score(score), bits, "{score}");
        }
    }

    #[test]
    fn neighbours_go_around_the_globe() {
        let corner = Cell { column: 0, row: 0, step: 3 };
        assert_eq!(corner.neighbour(Move::Down, Move::Down), Cell { column: 7, row: 7, step: 3 });
        let edge = Cell::of(Place { longitude: 180.0, latitude: 0.0 }, 3);
        assert_eq!((edge.column, edge.row), (8, 4));
        assert_eq!(edge.neighbour(Move::Up, Move::Stay), Cell { column: 1, row: 4, step: 3 });
        // Along the other axis it stays beyond the edge.
        assert_eq!(edge.neighbour(Move::Stay, Move::Up), Cell { column: 8, row: 5, step: 3 });
    }

    proptest! {
        #[test]
        fn bits_interleave(value: u32) {
            prop_assert_eq!(spread(value), spread_slowly(value));
            prop_assert_eq!(gather(spread(value)), value);
            prop_assert_eq!(gather(spread(value) << 1), 0);
        }

        #[test]
        fn a_cell_holds_the_scores_of_its_places(
            longitude in -180.0..180.0,
            latitude in -85.0..85.0,
            step in 1..=STEP_MAX,
        ) {
            let place = Place { longitude, latitude };
            let cell = Cell::of(place, step);
            prop_assert!(cell.scores().contains(&score_of_place(place)));
            let Bounds { west, south, east, north } = cell.bounds();
            prop_assert!(west <= longitude && longitude <= east && south <= latitude && latitude <= north);
            for (column, row) in [(Move::Up, Move::Stay), (Move::Down, Move::Up), (Move::Stay, Move::Down)] {
                let back = |step| match step {
                    Move::Stay => Move::Stay,
                    Move::Up => Move::Down,
                    Move::Down => Move::Up,
                };
                prop_assert_eq!(cell.neighbour(column, row).neighbour(back(column), back(row)), cell);
            }
        }

        #[test]
        fn a_score_is_its_cells_centre(longitude in -180.0..180.0, latitude in -85.0..85.0) {
            let score = score_of_place(Place { longitude, latitude });
            let center = place_of_score(score);
            prop_assert_eq!(score_of_place(center), score);
            prop_assert!((center.longitude - longitude).abs() <= 360.0 / slices(STEP_MAX));
            prop_assert!((center.latitude - latitude).abs() <= 171.0 / slices(STEP_MAX));
        }

        #[test]
        fn any_score_is_a_place(bits: u64) {
            prop_assert!(place_of_score(f64::from_bits(bits)).is_on_grid());
            prop_assert!(geohash_text(f64::from_bits(bits)).is_ascii());
        }
    }
}
