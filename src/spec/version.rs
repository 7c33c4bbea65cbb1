//! The release of Redis that this server stands in for.

/// The release of Redis whose behaviour is complete here; clients and scripts switch on what it has.
pub const REDIS_VERSION: &str = "7.4.0";

/// A version as one number, a byte for each of its three parts.
pub fn version_number(version: &str) -> u32 {
    version.split('.').fold(0, |number, part| number << 8 | part.parse::<u32>().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers() {
        assert_eq!(version_number("7.0.15"), 0x0007_000f);
        assert_eq!(version_number(REDIS_VERSION), 0x0007_0400);
    }
}
