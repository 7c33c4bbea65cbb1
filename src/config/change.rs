//! Reading words into the configuration, and the commands on it: CONFIG GET and CONFIG SET.
//!
//! Reply texts are those of redis-server 7.0.15, code included.

use std::fmt;

use super::Config;
use super::directives::{Class, Directive, PROMISE_TEXT, Visibility, all, find};
use super::value::*;
use crate::base::glob::{self, Case};

/// The name of a directive in the table, by which the server knows what a change has to be followed by.
pub type DirectiveId = &'static str;

/// One name and value of CONFIG SET.
pub type Change<'a> = (&'a [u8], &'a [u8]);

/// Whether this connection may set protected directives (`enable-protected-configs`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protected {
    Allowed,
    Denied,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadState {
    Serving,
    Loading,
}

/// Who sets, and when.
#[derive(Clone, Copy, Debug)]
pub struct SetContext {
    pub protected: Protected,
    pub load_state: LoadState,
}

/// Why CONFIG SET changed nothing. Displays as the error reply without its `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetError {
    UnknownName(Vec<u8>),
    Failed { name: String, reason: String },
    Loading,
}

impl SetError {
    /// What stands in front of a name that no directive has, and a quote behind it.
    pub const UNKNOWN_NAME: &str = "ERR Unknown option or number of arguments for CONFIG SET - '";

    /// For the server, when a change could not be applied: `name` is the directive, `reason` follows the
    /// dash.
    pub fn failed(name: &str, reason: impl Into<String>) -> Self {
        SetError::Failed { name: name.to_string(), reason: reason.into() }
    }
}

impl fmt::Display for SetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SetError::UnknownName(name) => {
                write!(f, "{}{}'", SetError::UNKNOWN_NAME, String::from_utf8_lossy(name))
            }
            SetError::Failed { name, reason } => {
                write!(f, "ERR CONFIG SET failed (possibly related to argument '{name}') - {reason}")
            }
            SetError::Loading => f.write_str("LOADING Redis is loading the dataset in memory"),
        }
    }
}

impl std::error::Error for SetError {}

/// The names that match any of `patterns`, with their values: each once, in the order of the table. A pattern
/// without wildcard is answered in the spelling of the question.
pub fn get(config: &Config, patterns: &[&[u8]]) -> Vec<(String, Vec<u8>)> {
    let mut answer = Vec::new();
    for directive in all().filter(|directive| directive.visibility != Visibility::FileOnly) {
        for name in directive.names() {
            let asked = patterns.iter().find(|pattern| is_asked(directive, name, pattern));
            let Some(pattern) = asked else { continue };
            let spelling = if is_pattern(pattern) { name.into() } else { String::from_utf8_lossy(pattern) };
            answer.push((spelling.into_owned(), directive.text(config)));
        }
    }
    answer
}

fn is_asked(directive: &Directive, name: &'static str, pattern: &[u8]) -> bool {
    if !is_pattern(pattern) {
        return pattern.eq_ignore_ascii_case(name.as_bytes());
    }
    let listed = directive.visibility == Visibility::Listed && directive.newer_alias != Some(name);
    listed && glob::matches(pattern, name.as_bytes(), Case::Insensitive)
}

fn is_pattern(pattern: &[u8]) -> bool {
    pattern.iter().any(|byte| b"[*?".contains(byte))
}

