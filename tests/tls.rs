//! TLS, seen from outside: redis-cli, redis-py, openssl's client, and a client that sends its records as it likes.
//!
//! `tests/run` installs openssl, which makes the certificates.

pub mod support;
#[path = "tls/authority.rs"]
mod authority;
#[path = "tls/client.rs"]
mod client;
#[path = "tls/certificates.rs"]
mod certificates;
#[path = "tls/traffic.rs"]
mod traffic;
#[path = "tls/trouble.rs"]
mod trouble;
