//! The commands of the group hash.
mod counters;
mod delete;
mod expire;
mod fields;
mod get;
mod getex;
mod random;
mod set;
mod setex;
mod specs;
#[cfg(test)]
mod tests;
mod ttl;
mod write;

pub use specs::COMMANDS;
