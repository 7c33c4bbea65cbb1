//! From the directives to what rustls greets new connections with.
//!
//! The words of an error are Redis's where it has some; behind them stand the file and the reason.

use super::sessions::Sessions;
use super::{certificate, ciphers, files};
use crate::config::{Config, TlsAuthClients};
use crate::server::tls::Certificates;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ServerConfig, SupportedCipherSuite};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How many sessions each connection may take up again. Clients that keep many connections get one with each.
const TICKETS: usize = 1;

/// What new connections are greeted with, and what to tell about it.
#[derive(Debug)]
pub struct Loaded {
    pub settings: Arc<ServerConfig>,
    pub certificates: Certificates,
    /// What was asked for and is not done, for the log.
    pub warnings: Vec<String>,
}

/// Reads the files and words of `config`.
///
/// # Errors
/// What is wrong, with the file's name.
pub fn load(config: &Config) -> Result<Loaded, String> {
    let mut warnings = Vec::new();
    if config.tls_cert_file.is_empty() {
        return Err("No tls-cert-file configured!".into());
    }
    if config.tls_key_file.is_empty() {
        return Err("No tls-key-file configured!".into());
    }
    let has_authorities = !config.tls_ca_cert_file.is_empty() || !config.tls_ca_cert_dir.is_empty();
    if config.tls_auth_clients != TlsAuthClients::No && !has_authorities {
        return Err(
            "Either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-cluster, tls-replication \
                    or tls-auth-clients are enabled!"
                .into(),
        );
    }
    let versions = ciphers::protocols(&config.tls_protocols)?;
    let suites = suites(config, &mut warnings)?;
    let provider = Arc::new(CryptoProvider { cipher_suites: suites, ..aws_lc_rs::default_provider() });
    let key = own_key(config, &provider)?;
    let authorities = files::authorities(&config.tls_ca_cert_file, &config.tls_ca_cert_dir)
        .map_err(|reason| format!("Failed to configure CA certificate(s) file/directory: {reason}"))?;
    let certificates = Certificates {
        own: key.cert.first().and_then(|der| certificate::facts(der)),
        authority: authorities
            .iter()
            .filter_map(|der| certificate::facts(der))
            .min_by_key(|facts| facts.ends_s),
    };
    if !config.tls_dh_params_file.is_empty() {
        warnings.push("tls-dh-params-file has no effect: keys are agreed on by elliptic curves only".into());
    }
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(&versions);
    let builder = builder.map_err(|error| format!("Failed to configure ciphers: {error}"))?;
    let builder = match verifier(config, &authorities, provider)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut settings = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
    settings.ignore_client_order = config.tls_prefer_server_ciphers;
    keep_sessions(&mut settings, config);
    Ok(Loaded { settings: Arc::new(settings), certificates, warnings })
}

fn suites(config: &Config, warnings: &mut Vec<String>) -> Result<Vec<SupportedCipherSuite>, String> {
    let [mut tls12, mut tls13] = ciphers::defaults();
    let mut chosen = |directive: &str, chosen: ciphers::Chosen| {
        for name in &chosen.left_out {
            warnings.push(format!("{directive}: {name} is left out, it is not offered here"));
        }
        chosen.suites
    };
    if !config.tls_ciphers.is_empty() {
        tls12 = chosen("tls-ciphers", ciphers::tls12(&config.tls_ciphers)?);
    }
    if !config.tls_ciphersuites.is_empty() {
        tls13 = chosen("tls-ciphersuites", ciphers::tls13(&config.tls_ciphersuites)?);
    }
    Ok([tls13, tls12].concat())
}

/// The server's certificate, those that lead from it to an authority, and its key.
fn own_key(config: &Config, provider: &CryptoProvider) -> Result<CertifiedKey, String> {
    let (certificate, key) = (&config.tls_cert_file, &config.tls_key_file);
    let chain = files::certificates(Path::new(certificate))
        .map_err(|reason| format!("Failed to load certificate: {certificate}: {reason}"))?;
    let wrong_key = |reason: String| format!("Failed to load private key: {key}: {reason}");
    let der = files::private_key(Path::new(key), &config.tls_key_file_pass).map_err(wrong_key)?;
    let signing =
        provider.key_provider.load_private_key(der).map_err(|error| wrong_key(error.to_string()))?;
    // A certificate that cannot be read here may still be one that clients can read.
    let own = signing.public_key().map(|key| key.to_vec());
    let theirs = certificate::public_key(&chain[0]);
    if own.is_some() && theirs.is_some() && own != theirs {
        return Err(wrong_key(format!("it is not the key of the certificate in {certificate}")));
    }
    Ok(CertifiedKey::new(chain, signing))
}

/// How clients' certificates are checked; `None`: they are not asked for.
fn verifier(
    config: &Config,
    authorities: &[CertificateDer<'static>],
    provider: Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, String> {
    if config.tls_auth_clients == TlsAuthClients::No {
        return Ok(None);
    }
    let failed = |reason: String| format!("Failed to configure CA certificate(s) file/directory: {reason}");
    let roots = Arc::new(files::roots(authorities).map_err(failed)?);
    // As from redis-server, clients get no list of authorities: a system's bundle has many.
    let builder = WebPkiClientVerifier::builder_with_provider(roots, provider).clear_root_hint_subjects();
    let builder = match config.tls_auth_clients {
        TlsAuthClients::Optional => builder.allow_unauthenticated(),
        TlsAuthClients::Yes | TlsAuthClients::No => builder,
    };
    builder.build().map(Some).map_err(|error| failed(error.to_string()))
}

fn keep_sessions(settings: &mut ServerConfig, config: &Config) {
    if config.tls_session_caching {
        let timeout = Duration::from_secs(u64::from(config.tls_session_cache_timeout));
        settings.session_storage = Arc::new(Sessions::new(config.tls_session_cache_size as usize, timeout));
        settings.send_tls13_tickets = TICKETS;
    } else {
        settings.session_storage = Arc::new(NoServerSessionStorage {});
        settings.send_tls13_tickets = 0;
    }
}
