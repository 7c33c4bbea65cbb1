//! Which clients CLIENT LIST and CLIENT KILL mean: the options of Redis 7.4 and Valkey 9.
//!
//! ```text
//!   ID n [n ...]  TYPE  USER  ADDR  LADDR  NAME  FLAGS
//!   LIB-NAME  LIB-VER  DB  CAPA  IP                       and each with NOT- before it
//!   MAXAGE  IDLE                                          at least so many seconds old, or idle
//!   SKIPME                                                whether the caller is left out
//! ```
//! A client is meant when everything fits that is asked for, and nothing that is asked for with NOT-. An option that
//! stands twice counts as it stands last; further numbers are added.

use super::kinds::Kind;
use super::list::flags;
use crate::base::argv::Args;
use crate::base::ids::{ClientId, UserId};
use crate::base::number;
use crate::client::Client;
use crate::server::Cx;
use crate::spec::CommandError;
use crate::spec::args::is_word;
use std::mem::discriminant;

/// The letters that FLAGS may ask for: those of `list::flags`, and those of things that are not here (yet).
const FLAGS_KNOWN: &[u8] = b"AbcdeEiIMNOPrRSuUxtBT";
/// The letters that CAPA may ask for: `r` for redirect.
const CAPABILITIES_KNOWN: &[u8] = b"r";

/// Who asks: the two commands word some errors differently, and one of them spares its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum For {
    List,
    Kill,
}

