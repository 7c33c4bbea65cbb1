//! The arguments of a command as COMMAND DOCS tells them, derived from the notation of `Spec::syntax`.
//!
//! ```text
//! key                     a value; what it is follows from its name      {key, key}
//! EX seconds              a value after its token                        {seconds, integer, token EX}
//! [NX|XX]                 one of several, may be left out                {condition, oneof, optional, {nx} {xx}}
//! <LEFT|RIGHT>            one of several, must be there
//! key [key ...]           one or more                                    {key, multiple}
//! key value [key value ...]                                              {key_value, block, multiple, {key} {value}}
//! [GET pattern [GET pattern ...]]   with its token before each           {pattern, token GET, optional, multiple..}
//! ```
//! The notation does not say how a group is called or what type a value has; both are guessed by the conventions of the
//! reference, so a name may differ from Redis's. Whatever stands in `syntax`, reading it does not fail.

use super::category::Group;
use super::command::Spec;

/// What an argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    String,
    Integer,
    Double,
    Key,
    Pattern,
    UnixTime,
    /// Only the word itself.
    PureToken,
    OneOf,
    /// Several arguments in a row.
    Block,
}

impl Kind {
    /// The name COMMAND DOCS answers.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::String => "string",
            Kind::Integer => "integer",
            Kind::Double => "double",
            Kind::Key => "key",
            Kind::Pattern => "pattern",
            Kind::UnixTime => "unix-time",
            Kind::PureToken => "pure-token",
            Kind::OneOf => "oneof",
            Kind::Block => "block",
        }
    }
}

/// One argument or group of arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    pub name: String,
    pub kind: Kind,
    /// The word that stands before it, or that it is.
    pub token: Option<String>,
    /// Index of the key spec that finds it, for a key.
    pub key_spec: Option<usize>,
    pub is_optional: bool,
    pub is_multiple: bool,
    /// The token is repeated with each value.
    pub is_token_multiple: bool,
    /// The members of `OneOf` and `Block`.
    pub arguments: Vec<Argument>,
}

impl Argument {
    fn new(name: String, kind: Kind) -> Argument {
        Argument {
            name,
            kind,
            token: None,
            key_spec: None,
            is_optional: false,
            is_multiple: false,
            is_token_multiple: false,
            arguments: Vec::new(),
        }
    }

    /// The flags' names, as COMMAND DOCS answers them.
    pub fn flags(&self) -> impl Iterator<Item = &'static str> {
        let flags = [
            (self.is_optional, "optional"),
            (self.is_multiple, "multiple"),
            (self.is_token_multiple, "multiple_token"),
        ];
        flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, name)| name)
    }
}

/// The arguments of a command.
pub fn arguments(spec: &Spec) -> Vec<Argument> {
    Reader { spec, keys: 0 }.sequence(spec.syntax)
}

struct Reader<'a> {
    spec: &'a Spec,
    /// Keys read so far: the first belongs to the first key spec, and so on.
    keys: usize,
}

