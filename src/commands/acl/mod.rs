//! ACL: the users, and what has been denied to them.
pub mod denied;
mod file;
mod show;
#[cfg(test)]
mod tests;
mod users;

use super::help;
use crate::base::argv::Args;
use crate::server::{Cx, Entry, Flow};
use crate::spec::{CommandError, Flags, Group, Spec};

const OPEN: Flags = Flags::NOSCRIPT.or(Flags::LOADING).or(Flags::STALE).or(Flags::SENTINEL);
const ADMIN: Flags = OPEN.or(Flags::ADMIN);

const PER_USER: &str = "O(N). Where N is the number of configured users.";

const fn spec(name: &'static str, arity: i32, flags: Flags) -> Spec {
    Spec::new(name, arity, Group::Server, flags)
}

const CONTAINER: Spec = spec("acl", -2, Flags::SENTINEL).complexity("Depends on subcommand.").doc(
    "6.0.0",
    "A container for Access List Control commands ",
    "",
);

pub const COMMANDS: &[Entry] = &[Entry::container(CONTAINER, SUBCOMMANDS)];

const SUBCOMMANDS: &[Entry] = &[
    Entry::server(
        spec("acl|cat", -2, OPEN).complexity("O(1) since the categories and commands are a fixed set.").doc(
            "6.0.0",
            "List the ACL categories or the commands inside a category",
            "[categoryname]",
        ),
        show::cat,
    ),
    Entry::server(
        spec("acl|deluser", -3, ADMIN).complexity("O(1) amortized time considering the typical user.").doc(
            "6.0.0",
            "Remove the specified ACL users and the associated rules",
            "username [username ...]",
        ),
        users::deluser,
    ),
    Entry::server(
        spec("acl|dryrun", -4, ADMIN).complexity("O(1).").doc(
            "7.0.0",
            "Returns whether the user can execute the given command without executing the command.",
            "username command [arg [arg ...]]",
        ),
        show::dryrun,
    ),
    Entry::server(
        spec("acl|genpass", -2, OPEN).complexity("O(1)").doc(
            "6.0.0",
            "Generate a pseudorandom secure password to use for ACL users",
            "[bits]",
        ),
        users::genpass,
    ),
    Entry::server(
        spec("acl|getuser", 3, ADMIN)
            .complexity(
                "O(N). Where N is the number of password, command and pattern rules that the user has.",
            )
            .doc("6.0.0", "Get the rules for a specific ACL user", "username"),
        show::getuser,
    ),
    Entry::server(
        spec("acl|help", 2, Flags::LOADING.or(Flags::STALE).or(Flags::SENTINEL)).complexity("O(1)").doc(
            "6.0.0",
            "Show helpful text about the different subcommands",
            "",
        ),
        print_help,
    ),
    Entry::server(
        spec("acl|list", 2, ADMIN).complexity(PER_USER).doc(
            "6.0.0",
            "List the current ACL rules in ACL config file format",
            "",
        ),
        show::list,
    ),
    Entry::server(
        spec("acl|load", 2, ADMIN).complexity(PER_USER).doc(
            "6.0.0",
            "Reload the ACLs from the configured ACL file",
            "",
        ),
        file::load,
    ),
    Entry::server(
        spec("acl|log", -2, ADMIN).complexity("O(N) with N being the number of entries shown.").doc(
            "6.0.0",
            "List latest events denied because of ACLs in place",
            "[count|RESET]",
        ),
        denied::log,
    ),
    Entry::server(
        spec("acl|save", 2, ADMIN).complexity(PER_USER).doc(
            "6.0.0",
            "Save the current ACL rules in the configured ACL file",
            "",
        ),
        file::save,
    ),
    Entry::server(
        spec("acl|setuser", -3, ADMIN).complexity("O(N). Where N is the number of rules provided.").doc(
            "6.0.0",
            "Modify or create the rules for a specific ACL user",
            "username [rule [rule ...]]",
        ),
        users::setuser,
    ),
    Entry::server(
        spec("acl|users", 2, ADMIN).complexity(PER_USER).doc(
            "6.0.0",
            "List the username of all the configured ACL rules",
            "",
        ),
        show::users,
    ),
    Entry::server(
        spec("acl|whoami", 2, OPEN).complexity("O(1)").doc(
            "6.0.0",
            "Return the name of the user associated to the current connection",
            "",
        ),
        show::whoami,
    ),
];

const HELP: &[&str] = &[
    "CAT [<category>]",
    "    List all commands that belong to <category>, or all command categories",
    "    when no category is specified.",
    "DELUSER <username> [<username> ...]",
    "    Delete a list of users.",
    "DRYRUN <username> <command> [<arg> ...]",
    "    Returns whether the user can execute the given command without executing the command.",
    "GETUSER <username>",
    "    Get the user's details.",
    "GENPASS [<bits>]",
    "    Generate a secure 256-bit user password. The optional `bits` argument can",
    "    be used to specify a different size.",
    "LIST",
    "    Show users details in config file format.",
    "LOAD",
    "    Reload users from the ACL file.",
    "LOG [<count> | RESET]",
    "    Show the ACL log entries.",
    "SAVE",
    "    Save the current config to the ACL file.",
    "SETUSER <username> <attribute> [<attribute> ...]",
    "    Create or modify a user with the specified attributes.",
    "USERS",
    "    List all the registered usernames.",
    "WHOAMI",
    "    Return the current connection username.",
];

fn print_help(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    help::answer(&mut cx.reply, "ACL", HELP);
    Ok(Flow::Done)
}
