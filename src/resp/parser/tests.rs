//! Tests of the request parser: what is found must not depend on how the bytes were cut, and is what Redis
//! finds.

use super::*;
use crate::base::argv::Args;
use proptest::prelude::*;

type Words = Vec<Vec<u8>>;

fn words(args: Args<'_>) -> Words {
    args.iter().map(<[u8]>::to_vec).collect()
}

/// A connection that reads pieces, as `net` does: it parses all it can, then drops what is consumed.
#[derive(Default)]
struct Connection {
    buffer: Vec<u8>,
    parser: Parser,
    commands: Vec<Words>,
}

impl Connection {
    fn read(&mut self, piece: &[u8], limits: &Limits) -> Result<(), ProtocolError> {
        self.buffer.extend_from_slice(piece);
        let (mut offset, mut spans, mut batch) = (0, Vec::new(), Vec::new());
        let result = loop {
            let first = spans.len();
            match self.parser.parse(&self.buffer[offset..], limits, &mut spans) {
                Ok(Parsed::Incomplete) => break Ok(()),
                Ok(Parsed::Nothing { consumed }) => offset += consumed,
                Ok(Parsed::Inline { consumed, argv }) => {
                    batch.push((offset, first..first, Some(argv)));
                    offset += consumed;
                }
                Ok(Parsed::Command { consumed }) => {
                    batch.push((offset, first..spans.len(), None));
                    offset += consumed;
                }
                Err(error) => break Err(error),
            }
        };
        for (start, window, argv) in batch {
            let found = match argv {
                Some(argv) => words(argv.args()),
                None => words(Args::new(&self.buffer[start..], &spans[window])),
            };
            self.commands.push(found);
        }
        self.buffer.drain(..offset);
        result
    }
}

fn parse_pieces(pieces: &[&[u8]]) -> (Vec<Words>, Result<(), ProtocolError>) {
    let mut connection = Connection::default();
    let result = pieces.iter().try_for_each(|piece| connection.read(piece, &Limits::default()));
    (connection.commands, result)
}

/// The error or the number of commands found, for bytes given at once.
fn outcome(bytes: &[u8], limits: Limits) -> Result<usize, ProtocolError> {
    let mut connection = Connection::default();
    connection.read(bytes, &limits)?;
    Ok(connection.commands.len())
}

const PIPELINE: &[u8] =
    b"*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000001\r\n$0\r\n\r\n\r\nPING\r\n  ECHO 'a b' \"\\x41\"\r\n\
    *0\r\n*-1\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n \r\nGET x\n*1\r\n$12\r\n\r\n*1\r\n$1\r\nab\r\n";

#[test]
fn a_pipeline_is_the_same_however_it_is_cut() {
    let (whole, result) = parse_pieces(&[PIPELINE]);
    assert_eq!((whole.len(), result), (6, Ok(())));
    assert_eq!(whole[0], [&b"SET"[..], b"key:000000000001", b""]);
    assert_eq!(whole[2], [&b"ECHO"[..], b"a b", b"A"]);
    assert_eq!(whole[5], [b"\r\n*1\r\n$1\r\nab"]);
    for first in 0..PIPELINE.len() {
        let (head, tail) = PIPELINE.split_at(first);
        assert_eq!(parse_pieces(&[head, tail]), (whole.clone(), Ok(())), "cut at {first}");
        for second in 0..tail.len() {
            let pieces = [head, &tail[..second], &tail[second..]];
            assert_eq!(parse_pieces(&pieces).0, whole, "cut at {first} and {second}");
        }
    }
    let bytes: Vec<&[u8]> = PIPELINE.chunks(1).collect();
    assert_eq!(parse_pieces(&bytes), (whole, Ok(())));
}

