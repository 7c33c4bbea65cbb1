//! The configuration at start: the file, what it includes, standard input and the command line, in this
//! order.
//!
//! ```text
//!   tintype [FILE] [--directive value ...]... [-]
//!
//!   # comment, also after blanks          include PATH-or-pattern   (read in its place)
//!   name word "quoted\x20word" 'word'     every word may be quoted; a name in any case
//! ```
//!
//! 1. A later mention of a directive replaces an earlier one, whatever the source. `save` and
//!    `client-output-buffer-limit` add up; the first `save` of all replaces the default rules.
//! 2. On the command line the argument after a lone `--name` is its value whatever it looks like; a lone
//!    `--save` means `save ""`; an argument may hold name and value (`"--port 6380"`). `-` is standard input
//!    as the last argument only.
//! 3. Whether a promise is kept is judged at the end: `--appendonly no` rescues a file with `appendonly yes`.
//!
//! All as redis-server 7.0.15 does it, except that an error also names the file, that includes nested without
//! end are an error and not a crash, and that a directive may name what this server does not do yet.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::Config;
use super::directives::{Class, Directive, PROMISE_TEXT, all, find};
use crate::base::glob::{self, Case};
use crate::base::quote::{quote, split_line};

/// How deep files may include each other.
const INCLUDE_DEPTH_MAX: usize = 16;

/// What a load reads; a test gives its own.
pub trait Files {
    fn read(&mut self, path: &Path) -> io::Result<Vec<u8>>;
    fn read_standard_input(&mut self) -> io::Result<Vec<u8>>;
    /// The names in a directory; for an include pattern an error counts as none.
    fn list(&mut self, directory: &Path) -> io::Result<Vec<PathBuf>>;
    /// `Ok` when the path is a directory.
    fn check_directory(&mut self, path: &Path) -> io::Result<()>;
    fn absolute(&mut self, path: &Path) -> PathBuf;
}

/// The files of this machine.
pub struct SystemFiles;

impl Files for SystemFiles {
    fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn read_standard_input(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn list(&mut self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        std::fs::read_dir(directory)?.map(|entry| Ok(PathBuf::from(entry?.file_name()))).collect()
    }

    fn check_directory(&mut self, path: &Path) -> io::Result<()> {
        let is_directory = std::fs::metadata(path)?.is_dir();
        if is_directory { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::ENOTDIR)) }
    }

    fn absolute(&mut self, path: &Path) -> PathBuf {
        std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
    }
}

/// What a start found.
#[derive(Debug)]
pub struct LoadedConfig {
    pub config: Config,
    /// In the order of their lines.
    pub users: Vec<DeclaredUser>,
    /// The absolute path of the file of the command line, which CONFIG REWRITE rewrites.
    pub file: Option<PathBuf>,
    /// For the log, once it is open: directives that were set and have no effect.
    pub warnings: Vec<String>,
    /// In their order, for whoever knows the commands: `rename-command`.
    pub renames: Vec<Rename>,
}

/// One line `rename-command OLD NEW`. What is wrong with it only the table of commands knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    pub old: Vec<u8>,
    /// Empty: nobody can call the command any more.
    pub new: Vec<u8>,
    place: Place,
    text: String,
}

impl Rename {
    /// The line as what stops the start.
    pub fn refused(&self, reason: &str) -> ConfigError {
        ConfigError::Line { place: self.place.clone(), text: self.text.clone(), reason: reason.into() }
    }
}

/// A line `user NAME RULE...`. Whether the rules can be meant is for the room `acl` to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredUser {
    pub name: Vec<u8>,
    pub rules: Vec<Vec<u8>>,
    pub place: Place,
    /// The line.
    pub text: String,
}

/// Where a line stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    File { path: PathBuf, line: usize },
    StandardInput { line: usize },
    CommandLine,
}

/// Why the start stops. Displays as the lines for standard error.
#[derive(Debug)]
pub enum ConfigError {
    CannotOpen { path: PathBuf, error: io::Error },
    Line { place: Place, text: String, reason: String },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, text, reason) = match self {
            ConfigError::CannotOpen { path, error } => {
                let reason = reason_of(error);
                return write!(f, "Fatal error, can't open config file '{}': {reason}", path.display());
            }
            ConfigError::Line { place, text, reason } => (place, text, reason),
        };
        writeln!(f, "\n*** FATAL CONFIG FILE ERROR (Tintype {}) ***", env!("CARGO_PKG_VERSION"))?;
        match place {
            Place::File { path, line } => {
                writeln!(f, "Reading the configuration file, at line {line} of {}", path.display())?;
            }
            Place::StandardInput { line } => {
                writeln!(f, "Reading the configuration file, at line {line} of standard input")?;
            }
            Place::CommandLine => writeln!(f, "Reading the command line")?,
        }
        write!(f, ">>> '{text}'\n{reason}")
    }
}

