//! What can happen to a key, by the names and classes of keyspace notifications.

/// The class letter by which `notify-keyspace-events` selects an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventClass {
    Generic,
    String,
    Expired,
    Evicted,
    New,
    /// Changes that Redis signals to WATCH and tracking without a notification.
    Silent,
}

macro_rules! events {
    ($($variant:ident = $class:ident, $name:literal;)*) => {
        /// One kind of change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Event { $($variant),* }

        impl Event {
            /// The event's name as subscribers see it.
            pub const fn name(self) -> &'static str {
                match self { $(Event::$variant => $name),* }
            }

            pub const fn class(self) -> EventClass {
                match self { $(Event::$variant => EventClass::$class),* }
            }
        }
    };
}

events! {
    Set = String, "set";
    SetRange = String, "setrange";
    Append = String, "append";
    IncrBy = String, "incrby";
    IncrByFloat = String, "incrbyfloat";
    Del = Generic, "del";
    Expire = Generic, "expire";
    Persist = Generic, "persist";
    RenameFrom = Generic, "rename_from";
    RenameTo = Generic, "rename_to";
    MoveFrom = Generic, "move_from";
    MoveTo = Generic, "move_to";
    CopyTo = Generic, "copy_to";
    Restore = Generic, "restore";
    Expired = Expired, "expired";
    Evicted = Evicted, "evicted";
    NewKey = New, "new";
    Touched = Silent, "touched";
}
