//! The options that XADD and XTRIM share, and the IDS block of XDELEX and XACKDEL.

use super::ids;
use crate::base::argv::{Args, Argv};
use crate::base::number;
use crate::object::Rules;
use crate::object::stream::{Exactness, Log, NewId, References, StreamId, Threshold};
use crate::spec::CommandError;
use crate::spec::args::{integer, is_word};

/// How a stream is trimmed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trim {
    pub(super) threshold: Threshold,
    pub(super) exactness: Exactness,
}

/// What XADD and XTRIM were asked for.
pub(super) struct Given {
    pub(super) trim: Option<Trim>,
    pub(super) references: Option<References>,
    /// NOMKSTREAM
    pub(super) only_if_there: bool,
    /// XADD: the ID, and the place of the first field.
    pub(super) entry: Option<(NewId, usize)>,
}

/// For which command options are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    Xadd,
    Xtrim,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Exact,
    Nodes,
}

/// Reads options as they come.
struct Reader<'a> {
    args: Args<'a>,
    next: usize,
    threshold: Option<(Threshold, Sign)>,
    limit: Option<i64>,
}

impl<'a> Reader<'a> {
    /// How many arguments follow the one that is next.
    fn more(&self) -> usize {
        self.args.len() - 1 - self.next
    }

    /// The threshold that follows `MAXLEN` or `MINID`, with its sign.
    fn threshold(&mut self, parse: fn(&[u8]) -> Result<Threshold, CommandError>) -> Result<(), CommandError> {
        if self.threshold.is_some() {
            return Err(CommandError::TrimStrategies);
        }
        let has_sign_and_value = self.more() >= 2;
        self.next += 1;
        let sign = match self.args.at(self.next) {
            b"~" if has_sign_and_value => Some(Sign::Nodes),
            b"=" if has_sign_and_value => Some(Sign::Exact),
            _ => None,
        };
        self.next += usize::from(sign.is_some());
        self.threshold = Some((parse(self.args.at(self.next))?, sign.unwrap_or(Sign::Exact)));
        Ok(())
    }

    fn limit(&mut self) -> Result<(), CommandError> {
        self.next += 1;
        self.limit = Some(integer(self.args.at(self.next))?);
        if self.limit < Some(0) { Err(CommandError::TrimLimitNegative) } else { Ok(()) }
    }

    fn finish(&self, command: For, rules: &Rules) -> Result<Option<Trim>, CommandError> {
        let Some((threshold, sign)) = self.threshold else {
            return match self.limit {
                Some(limit) if limit > 0 => Err(CommandError::TrimLimitAlone),
                _ if command == For::Xtrim => Err(CommandError::TrimStrategyMissing),
                Some(_) => Err(CommandError::TrimLimitExact),
                None => Ok(None),
            };
        };
        let exactness = match (sign, self.limit) {
            (Sign::Exact, Some(_)) => return Err(CommandError::TrimLimitExact),
            (Sign::Exact, None) => Exactness::Exact,
            (Sign::Nodes, None) => Exactness::Nodes { limit: Some(default_limit(rules)) },
            (Sign::Nodes, Some(limit)) => {
                Exactness::Nodes { limit: u64::try_from(limit).ok().filter(|limit| *limit > 0) }
            }
        };
        Ok(Some(Trim { threshold, exactness }))
    }
}

/// How many entries an approximate trim looks at when it is not told.
fn default_limit(rules: &Rules) -> u64 {
    const NODES: u64 = 100;
    const WITHOUT_RULE: u64 = 10_000;
    const MAX: u64 = 1_000_000;
    match (rules.stream_node_max_entries as u64).saturating_mul(NODES) {
        0 => WITHOUT_RULE,
        limit => limit.min(MAX),
    }
}

fn max_len(text: &[u8]) -> Result<Threshold, CommandError> {
    let max = integer(text)?;
    u64::try_from(max).map(Threshold::MaxLen).map_err(|_| CommandError::TrimMaxLenNegative)
}

fn min_id(text: &[u8]) -> Result<Threshold, CommandError> {
    ids::exact(text).map(Threshold::MinId)
}

