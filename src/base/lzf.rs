//! LZF: the small, fast compression of strings inside RDB files.
//!
//! ```text
//! a stream is a sequence of
//!   000nnnnn                    literals: n + 1 bytes follow                              1..32 bytes
//!   lllooooo oooooooo           reference: length l + 2 (l in 1..=6), offset o + 1        3..8 bytes
//!   111ooooo llllllll oooooooo  reference: length l + 9, offset o + 1                     9..264 bytes
//! ```
//! A reference copies `length` bytes from `offset` (1..=8192) bytes back; source and destination may overlap.
//! The stream knows neither its own length nor that of its content: both are kept outside.
//!
//! Invariants
//! 1. Neither direction allocates.
//! 2. What `Compressor` says depends on the input alone, not on what it compressed before: two passes over
//!    one input (`compressed_len`, then `compress_to`) give the same stream.
//! 3. `decompress` fills its output exactly or fails; no input makes it panic or read or write out of bounds.
//!
//! The compressor does not search for the best matches and need not give the bytes that another LZF gives: it
//! looks at one earlier place per position, and strides faster through data in which it finds nothing.

use std::fmt;
use std::ops::Range;

/// One byte of a stream stands for at most this many bytes of content: three bytes make 264.
pub const EXPANSION_MAX: usize = 88;

const LITERALS_MAX: usize = 32;
/// The format knows matches of three bytes. They save nothing between literals, and are what random text is full of.
const MATCH_MIN: usize = 4;
const MATCH_MAX: usize = 264;
const OFFSET_MAX: usize = 8192;
const TABLE_BITS: u32 = 12;
/// After this many positions without a match (as a power of two) the stride grows by one.
const STRIDE_SHIFT: u32 = 5;
const STRIDE_MAX: usize = 8;

/// So many matches must have saved a 32nd of the input so far. Else it is given up: text like random letters is full of
/// short ones, which cost most of all and save nearly nothing.
const TRIAL_MATCHES: usize = 64;
const TRIAL_GAIN_PART: isize = 32;

/// Takes a compressed stream piece by piece.
pub trait Sink {
    /// How many more bytes may come. The compressor gives up rather than exceed it.
    fn room(&self) -> usize;
    /// None stops the compression.
    fn put(&mut self, bytes: &[u8]) -> Option<()>;
    /// The first `len` bytes of `from`, 1 to 32, as literals; there is room for them.
    #[inline]
    fn put_run(&mut self, from: &[u8], len: usize) -> Option<()> {
        self.put(&[(len - 1) as u8])?;
        self.put(&from[..len])
    }
}

/// The compressor's memory of where it saw which four bytes.
///
/// The table is not cleared between inputs: an entry is the position plus a bias that grows from input to
/// input, so that all entries of earlier inputs lie too far back. It is cleared when the 32 bits are used up.
pub struct Compressor {
    table: [u32; 1 << TABLE_BITS],
    /// The entry that position 0 of the next input gets; never 0, which means empty.
    next: u32,
}

impl Compressor {
    pub fn new() -> Self {
        Compressor { table: [0; 1 << TABLE_BITS], next: 1 }
    }

