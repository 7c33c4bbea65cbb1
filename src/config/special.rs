//! Directives with a syntax of their own, and the rules of some texts.
//!
//! Each has three functions: `read` takes the words after the name, `text` is the answer of CONFIG GET,
//! `lines` what CONFIG REWRITE writes. Each `read` leaves the configuration alone when it fails. Error texts
//! as redis-server 7.0.15 words them.

use std::path::Path;

use super::value::Special;
use super::{BindAddress, Config, NotifyEvents, OutputLimit, OutputLimits, SaveRule, ShutdownFlags};
use crate::base::number::parse_memory;

/// For directives whose new value takes the place of the old.
fn keep(_: &mut Config) {}

/// Redis's limit of addresses in `bind`.
const BIND_ADDRESSES_MAX: usize = 16;

pub(super) const BIND: Special = Special {
    restart: keep,
    read: |config, words| {
        if words.len() > BIND_ADDRESSES_MAX {
            return Err("Too many bind addresses specified.".into());
        }
        config.bind = words.iter().map(|word| read_address(word)).collect::<Result<_, _>>()?;
        Ok(())
    },
    text: |config| join(config.bind.iter().map(write_address)),
    lines: |config, _| {
        let addresses = join(config.bind.iter().map(write_address));
        vec![if addresses.is_empty() { "bind \"\"".into() } else { format!("bind {addresses}") }]
    },
};

fn read_address(word: &[u8]) -> Result<BindAddress, String> {
    let text = str::from_utf8(word).map_err(|_| "argument must be valid UTF-8".to_string())?;
    let (address, optional) = match text.strip_prefix('-') {
        Some(address) => (address, true),
        None => (text, false),
    };
    Ok(BindAddress { address: address.to_string(), optional })
}

fn write_address(bind: &BindAddress) -> String {
    format!("{}{}", if bind.optional { "-" } else { "" }, bind.address)
}

/// `save` adds to the rules there are; the first one of a load, CONFIG SET and `save ""` forget them first.
pub(super) const SAVE: Special = Special {
    restart: |config| config.save.clear(),
    read: |config, words| {
        let rules: Option<Vec<SaveRule>> =
            words.chunks(2).map(|pair| read_save_rule(pair.first()?, pair.get(1)?)).collect();
        config.save.extend(rules.ok_or("Invalid save parameters")?);
        Ok(())
    },
    text: |config| join(config.save.iter().map(|rule| format!("{} {}", rule.seconds, rule.changes))),
    lines: |config, _| {
        if config.save.is_empty() {
            return vec!["save \"\"".into()];
        }
        config.save.iter().map(|rule| format!("save {} {}", rule.seconds, rule.changes)).collect()
    },
};

fn read_save_rule(seconds: &[u8], changes: &[u8]) -> Option<SaveRule> {
    let seconds = read_loose_integer(seconds).filter(|seconds| *seconds >= 1)?;
    let changes =
        read_loose_integer(changes).filter(|changes| (0..=i64::from(i32::MAX)).contains(changes))?;
    Some(SaveRule { seconds: u64::try_from(seconds).ok()?, changes: u64::try_from(changes).ok()? })
}

pub(super) const NOTIFY_EVENTS: Special = Special {
    restart: keep,
    read: |config, words| {
        // The letters that 7.0 knows; the newer ones are taken as well.
        const REFUSAL: &str = "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.";
        let text = words.first().map_or(Ok(""), |word| str::from_utf8(word)).map_err(|_| REFUSAL)?;
        config.notify_keyspace_events = NotifyEvents::parse(text).ok_or(REFUSAL)?;
        Ok(())
    },
    text: |config| config.notify_keyspace_events.text(),
    lines: |config, _| {
        vec![format!("notify-keyspace-events \"{}\"", config.notify_keyspace_events.full_text())]
    },
};

pub(super) const OUTPUT_LIMITS: Special = Special {
    restart: keep,
    read: |config, words| {
        if !words.len().is_multiple_of(4) {
            return Err("Wrong number of arguments in buffer limit configuration.".into());
        }
        let mut limits = config.client_output_buffer_limit;
        for group in words.chunks_exact(4) {
            let class = limit_of_class(&mut limits, group[0])
                .ok_or("Invalid client class specified in buffer limit configuration.")?;
            *class = read_limit(&group[1..])
                .ok_or("Error in hard, soft or soft_seconds setting in buffer limit configuration.")?;
        }
        config.client_output_buffer_limit = limits;
        Ok(())
    },
    text: |config| {
        join(limit_classes(&config.client_output_buffer_limit).map(|(class, limit)| {
            format!("{class} {} {} {}", limit.hard_bytes, limit.soft_bytes, limit.soft_seconds)
        }))
    },
    lines: |config, places| {
        let default = Config::default().client_output_buffer_limit;
        let pairs = limit_classes(&config.client_output_buffer_limit).zip(limit_classes(&default));
        let changed = pairs.clone().filter(|(now, default)| now != default).count();
        let mut spare = places.saturating_sub(changed);
        let mut lines = Vec::new();
        for ((class, limit), (_, default)) in pairs {
            if limit == default {
                if spare == 0 {
                    continue;
                }
                spare -= 1;
            }
            lines.push(write_limit_line(class, limit));
        }
        lines
    },
};

