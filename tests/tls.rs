//! TLS, seen from outside: redis-cli, redis-py, openssl's client, and a client that sends its records as it likes.
//!
//! `tests/run` installs openssl, which makes the certificates.

#[path = "tls/authority.rs"]
mod authority;
#[path = "tls/certificates.rs"]
mod certificates;
#[path = "tls/client.rs"]
mod client;
pub mod support;
#[path = "tls/traffic.rs"]
mod traffic;
#[path = "tls/trouble.rs"]
mod trouble;
