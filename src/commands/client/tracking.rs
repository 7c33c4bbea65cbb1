//! CLIENT TRACKING, TRACKINGINFO and GETREDIR: of which keys a client hears that they changed, and where.

use crate::base::argv::Args;
use crate::base::ids::ClientId;
use crate::client::Client;
use crate::client::tracking::{Mode, OwnChanges, Reads, Receiver, Redirection, Tracker, Wish, WishedMode};
use crate::server::{Cx, Flow};
use crate::spec::CommandError;
use crate::spec::args::{Options, integer, is_word};
use crate::spec::error::until_nul;

/// The options as they were given.
#[derive(Default)]
struct Given<'a> {
    redirect: Option<ClientId>,
    prefixes: Vec<&'a [u8]>,
    broadcast: bool,
    opt_in: bool,
    opt_out: bool,
    no_loop: bool,
}

impl<'a> Given<'a> {
    fn read(cx: &Cx<'_>, args: Args<'a>) -> Result<Self, CommandError> {
        let mut given = Given::default();
        let mut options = Options::new(args, 3);
        while let Some(word) = options.next_argument() {
            match word {
                _ if is_word(word, "REDIRECT") && options.left() > 0 => {
                    if given.redirect.is_some() {
                        return Err(CommandError::TrackingRedirectTwice);
                    }
                    given.redirect = Some(find_client(cx, options.value()?)?);
                }
                _ if is_word(word, "PREFIX") && options.left() > 0 => given.prefixes.push(options.value()?),
                _ if is_word(word, "BCAST") => given.broadcast = true,
                _ if is_word(word, "OPTIN") => given.opt_in = true,
                _ if is_word(word, "OPTOUT") => given.opt_out = true,
                _ if is_word(word, "NOLOOP") => given.no_loop = true,
                _ => return Err(CommandError::Syntax),
            }
        }
        Ok(given)
    }

    fn wish(self, client: &Client) -> Result<Wish, CommandError> {
        let old = client.tracker.as_deref();
        if !self.broadcast && !self.prefixes.is_empty() {
            return Err(CommandError::TrackingPrefixAlone);
        }
        if old.is_some_and(|old| old.is_broadcast() != self.broadcast) {
            return Err(CommandError::TrackingSwitchBroadcast);
        }
        let mode = match (self.broadcast, self.opt_in, self.opt_out) {
            (true, false, false) => WishedMode::Prefixes(self.checked_prefixes(old)?),
            (true, _, _) => return Err(CommandError::TrackingOptBroadcast),
            (false, true, true) => return Err(CommandError::TrackingOptBoth),
            (false, true, false) => WishedMode::Reads(Reads::OptIn),
            (false, false, true) => WishedMode::Reads(Reads::OptOut),
            (false, false, false) => WishedMode::Reads(Reads::All),
        };
        let opposite = if self.opt_in { Reads::OptOut } else { Reads::OptIn };
        if (self.opt_in || self.opt_out) && old.and_then(reads_of) == Some(opposite) {
            return Err(CommandError::TrackingSwitchOpt);
        }
        Ok(Wish {
            mode,
            receiver: self.redirect.map_or(Receiver::Itself, Receiver::Other),
            own_changes: if self.no_loop { OwnChanges::Untold } else { OwnChanges::Told },
        })
    }

    /// A key must not begin with two prefixes of one client. Only the prefix that stands for no prefix at all, every
    /// key's, comes without a check, as in Redis.
    fn checked_prefixes(&self, old: Option<&Tracker>) -> Result<Vec<Box<[u8]>>, CommandError> {
        let existing = old.map(prefixes_of).unwrap_or_default();
        for (index, prefix) in self.prefixes.iter().enumerate() {
            if let Some(other) = existing.iter().find(|other| overlap(prefix, other)) {
                return Err(overlapping(prefix, "an existing", other));
            }
            if let Some(other) = self.prefixes[index + 1..].iter().find(|other| overlap(prefix, other)) {
                return Err(overlapping(prefix, "another provided", other));
            }
        }
        if self.prefixes.is_empty() {
            return Ok(vec![Box::default()]);
        }
        Ok(self.prefixes.iter().map(|prefix| (*prefix).into()).collect())
    }
}

