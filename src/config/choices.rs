//! Directives whose value is one word of a few: an enum for each, with the words in the order Redis lists
//! them.

use crate::base::os::IoPriority;

/// An enum of words. `WORDS` and `ALL` have the same order; words from `LISTED` on are accepted and not
/// offered.
pub trait Choice: Copy + PartialEq + 'static {
    const WORDS: &'static [&'static str];
    const ALL: &'static [Self];
    const LISTED: usize;

    fn index(self) -> usize {
        Self::ALL.iter().position(|other| *other == self).expect("ALL holds every variant")
    }

    fn at(index: usize) -> Self {
        Self::ALL[index]
    }

    fn word(self) -> &'static str {
        Self::WORDS[self.index()]
    }
}

/// Declares the enum and its words; those after `unlisted` are accepted, and left out of the error text as
/// Redis 7.0 does not know them.
macro_rules! choice {
    ($(#[$comment:meta])* $name:ident { $($variant:ident = $word:literal),* $(,)? }
     $(unlisted { $($late:ident = $late_word:literal),* })?) => {
        $(#[$comment])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum $name { #[default] $($variant,)* $($($late,)*)? }

        impl Choice for $name {
            const WORDS: &'static [&'static str] = &[$($word,)* $($($late_word,)*)?];
            const ALL: &'static [Self] = &[$($name::$variant,)* $($($name::$late,)*)?];
            const LISTED: usize = [$($word,)*].len();
        }
    };
}

choice! {
    /// What is logged: this level and everything more serious.
    LogLevel { Debug = "debug", Verbose = "verbose", Notice = "notice", Warning = "warning" }
    unlisted { Nothing = "nothing" }
}
choice! {
    /// Which process manager is told when the server is ready.
    Supervised { Upstart = "upstart", Systemd = "systemd", Auto = "auto", No = "no" }
}
choice! {
    /// How `oom-score-adj-values` are written to the kernel.
    OomScoreAdj { No = "no", Yes = "yes", Relative = "relative", Absolute = "absolute" }
}
choice! {
    /// Who may use a dangerous thing: nobody, everybody, local connections.
    Restriction { No = "no", Yes = "yes", Local = "local" }
}

impl Restriction {
    /// Whether a client may, which is local or not.
    pub fn allows(self, is_local: bool) -> bool {
        match self {
            Restriction::No => false,
            Restriction::Yes => true,
            Restriction::Local => is_local,
        }
    }
}
choice! {
    /// Whether a client over TLS must show a certificate: never asked for, demanded, checked when there is one.
    TlsAuthClients { No = "no", Yes = "yes", Optional = "optional" }
}
choice! {
    /// What in a client's certificate names the user it is logged in as.
    TlsAuthClientsUser { CommonName = "CN", Uri = "URI", Off = "off" }
}
choice! {
    /// Whose payloads are checked deeply when loaded: nobody's, everybody's, those of RESTORE.
    Sanitize { No = "no", Yes = "yes", Clients = "clients" }
}
choice! {
    /// The RDB version of snapshots: the lowest that loses nothing, or always the same. 80 is Valkey's.
    RdbVersion { Auto = "auto", V9 = "9", V10 = "10", V11 = "11", V12 = "12", V80 = "80" }
}

impl RdbVersion {
    /// The number; None: it depends on the content.
    pub fn pinned(self) -> Option<u16> {
        match self {
            RdbVersion::Auto => None,
            RdbVersion::V9 => Some(9),
            RdbVersion::V10 => Some(10),
            RdbVersion::V11 => Some(11),
            RdbVersion::V12 => Some(12),
            RdbVersion::V80 => Some(80),
        }
    }
}
choice! {
    /// Whether the heap is on huge pages: when that is worth it, whenever it can be, never.
    HugePageUse { Auto = "auto", Yes = "yes", No = "no" }
}
choice! {
    /// How the disk scheduler treats the child: as its nice value implies, or so.
    BgsaveIonice {
        Default = "default", Idle = "idle", BestEffort0 = "best-effort-0", BestEffort1 = "best-effort-1",
        BestEffort2 = "best-effort-2", BestEffort3 = "best-effort-3", BestEffort4 = "best-effort-4",
        BestEffort5 = "best-effort-5", BestEffort6 = "best-effort-6", BestEffort7 = "best-effort-7",
    }
}

impl BgsaveIonice {
    /// `None`: the kernel derives it from the nice value.
    pub fn priority(self) -> Option<IoPriority> {
        match self {
            BgsaveIonice::Default => None,
            BgsaveIonice::Idle => Some(IoPriority::Idle),
            level => u8::try_from(level.index() - BgsaveIonice::BestEffort0.index())
                .ok()
                .map(IoPriority::BestEffort),
        }
    }
}
choice! {
    /// Whether a file of a newer RDB version is refused or tried.
    RdbVersionCheck { Strict = "strict", Relaxed = "relaxed" }
}
choice! {
    /// What is evicted when `maxmemory` is reached.
    MaxmemoryPolicy {
        VolatileLru = "volatile-lru", VolatileLfu = "volatile-lfu", VolatileRandom = "volatile-random",
        VolatileTtl = "volatile-ttl", AllkeysLru = "allkeys-lru", AllkeysLfu = "allkeys-lfu",
        AllkeysRandom = "allkeys-random", Noeviction = "noeviction",
    }
}
choice! {
    /// What a new user may do with channels.
    AclPubsubDefault { Allchannels = "allchannels", Resetchannels = "resetchannels" }
}
