//! Publish and subscribe through sockets: the same conversations with redis-server, slow subscribers, many of them.

#[path = "pubsub/crowd.rs"]
mod crowd;
#[path = "pubsub/limits.rs"]
mod limits;
#[path = "pubsub/order.rs"]
mod order;
pub mod support;
#[path = "pubsub/transcripts.rs"]
mod transcripts;
