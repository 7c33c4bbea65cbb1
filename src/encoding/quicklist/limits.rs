//! How large a node may become: the directives `list-max-listpack-size` and `list-compress-depth`.

/// A node that is limited by its elements may not be larger than this either, in bytes.
const BYTES_OF_COUNTED: usize = 8192;

/// What a node, or a list that is one listpack, may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeLimit {
    Bytes(usize),
    Entries(usize),
}

impl NodeLimit {
    /// The value of `list-max-listpack-size`: elements if positive, -1 to -5 for 4 to 64 KiB.
    pub const fn from_directive(value: i64) -> NodeLimit {
        match value {
            1.. => NodeLimit::Entries(value as usize),
            0 => NodeLimit::Entries(1),
            -1 => NodeLimit::Bytes(4 << 10),
            -2 => NodeLimit::Bytes(8 << 10),
            -3 => NodeLimit::Bytes(16 << 10),
            -4 => NodeLimit::Bytes(32 << 10),
            _ => NodeLimit::Bytes(64 << 10),
        }
    }

    #[inline]
    pub const fn allows(self, bytes: usize, entries: usize) -> bool {
        match self {
            NodeLimit::Bytes(most) => bytes <= most,
            NodeLimit::Entries(most) => bytes <= BYTES_OF_COUNTED && entries <= most,
        }
    }

    /// Whether a node of this size is below half of the limit, so that a list may become one listpack again without
    /// growing out of it at once.
    pub const fn is_far_from(self, bytes: usize, entries: usize) -> bool {
        match self {
            NodeLimit::Bytes(most) => bytes <= most / 2,
            NodeLimit::Entries(most) => entries <= most / 2,
        }
    }

    /// Whether an element of this many bytes fits into no node.
    #[inline]
    const fn is_too_small_for(self, text_len: usize) -> bool {
        match self {
            NodeLimit::Bytes(most) => text_len > most,
            NodeLimit::Entries(_) => text_len > BYTES_OF_COUNTED,
        }
    }
}

/// The rules in force when a list is edited.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub node: NodeLimit,
    /// So many nodes at either end are never compressed; 0: none is.
    pub compress_depth: usize,
    /// Elements of so many bytes get a node of their own even if a node could hold them; `usize::MAX`: none does.
    pub plain_bytes_min: usize,
}

impl Limits {
    /// Whether an element of this many bytes gets a node of its own.
    #[inline]
    pub(super) const fn is_plain(&self, text_len: usize) -> bool {
        self.node.is_too_small_for(text_len) || text_len >= self.plain_bytes_min
    }
}
