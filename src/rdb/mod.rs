//! Room `rdb`.