fn find_client(cx: &Cx<'_>, argument: &[u8]) -> Result<ClientId, CommandError> {
    let number = integer(argument)?;
    let is_meant = |client: &&Client| i64::try_from(client.id.number) == Ok(number) && !client.close_now;
    let found = cx.server.clients.iter().find(is_meant);
    found.map(|client| client.id).ok_or(CommandError::TrackingNoRedirect)
}

fn overlap(one: &[u8], other: &[u8]) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

fn overlapping(prefix: &[u8], whose: &str, other: &[u8]) -> CommandError {
    let whose = format!("' overlaps with {whose} prefix '");
    let parts: [&[u8]; 5] = [
        b"ERR Prefix '",
        until_nul(prefix),
        whose.as_bytes(),
        until_nul(other),
        b"'. Prefixes for a single client must not overlap.",
    ];
    CommandError::Quoting(parts.concat().into())
}

fn reads_of(tracker: &Tracker) -> Option<Reads> {
    match tracker.mode {
        Mode::Reads { which, .. } => Some(which),
        Mode::Prefixes(_) => None,
    }
}

fn prefixes_of(tracker: &Tracker) -> &[Box<[u8]>] {
    match &tracker.mode {
        Mode::Reads { .. } => &[],
        Mode::Prefixes(prefixes) => prefixes,
    }
}

pub(super) fn tracking(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let given = Given::read(cx, args)?;
    let id = cx.client_id;
    if is_word(args.at(2), "ON") {
        let wish = given.wish(cx.client())?;
        cx.server.start_tracking(id, wish);
    } else if is_word(args.at(2), "OFF") {
        cx.server.stop_tracking(id);
    } else {
        return Err(CommandError::Syntax);
    }
    cx.reply.ok();
    Ok(Flow::Done)
}

/// The number of the client that gets the invalidations of `client`; 0: itself, -1: there are none.
pub(super) fn redirection(client: &Client) -> i64 {
    match client.tracker.as_ref().map(|tracker| tracker.receiver) {
        None => -1,
        Some(Receiver::Itself) => 0,
        Some(Receiver::Other(other)) => other.number as i64,
    }
}

pub(super) fn getredir(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    let redirection = redirection(cx.client());
    cx.reply.integer(redirection);
    Ok(Flow::Done)
}

/// What a client's tracking is like, in words.
fn flags(tracker: Option<&Tracker>) -> Vec<&'static str> {
    let Some(tracker) = tracker else { return vec!["off"] };
    let which = reads_of(tracker);
    let words = [
        ("on", true),
        ("bcast", tracker.is_broadcast()),
        ("optin", which == Some(Reads::OptIn)),
        ("caching-yes", which == Some(Reads::OptIn) && tracker.caching_said),
        ("optout", which == Some(Reads::OptOut)),
        ("caching-no", which == Some(Reads::OptOut) && tracker.caching_said),
        ("noloop", tracker.own_changes == OwnChanges::Untold),
        ("broken_redirect", tracker.redirection == Redirection::Broken),
    ];
    words.iter().filter(|(_, holds)| *holds).map(|(word, _)| *word).collect()
}

pub(super) fn trackinginfo(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    let tracker = cx.client().tracker.clone();
    let (flags, redirection) = (flags(tracker.as_deref()), redirection(cx.client()));
    let prefixes = tracker.as_deref().map(prefixes_of).unwrap_or_default();
    let reply = &mut cx.reply;
    reply.map(3);
    reply.bulk_text("flags");
    reply.set(flags.len());
    flags.iter().for_each(|word| reply.bulk_text(word));
    reply.bulk_text("redirect");
    reply.integer(redirection);
    reply.bulk_text("prefixes");
    reply.array(prefixes.len());
    prefixes.iter().for_each(|prefix| reply.bulk(prefix));
    Ok(Flow::Done)
}
