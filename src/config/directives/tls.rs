//! Directives of TLS. Paths are as written; an empty text is none.

use super::*;
use crate::config::choices::{TlsAuthClients, TlsAuthClientsUser};
use crate::config::special::any_text;

pub(super) const TABLE: &[Directive] = &[
    number("tls-port", 0..=65535, "0", field!(number tls_port)),
    text("tls-cert-file", "", any_text, field!(tls_cert_file)).rereads(),
    text("tls-key-file", "", any_text, field!(tls_key_file)).rereads(),
    text("tls-key-file-pass", "", any_text, field!(tls_key_file_pass)).sensitive(),
    text("tls-ca-cert-file", "", any_text, field!(tls_ca_cert_file)).rereads(),
    text("tls-ca-cert-dir", "", any_text, field!(tls_ca_cert_dir)).rereads(),
    choice::<TlsAuthClients>("tls-auth-clients", "yes", field!(choice tls_auth_clients)),
    choice::<TlsAuthClientsUser>("tls-auth-clients-user", "off", field!(choice tls_auth_clients_user)),
    text("tls-protocols", "", any_text, field!(tls_protocols)),
    text("tls-ciphers", "", any_text, field!(tls_ciphers)),
    text("tls-ciphersuites", "", any_text, field!(tls_ciphersuites)),
    yes_no("tls-prefer-server-ciphers", "no", field!(tls_prefer_server_ciphers)),
    yes_no("tls-session-caching", "yes", field!(tls_session_caching)),
    number("tls-session-cache-size", 0..=I32, "20480", field!(number tls_session_cache_size)),
    number("tls-session-cache-timeout", 0..=I32, "300", field!(number tls_session_cache_timeout)),
    text("tls-dh-params-file", "", any_text, field!(tls_dh_params_file)).rereads(),
    number("tls-auto-reload-interval", 0..=I32, "0", field!(number tls_auto_reload_interval)),
    number(
        "max-new-tls-connections-per-cycle",
        1..=1000,
        "1",
        field!(number max_new_tls_connections_per_cycle),
    ),
];
