//! CLIENT KILL.

use super::kinds::Kind;
use crate::acl::Users;
use crate::base::argv::Args;
use crate::base::ids::{ClientId, UserId};
use crate::base::number;
use crate::client::Client;
use crate::server::{Cx, Flow};
use crate::spec::CommandError;
use crate::spec::args::{Options, is_word};

/// Whom to close: a client that every given option fits.
#[derive(Default)]
struct Filter<'a> {
    number: Option<i64>,
    kind: Option<Kind>,
    address: Option<&'a [u8]>,
    local_address: Option<&'a [u8]>,
    user: Option<UserId>,
    age_min_s: Option<i64>,
    /// SKIPME NO: the caller is not spared.
    includes_caller: bool,
}

impl<'a> Filter<'a> {
    fn read(users: &Users, args: Args<'a>) -> Result<Self, CommandError> {
        let mut filter = Filter::default();
        let mut options = Options::new(args, 2);
        while let Some(option) = options.next_argument() {
            let value = options.value()?;
            if is_word(option, "ID") {
                filter.number = Some(read_number(value)?);
            } else if is_word(option, "TYPE") {
                filter.kind = Some(Kind::read(value)?);
            } else if is_word(option, "ADDR") {
                filter.address = Some(value);
            } else if is_word(option, "LADDR") {
                filter.local_address = Some(value);
            } else if is_word(option, "USER") {
                let no_user = || CommandError::quoting("ERR No such user '", value, "'");
                filter.user = Some(users.find(value).ok_or_else(no_user)?);
            } else if is_word(option, "MAXAGE") {
                filter.age_min_s = Some(read_age(value)?);
            } else if is_word(option, "SKIPME") {
                filter.includes_caller = read_skipme(value)?;
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(filter)
    }

    fn fits(&self, client: &Client, caller: ClientId, now_s: i64) -> bool {
        let age_s = now_s - client.created_ms / 1000;
        self.number.is_none_or(|number| client.id.number == number.unsigned_abs())
            && self.kind.is_none_or(|kind| kind.fits(client))
            && self.address.is_none_or(|address| client.origin.address.as_bytes() == address)
            && self.local_address.is_none_or(|address| client.origin.local_address.as_bytes() == address)
            && self.user.is_none_or(|user| client.user == user)
            && self.age_min_s.is_none_or(|min_s| age_s >= min_s)
            && (self.includes_caller || client.id != caller)
    }
}

fn read_number(value: &[u8]) -> Result<i64, CommandError> {
    let number = number::parse_i64(value).filter(|number| *number > 0);
    number.ok_or_else(|| CommandError::text("ERR client-id should be greater than 0"))
}

fn read_age(value: &[u8]) -> Result<i64, CommandError> {
    match number::parse_i64(value) {
        Some(seconds) if seconds > 0 => Ok(seconds),
        Some(_) => Err(CommandError::text("ERR maxage should be greater than 0")),
        None => Err(CommandError::text("ERR maxage is not an integer or out of range")),
    }
}

/// Whether the caller is included.
fn read_skipme(word: &[u8]) -> Result<bool, CommandError> {
    match word {
        _ if is_word(word, "YES") => Ok(false),
        _ if is_word(word, "NO") => Ok(true),
        _ => Err(CommandError::Syntax),
    }
}

pub(super) fn kill(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    if args.len() == 3 {
        // The old form names one client, the caller not excluded.
        let filter = Filter { address: Some(args.at(2)), includes_caller: true, ..Filter::default() };
        if close(cx, &filter) == 0 {
            return Err(CommandError::NoSuchClient);
        }
        cx.reply.ok();
        return Ok(Flow::Done);
    }
    let filter = Filter::read(&cx.server.acl.users, args)?;
    let closed = close(cx, &filter);
    cx.reply.integer(closed);
    Ok(Flow::Done)
}

/// Closes those whom `filter` fits, and counts them. The caller still gets its reply.
fn close(cx: &mut Cx<'_>, filter: &Filter<'_>) -> i64 {
    let (caller, now_s) = (cx.client_id, cx.now.unix_s());
    let mut closed = 0;
    for client in cx.server.clients.iter_mut() {
        if client.close_now || !filter.fits(client, caller, now_s) {
            continue;
        }
        closed += 1;
        if client.id == caller {
            client.close_after_reply = true;
        } else {
            client.close();
        }
    }
    closed
}
