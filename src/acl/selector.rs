//! One set of permissions: commands, keys, channels and databases that may be used together.

use super::catalog::Catalog;
use super::command_rules::CommandRules;
use super::error::RuleError;
use super::patterns::{KeyAccess, KeyPattern, Pattern};
use super::words::{has_space, push_word};
use crate::base::number::parse_i64;
use std::collections::BTreeSet;

/// What a new user or selector may do with channels (`acl-pubsub-default`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewChannels {
    None,
    All,
}

#[derive(Clone, Debug)]
pub struct Selector {
    pub(super) commands: CommandRules,
    pub(super) keys: Keys,
    pub(super) channels: Channels,
    pub(super) databases: Databases,
}

/// Which keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    All,
    Some(Vec<KeyPattern>),
}

/// Which channels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Channels {
    All,
    Some(Vec<Pattern>),
}

/// Which databases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Databases {
    All,
    Some(BTreeSet<u32>),
}

impl Selector {
    /// One that allows nothing, but what `channels` says.
    pub fn new(channels: NewChannels) -> Self {
        Selector {
            commands: CommandRules::nothing(),
            keys: Keys::Some(Vec::new()),
            channels: match channels {
                NewChannels::None => Channels::Some(Vec::new()),
                NewChannels::All => Channels::All,
            },
            databases: Databases::All,
        }
    }

    pub fn everything(catalog: &Catalog) -> Self {
        Selector {
            commands: CommandRules::everything(catalog),
            keys: Keys::All,
            channels: Channels::All,
            databases: Databases::All,
        }
    }

    pub fn is_everything(&self) -> bool {
        self.commands.is_everything()
            && self.keys == Keys::All
            && self.channels == Channels::All
            && self.databases == Databases::All
    }

    /// Applies one rule.
    pub fn apply(&mut self, catalog: &Catalog, rule: &[u8]) -> Result<(), RuleError> {
        let lower = rule.to_ascii_lowercase();
        match lower.as_slice() {
            b"allkeys" | b"~*" => self.keys = Keys::All,
            b"resetkeys" => self.keys = Keys::Some(Vec::new()),
            b"allchannels" | b"&*" => self.channels = Channels::All,
            b"resetchannels" => self.channels = Channels::Some(Vec::new()),
            b"allcommands" => self.commands.allow_everything(catalog),
            b"nocommands" => self.commands = CommandRules::nothing(),
            b"alldbs" => self.databases = Databases::All,
            b"resetdbs" => self.databases = Databases::Some(BTreeSet::new()),
            [b'~' | b'%', ..] => return self.add_key_pattern(rule),
            [b'&', ..] => return self.add_channel_pattern(&rule[1..]),
            [b'+' | b'-', ..] => return self.commands.apply(catalog, rule),
            [b'd', b'b', b'=', ids @ ..] => self.databases = Databases::Some(read_databases(ids)?),
            _ => return Err(RuleError::Syntax),
        }
        Ok(())
    }

    fn add_key_pattern(&mut self, rule: &[u8]) -> Result<(), RuleError> {
        let Keys::Some(patterns) = &mut self.keys else { return Err(RuleError::KeyAfterAllKeys) };
        let (access, text) = read_key_access(rule)?;
        if has_space(text) {
            return Err(RuleError::Syntax);
        }
        match patterns.iter_mut().find(|known| known.pattern.text() == text) {
            Some(known) => known.access = known.access.or(access),
            None => patterns.push(KeyPattern { pattern: Pattern::new(text), access }),
        }
        Ok(())
    }

    fn add_channel_pattern(&mut self, text: &[u8]) -> Result<(), RuleError> {
        let Channels::Some(patterns) = &mut self.channels else {
            return Err(RuleError::ChannelAfterAllChannels);
        };
        if has_space(text) {
            return Err(RuleError::Syntax);
        }
        if !patterns.iter().any(|known| known.text() == text) {
            patterns.push(Pattern::new(text));
        }
        Ok(())
    }

    /// `~a %R~b`, or `~*`.
    pub fn keys_text(&self) -> Vec<u8> {
        self.key_words().join(&b' ')
    }

