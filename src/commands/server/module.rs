//! MODULE: there are no modules, and none can be loaded; who asks is told so in the words that clients know.

use crate::base::argv::Args;
use crate::commands::help;
use crate::server::{Cx, Entry, Flow};
use crate::spec::{CommandError, Flags, Group, Spec};

const FLAGS: Flags = Flags::ADMIN.or(Flags::NOSCRIPT);
const GUARDED: Flags = FLAGS.or(Flags::NO_ASYNC_LOADING).or(Flags::PROTECTED);

const fn spec(name: &'static str, arity: i32, flags: Flags) -> Spec {
    Spec::new(name, arity, Group::Server, flags)
}

pub const COMMANDS: &[Entry] = &[Entry::container(
    spec("module", -2, Flags::NONE).complexity("Depends on subcommand.").doc(
        "4.0.0",
        "A container for module commands",
        "",
    ),
    &[
        Entry::server(
            spec("module|help", 2, Flags::LOADING.or(Flags::STALE)).complexity("O(1)").doc(
                "5.0.0",
                "Show helpful text about the different subcommands",
                "",
            ),
            module_help,
        ),
        Entry::server(
            spec("module|list", 2, FLAGS)
                .tips(&["nondeterministic_output_order"])
                .complexity("O(N) where N is the number of loaded modules.")
                .doc("4.0.0", "List all modules loaded by the server", ""),
            list,
        ),
        Entry::server(
            spec("module|load", -3, GUARDED).complexity("O(1)").doc(
                "4.0.0",
                "Load a module",
                "path [arg [arg ...]]",
            ),
            load,
        ),
        Entry::server(
            spec("module|loadex", -3, GUARDED).complexity("O(1)").doc(
                "7.0.0",
                "Load a module with extended parameters",
                "path [CONFIG name value [CONFIG name value ...]] [ARGS args [args ...]]",
            ),
            load,
        ),
        Entry::server(
            spec("module|unload", 3, GUARDED).complexity("O(1)").doc("4.0.0", "Unload a module", "name"),
            unload,
        ),
    ],
)];

fn list(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    cx.reply.array(0);
    Ok(Flow::Done)
}

/// Refused as a file that is no module is; the log, where the error points to, has the reason.
fn load(_cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let path = String::from_utf8_lossy(args.at(2));
    tracing::warn!("Module {path} failed to load: this server has no modules");
    Err(CommandError::ModuleNotLoaded)
}

fn unload(_cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    Err(CommandError::ModuleUnknown)
}

fn module_help(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    const LINES: &[&str] = &[
        "LIST",
        "    List the modules: there are none.",
        "LOAD <path> [<arg> ...]",
        "    Refused: this server cannot load modules.",
        "LOADEX <path> [[CONFIG NAME VALUE] [CONFIG NAME VALUE]] [ARGS ...]",
        "    Refused as well.",
        "UNLOAD <name>",
        "    Refused: no module has that name.",
    ];
    help::answer(&mut cx.reply, args.at(0), LINES);
    Ok(Flow::Done)
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::Fixture;
    use crate::config::Restriction;

    #[test]
    fn there_are_no_modules_and_loading_one_is_guarded() {
        let mut fixture = Fixture::new();
        fixture.check("MODULE LIST", "*0\r\n");
        for line in ["MODULE LOAD /x.so", "MODULE LOADEX /x.so", "MODULE UNLOAD x"] {
            assert!(fixture.run(line).starts_with("-ERR MODULE command not allowed. If the"), "{line}");
        }
        fixture.server.config.enable_module_command = Restriction::Local;
        fixture.check(
            "MODULE LOAD /x.so 1",
            "-ERR Error loading the extension. Please check the server logs.\r\n",
        );
        let unknown = "-ERR Error unloading module: no such module with that name\r\n";
        fixture.check("MODULE UNLOAD x", unknown);
        fixture.client().origin.is_local = false;
        assert!(fixture.run("MODULE UNLOAD x").starts_with("-ERR MODULE command not allowed."));
        fixture.server.config.enable_module_command = Restriction::Yes;
        fixture.check("MODULE UNLOAD x", unknown);
        fixture.check("MODULE FOO", "-ERR unknown subcommand 'FOO'. Try MODULE HELP.\r\n");
    }
}
