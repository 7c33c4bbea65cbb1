//! What a certificate says, as far as this server cares: whose it is, its number, its end, its key.
//!
//! A certificate that cannot be read gives no facts; whether it is any good is for rustls to say.

use crate::server::tls::CertificateFacts;
use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// The attribute `CN` of a name (RFC 4519, 2.3).
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// Who a certificate belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The first one of the subject.
    pub common_name: Option<Vec<u8>>,
    /// In the order of the certificate.
    pub uris: Vec<Vec<u8>>,
}

/// Whose the certificate `der` is.
pub fn names(der: &[u8]) -> Names {
    let Ok(certificate) = Certificate::from_der(der) else { return Names::default() };
    let certificate = certificate.tbs_certificate();
    let mut attributes = certificate.subject().iter_rdn().flat_map(|part| part.iter());
    let common_name = attributes.find(|attribute| attribute.oid == COMMON_NAME);
    let common_name = common_name.map(|attribute| attribute.value.value().to_vec());
    let alternatives = certificate.get_extension::<SubjectAltName>().ok().flatten();
    let uris = alternatives.into_iter().flat_map(|(_, names)| names.0).filter_map(|name| match name {
        GeneralName::UniformResourceIdentifier(uri) => Some(uri.as_bytes().to_vec()),
        _ => None,
    });
    Names { common_name, uris: uris.collect() }
}

/// The number and the end of the certificate `der`.
pub fn facts(der: &[u8]) -> Option<CertificateFacts> {
    let certificate = Certificate::from_der(der).ok()?;
    let certificate = certificate.tbs_certificate();
    let serial = certificate.serial_number().as_bytes();
    // A leading zero byte keeps a number positive; it is no part of it.
    let serial = if serial.len() > 1 { serial.strip_prefix(&[0]).unwrap_or(serial) } else { serial };
    let ends = certificate.validity().not_after.to_unix_duration();
    Some(CertificateFacts {
        serial: serial.iter().map(|byte| format!("{byte:02X}")).collect(),
        ends_s: i64::try_from(ends.as_secs()).unwrap_or(i64::MAX),
    })
}

/// The public key of the certificate `der`, as a SubjectPublicKeyInfo.
pub fn public_key(der: &[u8]) -> Option<Vec<u8>> {
    Certificate::from_der(der).ok()?.tbs_certificate().subject_public_key_info().to_der().ok()
}
