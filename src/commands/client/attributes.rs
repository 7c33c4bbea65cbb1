//! What a client tells and asks of itself.

use crate::base::argv::Args;
use crate::client::ReplyMode;
use crate::server::{Cx, Flow};
use crate::spec::CommandError;
use crate::spec::args::is_word;

/// Names and versions stand in the lines of CLIENT LIST, between spaces.
fn fits_in_line(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_graphic)
}

/// Whether a client may be called `name`. The empty name takes the name away.
pub fn check_name(name: &[u8]) -> Result<(), CommandError> {
    if fits_in_line(name) { Ok(()) } else { Err(CommandError::ClientName) }
}

pub(super) fn id(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    cx.reply.integer(cx.client_id.number as i64);
    Ok(Flow::Done)
}

pub(super) fn getname(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    let name = std::mem::take(&mut cx.client().name);
    if name.is_empty() {
        cx.reply.null()
    } else {
        cx.reply.bulk(&name)
    }
    cx.client().name = name;
    Ok(Flow::Done)
}

pub(super) fn setname(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    check_name(args.at(2))?;
    cx.client().name = args.at(2).to_vec();
    cx.reply.ok();
    Ok(Flow::Done)
}

pub(super) fn setinfo(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let (option, value) = (args.at(2), args.at(3));
    let client = cx.client();
    let (name, field) = match option {
        _ if is_word(option, "LIB-NAME") => ("lib-name", &mut client.library_name),
        _ if is_word(option, "LIB-VER") => ("lib-ver", &mut client.library_version),
        _ => return Err(CommandError::quoting("ERR Unrecognized option '", option, "'")),
    };
    if !fits_in_line(value) {
        return Err(CommandError::text(format!(
            "ERR {name} cannot contain spaces, newlines or special characters."
        )));
    }
    *field = value.to_vec();
    cx.reply.ok();
    Ok(Flow::Done)
}

/// What is not known is no error: a newer client may offer it to an older server.
pub(super) fn capa(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let redirects = args.iter().skip(2).any(|capability| is_word(capability, "REDIRECT"));
    cx.client().capabilities.redirect |= redirects;
    cx.reply.ok();
    Ok(Flow::Done)
}

pub(super) fn reply(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let word = args.at(2);
    let client = cx.client();
    if is_word(word, "ON") {
        client.reply_mode = ReplyMode::On;
        cx.reply.ok();
    } else if is_word(word, "OFF") {
        client.reply_mode = ReplyMode::Off;
    } else if is_word(word, "SKIP") {
        if client.reply_mode != ReplyMode::Off {
            client.reply_mode = ReplyMode::SkipNext;
        }
    } else {
        return Err(CommandError::Syntax);
    }
    Ok(Flow::Done)
}

fn read_switch(word: &[u8]) -> Result<bool, CommandError> {
    match word {
        _ if is_word(word, "ON") => Ok(true),
        _ if is_word(word, "OFF") => Ok(false),
        _ => Err(CommandError::Syntax),
    }
}

pub(super) fn no_evict(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    cx.client().no_evict = read_switch(args.at(2))?;
    cx.reply.ok();
    Ok(Flow::Done)
}

pub(super) fn no_touch(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    cx.client().no_touch = read_switch(args.at(2))?;
    cx.reply.ok();
    Ok(Flow::Done)
}