    /// Compresses `input` into `out`; returns the length of the stream, or None if `out` is too small for it.
    /// Also None if the stream would hardly be shorter than the input. What `out` holds is unspecified then.
    pub fn compress(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize> {
        let mut sink = SliceSink { out, filled: 0 };
        self.compress_to(input, &mut sink)?;
        Some(sink.filled)
    }

    /// The length `input` would have compressed, if that is at most `len_max`.
    pub fn compressed_len(&mut self, input: &[u8], len_max: usize) -> Option<usize> {
        let mut sink = CountingSink { room: len_max };
        self.compress_to(input, &mut sink)?;
        Some(len_max - sink.room)
    }

    /// Compresses `input` into a sink; None if the sink had no room or stopped it, or it is not worth it.
    pub fn compress_to<S: Sink>(&mut self, input: &[u8], sink: &mut S) -> Option<()> {
        let bias = self.begin(input.len());
        let (mut at, mut literals_from, mut misses) = (0, 0, 0_usize);
        let (mut saved, mut matches) = (0_isize, 0);
        while let Some(word) = four_bytes(input, at) {
            let entry = bias.wrapping_add(at as u32);
            let earlier = std::mem::replace(&mut self.table[hash(word)], entry);
            let offset = entry.wrapping_sub(earlier) as usize;
            // Both conditions at once: which of them fails cannot be foreseen.
            let is_within_reach = offset.wrapping_sub(1) < at.min(OFFSET_MAX);
            let is_same = four_bytes(input, at.saturating_sub(offset)) == Some(word);
            if !(is_within_reach & is_same) {
                misses += 1;
                at += (1 + (misses >> STRIDE_SHIFT)).min(STRIDE_MAX);
                continue;
            }
            let length = match_length(input, at - offset, at);
            let overhead =
                put_literals(sink, input, literals_from..at)? + put_reference(sink, length, offset)?;
            at += length;
            saved += length as isize - overhead as isize;
            matches += 1;
            if matches == TRIAL_MATCHES && saved * TRIAL_GAIN_PART < at as isize {
                return None;
            }
            if let Some(word) = four_bytes(input, at - 2) {
                self.table[hash(word)] = bias.wrapping_add(at as u32 - 2);
            }
            literals_from = at;
            misses = 0;
        }
        put_literals(sink, input, literals_from..input.len()).map(|_| ())
    }

    /// What is added to positions in an input of this length. (One beyond 4 GiB gets some entries twice. That costs
    /// matches, but gives no wrong ones, since the bytes are compared.)
    fn begin(&mut self, input_len: usize) -> u32 {
        let len = u32::try_from(input_len).unwrap_or(u32::MAX);
        if self.next.checked_add(len).is_none() {
            self.table.fill(0);
            self.next = 1;
        }
        let bias = self.next;
        self.next = bias.saturating_add(len);
        bias
    }
}

impl Default for Compressor {
    fn default() -> Self {
        Self::new()
    }
}

/// None at the end.
#[inline]
fn four_bytes(input: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*input.get(at..)?.first_chunk::<4>()?))
}

#[inline]
fn hash(word: u32) -> usize {
    (word.wrapping_mul(0x9e37_79b1) >> (32 - TABLE_BITS)) as usize
}

/// How many bytes at `earlier` and `at` agree; the first four are known to.
#[inline]
fn match_length(input: &[u8], earlier: usize, at: usize) -> usize {
    let limit = (input.len() - at).min(MATCH_MAX);
    let (there, here) = (&input[earlier..earlier + limit], &input[at..at + limit]);
    let mut length = MATCH_MIN;
    while let (Some(a), Some(b)) = (there[length..].first_chunk::<8>(), here[length..].first_chunk::<8>()) {
        let difference = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if difference != 0 {
            return length + difference.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    while length < limit && there[length] == here[length] {
        length += 1;
    }
    length
}

/// Asks for room first, so that input without any match costs no copying. Returns how many bytes it took beyond the
/// literals.
#[inline]
fn put_literals<S: Sink>(sink: &mut S, input: &[u8], literals: Range<usize>) -> Option<usize> {
    let runs = literals.len().div_ceil(LITERALS_MAX);
    if literals.len() + runs > sink.room() {
        return None;
    }
    let mut at = literals.start;
    while at < literals.end {
        let len = (literals.end - at).min(LITERALS_MAX);
        sink.put_run(&input[at..], len)?;
        at += len;
    }
    Some(runs)
}

/// Returns how many bytes it took.
#[inline]
fn put_reference<S: Sink>(sink: &mut S, length: usize, offset: usize) -> Option<usize> {
    let (length, offset) = (length - 2, offset - 1);
    let (high, low) = ((offset >> 8) as u8, offset as u8);
    if length < 7 {
        sink.put(&[(length as u8) << 5 | high, low])?;
        Some(2)
    } else {
        sink.put(&[7 << 5 | high, (length - 7) as u8, low])?;
        Some(3)
    }
}

struct SliceSink<'a> {
    out: &'a mut [u8],
    filled: usize,
}

impl Sink for SliceSink<'_> {
    #[inline]
    fn room(&self) -> usize {
        self.out.len() - self.filled
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Option<()> {
        self.out.get_mut(self.filled..)?.get_mut(..bytes.len())?.copy_from_slice(bytes);
        self.filled += bytes.len();
        Some(())
    }

    /// Where both sides have 32 bytes left it copies 32, which is one move of fixed size; what comes too much is
    /// overwritten later, or lies behind the end.
    #[inline]
    fn put_run(&mut self, from: &[u8], len: usize) -> Option<()> {
        let rest = self.out.get_mut(self.filled..)?;
        match (from.first_chunk::<LITERALS_MAX>(), rest.first_chunk_mut::<{ LITERALS_MAX + 1 }>()) {
            (Some(source), Some(target)) => {
                target[0] = (len - 1) as u8;
                target[1..].copy_from_slice(source);
            }
            _ => {
                let (control, rest) = rest.get_mut(..=len)?.split_first_mut()?;
                *control = (len - 1) as u8;
                rest.copy_from_slice(&from[..len]);
            }
        }
        self.filled += 1 + len;
        Some(())
    }
}

struct CountingSink {
    room: usize,
}

impl Sink for CountingSink {
    fn room(&self) -> usize {
        self.room
    }

    fn put(&mut self, bytes: &[u8]) -> Option<()> {
        self.room = self.room.checked_sub(bytes.len())?;
        Some(())
    }
}

/// Why a stream is not what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LzfError {
    /// The stream ends inside an instruction.
    Truncated,
    /// A reference reaches to before the first byte.
    OffsetBeforeStart,
    /// The content is longer than announced.
    TooLong,
    /// The content is shorter than announced.
    TooShort,
}

