//! Room `persist`.