/// `KEEPREF`, `DELREF` or `ACKED`.
pub(super) fn references(word: &[u8]) -> Option<References> {
    let words =
        [("KEEPREF", References::Kept), ("DELREF", References::Deleted), ("ACKED", References::Awaited)];
    words.into_iter().find(|(name, _)| is_word(word, name)).map(|(_, references)| references)
}

/// Reads the options from argument 2 on; for XADD up to the ID.
pub(super) fn read(args: Args<'_>, command: For, rules: &Rules) -> Result<Given, CommandError> {
    let mut given = Given { trim: None, references: None, only_if_there: false, entry: None };
    let mut reader = Reader { args, next: 2, threshold: None, limit: None };
    while reader.next < args.len() {
        let word = args.at(reader.next);
        let has_value = reader.more() > 0;
        if has_value && is_word(word, "MAXLEN") {
            reader.threshold(max_len)?;
        } else if has_value && is_word(word, "MINID") {
            reader.threshold(min_id)?;
        } else if has_value && is_word(word, "LIMIT") {
            reader.limit()?;
        } else if command == For::Xadd && is_word(word, "NOMKSTREAM") {
            given.only_if_there = true;
        } else if let Some(references) = references(word).filter(|_| given.references.is_none()) {
            given.references = Some(references);
        } else if command == For::Xadd {
            let id = NewId::parse(word).ok_or(CommandError::InvalidStreamId)?;
            given.entry = Some((id, reader.next + 1));
            break;
        } else {
            return Err(CommandError::Syntax);
        }
        reader.next += 1;
    }
    given.trim = reader.finish(command, rules)?;
    Ok(given)
}

/// The words of an exact trim to what an approximate one has left, and of the references: for replicas.
pub(super) fn push_trim(argv: &mut Argv, given: &Given, log: &Log) {
    match given.trim.map(|trim| (trim.threshold, trim.exactness)) {
        None => {}
        Some((Threshold::MaxLen(max), exactness)) => {
            let left = if exactness == Exactness::Exact { max } else { log.len() };
            argv.push(b"MAXLEN");
            argv.push(b"=");
            argv.push(&number::format_i64(left as i64));
        }
        Some((Threshold::MinId(min), exactness)) => {
            let first = if log.is_empty() { StreamId::MAX } else { log.first_id() };
            argv.push(b"MINID");
            argv.push(b"=");
            argv.push(&if exactness == Exactness::Exact { min } else { first }.text());
        }
    }
    match given.references {
        None => {}
        Some(References::Kept) => argv.push(b"KEEPREF"),
        Some(References::Deleted) => argv.push(b"DELREF"),
        Some(References::Awaited) => argv.push(b"ACKED"),
    }
}

/// `[KEEPREF|DELREF|ACKED] IDS numids id ..`, in any order, from argument `first` on.
pub(super) fn ids_block(args: Args<'_>, first: usize) -> Result<(References, Vec<StreamId>), CommandError> {
    let (mut kept, mut found) = (None, None);
    let mut next = first;
    while let Some(word) = args.get(next) {
        next += 1;
        if let Some(references) = references(word).filter(|_| kept.is_none()) {
            kept = Some(references);
        } else if is_word(word, "IDS") && found.is_none() {
            let count = args.get(next).and_then(number::parse_i64).filter(|count| *count > 0);
            let count =
                usize::try_from(count.ok_or(CommandError::StreamIdsNotPositive)?).unwrap_or(usize::MAX);
            if count > args.len() - next - 1 {
                return Err(CommandError::StreamIdsCount);
            }
            let block: Result<Vec<_>, _> = args.from(next + 1).iter().take(count).map(ids::exact).collect();
            found = Some(block?);
            next += 1 + count;
        } else if found.is_some() && StreamId::parse(word, 0).is_some() {
            return Err(CommandError::StreamIdsCount);
        } else {
            return Err(CommandError::Syntax);
        }
    }
    Ok((kept.unwrap_or_default(), found.ok_or(CommandError::StreamIdsMissing)?))
}
