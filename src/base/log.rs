//! The log, in the line format that everybody's scripts for Redis understand:
//!
//! ```text
//! 1234:M 23 Nov 2026 11:32:38.500 * Ready to accept connections
//! PID :role  local time, ms  level  message
//! ```
//! Roles: M primary, S replica, C forked child, X sentinel. Levels: `.` debug, `-` verbose, `*` notice, `#`
//! warning.
//!
//! The program logs with tracing's macros; `RedisFormat` is the layer that writes the lines:
//!
//! | tracing | Redis's level | character |
//! |---|---|---|
//! | `trace!` | debug | `.` |
//! | `debug!` | verbose | `-` |
//! | `info!` | notice | `*` |
//! | `warn!`, `error!` | warning | `#` |
//!
//! Invariants
//! 1. A line is one write, so lines of several processes do not mix.
//! 2. The log file is opened for each line: it may be moved away (logrotate) at any time.
//! 3. A log that cannot be written loses the line, never the server.
//! 4. `ChildLog` neither allocates nor locks once it is built; it is the only way the forked child speaks.
//!
//! Not here: syslog, spans and fields other than the message.

use std::fmt::{self, Write as _};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

use super::{clock, os};

/// The directive `loglevel`: the least severe lines that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Loglevel {
    Debug,
    Verbose,
    Notice,
    Warning,
    Nothing,
}

impl Loglevel {
    const ALL: [Loglevel; 5] =
        [Loglevel::Debug, Loglevel::Verbose, Loglevel::Notice, Loglevel::Warning, Loglevel::Nothing];

    fn of(level: &Level) -> Loglevel {
        match *level {
            Level::TRACE => Loglevel::Debug,
            Level::DEBUG => Loglevel::Verbose,
            Level::INFO => Loglevel::Notice,
            _ => Loglevel::Warning,
        }
    }

    fn filter(self) -> LevelFilter {
        match self {
            Loglevel::Debug => LevelFilter::TRACE,
            Loglevel::Verbose => LevelFilter::DEBUG,
            Loglevel::Notice => LevelFilter::INFO,
            Loglevel::Warning => LevelFilter::WARN,
            Loglevel::Nothing => LevelFilter::OFF,
        }
    }

    fn character(self) -> char {
        match self {
            Loglevel::Debug => '.',
            Loglevel::Verbose => '-',
            Loglevel::Notice => '*',
            Loglevel::Warning | Loglevel::Nothing => '#',
        }
    }
}

/// Who speaks; the character after the process id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Role {
    Primary = b'M',
    Replica = b'S',
    Child = b'C',
    Sentinel = b'X',
}

/// What the directives say about the log.
#[derive(Clone, Debug)]
pub struct Settings {
    /// None: standard output.
    pub file: Option<PathBuf>,
    pub level: Loglevel,
}

/// What can change while the server runs, shared by the layer and the setters below.
struct Shared {
    file: Option<PathBuf>,
    level: AtomicU8,
    role: AtomicU8,
    /// As of the last line.
    utc_offset_s: AtomicI64,
}

static INSTALLED: OnceLock<Arc<Shared>> = OnceLock::new();

/// Installs the log of this process; to be called once, at start. Redis starts as role C until it is ready to
/// serve; call `set_role` then.
///
/// # Errors
/// When the file cannot be opened for appending, or a log is installed already.
pub fn init(settings: Settings) -> io::Result<()> {
    let layer = RedisFormat::new(settings);
    layer.shared.open()?;
    let shared = layer.shared.clone();
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::set_global_default(subscriber).map_err(io::Error::other)?;
    let _ = INSTALLED.set(shared);
    Ok(())
}

/// CONFIG SET loglevel.
pub fn set_level(level: Loglevel) {
    if let Some(shared) = INSTALLED.get() {
        shared.level.store(level as u8, Ordering::Relaxed);
        tracing::callsite::rebuild_interest_cache();
    }
}

/// The character that the following lines carry.
pub fn set_role(role: Role) {
    if let Some(shared) = INSTALLED.get() {
        shared.role.store(role as u8, Ordering::Relaxed);
    }
}

/// Stands in the log for what clients have sent or chosen, when the directive `hide-user-data-from-log` says so.
pub const REDACTED: &str = "*redacted*";

static HIDES_USER_DATA: AtomicBool = AtomicBool::new(false);

/// The directive `hide-user-data-from-log`.
pub fn hide_user_data(hidden: bool) {
    HIDES_USER_DATA.store(hidden, Ordering::Relaxed);
}

