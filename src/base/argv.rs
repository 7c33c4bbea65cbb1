//! The arguments of one command: a buffer and the ranges in it.
//!
//! While a command runs its arguments are slices of the connection's read buffer; nothing is copied until it is stored
//! (`Args`). What must outlive the buffer (a queued command of MULTI, a slow log line) owns its bytes (`Argv`).

/// The place of one argument in its buffer, in bytes: `start..end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

/// A view of one command's arguments; argument 0 is the command's name.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    bytes: &'a [u8],
    spans: &'a [Span],
}

impl<'a> Args<'a> {
    /// The caller promises that every span lies inside `bytes`.
    pub fn new(bytes: &'a [u8], spans: &'a [Span]) -> Self {
        debug_assert!(spans.iter().all(|s| s.start <= s.end && s.end <= bytes.len()));
        Args { bytes, spans }
    }

    pub fn len(&self) -> usize {
        self.spans.len()
    }

    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Argument `index`. The gates have checked the arity, so an index below the spec's minimum is always there.
    pub fn at(&self, index: usize) -> &'a [u8] {
        let span = self.spans[index];
        &self.bytes[span.start..span.end]
    }

    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        self.spans.get(index).map(|span| &self.bytes[span.start..span.end])
    }

    /// The arguments from `index` on.
    pub fn from(&self, index: usize) -> Args<'a> {
        Args { bytes: self.bytes, spans: &self.spans[index.min(self.spans.len())..] }
    }

    /// The arguments before `index`.
    pub fn until(&self, index: usize) -> Args<'a> {
        Args { bytes: self.bytes, spans: &self.spans[..index.min(self.spans.len())] }
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &'a [u8]> + ExactSizeIterator + Clone + use<'a> {
        let bytes = self.bytes;
        self.spans.iter().map(move |span| &bytes[span.start..span.end])
    }

    /// Bytes from where the first argument begins to where the last one ends.
    #[inline]
    pub fn extent_bytes(&self) -> usize {
        match self.spans {
            [first, .., last] => last.end.saturating_sub(first.start),
            [only] => only.end - only.start,
            [] => 0,
        }
    }

    /// An owned copy, in one buffer of exactly the bytes it needs.
    pub fn to_owned(&self) -> Argv {
        self.iter().collect()
    }
}

impl std::fmt::Debug for Args<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter().map(String::from_utf8_lossy)).finish()
    }
}

/// Arguments that own their bytes.
#[derive(Clone, Default)]
pub struct Argv {
    bytes: Vec<u8>,
    spans: Vec<Span>,
}

impl Argv {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn push(&mut self, argument: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(argument);
        self.spans.push(Span { start, end: self.bytes.len() });
    }

    /// Forgets the arguments and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.spans.clear();
    }

    pub fn args(&self) -> Args<'_> {
        Args::new(&self.bytes, &self.spans)
    }

    /// Heap bytes held.
    pub fn heap_bytes(&self) -> usize {
        self.bytes.capacity() + self.spans.capacity() * size_of::<Span>()
    }
}

impl<T: AsRef<[u8]>> FromIterator<T> for Argv {
    fn from_iter<I: IntoIterator<Item = T>>(arguments: I) -> Self {
        let mut argv = Argv::new();
        arguments.into_iter().for_each(|argument| argv.push(argument.as_ref()));
        argv
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owned_and_borrowed_agree() {
        let argv: Argv = ["set", "", "value"].into_iter().collect();
        let args = argv.args();
        assert_eq!((args.len(), args.at(0), args.at(1), args.get(3)), (3, &b"set"[..], &b""[..], None));
        assert_eq!(args.from(1).to_owned().args().at(1), b"value");
    }
}
