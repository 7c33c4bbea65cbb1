//! Hides passwords before a command is shown to anybody else: in MONITOR and in the slow log.

use crate::base::argv::{Args, Argv};
use crate::config::directives;
use crate::spec::args::is_word;

const HIDDEN: &[u8] = b"(redacted)";

/// A copy of `args` without their secrets; `None` when they hold none. `name` is the command's full name.
pub fn redacted(name: &str, args: Args<'_>) -> Option<Argv> {
    let secrets = match name {
        "auth" => (1..args.len()).collect(),
        "hello" => hello_secrets(args),
        "config|set" => config_secrets(args),
        "acl|setuser" => (2..args.len()).collect(),
        _ => return None,
    };
    let show = |(index, argument)| if secrets.contains(&index) { HIDDEN } else { argument };
    (!secrets.is_empty()).then(|| args.iter().enumerate().map(show).collect())
}

/// Name and password after AUTH; as HELLO itself reads its options, so that a client called AUTH confuses nobody.
fn hello_secrets(args: Args<'_>) -> Vec<usize> {
    let mut secrets = Vec::new();
    let mut at = 2;
    while let Some(option) = args.get(at) {
        if is_word(option, "AUTH") {
            secrets.extend([at + 1, at + 2]);
            at += 3;
        } else if is_word(option, "SETNAME") {
            at += 2;
        } else {
            break;
        }
    }
    secrets
}

fn config_secrets(args: Args<'_>) -> Vec<usize> {
    let is_secret = |name: &[u8]| directives::find(name).is_some_and(|directive| directive.sensitive);
    (2..args.len()).step_by(2).filter(|at| is_secret(args.at(*at))).map(|at| at + 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, line: &str, expected: Option<&str>) {
        let argv: Argv = line.split(' ').collect();
        let shown = redacted(name, argv.args());
        let shown =
            shown.map(|argv| argv.args().iter().map(String::from_utf8_lossy).collect::<Vec<_>>().join(" "));
        assert_eq!(shown.as_deref(), expected, "{line}");
    }

    #[test]
    fn passwords_are_hidden() {
        check("auth", "AUTH secret", Some("AUTH (redacted)"));
        check("auth", "AUTH default secret", Some("AUTH (redacted) (redacted)"));
        check("hello", "HELLO 3 AUTH default secret", Some("HELLO 3 AUTH (redacted) (redacted)"));
        check(
            "hello",
            "HELLO 3 SETNAME auth AUTH u p",
            Some("HELLO 3 SETNAME auth AUTH (redacted) (redacted)"),
        );
        check("acl|setuser", "ACL SETUSER bob on >pw", Some("ACL SETUSER (redacted) (redacted) (redacted)"));
        check(
            "config|set",
            "config set maxmemory 0 requirepass x",
            Some("config set maxmemory 0 requirepass (redacted)"),
        );
    }

    #[test]
    fn what_is_no_secret_is_not_copied() {
        check("hello", "HELLO 3 SETNAME auth", None);
        check("config|set", "config set maxmemory 0", None);
        check("get", "GET auth", None);
    }
}