/// Whether keys, arguments and names stay out of the log.
pub fn hides_user_data() -> bool {
    HIDES_USER_DATA.load(Ordering::Relaxed)
}

/// A key or another word of a client's as a line of the log shows it: escaped, or not at all.
pub fn user_data(bytes: &[u8]) -> UserData<'_> {
    UserData(bytes)
}

/// See `user_data`.
pub struct UserData<'a>(&'a [u8]);

impl fmt::Display for UserData<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if hides_user_data() { f.write_str(REDACTED) } else { write!(f, "{}", self.0.escape_ascii()) }
    }
}

/// Writes `text` as it is, without the usual head, at any level but `nothing` (the reports of a crash).
pub fn raw(text: &str) {
    if let Some(shared) = INSTALLED.get()
        && shared.level() < Loglevel::Nothing
    {
        shared.write(text.as_bytes());
    }
}

/// The log for the report of a crash: it takes no lock and, unless the log's path is very long, allocates nothing.
/// `None`: there is no log, or it cannot be opened.
pub fn crash_log() -> Option<CrashLog> {
    let shared = INSTALLED.get()?;
    if shared.level() == Loglevel::Nothing {
        return None;
    }
    let file = match &shared.file {
        Some(path) => Some(OpenOptions::new().append(true).create(true).open(path).ok()?.into()),
        None => None,
    };
    Some(CrashLog { file, bytes: [0; CRASH_BUFFER_BYTES], used: 0 })
}

const CRASH_BUFFER_BYTES: usize = 4096;

/// Text for the log, as it is; what is buffered is written when this is dropped.
pub struct CrashLog {
    /// `None`: standard output.
    file: Option<OwnedFd>,
    bytes: [u8; CRASH_BUFFER_BYTES],
    used: usize,
}

impl CrashLog {
    /// Begins a line as every line of the log begins, at the level warning.
    pub fn line_head(&mut self) {
        let Some(shared) = INSTALLED.get() else { return };
        let head = LineHead {
            pid: std::process::id(),
            role: shared.role.load(Ordering::Relaxed) as char,
            unix_us: clock::unix_us(),
            utc_offset_s: shared.utc_offset_s.load(Ordering::Relaxed),
            level: Loglevel::Warning,
        };
        let _ = write!(self, "{head}");
    }

    fn flush(&mut self) {
        let output = match &self.file {
            Some(file) => file.as_fd(),
            None => os::standard_output(),
        };
        let mut rest = &self.bytes[..self.used];
        while !rest.is_empty() {
            match nix::unistd::write(output, rest) {
                Ok(count) => rest = &rest[count..],
                Err(nix::errno::Errno::EINTR) => {}
                // There is nobody to tell.
                Err(_) => break,
            }
        }
        self.used = 0;
    }
}

impl fmt::Write for CrashLog {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            if self.used == CRASH_BUFFER_BYTES {
                self.flush();
            }
            let taken = rest.len().min(CRASH_BUFFER_BYTES - self.used);
            self.bytes[self.used..self.used + taken].copy_from_slice(&rest[..taken]);
            self.used += taken;
            rest = &rest[taken..];
        }
        Ok(())
    }
}

impl Drop for CrashLog {
    fn drop(&mut self) {
        self.flush();
    }
}

/// The log for a child that is about to be forked, going where the installed log goes (else to standard
/// output).
///
/// # Errors
/// When the file cannot be opened or no descriptor is left.
pub fn child_log() -> io::Result<ChildLog> {
    match INSTALLED.get() {
        Some(shared) => ChildLog::new(shared.open()?, shared.level()),
        None => ChildLog::new(io::stdout().as_fd().try_clone_to_owned()?, Loglevel::Notice),
    }
}

impl Shared {
    fn level(&self) -> Loglevel {
        Loglevel::ALL[usize::from(self.level.load(Ordering::Relaxed)).min(4)]
    }

    fn open(&self) -> io::Result<OwnedFd> {
        match &self.file {
            Some(path) => Ok(OpenOptions::new().append(true).create(true).open(path)?.into()),
            None => io::stdout().as_fd().try_clone_to_owned(),
        }
    }

    fn write(&self, line: &[u8]) {
        // A full disk or a closed pipe: there is nobody to tell.
        let _ = match &self.file {
            Some(_) => self.open().and_then(|fd| File::from(fd).write_all(line)),
            None => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(line).and_then(|()| stdout.flush())
            }
        };
    }
}

/// The layer that turns events into lines.
pub struct RedisFormat {
    shared: Arc<Shared>,
}

