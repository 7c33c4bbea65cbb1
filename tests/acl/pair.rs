//! Tintype and the oracle side by side: what is asked of both, and compared.

use crate::support::{Connection, Server, Value, arguments, encode};

/// Two servers that are told the same.
pub struct Pair {
    pub ours: Server,
    pub oracle: Server,
}

/// A connection to each.
pub struct Both {
    pub ours: Connection,
    pub oracle: Connection,
}

impl Pair {
    pub fn start() -> Pair {
        Pair { ours: Server::start(&[]), oracle: Server::oracle(&[]) }
    }

    pub fn connect(&self) -> Both {
        Both { ours: self.ours.connect(), oracle: self.oracle.connect() }
    }

    /// Connections of a user who needs no password.
    pub fn log_in(&self, user: &str) -> Both {
        let mut both = self.connect();
        both.same(&format!("AUTH {user} x"));
        both
    }
}

impl Both {
    /// Both answers, byte for byte.
    pub fn ask(&mut self, words: &[Vec<u8>]) -> [Vec<u8>; 2] {
        let request = encode(words);
        self.ours.send(&request);
        self.oracle.send(&request);
        [self.ours.bytes(), self.oracle.bytes()]
    }

    /// Both answers are the same; returns them.
    #[track_caller]
    pub fn same_words(&mut self, words: &[Vec<u8>]) -> String {
        let [ours, oracle] = self.ask(words);
        let shown: Vec<String> = words.iter().map(|word| word.escape_ascii().to_string()).collect();
        assert_eq!(
            ours.escape_ascii().to_string(),
            oracle.escape_ascii().to_string(),
            "ours, the oracle's: {}",
            shown.join(" ")
        );
        String::from_utf8_lossy(&ours).into_owned()
    }

    #[track_caller]
    pub fn same(&mut self, line: &str) -> String {
        self.same_words(&arguments(line))
    }

    /// Asks both and compares nothing.
    pub fn tell(&mut self, line: &str) -> [Value; 2] {
        [self.ours.run(line), self.oracle.run(line)]
    }

    /// Both connections have been closed, after having said the same.
    #[track_caller]
    pub fn are_closed(&mut self) {
        let (ours, oracle) = (self.ours.until_closed(), self.oracle.until_closed());
        assert_eq!(ours.escape_ascii().to_string(), oracle.escape_ascii().to_string());
    }
}