/// One thing that is asked of a client.
enum Condition<'a> {
    Numbers(Vec<u64>),
    Kind(Kind),
    User(UserId),
    Address(&'a [u8]),
    LocalAddress(&'a [u8]),
    Ip(&'a [u8]),
    Name(&'a [u8]),
    Flags(&'a [u8]),
    LibraryName(&'a [u8]),
    LibraryVersion(&'a [u8]),
    Db(usize),
    Capabilities(&'a [u8]),
}

/// Whom a command means.
pub(super) struct Filter<'a> {
    wanted: Vec<Condition<'a>>,
    unwanted: Vec<Condition<'a>>,
    age_min_s: i64,
    idle_min_s: i64,
    includes_caller: bool,
}

impl<'a> Filter<'a> {
    /// The old form of KILL: one address, the caller not excluded.
    pub(super) fn of_address(address: &'a [u8]) -> Filter<'a> {
        let wanted = vec![Condition::Address(address)];
        Filter { wanted, unwanted: Vec::new(), age_min_s: 0, idle_min_s: 0, includes_caller: true }
    }

    /// Reads the options from argument 2 on.
    pub(super) fn read(cx: &Cx<'_>, args: Args<'a>, command: For) -> Result<Filter<'a>, CommandError> {
        if command == For::List {
            check_shape(args)?;
        }
        let includes_caller = command == For::List;
        let (wanted, unwanted) = (Vec::new(), Vec::new());
        let mut filter = Filter { wanted, unwanted, age_min_s: 0, idle_min_s: 0, includes_caller };
        let mut at = 2;
        while let Some(word) = args.get(at) {
            let value = args.get(at + 1).ok_or(CommandError::Syntax);
            at += 2;
            if is_word(word, "MAXAGE") {
                filter.age_min_s = read_seconds(value?, "maxage")?;
            } else if is_word(word, "IDLE") {
                filter.idle_min_s = read_seconds(value?, "idle")?;
            } else if is_word(word, "SKIPME") {
                filter.includes_caller = read_skipme(value?)?;
            } else if is_word(word, "ID") || is_word(word, "NOT-ID") {
                value?;
                let count = count_numbers(args.from(at - 1), command)?;
                at += count - 1;
                let numbers = args.from(at - count).until(count).iter().filter_map(read_number).collect();
                filter.add(word, Condition::Numbers(numbers));
            } else {
                filter.add(word, condition(cx, word, value)?);
            }
        }
        Ok(filter)
    }

    fn add(&mut self, word: &[u8], condition: Condition<'a>) {
        let conditions = if is_negated(word) { &mut self.unwanted } else { &mut self.wanted };
        let same = conditions.iter_mut().find(|other| discriminant(*other) == discriminant(&condition));
        match (same, condition) {
            (Some(Condition::Numbers(numbers)), Condition::Numbers(more)) => numbers.extend(more),
            (Some(other), condition) => *other = condition,
            (None, condition) => conditions.push(condition),
        }
    }

    pub(super) fn fits(&self, client: &Client, caller: ClientId, now_ms: i64) -> bool {
        // As it is shown: whole seconds of both moments.
        let since_s = |then_ms: i64| now_ms.div_euclid(1000) - then_ms.div_euclid(1000);
        (self.includes_caller || client.id != caller)
            && since_s(client.created_ms) >= self.age_min_s
            && since_s(client.last_interaction_ms) >= self.idle_min_s
            && self.wanted.iter().all(|condition| condition.fits(client))
            && !self.unwanted.iter().any(|condition| condition.fits(client))
    }

    /// The numbers, when nothing else is asked for: LIST shows such clients in the order of the question.
    pub(super) fn only_numbers(&self) -> Option<&[u64]> {
        match self.wanted.as_slice() {
            [Condition::Numbers(numbers)]
                if self.unwanted.is_empty()
                    && (self.age_min_s, self.idle_min_s, self.includes_caller) == (0, 0, true) =>
            {
                Some(numbers)
            }
            _ => None,
        }
    }
}

impl Condition<'_> {
    fn fits(&self, client: &Client) -> bool {
        match *self {
            Condition::Numbers(ref numbers) => numbers.contains(&client.id.number),
            Condition::Kind(kind) => kind.fits(client),
            Condition::User(user) => client.user == user,
            Condition::Address(address) => client.origin.address.as_bytes() == address,
            Condition::LocalAddress(address) => client.origin.local_address.as_bytes() == address,
            Condition::Ip(ip) => ip_of(&client.origin.address).as_bytes() == ip,
            Condition::Name(name) => client.name == name,
            Condition::Flags(letters) => holds_all(&flags(client), letters),
            Condition::LibraryName(name) => client.library_name == name,
            Condition::LibraryVersion(version) => client.library_version == version,
            Condition::Db(db) => client.db == db,
            Condition::Capabilities(letters) => holds_all(client.capabilities.letters(), letters),
        }
    }
}

fn holds_all(set: &str, letters: &[u8]) -> bool {
    letters.iter().all(|letter| set.as_bytes().contains(letter))
}

/// The address without its port, and without the brackets of version 6.
fn ip_of(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// LIST looks at its options before it looks at their values: what is no list of options is a syntax error, whatever
/// else is wrong with it.
fn check_shape(args: Args<'_>) -> Result<(), CommandError> {
    let mut at = 2;
    while let Some(word) = args.get(at) {
        if !is_option(word) || args.get(at + 1).is_none() {
            return Err(CommandError::Syntax);
        }
        at += 2;
        let takes_many = is_word(word, "ID") || is_word(word, "NOT-ID");
        while takes_many && args.get(at).is_some_and(|word| !is_option(word)) {
            at += 1;
        }
    }
    Ok(())
}

fn is_negated(word: &[u8]) -> bool {
    word.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"NOT-"))
}

/// The conditions of one value; their errors name the option as it can be written, or as nothing.
fn condition<'a>(
    cx: &Cx<'_>,
    word: &[u8],
    value: Result<&'a [u8], CommandError>,
) -> Result<Condition<'a>, CommandError> {
    let negated = is_negated(word);
    let name = if negated { &word[4..] } else { word };
    let is = |option: &str| is_word(name, option);
    Ok(match () {
        () if is("TYPE") => Condition::Kind(Kind::read(value?)?),
        () if is("USER") => Condition::User(known_user(cx, value?)?),
        () if is("ADDR") => Condition::Address(value?),
        () if is("LADDR") => Condition::LocalAddress(value?),
        () if is("IP") => Condition::Ip(value?),
        () if is("NAME") => Condition::Name(value?),
        () if is("FLAGS") => {
            Condition::Flags(known_letters(value?, ("flags", "FLAGS"), negated, FLAGS_KNOWN)?)
        }
        () if is("LIB-NAME") => Condition::LibraryName(value?),
        () if is("LIB-VER") => Condition::LibraryVersion(value?),
        () if is("DB") => {
            let shown = if negated { "NOT-DB" } else { "DB" };
            Condition::Db(read_db(value?, shown, cx.server.keyspace.databases())?)
        }
        () if is("CAPA") => {
            Condition::Capabilities(known_letters(value?, ("capa", "CAPA"), negated, CAPABILITIES_KNOWN)?)
        }
        () => return Err(CommandError::Syntax),
    })
}

/// How many numbers stand at the beginning of `args`. What follows them is the next option, if it is one: LIST says of
/// another word that it is no number, as Redis does.
fn count_numbers(args: Args<'_>, command: For) -> Result<usize, CommandError> {
    let mut count = 0;
    while let Some(word) = args.get(count) {
        match (number::parse_i64(word), command) {
            (Some(number), For::Kill) if number < 1 => return Err(not_above_zero()),
            (Some(_), _) => count += 1,
            (None, For::Kill) if count == 0 => return Err(not_above_zero()),
            (None, For::List) if count == 0 || !is_option(word) => {
                return Err(CommandError::text("ERR Invalid client ID"));
            }
            (None, _) => break,
        }
    }
    Ok(count)
}

fn not_above_zero() -> CommandError {
    CommandError::text("ERR client-id should be greater than 0")
}

fn is_option(word: &[u8]) -> bool {
    const PLAIN: [&str; 3] = ["MAXAGE", "IDLE", "SKIPME"];
    const NEGATABLE: [&str; 12] =
        ["ID", "TYPE", "USER", "ADDR", "LADDR", "IP", "NAME", "FLAGS", "LIB-NAME", "LIB-VER", "DB", "CAPA"];
    let name = if is_negated(word) { &word[4..] } else { word };
    PLAIN.iter().any(|option| is_word(word, option)) || NEGATABLE.iter().any(|option| is_word(name, option))
}

/// A client's number; those that no client can have name none.
fn read_number(word: &[u8]) -> Option<u64> {
    number::parse_i64(word).and_then(|number| u64::try_from(number).ok())
}

fn read_seconds(value: &[u8], name: &str) -> Result<i64, CommandError> {
    match number::parse_i64(value) {
        Some(seconds) if seconds > 0 => Ok(seconds),
        Some(_) => Err(CommandError::text(format!("ERR {name} should be greater than 0"))),
        None => Err(CommandError::text(format!("ERR {name} is not an integer or out of range"))),
    }
}

fn read_db(value: &[u8], shown: &str, databases: usize) -> Result<usize, CommandError> {
    let Some(number) = number::parse_i64(value).and_then(|number| i32::try_from(number).ok()) else {
        return Err(CommandError::text(format!("ERR {shown} is not an integer or out of range")));
    };
    let db = usize::try_from(number).ok().filter(|db| *db < databases);
    let last = databases - 1;
    db.ok_or_else(|| CommandError::text(format!("ERR {shown} number should be between 0 and {last}")))
}

fn known_letters<'a>(
    letters: &'a [u8],
    (what, option): (&str, &str),
    negated: bool,
    known: &[u8],
) -> Result<&'a [u8], CommandError> {
    if letters.iter().all(|letter| known.contains(letter)) {
        return Ok(letters);
    }
    let place = if negated { format!("the NOT-{option} filter") } else { "the provided filter".to_owned() };
    Err(CommandError::quoting(&format!("ERR Unknown {what} found in {place}: "), letters, ""))
}

