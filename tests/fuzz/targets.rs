//! What bytes from outside are fed to: each target takes any bytes, and panics when something is wrong.
//!
//! | target | bytes are |
//! |---|---|
//! | `listpack` | a listpack |
//! | `intset` | an intset |
//! | `restore` | a type and a value, as RESTORE gets them; version and checksum are added |
//! | `rdb` | a file |
//! | `commands` | commands, one a line (`commands.rs`) |
//! | `protocol` | the size of the pieces they arrive in, then what a client sends |
//! | `config` | a configuration file |
//! | `acl` | a file of users |
//!
//! What is accepted must be whole: it is written, read again, and must be the same; and every command must get along
//! with it.

mod commands;
mod replies;
mod session;

use self::session::{Session, entry_of};
use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};

use tintype::acl::{NewChannels, Surroundings, User, Users};
use tintype::base::argv::Argv;
use tintype::base::crc::Crc64Redis;
use tintype::base::quote::{quote, split_line};
use tintype::config::{change, file, rewrite};
use tintype::encoding::intset::Intset;
use tintype::encoding::listpack::Listpack;
use tintype::exec::inbox::Search;
use tintype::exec::{Inbox, command_table};
use tintype::object::Depth;
use tintype::rdb::reader::{Reader, ReaderOptions, Record, Value};
use tintype::resp::{Limits, ProtocolError, Trust};

/// A target by its name.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: &[Target] = &[
    ("listpack", listpack),
    ("intset", intset),
    ("restore", restore),
    ("rdb", rdb),
    ("commands", commands::run),
    ("protocol", protocol),
    ("config", config),
    ("acl", acl),
];

fn listpack(bytes: &[u8]) {
    let Ok(listpack) = Listpack::check(bytes) else { return };
    let forth: Vec<Vec<u8>> = listpack.iter().map(|element| element.to_vec()).collect();
    let mut back: Vec<Vec<u8>> = listpack.iter().rev().map(|element| element.to_vec()).collect();
    back.reverse();
    assert_eq!(forth, back);
    assert_eq!(forth.len(), listpack.len());
}

fn intset(bytes: &[u8]) {
    let Ok(intset) = Intset::check(bytes) else { return };
    let values: Vec<i64> = intset.iter().collect();
    assert!(values.is_sorted_by(|first, second| first < second));
    assert_eq!(values.len(), intset.len());
    assert!(values.iter().all(|value| intset.contains(*value)));
}

thread_local! {
    static SESSION: RefCell<Session> = RefCell::new(Session::new());
}

/// Runs on the session as it was at first.
fn with_session(run: impl FnOnce(&mut Session)) {
    SESSION.with_borrow_mut(|session| {
        session.begin();
        run(session);
    });
}

/// Runs what must not allocate more than a multiple of the bytes that have come. (What is compressed may be a hundred
/// times as long, and is built in several steps.)
fn with_memory_for<R>(bytes: &[u8], run: impl FnOnce() -> R) -> R {
    const FREE_BYTES: u64 = 4 << 20;
    const BYTES_EACH: u64 = 2000;
    let allocated = tikv_jemalloc_ctl::thread::allocatedp::read().expect("jemalloc counts");
    let before = allocated.get();
    let result = run();
    let bytes_max = FREE_BYTES + bytes.len() as u64 * BYTES_EACH;
    assert!(allocated.get() - before <= bytes_max, "{} bytes allocated", allocated.get() - before);
    result
}

fn restore(bytes: &[u8]) {
    const VERSION: u16 = 12;
    let mut payload = bytes.to_vec();
    payload.extend_from_slice(&VERSION.to_le_bytes());
    payload.extend_from_slice(&Crc64Redis::of(&payload).to_le_bytes());
    with_session(|session| {
        let reply = with_memory_for(bytes, || session.run(&[b"RESTORE", b"key", b"0", &payload]));
        if reply == b"+OK\r\n" {
            session.check_everything();
            session.use_every_key();
        }
    });
}

fn rdb(bytes: &[u8]) {
    // Deep, as `check-rdb` does it, and as a start loads it.
    with_memory_for(bytes, || tintype::rdb::check(bytes, 0, &mut |_| {}));
    with_session(|session| {
        with_memory_for(bytes, || load(session, bytes, Depth::Deep));
        session.check_everything();
    });
    with_session(|session| {
        with_memory_for(bytes, || load(session, bytes, Depth::Structure));
        session.use_every_key();
    });
}

/// Loads what can be read of a file, of no more keys than a moment allows.
fn load(session: &mut Session, bytes: &[u8], depth: Depth) {
    const KEYS_MAX: usize = 64;
    let rules = session.rules();
    let options = ReaderOptions { depth, ..ReaderOptions::default() };
    let Ok(mut reader) = Reader::new(bytes, options) else { return };
    let mut db = 0;
    for _ in 0..KEYS_MAX {
        let key = match reader.next_record(&rules) {
            Err(_) | Ok(Record::End { .. }) => return,
            Ok(Record::SelectDb(index)) => {
                db = index as usize % session.databases();
                continue;
            }
            Ok(Record::Key(key)) => key,
            Ok(_) => continue,
        };
        if !matches!(key.value, Value::Empty | Value::Expired) {
            session.load(db, entry_of(key.key, key.value, key.expire_at_ms));
        }
    }
}