impl Reader<'_> {
    /// Arguments in a row.
    fn sequence(&mut self, text: &str) -> Vec<Argument> {
        let items = split(text, ' ');
        let mut arguments = Vec::new();
        let mut next = 0;
        while next < items.len() {
            if let Some(count) = repeated(&items, next) {
                let mut argument = self.row(&items[next..next + count]);
                argument.is_multiple = true;
                argument.is_token_multiple = argument.token.is_some();
                arguments.push(argument);
                next += count + 1;
            } else if is_token(items[next]) {
                arguments.push(self.row(&items[next..]));
                next = items.len();
            } else {
                arguments.push(self.item(items[next]));
                next += 1;
            }
        }
        arguments
    }

    /// Items in a row as one argument; a token that begins the row belongs to all of it.
    fn row(&mut self, items: &[&str]) -> Argument {
        let all_tokens = items.iter().all(|item| is_token(item));
        if all_tokens && items.len() > 1 {
            return block(items.iter().map(|item| self.item(item)).collect());
        }
        match items {
            [token, rest @ ..] if !rest.is_empty() && is_token(token) => {
                let mut argument = block(self.sequence(&rest.join(" ")));
                if argument.kind == Kind::OneOf {
                    argument.name = token.to_ascii_lowercase();
                }
                argument.token = Some((*token).to_owned());
                argument
            }
            [item] => self.item(item),
            _ => block(items.iter().map(|item| self.item(item)).collect()),
        }
    }

    fn item(&mut self, item: &str) -> Argument {
        if let Some(inner) = inside(item, '[', ']') {
            let mut argument = self.alternatives(inner);
            argument.is_optional = true;
            return argument;
        }
        match inside(item, '<', '>') {
            Some(inner) => self.alternatives(inner),
            None => self.word(item),
        }
    }

    fn alternatives(&mut self, text: &str) -> Argument {
        let several = text.strip_suffix(" ...");
        let parts = split(several.unwrap_or(text), '|');
        let mut members: Vec<Argument> = parts.iter().map(|part| block(self.sequence(part))).collect();
        let mut argument = match members.len() {
            1 => members.remove(0),
            _ => one_of(members),
        };
        argument.is_multiple |= several.is_some();
        argument
    }

    fn word(&mut self, word: &str) -> Argument {
        if is_token(word) {
            let name = match word {
                "=" => "equal".to_owned(),
                "~" => "approximately".to_owned(),
                "*" => "auto_id".to_owned(),
                "$" => "new_id".to_owned(),
                "\"\"" => "empty_string".to_owned(),
                _ => word.to_ascii_lowercase(),
            };
            let mut argument = Argument::new(name, Kind::PureToken);
            argument.token = Some(word.trim_matches('"').to_owned());
            return argument;
        }
        let kind = self.kind(word);
        let mut argument = Argument::new(word.to_owned(), kind);
        if kind == Kind::Key {
            argument.key_spec = Some(self.keys.min(self.spec.keys.len() - 1));
            self.keys += 1;
        }
        argument
    }

    fn kind(&self, name: &str) -> Kind {
        const KEYS: [&str; 10] =
            ["key", "key1", "key2", "newkey", "source", "destination", "src", "dst", "sourcekey", "destkey"];
        const INTEGERS: [&str; 30] = [
            "count",
            "cursor",
            "db",
            "destination-db",
            "decrement",
            "frequency",
            "index",
            "index1",
            "index2",
            "len",
            "limit",
            "milliseconds",
            "min-match-len",
            "numkeys",
            "numreplicas",
            "num-matches",
            "offset",
            "port",
            "protover",
            "rank",
            "seconds",
            "timeout",
            "ttl",
            "version",
            "client-id",
            "bit",
            "slot",
            "samples",
            "size",
            "maxage",
        ];
        const DOUBLES: [&str; 6] = ["longitude", "latitude", "radius", "width", "height", "score"];
        match name {
            _ if KEYS.contains(&name) && !self.spec.keys.is_empty() => Kind::Key,
            "increment" if self.spec.name.ends_with("float") => Kind::Double,
            "increment" => Kind::Integer,
            "start" | "stop" | "end"
                if matches!(self.spec.group, Group::String | Group::List | Group::Bitmap) =>
            {
                Kind::Integer
            }
            "pattern" => Kind::Pattern,
            "unix-time-seconds" | "unix-time-milliseconds" => Kind::UnixTime,
            _ if INTEGERS.contains(&name) => Kind::Integer,
            _ if DOUBLES.contains(&name) => Kind::Double,
            _ => Kind::String,
        }
    }
}

/// Several arguments as one; a single one stays what it is.
fn block(mut arguments: Vec<Argument>) -> Argument {
    if arguments.len() == 1 {
        return arguments.remove(0);
    }
    let names: Vec<&str> = arguments.iter().map(|argument| argument.name.as_str()).collect();
    let mut block = Argument::new(names.join("_"), Kind::Block);
    block.arguments = arguments;
    block
}

/// The names of groups that clients know; others are called after their members.
fn one_of(members: Vec<Argument>) -> Argument {
    let has = |name: &str| members.iter().any(|member| member.name == name);
    let name = match () {
        () if has("nx") || has("xx") => "condition".to_owned(),
        () if has("seconds") => "expiration".to_owned(),
        () if has("asc") => "order".to_owned(),
        () if members.len() == 2 && has("on") && has("off") => "enabled".to_owned(),
        () if has("async") && has("sync") => "async".to_owned(),
        () if has("flush") && has("append") => "policy".to_owned(),
        () => members.iter().map(|member| member.name.as_str()).collect::<Vec<_>>().join("_"),
    };
    let mut argument = Argument::new(name, Kind::OneOf);
    argument.arguments = members;
    argument
}