/// Sets all of `changes` or none. Returns the directives named, in order, without repetition; what follows
/// from them is the caller's to do, who keeps the old configuration until that has succeeded.
pub fn set(
    config: &mut Config,
    changes: &[Change<'_>],
    context: SetContext,
) -> Result<Vec<DirectiveId>, SetError> {
    let directives = check_names(changes, context)?;
    let mut changed = config.clone();
    for (directive, (name, value)) in directives.iter().zip(changes) {
        let result = directive.set_at_runtime(&mut changed, value);
        result.map_err(|reason| SetError::Failed { name: spelling(directive, name), reason })?;
    }
    *config = changed;
    let mut names: Vec<DirectiveId> = Vec::with_capacity(directives.len());
    for directive in directives {
        if !names.contains(&directive.name) {
            names.push(directive.name);
        }
    }
    Ok(names)
}

/// Every name is known and may be set now. As in Redis, this is checked for all before any value is read.
fn check_names(changes: &[Change<'_>], context: SetContext) -> Result<Vec<&'static Directive>, SetError> {
    let mut directives = Vec::with_capacity(changes.len());
    for (index, (name, _)) in changes.iter().enumerate() {
        let directive = find(name)
            .filter(|directive| directive.visibility != Visibility::FileOnly)
            .ok_or_else(|| SetError::UnknownName(name.to_vec()))?;
        let repeated = changes[..index].iter().any(|(earlier, _)| earlier.eq_ignore_ascii_case(name));
        let reason = match () {
            () if directive.immutable => "can't set immutable config",
            () if directive.protected && context.protected == Protected::Denied => {
                "can't set protected config"
            }
            () if repeated => "duplicate parameter",
            () if directive.denied_while_loading && context.load_state == LoadState::Loading => {
                return Err(SetError::Loading);
            }
            () => {
                directives.push(directive);
                continue;
            }
        };
        return Err(SetError::Failed { name: spelling(directive, name), reason: reason.into() });
    }
    Ok(directives)
}

/// The name or alias of the table that `name` spells.
fn spelling(directive: &Directive, name: &[u8]) -> String {
    let spelled = directive.names().find(|other| name.eq_ignore_ascii_case(other.as_bytes()));
    spelled.unwrap_or(directive.name).to_string()
}

impl Directive {
    /// Reads the words that follow the name in a file, or the one argument of CONFIG SET. The configuration
    /// is as before when they are refused.
    pub(super) fn read_line(&self, config: &mut Config, words: &[&[u8]]) -> Result<(), String> {
        if !self.multi_arg {
            return match words {
                [word] => self.read_word(config, word),
                _ => Err("wrong number of arguments".into()),
            };
        }
        let split: Vec<&[u8]> = match words {
            [b""] => Vec::new(),
            [list] => list.split(|byte| *byte == b' ').collect(),
            several => several.to_vec(),
        };
        match self.kind {
            Kind::Special(special) => {
                if words == [b""] {
                    (special.restart)(config);
                }
                (special.read)(config, &split)
            }
            _ => self.read_words(config, &split),
        }
    }

    fn read_word(&self, config: &mut Config, word: &[u8]) -> Result<(), String> {
        match self.kind {
            Kind::YesNo(store) => {
                self.put(config, store, read_yes_no(word)?, |value| write_yes_no(value).into())
            }
            Kind::Number(bounds, unit, store) => {
                self.put(config, store, read_number(word, bounds, unit)?, |value| {
                    write_number(value, unit).into()
                });
            }
            Kind::Word(words, listed, store) => {
                self.put(config, store, read_choice(words, listed, word)?, |index| words[index].into());
            }
            Kind::Text(rule, store) => self.put(config, store, read_text(word, rule)?, String::into_bytes),
            Kind::Bytes(store) => self.put(config, store, word.to_vec(), |bytes| bytes),
            Kind::Special(special) => (special.read)(config, &[word])?,
            Kind::Words => self.read_words(config, &[word])?,
        }
        Ok(())
    }

    /// `no one` is how `replicaof` says that it is empty.
    fn read_words(&self, config: &mut Config, words: &[&[u8]]) -> Result<(), String> {
        let mut text = words.join(&b' ');
        if self.name == "replicaof" && text.eq_ignore_ascii_case(b"no one") {
            text.clear();
        }
        self.keep(config, text);
        Ok(())
    }

    fn put<T>(&self, config: &mut Config, store: Store<T>, value: T, write: impl Fn(T) -> Vec<u8>) {
        match store {
            Store::Field { set, .. } => set(config, value),
            Store::Inert => self.keep(config, write(value)),
        }
    }

    fn keep(&self, config: &mut Config, text: Vec<u8>) {
        if text == self.default.as_bytes() {
            config.inert.remove(self.name);
        } else {
            config.inert.insert(self.name, text);
        }
    }

    /// The value as CONFIG GET answers it.
    pub fn text(&self, config: &Config) -> Vec<u8> {
        match self.kind {
            Kind::YesNo(store) => self.take(config, store, |value| write_yes_no(value).into()),
            Kind::Number(_, unit, store) => {
                self.take(config, store, |value| write_number(value, unit).into())
            }
            Kind::Word(words, _, store) => self.take(config, store, |index| words[index].into()),
            Kind::Text(_, store) => self.take(config, store, String::into_bytes),
            Kind::Bytes(store) => self.take(config, store, |bytes| bytes),
            Kind::Special(special) => (special.text)(config).into_bytes(),
            Kind::Words => self.kept(config),
        }
    }

    fn take<T>(&self, config: &Config, store: Store<T>, write: impl Fn(T) -> Vec<u8>) -> Vec<u8> {
        match store {
            Store::Field { get, .. } => write(get(config)),
            Store::Inert => self.kept(config),
        }
    }

    fn kept(&self, config: &Config) -> Vec<u8> {
        config.inert.get(self.name).cloned().unwrap_or_else(|| self.default.into())
    }

    pub(super) fn is_default(&self, config: &Config) -> bool {
        self.text(config) == self.default.as_bytes()
    }

    /// Forgets what a new list takes the place of.
    pub(super) fn restart(&self, config: &mut Config) {
        if let Kind::Special(special) = self.kind {
            (special.restart)(config);
        }
    }

    fn set_at_runtime(&self, config: &mut Config, value: &[u8]) -> Result<(), String> {
        let before = self.text(config);
        self.restart(config);
        self.read_line(config, &[value])?;
        let unkept = self.class == Class::Promise || self.refused_at_runtime;
        if unkept && self.text(config) != before {
            return Err(PROMISE_TEXT.into());
        }
        Ok(())
    }
}
