//! The replies of `<container> HELP`.

use crate::resp::Reply;
use crate::spec::error::until_nul;

/// Answers how the subcommands of `container`, as the client called it, are called. `lines` holds for each its call
/// (`GETNAME`) and, indented by four spaces, what it does; the lines about HELP itself are added.
pub fn answer(reply: &mut Reply<'_>, container: impl AsRef<[u8]>, lines: &[&str]) {
    let container = until_nul(container.as_ref()).to_ascii_uppercase();
    let container = String::from_utf8_lossy(&container);
    reply.array(lines.len() + 3);
    reply.simple(&format!("{container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    lines.iter().for_each(|line| reply.simple(line));
    reply.simple("HELP");
    reply.simple("    Prints this help.");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::Protocol;

    #[test]
    fn help_is_a_list_of_lines() {
        let mut out = Vec::new();
        answer(&mut Reply::new(&mut out, Protocol::Resp2), "OBJECT", &["FREQ <key>", "    Tell."]);
        let expected = "*5\r\n+OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:\r\n+FREQ <key>\r\n\
                        +    Tell.\r\n+HELP\r\n+    Prints this help.\r\n";
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }
}
