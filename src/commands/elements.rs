//! Answers that many groups of commands give.
