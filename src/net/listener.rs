//! Listening sockets: where clients come in.

use super::Shared;
use super::connection::{Buffers, Connection};
use super::stream::Stream;
use super::tls::{Tls, handshake};
use crate::client::client::{Origin, Transport};
use crate::config::Config;
use crate::exec::{Inbox, gates};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, ToSocketAddrs};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::{JoinHandle, spawn_local};

/// How long accepting rests when the process is out of descriptors or memory.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// The sockets the server listens on, and the tasks that accept on them.
#[derive(Default)]
pub struct Listeners {
    tcp: Vec<Accepting>,
    unix: Option<(JoinHandle<()>, String)>,
}

/// A task that accepts, and a second handle of its socket.
struct Accepting {
    place: Place,
    task: JoinHandle<()>,
    socket: Socket,
}

/// What those who accept need.
#[derive(Clone)]
pub struct Lobby {
    pub server: Shared,
    pub buffers: Rc<Buffers>,
    pub tls: Rc<Tls>,
}

/// Where clients over TCP come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    address: String,
    port: u16,
    transport: Transport,
    /// The start goes on without it.
    is_optional: bool,
}

/// All places that `config` asks for.
pub fn places(config: &Config) -> Vec<Place> {
    let ports = [(config.port, Transport::Tcp), (config.tls_port, Transport::Tls)];
    let ports = ports.into_iter().filter(|(port, _)| *port != 0);
    let place = |(port, transport)| {
        config.bind.iter().map(move |bind| Place {
            address: bind.address.clone(),
            port,
            transport,
            is_optional: bind.optional,
        })
    };
    ports.flat_map(place).collect()
}

impl Listeners {
    /// Stops accepting over TCP. The ports are free at once.
    pub fn stop_tcp(&mut self) {
        self.stop_all_but(&[]);
    }

    /// Stops accepting elsewhere than at `places`.
    pub fn stop_all_but(&mut self, places: &[Place]) {
        for Accepting { task, socket, .. } in self.tcp.extract_if(.., |tcp| !places.contains(&tcp.place)) {
            task.abort();
            // The aborted task lets go of its socket only when it is polled; a socket that is shut down holds no port.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Those of `places` where nobody accepts yet.
    pub fn missing(&self, places: &[Place]) -> Vec<Place> {
        let is_missing = |place: &&Place| self.tcp.iter().all(|tcp| tcp.place != **place);
        places.iter().filter(is_missing).cloned().collect()
    }

    /// Stops accepting and removes the unix socket's file.
    pub fn stop(&mut self) {
        self.stop_tcp();
        if let Some((task, path)) = self.unix.take() {
            task.abort();
            tracing::info!("Removing the unix socket file.");
            // It may be gone already; nobody is left to be told.
            let _ = std::fs::remove_file(path);
        }
    }

    /// Accepts clients on the bound sockets from now on.
    pub fn accept_tcp(&mut self, bound: Vec<Bound>, lobby: &Lobby) {
        for Bound { place, listener, socket } in bound {
            let task = spawn_local(accept_tcp(listener, place.transport, lobby.clone()));
            self.tcp.push(Accepting { place, task, socket });
        }
    }

    /// Accepts clients on the socket that `bind_unix` made at `path` from now on.
    pub fn accept_unix(&mut self, bound: UnixListener, path: &str, lobby: &Lobby) {
        let task = spawn_local(accept_unix(bound, path.to_owned(), lobby.clone()));
        self.unix = Some((task, path.to_owned()));
    }
}

/// A bound TCP socket, and a second handle of it.
pub struct Bound {
    place: Place,
    listener: TcpListener,
    socket: Socket,
}

/// Binds every one of `places`. An optional address (`-::1`) that this machine does not have is left out.
///
/// # Errors
/// A text that names the address and the reason.
pub fn bind(places: Vec<Place>, backlog: u32) -> Result<Vec<Bound>, String> {
    let mut tcp = Vec::new();
    for place in places {
        match bind_tcp(&place, backlog) {
            Ok((listener, socket)) => tcp.push(Bound { place, listener, socket }),
            Err(error) if place.is_optional && is_missing_address(&error) => {}
            Err(error) => {
                let place = format!("{}:{}", place.address, place.port);
                let reason = reason(&error);
                return Err(format!("Could not create server TCP listening socket {place}: bind: {reason}"));
            }
        }
    }
    Ok(tcp)
}

/// The error's text without Rust's ` (os error N)`.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

fn is_missing_address(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EADDRNOTAVAIL | libc::EAFNOSUPPORT | libc::EPROTONOSUPPORT | libc::ENOENT)
    )
}