impl std::error::Error for ConfigError {}

/// The operating system's words, without Rust's addition of the number.
fn reason_of(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(code) => nix::errno::Errno::from_raw(code).desc().to_string(),
        None => error.to_string(),
    }
}

/// The configuration that the arguments after the program's name ask for.
pub fn load(arguments: &[Vec<u8>], files: &mut dyn Files) -> Result<LoadedConfig, ConfigError> {
    let command_line = read_arguments(arguments);
    let mut loader = Loader::new(files);
    let mut file = None;
    if let Some(path) = command_line.file {
        let path = loader.files.absolute(&path);
        loader.read_file(&path, 0)?;
        file = Some(path);
    }
    if command_line.standard_input {
        loader.read_standard_input()?;
    }
    for line in &command_line.lines {
        loader.read_line(line, &Place::CommandLine, 0)?;
    }
    loader.finish(file)
}

struct CommandLine {
    file: Option<PathBuf>,
    standard_input: bool,
    /// As lines of a file.
    lines: Vec<Vec<u8>>,
}

fn read_arguments(mut arguments: &[Vec<u8>]) -> CommandLine {
    let mut command_line = CommandLine { file: None, standard_input: false, lines: Vec::new() };
    if let Some((first, rest)) = arguments.split_first()
        && !first.starts_with(b"-")
    {
        command_line.file = Some(path_of(first));
        arguments = rest;
    }
    let mut name_without_value = false;
    while let Some((argument, rest)) = arguments.split_first() {
        arguments = rest;
        // The first or the last argument; elsewhere it is a value.
        let is_first = command_line.file.is_none() && command_line.lines.is_empty();
        if argument == b"-" && (rest.is_empty() || is_first) {
            command_line.standard_input = true;
        } else if let (Some(line), false) = (argument.strip_prefix(b"--"), name_without_value) {
            name_without_value = !line.trim_ascii().contains(&b' ');
            command_line.lines.push(line.to_vec());
            let value_is_missing = rest.first().is_none_or(|next| next.starts_with(b"--"));
            if name_without_value && value_is_missing && line.eq_ignore_ascii_case(b"save") {
                command_line.add_word(b"");
                name_without_value = false;
            }
        } else {
            command_line.add_word(argument);
            name_without_value = false;
        }
    }
    command_line
}

impl CommandLine {
    fn add_word(&mut self, word: &[u8]) {
        let quoted = quote(word);
        match self.lines.last_mut() {
            Some(line) => {
                line.push(b' ');
                line.extend_from_slice(quoted.as_bytes());
            }
            None => self.lines.push(quoted.into_bytes()),
        }
    }
}

struct Loader<'a> {
    files: &'a mut dyn Files,
    config: Config,
    warnings: Vec<String>,
    mentioned: BTreeSet<&'static str>,
    /// Where each promise was last made: place and line.
    promises: BTreeMap<&'static str, (Place, String)>,
    users: Vec<DeclaredUser>,
    renames: Vec<Rename>,
}

impl<'a> Loader<'a> {
    fn new(files: &'a mut dyn Files) -> Self {
        Loader {
            files,
            config: Config::default(),
            warnings: Vec::new(),
            mentioned: BTreeSet::new(),
            promises: BTreeMap::new(),
            users: Vec::new(),
            renames: Vec::new(),
        }
    }

