//! What can happen to a key, by the names of keyspace notifications.

macro_rules! events {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// One kind of change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Event { $($(#[$doc])* $variant),* }

        impl Event {
            /// The event's name as subscribers see it.
            pub const fn name(self) -> &'static str {
                match self { $(Event::$variant => $name),* }
            }
        }
    };
}

events! {
    Set = "set";
    SetRange = "setrange";
    Append = "append";
    IncrBy = "incrby";
    IncrByFloat = "incrbyfloat";
    Del = "del";
    Expire = "expire";
    Persist = "persist";
    RenameFrom = "rename_from";
    RenameTo = "rename_to";
    MoveFrom = "move_from";
    MoveTo = "move_to";
    CopyTo = "copy_to";
    Restore = "restore";
    Expired = "expired";
    Evicted = "evicted";
    /// Changed as one of many (a flush, DEBUG POPULATE): for WATCH alone, no notification.
    Touched = "touched";
}
