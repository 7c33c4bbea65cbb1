//! Random conversations of all commands: after each, redis-server and Tintype have told the same of the same keys, those
//! that the client itself has read before, and those of a prefix.
//!
//! `TINTYPE_SEED=7 cargo test --test tracking random` plays one conversation again.

use crate::generator::Generator;
use crate::support::{Connection, Server, Value, encode, show};

const SEEDS: std::ops::Range<u64> = 1..9;
const COMMANDS_PER_SEED: usize = 1_500;
const HISTORY_SHOWN: usize = 30;

/// Commands after which newer releases tell more.
const INTENDED: &[(&str, &str)] = &[];

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

    #[track_caller]
    fn track(&mut self) {
        let number = self.told.run("CLIENT ID").integer();
        self.client.ok(&format!("CLIENT TRACKING ON REDIRECT {number}"));
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
            (bytes, Value::Push(_)) => found.push(show(&bytes)),
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
            let line = command.arguments.iter().map(|argument| format!("{:?}", show(argument)));
            history.push(line.collect::<Vec<_>>().join(" "));
            let request = encode(&command.arguments);
            let [ours, theirs] = [&mut *ours, &mut *theirs].map(|watched| watched.after(&request));
            (0..2).for_each(|kind| told[kind] += theirs[kind].len());
            let name = String::from_utf8_lossy(&command.arguments[0]).to_ascii_uppercase();
            if name == "RESET" {
                [&mut *ours, &mut *theirs].map(Watched::track);
            }
            let is_intended = INTENDED.iter().any(|(intended, _)| *intended == name);
            let shown = &history[history.len().saturating_sub(HISTORY_SHOWN)..];
            assert!(
                is_intended || ours == theirs,
                "command {round}:\n{}\nours: {ours:#?}\ntheirs: {theirs:#?}",
                shown.join("\n")
            );
        }
    }
    // Else there was too little to compare.
    assert!(told.iter().all(|told| *told > COMMANDS_PER_SEED / 30), "{told:?}");
}