fn resolve(address: &str, port: u16) -> io::Result<SocketAddr> {
    match address {
        "*" => Ok((IpAddr::from([0, 0, 0, 0]), port).into()),
        "::*" => Ok((IpAddr::from([0u16; 8]), port).into()),
        host => {
            let found = (host, port).to_socket_addrs()?.next();
            found.ok_or_else(|| io::Error::from_raw_os_error(libc::EADDRNOTAVAIL))
        }
    }
}

fn bind_tcp(place: &Place, backlog: u32) -> io::Result<(TcpListener, Socket)> {
    let address = resolve(&place.address, place.port)?;
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    let second = socket.try_clone()?;
    Ok((TcpListener::from_std(socket.into())?, second))
}

/// Binds the unix socket at `path`.
///
/// # Errors
/// A text that names the path and the reason.
pub fn bind_unix(path: &str, config: &Config) -> Result<UnixListener, String> {
    // A socket left by a crash would refuse the bind; a running server's is taken over, as Redis does.
    let _ = std::fs::remove_file(path);
    let failed = |error: io::Error| format!("Failed opening Unix socket {path}: bind: {}", reason(&error));
    let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None).map_err(failed)?;
    socket.bind(&socket2::SockAddr::unix(path).map_err(failed)?).map_err(failed)?;
    socket.listen(i32::try_from(config.tcp_backlog).unwrap_or(i32::MAX)).map_err(failed)?;
    if config.unixsocketperm != 0 {
        let mode = std::fs::Permissions::from_mode(config.unixsocketperm);
        std::fs::set_permissions(path, mode).map_err(failed)?;
    }
    UnixListener::from_std(socket.into()).map_err(failed)
}

async fn accept_tcp(listener: TcpListener, transport: Transport, lobby: Lobby) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => welcome_tcp(stream, peer, transport, &lobby),
            Err(error) => rest(&error).await,
        }
    }
}

async fn accept_unix(listener: UnixListener, path: String, lobby: Lobby) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => welcome_unix(stream, &path, &lobby),
            Err(error) => rest(&error).await,
        }
    }
}

async fn rest(error: &io::Error) {
    tracing::warn!("Accepting client connection: accept: {}", reason(error));
    tokio::time::sleep(ACCEPT_REST).await;
}

fn welcome_tcp(stream: TcpStream, peer: SocketAddr, transport: Transport, lobby: &Lobby) {
    let keepalive_s = u64::from(lobby.server.borrow().config.tcp_keepalive);
    // Options that cannot be set cost some latency or a late notice of a dead peer, not the connection.
    let _ = stream.set_nodelay(true);
    if keepalive_s > 0 {
        let probes = Duration::from_secs((keepalive_s / 3).max(1));
        let keepalive = TcpKeepalive::new()
            .with_time(Duration::from_secs(keepalive_s))
            .with_interval(probes)
            .with_retries(3);
        let _ = SockRef::from(&stream).set_tcp_keepalive(&keepalive);
    }
    let local = stream.local_addr().map(|address| address.to_string()).unwrap_or_default();
    let origin = Origin {
        address: peer.to_string(),
        local_address: local,
        transport,
        is_local: is_own_address(peer.ip().to_canonical()),
        fd: stream.as_raw_fd(),
    };
    let stream = match transport {
        Transport::Tcp | Transport::Unix => Stream::Tcp(stream),
        Transport::Tls => match lobby.tls.begin(stream) {
            Some(stream) => Stream::Tls(Box::new(stream)),
            None => return,
        },
    };
    welcome(stream, origin, lobby);
}

