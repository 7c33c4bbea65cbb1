//! Libraries of functions, which clients call by name (FCALL) and which are saved with the dataset.
//!
//! ```text
//!   FUNCTION LOAD ─▶ code ─▶ compiled, run once (`load`) ─▶ redis.register_function ... (`register`)
//!                                                                  │
//!   FCALL name ─▶ set: names ─▶ library, function ─▶ callback ◀────┘
//! ```
//! All libraries share an interpreter of their own. It is made when the first one comes, and it goes with the last:
//! nothing in it outlives them. While a library is loaded it sees nothing but `redis`, and of that only what it needs
//! to register its functions; they see everything else when they run. What a library keeps is in its local variables.
//!
//! Invariants
//! 1. A set of libraries changes as a whole or not at all: what is new is compiled aside first.
//! 2. The name of a function is there once, however it is written (`f`, `F`), in whatever library.
//! 3. The code of a library is there as plain bytes: a save needs no interpreter.
//! 4. Whoever takes a library out of a set releases its callbacks, or the interpreter goes, too.
mod load;
pub(super) mod register;
mod set;
#[cfg(test)]
mod tests;

pub use load::Patience;
pub use register::{Registered, push_library};
pub use set::{Function, Library, Set};

use super::engine::Engine;
use super::lua::Garbage;
use super::tidy::Tidy;
use crate::spec::CommandError;

/// What becomes of a library that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It is an error.
    Refuse,
    Replace,
}

/// The libraries of the server.
#[derive(Default)]
pub struct Libraries {
    engine: Option<Engine>,
    set: Set,
    memory_limit_bytes: Option<usize>,
    tidy: Tidy,
}

/// Libraries that nobody needs any more, with their interpreter.
pub struct Flushed {
    pub libraries: u64,
    pub bytes: u64,
    #[expect(dead_code, reason = "it is only dropped")]
    garbage: Option<Garbage>,
    #[expect(dead_code, reason = "it is only dropped")]
    set: Set,
}

