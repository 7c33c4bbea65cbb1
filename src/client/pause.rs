//! CLIENT PAUSE: whose commands wait, and until when.

/// Which commands wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PauseKind {
    Writes,
    All,
}

/// The pause in force.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pause {
    current: Option<(PauseKind, i64)>,
}

impl Pause {
    /// Pauses until `until_ms` (Unix time). A pause in force is never shortened nor weakened.
    pub fn start(&mut self, kind: PauseKind, until_ms: i64, now_ms: i64) {
        self.current = Some(match self.in_force(now_ms) {
            Some((old_kind, old_until_ms)) => (kind.max(old_kind), until_ms.max(old_until_ms)),
            None => (kind, until_ms),
        });
    }

    pub fn end(&mut self) {
        self.current = None;
    }

    /// The pause at `now_ms` with its end.
    pub fn in_force(&self, now_ms: i64) -> Option<(PauseKind, i64)> {
        self.current.filter(|(_, until_ms)| *until_ms > now_ms)
    }
}
