//! OBJECT: how a value is stored and when it was used.

use super::help;
use crate::base::argv::Args;
use crate::keyspace::settings::{Candidates, Ranking, Settings};
use crate::keyspace::{Access, StrView, Tx, entry, lru};
use crate::object::Encoding;
use crate::resp::Reply;
use crate::server::{Entry, Flow};
use crate::spec::{Categories, CommandError, Flags, Group, KeyFlags, KeySpec, Spec};

const SEEN: &[KeySpec] = &[KeySpec::one(2, KeyFlags::RO)];
const PASSES: &[&str] = &["nondeterministic_output"];

const fn about_key(name: &'static str) -> Spec {
    Spec::new(name, 3, Group::Generic, Flags::READONLY)
        .category(Categories::KEYSPACE)
        .keys(SEEN)
        .tips(PASSES)
        .complexity("O(1)")
}

pub const COMMANDS: &[Entry] = &[Entry::container(
    Spec::new("object", -2, Group::Generic, Flags::NONE).complexity("Depends on subcommand.").doc(
        "2.2.3",
        "A container for object introspection commands",
        "",
    ),
    &[
        Entry::data(
            about_key("object|encoding").doc(
                "2.2.3",
                "Inspect the internal encoding of a Redis object",
                "key",
            ),
            object_encoding,
        ),
        Entry::data(
            about_key("object|freq").doc(
                "4.0.0",
                "Get the logarithmic access frequency counter of a Redis object",
                "key",
            ),
            object_freq,
        ),
        Entry::data(
            Spec::new("object|help", 2, Group::Generic, Flags::LOADING.or(Flags::STALE))
                .category(Categories::KEYSPACE)
                .complexity("O(1)")
                .doc("6.2.0", "Show helpful text about the different subcommands", ""),
            object_help,
        ),
        Entry::data(
            about_key("object|idletime").doc(
                "2.2.3",
                "Get the time since a Redis object was last accessed",
                "key",
            ),
            object_idletime,
        ),
        Entry::data(
            about_key("object|refcount").doc(
                "2.2.3",
                "Get the number of references to the value of the key",
                "key",
            ),
            object_refcount,
        ),
    ],
)];

const HELP: &[&str] = &[
    "ENCODING <key>",
    "    Return the kind of internal representation used in order to store the value",
    "    associated with a <key>.",
    "FREQ <key>",
    "    Return the access frequency index of the <key>. The returned integer is",
    "    proportional to the logarithm of the recent access frequency of the key.",
    "IDLETIME <key>",
    "    Return the idle time of the <key>, that is the approximated number of",
    "    seconds elapsed since the last access to the key.",
    "REFCOUNT <key>",
    "    Return the number of references of the value associated with the specified",
    "    <key>.",
];

fn object_help(_tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    help::answer(reply, args.at(0), HELP);
    Ok(Flow::Done)
}

fn object_encoding(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    match tx.lookup(args.at(2), Access::Inspect) {
        None => reply.null(),
        Some(entry) => reply.bulk_text(entry.encoding().name()),
    }
    Ok(Flow::Done)
}

/// The access field of a key.
fn access_field(tx: &mut Tx<'_>, args: Args<'_>) -> Option<u32> {
    tx.lookup(args.at(2), Access::Inspect).map(|entry| entry.lru())
}

fn object_freq(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let field = access_field(tx, args);
    let settings = &tx.keyspace.settings;
    match field {
        None => reply.null(),
        Some(_) if settings.ranking != Ranking::Lfu => return Err(CommandError::NotLfu),
        Some(field) => reply.integer(lru::lfu_counter(field, tx.now_ms, settings).into()),
    }
    Ok(Flow::Done)
}

fn object_idletime(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    match access_field(tx, args) {
        None => reply.null(),
        Some(_) if tx.keyspace.settings.ranking == Ranking::Lfu => return Err(CommandError::IsLfu),
        Some(field) => reply.integer(lru::idle_s(field, tx.now_ms).into()),
    }
    Ok(Flow::Done)
}

fn object_refcount(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let sharing = shares_integers(&tx.keyspace.settings);
    match tx.lookup(args.at(2), Access::Inspect) {
        None => reply.null(),
        Some(entry) => reply.integer(refcount(entry, sharing)),
    }
    Ok(Flow::Done)
}