#[test]
fn headers_are_judged_as_by_redis() {
    use ProtocolError::*;
    let digits = |prefix: &str, count: usize| [prefix.as_bytes(), &b"1".repeat(count)].concat();
    let expected: Vec<(Vec<u8>, Result<usize, ProtocolError>)> = vec![
        (b"*2147483648\r\n".into(), Err(InvalidCount)),
        (b"*2147483647\r\n".into(), Ok(0)),
        (b"*-2147483649\r\n*1\r\n$1\r\na\r\n".into(), Ok(1)),
        (b"*-99999999999999999999\r\n".into(), Err(InvalidCount)),
        (b"*\r\n".into(), Err(InvalidCount)),
        (b"*+1\r\n".into(), Err(InvalidCount)),
        (b"*01\r\n".into(), Err(InvalidCount)),
        (b"*-0\r\n".into(), Err(InvalidCount)),
        (b"*1\n$4\r\n".into(), Err(InvalidCount)),
        (b"*abc\r\n".into(), Err(InvalidCount)),
        (b"*1\r\n$536870913\r\n".into(), Err(InvalidBulkLength)),
        (b"*1\r\n$536870912\r\n".into(), Ok(0)),
        (b"*1\r\n$\r\n".into(), Err(InvalidBulkLength)),
        (b"*1\r\n$04\r\n".into(), Err(InvalidBulkLength)),
        (b"*1\r\n$-1\r\n".into(), Err(InvalidBulkLength)),
        (b"*1\r\n$99999999999999999999\r\n".into(), Err(InvalidBulkLength)),
        (b"*1\r\n+abc\r\n".into(), Err(ExpectedBulk(b'+'))),
        (b"*1\r\n5\r\n".into(), Err(ExpectedBulk(b'5'))),
        (b"*1\r\n55\r\n".into(), Err(ExpectedBulk(b'5'))),
        (b"*1\r\n\r\r".into(), Err(ExpectedBulk(b'\r'))),
        (b"*1\r\n\xff\r\n".into(), Err(ExpectedBulk(0xff))),
        (b"*1\r\nx\r".into(), Ok(0)),
        (b"*1\r\n\0\r\n".into(), Ok(0)),
        (b"\0abc\r\n".into(), Ok(0)),
        (b"*1\rx$4\rxPINGxx*1\r\n$1\r\na\r\n".into(), Ok(2)),
        (b"set \"a b\r\n".into(), Err(UnbalancedQuotes)),
        (digits("*", LINE_BYTES_MAX), Err(CountTooBig)),
        (digits("*", LINE_BYTES_MAX - 1), Ok(0)),
        (digits("*1\r\n$", LINE_BYTES_MAX), Err(BulkCountTooBig)),
        (digits("*1\r\nx", LINE_BYTES_MAX - 1), Ok(0)),
        (digits("*1\r\nx", LINE_BYTES_MAX), Err(BulkCountTooBig)),
        (digits("x", LINE_BYTES_MAX - 1), Ok(0)),
        (digits("x", LINE_BYTES_MAX), Err(InlineTooBig)),
        ([digits("x", LINE_BYTES_MAX), b"\n".to_vec()].concat(), Ok(1)),
    ];
    for (bytes, result) in expected {
        let shown = bytes[..bytes.len().min(40)].escape_ascii();
        assert_eq!(outcome(&bytes, Limits::default()), result, "{shown}");
    }
}

#[test]
fn strangers_may_send_little() {
    let limits = Limits { trust: Trust::Unauthenticated, ..Limits::default() };
    assert_eq!(outcome(b"*11\r\n", limits), Err(ProtocolError::UnauthenticatedCount));
    assert_eq!(outcome(b"*10\r\n", limits), Ok(0));
    assert_eq!(outcome(b"*1\r\n$16385\r\n", limits), Err(ProtocolError::UnauthenticatedBulkLength));
    assert_eq!(outcome(b"*1\r\n$16384\r\n", limits), Ok(0));
    assert_eq!(outcome(b"*2147483648\r\n", limits), Err(ProtocolError::InvalidCount));
    assert_eq!(outcome(b"*1\r\n$99999999999\r\n", limits), Err(ProtocolError::InvalidBulkLength));
}