/// However the bytes are cut, the same requests are found in them; and all of them get along with it.
fn protocol(bytes: &[u8]) {
    let Some((&piece_bytes, bytes)) = bytes.split_first() else { return };
    for trust in [Trust::Authenticated, Trust::Unauthenticated] {
        let limits = Limits { proto_max_bulk_bytes: 1 << 20, trust };
        let (requests, error) = requests(bytes, bytes.len().max(1), &limits);
        let piece_bytes = usize::from(piece_bytes).max(1);
        let (again, error_again) = self::requests(bytes, piece_bytes, &limits);
        let words = |argv: &Argv| argv.args().iter().map(<[u8]>::to_vec).collect::<Vec<_>>();
        assert!(requests.iter().map(words).eq(again.iter().map(words)), "other requests in pieces");
        assert_eq!(error, error_again);
        if requests.iter().all(|argv| commands::is_harmless(argv.args())) && trust == Trust::Authenticated {
            with_session(|session| {
                session.receive(bytes.chunks(piece_bytes));
                session.check_everything();
            });
        }
    }
}

/// The requests in bytes that arrive in pieces of this size, and what is wrong with what follows them.
fn requests(bytes: &[u8], piece_bytes: usize, limits: &Limits) -> (Vec<Argv>, Option<ProtocolError>) {
    const BATCH: usize = 3;
    let mut inbox = Inbox::default();
    let mut requests = Vec::new();
    for piece in bytes.chunks(piece_bytes) {
        inbox.push(piece);
        loop {
            match inbox.search(limits, BATCH) {
                Search::Some => {}
                Search::Exhausted => break,
                Search::Broken(error) => return (requests, Some(error)),
            }
            while let Some(request) = inbox.peek(0) {
                requests.push(request.args.to_owned());
                inbox.advance();
            }
        }
    }
    (requests, None)
}

/// What is read can be rewritten, and says the same then.
fn config(bytes: &[u8]) {
    for line in bytes.split(|byte| *byte == b'\n') {
        let Ok(argv) = split_line(line) else { continue };
        let quoted: Vec<String> = argv.args().iter().map(quote).collect();
        let again = split_line(quoted.join(" ").as_bytes()).expect("quoted words");
        assert_eq!(argv.args().iter().collect::<Vec<_>>(), again.args().iter().collect::<Vec<_>>());
    }
    let arguments = [b"tintype.conf".to_vec()];
    let loaded = match file::load(&arguments, &mut Files { main: bytes }) {
        Ok(loaded) => loaded,
        Err(error) => return drop(error.to_string()),
    };
    let rewritten = rewrite::rewrite(&loaded.config, &[], bytes);
    let again = file::load(&arguments, &mut Files { main: &rewritten });
    let again = again.unwrap_or_else(|error| panic!("{error}\n{}", rewritten.escape_ascii()));
    let values = [&loaded.config, &again.config].map(|config| change::get(config, &[b"*"]));
    for (before, after) in values[0].iter().zip(&values[1]) {
        assert_eq!(before, after, "{}", rewritten.escape_ascii());
    }
    assert_eq!(rewrite::rewrite(&again.config, &[], &rewritten), rewritten, "rewriting has an end");
}

/// Users that are read can be written, and are the same then, be it by a file or by rules one by one.
fn acl(bytes: &[u8]) {
    let catalog = command_table().catalog();
    let surroundings = Surroundings { catalog: &catalog, new_channels: NewChannels::None };
    for line in bytes.split(|byte| *byte == b'\n') {
        let mut user = User::new(b"u", NewChannels::None);
        for rule in line.split(|byte| *byte == b' ') {
            let before = user.words(&catalog);
            if user.apply(surroundings, rule).is_err() {
                assert_eq!(user.words(&catalog), before, "a rule that fails changes nothing");
            }
        }
    }
    let mut users = Users::default();
    users.install_default(&catalog);
    let Ok(read) = tintype::acl::load("users", bytes, &catalog, NewChannels::None) else { return };
    users.replace(read);
    let written = tintype::acl::save(&users, &catalog);
    let again = tintype::acl::load("users", &written, &catalog, NewChannels::None);
    let again = again.unwrap_or_else(|error| panic!("{}", error.escape_ascii()));
    users.replace(again);
    assert_eq!(
        tintype::acl::save(&users, &catalog).escape_ascii().to_string(),
        written.escape_ascii().to_string()
    );
}

/// One file, and another for it to include. (No directive whose lines add up stands there: a rewritten file has it,
/// too.)
struct Files<'a> {
    main: &'a [u8],
}

impl file::Files for Files<'_> {
    fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        match path.file_name().and_then(|name| name.to_str()) {
            Some("tintype.conf") => Ok(std::mem::take(&mut self.main).to_vec()),
            Some("more.conf") => Ok(b"port 6380\n".to_vec()),
            _ => Err(io::Error::from_raw_os_error(libc::ENOENT)),
        }
    }

    fn read_standard_input(&mut self) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }

    fn list(&mut self, _directory: &Path) -> io::Result<Vec<PathBuf>> {
        Ok(vec!["tintype.conf".into(), "more.conf".into()])
    }

    fn check_directory(&mut self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn absolute(&mut self, path: &Path) -> PathBuf {
        path.to_path_buf()
    }
}