/// Nothing is shared here. Small integers answer the number by which Redis marks the objects it shares for them, since
/// clients and tests look for it.
pub(super) fn refcount(entry: &entry::Entry, sharing: SharedIntegers) -> i64 {
    const SHARED: i64 = i32::MAX as i64;
    let is_small = entry.encoding() == Encoding::Int && matches!(entry.str_view(), StrView::Int(0..=9999));
    if is_small && sharing == SharedIntegers::Yes { SHARED } else { 1 }
}

/// Whether Redis would share objects for small integers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SharedIntegers {
    Yes,
    No,
}

/// With a limit and a policy that looks at the use of each object, Redis shares none.
pub(super) fn shares_integers(settings: &Settings) -> SharedIntegers {
    let looks_at_use =
        settings.candidates != Candidates::None && matches!(settings.ranking, Ranking::Lru | Ranking::Lfu);
    if settings.maxmemory_bytes == 0 || !looks_at_use { SharedIntegers::Yes } else { SharedIntegers::No }
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::Fixture;
    use crate::keyspace::settings::{Candidates, Ranking};

    #[test]
    fn encodings_have_the_names_of_redis() {
        let mut fixture = Fixture::new();
        fixture.run("MSET i 12 e hello");
        fixture.run(&format!("SET r {}", "x".repeat(45)));
        fixture.check("OBJECT ENCODING i", "$3\r\nint\r\n");
        fixture.check("OBJECT encoding e", "$6\r\nembstr\r\n");
        fixture.check("OBJECT ENCODING r", "$3\r\nraw\r\n");
        fixture.check("OBJECT ENCODING x", "$-1\r\n");
        assert!(fixture.run("OBJECT HELP").starts_with("*15\r\n+OBJECT <subcommand> [<arg>"));
        fixture.check("OBJECT", "-ERR wrong number of arguments for 'object' command\r\n");
        fixture.check("OBJECT ENCODING", "-ERR wrong number of arguments for 'object|encoding' command\r\n");
        fixture.check("OBJECT FOO", "-ERR unknown subcommand 'FOO'. Try OBJECT HELP.\r\n");
    }

    #[test]
    fn use_is_shown_by_the_policy_in_force() {
        let mut fixture = Fixture::new();
        fixture.run("SET k v");
        fixture.advance_ms(7000);
        fixture.check("OBJECT IDLETIME k", ":7\r\n");
        fixture.check("OBJECT IDLETIME x", "$-1\r\n");
        fixture.check("EXISTS k", ":1\r\n");
        fixture.check("OBJECT IDLETIME k", ":7\r\n");
        fixture.check("TOUCH k", ":1\r\n");
        fixture.check("OBJECT IDLETIME k", ":0\r\n");
        assert!(fixture.run("OBJECT FREQ k").starts_with("-ERR An LFU maxmemory policy is not selected"));
        fixture.server.keyspace.settings.ranking = Ranking::Lfu;
        assert!(fixture.run("OBJECT IDLETIME k").starts_with("-ERR An LFU maxmemory policy is selected"));
        fixture.run("SET n v");
        fixture.check("OBJECT FREQ n", ":5\r\n");
        fixture.check("OBJECT FREQ x", "$-1\r\n");
    }

    #[test]
    fn small_integers_look_shared() {
        let mut fixture = Fixture::new();
        fixture.run("MSET a 0 b 9999 c 10000 d -1 e x");
        let shared = ":2147483647\r\n";
        for (key, reply) in [("a", shared), ("b", shared), ("c", ":1\r\n"), ("d", ":1\r\n"), ("e", ":1\r\n")]
        {
            fixture.check(&format!("OBJECT REFCOUNT {key}"), reply);
        }
        let settings = &mut fixture.server.keyspace.settings;
        settings.maxmemory_bytes = u64::MAX;
        settings.candidates = Candidates::All;
        fixture.check("OBJECT REFCOUNT a", ":1\r\n");
        fixture.server.keyspace.settings.ranking = Ranking::Random;
        fixture.check("OBJECT REFCOUNT a", shared);
    }
}
