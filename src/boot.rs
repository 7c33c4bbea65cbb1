//! From a server's arguments to a server that serves.
//!
//! The order matters: the configuration before anything it decides; the daemon's fork before any thread; the directory
//! before any relative path; the log before anything that has something to say.

use crate::acl::Surroundings;
use crate::base::clock::Clock;
use crate::base::heap::{self, Huge, Status};
use crate::base::log::{self, Loglevel, Role};
use crate::base::pages::{self, HeldBack, Trust};
use crate::base::proctitle::ProcessTitle;
use crate::base::{alloc, bio::Bio, cpus, process};
use crate::config::{
    self, Config, ConfigError, DeclaredUser, HugePageUse, LoadedConfig, Rename, Supervised, SystemFiles,
};
use crate::exec::{command_table, crash};
use crate::net;
use crate::server::access::new_channels;
use crate::server::first_users::misdeclared_user;
use crate::server::server::{REDIS_VERSION, TINTYPE_VERSION};
use crate::server::settings::oom_score_adj;
use crate::server::{CommandTable, Identity, Server};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Runs the server to its end. Returns the process's exit code.
///
/// # Errors
/// What stops the start before there is a log, as text for standard error.
pub fn serve(arguments: Vec<Vec<u8>>) -> Result<i32, String> {
    // Before anything is allocated that could do without huge pages; `lay_out_heap` decides.
    let held_back = pages::hold_back();
    let loaded = config::load(&arguments, &mut SystemFiles).map_err(|error| error.to_string())?;
    let title = ProcessTitle::take().ok();
    let LoadedConfig { config, users, file, warnings, renames } = loaded;
    let commands = named_commands(&renames).map_err(|error| error.to_string())?;
    check_declared_users(&config, &commands, &users)?;
    if config.daemonize {
        process::daemonize().map_err(|error| format!("Can't daemonize: {error}"))?;
    }
    open_log(&config)?;
    lay_out_heap(config.huge_pages, held_back);
    Ok(run(Given { config, file, users, warnings, commands, title }).unwrap_or_else(|reason| {
        tracing::warn!("{reason}");
        1
    }))
}

/// What the start has been given.
struct Given {
    config: Config,
    /// The configuration's file.
    file: Option<PathBuf>,
    users: Vec<DeclaredUser>,
    warnings: Vec<String>,
    commands: CommandTable,
    title: Option<ProcessTitle>,
}

/// The commands by the names that `rename-command` gives them.
fn named_commands(renames: &[Rename]) -> Result<CommandTable, ConfigError> {
    let mut commands = command_table();
    for rename in renames {
        commands.rename(&rename.old, &rename.new).map_err(|error| rename.refused(error.text()))?;
    }
    Ok(commands)
}

/// As Redis does, before there is a log: the lines `user ...` must be rules.
fn check_declared_users(
    config: &Config,
    commands: &CommandTable,
    users: &[DeclaredUser],
) -> Result<(), String> {
    if users.is_empty() {
        return Ok(());
    }
    let catalog = commands.catalog();
    let surroundings = Surroundings { catalog: &catalog, new_channels: new_channels(config) };
    match misdeclared_user(surroundings, users) {
        None => Ok(()),
        Some((index, reason)) => {
            let DeclaredUser { place, text, .. } = users[index].clone();
            Err(ConfigError::Line { place, text, reason }.to_string())
        }
    }
}

