//! The server's state: one field per room.

use super::deferred::Deferred;
use super::expecting::Expecting;
use super::history::History;
use super::host::Host;
use super::notification::Notification;
use super::recent::Recent;
use super::shutdown::{Interrupts, UnderWay};
use super::suspended::Suspended;
use super::table::CommandTable;
use super::tls::Certificates;
use crate::acl::Acl;
use crate::base::alloc;
use crate::base::argv::Args;
use crate::base::clock::{Clock, Now};
use crate::base::ids::ClientId;
use crate::client::{Clients, Pause, Tracking, Waiting, Watches};
use crate::config::{Config, NotifyEvents};
use crate::encoding::dict::{HashSeed, mapped_bytes_total};
use crate::keyspace::{Keyspace, Ledger};
use crate::metrics::command_log::CommandLogs;
use crate::metrics::error_stats::ErrorStats;
use crate::metrics::latency::{self, Latency};
use crate::metrics::rates::Rates;
use crate::metrics::stats::Stats;
use crate::persist::load::Loading;
use crate::persist::snapshot::Snapshots;
use crate::pubsub::PubSub;
use crate::script::Scripts;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

pub use crate::spec::REDIS_VERSION;
/// Our own version.
pub const TINTYPE_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Who this process is; nothing of it changes after the start.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// 40 hexadecimal digits, different at every start.
    pub run_id: String,
    pub replication_id: String,
    pub executable: String,
    /// How the process was started, the program first.
    pub command_line: Vec<String>,
    pub config_file: Option<PathBuf>,
    /// Unix milliseconds.
    pub started_ms: i64,
    /// `no`, `systemd`, ...: who watches over the process.
    pub supervised: &'static str,
    /// Bytes in use right after the start.
    pub startup_memory_bytes: u64,
    /// What the process's out-of-memory score was adjusted by when it started.
    pub oom_score_adj_base: i32,
}

/// A shutdown as it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shutdown {
    pub save: ShutdownSave,
    pub now: bool,
    pub force: bool,
    /// The client to answer when it fails; a signal has none.
    pub client: Option<ClientId>,
}

/// Whether the dataset is saved before the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShutdownSave {
    /// When there are save rules.
    ByRules,
    Yes,
    No,
}

/// Everything the server knows.
pub struct Server {
    pub clock: Clock,
    pub identity: Identity,
    pub config: Config,
    pub keyspace: Keyspace,
    pub ledger: Ledger,
    pub clients: Clients,
    /// The clients take more than they may although nobody is left who could be closed: the log has it.
    pub clients_over_limit: bool,
    pub watches: Watches,
    /// Clients that are told when keys change which they may have cached.
    pub tracking: Tracking,
    /// Clients whose command waits for a key.
    pub waiting: Waiting,
    /// Those of them who wait for no key, but for something that the server does.
    pub expecting: Expecting,
    /// Who listens to what.
    pub pubsub: PubSub,
    pub scripts: Scripts,
    /// A slow script, and the unit that it is a part of.
    pub suspended: Option<Box<Suspended>>,
    pub pause: Pause,
    /// Who may do what.
    pub acl: Acl,
    pub commands: CommandTable,
    pub snapshots: Snapshots,
    /// The snapshots before the last one.
    pub history: History,
    /// A file that is being loaded; most commands are refused until it is in.
    pub loading: Option<Loading>,
    /// Where the load puts the keys: it takes the keyspace's place when the whole file was found right.
    pub incoming: Option<Keyspace>,
    pub stats: Stats,
    pub errors: ErrorStats,
    pub rates: Rates,
    pub latency: Latency,
    pub command_logs: CommandLogs,
    /// For the report of a crash.
    pub recent: Recent,
    /// Switches of the DEBUG command.
    pub debug: DebugSwitches,
    /// When the last command ended, on the monotonic clock: the next one of the same client begins there.
    pub last_call_ended_ns: u64,
    /// A transaction is being executed, or a script: nobody may wait.
    pub in_exec: bool,
    /// A script runs commands.
    pub in_script: bool,
    /// Memory was above its limit when the command began that a client sent: for its script that stays so.
    pub began_out_of_memory: bool,
    /// The EXEC that has just ended dropped the replies that CLIENT REPLY does not want; the others stay.
    pub exec_was_muted: bool,
    /// When somebody last spoke HTTP to this server, in Unix milliseconds.
    pub http_seen_ms: Option<i64>,
    /// A shutdown whose last save is at work.
    pub shutdown: Option<UnderWay>,
    /// What the thread that hears signals must know without asking the loop.
    pub interrupts: Arc<Interrupts>,
    /// Set when the process is to end; the main task sees it and stops.
    pub exit_code: Option<i32>,
    pub host: Option<Rc<dyn Host>>,
    /// What other threads have done and the loop is to finish.
    pub deferred: Deferred,
    /// Where the messages of keyspace notifications are built.
    pub notification: Notification,
    /// Gets what would be propagated: the tests' replica.
    pub feed: Option<Feed>,
    /// Of the connections over TLS that begin now.
    pub certificates: Certificates,
}

