//! The main task: listen, load, serve, stop.

use super::connection::Buffers;
use super::listener::{self, Listeners, Lobby};
use super::signals::Signals;
use super::tls::{Tls, reload, settings};
use super::{Shared, receivers, timers};
use crate::config::Config;
use crate::exec::crash;
use crate::server::tls::Certificates;
use crate::server::{Alarm, Host, Server};
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, LocalSet, spawn_local, yield_now};

/// Rounds of the tasks between the decision to end and the end. Nothing is written any more: `exec::gates`.
const ROUNDS_BEFORE_THE_END: usize = 3;

/// What the server can ask of this room.
struct NetHost {
    server: Weak<RefCell<Server>>,
    listeners: RefCell<Listeners>,
    /// The configuration of the last call of `listen` that succeeded.
    listens_as: RefCell<Config>,
    buffers: Rc<Buffers>,
    tls: Rc<Tls>,
    /// Looks for new certificates.
    reloading: RefCell<Option<JoinHandle<()>>>,
    hz: Rc<Cell<u32>>,
    wake: Notify,
    /// The round of the tasks that goes on has something to be done behind it.
    round_ends: Rc<Notify>,
    /// Other threads have something for the loop.
    deferred: Arc<Notify>,
    /// A script is slow.
    script_suspended: Rc<Notify>,
}

impl Host for NetHost {
    fn configure_tls(&self, config: &Config) -> Result<Certificates, String> {
        let loaded = if config.tls_port == 0 { None } else { Some(settings::load(config)?) };
        self.tls.install(loaded.as_ref(), config);
        self.watch_certificates(config);
        Ok(loaded.map(|loaded| loaded.certificates).unwrap_or_default())
    }

    fn listen(&self, config: &Config) -> Result<(), String> {
        let Some(lobby) = self.lobby() else { return Ok(()) };
        let mut listeners = self.listeners.borrow_mut();
        let places = listener::places(config);
        let backlog = config.tcp_backlog;
        // Old and new addresses may overlap (`*` and 127.0.0.1): then the old sockets must go before the new come.
        let bound = listener::bind(listeners.missing(&places), backlog).or_else(|_| {
            listeners.stop_tcp();
            listener::bind(places.clone(), backlog).inspect_err(|_| {
                let old = listener::places(&self.listens_as.borrow());
                listeners.accept_tcp(listener::bind(old, backlog).unwrap_or_default(), &lobby);
            })
        })?;
        listeners.stop_all_but(&places);
        listeners.accept_tcp(bound, &lobby);
        self.listens_as.replace(config.clone());
        Ok(())
    }

    fn wake(&self) {
        self.wake.notify_one();
    }

    fn alarm(&self) -> Alarm {
        let deferred = self.deferred.clone();
        Arc::new(move || deferred.notify_one())
    }

    fn end_round(&self) {
        self.round_ends.notify_one();
    }

    fn script_suspended(&self) {
        self.script_suspended.notify_one();
    }

    fn set_hz(&self, hz: i64) {
        self.hz.set(u32::try_from(hz).unwrap_or(1));
    }
}

impl NetHost {
    fn lobby(&self) -> Option<Lobby> {
        let server = self.server.upgrade()?;
        Some(Lobby { server, buffers: self.buffers.clone(), tls: self.tls.clone() })
    }

    /// Has somebody look for new certificates, if the configuration wants that.
    fn watch_certificates(&self, config: &Config) {
        if let Some(task) = self.reloading.take() {
            task.abort();
        }
        if config.tls_port == 0 || config.tls_auto_reload_interval == 0 {
            return;
        }
        let (server, tls, config) = (self.server.clone(), self.tls.clone(), config.clone());
        let watching = reload::watch(config.clone(), move |loaded| {
            tls.install(Some(loaded), &config);
            if let Some(server) = server.upgrade() {
                server.borrow_mut().certificates = loaded.certificates.clone();
            }
        });
        self.reloading.replace(Some(spawn_local(watching)));
    }
}

