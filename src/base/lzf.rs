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

/// One byte of a stream stands for at most this many bytes of content: three bytes make 264.
pub const EXPANSION_MAX: usize = 88;

const LITERALS_MAX: usize = 32;
const MATCH_MIN: usize = 3;
const MATCH_MAX: usize = 264;
const OFFSET_MAX: usize = 8192;
const TABLE_BITS: u32 = 12;
/// After this many positions without a match (as a power of two) the stride grows by one.
const STRIDE_SHIFT: u32 = 6;
const STRIDE_MAX: usize = 8;

/// Takes a compressed stream piece by piece.
pub trait Sink {
    /// How many more bytes may come. The compressor gives up rather than exceed it.
    fn room(&self) -> usize;
    /// None stops the compression.
    fn put(&mut self, bytes: &[u8]) -> Option<()>;
}

/// The compressor's memory of where it saw which three bytes.
///
/// The table is not cleared between inputs: an entry is the position plus a bias that grows from input to
/// input, so that all entries of earlier inputs lie below `floor`. It is cleared when the 16 bits are used
/// up, once per 64 KiB of input.
pub struct Compressor {
    table: [u16; 1 << TABLE_BITS],
    /// The entry that position 0 of the next input gets; never 0, which means empty.
    next: usize,
}

impl Compressor {
    pub fn new() -> Self {
        Compressor { table: [0; 1 << TABLE_BITS], next: 1 }
    }

    /// Compresses `input` into `out`; returns the length of the stream, or None if `out` is too small for it.
    /// What `out` holds is unspecified then.
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

    /// Compresses `input` into a sink; None if the sink had no room or stopped it.
    pub fn compress_to<S: Sink>(&mut self, input: &[u8], sink: &mut S) -> Option<()> {
        let mut search = self.begin(input);
        let (mut at, mut literals_from, mut misses) = (0, 0, 0usize);
        while let Some(found) = search.probe(at) {
            let Some(offset) = found else {
                misses += 1;
                at += (1 + (misses >> STRIDE_SHIFT)).min(STRIDE_MAX);
                continue;
            };
            let length = match_length(input, at - offset, at);
            put_literals(sink, &input[literals_from..at])?;
            put_reference(sink, length, offset)?;
            at += length;
            search.remember(at - 2);
            search.remember(at - 1);
            literals_from = at;
            misses = 0;
        }
        put_literals(sink, &input[literals_from..])
    }

    fn begin<'a>(&'a mut self, input: &'a [u8]) -> Search<'a> {
        if self.next.saturating_add(input.len()) > usize::from(u16::MAX) {
            self.table.fill(0);
            self.next = 1;
        }
        let floor = self.next;
        self.next = floor.saturating_add(input.len());
        Search { table: &mut self.table, input, floor, forgotten: 0 }
    }
}

impl Default for Compressor {
    fn default() -> Self {
        Self::new()
    }
}

/// The table during one input. The entry of a position is `position + floor - forgotten`.
struct Search<'a> {
    table: &'a mut [u16; 1 << TABLE_BITS],
    input: &'a [u8],
    /// Entries below belong to earlier inputs.
    floor: usize,
    /// How far the entries have been moved down, in inputs too long for 16 bits.
    forgotten: usize,
}

impl Search<'_> {
    /// Remembers position `at`. None at the end of the input (four bytes are read to compare three),
    /// `Some(None)` if the three bytes there were not seen within reach, else how far back they are.
    #[inline]
    fn probe(&mut self, at: usize) -> Option<Option<usize>> {
        let word = self.three_bytes(at)?;
        let entry = self.entry(at);
        let place = &mut self.table[hash(word)];
        let earlier = usize::from(std::mem::replace(place, entry as u16));
        let floor = self.floor.saturating_sub(self.forgotten).max(1);
        let offset = entry.wrapping_sub(earlier);
        let reachable = earlier >= floor && offset <= OFFSET_MAX;
        Some((reachable && self.three_bytes(at - offset) == Some(word)).then_some(offset))
    }

    #[inline]
    fn remember(&mut self, at: usize) {
        if let Some(word) = self.three_bytes(at) {
            let entry = self.entry(at);
            self.table[hash(word)] = entry as u16;
        }
    }

    #[inline]
    fn three_bytes(&self, at: usize) -> Option<u32> {
        let bytes = self.input.get(at..)?.first_chunk::<4>()?;
        Some(u32::from_le_bytes(*bytes) & 0x00ff_ffff)
    }

    /// Always fits 16 bits.
    #[inline]
    fn entry(&mut self, at: usize) -> usize {
        let entry = at + self.floor - self.forgotten;
        if entry <= usize::from(u16::MAX) { entry } else { self.forget(entry) }
    }

    /// Moves all entries down so that only what a reference can reach is kept. Returns the new entry of the
    /// current position.
    #[cold]
    fn forget(&mut self, entry: usize) -> usize {
        let shift = entry - OFFSET_MAX - 1;
        for place in self.table.iter_mut() {
            *place = usize::from(*place).saturating_sub(shift) as u16;
        }
        self.forgotten += shift;
        entry - shift
    }
}

#[inline]
fn hash(word: u32) -> usize {
    (word.wrapping_mul(0x9e37_79b1) >> (32 - TABLE_BITS)) as usize
}

/// How many bytes at `earlier` and `at` agree; the first three are known to.
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

/// Asks for room first, so that input without any match costs no copying.
#[inline]
fn put_literals<S: Sink>(sink: &mut S, literals: &[u8]) -> Option<()> {
    if literals.len() + literals.len().div_ceil(LITERALS_MAX) > sink.room() {
        return None;
    }
    for run in literals.chunks(LITERALS_MAX) {
        sink.put(&[(run.len() - 1) as u8])?;
        sink.put(run)?;
    }
    Some(())
}

#[inline]
fn put_reference<S: Sink>(sink: &mut S, length: usize, offset: usize) -> Option<()> {
    let (length, offset) = (length - 2, offset - 1);
    let (high, low) = ((offset >> 8) as u8, offset as u8);
    if length < 7 {
        sink.put(&[(length as u8) << 5 | high, low])
    } else {
        sink.put(&[7 << 5 | high, (length - 7) as u8, low])
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
    let (mut rest, mut filled) = (input, 0);
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
