//! Which commands a selector allows: the rules as they were given, and the set of bits that follows from them.
//!
//! Invariants:
//! 1. `allowed` and `first_args` are what `base` and `rules` give, applied in order.
//! 2. A rule takes the place of those before it that say nothing beyond it (`-get +get`, `+config|get -config`), and is
//!    left out when it changes nothing, so that the list tells the shortest way to what holds, as redis-server's does.

use super::catalog::{Catalog, CommandSet};
use super::error::RuleError;
use super::words::has_space;
use crate::spec::Categories;
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Add,
    Remove,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    /// Index in `Categories::NAMES`.
    Category(usize),
    /// A command with all its subcommands, or a subcommand.
    Command(usize),
    /// A command that is not allowed otherwise, with this first argument.
    FirstArg(usize, Box<[u8]>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    sign: Sign,
    target: Target,
}

/// What the rules start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Base {
    Nothing,
    Everything,
}

#[derive(Clone, Debug)]
pub struct CommandRules {
    base: Base,
    rules: Vec<Rule>,
    allowed: CommandSet,
    first_args: BTreeMap<usize, Vec<Box<[u8]>>>,
}

impl CommandRules {
    pub fn nothing() -> Self {
        CommandRules {
            base: Base::Nothing,
            rules: Vec::new(),
            allowed: CommandSet::default(),
            first_args: BTreeMap::new(),
        }
    }

    pub fn everything(catalog: &Catalog) -> Self {
        let mut rules = CommandRules::nothing();
        rules.allow_everything(catalog);
        rules
    }

    pub fn allow_everything(&mut self, catalog: &Catalog) {
        *self = CommandRules {
            base: Base::Everything,
            allowed: catalog.everything().clone(),
            ..CommandRules::nothing()
        };
    }

    /// Whether every command is allowed, be it known today or not.
    pub fn is_everything(&self) -> bool {
        self.base == Base::Everything && self.rules.is_empty()
    }

    #[inline]
    pub fn allows(&self, command: usize, first_arg: Option<&[u8]>) -> bool {
        self.allowed.has(command) || self.allows_first_arg(command, first_arg)
    }

    #[cold]
    fn allows_first_arg(&self, command: usize, first_arg: Option<&[u8]>) -> bool {
        let Some((allowed, given)) = self.first_args.get(&command).zip(first_arg) else { return false };
        allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(given))
    }

    /// Applies a rule that begins with `+` or `-`.
    pub fn apply(&mut self, catalog: &Catalog, word: &[u8]) -> Result<(), RuleError> {
        let Some((sign, name)) = word.split_first() else { return Err(RuleError::Syntax) };
        let sign = if *sign == b'+' { Sign::Add } else { Sign::Remove };
        match name.strip_prefix(b"@") {
            Some(category) if category.eq_ignore_ascii_case(b"all") => match sign {
                Sign::Add => self.allow_everything(catalog),
                Sign::Remove => *self = CommandRules::nothing(),
            },
            Some(category) => {
                let category = catalog.find_category(category).ok_or(RuleError::UnknownCommand)?;
                self.add(catalog, Rule { sign, target: Target::Category(category) });
            }
            None => {
                let target = find_target(catalog, sign, name)?;
                self.add(catalog, Rule { sign, target });
            }
        }
        Ok(())
    }

    fn add(&mut self, catalog: &Catalog, rule: Rule) {
        let before = self.rules.len();
        self.rules.retain(|earlier| !rule.target.covers(catalog, &earlier.target));
        if self.rules.len() != before || self.allowed == CommandSet::default() {
            self.rebuild(catalog);
        }
        self.push(catalog, rule);
    }

    /// Adds a rule behind all others, when it changes anything.
    fn push(&mut self, catalog: &Catalog, rule: Rule) {
        if self.would_change(catalog, &rule) {
            self.carry_out(catalog, &rule);
            self.rules.push(rule);
        }
    }

    fn rebuild(&mut self, catalog: &Catalog) {
        self.allowed = catalog.everything().clone();
        if self.base == Base::Nothing {
            self.allowed.remove(catalog.everything());
        }
        self.first_args.clear();
        for rule in std::mem::take(&mut self.rules) {
            self.push(catalog, rule);
        }
    }

    fn would_change(&self, catalog: &Catalog, rule: &Rule) -> bool {
        match (&rule.target, rule.sign) {
            (Target::FirstArg(command, arg), _) => !self.allows(*command, Some(arg)),
            (target, Sign::Add) => !self.allowed.holds(target.commands(catalog)),
            (target, Sign::Remove) => !self.allowed.is_disjoint(target.commands(catalog)),
        }
    }

    fn carry_out(&mut self, catalog: &Catalog, rule: &Rule) {
        match (&rule.target, rule.sign) {
            (Target::FirstArg(command, arg), _) => {
                self.first_args.entry(*command).or_default().push(arg.clone());
            }
            (target, Sign::Add) => self.allowed.add(target.commands(catalog)),
            (target, Sign::Remove) => self.allowed.remove(target.commands(catalog)),
        }
    }

    /// The rules, the first of which says where they start: `-@all +get`.
    pub fn words(&self, catalog: &Catalog) -> Vec<Vec<u8>> {
        let base: &[u8] = match self.base {
            Base::Nothing => b"-@all",
            Base::Everything => b"+@all",
        };
        let mut words = vec![base.to_vec()];
        words.extend(self.rules.iter().map(|rule| rule.word(catalog)));
        words
    }
}