fn limit_of_class<'a>(limits: &'a mut OutputLimits, class: &[u8]) -> Option<&'a mut OutputLimit> {
    match class.to_ascii_lowercase().as_slice() {
        b"normal" => Some(&mut limits.normal),
        b"slave" | b"replica" => Some(&mut limits.replica),
        b"pubsub" => Some(&mut limits.pubsub),
        _ => None,
    }
}

/// Redis 7.0 still says `slave`, and clients compare the text.
fn limit_classes(limits: &OutputLimits) -> impl Iterator<Item = (&'static str, OutputLimit)> + Clone {
    [("normal", limits.normal), ("slave", limits.replica), ("pubsub", limits.pubsub)].into_iter()
}

fn read_limit(words: &[&[u8]]) -> Option<OutputLimit> {
    let soft_seconds = read_loose_integer(words[2]).filter(|seconds| *seconds >= 0)?;
    Some(OutputLimit {
        hard_bytes: parse_memory(words[0])?,
        soft_bytes: parse_memory(words[1])?,
        soft_seconds: u64::try_from(soft_seconds).ok()?,
    })
}

fn write_limit_line(class: &str, limit: OutputLimit) -> String {
    use super::value::{Unit, write_number_short};
    let short = |bytes: u64| write_number_short(i128::from(bytes), Unit::Memory);
    let class = if class == "slave" { "replica" } else { class };
    let (hard, soft) = (short(limit.hard_bytes), short(limit.soft_bytes));
    format!("client-output-buffer-limit {class} {hard} {soft} {}", limit.soft_seconds)
}

pub(super) const OOM_SCORES: Special = Special {
    restart: keep,
    read: |config, words| {
        if words.len() != 3 {
            return Err("wrong number of arguments".into());
        }
        let mut scores = [0; 3];
        for (score, word) in scores.iter_mut().zip(words) {
            *score = read_loose_integer(word)
                .and_then(|score| i32::try_from(score).ok())
                .filter(|score| (-2000..=2000).contains(score))
                .ok_or("Invalid oom-score-adj-values, elements must be between -2000 and 2000.")?;
        }
        config.oom_score_adj_values = scores;
        Ok(())
    },
    text: |config| join(config.oom_score_adj_values.iter().map(i32::to_string)),
    lines: |config, _| {
        let scores = join(config.oom_score_adj_values.iter().map(i32::to_string));
        vec![format!("oom-score-adj-values {scores}")]
    },
};

pub(super) const PERCENTILES: Special = Special {
    restart: keep,
    read: |config, words| {
        let mut percentiles = Vec::new();
        for word in words {
            let percentile: f64 = str::from_utf8(word)
                .ok()
                .and_then(|text| text.parse().ok())
                .filter(|percentile: &f64| !percentile.is_nan())
                .ok_or("Invalid latency-tracking-info-percentiles parameters")?;
            if !(0.0..=100.0).contains(&percentile) {
                return Err(
                    "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]".into()
                );
            }
            percentiles.push(percentile);
        }
        config.latency_tracking_info_percentiles = percentiles;
        Ok(())
    },
    text: |config| join(config.latency_tracking_info_percentiles.iter().map(write_percentile)),
    lines: |config, _| {
        let list = join(config.latency_tracking_info_percentiles.iter().map(write_percentile));
        let list = if list.is_empty() { "\"\"".into() } else { list };
        vec![format!("latency-tracking-info-percentiles {list}")]
    },
};

