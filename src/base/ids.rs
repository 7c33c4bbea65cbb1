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

/// A user of the access control list: the place in the table of users and a number that guards against a place that was
/// given to somebody else. The default number is that of the user `default`, who is always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UserId {
    pub number: u64,
    pub slot: u32,
}
