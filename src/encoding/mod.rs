//! Room `encoding`.
