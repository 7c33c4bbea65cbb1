//! What can happen to a key, by the names and classes of keyspace notifications.

use crate::config::NotifyEvents;

/// Which letter of `notify-keyspace-events` an event belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventClass {
    /// `$`
    String,
    /// `l`
    List,
    /// `s`
    Set,
    /// `z`
    Zset,
    /// `h`
    Hash,
    /// `t`
    Stream,
    /// `g`
    Generic,
    /// `x`
    Expired,
    /// `e`
    Evicted,
    /// `n`
    New,
    /// `m`
    Miss,
    /// `o`
    Overwritten,
    /// `c`
    TypeChanged,
    /// No notification.
    Silent,
}

impl EventClass {
    /// The class as the directive knows it.
    pub const fn notify(self) -> NotifyEvents {
        match self {
            EventClass::String => NotifyEvents::of(b"$"),
            EventClass::List => NotifyEvents::of(b"l"),
            EventClass::Set => NotifyEvents::of(b"s"),
            EventClass::Zset => NotifyEvents::of(b"z"),
            EventClass::Hash => NotifyEvents::of(b"h"),
            EventClass::Stream => NotifyEvents::of(b"t"),
            EventClass::Generic => NotifyEvents::of(b"g"),
            EventClass::Expired => NotifyEvents::of(b"x"),
            EventClass::Evicted => NotifyEvents::of(b"e"),
            EventClass::New => NotifyEvents::NEW,
            EventClass::Miss => NotifyEvents::MISS,
            EventClass::Overwritten => NotifyEvents::OVERWRITTEN,
            EventClass::TypeChanged => NotifyEvents::TYPE_CHANGED,
            EventClass::Silent => NotifyEvents::NONE,
        }
    }
}

macro_rules! events {
    ($($class:ident { $($(#[$doc:meta])* $variant:ident = $name:literal;)* })*) => {
        /// One kind of change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Event { $($($(#[$doc])* $variant,)*)* }

        impl Event {
            /// The event's name as subscribers see it.
            pub const fn name(self) -> &'static str {
                match self { $($(Event::$variant => $name,)*)* }
            }

            pub const fn class(self) -> EventClass {
                match self { $($(Event::$variant)|* => EventClass::$class,)* }
            }
        }
    };
}

impl Event {
    /// Whether it only adds to what another event tells, or tells of no change at all: nobody but subscribers hears of
    /// it, and nobody is told unless they asked.
    pub const fn is_remark(self) -> bool {
        matches!(self, Event::New | Event::KeyMiss | Event::Overwritten | Event::TypeChanged)
    }

    /// Whether a command that waits for the key may find something after it, or is to be told that the key went.
    ///
    /// As in Redis: an XGROUP SETID back to older entries is seen by those who wait with the next XADD. Most changes of
    /// a stream (an XACK of one consumer) so cost nothing for the others.
    pub const fn concerns_waiting(self) -> bool {
        !matches!(
            self,
            Event::Touched
                | Event::New
                | Event::KeyMiss
                | Event::Overwritten
                | Event::TypeChanged
                | Event::Expire
                | Event::Persist
                | Event::Xtrim
                | Event::Xdel
                | Event::XsetId
                | Event::XgroupCreate
                | Event::XgroupCreateConsumer
                | Event::XgroupDelConsumer
                | Event::XgroupSetId
        )
    }

    /// Whether a copy of the key's value that somebody has may be wrong after it.
    ///
    /// As in Redis: what only moves the groups of a stream is no change of it. One XACK for each entry would double
    /// what those are told who hear of every key.
    pub const fn concerns_caches(self) -> bool {
        !matches!(
            self,
            Event::XsetId
                | Event::XgroupCreate
                | Event::XgroupCreateConsumer
                | Event::XgroupDelConsumer
                | Event::XgroupDestroy
                | Event::XgroupSetId
        )
    }
}

events! {
    String {
        Set = "set";
        SetRange = "setrange";
        Append = "append";
        IncrBy = "incrby";
        IncrByFloat = "incrbyfloat";
        SetBit = "setbit";
        PfAdd = "pfadd";
    }
    List {
        Lpush = "lpush";
        Rpush = "rpush";
        Lpop = "lpop";
        Rpop = "rpop";
        Linsert = "linsert";
        Lset = "lset";
        Lrem = "lrem";
        Ltrim = "ltrim";
        SortStore = "sortstore";
    }
    Set {
        Sadd = "sadd";
        Srem = "srem";
        Spop = "spop";
        SinterStore = "sinterstore";
        SunionStore = "sunionstore";
        SdiffStore = "sdiffstore";
    }
    Hash {
        Hset = "hset";
        HincrBy = "hincrby";
        HincrByFloat = "hincrbyfloat";
        Hdel = "hdel";
        Hexpire = "hexpire";
        Hpersist = "hpersist";
        Hexpired = "hexpired";
    }
    Zset {
        Zadd = "zadd";
        Zincr = "zincr";
        Zrem = "zrem";
        ZremRangeByScore = "zremrangebyscore";
        ZremRangeByRank = "zremrangebyrank";
        ZremRangeByLex = "zremrangebylex";
        ZpopMin = "zpopmin";
        ZpopMax = "zpopmax";
        ZinterStore = "zinterstore";
        ZunionStore = "zunionstore";
        ZdiffStore = "zdiffstore";
        ZrangeStore = "zrangestore";
        GeoSearchStore = "geosearchstore";
        GeoRadiusStore = "georadiusstore";
    }
    Stream {
        Xadd = "xadd";
        Xtrim = "xtrim";
        Xdel = "xdel";
        XsetId = "xsetid";
        XgroupCreate = "xgroup-create";
        XgroupCreateConsumer = "xgroup-createconsumer";
        XgroupDelConsumer = "xgroup-delconsumer";
        XgroupDestroy = "xgroup-destroy";
        XgroupSetId = "xgroup-setid";
    }
    Generic {
        Del = "del";
        Expire = "expire";
        Persist = "persist";
        RenameFrom = "rename_from";
        RenameTo = "rename_to";
        MoveFrom = "move_from";
        MoveTo = "move_to";
        CopyTo = "copy_to";
        Restore = "restore";
    }
    Expired {
        Expired = "expired";
    }
    Evicted {
        Evicted = "evicted";
    }
    New {
        /// Before the event of the command that made the key.
        New = "new";
    }
    Miss {
        /// A command that reads found nothing.
        KeyMiss = "keymiss";
    }
    Overwritten {
        /// A value took the place of another, before the event of the command that did it.
        Overwritten = "overwritten";
    }
    TypeChanged {
        /// What took its place is of another type.
        TypeChanged = "type_changed";
    }
    Silent {
        /// Changed as one of many (a flush, DEBUG POPULATE), or in a way that has no name: for WATCH alone.
        Touched = "touched";
    }
}
