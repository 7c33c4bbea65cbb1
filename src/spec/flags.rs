//! Command flags, with the names that COMMAND INFO answers.

/// A set of command flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Flags(u32);

macro_rules! flags {
    ($($(#[$doc:meta])* $constant:ident = $bit:literal, $name:literal;)*) => {
        impl Flags {
            $($(#[$doc])* pub const $constant: Flags = Flags(1 << $bit);)*
            /// Every flag with its name, in the order in which COMMAND INFO lists them.
            pub const NAMES: &'static [(Flags, &'static str)] = &[$((Flags::$constant, $name)),*];
        }
    };
}

flags! {
    /// May change the dataset.
    WRITE = 0, "write";
    READONLY = 1, "readonly";
    /// Refused when memory is above `maxmemory` and nothing can be evicted.
    DENYOOM = 2, "denyoom";
    MODULE = 3, "module";
    ADMIN = 4, "admin";
    PUBSUB = 5, "pubsub";
    NOSCRIPT = 6, "noscript";
    BLOCKING = 7, "blocking";
    /// Allowed while the dataset is being loaded.
    LOADING = 8, "loading";
    STALE = 9, "stale";
    SKIP_MONITOR = 10, "skip_monitor";
    SKIP_SLOWLOG = 11, "skip_slowlog";
    ASKING = 12, "asking";
    /// Constant or logarithmic time.
    FAST = 13, "fast";
    /// May be called before AUTH.
    NO_AUTH = 14, "no_auth";
    MAY_REPLICATE = 15, "may_replicate";
    NO_MANDATORY_KEYS = 16, "no_mandatory_keys";
    /// Guarded by `enable-debug-command` and its kin.
    PROTECTED = 17, "protected";
    NO_ASYNC_LOADING = 18, "no_async_loading";
    /// Refused inside MULTI.
    NO_MULTI = 19, "no_multi";
    ALLOW_BUSY = 20, "allow_busy";
    MOVABLEKEYS = 21, "movablekeys";
    /// Exists in Sentinel as well. COMMAND does not print it.
    SENTINEL = 22, "sentinel";
    TOUCHES_ARBITRARY_KEYS = 23, "touches_arbitrary_keys";
}

impl Flags {
    pub const NONE: Flags = Flags(0);

    pub const fn or(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    pub const fn and(self, other: Flags) -> Flags {
        Flags(self.0 & other.0)
    }

    pub const fn without(self, other: Flags) -> Flags {
        Flags(self.0 & !other.0)
    }

    /// Whether any flag of `other` is in this set.
    pub const fn has(self, other: Flags) -> bool {
        self.0 & other.0 != 0
    }
}

impl std::ops::BitOr for Flags {
    type Output = Flags;
    fn bitor(self, other: Flags) -> Flags {
        self.or(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_bits_are_unique() {
        for (index, (flag, name)) in Flags::NAMES.iter().enumerate() {
            assert!(Flags::NAMES[..index].iter().all(|(other, text)| !other.has(*flag) && text != name));
        }
    }
}
