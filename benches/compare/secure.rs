//! TLS for the load: a certificate for the servers, and a client's connection that reads and writes like a plain one.
//!
//! The client is rustls, whatever the server; one write call for each batch.

use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore};

/// A certificate of 127.0.0.1 with an RSA key of 2,048 bits, and the directives that have a server use it.
#[derive(Debug)]
pub struct Certificate {
    client: Arc<ClientConfig>,
    arguments: [String; 6],
}

impl Certificate {
    /// Has the program openssl make one in `directory`.
    pub fn make(directory: &Path) -> io::Result<Certificate> {
        let [certificate, key] =
            ["server.crt", "server.key"].map(|name| directory.join(name).display().to_string());
        let mut command = Command::new("openssl");
        command.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=compare"]);
        command.args([
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ]);
        let output = command.args(["-keyout", &key, "-out", &certificate]).output()?;
        if !output.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        let der = CertificateDer::from_pem_slice(&fs::read(&certificate)?).map_err(io::Error::other)?;
        let mut roots = RootCertStore::empty();
        roots.add(der).map_err(io::Error::other)?;
        let mut client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        client.resumption = Resumption::disabled();
        let arguments = ["--tls-cert-file", &certificate, "--tls-key-file", &key, "--tls-auth-clients", "no"];
        Ok(Certificate { client: Arc::new(client), arguments: arguments.map(str::to_owned) })
    }

    /// The server's arguments besides `--tls-port`.
    pub fn arguments(&self) -> impl Iterator<Item = &str> {
        self.arguments.iter().map(String::as_str)
    }

    /// Goes through the handshake on `socket`.
    pub fn connect(&self, socket: TcpStream) -> io::Result<Secure> {
        let name = IpAddr::from(Ipv4Addr::LOCALHOST).into();
        let session = ClientConnection::new(self.client.clone(), name).map_err(io::Error::other)?;
        let mut secure = Secure { session, socket };
        while secure.session.is_handshaking() {
            secure.session.complete_io(&mut secure.socket)?;
        }
        Ok(secure)
    }
}

/// A connection over TLS.
pub struct Secure {
    session: ClientConnection,
    socket: TcpStream,
}

impl fmt::Debug for Secure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Secure").field("socket", &self.socket).finish_non_exhaustive()
    }
}

impl Read for Secure {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.session.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => return outcome,
            }
            self.session.read_tls(&mut self.socket)?;
            self.session.process_new_packets().map_err(io::Error::other)?;
        }
    }
}

impl Write for Secure {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.session.writer().write(bytes)?;
        self.flush()?;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            self.session.write_tls(&mut self.socket)?;
        }
        Ok(())
    }
}