/// Runs `server` until it is told to end. Returns the exit code of the process. `listening` is called once it listens.
///
/// # Errors
/// When it cannot listen or load its file; the text says why.
pub fn serve(server: Server, listening: &mut dyn FnMut()) -> Result<i32, String> {
    // Sockets are looked at after every round of the tasks, not after 61 rounds: a busy client must not hide the
    // others.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().event_interval(1).build();
    let runtime = runtime.map_err(|error| format!("Can't start the event loop: {error}"))?;
    LocalSet::new().block_on(&runtime, main_task(server, listening))
}

async fn main_task(server: Server, listening: &mut dyn FnMut()) -> Result<i32, String> {
    let server: Shared = Rc::new(RefCell::new(server));
    let _shown_in_reports = crash::exhibit(&server);
    let host = Rc::new(NetHost {
        server: Rc::downgrade(&server),
        listeners: RefCell::default(),
        listens_as: RefCell::new(server.borrow().config.clone()),
        buffers: Rc::default(),
        tls: Rc::new(Tls::new(&server.borrow().config)),
        reloading: RefCell::default(),
        hz: Rc::new(Cell::new(server.borrow().config.hz)),
        wake: Notify::new(),
        round_ends: Rc::default(),
        deferred: Arc::default(),
        script_suspended: Rc::default(),
    });
    let config = server.borrow().config.clone();
    start_tls(&host, &server)?;
    host.listen(&config)?;
    if let (Some(path), Some(lobby)) = (&config.unixsocket, host.lobby()) {
        let bound = listener::bind_unix(path, &config)?;
        host.listeners.borrow_mut().accept_unix(bound, path, &lobby);
    }
    listening();
    server.borrow_mut().host = Some(host.clone());
    tracing::info!("Server initialized");
    server.borrow().notify_supervisor("STATUS=Tintype is loading...");
    spawn_local(timers::run_cron(server.clone(), host.hz.clone()));
    spawn_local(timers::watch_children(server.clone()));
    spawn_local(receivers::wake(server.clone()));
    spawn_local(timers::finish_deferred(server.clone(), host.deferred.clone()));
    spawn_local(timers::finish_rounds(server.clone(), host.round_ends.clone()));
    spawn_local(timers::go_on_with_scripts(server.clone(), host.script_suspended.clone()));
    match Signals::listen(server.borrow().interrupts.clone()) {
        Ok(signals) => drop(spawn_local(signals.obey(server.clone()))),
        Err(error) => tracing::warn!("Can't watch for signals: {error}"),
    }
    load(&server).await?;
    if server.borrow().exit_code.is_none() {
        announce(&server.borrow());
    }
    while server.borrow().exit_code.is_none() {
        host.wake.notified().await;
    }
    // Whoever waited for the last save has an answer, which must be on its way before the sockets close.
    for _ in 0..ROUNDS_BEFORE_THE_END {
        yield_now().await;
    }
    host.listeners.borrow_mut().stop();
    Ok(server.borrow().exit_code.unwrap_or(0))
}

/// Reads the certificates before anybody listens.
fn start_tls(host: &NetHost, server: &Shared) -> Result<(), String> {
    let config = server.borrow().config.clone();
    let certificates = host.configure_tls(&config).map_err(|reason| {
        tracing::warn!("{reason}");
        "Failed to configure TLS. Check logs for more info.".to_owned()
    })?;
    server.borrow_mut().certificates = certificates;
    spawn_local(host.tls.turnstile.clone().turn());
    Ok(())
}

/// Loads the snapshot in steps; between them clients are served, most with a LOADING error.
async fn load(server: &Shared) -> Result<(), String> {
    if !server.borrow_mut().start_loading()? {
        return Ok(());
    }
    while server.borrow().exit_code.is_none() && server.borrow_mut().load_step()? {
        yield_now().await;
    }
    Ok(())
}

fn announce(server: &Server) {
    if server.config.port != 0 {
        tracing::info!("Ready to accept connections tcp");
    }
    if server.config.unixsocket.is_some() {
        tracing::info!("Ready to accept connections unix");
    }
    if server.config.tls_port != 0 {
        tracing::info!("Ready to accept connections tls");
    }
    server.notify_supervisor("STATUS=Ready to accept connections\nREADY=1");
}
