//! A client over TLS whose every byte the test has in its hand, and a server to talk to.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::authority::path;
use crate::support::server::{free_port, tool};
use crate::support::{PATIENCE, Server, Start, Value, arguments, encode};

/// A server with a plain port and one for TLS.
pub struct Both {
    pub server: Server,
    pub port: u16,
}

impl Both {
    /// With the certificate `server`, clients' certificates not asked for, and `more` arguments.
    #[track_caller]
    pub fn start(more: &[&str]) -> Both {
        Self::start_by(Start::tintype(), more)
    }

    #[track_caller]
    pub fn start_by(start: Start, more: &[&str]) -> Both {
        let port = free_port();
        let start = start.with("--save", "").with("--tls-port", &port.to_string());
        let start =
            start.with("--tls-cert-file", &path("server.crt")).with("--tls-key-file", &path("server.key"));
        let start = start.with("--tls-ca-cert-file", &path("ca.crt")).with("--tls-auth-clients", "no");
        Both { server: start.arguments(more).spawn(), port }
    }

    /// A client without a certificate that trusts the authority `ca`.
    #[track_caller]
    pub fn connect(&self) -> Secure {
        self.try_connect("").unwrap_or_else(|error| panic!("no connection: {error}"))
    }

    /// A client with the certificate of that name (none when empty), which has had an answer to a PING.
    pub fn try_connect(&self, name: &str) -> io::Result<Secure> {
        let mut client = Secure::begin(self.port, name)?;
        client.finish_handshake()?;
        // Under TLS 1.3 a server that refuses our certificate says so only now.
        client.try_run("PING")?;
        Ok(client)
    }

    /// Runs redis-cli over TLS.
    pub fn cli(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(tool("redis-cli"));
        command.args(["-p", &self.port.to_string(), "--tls", "--cacert", &path("ca.crt")]);
        command.args(arguments).stdin(Stdio::null()).output().expect("redis-cli runs")
    }

    #[track_caller]
    pub fn cli_text(&self, arguments: &[&str]) -> String {
        let output = self.cli(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// What openssl's own client says of a handshake with `port`.
pub fn s_client(port: u16, arguments: &[&str]) -> String {
    let mut command = Command::new(tool("openssl"));
    command.args(["s_client", "-connect", &format!("127.0.0.1:{port}"), "-CAfile", &path("ca.crt")]);
    let output = command.args(arguments).stdin(Stdio::null()).output().expect("openssl runs");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

pub struct Secure {
    pub session: ClientConnection,
    pub socket: TcpStream,
    received: Vec<u8>,
}

impl Secure {
    /// A socket, and a session that has sent nothing yet.
    pub fn begin(port: u16, name: &str) -> io::Result<Secure> {
        Self::over(TcpStream::connect(("127.0.0.1", port))?, name)
    }

    pub fn over(socket: TcpStream, name: &str) -> io::Result<Secure> {
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        let server = ServerName::try_from("localhost").expect("a name");
        let session = ClientConnection::new(Arc::new(config(name)), server).map_err(io::Error::other)?;
        Ok(Secure { session, socket, received: Vec::new() })
    }

    pub fn finish_handshake(&mut self) -> io::Result<()> {
        while self.session.is_handshaking() {
            self.session.complete_io(&mut self.socket)?;
        }
        Ok(())
    }

    /// The records that are ready to be sent.
    pub fn take_records(&mut self) -> Vec<u8> {
        let mut records = Vec::new();
        while self.session.wants_write() {
            self.session.write_tls(&mut records).expect("a Vec takes everything");
        }
        records
    }

    /// `bytes` as records.
    pub fn encrypt(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.session.set_buffer_limit(None);
        self.session.writer().write_all(bytes).expect("there is no limit");
        self.take_records()
    }

    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        // Piece by piece: the session keeps what it has encrypted.
        for piece in bytes.chunks(1 << 20) {
            let records = self.encrypt(piece);
            self.socket.write_all(&records)?;
        }
        Ok(())
    }

    /// The server's certificate.
    pub fn certificate(&self) -> CertificateDer<'static> {
        self.session.peer_certificates().expect("there is one")[0].clone()
    }

    /// Reads what comes. 0: the server has said that nothing more will; without saying it is an error to end.
    pub fn receive(&mut self) -> io::Result<usize> {
        let mut chunk = vec![0; 64 * 1024];
        let count = rustls::Stream::new(&mut self.session, &mut self.socket).read(&mut chunk)?;
        self.received.extend_from_slice(&chunk[..count]);
        Ok(count)
    }

    pub fn try_value(&mut self) -> io::Result<Value> {
        let mut parsed_bytes = 0;
        loop {
            let waiting = self.received.len();
            if waiting > 0 && (waiting >= parsed_bytes * 2 || self.received.ends_with(b"\r\n")) {
                parsed_bytes = waiting;
                if let Some((value, length)) = Value::parse(&self.received) {
                    self.received.drain(..length);
                    return Ok(value);
                }
            }
            if self.receive()? == 0 {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
        }
    }

    pub fn try_run(&mut self, line: &str) -> io::Result<Value> {
        self.send(&encode(&arguments(line)))?;
        self.try_value()
    }

    #[track_caller]
    pub fn run(&mut self, line: &str) -> Value {
        self.try_run(line).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    #[track_caller]
    pub fn command<T: AsRef<[u8]>>(&mut self, arguments: &[T]) -> Value {
        self.send(&encode(arguments)).expect("sent");
        self.try_value().unwrap_or_else(|error| panic!("no reply: {error}"))
    }

    /// Everything up to the end; whether the end was said.
    pub fn until_closed(&mut self) -> (Vec<u8>, io::Result<usize>) {
        loop {
            match self.receive() {
                Ok(count) if count > 0 => {}
                end => return (std::mem::take(&mut self.received), end),
            }
        }
    }
}

fn config(name: &str) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(certificate("ca.crt")).expect("a certificate of an authority");
    let builder = ClientConfig::builder().with_root_certificates(roots);
    if name.is_empty() {
        return builder.with_no_client_auth();
    }
    let key = PrivateKeyDer::from_pem_file(path(&format!("{name}.key"))).expect("a key");
    let chain = vec![certificate(&format!("{name}.crt"))];
    builder.with_client_auth_cert(chain, key).expect("they belong together")
}

pub fn certificate(name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(Path::new(&path(name))).expect("a certificate")
}
