//! What the server keeps for scripts.

use super::cache::{self, Cache, Digest, Keep, Source};
use super::engine::Engine;
use super::flags::read_script;
use super::functions::Libraries;
use super::lua::Garbage;
use super::run::RunKind;
use super::tidy::Tidy;
use crate::spec::CommandError;

/// The name under which EVAL's scripts are compiled.
const CHUNK: &str = "@user_script";

pub struct Scripts {
    /// Runs EVAL's scripts; made when the first one comes, and away while one runs.
    pub engine: Option<Engine>,
    pub cache: Cache,
    /// Functions, with an interpreter of their own.
    pub libraries: Libraries,
    /// Scripts that others have pushed out of the cache.
    pub evicted: u64,
    memory_limit_bytes: usize,
    tidy: Tidy,
}

impl Default for Scripts {
    fn default() -> Self {
        Scripts {
            engine: None,
            cache: Cache::default(),
            libraries: Libraries::default(),
            evicted: 0,
            memory_limit_bytes: usize::MAX,
            tidy: Tidy::default(),
        }
    }
}

/// The figures of INFO; memory in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Of the interpreter of EVAL's scripts, and of that of functions.
    pub vm_eval: u64,
    pub vm_functions: u64,
    /// Beside the interpreters.
    pub scripts_eval: u64,
    pub functions: u64,
    pub cached_scripts: u64,
    pub function_count: u64,
    pub library_count: u64,
}

impl Figures {
    pub fn vm_total(&self) -> u64 {
        self.vm_eval + self.vm_functions
    }

    pub fn scripts_total(&self) -> u64 {
        self.scripts_eval + self.functions
    }
}

/// A cache that nobody needs any more, with its interpreter.
pub struct Flushed {
    pub scripts: u64,
    pub bytes: u64,
    #[expect(dead_code, reason = "it is only dropped")]
    garbage: Option<Garbage>,
    #[expect(dead_code, reason = "it is only dropped")]
    cache: Cache,
}

impl Scripts {
    /// The script of a body; it is compiled when it is new.
    ///
    /// # Errors
    /// Its first line, or Lua's text.
    pub fn load(&mut self, body: &[u8], keep: Keep) -> Result<Digest, CommandError> {
        let found = self.cache.find_body(body);
        let digest = found.unwrap_or_else(|| cache::digest(body));
        if found.is_none() && self.cache.get(&digest).is_none() {
            self.compile(body, digest, keep)?;
        } else if keep == Keep::Always {
            self.cache.keep_always(&digest);
        }
        Ok(digest)
    }

    fn compile(&mut self, body: &[u8], digest: Digest, keep: Keep) -> Result<(), CommandError> {
        let (flags, code) = read_script(body)?;
        let engine = self.ready()?;
        let function = engine.compile(CHUNK, code).map_err(|text| {
            CommandError::quoting("ERR Error compiling script (new function): ", &text, "")
        })?;
        let pushed_out = self.cache.insert(digest, Source { body, function, flags }, keep);
        if let (Some(script), Some(engine)) = (pushed_out, &mut self.engine) {
            engine.release(script.function);
            self.evicted += 1;
        }
        Ok(())
    }

    /// The interpreter, made when it is needed first.
    fn ready(&mut self) -> Result<&mut Engine, CommandError> {
        if self.engine.is_none() {
            let engine = Engine::new().map_err(|_| CommandError::OutOfMemory)?;
            engine.limit_memory(self.memory_limit_bytes);
            self.tidy = Tidy::of(&engine);
            self.engine = Some(engine);
        }
        Ok(self.engine.as_mut().expect("it was made"))
    }

    /// Bytes that an interpreter may use at most.
    pub fn limit_memory(&mut self, limit_bytes: usize) {
        self.memory_limit_bytes = limit_bytes;
        self.libraries.limit_memory(limit_bytes);
        if let Some(engine) = &self.engine {
            engine.limit_memory(limit_bytes);
        }
    }

    /// Bytes that the interpreter uses; 0 before the first script and while one runs.
    pub fn vm_bytes(&self) -> usize {
        self.engine.as_ref().map_or(0, Engine::memory_bytes)
    }

    /// What all of it takes.
    pub fn figures(&self) -> Figures {
        Figures {
            vm_eval: self.vm_bytes() as u64,
            scripts_eval: self.cache.heap_bytes() as u64,
            cached_scripts: self.cache.len() as u64,
            vm_functions: self.libraries.vm_bytes() as u64,
            functions: self.libraries.heap_bytes() as u64,
            function_count: self.libraries.functions() as u64,
            library_count: self.libraries.len() as u64,
        }
    }

    /// Forgets every script, and the interpreter with all that scripts have left in it. What is returned may take long
    /// to drop.
    pub fn flush(&mut self) -> Flushed {
        let cache = std::mem::take(&mut self.cache);
        let bytes = (self.vm_bytes() + cache.heap_bytes()) as u64;
        let garbage = self.engine.take().map(Engine::into_garbage);
        Flushed { scripts: cache.len() as u64, bytes, garbage, cache }
    }

    /// A script was run, or a function.
    #[inline]
    pub fn note_run(&mut self, kind: RunKind) {
        match kind {
            RunKind::Script => self.tidy.note_run(),
            RunKind::Function => self.libraries.note_run(),
        }
    }

    /// Between two scripts: gives back what they have left, when that has become as much as everything else, as long as
    /// there is time.
    pub fn tidy_up(&mut self, mut is_time_left: impl FnMut() -> bool) {
        if let Some(engine) = &mut self.engine {
            self.tidy.go_on(engine, &mut is_time_left);
        }
        self.libraries.tidy_up(&mut is_time_left);
    }
}
