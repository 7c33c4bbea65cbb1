//! Small typed numbers.

/// A client: its number, as CLIENT ID answers it (unique for the life of the process, growing), and its place in the
/// table of clients, so that finding it takes no search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId {
    pub number: u64,
    pub slot: u32,
}

impl std::fmt::Display for ClientId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.number.fmt(f)
    }
}