impl fmt::Display for LzfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LzfError::Truncated => "the stream ends inside an instruction",
            LzfError::OffsetBeforeStart => "a reference reaches before the start",
            LzfError::TooLong => "the content is longer than announced",
            LzfError::TooShort => "the content is shorter than announced",
        })
    }
}

impl std::error::Error for LzfError {}

/// Decompresses `input` into exactly the whole of `out`.
pub fn decompress(input: &[u8], out: &mut [u8]) -> Result<(), LzfError> {
    let (mut rest, mut filled) = decompress_roomy(input, out)?;
    while let Some((&control, tail)) = rest.split_first() {
        rest = tail;
        let control = usize::from(control);
        if control < LITERALS_MAX {
            let length = control + 1;
            copy_literals(rest, out, filled, length)?;
            rest = &rest[length..];
            filled += length;
        } else {
            let mut length = (control >> 5) + 2;
            if length == 9 {
                length += usize::from(take_byte(&mut rest)?);
            }
            let offset = ((control & 31) << 8 | usize::from(take_byte(&mut rest)?)) + 1;
            copy_reference(out, filled, length, offset)?;
            filled += length;
        }
    }
    if filled == out.len() { Ok(()) } else { Err(LzfError::TooShort) }
}

/// As `decompress`, as long as both sides have room for the longest literals: then instructions are whole, and most are
/// a move of fixed size. What comes too much, which may not even be filled where it comes from, is overwritten by the
/// next. Returns what is left, and how much is filled.
#[inline]
fn decompress_roomy<'a>(mut rest: &'a [u8], out: &mut [u8]) -> Result<(&'a [u8], usize), LzfError> {
    /// Short references are no longer.
    const SHORT: usize = 8;
    let mut filled = 0;
    let Some(last) = out.len().checked_sub(LITERALS_MAX) else { return Ok((rest, 0)) };
    while let Some(source) = rest.first_chunk::<{ LITERALS_MAX + 1 }>()
        && filled <= last
    {
        let control = usize::from(source[0]);
        if control < LITERALS_MAX {
            let literals = *source[1..].first_chunk::<LITERALS_MAX>().expect(ROOM);
            *out[filled..].first_chunk_mut().expect(ROOM) = literals;
            filled += control + 1;
            rest = &rest[control + 2..];
        } else if control < 7 << 5 {
            let offset = ((control & 31) << 8 | usize::from(source[1])) + 1;
            let length = (control >> 5) + 2;
            if (length..=filled).contains(&offset) {
                let earlier = *out[filled - offset..].first_chunk::<SHORT>().expect(ROOM);
                *out[filled..].first_chunk_mut().expect(ROOM) = earlier;
            } else {
                copy_reference(out, filled, length, offset)?;
            }
            filled += length;
            rest = &rest[2..];
        } else {
            let offset = ((control & 31) << 8 | usize::from(source[2])) + 1;
            let length = usize::from(source[1]) + 9;
            if length <= LITERALS_MAX && (length..=filled).contains(&offset) {
                let earlier = *out[filled - offset..].first_chunk::<LITERALS_MAX>().expect(ROOM);
                *out[filled..].first_chunk_mut().expect(ROOM) = earlier;
            } else {
                copy_reference(out, filled, length, offset)?;
            }
            filled += length;
            rest = &rest[3..];
        }
    }
    Ok((rest, filled))
}