impl RedisFormat {
    pub fn new(settings: Settings) -> RedisFormat {
        let shared = Shared {
            file: settings.file,
            level: AtomicU8::new(settings.level as u8),
            role: AtomicU8::new(Role::Child as u8),
            utc_offset_s: AtomicI64::new(0),
        };
        RedisFormat { shared: Arc::new(shared) }
    }
}

impl<S: Subscriber> Layer<S> for RedisFormat {
    /// Never cached as always or never: the level may change.
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        Loglevel::of(metadata.level()) >= self.shared.level()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.shared.level().filter())
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let unix_us = clock::unix_us();
        let utc_offset_s = os::local_utc_offset_s(unix_us.div_euclid(1_000_000));
        self.shared.utc_offset_s.store(utc_offset_s, Ordering::Relaxed);
        let head = LineHead {
            pid: std::process::id(),
            role: self.shared.role.load(Ordering::Relaxed) as char,
            unix_us,
            utc_offset_s,
            level: Loglevel::of(event.metadata().level()),
        };
        let mut line = head.to_string();
        event.record(&mut MessageOf(&mut line));
        line.push('\n');
        self.shared.write(line.as_bytes());
    }
}

/// Appends the event's message, without its other fields.
struct MessageOf<'a>(&'a mut String);

impl Visit for MessageOf<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // Writing to a String cannot fail.
            let _ = write!(self.0, "{value:?}");
        }
    }
}

/// Everything before the message. Formatting it needs no allocation.
struct LineHead {
    pid: u32,
    role: char,
    unix_us: i64,
    utc_offset_s: i64,
    level: Loglevel,
}

impl fmt::Display for LineHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = LocalTime::new(self.unix_us, self.utc_offset_s);
        write!(f, "{}:{} {time} {} ", self.pid, self.role, self.level.character())
    }
}

/// A moment as `23 Nov 2026 11:32:38.500`.
struct LocalTime {
    unix_ms: i64,
}

impl LocalTime {
    fn new(unix_us: i64, utc_offset_s: i64) -> LocalTime {
        LocalTime { unix_ms: unix_us.div_euclid(1_000) + utc_offset_s * 1_000 }
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let (year, month, day) = civil_date(self.unix_ms.div_euclid(86_400_000));
        let in_day_ms = self.unix_ms.rem_euclid(86_400_000);
        let (hour, minute) = (in_day_ms / 3_600_000, in_day_ms / 60_000 % 60);
        let (second, ms) = (in_day_ms / 1_000 % 60, in_day_ms % 1_000);
        let month = MONTHS[month as usize - 1];
        write!(f, "{day:02} {month} {year} {hour:02}:{minute:02}:{second:02}.{ms:03}")
    }
}

/// Year, month (1..=12) and day (1..=31) of a day counted from 1970-01-01, in the Gregorian calendar.
///
/// Years are counted from March so that the leap day is the last of its year; 146,097 days make 400 years.
fn civil_date(unix_day: i64) -> (i64, i64, i64) {
    let day = unix_day + 719_468;
    let (era, day_of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day_of_year - (153 * march_month + 2) / 5 + 1)
}

/// Bytes of the longest line of a child; the rest of a longer message is cut off.
const CHILD_LINE_BYTES_MAX: usize = 1024;

/// The log of a forked child: built by the parent before the fork, used by the child without a lock or an
/// allocation.
pub struct ChildLog {
    output: OwnedFd,
    level: Loglevel,
    utc_offset_s: i64,
    line: FixedLine,
}

impl ChildLog {
    fn new(output: OwnedFd, level: Loglevel) -> io::Result<ChildLog> {
        let utc_offset_s = os::local_utc_offset_s(clock::unix_us().div_euclid(1_000_000));
        let line = FixedLine { bytes: Box::new([0; CHILD_LINE_BYTES_MAX]), used: 0 };
        Ok(ChildLog { output, level, utc_offset_s, line })
    }

    /// The descriptor that the child must not close.
    pub fn output(&self) -> BorrowedFd<'_> {
        self.output.as_fd()
    }

    /// Writes one line as role C. The arguments must format without allocating, as numbers and strings do.
    pub fn line(&mut self, level: Loglevel, message: fmt::Arguments<'_>) {
        if level < self.level || level == Loglevel::Nothing {
            return;
        }
        let (pid, unix_us, utc_offset_s) = (std::process::id(), clock::unix_us(), self.utc_offset_s);
        let head = LineHead { pid, role: 'C', unix_us, utc_offset_s, level };
        self.line.used = 0;
        // The line never refuses bytes; a Display that fails leaves what it had written.
        let _ = write!(self.line, "{head}{message}");
        self.line.end();
        let _ = nix::unistd::write(&self.output, &self.line.bytes[..self.line.used]);
    }
}

