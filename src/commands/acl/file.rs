//! ACL LOAD and ACL SAVE.

use crate::acl;
use crate::base::argv::Args;
use crate::base::os::reason;
use crate::commands::replace_file::replace_file;
use crate::server::{Cx, Flow};
use crate::spec::CommandError;
use std::path::Path;

/// The mode of a file that was not there: it holds what a password can be guessed from.
const MODE_DEFAULT: u32 = 0o600;

pub(super) fn load(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    if cx.server.config.aclfile.is_empty() {
        return Err(CommandError::AclNoFile);
    }
    let users =
        cx.server.read_users().map_err(|text| CommandError::Quoting([b"ERR ", &text[..]].concat().into()))?;
    let caller = cx.client_id;
    cx.server.replace_users(users, caller);
    cx.reply.ok();
    Ok(Flow::Done)
}

pub(super) fn save(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    let path = &cx.server.config.aclfile;
    if path.is_empty() {
        return Err(CommandError::AclNoFile);
    }
    let text = acl::save(&cx.server.acl.users, &cx.server.acl.catalog);
    if let Err(error) = replace_file(Path::new(path), MODE_DEFAULT, |_| text) {
        tracing::warn!("Replacing the ACL file '{path}' for ACL SAVE: {}", reason(&error));
        return Err(CommandError::AclSaveFailed);
    }
    cx.reply.ok();
    Ok(Flow::Done)
}
