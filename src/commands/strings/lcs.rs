//! LCS: the longest common subsequence of two strings.

use crate::base::argv::Args;
use crate::base::number;
use crate::keyspace::{StrView, Tx};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::args::{Options, is_word};
use crate::spec::{Begin, CommandError, Find, KeyFlags, KeySpec, args as arguments};

pub(super) const KEYS: KeySpec = KeySpec {
    begin: Begin::Index(1),
    find: Find::Range { last: 1, step: 1, limit: 0 },
    flags: KeyFlags::RO.or(KeyFlags::ACCESS),
};

/// The table of lengths may not be larger than this, in cells of four bytes.
const CELLS_MAX: usize = 1 << 30;

#[derive(Default)]
struct LcsOptions {
    len: bool,
    idx: bool,
    with_match_len: bool,
    min_match_len: usize,
}

/// A common stretch: its first and last place in both strings.
#[derive(Clone, Copy)]
struct Stretch {
    a: (usize, usize),
    b: (usize, usize),
}

impl Stretch {
    fn len(&self) -> usize {
        self.a.1 - self.a.0 + 1
    }
}

fn parse(args: Args<'_>) -> Result<LcsOptions, CommandError> {
    let mut found = LcsOptions::default();
    let mut options = Options::new(args, 3);
    while let Some(word) = options.next_argument() {
        if is_word(word, "IDX") {
            found.idx = true;
        } else if is_word(word, "LEN") {
            found.len = true;
        } else if is_word(word, "WITHMATCHLEN") {
            found.with_match_len = true;
        } else if is_word(word, "MINMATCHLEN") && options.left() > 0 {
            found.min_match_len = usize::try_from(arguments::integer(options.value()?)?).unwrap_or(0);
        } else {
            return Err(CommandError::Syntax);
        }
    }
    Ok(found)
}

fn bytes_of(tx: &mut Tx<'_>, key: &[u8]) -> Result<Vec<u8>, CommandError> {
    const WRONG: &str = "ERR The specified keys must contain string values";
    match tx.read_str(key) {
        Ok(None) => Ok(Vec::new()),
        Ok(Some(StrView::Bytes(bytes))) => Ok(bytes.to_vec()),
        Ok(Some(StrView::Int(value))) => Ok(number::format_i64(value).to_vec()),
        Err(_) => Err(CommandError::text(WRONG)),
    }
}

pub(super) fn lcs(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    // Both are looked up, whatever the first one holds.
    let (a, b) = (bytes_of(tx, args.at(1)), bytes_of(tx, args.at(2)));
    let (a, b) = (a?, b?);
    let options = parse(args)?;
    if options.len && options.idx {
        return Err(CommandError::text("ERR If you want both the length and indexes, please just use IDX."));
    }
    let lengths = Lengths::of(&a, &b)?;
    if options.len {
        reply.count(lengths.at(a.len(), b.len()) as usize);
        return Ok(Flow::Done);
    }
    let (common, stretches) = lengths.trace(&a, &b);
    if options.idx {
        answer_stretches(&stretches, common.len(), &options, reply)
    } else {
        reply.bulk(&common)
    }
    Ok(Flow::Done)
}

fn answer_stretches(stretches: &[Stretch], length: usize, options: &LcsOptions, reply: &mut Reply<'_>) {
    let shown = stretches.iter().filter(|stretch| stretch.len() >= options.min_match_len);
    reply.map(2);
    reply.bulk(b"matches");
    reply.array(shown.clone().count());
    for stretch in shown {
        reply.array(2 + usize::from(options.with_match_len));
        for (first, last) in [stretch.a, stretch.b] {
            reply.array(2);
            reply.count(first);
            reply.count(last);
        }
        if options.with_match_len {
            reply.count(stretch.len());
        }
    }
    reply.bulk(b"len");
    reply.count(length);
}

/// `at(i, j)` is the length of the longest common subsequence of the first `i` bytes of one and the first `j` bytes of
/// the other.
struct Lengths {
    cells: Vec<u32>,
    row: usize,
}

impl Lengths {
    fn of(a: &[u8], b: &[u8]) -> Result<Lengths, CommandError> {
        let row = b.len() + 1;
        let count = (a.len() + 1).checked_mul(row).filter(|count| *count <= CELLS_MAX);
        let count = count.ok_or_else(|| {
            CommandError::text("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len")
        })?;
        let mut lengths = Lengths { cells: vec![0; count], row };
        for i in 1..=a.len() {
            for j in 1..=b.len() {
                lengths.cells[i * row + j] = if a[i - 1] == b[j - 1] {
                    lengths.at(i - 1, j - 1) + 1
                } else {
                    lengths.at(i - 1, j).max(lengths.at(i, j - 1))
                };
            }
        }
        Ok(lengths)
    }

    fn at(&self, i: usize, j: usize) -> u32 {
        self.cells[i * self.row + j]
    }

    /// Walks back from the end: the subsequence itself, and its stretches from the last to the first.
    fn trace(&self, a: &[u8], b: &[u8]) -> (Vec<u8>, Vec<Stretch>) {
        let (mut i, mut j) = (a.len(), b.len());
        let mut common = Vec::with_capacity(self.at(i, j) as usize);
        let mut stretches: Vec<Stretch> = Vec::new();
        while i > 0 && j > 0 {
            if a[i - 1] == b[j - 1] {
                common.push(a[i - 1]);
                match stretches.last_mut() {
                    Some(stretch) if stretch.a.0 == i && stretch.b.0 == j => {
                        stretch.a.0 = i - 1;
                        stretch.b.0 = j - 1;
                    }
                    _ => stretches.push(Stretch { a: (i - 1, i - 1), b: (j - 1, j - 1) }),
                }
                (i, j) = (i - 1, j - 1);
            } else if self.at(i - 1, j) > self.at(i, j - 1) {
                i -= 1;
            } else {
                j -= 1;
            }
        }
        common.reverse();
        (common, stretches)
    }
}
