//! ACL SETUSER, DELUSER and GENPASS.

use crate::acl::{self, UnmatchedParenthesis};
use crate::base::argv::Args;
use crate::server::{Cx, Flow};
use crate::spec::CommandError;
use crate::spec::args::integer_in;
use crate::spec::error::until_nul;

pub(super) fn setuser(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let (name, rules) = (args.at(2), args.from(3));
    if acl::is_no_name(name) {
        return Err(CommandError::AclUserName);
    }
    let rules = acl::merge_selectors(rules.iter()).map_err(|UnmatchedParenthesis(index)| {
        let before = "ERR Unmatched parenthesis in acl selector starting at '";
        CommandError::quoting(before, args.at(3 + index), "'.")
    })?;
    cx.server.change_user(name, &rules, cx.client_id).map_err(|(index, error)| {
        let (rule, reason) = (until_nul(&rules[index]), error.to_string());
        let parts = [b"ERR Error in ACL SETUSER modifier '", rule, b"': ", reason.as_bytes()];
        CommandError::Quoting(parts.concat().into())
    })?;
    cx.reply.ok();
    Ok(Flow::Done)
}

pub(super) fn deluser(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let names = args.from(2);
    if names.iter().any(|name| name == b"default") {
        return Err(CommandError::AclDefaultUser);
    }
    let caller = cx.client_id;
    let removed = names.iter().filter(|name| cx.server.remove_user(name, caller)).count();
    cx.reply.count(removed);
    Ok(Flow::Done)
}

pub(super) fn genpass(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    const BITS_DEFAULT: i64 = 256;
    const BITS_PER_DIGIT: usize = 4;
    let bits = match args.get(2) {
        _ if args.len() > 3 => return Err(CommandError::subcommand_arguments(args.at(1), "acl")),
        Some(bits) => integer_in(bits, i64::MIN..=i64::MAX, CommandError::NotInteger)?,
        None => BITS_DEFAULT,
    };
    if !(1..=4096).contains(&bits) {
        return Err(CommandError::AclGenpassBits);
    }
    let digits = (bits as usize).div_ceil(BITS_PER_DIGIT);
    let mut secret = vec![0; digits.div_ceil(2)];
    (cx.server.acl.entropy)(&mut secret)
        .map_err(|error| CommandError::text(format!("ERR No source of random bytes: {error}")))?;
    let text: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    cx.reply.bulk_text(&text[..digits]);
    Ok(Flow::Done)
}
