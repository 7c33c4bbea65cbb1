//! What operators rely on: names and doors that can be shut, logs that tell the right things, clients that are listed,
//! closed and evicted, a crash that says why, a monitoring system that understands INFO.

pub mod support;

#[path = "operators/clients.rs"]
mod clients;
#[path = "operators/crash.rs"]
mod crash;
#[path = "operators/doors.rs"]
mod doors;
#[path = "operators/exporter.rs"]
mod exporter;
#[path = "operators/names.rs"]
mod names;
#[path = "operators/statistics.rs"]
mod statistics;
#[path = "operators/tools.rs"]
mod tools;
