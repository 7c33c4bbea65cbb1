//! Polygons, of GEOSEARCH BYPOLYGON (Valkey 9).
//!
//! Edges are straight in longitude and latitude, so a polygon never reaches across the date line or a pole. The first
//! and the last vertex are joined.

use super::Place;
use super::distance::{degrees, radians};
use super::grid::Bounds;

/// At least three vertices.
#[derive(Clone, Debug, PartialEq)]
pub struct Polygon(Vec<Place>);

impl Polygon {
    pub const VERTICES_MIN: usize = 3;

    /// `None` with fewer than three vertices.
    pub fn new(vertices: Vec<Place>) -> Option<Polygon> {
        (vertices.len() >= Polygon::VERTICES_MIN).then_some(Polygon(vertices))
    }

    /// Where distances are measured from: the mean of the vertices as points in space, brought back to the surface.
    pub fn center(&self) -> Place {
        let (mut x, mut y, mut z) = (0.0, 0.0, 0.0);
        for vertex in &self.0 {
            let (longitude, latitude) = (radians(vertex.longitude), radians(vertex.latitude));
            x += latitude.cos() * longitude.cos();
            y += latitude.cos() * longitude.sin();
            z += latitude.sin();
        }
        let count = self.0.len() as f64;
        let (x, y, z) = (x / count, y / count, z / count);
        Place { longitude: degrees(y.atan2(x)), latitude: degrees(z.atan2((x * x + y * y).sqrt())) }
    }

    /// The box around all vertices.
    pub(super) fn bounds(&self) -> Bounds {
        let mut bounds = Bounds {
            west: f64::INFINITY,
            south: f64::INFINITY,
            east: f64::NEG_INFINITY,
            north: f64::NEG_INFINITY,
        };
        for vertex in &self.0 {
            bounds.west = bounds.west.min(vertex.longitude);
            bounds.south = bounds.south.min(vertex.latitude);
            bounds.east = bounds.east.max(vertex.longitude);
            bounds.north = bounds.north.max(vertex.latitude);
        }
        bounds
    }

    /// Whether a ray from the place to the east crosses an odd number of edges. An edge takes its lower end along and
    /// leaves its upper one to the next edge, so that a vertex counts once.
    pub(super) fn contains(&self, place: Place) -> bool {
        let previous = self.0.iter().cycle().skip(self.0.len() - 1);
        let crossed = self.0.iter().zip(previous).filter(|(end, start)| {
            let is_beside = (end.latitude > place.latitude) != (start.latitude > place.latitude);
            let part = (place.latitude - end.latitude) / (start.latitude - end.latitude);
            is_beside && place.longitude < end.longitude + (start.longitude - end.longitude) * part
        });
        crossed.count() % 2 == 1
    }
}