#[test]
fn the_largest_limit_does_not_overflow() {
    let limits = Limits { proto_max_bulk_bytes: i64::MAX, ..Limits::default() };
    let mut connection = Connection::default();
    connection.read(b"*1\r\n$9223372036854775807\r\nabc", &limits).expect("within the limit");
    assert_eq!(connection.parser.wanted_bytes(), i64::MAX as usize + 2 - 3);
    assert_eq!(connection.parser.heap_bytes(), 0);
}

#[test]
fn announced_numbers_allocate_nothing() {
    let mut connection = Connection::default();
    connection.read(b"*2147483647\r\n$1\r\na\r\n$536870912\r\nab", &Limits::default()).expect("legal so far");
    assert!(connection.parser.heap_bytes() <= 8 * size_of::<Span>());
    assert_eq!(connection.parser.wanted_bytes(), 536_870_912);
    assert_eq!(connection.parser.progress(), (1, 2_147_483_646));
}

#[test]
fn spans_of_earlier_commands_stay_when_a_later_one_fails() {
    let (mut parser, mut spans) = (Parser::new(), Vec::new());
    let buffer = b"*1\r\n$1\r\na\r\n*2\r\n$1\r\nb\r\n$x\r\n";
    let limits = Limits::default();
    let parsed = parser.parse(buffer, &limits, &mut spans);
    let Ok(Parsed::Command { consumed }) = parsed else { panic!("the first is a command") };
    let failed = parser.parse(&buffer[consumed..], &limits, &mut spans);
    assert_eq!(failed.map(|_| ()), Err(ProtocolError::InvalidBulkLength));
    assert_eq!(spans, [Span { start: 8, end: 9 }]);
}

#[test]
fn many_arguments_in_small_pieces_are_linear() {
    let bytes = [&b"*200000\r\n"[..], &b"$1\r\na\r\n".repeat(200_000)].concat();
    let (mut parser, mut spans) = (Parser::new(), Vec::new());
    for end in (0..bytes.len()).step_by(7) {
        let parsed = parser.parse(&bytes[..end], &Limits::default(), &mut spans);
        assert!(matches!(parsed, Ok(Parsed::Incomplete)) && spans.is_empty());
    }
    let parsed = parser.parse(&bytes, &Limits::default(), &mut spans);
    assert!(matches!(parsed, Ok(Parsed::Command { consumed }) if consumed == bytes.len()));
    assert_eq!(spans.len(), 200_000);
    assert!(parser.heap_bytes() == 0 && parser.is_between_commands());
}

#[test]
fn errors_have_redis_texts() {
    assert_eq!(ProtocolError::ExpectedBulk(b'+').to_string(), "expected '$', got '+'");
    assert_eq!(ProtocolError::ExpectedBulk(0xff).reply(), b"ERR Protocol error: expected '$', got '\xff'");
    assert_eq!(ProtocolError::InvalidCount.reply(), b"ERR Protocol error: invalid multibulk length");
}

/// Bytes that are mostly requests.
fn almost_requests() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        4 => (0..12usize).prop_map(|count| format!("*{count}\r\n").into_bytes()),
        8 => prop::collection::vec(any::<u8>(), 0..40)
            .prop_map(|bulk| [format!("${}\r\n", bulk.len()).as_bytes(), &bulk, b"\r\n"].concat()),
        1 => "[-*$\r\n\"' 0-9a-z]{0,8}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn anything_parses_the_same_in_any_pieces(bytes in almost_requests(), size in 1..20usize) {
        let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
        prop_assert_eq!(parse_pieces(&pieces), parse_pieces(&[&bytes]));
    }

    #[test]
    fn commands_come_back(
        commands in prop::collection::vec(prop::collection::vec(any::<Vec<u8>>(), 1..6), 0..6),
        size in 1..300usize,
    ) {
        let mut bytes = Vec::new();
        for command in &commands {
            bytes.extend(format!("*{}\r\n", command.len()).into_bytes());
            for word in command {
                bytes.extend([format!("${}\r\n", word.len()).as_bytes(), word, b"\r\n"].concat());
            }
        }
        let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
        prop_assert_eq!(parse_pieces(&pieces), (commands, Ok(())));
    }
}