/// A line of bounded length; what does not fit is dropped.
struct FixedLine {
    bytes: Box<[u8; CHILD_LINE_BYTES_MAX]>,
    used: usize,
}

impl FixedLine {
    fn end(&mut self) {
        self.bytes[self.used] = b'\n';
        self.used += 1;
    }
}

impl fmt::Write for FixedLine {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // One byte is kept for the end of the line.
        let room = CHILD_LINE_BYTES_MAX - 1 - self.used;
        let kept = &text.as_bytes()[..text.len().min(room)];
        self.bytes[self.used..self.used + kept.len()].copy_from_slice(kept);
        self.used += kept.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::{debug, info, trace, warn};

    fn time_text(unix_us: i64, utc_offset_s: i64) -> String {
        LocalTime::new(unix_us, utc_offset_s).to_string()
    }

    #[test]
    fn dates_are_civil() {
        assert_eq!(time_text(0, 0), "01 Jan 1970 00:00:00.000");
        assert_eq!(time_text(1_709_164_800_000_000, 0), "29 Feb 2024 00:00:00.000");
        assert_eq!(time_text(1_795_433_558_497_999, 0), "23 Nov 2026 11:32:38.497");
        assert_eq!(time_text(1_795_433_558_497_999, 3_600 * 13), "24 Nov 2026 00:32:38.497");
        assert_eq!(time_text(-1_000, 0), "31 Dec 1969 23:59:59.999");
        assert_eq!(time_text(951_782_400_000_000, 0), "29 Feb 2000 00:00:00.000");
    }

    #[test]
    fn dates_go_on_day_by_day() {
        let mut expected = (1970, 1, 1);
        for day in 0..60_000 {
            assert_eq!(civil_date(day), expected, "day {day}");
            let (year, month, of_month) = expected;
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match month {
                2 => 28 + i64::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            expected = match (of_month == length, month == 12) {
                (false, _) => (year, month, of_month + 1),
                (true, false) => (year, month + 1, 1),
                (true, true) => (year + 1, 1, 1),
            };
        }
    }

    #[test]
    fn lines_have_the_form_of_redis_and_the_level_decides() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let layer = RedisFormat::new(Settings { file: Some(path.clone()), level: Loglevel::Verbose });
        let shared = layer.shared.clone();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            trace!("not this");
            debug!("verbose");
            shared.role.store(Role::Primary as u8, Ordering::Relaxed);
            info!(ignored = 3, "Ready to accept {}", "connections");
            shared.level.store(Loglevel::Warning as u8, Ordering::Relaxed);
            info!("nor this");
            // Moved away: the next line opens the path anew.
            std::fs::rename(&path, directory.path().join("log.1")).unwrap();
            warn!("hot");
        });
        let old = std::fs::read_to_string(directory.path().join("log.1")).unwrap();
        let lines: Vec<&str> = old.lines().collect();
        let pid = std::process::id();
        assert_eq!(lines.len(), 2, "{old}");
        assert!(lines[0].starts_with(&format!("{pid}:C ")) && lines[0].ends_with(" - verbose"), "{old}");
        assert!(lines[1].starts_with(&format!("{pid}:M ")), "{old}");
        assert!(lines[1].ends_with(" * Ready to accept connections"), "{old}");
        assert_eq!(lines[1].split(' ').nth(4).map(str::len), Some("11:32:38.500".len()));
        assert!(std::fs::read_to_string(&path).unwrap().ends_with(" # hot\n"));
    }

    #[test]
    fn the_log_of_a_child_is_bounded_and_obeys_the_level() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut log = ChildLog::new(file.reopen().unwrap().into(), Loglevel::Notice).unwrap();
        log.line(Loglevel::Verbose, format_args!("too quiet"));
        log.line(Loglevel::Notice, format_args!("DB saved on {}", "disk"));
        log.line(Loglevel::Warning, format_args!("{}", "x".repeat(5_000)));
        let mut text = String::new();
        io::Read::read_to_string(&mut file, &mut text).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].contains(":C ") && lines[0].ends_with(" * DB saved on disk"), "{text}");
        assert_eq!((lines.len(), lines[1].len() + 1), (2, CHILD_LINE_BYTES_MAX));
    }

    #[test]
    fn levels_are_ordered_as_stored() {
        for (index, level) in Loglevel::ALL.into_iter().enumerate() {
            assert_eq!(level as usize, index);
        }
        assert!(Loglevel::Warning < Loglevel::Nothing);
    }
}