/// A word that is written as it stands.
fn is_token(item: &str) -> bool {
    let is_upper = item.starts_with(|first: char| first.is_ascii_uppercase() || first.is_ascii_digit())
        && !item.contains(|letter: char| letter.is_ascii_lowercase() || matches!(letter, '[' | '<'));
    is_upper || matches!(item, "=" | "~" | "*" | "$" | "\"\"")
}

/// How many items from `start` on are repeated by the bracket behind them: `key value [key value ...]` is 2.
fn repeated(items: &[&str], start: usize) -> Option<usize> {
    (1..items.len() - start).find(|count| {
        let repetition = inside(items[start + count], '[', ']').and_then(|inner| inner.strip_suffix(" ..."));
        repetition.is_some_and(|repetition| repetition == items[start..start + count].join(" "))
    })
}

/// The inside of one bracket that encloses all of `item`.
fn inside(item: &str, open: char, close: char) -> Option<&str> {
    item.strip_prefix(open)?.strip_suffix(close)
}

/// Splits at separators that stand in no bracket. Empty pieces are left out.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut pieces, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '[' | '<' => depth += 1,
            ']' | '>' => depth = depth.saturating_sub(1),
            _ if letter == separator && depth == 0 => {
                pieces.push(&text[start..at]);
                start = at + letter.len_utf8();
            }
            _ => {}
        }
    }
    pieces.push(&text[start..]);
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Flags, KeyFlags, KeySpec};

    /// Arguments as one line: `name:kind`, `@token`, `?` optional, `+` multiple, `++` with its token.
    fn shown(arguments: &[Argument]) -> String {
        let one = |argument: &Argument| {
            let mut text = format!("{}:{}", argument.name, argument.kind.name());
            if let Some(token) = &argument.token {
                text += &format!("@{token}");
            }
            text += if argument.is_optional { "?" } else { "" };
            text += if argument.is_multiple { "+" } else { "" };
            text += if argument.is_token_multiple { "+" } else { "" };
            if argument.arguments.is_empty() {
                text
            } else {
                format!("{text}({})", shown(&argument.arguments))
            }
        };
        arguments.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    fn check(syntax: &'static str, expected: &str) {
        const KEYS: &[KeySpec] = &[KeySpec::one(1, KeyFlags::RO)];
        let spec = Spec::new("x", -2, Group::Generic, Flags::NONE).keys(KEYS).doc("1.0.0", "", syntax);
        assert_eq!(shown(&arguments(&spec)), expected, "{syntax}");
    }

    #[test]
    fn values_tokens_and_choices() {
        check("", "");
        check("key", "key:key");
        check("[LEN] [MINMATCHLEN len]", "len:pure-token@LEN? len:integer@MINMATCHLEN?");
        check(
            "key [NX|XX] [EX seconds|PXAT unix-time-milliseconds]",
            "key:key condition:oneof?(nx:pure-token@NX xx:pure-token@XX) \
             expiration:oneof?(seconds:integer@EX unix-time-milliseconds:unix-time@PXAT)",
        );
        check("<LEFT|RIGHT>", "left_right:oneof(left:pure-token@LEFT right:pure-token@RIGHT)");
        check(
            "<host port|NO ONE>",
            "host_port_no_one:oneof(host_port:block(host:string port:integer) \
             no_one:block(no:pure-token@NO one:pure-token@ONE))",
        );
    }

    #[test]
    fn repetitions() {
        check("key [key ...]", "key:key+");
        check("key value [key value ...]", "key_value:block+(key:key value:string)");
        check("[section [section ...]]", "section:string?+");
        check("[GET pattern [GET pattern ...]]", "pattern:pattern@GET?++");
        check("[KEYS key [key ...]]", "key:key@KEYS?+");
    }

    #[test]
    fn groups_behind_a_token() {
        check("[LIMIT offset count]", "offset_count:block@LIMIT?(offset:integer count:integer)");
        check(
            "[FILTERBY <MODULE module-name|PATTERN pattern>]",
            "filterby:oneof@FILTERBY?(module-name:string@MODULE pattern:pattern@PATTERN)",
        );
        check("<key|\"\"> [LIMIT", "key_empty_string:oneof(key:key empty_string:pure-token@) [LIMIT:string");
    }
}
