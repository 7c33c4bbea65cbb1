//! Places and lengths among the arguments, and coordinates in replies.

use crate::base::number;
use crate::object::geo::{Place, Unit, coordinate_text};
use crate::resp::{Protocol, Reply};
use crate::spec::CommandError;

/// A place of the grid.
pub(super) fn place(longitude: &[u8], latitude: &[u8]) -> Result<Place, CommandError> {
    let degrees = |text| number::parse_f64(text).ok_or(CommandError::NotFloat);
    let place = Place { longitude: degrees(longitude)?, latitude: degrees(latitude)? };
    if place.is_on_grid() {
        return Ok(place);
    }
    let Place { longitude, latitude } = place;
    Err(CommandError::text(format!("ERR invalid longitude,latitude pair {longitude:.6},{latitude:.6}")))
}

/// A radius in its unit.
pub(super) fn radius(text: &[u8]) -> Result<f64, CommandError> {
    let radius = number::parse_f64(text).ok_or(CommandError::GeoRadius)?;
    if radius < 0.0 { Err(CommandError::GeoRadiusNegative) } else { Ok(radius) }
}

/// The width and the height of a box in their unit.
pub(super) fn extents(width: &[u8], height: &[u8]) -> Result<(f64, f64), CommandError> {
    let width = number::parse_f64(width).ok_or(CommandError::GeoWidth)?;
    let height = number::parse_f64(height).ok_or(CommandError::GeoHeight)?;
    if width < 0.0 || height < 0.0 { Err(CommandError::GeoBoxNegative) } else { Ok((width, height)) }
}

pub(super) fn unit(text: &[u8]) -> Result<Unit, CommandError> {
    Unit::parse(text).ok_or(CommandError::GeoUnit)
}

/// Answers a place as longitude and latitude.
pub(super) fn answer_place(place: Place, reply: &mut Reply<'_>) {
    reply.array(2);
    for degrees in [place.longitude, place.latitude] {
        let text = coordinate_text(degrees);
        match reply.protocol() {
            Protocol::Resp2 => reply.bulk_text(&text),
            Protocol::Resp3 => reply.raw(format!(",{text}\r\n").as_bytes()),
        }
    }
}
