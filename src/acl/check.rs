//! May this user run this command?

use super::catalog::{ChannelUse, DatabaseUse, Known};
use super::patterns::{KeyAccess, Pattern};
use super::selector::{Channels, Databases, Keys, Selector};
use super::user::User;
use crate::base::argv::Args;
use crate::base::number::parse_i64;
use crate::spec::args::is_word;
use crate::spec::{CommandError, KeyFlags};
use std::cell::OnceCell;

/// What is missing. When no selector allows a command, the one that came furthest tells the reason: a later variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    Database,
    Command,
    Key,
    Channel,
}

/// Why a command may not be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denied {
    pub reason: Reason,
    /// The argument that is to blame; 0, the command itself.
    pub place: usize,
}

/// Whether `user` may run `command` with `args`, whose arity has been checked, while database `db` is selected.
pub fn check(user: &User, command: &Known, args: Args<'_>, db: usize) -> Result<(), Denied> {
    let asked = Asked { command, args, db, places: OnceCell::new() };
    let mut gravest: Option<Denied> = None;
    for selector in user.all_selectors() {
        match asked.of(selector) {
            Ok(()) => return Ok(()),
            Err(denied) => {
                let graver =
                    gravest.is_none_or(|known| (known.reason, known.place) < (denied.reason, denied.place));
                gravest = if graver { Some(denied) } else { gravest };
            }
        }
    }
    gravest.map_or(Ok(()), Err)
}

/// Whether `user` may run `command`, and read every key with it: what names keys by patterns (SORT BY) asks for that.
pub fn may_read_every_key(user: &User, command: &Known, args: Args<'_>, db: usize) -> bool {
    let asked = Asked { command, args, db, places: OnceCell::new() };
    let reads_all = |selector: &Selector| match &selector.keys {
        Keys::All => true,
        Keys::Some(patterns) => {
            patterns.iter().any(|key| key.access.holds(KeyAccess::READ) && key.pattern.is_everything())
        }
    };
    user.all_selectors().any(|selector| reads_all(selector) && asked.of(selector).is_ok())
}

/// One question, asked of each selector.
struct Asked<'a> {
    command: &'a Known,
    args: Args<'a>,
    db: usize,
    /// Where the keys stand, when that is not the same for every call.
    places: OnceCell<Vec<(usize, KeyFlags)>>,
}

impl Asked<'_> {
    fn of(&self, selector: &Selector) -> Result<(), Denied> {
        let command = self.command;
        if !command.is_free && !selector.commands.allows(command.index, self.args.get(1)) {
            return Err(Denied { reason: Reason::Command, place: 0 });
        }
        if let Databases::Some(ids) = &selector.databases {
            let allows = |db: usize| u32::try_from(db).is_ok_and(|db| ids.contains(&db));
            self.databases(allows).map_err(|place| Denied { reason: Reason::Database, place })?;
        }
        if command.has_keys && selector.keys != Keys::All {
            self.keys(selector).map_err(|place| Denied { reason: Reason::Key, place })?;
        }
        if command.channels != ChannelUse::None
            && let Channels::Some(patterns) = &selector.channels
        {
            self.channels(patterns).map_err(|place| Denied { reason: Reason::Channel, place })?;
        }
        Ok(())
    }

    fn keys(&self, selector: &Selector) -> Result<(), usize> {
        let Keys::Some(patterns) = &selector.keys else { return Ok(()) };
        let allows = |(place, flags): (usize, KeyFlags)| {
            let (Some(key), needed) = (self.args.get(place), KeyAccess::needed(flags)) else { return true };
            patterns.iter().any(|pattern| pattern.access.holds(needed) && pattern.pattern.matches(key))
        };
        if let Some(key) = self.command.lone_key {
            return if allows(key) { Ok(()) } else { Err(key.0) };
        }
        let places = self.places.get_or_init(|| self.command.spec.certain_key_places(self.args));
        match places.iter().find(|key| !allows(**key)) {
            Some((place, _)) => Err(*place),
            None => Ok(()),
        }
    }

    fn channels(&self, patterns: &[Pattern]) -> Result<(), usize> {
        let last = match self.command.channels {
            ChannelUse::None => return Ok(()),
            ChannelUse::One => 2,
            ChannelUse::All | ChannelUse::Patterns => self.args.len(),
        };
        let allows = |name: &[u8]| match self.command.channels {
            ChannelUse::Patterns => patterns.iter().any(|pattern| pattern.text() == name),
            _ => patterns.iter().any(|pattern| pattern.matches(name)),
        };
        match (1..last.min(self.args.len())).find(|place| !allows(self.args.at(*place))) {
            Some(place) => Err(place),
            None => Ok(()),
        }
    }

    /// An argument that is no number of a database is left to the command, which refuses it.
    fn databases(&self, allows: impl Fn(usize) -> bool) -> Result<(), usize> {
        let selected = || if allows(self.db) { Ok(()) } else { Err(0) };
        let at = |place: usize| {
            let db = self.args.get(place).and_then(parse_i64).and_then(|db| usize::try_from(db).ok());
            if db.is_none_or(&allows) { Ok(()) } else { Err(place) }
        };
        match self.command.databases {
            DatabaseUse::None => Ok(()),
            DatabaseUse::Selected => selected(),
            DatabaseUse::At(place) => at(place),
            DatabaseUse::Two => at(1).and_then(|()| at(2)),
            DatabaseUse::SelectedAndAt2 => selected().and_then(|()| at(2)),
            DatabaseUse::SelectedAndOption => {
                let mut places = (3..self.args.len()).filter(|place| is_word(self.args.at(*place), "DB"));
                selected()?;
                places.try_for_each(|place| at(place + 1))
            }
            DatabaseUse::All => Err(0),
        }
    }
}

