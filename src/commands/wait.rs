//! WAIT: how many replicas have what a client wrote. There are none, so whoever asks for some waits in vain.

use crate::base::argv::Args;
use crate::keyspace::ledger::Waiting;
use crate::keyspace::{OnTimeout, Wait, WhenGone};
use crate::object::ValueType;
use crate::server::{Cx, Entry, Flow};
use crate::spec::args::{deadline_ms, integer};
use crate::spec::{Categories, CommandError, Flags, Group, Spec};

pub const COMMANDS: &[Entry] = &[Entry::server(
    Spec::new("wait", 3, Group::Generic, Flags::NOSCRIPT)
        .category(Categories::CONNECTION)
        .tips(&["request_policy:all_shards", "response_policy:agg_min"])
        .complexity("O(1)")
        .doc(
            "3.0.0",
            "Wait for the synchronous replication of all the write commands sent in the context of the current \
             connection",
            "numreplicas timeout",
        ),
    wait,
)];

fn wait(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let replicas = integer(args.at(1))?;
    let now_ms = cx.now.unix_ms();
    let deadline_ms = deadline_ms(args.at(2), now_ms)?;
    if replicas <= 0 || cx.server.ledger.waiting == Waiting::Denied {
        cx.reply.integer(0);
        return Ok(Flow::Done);
    }
    cx.server.ledger.wait = Some(Wait {
        keys: Vec::new(),
        // Without keys no type is waited for.
        for_type: ValueType::String,
        // A timeout of 0 is none.
        deadline_ms: Some(deadline_ms).filter(|deadline_ms| *deadline_ms > now_ms),
        on_timeout: OnTimeout::Zero,
        when_gone: WhenGone::Waits,
        retry: None,
    });
    Ok(Flow::Block)
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::Fixture;
    use crate::server::waiting::GivenUp;

    #[test]
    fn who_asks_for_replicas_waits() {
        let mut fixture = Fixture::new();
        fixture.check("WAIT 0 100", ":0\r\n");
        fixture.check("WAIT x 100", "-ERR value is not an integer or out of range\r\n");
        fixture.check("WAIT 1 -1", "-ERR timeout is negative\r\n");
        fixture.check("WAIT 1 100", "");
        let deadline_ms = fixture.client().blocked.as_ref().expect("it waits").wait.deadline_ms;
        assert_eq!(deadline_ms, Some(fixture.now().unix_ms() + 100));
        assert!(fixture.run("INFO clients").contains("blocked_clients:1"));
        let client = fixture.client;
        assert!(fixture.server.give_up_wait(client, GivenUp::TimedOut));
        assert_eq!(fixture.client().output.pending(), b":0\r\n");
        assert!(!fixture.server.give_up_wait(client, GivenUp::TimedOut));
        fixture.run("MULTI");
        fixture.run("WAIT 1 0");
        fixture.check("EXEC", "*1\r\n:0\r\n");
    }
}