fn known_user(cx: &Cx<'_>, name: &[u8]) -> Result<UserId, CommandError> {
    let user = cx.server.acl.users.find(name);
    user.ok_or_else(|| CommandError::quoting("ERR No such user '", name, "'"))
}

/// Whether the caller is included.
fn read_skipme(word: &[u8]) -> Result<bool, CommandError> {
    match word {
        _ if is_word(word, "YES") => Ok(false),
        _ if is_word(word, "NO") => Ok(true),
        _ => Err(CommandError::Syntax),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Sessions;
    use super::*;

    fn listed(sessions: &mut Sessions, filter: &str) -> String {
        let (list, _) = sessions.execute(&format!("CLIENT LIST {filter}"));
        let ids = list.split([' ', '\n']).filter_map(|field| field.strip_prefix("id="));
        if list.starts_with('-') { list } else { ids.collect::<Vec<_>>().join(" ") }
    }

    /// Client 1 is old, named and of a library; 2 has chosen database 3 and queues commands; 3 asks.
    fn three() -> Sessions {
        let mut sessions = Sessions::new("");
        for line in ["CLIENT SETNAME one", "CLIENT SETINFO lib-name redis-rs", "CLIENT SETINFO lib-ver 1.2"] {
            sessions.execute(line);
        }
        sessions.execute("CLIENT CAPA redirect nosuch");
        sessions.later(10_000);
        sessions.join();
        sessions.execute("SELECT 3");
        sessions.execute("MULTI");
        sessions.later(5_000);
        sessions.join();
        sessions
    }

    #[test]
    fn clients_are_chosen_by_what_they_are_and_are_not() {
        let mut sessions = three();
        for (filter, expected) in [
            ("ID 3 1 DB 0", "1 3"),
            ("ID 3 1", "3 1"),
            ("NOT-ID 3 1", "2"),
            ("id 1 2 not-id 2", "1"),
            ("ID 1 ID 2 TYPE normal", "1 2"),
            ("NAME one", "1"),
            ("NOT-NAME one", "2 3"),
            ("LIB-NAME redis-rs", "1"),
            ("NOT-LIB-VER 1.2", "2 3"),
            ("DB 3", "2"),
            ("NOT-DB 3 SKIPME yes", "1"),
            ("FLAGS x", "2"),
            ("FLAGS xb", ""),
            ("NOT-FLAGS N", "2"),
            ("CAPA r", "1"),
            ("NOT-CAPA r", "2 3"),
            ("IP 127.0.0.1", "1 2 3"),
            ("NOT-IP 127.0.0.1", ""),
            ("ADDR 127.0.0.1:2", "2"),
            ("NOT-ADDR 127.0.0.1:2 NOT-LADDR x", "1 3"),
            ("MAXAGE 5", "1 2"),
            ("MAXAGE 6 MAXAGE 15", "1"),
            ("IDLE 6", "1"),
            ("USER default NOT-TYPE pubsub", "1 2 3"),
            ("NOT-USER default", ""),
            ("TYPE primary", ""),
        ] {
            assert_eq!(listed(&mut sessions, filter), expected, "{filter}");
        }
        sessions.check("CLIENT KILL ID 1 2 3", ":2");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let mut sessions = three();
        for (filter, error) in [
            ("ID x", "Invalid client ID"),
            ("ID 1 x", "Invalid client ID"),
            ("ID 1 NAME", "syntax error"),
            ("NOT-ID", "syntax error"),
            ("NOT-MAXAGE 1", "syntax error"),
            ("DB x foo bar", "syntax error"),
            ("IDLE 0", "idle should be greater than 0"),
            ("IDLE x", "idle is not an integer or out of range"),
            ("DB x", "DB is not an integer or out of range"),
            ("NOT-DB -1", "NOT-DB number should be between 0 and 15"),
            ("DB 16", "DB number should be between 0 and 15"),
            ("FLAGS xZ", "Unknown flags found in the provided filter: xZ"),
            ("NOT-FLAGS ?", "Unknown flags found in the NOT-FLAGS filter: ?"),
            ("CAPA rx", "Unknown capa found in the provided filter: rx"),
            ("NOT-CAPA x", "Unknown capa found in the NOT-CAPA filter: x"),
            ("NOT-TYPE foo", "Unknown client type 'foo'"),
            ("NOT-USER bob", "No such user 'bob'"),
        ] {
            assert_eq!(listed(&mut sessions, filter), format!("-ERR {error}"), "{filter}");
        }
        for (filter, error) in [
            ("ID 1 2 0", "client-id should be greater than 0"),
            ("NOT-ID x", "client-id should be greater than 0"),
            ("ID 1 x", "syntax error"),
        ] {
            sessions.check(&format!("CLIENT KILL {filter}"), &format!("-ERR {error}"));
        }
    }

    #[test]
    fn an_address_is_an_ip_and_a_port() {
        assert_eq!(["1.2.3.4:5", "[::1]:6", "/tmp/s:0"].map(ip_of), ["1.2.3.4", "::1", "/tmp/s"]);
    }
}