impl Denied {
    /// What was denied: the command's name, the key, the channel or the database.
    pub fn object<'a>(&self, command: &'a Known, args: Args<'a>) -> &'a [u8] {
        match self.reason {
            Reason::Command => command.spec.name.as_bytes(),
            Reason::Key | Reason::Channel | Reason::Database => args.get(self.place).unwrap_or_default(),
        }
    }

    /// The answer to the command.
    pub fn error(&self, command: &Known) -> CommandError {
        match self.reason {
            Reason::Command => CommandError::text(format!(
                "NOPERM this user has no permissions to run the '{}' command",
                command.spec.name
            )),
            Reason::Key => CommandError::NoPermKey,
            Reason::Channel => CommandError::NoPermChannel,
            Reason::Database => CommandError::NoPermDatabase,
        }
    }

    /// The answer of an EXEC to a command that was allowed when it was queued.
    pub fn late_error(&self) -> CommandError {
        let reason = match self.reason {
            Reason::Command => "no permission to execute the command or subcommand",
            Reason::Key => "no permission to touch the specified keys",
            Reason::Channel => "no permission to access one of the channels used as arguments",
            Reason::Database => "no permission to access the database",
        };
        CommandError::text(format!(
            "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This \
             command is no longer allowed for the following reason: {reason}"
        ))
    }

    /// What `redis.call` of a script fails with.
    pub fn script_error(&self) -> CommandError {
        CommandError::text(match self.reason {
            Reason::Command => "ERR The user executing the script can't run this command or subcommand",
            Reason::Key => {
                "ERR The user executing the script can't access at least one of the keys mentioned in the command \
                 arguments"
            }
            Reason::Channel => {
                "ERR The user executing the script can't publish to the channel mentioned in the command"
            }
            Reason::Database => "ERR The user executing the script can't access the selected database",
        })
    }

    /// The answer of ACL DRYRUN.
    pub fn dry_run_text(&self, command: &Known, args: Args<'_>) -> Vec<u8> {
        let object = self.object(command, args);
        let (before, after): (&[u8], &[u8]) = match self.reason {
            Reason::Command => (b"This user has no permissions to run the '", b"' command"),
            Reason::Key => (b"This user has no permissions to access the '", b"' key"),
            Reason::Channel => (b"This user has no permissions to access the '", b"' channel"),
            Reason::Database => (b"This user has no permissions to access database ", b""),
        };
        [before, object, after].concat()
    }
}