const ROOM: &str = "the caller has looked that both sides have room";

fn take_byte(rest: &mut &[u8]) -> Result<u8, LzfError> {
    let (&byte, tail) = rest.split_first().ok_or(LzfError::Truncated)?;
    *rest = tail;
    Ok(byte)
}

/// Copies `length` (1..=32) bytes. Where both sides have 32 bytes left it copies 32, which is one move of
/// fixed size; what comes too much is overwritten by the next instruction.
#[inline]
fn copy_literals(from: &[u8], out: &mut [u8], filled: usize, length: usize) -> Result<(), LzfError> {
    let to = &mut out[filled..];
    if let (Some(source), Some(target)) =
        (from.first_chunk::<LITERALS_MAX>(), to.first_chunk_mut::<LITERALS_MAX>())
    {
        *target = *source;
        return Ok(());
    }
    let source = from.get(..length).ok_or(LzfError::Truncated)?;
    to.get_mut(..length).ok_or(LzfError::TooLong)?.copy_from_slice(source);
    Ok(())
}

/// Copies `length` (3..=264) bytes from `offset` (1..=8192) back.
#[inline]
fn copy_reference(out: &mut [u8], filled: usize, length: usize, offset: usize) -> Result<(), LzfError> {
    let from = filled.checked_sub(offset).ok_or(LzfError::OffsetBeforeStart)?;
    let end = filled + length;
    if end > out.len() {
        return Err(LzfError::TooLong);
    }
    if length <= 16 && offset >= 16 && filled + 16 <= out.len() {
        // The usual short reference, as one move of fixed size.
        out.copy_within(from..from + 16, filled);
    } else if offset >= length {
        out.copy_within(from..from + length, filled);
    } else if offset == 1 {
        let byte = out[from];
        out[filled..end].fill(byte);
    } else {
        // Source and destination overlap: the bytes repeat with period `offset`. Every copy doubles what can
        // be copied.
        let mut copied = 0;
        while copied < length {
            let step = (offset + copied).min(length - copied);
            out.copy_within(from..from + step, filled + copied);
            copied += step;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn compressed(compressor: &mut Compressor, input: &[u8]) -> Vec<u8> {
        let mut out = vec![0; input.len() + input.len().div_ceil(32) + 1];
        let len = compressor.compress(input, &mut out).expect("the worst case fits");
        out.truncate(len);
        out
    }

    fn decompressed(stream: &[u8], len: usize) -> Result<Vec<u8>, LzfError> {
        let mut out = vec![0xa5; len];
        decompress(stream, &mut out).map(|()| out)
    }

    fn assert_round_trip(compressor: &mut Compressor, input: &[u8]) {
        let stream = compressed(compressor, input);
        assert_eq!(decompressed(&stream, input.len()).as_deref(), Ok(input));
        assert!(input.len() <= stream.len() * EXPANSION_MAX);
        assert_eq!(compressor.compressed_len(input, stream.len()), Some(stream.len()));
        if !stream.is_empty() {
            assert_eq!(compressor.compressed_len(input, stream.len() - 1), None);
            let mut small = vec![0; stream.len() - 1];
            assert_eq!(compressor.compress(input, &mut small), None);
        }
        // Exact boundaries: one byte more or less of content, or of stream, is an error.
        assert_eq!(decompressed(&stream, input.len() + 1), Err(LzfError::TooShort));
        if !input.is_empty() {
            assert!(decompressed(&stream, input.len() - 1).is_err());
            assert!(decompressed(&stream[..stream.len() - 1], input.len()).is_err());
        }
    }

    #[test]
    fn stream_written_by_redis() {
        let stream = [0x01, 0x61, 0x61, 0xe0, 0x1a, 0x00, 0x01, 0x61, 0x61];
        assert_eq!(decompressed(&stream, 39), Ok(vec![b'a'; 39]));
    }

    #[test]
    fn the_usual_and_the_extreme() {
        let compressor = &mut Compressor::new();
        for len in (0..300).chain([8191, 8192, 8193, 8200, 65534, 65535, 65536, 65537, 200_000, 1 << 20]) {
            assert_round_trip(compressor, &vec![b'x'; len]);
            let counting: Vec<u8> = (0..len as u32).flat_map(u32::to_le_bytes).take(len).collect();
            assert_round_trip(compressor, &counting);
        }
        assert_eq!(compressed(compressor, &[b'x'; 264 + 3]).len(), 2 + 3 + 3);
    }

    #[test]
    fn matches_at_the_farthest_offset() {
        let mut random = fastrand::Rng::with_seed(2);
        let compressor = &mut Compressor::new();
        for distance in [8190, 8191, 8192, 8193, 8194] {
            let mut input: Vec<u8> = (0..distance).map(|_| random.u8(..)).collect();
            input.extend_from_within(..40);
            input.extend_from_within(..200);
            assert_round_trip(compressor, &input);
        }
        let period: Vec<u8> = (0..5000).map(|_| random.u8(..)).collect();
        let long: Vec<u8> = period.iter().copied().cycle().take(400_000).collect();
        assert_round_trip(compressor, &long);
        let lap = |compressor: &mut Compressor, len: usize| compressed(compressor, &long[..len]).len();
        let (short_ratio, long_ratio) = (lap(compressor, 50_000) / 50, lap(compressor, 400_000) / 400);
        assert!(long_ratio <= short_ratio, "history survives the 64 KiB limit: {short_ratio} {long_ratio}");
    }

    #[test]
    fn incompressible_input_is_given_up() {
        let mut random = fastrand::Rng::with_seed(3);
        let input: Vec<u8> = (0..100_000).map(|_| random.u8(..)).collect();
        let mut out = vec![0; input.len() - 4];
        assert_eq!(Compressor::new().compress(&input, &mut out), None);
    }

    #[test]
    fn earlier_inputs_do_not_matter() {
        let mut random = fastrand::Rng::with_seed(4);
        let old = &mut Compressor::new();
        for _ in 0..2000 {
            let len = random.usize(0..400);
            let input: Vec<u8> = (0..len).map(|_| random.u8(b'a'..b'e')).collect();
            let stream = compressed(old, &input);
            assert_eq!(stream, compressed(&mut Compressor::new(), &input));
            assert_eq!(decompressed(&stream, len), Ok(input));
        }
    }

    #[test]
    fn errors_are_named() {
        assert_eq!(decompressed(&[5, 1], 6), Err(LzfError::Truncated));
        assert_eq!(decompressed(&[0x20], 3), Err(LzfError::Truncated));
        assert_eq!(decompressed(&[0xe0, 0], 9), Err(LzfError::Truncated));
        assert_eq!(decompressed(&[0, 1, 0x20, 1], 4), Err(LzfError::OffsetBeforeStart));
        assert_eq!(decompressed(&[0, 1, 0x20, 0], 3), Err(LzfError::TooLong));
        assert_eq!(decompressed(&[1, 1, 2], 1), Err(LzfError::TooLong));
        assert_eq!(decompressed(&[1, 1, 2], 3), Err(LzfError::TooShort));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn round_trips(input in proptest::collection::vec(0u8..6, 0..3000), noise in any::<Vec<u8>>()) {
            let compressor = &mut Compressor::new();
            assert_round_trip(compressor, &input);
            assert_round_trip(compressor, &noise);
            assert_round_trip(compressor, &[&noise[..], &input, &noise].concat());
        }

        #[test]
        fn hostile_streams_never_panic(stream in any::<Vec<u8>>(), len in 0usize..2000) {
            let _ = decompressed(&stream, len);
        }

        #[test]
        fn damaged_streams_never_panic(input in proptest::collection::vec(0u8..4, 1..500),
                                       at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut stream = compressed(&mut Compressor::new(), &input);
            let at = at.index(stream.len());
            stream[at] = byte;
            let _ = decompressed(&stream, input.len());
        }
    }
}