    fn read_file(&mut self, path: &Path, depth: usize) -> Result<(), ConfigError> {
        let opened = self.files.read(path);
        let bytes = opened.map_err(|error| ConfigError::CannotOpen { path: path.to_path_buf(), error })?;
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            self.read_line(line, &Place::File { path: path.to_path_buf(), line: index + 1 }, depth)?;
        }
        Ok(())
    }

    fn read_standard_input(&mut self) -> Result<(), ConfigError> {
        let read = self.files.read_standard_input();
        let bytes = read.map_err(|error| ConfigError::CannotOpen { path: "standard input".into(), error })?;
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            self.read_line(line, &Place::StandardInput { line: index + 1 }, 0)?;
        }
        Ok(())
    }

    fn read_line(&mut self, line: &[u8], place: &Place, depth: usize) -> Result<(), ConfigError> {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            return Ok(());
        }
        let text = String::from_utf8_lossy(line).into_owned();
        let wrong = |reason: String| ConfigError::Line { place: place.clone(), text: text.clone(), reason };
        let argv = split_line(line).map_err(|_| wrong("Unbalanced quotes in configuration line".into()))?;
        let words: Vec<&[u8]> = argv.args().iter().collect();
        let Some((name, words)) = words.split_first() else { return Ok(()) };
        if name.eq_ignore_ascii_case(b"include") {
            return match words {
                [pattern] if depth < INCLUDE_DEPTH_MAX => self.include(pattern, depth + 1),
                [_] => Err(wrong("files include each other too deeply".into())),
                _ => Err(wrong(BAD_DIRECTIVE.into())),
            };
        }
        if name.eq_ignore_ascii_case(b"user") {
            let (name, rules) = words.split_first().ok_or_else(|| wrong(BAD_DIRECTIVE.into()))?;
            let rules = rules.iter().map(|rule| rule.to_vec()).collect();
            self.users.push(DeclaredUser { name: name.to_vec(), rules, place: place.clone(), text });
            return Ok(());
        }
        let directive = find(name).ok_or_else(|| wrong(BAD_DIRECTIVE.into()))?;
        if directive.name == "rename-command" {
            let [old, new] = words else { return Err(wrong(BAD_DIRECTIVE.into())) };
            self.renames.push(Rename { old: old.to_vec(), new: new.to_vec(), place: place.clone(), text });
            return Ok(());
        }
        self.read_directive(directive, words).map_err(wrong)?;
        if directive.class == Class::Promise {
            self.promises.insert(directive.name, (place.clone(), text.clone()));
        }
        Ok(())
    }

    fn read_directive(&mut self, directive: &'static Directive, words: &[&[u8]]) -> Result<(), String> {
        match directive.name {
            "sentinel" => return Err("sentinel directive while not in sentinel mode".into()),
            "loadmodule" if words.is_empty() => return Err(BAD_DIRECTIVE.into()),
            _ => {}
        }
        if self.mentioned.insert(directive.name) {
            directive.restart(&mut self.config);
        }
        directive.read_line(&mut self.config, words)?;
        if directive.name == "dir" {
            let checked = self.files.check_directory(&self.config.dir);
            checked.map_err(|error| reason_of(&error))?;
        }
        Ok(())
    }

    fn include(&mut self, pattern: &[u8], depth: usize) -> Result<(), ConfigError> {
        let path = self.in_directory(&path_of(pattern));
        if !pattern.iter().any(|byte| b"*?[".contains(byte)) {
            return self.read_file(&path, depth);
        }
        for path in expand(self.files, &path) {
            self.read_file(&path, depth)?;
        }
        Ok(())
    }

    /// Each `dir` line changes into it for the lines that follow.
    fn in_directory(&self, path: &Path) -> PathBuf {
        if self.config.dir == Path::new(".") { path.to_path_buf() } else { self.config.dir.join(path) }
    }

    fn finish(mut self, file: Option<PathBuf>) -> Result<LoadedConfig, ConfigError> {
        for directive in all().filter(|directive| self.config.inert.contains_key(directive.name)) {
            match directive.class {
                Class::Promise => return Err(self.broken_promise(directive)),
                Class::Inert | Class::Implemented => self.warnings.push(no_effect(directive, &self.config)),
            }
        }
        let (users, renames) = (self.users, self.renames);
        Ok(LoadedConfig { config: self.config, users, file, warnings: self.warnings, renames })
    }

    fn broken_promise(&self, directive: &Directive) -> ConfigError {
        let (place, text) = self
            .promises
            .get(directive.name)
            .cloned()
            .expect("a value other than the default was read from a line, which noted its place");
        let reason =
            format!("'{}' is {PROMISE_TEXT}: change or remove the line to start without it", directive.name);
        ConfigError::Line { place, text, reason }
    }
}

const BAD_DIRECTIVE: &str = "Bad directive or wrong number of arguments";

fn no_effect(directive: &Directive, config: &Config) -> String {
    let value = String::from_utf8_lossy(&directive.text(config)).into_owned();
    let name = directive.name;
    let setting = if directive.sensitive { name.to_string() } else { format!("{name} {value}") };
    format!("The directive '{setting}' is accepted but has no effect: {PROMISE_TEXT}")
}

fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

/// The existing paths that a pattern stands for, sorted. `*` does not match a leading dot, as in a shell.
fn expand(files: &mut dyn Files, pattern: &Path) -> Vec<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let part = part.as_os_str();
        if !part.as_bytes().iter().any(|byte| b"*?[".contains(byte)) {
            found.iter_mut().for_each(|path| path.push(part));
            continue;
        }
        found = found
            .iter()
            .flat_map(|path| {
                let directory = if path.as_os_str().is_empty() { Path::new(".") } else { path };
                let mut names = files.list(directory).unwrap_or_default();
                names.sort();
                names.retain(|name| {
                    let name = name.as_os_str().as_bytes();
                    let hidden = name.starts_with(b".") && !part.as_bytes().starts_with(b".");
                    !hidden && glob::matches(part.as_bytes(), name, Case::Sensitive)
                });
                names.into_iter().map(|name| path.join(name)).collect::<Vec<_>>()
            })
            .collect();
    }
    found
}