/// At most six places after the point, without zeros at the end.
fn write_percentile(percentile: &f64) -> String {
    let text = format!("{percentile:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

pub(super) const SHUTDOWN_ON_SIGINT: Special = Special {
    restart: keep,
    read: |config, words| read_shutdown(words).map(|flags| config.shutdown_on_sigint = flags),
    text: |config| write_shutdown(config.shutdown_on_sigint),
    lines: |config, _| vec![format!("shutdown-on-sigint {}", write_shutdown(config.shutdown_on_sigint))],
};

pub(super) const SHUTDOWN_ON_SIGTERM: Special = Special {
    restart: keep,
    read: |config, words| read_shutdown(words).map(|flags| config.shutdown_on_sigterm = flags),
    text: |config| write_shutdown(config.shutdown_on_sigterm),
    lines: |config, _| vec![format!("shutdown-on-sigterm {}", write_shutdown(config.shutdown_on_sigterm))],
};

fn read_shutdown(words: &[&[u8]]) -> Result<ShutdownFlags, String> {
    let mut flags = ShutdownFlags::default();
    for word in words {
        match word.to_ascii_lowercase().as_slice() {
            b"default" => {}
            b"save" => flags.save = true,
            b"nosave" => flags.nosave = true,
            b"now" => flags.now = true,
            b"force" => flags.force = true,
            _ => return Err(SHUTDOWN_WORDS.into()),
        }
    }
    match (words.is_empty(), flags.save && flags.nosave) {
        (true, _) => Err(SHUTDOWN_WORDS.into()),
        (_, true) => Err("shutdown options SAVE and NOSAVE can't be used simultaneously".into()),
        _ => Ok(flags),
    }
}

const SHUTDOWN_WORDS: &str = "argument(s) must be one of the following: default, save, nosave, now, force";

fn write_shutdown(flags: ShutdownFlags) -> String {
    let words = [(flags.save, "save"), (flags.nosave, "nosave"), (flags.now, "now"), (flags.force, "force")];
    let text = join(words.iter().filter(|(set, _)| *set).map(|(_, word)| word.to_string()));
    if text.is_empty() { "default".into() } else { text }
}

/// A relative path is relative to the directory in force, as each `dir` line changes into it.
pub(super) const DIR: Special = Special {
    restart: keep,
    read: |config, words| {
        let [path] = words else { return Err("wrong number of arguments".into()) };
        let path = str::from_utf8(path).map_err(|_| "argument must be valid UTF-8".to_string())?;
        if path.is_empty() {
            return Err("No such file or directory".into());
        }
        if config.dir == Path::new(".") {
            config.dir.clear();
        }
        config.dir.push(path);
        Ok(())
    },
    text: |config| config.dir.display().to_string(),
    lines: |config, _| {
        vec![format!("dir {}", crate::base::quote::quote(config.dir.display().to_string().as_bytes()))]
    },
};

/// Letters of the classes of keyspace events.
pub(super) fn any_text(_: &str) -> Result<(), &'static str> {
    Ok(())
}

pub(super) fn cpu_list(text: &str) -> Result<(), &'static str> {
    crate::base::cpus::parse(text).map(drop)
}

pub(super) fn file_name(text: &str) -> Result<(), &'static str> {
    if text.contains('/') { Err("dbfilename can't be a path, just a filename") } else { Ok(()) }
}

pub(super) fn append_file_name(text: &str) -> Result<(), &'static str> {
    match text {
        "" => Err("appendfilename can't be empty"),
        _ if text.contains('/') => Err("appendfilename can't be a path, just a filename"),
        _ => Ok(()),
    }
}

pub(super) fn append_directory_name(text: &str) -> Result<(), &'static str> {
    match text {
        "" => Err("appenddirname can't be empty"),
        _ if text.contains('/') => Err("appenddirname can't be a path, just a dirname"),
        _ => Ok(()),
    }
}

/// The variables `proc-title-template` may use.
const TITLE_VARIABLES: [&str; 7] =
    ["title", "listen-addr", "server-mode", "port", "tls-port", "unixsocket", "config-file"];

pub(super) fn title_template(text: &str) -> Result<(), &'static str> {
    if title_template_is_valid(text) {
        Ok(())
    } else {
        Err("template format is invalid or contains unknown variables")
    }
}

/// Not empty, and every `{variable}` is closed and known; `{{` stands for a brace.
pub fn title_template_is_valid(text: &str) -> bool {
    let text_without_braces = text.replace("{{", "");
    let closed_and_known =
        |part: &str| part.split_once('}').is_some_and(|(variable, _)| TITLE_VARIABLES.contains(&variable));
    !text.is_empty() && text_without_braces.split('{').skip(1).all(closed_and_known)
}

/// A decimal integer that may have a sign and leading zeros, as these directives (and only these) allow.
fn read_loose_integer(word: &[u8]) -> Option<i64> {
    str::from_utf8(word).ok()?.parse().ok()
}

fn join(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(" ")
}
