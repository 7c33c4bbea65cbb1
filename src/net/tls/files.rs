//! Certificates and keys from files, in PEM.
//!
//! A private key is in PKCS#8, PKCS#1 or SEC1; or in PKCS#8 encrypted by a password (PBES2: AES with PBKDF2 or scrypt,
//! what `openssl pkcs8 -topk8` and `openssl genpkey` write).

use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};
use rustls::RootCertStore;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::io;
use std::path::Path;

/// Larger files are not read: no bundle of certificates comes near.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

const ENCRYPTED_BEGIN: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
const ENCRYPTED_END: &str = "-----END ENCRYPTED PRIVATE KEY-----";
/// What a key says that was encrypted before PKCS#8 (RFC 1421).
const OLD_ENCRYPTION: &str = "Proc-Type: 4,ENCRYPTED";

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |error: io::Error| {
        let text = error.to_string();
        text.split(" (os error").next().unwrap_or(&text).to_owned()
    };
    if std::fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX {
        return Err("the file is too large".into());
    }
    std::fs::read(path).map_err(failed)
}

/// The certificates of a file, the server's own first.
///
/// # Errors
/// Why there are none; the caller says which file.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = read(path)?;
    let found: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(certificates) if certificates.is_empty() => Err("no certificate in PEM is in it".into()),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(format!("not PEM: {error}")),
    }
}

/// The private key of a file, decrypted by `password` (empty: none was given).
///
/// # Errors
/// Why there is none; the caller says which file.
pub fn private_key(path: &Path, password: &str) -> Result<PrivateKeyDer<'static>, String> {
    let bytes = read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    if let Some(begin) = text.find(ENCRYPTED_BEGIN) {
        let length = text[begin..].find(ENCRYPTED_END).ok_or("its end is missing")? + ENCRYPTED_END.len();
        return decrypt(&text[begin..begin + length], password);
    }
    if text.contains(OLD_ENCRYPTION) {
        return Err("it is encrypted in the old manner of OpenSSL, which is not supported: \
                    `openssl pkcs8 -topk8` converts it"
            .into());
    }
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| match error {
        pem::Error::NoItemsFound => "no private key in PEM is in it".into(),
        error => format!("not PEM: {error}"),
    })
}

fn decrypt(pem: &str, password: &str) -> Result<PrivateKeyDer<'static>, String> {
    if password.is_empty() {
        return Err("it is encrypted, and tls-key-file-pass is not set".into());
    }
    let broken = |error: &dyn std::fmt::Display| format!("it is encrypted and cannot be read: {error}");
    let (_, document) = SecretDocument::from_pem(pem).map_err(|error| broken(&error))?;
    let encrypted =
        EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).map_err(|error| broken(&error))?;
    let key = encrypted.decrypt(password).map_err(|error| {
        format!("it cannot be decrypted with tls-key-file-pass (only PBES2 with AES is supported): {error}")
    })?;
    Ok(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into())
}

/// The certificates of authorities of a file and of a directory; an empty path is none. In a directory every file that
/// holds certificates counts, whatever its name.
///
/// # Errors
/// The file or directory, and why it gave nothing.
pub fn authorities(file: &str, directory: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let mut found = Vec::new();
    if !file.is_empty() {
        found = certificates(Path::new(file)).map_err(|reason| format!("{file}: {reason}"))?;
    }
    if !directory.is_empty() {
        let before = found.len();
        let entries = std::fs::read_dir(directory).map_err(|error| format!("{directory}: {error}"))?;
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths.iter().filter(|path| path.is_file()) {
            // Other files lie there, too: keys, lists of what was revoked.
            for certificate in certificates(path).unwrap_or_default() {
                if !found.contains(&certificate) {
                    found.push(certificate);
                }
            }
        }
        if found.len() == before && before == 0 {
            return Err(format!("{directory}: no certificate in PEM is in it"));
        }
    }
    Ok(found)
}

/// What clients' certificates are checked against.
///
/// # Errors
/// When none of the certificates can be one of an authority.
pub fn roots(authorities: &[CertificateDer<'static>]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let mut reason = String::new();
    for certificate in authorities {
        if let Err(error) = roots.add(certificate.clone()) {
            reason = error.to_string();
        }
    }
    if roots.is_empty() { Err(reason) } else { Ok(roots) }
}
