//! Room `object`.