    fn key_words(&self) -> Vec<Vec<u8>> {
        match &self.keys {
            Keys::All => vec![b"~*".to_vec()],
            Keys::Some(patterns) => {
                patterns.iter().map(|key| [key.sign(), key.pattern.text()].concat()).collect()
            }
        }
    }

    /// `&a &b`, or `&*`.
    pub fn channels_text(&self) -> Vec<u8> {
        self.channel_words().join(&b' ')
    }

    fn channel_words(&self) -> Vec<Vec<u8>> {
        match &self.channels {
            Channels::All => vec![b"&*".to_vec()],
            Channels::Some(patterns) => {
                patterns.iter().map(|pattern| [b"&", pattern.text()].concat()).collect()
            }
        }
    }

    /// `-@all +get`.
    pub fn commands_text(&self, catalog: &Catalog) -> Vec<u8> {
        self.commands.words(catalog).join(&b' ')
    }

    /// `db=0,1` or `resetdbs`; `None` for all databases, as long as Redis knows of no others.
    pub fn databases_text(&self) -> Option<String> {
        let Databases::Some(ids) = &self.databases else { return None };
        if ids.is_empty() {
            return Some("resetdbs".to_owned());
        }
        let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
        Some(format!("db={}", ids.join(",")))
    }

    /// The rules that make this selector from a new one.
    pub(super) fn words(&self, catalog: &Catalog) -> Vec<Vec<u8>> {
        let mut words = self.key_words();
        if self.channels != Channels::All {
            words.push(b"resetchannels".to_vec());
        }
        words.extend(self.channel_words());
        words.extend(self.databases_text().map(String::into_bytes));
        words.extend(self.commands.words(catalog));
        words
    }

    /// Reads what stands between parentheses.
    pub(super) fn read(catalog: &Catalog, channels: NewChannels, text: &[u8]) -> Result<Self, RuleError> {
        let mut selector = Selector::new(channels);
        let words = crate::base::quote::split_line(text).map_err(|_| RuleError::Syntax)?;
        words.args().iter().try_for_each(|word| selector.apply(catalog, word))?;
        Ok(selector)
    }

    /// Writes it with its parentheses, as one word of a user's rules.
    pub(super) fn write(&self, catalog: &Catalog) -> Vec<u8> {
        let mut text = b"(".to_vec();
        for (index, word) in self.words(catalog).iter().enumerate() {
            if index > 0 {
                text.push(b' ');
            }
            push_word(&mut text, word);
        }
        text.push(b')');
        text
    }
}

/// `~pattern`, or `%` with `R` and `W`, each at most once, and `~`. What ends early stands for an empty pattern, as in
/// Redis.
fn read_key_access(rule: &[u8]) -> Result<(KeyAccess, &[u8]), RuleError> {
    if let Some(text) = rule.strip_prefix(b"~") {
        return Ok((KeyAccess::FULL, text));
    }
    let mut access = KeyAccess::default();
    for (index, byte) in rule.iter().enumerate().skip(1) {
        let more = match byte.to_ascii_uppercase() {
            b'R' => KeyAccess::READ,
            b'W' => KeyAccess::WRITE,
            b'~' if access != KeyAccess::default() => return Ok((access, &rule[index + 1..])),
            _ => return Err(RuleError::Syntax),
        };
        if access.holds(more) {
            return Err(RuleError::Syntax);
        }
        access = access.or(more);
    }
    if access == KeyAccess::default() { Err(RuleError::Syntax) } else { Ok((access, &[])) }
}

/// `0,1,2`: at least one.
fn read_databases(ids: &[u8]) -> Result<BTreeSet<u32>, RuleError> {
    let read = |id: &[u8]| {
        let id = parse_i64(id).ok_or(RuleError::Syntax)?;
        let id = i32::try_from(id).ok().and_then(|id| u32::try_from(id).ok());
        id.ok_or(RuleError::DatabaseOutOfRange)
    };
    ids.split(|byte| *byte == b',').map(read).collect()
}