/// Takes a database and a command that changed it.
pub type Feed = Box<dyn FnMut(usize, Args<'_>)>;

/// What DEBUG has switched.
#[derive(Clone, Copy, Debug)]
pub struct DebugSwitches {
    pub active_expire: bool,
    pub cron_paused: bool,
    pub skip_checksum_validation: bool,
    pub dict_resizing: bool,
    /// Elements of large lists from this size on, in bytes, get a node of their own; `None`: only those that fit into
    /// none.
    pub list_plain_bytes_min: Option<usize>,
}

impl Default for DebugSwitches {
    fn default() -> Self {
        DebugSwitches {
            active_expire: true,
            cron_paused: false,
            skip_checksum_validation: false,
            dict_resizing: true,
            list_plain_bytes_min: None,
        }
    }
}

impl Server {
    /// A server with an empty keyspace. `seed` decides everything random.
    pub fn new(config: Config, clock: Clock, commands: CommandTable, seed: u64) -> Self {
        let databases = usize::try_from(config.databases).unwrap_or(16);
        let now = clock.now();
        let now_ms = now.unix_ms();
        let mut server = Server {
            identity: Identity { started_ms: now_ms, supervised: "no", ..Identity::default() },
            keyspace: Keyspace::new(databases, seed, now_ms),
            ledger: Ledger::default(),
            clients: Clients::default(),
            clients_over_limit: false,
            watches: Watches::default(),
            tracking: Tracking::new(HashSeed(fastrand::Rng::with_seed(!seed).u128(..).to_le_bytes())),
            waiting: Waiting::default(),
            expecting: Expecting::default(),
            pubsub: PubSub::new(HashSeed(fastrand::Rng::with_seed(!seed).u128(..).to_le_bytes())),
            scripts: Scripts::default(),
            suspended: None,
            pause: Pause::default(),
            acl: Acl::new(commands.catalog()),
            commands,
            snapshots: Snapshots::new(now),
            history: History::default(),
            loading: None,
            incoming: None,
            stats: Stats::default(),
            errors: ErrorStats::default(),
            rates: Rates::default(),
            latency: Latency::default(),
            command_logs: CommandLogs::default(),
            recent: Recent::default(),
            debug: DebugSwitches::default(),
            last_call_ended_ns: 0,
            in_exec: false,
            in_script: false,
            began_out_of_memory: false,
            exec_was_muted: false,
            http_seen_ms: None,
            shutdown: None,
            interrupts: Arc::default(),
            exit_code: None,
            host: None,
            deferred: Deferred::default(),
            notification: Notification::default(),
            feed: None,
            certificates: Certificates::default(),
            clock,
            config,
        };
        server.apply_config();
        server.obey_requirepass();
        server
    }

    /// Derives from the configuration what other rooms keep of it.
    pub fn apply_config(&mut self) {
        crate::base::log::hide_user_data(self.config.hide_user_data_from_log);
        self.clients.limit_memory(self.config.maxmemory_clients != 0);
        self.command_logs.set_limits(super::settings::command_log_limits(&self.config));
        let mut settings = super::settings::keyspace_settings(&self.config);
        settings.rules.list_plain_bytes_min = self.debug.list_plain_bytes_min.unwrap_or(usize::MAX);
        self.keyspace.set_settings(settings);
        let events = self.config.notify_keyspace_events;
        self.ledger.notifies = if events.publishes() { events } else { NotifyEvents::NONE };
        let script_memory_limit = usize::try_from(self.config.script_memory_limit).unwrap_or(usize::MAX);
        self.scripts.limit_memory(if script_memory_limit == 0 { usize::MAX } else { script_memory_limit });
        self.clients.output_limits = self.config.client_output_buffer_limit;
    }

    /// Shows in `ps` what `proc-title-template` asks for, when the process may change its title.
    pub fn show_title(&mut self) {
        let text = super::settings::process_title(&self.config, self.identity.config_file.as_deref());
        if let (Some(title), Some(text)) = (&mut self.snapshots.process_title, text) {
            title.set(&text);
        }
    }

    /// Bytes that the dataset and everything beside it use: what the allocator has given out, and the mappings of large
    /// tables, be they databases or collections.
    pub fn used_memory_bytes(&self) -> usize {
        alloc::used_memory_bytes() + mapped_bytes_total()
    }

    /// The time when the last command ended, if `now` is the time when it began.
    pub fn now_after(&self, now: Now) -> Now {
        let mono_ns = self.last_call_ended_ns;
        let elapsed_us = mono_ns.saturating_sub(now.mono_ns) / 1000;
        Now { unix_us: now.unix_us + elapsed_us as i64, mono_ns }
    }

    /// Has the latency monitor know of an event, when it took long.
    pub fn note_latency(&mut self, event: &'static str, unix_s: i64, took_ms: u64) {
        if latency::is_spike(took_ms, self.config.latency_monitor_threshold) {
            self.latency.add(event, unix_s, took_ms);
        }
    }

    /// Counts an error reply, given without its `-`.
    pub fn count_error(&mut self, line: &[u8]) {
        self.errors.record(line);
        self.stats.error_replies += 1;
    }

    /// Ends all watches of a client: after EXEC, DISCARD, UNWATCH, RESET, and when it goes.
    pub fn forget_watches(&mut self, client: ClientId) {
        let Some(client) = self.clients.get_mut(client) else { return };
        client.watch_broken = false;
        let watched = std::mem::take(&mut client.watched);
        self.watches.remove(client.id, &watched);
    }

    /// Tells systemd how far we are, when it watches over us.
    pub fn notify_supervisor(&self, state: &str) {
        if self.identity.supervised == "systemd"
            && let Err(error) = crate::base::process::sd_notify(state)
        {
            tracing::warn!("Can't notify systemd: {error}");
        }
    }

    /// Has the main task end the process.
    pub fn exit(&mut self, code: i32) {
        self.exit_code = Some(code);
        if let Some(host) = &self.host {
            host.wake();
        }
    }
}
