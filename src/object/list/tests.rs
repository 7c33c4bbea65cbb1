//! Lists in every encoding against a `VecDeque`.
