//! The one table of directives, in groups; one line each: name, bounds, default, where the value lives,
//! flags.
//!
//! ```text
//!   number("hash-max-listpack-entries", 0..=I64, "512", Inert).alias("hash-max-ziplist-entries")
//!   kind    name                        bounds    default  place        flags
//! ```
//!
//! To add a directive: a field in `Config`, a line here, a paragraph in redis.conf.example. To build a
//! capability whose directive is inert: give it a field, and the line its `field!` instead of `Inert` or
//! `.promise()`.
//!
//! Names, bounds and defaults are those of redis-server 7.0.15; of the newer server where 7.0 has no such
//! directive.

mod inert;
mod keyspace;
mod network;
mod newer;
mod persistence;
mod process;
mod tls;

use std::ops::RangeInclusive;

use super::Config;
use super::choices::Choice;
use super::value::{Bounds, Kind, Special, Store, TextRule, Unit};

/// What the start says of a promise that this server would not keep.
pub const PROMISE_TEXT: &str = "not supported by this server yet";

/// One directive. The flags say `true` for the unusual.
#[derive(Clone, Copy)]
pub struct Directive {
    pub name: &'static str,
    /// An older name, with a line of its own in CONFIG GET, as in Redis.
    pub alias: Option<&'static str>,
    /// A name that Redis 7.0 does not know: accepted and not listed.
    pub newer_alias: Option<&'static str>,
    pub(super) kind: Kind,
    /// The words after the name in a file that says nothing new.
    pub default: &'static str,
    /// Only at start.
    pub immutable: bool,
    /// CONFIG SET needs `enable-protected-configs`.
    pub protected: bool,
    /// Secret: not shown in logs.
    pub sensitive: bool,
    /// CONFIG SET is refused while a file loads.
    pub denied_while_loading: bool,
    /// The words may be one argument or several.
    pub multi_arg: bool,
    /// Harmless in a file, where the start warns that it has no effect; who sets it with CONFIG SET would see no
    /// warning.
    pub refused_at_runtime: bool,
    /// CONFIG SET takes effect even with the value that it has: the file it names may have changed.
    pub rereads: bool,
    pub class: Class,
    pub visibility: Visibility,
}

/// What setting the directive does here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Implemented,
    /// Kept and answered, without effect.
    Inert,
    /// Kept and answered at its default; anything else stops the start, as it would promise what is not kept.
    Promise,
}

/// Who sees the directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    Listed,
    /// CONFIG GET knows the exact name only.
    Hidden,
    /// Known in files only: newer than the Redis whose CONFIG GET this server answers like, and without
    /// effect.
    FileOnly,
}

const I32: i128 = i32::MAX as i128;
const U32: i128 = u32::MAX as i128;
const I64: i128 = i64::MAX as i128;
const U64: i128 = u64::MAX as i128;
const I32_MIN: i128 = i32::MIN as i128;

/// The place of a value in its field. Numbers go through i128, wide enough for each; the bounds of the line
/// fit the field, which a test checks.
macro_rules! field {
    (number $field:ident) => {
        crate::config::value::Store::Field {
            get: |config| i128::from(config.$field),
            set: |config, value| {
                config.$field = value.try_into().expect("the bounds of the directive fit its field")
            },
        }
    };
    (choice $field:ident) => {
        crate::config::value::Store::Field {
            get: |config| crate::config::choices::Choice::index(config.$field),
            set: |config, index| config.$field = crate::config::choices::Choice::at(index),
        }
    };
    (optional $field:ident) => {
        crate::config::value::Store::Field {
            get: |config| config.$field.clone().unwrap_or_default(),
            set: |config, value| config.$field = Some(value).filter(|text| !text.is_empty()),
        }
    };
    ($field:ident) => {
        crate::config::value::Store::Field {
            get: |config| config.$field.clone(),
            set: |config, value| config.$field = value,
        }
    };
}
use field;

/// The directives in the order CONFIG GET lists them.
pub fn all() -> impl Iterator<Item = &'static Directive> {
    [
        network::TABLE,
        tls::TABLE,
        process::TABLE,
        keyspace::TABLE,
        persistence::TABLE,
        inert::TABLE,
        newer::TABLE,
    ]
    .into_iter()
    .flatten()
}

/// The directive of that name or alias, in any case.
pub fn find(name: &[u8]) -> Option<&'static Directive> {
    all().find(|directive| directive.names().any(|other| name.eq_ignore_ascii_case(other.as_bytes())))
}

