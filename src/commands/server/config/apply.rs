//! Puts a changed configuration in force: whole or not at all.
//!
//! Most directives are read where they are used, or kept by `Server::apply_config`. The others have a step in `STEPS`.
//! A step reads `server.config`, which is the new configuration already; when one fails, the old configuration comes
//! back and the steps done so far are done again with it.

use crate::base::log;
use crate::base::os::reason;
use crate::base::process::{self, OpenFilesOutcome};
use crate::config::{self, Config, DirectiveId, OomScoreAdj, SetError, directives};
use crate::server::{Server, settings};

/// Carries out what follows from a change. Gets the configuration before it and the directive that changed; `Err` is
/// what the reply says behind its dash.
type Apply = fn(&mut Server, &Config, DirectiveId) -> Result<(), String>;

struct Step {
    /// It is done once when any of these changed.
    directives: &'static [DirectiveId],
    apply: Apply,
}

const STEPS: &[Step] = &[
    Step { directives: &["dir"], apply: enter_directory },
    Step { directives: &["maxclients"], apply: limit_open_files },
    Step { directives: &["oom-score-adj", "oom-score-adj-values"], apply: adjust_oom_score },
    Step { directives: TLS, apply: configure_tls },
    Step { directives: &["port", "bind", "tls-port"], apply: listen },
    Step { directives: &["proc-title-template", "port", "bind", "tls-port"], apply: show_title },
    Step { directives: &["loglevel"], apply: set_log_level },
    Step { directives: &["hz"], apply: set_hz },
    Step { directives: &["crash-log-enabled"], apply: report_crashes },
    Step { directives: &["requirepass"], apply: set_default_password },
    Step { directives: &["maxmemory"], apply: warn_of_small_limit },
];

/// All that decides how a connection over TLS begins.
const TLS: &[DirectiveId] = &[
    "tls-port",
    "tls-cert-file",
    "tls-key-file",
    "tls-key-file-pass",
    "tls-ca-cert-file",
    "tls-ca-cert-dir",
    "tls-auth-clients",
    "tls-protocols",
    "tls-ciphers",
    "tls-ciphersuites",
    "tls-prefer-server-ciphers",
    "tls-session-caching",
    "tls-session-cache-size",
    "tls-session-cache-timeout",
    "tls-dh-params-file",
    "tls-auto-reload-interval",
    "max-new-tls-connections-per-cycle",
];

/// Replaces the configuration by `config`, in which `named` were set.
///
/// # Errors
/// The directive whose step failed and why; then everything is as it was.
pub(super) fn put_in_force(
    server: &mut Server,
    config: Config,
    named: &[DirectiveId],
) -> Result<(), SetError> {
    let old = std::mem::replace(&mut server.config, config);
    let due = due_steps(&old, &server.config, named);
    for (index, (step, name)) in due.iter().enumerate() {
        if let Err(reason) = (step.apply)(server, &old, name) {
            tracing::warn!(
                "Failed applying new configuration. Possibly related to new {name} setting. Restoring previous settings."
            );
            restore(server, old, &due[..index]);
            return Err(SetError::failed(name, reason));
        }
    }
    server.apply_config();
    Ok(())
}

fn due_steps(old: &Config, new: &Config, named: &[DirectiveId]) -> Vec<(&'static Step, DirectiveId)> {
    let differs =
        |name: &DirectiveId| config::get(old, &[name.as_bytes()]) != config::get(new, &[name.as_bytes()]);
    let rereads = |name: &str| directives::find(name.as_bytes()).is_some_and(|directive| directive.rereads);
    let changed: Vec<DirectiveId> =
        named.iter().copied().filter(|name| differs(name) || rereads(name)).collect();
    let due = |step: &'static Step| {
        let name = changed.iter().find(|name| step.directives.contains(name))?;
        Some((step, *name))
    };
    STEPS.iter().filter_map(due).collect()
}

