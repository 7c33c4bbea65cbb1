//! The kinds of clients that LIST and KILL tell apart.

use crate::client::{Client, ClientKind};
use crate::spec::CommandError;
use crate::spec::args::is_word;

/// The value of a TYPE option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Monitors as well.
    Normal,
    /// The link to a primary, and replicas: there are none yet.
    Master,
    Replica,
    Pubsub,
}

impl Kind {
    pub(super) fn read(word: &[u8]) -> Result<Kind, CommandError> {
        const WORDS: [(&str, Kind); 6] = [
            ("NORMAL", Kind::Normal),
            ("SLAVE", Kind::Replica),
            ("REPLICA", Kind::Replica),
            ("PUBSUB", Kind::Pubsub),
            ("MASTER", Kind::Master),
            // As Valkey calls it.
            ("PRIMARY", Kind::Master),
        ];
        let found = WORDS.iter().find(|(known, _)| is_word(word, known));
        let kind = found.map(|(_, kind)| *kind);
        kind.ok_or_else(|| CommandError::quoting("ERR Unknown client type '", word, "'"))
    }

    pub(super) fn fits(self, client: &Client) -> bool {
        match client.kind() {
            ClientKind::Normal => self == Kind::Normal,
            ClientKind::Pubsub => self == Kind::Pubsub,
        }
    }
}
