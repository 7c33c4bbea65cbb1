//! Places on the globe as scores of a sorted set: the mathematics of the group geo.
//!
//! ```text
//!  longitude, latitude --encode--> cell of 2^26 x 2^26 --score--> 52 bits, column and row interleaved
//!  score --------------decode----> the centre of that cell
//!  area ---------------ranges----> up to nine ranges of scores, in the order in which they are visited
//! ```
//! A column of the grid is a slice of the longitudes -180..180, a row one of the latitudes -85.05112878..85.05112878
//! (the square of web maps). The first `2 * step` bits of a score name the cell of a coarser grid of 2^step columns, so
//! all places of one such cell have scores in one range.
//!
//! Invariants:
//! 1. Every figure agrees with redis-server 7.0.15 to the last digit. So the order of the floating-point operations is
//!    part of the contract, also where another order would be as good.
//! 2. Any score is a place, also one that no place encodes to (ZADD can write it).
//! 3. No function fails, whatever the floats: ranges come out empty, comparisons false.
//!
//! It deliberately does not know the sorted set: it is given scores and gives ranges of scores.

mod area;
mod distance;
mod grid;
mod polygon;
#[cfg(test)]
mod tests;
mod text;

pub use area::{Area, Ranges, Shape};
pub use distance::{Unit, distance_m};
pub use grid::{geohash_text, place_of_score, score_of_place};
pub use polygon::Polygon;
pub use text::{coordinate_text, distance_text};

/// The limits of both coordinates, in degrees.
pub const LONGITUDE_MAX: f64 = 180.0;
pub const LATITUDE_MAX: f64 = 85.05112878;

/// A point on the globe, in degrees.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place {
    pub longitude: f64,
    pub latitude: f64,
}

impl Place {
    /// Whether the place can be encoded.
    pub fn is_on_grid(self) -> bool {
        (-LONGITUDE_MAX..=LONGITUDE_MAX).contains(&self.longitude)
            && (-LATITUDE_MAX..=LATITUDE_MAX).contains(&self.latitude)
    }

    /// The nearest place that can be encoded.
    fn clamped(self) -> Place {
        Place {
            longitude: self.longitude.clamp(-LONGITUDE_MAX, LONGITUDE_MAX),
            latitude: self.latitude.clamp(-LATITUDE_MAX, LATITUDE_MAX),
        }
    }
}