fn run(given: Given) -> Result<i32, String> {
    let Given { mut config, file, users, warnings, commands, title } = given;
    let version =
        format!("Tintype version={TINTYPE_VERSION}, compatible with Redis {REDIS_VERSION}, bits=64");
    tracing::warn!("oO0OoO0OoO0Oo Tintype is starting oO0OoO0OoO0Oo");
    tracing::warn!("{version}, pid={}, just started", std::process::id());
    match &file {
        Some(path) => tracing::warn!("Configuration loaded from {}", path.display()),
        None => tracing::warn!("No config file given, using the defaults and the command line"),
    }
    if supervised(&config) == "systemd" {
        tracing::info!(
            "Supervised by systemd. Please make sure you set appropriate values for TimeoutStartSec and \
             TimeoutStopSec in your service unit."
        );
    }
    enter_directory(&mut config)?;
    limit_open_files(&mut config)?;
    log::set_role(Role::Primary);
    tracing::info!("Running mode=standalone, port={}.", config.port);
    warn_of_surroundings(&config);
    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    let pidfile = pidfile_of(&config);
    crash::report(config.crash_log_enabled);
    place_helpers(&config);
    install_heap(config.huge_pages);
    let mut server = build(config, commands, file, title);
    server.take_first_users(&users)?;
    pin_loop(&server.config);
    // Only who listens owns the pid file: a second start that fails leaves the first one's alone.
    let mut written = None;
    let result = net::serve(server, &mut || written = pidfile.as_deref().and_then(write_pidfile));
    if let Some(path) = written {
        tracing::info!("Removing the pid file.");
        let _ = process::remove_pidfile(path);
    }
    if result.is_ok() {
        tracing::warn!("Tintype is now ready to exit, bye bye...");
    }
    result
}

/// Whether the heap can be on huge pages at all.
fn lay_out_heap(wanted: HugePageUse, held_back: HeldBack) {
    let trust = match wanted {
        HugePageUse::No => return heap::stay_small("huge-pages is no".to_owned()),
        HugePageUse::Yes => Trust::AnyKernel,
        HugePageUse::Auto => Trust::GoodKernels,
    };
    if let pages::HugePages::Off(reason) = pages::huge_pages(trust, held_back) {
        heap::stay_small(reason);
    }
}

fn install_heap(wanted: HugePageUse) {
    if let Status::Off(_) = heap::status() {
        return;
    }
    let huge = match wanted {
        HugePageUse::Auto => Huge::WhenLarge,
        HugePageUse::Yes | HugePageUse::No => Huge::FromTheStart,
    };
    let installed = heap::install(huge);
    if huge == Huge::FromTheStart || installed.is_err() {
        pages::allow();
    }
    if let Err(error) = installed {
        tracing::warn!("The heap grows without help, with longer page faults: {error}");
    }
}

/// Before the first helper thread starts: they stay where the process was put, wherever the loop goes.
fn place_helpers(config: &Config) {
    if let Some(cpus) = cpus::parse(&config.bio_cpulist).ok().flatten().or_else(cpus::allowed) {
        cpus::place_helpers(cpus);
    }
}

/// As in Redis, a server that cannot run where it was told runs anyway; here it says so.
fn pin_loop(config: &Config) {
    let list = &config.server_cpulist;
    if let Some(Err(errno)) = cpus::parse(list).ok().flatten().map(|cpus| cpus::run_on(&cpus)) {
        tracing::warn!("Can't run on the processors {list} of server_cpulist: {}", errno.desc());
    }
}

fn open_log(config: &Config) -> Result<(), String> {
    let file = (!config.logfile.is_empty()).then(|| PathBuf::from(&config.logfile));
    let shown = config.logfile.clone();
    log::init(log::Settings { file, level: log_level(config) })
        .map_err(|error| format!("Can't open the log file {shown}: {error}"))
}

/// The directive `loglevel` in the log's own terms.
pub fn log_level(config: &Config) -> Loglevel {
    crate::server::settings::log_level(config.loglevel)
}

fn enter_directory(config: &mut Config) -> Result<(), String> {
    let failed = |error: io::Error| format!("Can't chdir to '{}': {error}", config.dir.display());
    std::env::set_current_dir(&config.dir).map_err(failed)?;
    config.dir = std::env::current_dir().map_err(failed)?;
    Ok(())
}

/// Where the pid goes: where the directive says, and for a daemon by default where Redis's init scripts look.
fn pidfile_of(config: &Config) -> Option<PathBuf> {
    match &config.pidfile {
        Some(path) => Some(path.into()),
        None if config.daemonize => Some("/var/run/redis.pid".into()),
        None => None,
    }
}