impl Rule {
    fn word(&self, catalog: &Catalog) -> Vec<u8> {
        let mut word = vec![if self.sign == Sign::Add { b'+' } else { b'-' }];
        match &self.target {
            Target::Category(index) => {
                word.push(b'@');
                word.extend_from_slice(Categories::NAMES[*index].1.as_bytes());
            }
            Target::Command(command) => word.extend_from_slice(catalog.at(*command).spec.name.as_bytes()),
            Target::FirstArg(command, arg) => {
                word.extend_from_slice(catalog.at(*command).spec.name.as_bytes());
                word.push(b'|');
                word.extend_from_slice(arg);
            }
        }
        word
    }
}

impl Target {
    fn commands<'a>(&self, catalog: &'a Catalog) -> &'a CommandSet {
        match self {
            Target::Category(index) => catalog.category(*index),
            Target::Command(command) | Target::FirstArg(command, _) => &catalog.at(*command).family,
        }
    }

    /// Whether a rule about this leaves nothing of an earlier one about `other`. A category does not cover a smaller
    /// one: what is in them may differ in another version.
    fn covers(&self, catalog: &Catalog, other: &Target) -> bool {
        match (self, other) {
            (Target::FirstArg(..), _) => false,
            (Target::Category(own), Target::Category(other)) => own == other,
            (Target::Command(_), Target::Category(_)) => false,
            (_, other) => self.commands(catalog).holds(other.commands(catalog)),
        }
    }
}

fn find_target(catalog: &Catalog, sign: Sign, name: &[u8]) -> Result<Target, RuleError> {
    if let Some(command) = catalog.find(name) {
        return Ok(Target::Command(command.index));
    }
    let bar = name.iter().rposition(|byte| *byte == b'|').filter(|_| sign == Sign::Add);
    let bar = bar.ok_or(RuleError::UnknownCommand)?;
    let command = catalog.find(&name[..bar]).ok_or(RuleError::UnknownCommand)?;
    match &name[bar + 1..] {
        _ if command.container.is_some() => Err(RuleError::FirstArgOfSubcommand),
        // What holds a blank could not be read back.
        arg if arg.is_empty() || has_space(arg) => Err(RuleError::Syntax),
        _ if command.has_subcommands => Err(RuleError::UnknownCommand),
        arg => {
            tracing::warn!(
                "Deprecation warning: Allowing a first arg of an otherwise blocked command is a misuse of ACL and may \
                 get disabled in the future (offender: +{})",
                String::from_utf8_lossy(name)
            );
            Ok(Target::FirstArg(command.index, arg.into()))
        }
    }
}