impl Directive {
    /// The name and the aliases.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        [Some(self.name), self.alias, self.newer_alias].into_iter().flatten()
    }

    pub(super) fn apply_default(&self, config: &mut Config) {
        self.read_line(config, &default_words(self.default))
            .expect("a default obeys its own bounds, which a test checks for all");
    }

    const fn new(name: &'static str, default: &'static str, kind: Kind, class: Class) -> Self {
        Directive {
            name,
            alias: None,
            newer_alias: None,
            kind,
            default,
            immutable: false,
            protected: false,
            sensitive: false,
            denied_while_loading: false,
            multi_arg: matches!(kind, Kind::Special(_) | Kind::Words),
            refused_at_runtime: false,
            rereads: false,
            class,
            visibility: Visibility::Listed,
        }
    }

    const fn alias(mut self, name: &'static str) -> Self {
        self.alias = Some(name);
        self
    }

    const fn newer_alias(mut self, name: &'static str) -> Self {
        self.newer_alias = Some(name);
        self
    }

    const fn immutable(mut self) -> Self {
        self.immutable = true;
        self
    }

    const fn protected(mut self) -> Self {
        self.protected = true;
        self
    }

    const fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    const fn denied_while_loading(mut self) -> Self {
        self.denied_while_loading = true;
        self
    }

    const fn one_word(mut self) -> Self {
        self.multi_arg = false;
        self
    }

    const fn refused_at_runtime(mut self) -> Self {
        self.refused_at_runtime = true;
        self
    }

    const fn rereads(mut self) -> Self {
        self.rereads = true;
        self
    }

    const fn hidden(mut self) -> Self {
        self.visibility = Visibility::Hidden;
        self
    }

    const fn file_only(mut self) -> Self {
        self.visibility = Visibility::FileOnly;
        self
    }

    const fn promise(mut self) -> Self {
        self.class = Class::Promise;
        self
    }
}

fn default_words(default: &'static str) -> Vec<&'static [u8]> {
    vec![default.as_bytes()]
}

const fn class_of<T>(store: &Store<T>) -> Class {
    match store {
        Store::Field { .. } => Class::Implemented,
        Store::Inert => Class::Inert,
    }
}

const fn yes_no(name: &'static str, default: &'static str, store: Store<bool>) -> Directive {
    let class = class_of(&store);
    Directive::new(name, default, Kind::YesNo(store), class)
}

const fn measured(
    name: &'static str,
    bounds: RangeInclusive<i128>,
    default: &'static str,
    unit: Unit,
    store: Store<i128>,
) -> Directive {
    let class = class_of(&store);
    let bounds = Bounds { min: *bounds.start(), max: *bounds.end() };
    Directive::new(name, default, Kind::Number(bounds, unit, store), class)
}

const fn number(
    name: &'static str,
    bounds: RangeInclusive<i128>,
    default: &'static str,
    store: Store<i128>,
) -> Directive {
    measured(name, bounds, default, Unit::Plain, store)
}

const fn memory(
    name: &'static str,
    bounds: RangeInclusive<i128>,
    default: &'static str,
    store: Store<i128>,
) -> Directive {
    measured(name, bounds, default, Unit::Memory, store)
}

const fn choice<T: Choice>(name: &'static str, default: &'static str, store: Store<usize>) -> Directive {
    let class = class_of(&store);
    Directive::new(name, default, Kind::Word(T::WORDS, T::LISTED, store), class)
}

const fn inert_choice(
    name: &'static str,
    default: &'static str,
    words: &'static [&'static str],
) -> Directive {
    Directive::new(name, default, Kind::Word(words, words.len(), Store::Inert), Class::Inert)
}

const fn text(name: &'static str, default: &'static str, rule: TextRule, store: Store<String>) -> Directive {
    let class = class_of(&store);
    Directive::new(name, default, Kind::Text(rule, store), class)
}

const fn bytes(name: &'static str, default: &'static str, store: Store<Vec<u8>>) -> Directive {
    let class = class_of(&store);
    Directive::new(name, default, Kind::Bytes(store), class)
}

const fn special(name: &'static str, default: &'static str, special: Special) -> Directive {
    Directive::new(name, default, Kind::Special(special), Class::Implemented)
}

const fn words(name: &'static str, default: &'static str) -> Directive {
    Directive::new(name, default, Kind::Words, Class::Inert)
}
