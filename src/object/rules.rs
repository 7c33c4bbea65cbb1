//! The thresholds between encodings.

use crate::encoding::dict::HashSeed;

/// The thresholds in force, by their directives' names, and the seed of tables. Sizes are in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub seed: HashSeed,
    pub hash_max_listpack_entries: usize,
    pub hash_max_listpack_value: usize,
    pub set_max_intset_entries: usize,
    pub set_max_listpack_entries: usize,
    pub set_max_listpack_value: usize,
    pub zset_max_listpack_entries: usize,
    pub zset_max_listpack_value: usize,
    /// Positive: elements; -1 to -5: 4 KiB to 64 KiB.
    pub list_max_listpack_size: i64,
    /// Nodes at either end that stay uncompressed; 0: all.
    pub list_compress_depth: usize,
    /// Elements of large lists from this size on get a node of their own. Only DEBUG lowers it.
    pub list_plain_bytes_min: usize,
    /// 0: no limit.
    pub stream_node_max_bytes: usize,
    /// 0: no limit.
    pub stream_node_max_entries: usize,
    pub hll_sparse_max_bytes: usize,
}

impl Default for Rules {
    /// The defaults of the directives.
    fn default() -> Self {
        Rules {
            seed: HashSeed([0; 16]),
            hash_max_listpack_entries: 512,
            hash_max_listpack_value: 64,
            set_max_intset_entries: 512,
            set_max_listpack_entries: 128,
            set_max_listpack_value: 64,
            zset_max_listpack_entries: 128,
            zset_max_listpack_value: 64,
            list_max_listpack_size: -2,
            list_compress_depth: 0,
            list_plain_bytes_min: usize::MAX,
            stream_node_max_bytes: 4096,
            stream_node_max_entries: 100,
            hll_sparse_max_bytes: 3000,
        }
    }
}
