//! Distances on a sphere, by the haversine formula.
//!
//! The globe's radius is the one of Redis; the true distance differs by up to half a percent, as the globe is no
//! sphere.

use super::Place;
use std::f64::consts::PI;

/// The radius of the globe.
pub(super) const EARTH_RADIUS_M: f64 = 6_372_797.560856;

const RADIANS_PER_DEGREE: f64 = PI / 180.0;

pub(super) fn radians(degrees: f64) -> f64 {
    degrees * RADIANS_PER_DEGREE
}

pub(super) fn degrees(radians: f64) -> f64 {
    radians / RADIANS_PER_DEGREE
}

/// The way along the surface, in metres. (Between opposite points it may round to a NaN.)
pub fn distance_m(from: Place, to: Place) -> f64 {
    let (from_longitude, to_longitude) = (radians(from.longitude), radians(to.longitude));
    let across = ((to_longitude - from_longitude) / 2.0).sin();
    // On one meridian the formula is less exact than the plain difference, and redis-server uses that.
    if across == 0.0 {
        return meridian_distance_m(from, to);
    }
    let (from_latitude, to_latitude) = (radians(from.latitude), radians(to.latitude));
    let along = ((to_latitude - from_latitude) / 2.0).sin();
    let haversine = along * along + from_latitude.cos() * to_latitude.cos() * across * across;
    2.0 * EARTH_RADIUS_M * haversine.sqrt().asin()
}

/// The distance between the latitudes alone, in metres.
pub(super) fn meridian_distance_m(from: Place, to: Place) -> f64 {
    EARTH_RADIUS_M * (radians(to.latitude) - radians(from.latitude)).abs()
}

/// A unit of length of the group's commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    #[default]
    Metre,
    Kilometre,
    Foot,
    Mile,
}

impl Unit {
    /// By its abbreviation, in any case.
    pub fn parse(text: &[u8]) -> Option<Unit> {
        match text.to_ascii_lowercase().as_slice() {
            b"m" => Some(Unit::Metre),
            b"km" => Some(Unit::Kilometre),
            b"ft" => Some(Unit::Foot),
            b"mi" => Some(Unit::Mile),
            _ => None,
        }
    }

    pub fn metres(self) -> f64 {
        match self {
            Unit::Metre => 1.0,
            Unit::Kilometre => 1000.0,
            Unit::Foot => 0.3048,
            Unit::Mile => 1609.34,
        }
    }
}