/// Returns the path when the file was written.
fn write_pidfile(path: &Path) -> Option<&Path> {
    match process::write_pidfile(path) {
        Ok(()) => Some(path),
        Err(error) => {
            // As in Redis: a server without its pid file still serves.
            tracing::warn!("Failed to write PID file {}: {error}", path.display());
            None
        }
    }
}

fn limit_open_files(config: &mut Config) -> Result<(), String> {
    let limit =
        process::adjust_open_files_limit(u64::from(config.maxclients)).map_err(|error| error.to_string())?;
    limit.lines().iter().for_each(|line| tracing::warn!("{line}"));
    config.maxclients = u32::try_from(limit.maxclients).unwrap_or(u32::MAX);
    Ok(())
}

/// Says what of this machine will hurt.
fn warn_of_surroundings(config: &Config) {
    if process::overcommit_memory().is_some_and(|setting| setting != 1) {
        tracing::warn!(
            "WARNING Memory overcommit must be enabled! Without it, a background save may fail under low \
             memory condition. To fix this issue add 'vm.overcommit_memory = 1' to /etc/sysctl.conf and then \
             reboot or run the command 'sysctl vm.overcommit_memory=1' for this to take effect."
        );
    }
    if let Some(somaxconn) = process::somaxconn()
        && somaxconn < config.tcp_backlog
    {
        tracing::warn!(
            "WARNING: The TCP backlog setting of {} cannot be enforced because \
             /proc/sys/net/core/somaxconn is set to the lower value of {somaxconn}.",
            config.tcp_backlog
        );
    }
    if let Status::Off(reason) = heap::status()
        && config.huge_pages != HugePageUse::No
    {
        tracing::warn!("WARNING The heap is on 4 KiB pages, so forks for snapshots take longer: {reason}");
    }
}

fn build(
    config: Config,
    commands: CommandTable,
    config_file: Option<PathBuf>,
    title: Option<ProcessTitle>,
) -> Server {
    let clock = Clock::real();
    let seed = fastrand::u64(..);
    let title = title.filter(|_| config.set_proc_title);
    let supervised = supervised(&config);
    let mut server = Server::new(config, clock, commands, seed);
    server.identity = Identity {
        run_id: hex_id(),
        replication_id: hex_id(),
        executable: std::env::current_exe().map(|path| path.display().to_string()).unwrap_or_default(),
        command_line: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
        config_file,
        supervised,
        startup_memory_bytes: alloc::used_memory_bytes() as u64,
        oom_score_adj_base: process::oom_score_adj().unwrap_or(0),
        ..server.identity
    };
    server.acl.entropy = |bytes| File::open("/dev/urandom")?.read_exact(bytes);
    server.snapshots.process_title = title;
    server.show_title();
    adjust_oom_score(&server);
    match Bio::start("bio_lazy_free") {
        Ok(bio) => server.keyspace.bio = Some(Rc::new(bio)),
        Err(error) => tracing::warn!("Can't start the helper thread, everything is freed inline: {error}"),
    }
    server
}

/// Tells the kernel how gladly it may kill us when memory is short.
fn adjust_oom_score(server: &Server) {
    let Some(score) = oom_score_adj(&server.config, server.identity.oom_score_adj_base) else { return };
    if let Err(error) = process::set_oom_score_adj(score) {
        tracing::warn!("Unable to write oom_score_adj: {error}");
    }
}

/// Who watches over us: `auto` looks for systemd's socket.
fn supervised(config: &Config) -> &'static str {
    let systemd = std::env::var_os("NOTIFY_SOCKET").is_some();
    match config.supervised {
        Supervised::Systemd => "systemd",
        Supervised::Auto if systemd => "systemd",
        Supervised::Upstart => "upstart",
        Supervised::Auto | Supervised::No => "no",
    }
}

fn hex_id() -> String {
    (0..40).map(|_| char::from_digit(fastrand::u32(..16), 16).unwrap_or('0')).collect()
}
