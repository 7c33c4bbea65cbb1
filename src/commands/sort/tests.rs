//! SORT, run whole: gates, handler, commit.
