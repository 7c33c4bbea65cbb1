//! What INFO tells of the certificates in use. The room of sockets sets it when it reads them.

/// The number and the end of one certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Hexadecimal.
    pub serial: String,
    /// Unix seconds.
    pub ends_s: i64,
}

/// The certificates that new connections are greeted with; `None`: not there, or TLS is off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificates {
    pub own: Option<CertificateFacts>,
    /// Of the authorities, the one that ends first.
    pub authority: Option<CertificateFacts>,
}