impl Libraries {
    /// A set of libraries with these codes alone, in an interpreter of its own.
    ///
    /// # Errors
    /// What is wrong with the first code that is no library, or that does not go with those before it.
    pub fn of_codes<'c>(
        codes: impl Iterator<Item = &'c [u8]>,
        patience: &Patience,
    ) -> Result<Libraries, CommandError> {
        let mut libraries = Libraries::default();
        libraries.add(codes, Existing::Refuse, patience)?;
        Ok(libraries)
    }

    /// FUNCTION LOAD: a library by its code. Returns its name.
    ///
    /// # Errors
    /// Why it is none, or why there cannot be one. Nothing has changed then.
    pub fn load(
        &mut self,
        code: &[u8],
        existing: Existing,
        patience: &Patience,
    ) -> Result<Box<[u8]>, CommandError> {
        let (name, lua) = super::flags::read_library(code)?;
        if existing == Existing::Refuse && self.set.get(&name).is_some() {
            return Err(set::library_is_there(&name));
        }
        let functions = load::functions_of(self.ready()?, lua, patience)?;
        let library = Library { name: name.clone(), code: code.into(), functions };
        if let Some(function) = self.set.clash(&library, |other| *other == *name) {
            let error = set::function_is_there(function);
            self.release(library);
            return Err(error);
        }
        if let Some(old) = self.set.remove(&name) {
            self.release(old);
        }
        self.set.insert(library);
        Ok(name)
    }

    /// FUNCTION RESTORE: the libraries of these codes beside those that are there.
    ///
    /// # Errors
    /// As `load`, of any of them. Nothing has changed then.
    pub fn add<'c>(
        &mut self,
        codes: impl Iterator<Item = &'c [u8]>,
        existing: Existing,
        patience: &Patience,
    ) -> Result<(), CommandError> {
        let mut fresh = Set::default();
        let compiled = self.compile_into(&mut fresh, codes, patience);
        if let Err(error) = compiled.and_then(|()| self.set.check_union(&fresh, existing)) {
            fresh.into_libraries().for_each(|library| self.release(library));
            return Err(error);
        }
        // All that goes before anything comes: a function may have moved from one library to another.
        let replaced: Vec<Library> =
            fresh.iter().filter_map(|library| self.set.remove(&library.name)).collect();
        replaced.into_iter().for_each(|library| self.release(library));
        fresh.into_libraries().for_each(|library| self.set.insert(library));
        Ok(())
    }

    fn compile_into<'c>(
        &mut self,
        fresh: &mut Set,
        codes: impl Iterator<Item = &'c [u8]>,
        patience: &Patience,
    ) -> Result<(), CommandError> {
        for code in codes {
            let (name, lua) = super::flags::read_library(code)?;
            if fresh.get(&name).is_some() {
                return Err(set::library_is_there(&name));
            }
            let functions = load::functions_of(self.ready()?, lua, patience)?;
            let library = Library { name, code: code.into(), functions };
            if let Some(function) = fresh.clash(&library, |_| false) {
                let error = set::function_is_there(function);
                self.release(library);
                return Err(error);
            }
            fresh.insert(library);
        }
        Ok(())
    }

    /// FUNCTION DELETE. Whether the library was there.
    pub fn delete(&mut self, name: &[u8]) -> bool {
        let Some(library) = self.set.remove(name) else { return false };
        self.release(library);
        true
    }

    /// FUNCTION FLUSH: forgets all libraries, with everything that they have left in the interpreter. What is returned
    /// may take long to drop.
    pub fn flush(&mut self) -> Flushed {
        let fresh = Libraries { memory_limit_bytes: self.memory_limit_bytes, ..Libraries::default() };
        self.replace(fresh)
    }

    /// Other libraries come in the place of these.
    pub fn replace(&mut self, fresh: Libraries) -> Flushed {
        assert!(!self.is_lent(), "no function is under way");
        let limit_bytes = self.memory_limit_bytes;
        let Libraries { engine, set, .. } = std::mem::replace(self, fresh);
        if let Some(limit_bytes) = limit_bytes {
            self.limit_memory(limit_bytes);
        }
        let bytes = engine.as_ref().map_or(0, Engine::memory_bytes) + set.heap_bytes();
        Flushed {
            libraries: set.len() as u64,
            bytes: bytes as u64,
            garbage: engine.map(Engine::into_garbage),
            set,
        }
    }

    fn release(&mut self, library: Library) {
        if let Some(engine) = &mut self.engine {
            library.functions.into_iter().for_each(|function| engine.release(function.callback));
        }
    }

    fn ready(&mut self) -> Result<&mut Engine, CommandError> {
        assert!(!self.is_lent(), "no function is under way");
        if self.engine.is_none() {
            let engine = Engine::for_functions().map_err(|_| CommandError::OutOfMemory)?;
            engine.limit_memory(self.memory_limit_bytes.unwrap_or(usize::MAX));
            self.tidy = Tidy::of(&engine);
            self.engine = Some(engine);
        }
        Ok(self.engine.as_mut().expect("it was made"))
    }

    /// The interpreter, for whoever lends it to a function that runs; nothing else happens here until it is back.
    #[inline]
    pub fn engine(&mut self) -> &mut Option<Engine> {
        &mut self.engine
    }

    /// A function was run.
    #[inline]
    pub fn note_run(&mut self) {
        self.tidy.note_run();
    }

    fn is_lent(&self) -> bool {
        self.engine.is_none() && !self.set.is_empty()
    }

    /// The function of a name, however that is written.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<&Function> {
        self.set.find(name)
    }

    /// By their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Library> {
        self.set.iter()
    }

    /// What is saved of them.
    pub fn codes(&self) -> Vec<&[u8]> {
        self.set.iter().map(|library| &*library.code).collect()
    }

    pub fn len(&self) -> usize {
        self.set.len()
    }

    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// How many functions there are.
    pub fn functions(&self) -> usize {
        self.set.functions()
    }

    /// Bytes that the libraries take here, without what the interpreter has made of them.
    pub fn heap_bytes(&self) -> usize {
        self.set.heap_bytes()
    }

    /// Bytes that the interpreter uses; 0 without libraries, and while a function runs.
    pub fn vm_bytes(&self) -> usize {
        self.engine.as_ref().map_or(0, Engine::memory_bytes)
    }

    /// Between two functions: gives back what they have left, as long as there is time.
    pub fn tidy_up(&mut self, is_time_left: &mut dyn FnMut() -> bool) {
        if let Some(engine) = &mut self.engine {
            self.tidy.go_on(engine, is_time_left);
        }
    }

    /// Bytes that the interpreter may use at most.
    pub fn limit_memory(&mut self, limit_bytes: usize) {
        self.memory_limit_bytes = Some(limit_bytes);
        if let Some(engine) = &self.engine {
            engine.limit_memory(limit_bytes);
        }
    }
}