fn restore(server: &mut Server, old: Config, done: &[(&'static Step, DirectiveId)]) {
    let refused = std::mem::replace(&mut server.config, old);
    for (step, name) in done {
        if let Err(reason) = (step.apply)(server, &refused, name) {
            tracing::warn!("Failed applying restored failed CONFIG SET command: {reason}");
        }
    }
}

fn enter_directory(server: &mut Server, _old: &Config, _name: DirectiveId) -> Result<(), String> {
    std::env::set_current_dir(&server.config.dir).map_err(|error| reason(&error))?;
    server.config.dir = std::env::current_dir().map_err(|error| reason(&error))?;
    Ok(())
}

fn limit_open_files(server: &mut Server, old: &Config, _name: DirectiveId) -> Result<(), String> {
    if server.config.maxclients <= old.maxclients {
        return Ok(());
    }
    let possible = match process::adjust_open_files_limit(u64::from(server.config.maxclients)) {
        Ok(limit) => {
            limit.lines().iter().for_each(|line| tracing::warn!("{line}"));
            match limit.outcome {
                OpenFilesOutcome::Unchanged | OpenFilesOutcome::Raised { .. } => return Ok(()),
                OpenFilesOutcome::Reduced { .. } | OpenFilesOutcome::Unknown { .. } => limit.maxclients,
            }
        }
        Err(_) => 0,
    };
    Err(format!(
        "The operating system is not able to handle the specified number of clients, try with {possible}"
    ))
}

fn adjust_oom_score(server: &mut Server, old: &Config, _name: DirectiveId) -> Result<(), String> {
    let base = server.identity.oom_score_adj_base;
    let score = match settings::oom_score_adj(&server.config, base) {
        Some(score) => score,
        None if old.oom_score_adj == OomScoreAdj::No => return Ok(()),
        None => base,
    };
    process::set_oom_score_adj(score).map_err(|error| {
        tracing::warn!("Unable to write oom_score_adj: {}", reason(&error));
        "Failed to set current oom_score_adj. Check server logs.".to_owned()
    })
}

fn configure_tls(server: &mut Server, _old: &Config, _name: DirectiveId) -> Result<(), String> {
    let Some(host) = server.host.clone() else { return Ok(()) };
    server.certificates = host.configure_tls(&server.config).map_err(|error| {
        tracing::warn!("{error}");
        format!("Unable to update TLS configuration: {error}")
    })?;
    Ok(())
}

fn listen(server: &mut Server, _old: &Config, name: DirectiveId) -> Result<(), String> {
    let Some(host) = server.host.clone() else { return Ok(()) };
    host.listen(&server.config).map_err(|error| {
        tracing::warn!("{error}");
        match name {
            "bind" => "Failed to bind to specified addresses.".to_owned(),
            _ => "Unable to listen on this port. Check server logs.".to_owned(),
        }
    })
}

/// A title that does not fit is cut; a template that is not understood was refused before.
fn show_title(server: &mut Server, _old: &Config, _name: DirectiveId) -> Result<(), String> {
    server.show_title();
    Ok(())
}

fn set_log_level(server: &mut Server, _old: &Config, _name: DirectiveId) -> Result<(), String> {
    log::set_level(settings::log_level(server.config.loglevel));
    Ok(())
}

fn report_crashes(server: &mut Server, _old: &Config, _name: DirectiveId) -> Result<(), String> {
    crate::base::os::fault::enable(server.config.crash_log_enabled);
    Ok(())
}

fn set_hz(server: &mut Server, _old: &Config, _name: DirectiveId) -> Result<(), String> {
    if let Some(host) = &server.host {
        host.set_hz(i64::from(server.config.hz));
    }
    Ok(())
}

/// Whoever has been let in stays, as in Redis.
fn set_default_password(server: &mut Server, _old: &Config, _name: DirectiveId) -> Result<(), String> {
    server.obey_requirepass();
    Ok(())
}

fn warn_of_small_limit(server: &mut Server, _old: &Config, _name: DirectiveId) -> Result<(), String> {
    let (limit, used) = (server.config.maxmemory, server.used_memory_bytes() as u64);
    if limit > 0 && limit < used {
        tracing::warn!(
            "WARNING: the new maxmemory value set via CONFIG SET ({limit}) is smaller than the current memory usage \
             ({used}). This will result in key eviction and/or the inability to accept new write commands depending on \
             the maxmemory-policy."
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_names_directives_that_exist() {
        for name in STEPS.iter().flat_map(|step| step.directives) {
            assert_eq!(config::get(&Config::default(), &[name.as_bytes()]).len(), 1, "{name}");
        }
    }

    #[test]
    fn a_step_is_due_once_and_only_for_a_real_change() {
        let old = Config::default();
        let mut new = Config::default();
        (new.port, new.hz) = (1, 20);
        let due = due_steps(&old, &new, &["hz", "bind", "port"]);
        let names: Vec<_> = due.iter().map(|(_, name)| *name).collect();
        assert_eq!(names, ["port", "port", "hz"]);
    }
}
