//! Areas to search: which ranges of scores may hold members, and which members lie inside.
//!
//! The area's box in degrees is laid over a grid whose cells are about as large as the area: then the cell in the
//! middle and its eight neighbours cover it. Neighbours on a side that the box does not reach are left out.

use super::distance::{EARTH_RADIUS_M, degrees, distance_m, meridian_distance_m, radians};
use super::grid::{Bounds, Cell, Move, STEP_MAX};
use super::{Place, Polygon, Unit};
use std::ops::Range;

/// Half the equator of the web map's square, in metres.
const MERCATOR_MAX_M: f64 = 20_037_726.37;

/// What is searched; lengths in the area's unit.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    Circle {
        radius: f64,
    },
    /// As wide and high as measured through the centre.
    Box {
        width: f64,
        height: f64,
    },
    Polygon(Polygon),
}

/// A shape around a place.
#[derive(Clone, Debug, PartialEq)]
pub struct Area {
    pub center: Place,
    pub shape: Shape,
    pub unit: Unit,
}

/// Ranges of scores in the order in which they are to be visited.
pub struct Ranges {
    cells: [Option<Cell>; CELLS],
    next: usize,
    /// The last range given.
    last: Option<usize>,
}

const CELLS: usize = 9;

/// The order in which the cells are visited; the first is the middle. (Which results come first follows from it.)
const VISITS: [(Move, Move); CELLS] = [
    (Move::Stay, Move::Stay),
    (Move::Stay, Move::Up),
    (Move::Stay, Move::Down),
    (Move::Up, Move::Stay),
    (Move::Down, Move::Stay),
    (Move::Up, Move::Up),
    (Move::Down, Move::Up),
    (Move::Up, Move::Down),
    (Move::Down, Move::Down),
];

impl Area {
    /// The distance from the centre in metres when `place` lies inside.
    pub fn distance_m(&self, place: Place) -> Option<f64> {
        let unit_m = self.unit.metres();
        match &self.shape {
            Shape::Circle { radius } => {
                let found = distance_m(self.center, place);
                if found > radius * unit_m { None } else { Some(found) }
            }
            Shape::Box { width, height } => {
                if meridian_distance_m(self.center, place) > height * unit_m / 2.0 {
                    return None;
                }
                // The box is as wide at the place's latitude as at any other.
                let beside = Place { longitude: self.center.longitude, latitude: place.latitude };
                if distance_m(place, beside) > width * unit_m / 2.0 {
                    return None;
                }
                Some(distance_m(self.center, place))
            }
            Shape::Polygon(polygon) => polygon.contains(place).then(|| distance_m(self.center, place)),
        }
    }

    /// The ranges of scores that hold every member inside.
    pub fn ranges(&self) -> Ranges {
        let bounds = self.bounds();
        let center = match self.shape {
            Shape::Circle { .. } | Shape::Box { .. } => self.center,
            Shape::Polygon(_) => bounds.center(),
        };
        let mut step = step_for(self.radius_m(center, bounds), center.latitude);
        let mut middle = Cell::of(center, step);
        match self.shape {
            // Redis takes one grid coarser at most; that a second one would be needed was never seen.
            Shape::Circle { .. } | Shape::Box { .. } => {
                if step > 1 && !reaches(middle, bounds) {
                    step -= 1;
                    middle = Cell::of(center, step);
                }
            }
            Shape::Polygon(_) => {
                while step > 1 && !reaches(middle, bounds) {
                    step -= 1;
                    middle = Cell::of(center, step);
                }
            }
        }
        let mut cells = VISITS.map(|(column, row)| Some(middle.neighbour(column, row)));
        if step >= 2 {
            leave_out(&mut cells, middle.bounds(), bounds);
        }
        Ranges { cells, next: 0, last: None }
    }

    /// Half the height and half the width, in metres.
    fn half_extents_m(&self) -> (f64, f64) {
        let unit_m = self.unit.metres();
        match self.shape {
            Shape::Circle { radius } => (unit_m * radius, unit_m * radius),
            Shape::Box { width, height } => (unit_m * (height / 2.0), unit_m * (width / 2.0)),
            Shape::Polygon(_) => (0.0, 0.0),
        }
    }