/// As in Redis: the two addresses themselves, not the whole loopback network. What comes from another 127.x.y.z may
/// have been forwarded.
fn is_own_address(ip: IpAddr) -> bool {
    ip == Ipv4Addr::LOCALHOST || ip == Ipv6Addr::LOCALHOST
}

fn welcome_unix(stream: UnixStream, path: &str, lobby: &Lobby) {
    let address = format!("{path}:0");
    let origin = Origin {
        address: address.clone(),
        local_address: address,
        transport: Transport::Unix,
        is_local: true,
        fd: stream.as_raw_fd(),
    };
    welcome(Stream::Unix(stream), origin, lobby);
}

const TOO_MANY_CLIENTS: &[u8] = b"-ERR max number of clients reached\r\n";

/// What a client hears that is turned away for want of a password.
pub const PROTECTED: &[u8] = b"\
    -DENIED Redis is running in protected mode because protected mode is enabled and no password is \
    set for the default user. In this mode connections are only accepted from the loopback \
    interface. If you want to connect from external computers to Redis you may adopt one of the \
    following solutions: 1) Just disable protected mode sending the command 'CONFIG SET \
    protected-mode no' from the loopback interface by connecting to Redis from the same host the \
    server is running, however MAKE SURE Redis is not publicly accessible from internet if you do \
    so. Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just disable the \
    protected mode by editing the Redis configuration file, and setting the protected mode option to \
    'no', and then restarting the server. 3) If you started the server manually just for testing, \
    restart it with the '--protected-mode no' option. 4) Setup a an authentication password for the \
    default user. NOTE: You only need to do one of the above things in order for the server to start \
    accepting connections from the outside.\r\n";

fn welcome(stream: Stream, origin: Origin, lobby: &Lobby) {
    let mut server = lobby.server.borrow_mut();
    if server.exit_code.is_some() {
        return;
    }
    server.stats.connections_received += 1;
    if server.clients.len() as u64 >= u64::from(server.config.maxclients) {
        server.stats.connections_rejected += 1;
        return refuse(&stream, TOO_MANY_CLIENTS);
    }
    // Over TLS nothing can be said before the handshake.
    if origin.transport != Transport::Tls
        && gates::refuses_connection(&server, origin.transport, origin.is_local)
    {
        server.stats.connections_rejected += 1;
        return refuse(&stream, PROTECTED);
    }
    let now_ms = server.clock.now().unix_ms();
    let client = server.clients.add(origin, now_ms);
    server.reset_authentication(client);
    drop(server);
    let connection = Connection {
        stream,
        client,
        server: lobby.server.clone(),
        buffers: lobby.buffers.clone(),
        inbox: Inbox::default(),
        has_more: false,
        read_was_full: false,
        is_gone: false,
        timer: None,
        wait_ends_mono_ms: None,
    };
    match &connection.stream {
        Stream::Tcp(_) | Stream::Unix(_) => spawn_local(connection.serve()),
        Stream::Tls(_) => spawn_local(handshake::serve(connection, lobby.tls.turnstile.clone())),
    };
}

/// Says why and hangs up. A fresh socket has room for one line; when it has not, the line is lost.
fn refuse(stream: &Stream, reason: &[u8]) {
    let _ = match stream {
        Stream::Tcp(stream) => SockRef::from(stream).send(reason),
        Stream::Unix(stream) => SockRef::from(stream).send(reason),
        Stream::Tls(_) => return,
    };
}
