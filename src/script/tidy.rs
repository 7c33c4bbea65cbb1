//! Gives back what scripts have left in an interpreter, between two of them.

use super::engine::Engine;

/// Less is not worth the work.
const EXCESS_BYTES_MIN: usize = 64 << 10;

/// How far an interpreter is with its garbage.
#[derive(Debug, Default)]
pub struct Tidy {
    /// Bytes in use when it was tidy last.
    tidy_bytes: usize,
    /// Cycles of the collector still to be ended; what became garbage during the first one goes with the second.
    cycles: u32,
    /// Scripts have run since it was trimmed.
    has_run: bool,
}

impl Tidy {
    /// Of an interpreter that is new.
    pub fn of(engine: &Engine) -> Tidy {
        Tidy { tidy_bytes: engine.memory_bytes(), ..Tidy::default() }
    }

    /// A script was run.
    #[inline]
    pub fn note_run(&mut self) {
        self.has_run = true;
    }

    /// Collects when what is left has become as much as everything else, as long as there is time.
    pub fn go_on(&mut self, engine: &mut Engine, is_time_left: &mut dyn FnMut() -> bool) {
        if std::mem::take(&mut self.has_run) {
            engine.trim();
        }
        let excess = engine.memory_bytes().saturating_sub(self.tidy_bytes);
        if self.cycles == 0 && excess > self.tidy_bytes.max(EXCESS_BYTES_MIN) {
            self.cycles = 2;
        }
        while self.cycles > 0 {
            if engine.collect_part() {
                self.cycles -= 1;
                self.tidy_bytes = engine.memory_bytes();
            }
            if !is_time_left() {
                break;
            }
        }
    }
}
