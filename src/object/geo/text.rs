//! Coordinates and distances as the group's commands write them.

/// A coordinate with up to 17 decimals and no trailing zeros, as C's `%.17Lf` writes a double.
pub fn coordinate_text(degrees: f64) -> String {
    let text = format!("{degrees:.17}");
    match text.trim_end_matches('0').trim_end_matches('.') {
        "-0" => "0".to_owned(),
        short => short.to_owned(),
    }
}

/// A distance with four decimals.
pub fn distance_text(distance: f64) -> String {
    // What glibc prints for the result of an asin beyond 1.
    if distance.is_nan() { "-nan".to_owned() } else { format!("{distance:.4}") }
}
