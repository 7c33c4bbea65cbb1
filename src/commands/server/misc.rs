//! TIME, MONITOR and LOLWUT.

use crate::base::argv::Args;
use crate::server::server::TINTYPE_VERSION;
use crate::server::{Cx, Entry, Flow};
use crate::spec::args::{integer, is_word};
use crate::spec::{CommandError, Flags, Group, Spec};

pub const COMMANDS: &[Entry] = &[
    Entry::server(
        Spec::new("time", 1, Group::Server, Flags::LOADING.or(Flags::STALE).or(Flags::FAST))
            .tips(&["nondeterministic_output"])
            .complexity("O(1)")
            .doc("2.6.0", "Return the current server time", ""),
        time,
    ),
    Entry::server(
        Spec::new("monitor", 1, Group::Server, MONITOR_FLAGS).doc(
            "1.0.0",
            "Listen for all requests received by the server in real time",
            "",
        ),
        monitor,
    ),
    Entry::server(
        Spec::new("lolwut", -1, Group::Server, Flags::READONLY.or(Flags::FAST)).doc(
            "5.0.0",
            "Display some computer art and the Redis version",
            "[VERSION version]",
        ),
        lolwut,
    ),
];

const MONITOR_FLAGS: Flags = Flags::ADMIN.or(Flags::NOSCRIPT).or(Flags::LOADING).or(Flags::STALE);

fn time(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    let (seconds, microseconds) =
        (cx.now.unix_us.div_euclid(1_000_000), cx.now.unix_us.rem_euclid(1_000_000));
    cx.reply.array(2);
    cx.reply.bulk_integer(seconds);
    cx.reply.bulk_integer(microseconds);
    Ok(Flow::Done)
}

fn monitor(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    if cx.server.in_exec {
        return Err(CommandError::text("ERR MONITOR isn't allowed for DENY BLOCKING client"));
    }
    cx.server.clients.set_monitor(cx.client_id);
    cx.reply.ok();
    Ok(Flow::Done)
}

/// A camera on its stand, waiting for the plate.
const ART: &str = r"
        ___________
       |  _______  |____
       | |       | |    \___
       | |   o   | |  () )  )
       | |_______| |____/---
       |___________|
            /|\
           / | \
          /  |  \
   ______/___|___\______
  hold still, please: click
";

fn lolwut(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    if let Some(version) = args.get(2).filter(|_| is_word(args.at(1), "VERSION")) {
        // There is one picture for every version, but a version is a number.
        integer(version)?;
    }
    let text = format!("{}\nTintype ver. {TINTYPE_VERSION}\n", ART.trim_start_matches('\n'));
    cx.reply.verbatim("txt", text.as_bytes());
    Ok(Flow::Done)
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::Fixture;

    #[test]
    fn time_has_seconds_and_microseconds() {
        let mut fixture = Fixture::new();
        fixture.advance_ms(25);
        fixture.check("TIME", "*2\r\n$10\r\n1700000000\r\n$5\r\n25000\r\n");
    }

    #[test]
    fn lolwut_ends_with_the_version() {
        let mut fixture = Fixture::new();
        assert!(fixture.run("LOLWUT").ends_with(&format!("Tintype ver. {}\n\r\n", super::TINTYPE_VERSION)));
        fixture.check("LOLWUT VERSION x", "-ERR value is not an integer or out of range\r\n");
    }

    #[test]
    fn monitors_see_commands_but_not_from_within_a_transaction() {
        let mut fixture = Fixture::new();
        fixture.run("MULTI");
        fixture.run("MONITOR");
        fixture.check("EXEC", "*1\r\n-ERR MONITOR isn't allowed for DENY BLOCKING client\r\n");
        fixture.check("MONITOR", "+OK\r\n");
        assert_eq!(fixture.server.clients.monitors(), [fixture.client]);
    }
}
