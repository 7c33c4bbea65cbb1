//! Random conversations of all commands: after each, redis-server and Tintype have told the same of the same keys,
//! those that the client itself has read before, and those of a prefix.
//!
//! `TINTYPE_SEED=7 cargo test --test tracking random` plays one conversation again.

use crate::generator::Generator;
use crate::support::{Connection, Server, Value, encode, show};

const SEEDS: std::ops::Range<u64> = 1..9;
const COMMANDS_PER_SEED: usize = 1_000;
const HISTORY_SHOWN: usize = 30;

/// Commands that are left out, and why.
const LEFT_OUT: &[(&str, &str)] =
    &[("PFDEBUG", "redis-server does not tell that TODENSE changes the string")];

/// A server, a client whose reads are remembered, who is told for it, and who hears of every key.
struct Watched {
    client: Connection,
    told: Connection,
    broadcast: Connection,
    server: Server,
}

impl Watched {
    fn new(server: Server) -> Watched {
        let [mut client, mut told, mut broadcast] = [(); 3].map(|()| server.connect());
        client.ok("DEBUG SET-ACTIVE-EXPIRE 0");
        told.run("HELLO 3");
        broadcast.run("HELLO 3");
        broadcast.ok("CLIENT TRACKING ON BCAST");
        Watched { client, told, broadcast, server }
    }

    /// Inside a transaction (a RESET that was refused) it may have to wait.
    fn track(&mut self) {
        let number = self.told.run("CLIENT ID").integer();
        let reply = self.client.run(&format!("CLIENT TRACKING ON REDIRECT {number}"));
        assert!(!reply.is_error(), "{reply:?}");
    }

    /// What a command made the server tell: of the client's keys, then of all keys.
    #[track_caller]
    fn after(&mut self, request: &[u8]) -> [Vec<String>; 2] {
        self.client.send(request);
        self.client.reply();
        [&mut self.told, &mut self.broadcast].map(messages)
    }
}

/// The messages that came since the last call.
#[track_caller]
fn messages(connection: &mut Connection) -> Vec<String> {
    connection.send(&encode(&["PING"]));
    let mut found = Vec::new();
    loop {
        match connection.reply() {
            // redis-server sends the null of the protocol that another client, the one that tracks, speaks.
            (bytes, Value::Push(_)) => found.push(show(&bytes).replace("$-1\\r\\n", "_\\r\\n")),
            (_, Value::Simple(_)) => return found,
            (bytes, _) => panic!("neither a message nor the end of them: {}", show(&bytes)),
        }
    }
}

#[test]
fn random_conversations_tell_what_the_oracle_tells() {
    let seed = std::env::var("TINTYPE_SEED").ok().and_then(|text| text.parse::<u64>().ok());
    let arguments = ["--enable-debug-command", "yes"];
    let mut ours = Watched::new(Server::start(&arguments));
    let mut theirs = Watched::new(Server::oracle(&arguments));
    for seed in seed.map_or(SEEDS, |seed| seed..seed + 1) {
        theirs.client.run("RESET");
        theirs.client.ok("SET payload text");
        let payload = theirs.client.run("DUMP payload").bytes().to_vec();
        for watched in [&mut ours, &mut theirs] {
            watched.client.run("RESET");
            watched.after(&encode(&["FLUSHALL"]));
            watched.track();
        }
        converse(&mut ours, &mut theirs, Generator::new(seed, vec![payload, b"damaged".to_vec()]));
    }
    assert!(ours.server.connect().info_number("tracking_total_keys") > 0);
}

#[track_caller]
fn converse(ours: &mut Watched, theirs: &mut Watched, mut generator: Generator) {
    let (mut history, mut told) = (Vec::new(), [0, 0]);
    for round in 0..COMMANDS_PER_SEED {
        for command in generator.phrase() {
            let name = String::from_utf8_lossy(&command.arguments[0]).to_ascii_uppercase();
            if LEFT_OUT.iter().any(|(left_out, _)| *left_out == name) {
                continue;
            }
            let line = command.arguments.iter().map(|argument| format!("{:?}", show(argument)));
            history.push(line.collect::<Vec<_>>().join(" "));
            let request = encode(&command.arguments);
            let [ours, theirs] = [&mut *ours, &mut *theirs].map(|watched| {
                let messages = watched.after(&request);
                if name == "RESET" {
                    watched.track();
                }
                messages
            });
            (0..2).for_each(|kind| told[kind] += theirs[kind].len());
            let shown = &history[history.len().saturating_sub(HISTORY_SHOWN)..];
            assert!(
                ours == theirs,
                "command {round}:\n{}\nours: {ours:#?}\ntheirs: {theirs:#?}",
                shown.join("\n")
            );
        }
    }
    // Else there was too little to compare.
    assert!(told.iter().all(|told| *told > COMMANDS_PER_SEED / 30), "{told:?}");
}