    /// The box around the area. It is as wide as the area's side nearer to its pole needs, where degrees are shortest.
    fn bounds(&self) -> Bounds {
        if let Shape::Polygon(polygon) = &self.shape {
            return polygon.bounds();
        }
        let (half_height_m, half_width_m) = self.half_extents_m();
        let Place { longitude, latitude } = self.center;
        let high = degrees(half_height_m / EARTH_RADIUS_M);
        let nearer_pole = if latitude < 0.0 { latitude - high } else { latitude + high };
        let wide = degrees(half_width_m / EARTH_RADIUS_M / radians(nearer_pole).cos());
        Bounds {
            west: longitude - wide,
            south: latitude - high,
            east: longitude + wide,
            north: latitude + high,
        }
    }

    /// How far its box reaches from the centre.
    fn radius_m(&self, center: Place, bounds: Bounds) -> f64 {
        match self.shape {
            Shape::Circle { radius } => radius * self.unit.metres(),
            Shape::Box { width, height } => {
                let (half_width, half_height) = (width / 2.0, height / 2.0);
                (half_width * half_width + half_height * half_height).sqrt() * self.unit.metres()
            }
            Shape::Polygon(_) => {
                let south = Place { longitude: bounds.west, latitude: bounds.south };
                let north = Place { longitude: bounds.west, latitude: bounds.north };
                distance_m(center, south).max(distance_m(center, north))
            }
        }
    }
}

/// How often the map can be halved before a cell is smaller than the radius, less two so that nine cells are enough in
/// most places, and less again near the poles, where cells are narrow.
fn step_for(mut radius_m: f64, latitude: f64) -> u32 {
    if radius_m == 0.0 {
        return STEP_MAX;
    }
    let mut step = 1_i32;
    while radius_m < MERCATOR_MAX_M {
        radius_m *= 2.0;
        step += 1;
    }
    step -= 2;
    if latitude.abs() > 66.0 {
        step -= 1;
    }
    if latitude.abs() > 80.0 {
        step -= 1;
    }
    step.clamp(1, STEP_MAX as i32) as u32
}

/// Whether the neighbours of the middle cell reach to the sides of the box.
fn reaches(middle: Cell, bounds: Bounds) -> bool {
    let side = |column, row| middle.neighbour(column, row).bounds();
    let falls_short = side(Move::Stay, Move::Up).north < bounds.north
        || side(Move::Stay, Move::Down).south > bounds.south
        || side(Move::Up, Move::Stay).east < bounds.east
        || side(Move::Down, Move::Stay).west > bounds.west;
    !falls_short
}

/// Leaves out the neighbours on the sides where the middle cell reaches beyond the box.
fn leave_out(cells: &mut [Option<Cell>; CELLS], middle: Bounds, bounds: Bounds) {
    for (cell, (column, row)) in cells.iter_mut().zip(VISITS) {
        let is_useless = match row {
            Move::Down => middle.south < bounds.south,
            Move::Up => middle.north > bounds.north,
            Move::Stay => false,
        } || match column {
            Move::Down => middle.west < bounds.west,
            Move::Up => middle.east > bounds.east,
            Move::Stay => false,
        };
        if is_useless {
            *cell = None;
        }
    }
}

impl Iterator for Ranges {
    type Item = Range<f64>;

    /// In the grid of four cells the neighbours on both sides are the same cell, which is given once: they follow each
    /// other in the order of visits.
    fn next(&mut self) -> Option<Range<f64>> {
        while self.next < CELLS {
            let index = self.next;
            self.next += 1;
            let Some(cell) = self.cells[index] else { continue };
            if self.last.is_some_and(|last| last != 0 && self.cells[last] == Some(cell)) {
                continue;
            }
            self.last = Some(index);
            return Some(cell.scores());
        }
        None
    }
}
