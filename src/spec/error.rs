//! The errors a command can answer. Their texts are facts that clients match on: each is written once, here.

use std::borrow::Cow;
use std::fmt;

macro_rules! command_errors {
    ($($(#[$doc:meta])* $variant:ident => $text:literal,)*) => {
        /// Why a command was refused. Display gives the whole error line without the leading `-`.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum CommandError {
            $($(#[$doc])* $variant,)*
            /// Wrong number of arguments; the command's full name (`config|get`).
            Arity(&'static str),
            /// `ERR invalid expire time in 'set' command`: the command's name.
            InvalidExpire(&'static str),
            /// `ERR Can't execute 'get': only ...`: the full name of a command that a subscriber may not run in RESP2.
            SubscriberMode(&'static str),
            /// A text assembled at run time, with its code.
            Text(Cow<'static, str>),
            /// A text with its code that quotes bytes of the client, which need not be UTF-8.
            Quoting(Box<[u8]>),
        }

        impl CommandError {
            fn fixed_text(&self) -> Option<&'static str> {
                match self {
                    $(CommandError::$variant => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

command_errors! {
    Syntax => "ERR syntax error",
    WrongType => "WRONGTYPE Operation against a key holding the wrong kind of value",
    NotInteger => "ERR value is not an integer or out of range",
    NotFloat => "ERR value is not a valid float",
    NotPositive => "ERR value is out of range, must be positive",
    ValueOutOfRange => "ERR value is out of range",
    IncrementOverflow => "ERR increment or decrement would overflow",
    DecrementOverflow => "ERR decrement would overflow",
    IncrementNan => "ERR increment would produce NaN or Infinity",
    HashNotInteger => "ERR hash value is not an integer",
    HashNotFloat => "ERR hash value is not a float",
    ValueNan => "ERR value is NaN or Infinity",
    ExpireNegative => "ERR invalid expire time, must be >= 0",
    ExpireMissing => "ERR missing expire time",
    FieldsMissing => "ERR missing FIELDS argument",
    FieldsMissingOrMisplaced => "ERR Mandatory argument FIELDS is missing or not at the right position",
    FieldsTooFew => "ERR FIELDS requires at least numfields and one field argument",
    FieldsTwice => "ERR FIELDS keyword specified multiple times",
    FieldCountZero => "ERR Parameter `numFields` should be greater than 0",
    FieldCountNotPositive => "ERR Number of fields must be a positive integer",
    FieldCountInvalid => "ERR invalid number of fields",
    FieldCountMismatch => "ERR The `numfields` parameter must match the number of arguments",
    ConditionTwice => "ERR Multiple condition flags specified",
    ConditionFxxFnx => "ERR Only one of FXX or FNX arguments can be specified",
    ExpiryOrPersist => "ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified",
    ExpiryOrKeep => "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified",
    OffsetOutOfRange => "ERR offset is out of range",
    StringTooLong => "ERR string exceeds maximum allowed size (proto-max-bulk-len)",
    BitOffset => "ERR bit offset is not an integer or out of range",
    BitValue => "ERR bit is not an integer or out of range",
    BitArgument => "ERR The bit argument must be 1 or 0.",
    BitopNotKeys => "ERR BITOP NOT must be called with a single source key.",
    BitfieldType => "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
    BitfieldOverflow => "ERR Invalid OVERFLOW type specified",
    BitfieldReadonly => "ERR BITFIELD_RO only supports the GET subcommand",
    NotHyperloglog => "WRONGTYPE Key is not a valid HyperLogLog string value.",
    CorruptHyperloglog => "INVALIDOBJ Corrupted HLL object detected",
    PfdebugNoKey => "ERR The specified key does not exist",
    PfdebugNotSparse => "ERR HLL encoding is not sparse",
    NoSuchKey => "ERR no such key",
    IndexOutOfRange => "ERR index out of range",
    RankZero => "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
    NumkeysNotPositive => "ERR numkeys should be greater than 0",
    CountNotPositive => "ERR count should be greater than 0",
    SameObject => "ERR source and destination objects are the same",
    DbOutOfRange => "ERR DB index is out of range",
    InvalidDb => "ERR invalid DB index",
    InvalidFirstDb => "ERR invalid first DB index",
    InvalidSecondDb => "ERR invalid second DB index",
    InvalidCursor => "ERR invalid cursor",
    ExpireFlagsConflict => "ERR NX and XX, GT or LT options at the same time are not compatible",
    ExpireGtLtConflict => "ERR GT and LT options at the same time are not compatible",
    InvalidTtl => "ERR Invalid TTL value, must be >= 0",
    InvalidIdletime => "ERR Invalid IDLETIME value, must be >= 0",
    InvalidFreq => "ERR Invalid FREQ value, must be >= 0 and <= 255",
    NoScript => "NOSCRIPT No matching script. Please use EVAL.",
    NotBusy => "NOTBUSY No scripts in execution right now.",
    ScriptShebang => "ERR Invalid script shebang",
    ScriptEngine => "ERR Invalid engine in script shebang",
    ScriptWritesInReadOnly => "ERR Can not execute a script with write flag using *_ro command.",
    ScriptOutOfMemory => "OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'",
    ScriptFlushOption => "ERR SCRIPT FLUSH only support SYNC|ASYNC option",
    ScriptDebugOption => "ERR Use SCRIPT DEBUG YES/SYNC/NO",
    ScriptDebug => "ERR SCRIPT DEBUG is not supported by this server: there is no debugger for scripts",
    LibraryMetadataMissing => "ERR Missing library metadata",
    LibraryMetadata => "ERR Invalid library metadata",
    LibraryNamedTwice => "ERR Invalid metadata value, name argument was given multiple times",
    LibraryNotNamed => "ERR Library name was not given",
    LibraryName => "ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long",
    LibraryWithoutFunctions => "ERR No functions registered",
    LibraryUnknown => "ERR Library not found",
    LibraryPatternMissing => "ERR library name argument was not given",
    FunctionUnknown => "ERR Function not found",
    FunctionKeys => "ERR Bad number of keys provided",
    FunctionFlushOption => "ERR FUNCTION FLUSH only supports SYNC|ASYNC option",
    FunctionRestorePolicy => "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.",
    TooManyKeys => "ERR Number of keys can't be greater than number of args",
    LimitNegative => "ERR LIMIT can't be negative",
    CountOutOfRange => "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
    BusyKey => "BUSYKEY Target key name already exists.",
    DumpChecksum => "ERR DUMP payload version or checksum are wrong",
    BadDataFormat => "ERR Bad data format",
    NotLfu => "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.",
    IsLfu => "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.",
    NoAuth => "NOAUTH Authentication required.",
    NoAuthHello => "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
    WrongPass => "WRONGPASS invalid username-password pair or user is disabled.",
    AuthWithoutPassword => "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
    NoPermKey => "NOPERM this user has no permissions to access one of the keys used as arguments",
    NoPermChannel => "NOPERM this user has no permissions to access one of the channels used as arguments",
    /// Valkey's, as Redis has no such rules.
    NoPermDatabase => "NOPERM No permissions to access database",
    SortByDenied => "ERR BY option of SORT denied due to insufficient ACL permissions.",
    SortGetDenied => "ERR GET option of SORT denied due to insufficient ACL permissions.",
    AclDefaultUser => "ERR The 'default' user cannot be removed",
    AclUserName => "ERR Usernames can't contain spaces or null characters",
    AclGenpassBits => "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096",
    AclSaveFailed => "ERR There was an error trying to save the ACLs. Please check the server logs for more information",
    AclNoFile => "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration.",
    NoProto => "NOPROTO unsupported protocol version",
    ProtocolNotInteger => "ERR Protocol version is not an integer or out of range",
    ClientName => "ERR Client names cannot contain spaces, newlines or special characters.",
    Loading => "LOADING Redis is loading the dataset in memory",
    BusyScript => "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    BusyFunction => "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.",
    Unkillable => "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either \
        wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.",
    OutOfMemory => "OOM command not allowed when used memory > 'maxmemory'.",
    ScriptUnknown => "ERR Unknown Redis command called from script",
    ScriptArity => "ERR Wrong number of args calling Redis command from script",
    ScriptNotAllowed => "ERR This Redis command is not allowed from script",
    ScriptReadOnly => "ERR Write commands are not allowed from read-only scripts.",
    NotInTransaction => "ERR Command not allowed inside a transaction",
    MultiNested => "ERR MULTI calls can not be nested",
    WatchInMulti => "ERR WATCH inside MULTI is not allowed",
    ExecWithoutMulti => "ERR EXEC without MULTI",
    DiscardWithoutMulti => "ERR DISCARD without MULTI",
    ExecAbort => "EXECABORT Transaction discarded because of previous errors.",
    SaveInProgress => "ERR Background save already in progress",
    SnapshotId => "ERR Invalid snapshot id, eight lower-case hexadecimal digits are expected",
    NoSaveToCancel => "ERR Background saving is currently not in progress or scheduled",
    SaveCancelled => "ERR Background saving cancelled",
    /// Of BGSAVE WAIT. It is no failure, so it has a code of its own.
    SaveGoesOn => "TIMEOUT The background save is not done yet, and goes on",
    /// Of a SHUTDOWN whose wait CLIENT UNBLOCK ends.
    ShutdownGoesOn => "TIMEOUT The shutdown goes on",
    /// For writes; a code that client libraries know as one to come back after.
    EndingReadOnly => "READONLY The server is shutting down and saves its dataset: writes are refused",
    /// For what is no write, but would disturb the last save.
    EndingRefused => "ERR The server is shutting down; use SHUTDOWN ABORT to stop that first",
    NoConfigFile => "ERR The server is running without a config file",
    ShutdownFailed => "ERR Errors trying to SHUTDOWN. Check logs.",
    NoShutdown => "ERR No shutdown in progress.",
    NoSuchClient => "ERR No such client",
    TrackingRedirectTwice => "ERR A client can only redirect to a single other client",
    TrackingNoRedirect => "ERR The client ID you want redirect to does not exist",
    TrackingPrefixAlone => "ERR PREFIX option requires BCAST mode to be enabled",
    TrackingSwitchBroadcast => "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode.",
    TrackingOptBroadcast => "ERR OPTIN and OPTOUT are not compatible with BCAST",
    TrackingOptBoth => "ERR You can't specify both OPTIN mode and OPTOUT mode",
    TrackingSwitchOpt => "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode.",
    CachingWithoutTracking => "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled",
    CachingNotOptIn => "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.",
    CachingNotOptOut => "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.",
    NoSuchUser => "ERR No such user",
    TimeoutNotInteger => "ERR timeout is not an integer or out of range",
    TimeoutNotFloat => "ERR timeout is not a float or out of range",
    TimeoutNegative => "ERR timeout is negative",
    TimeoutOutOfRange => "ERR timeout is out of range",
    GeoUnit => "ERR unsupported unit provided. please use M, KM, FT, MI",
    GeoRadius => "ERR need numeric radius",
    GeoRadiusNegative => "ERR radius cannot be negative",
    GeoWidth => "ERR need numeric width",
    GeoHeight => "ERR need numeric height",
    GeoBoxNegative => "ERR height or width cannot be negative",
    GeoMember => "ERR could not decode requested zset member",
    GeoCount => "ERR COUNT must be > 0",
    GeoAnyWithoutCount => "ERR the ANY argument requires COUNT argument",
    GeoVertices => "ERR invalid number of vertices",
    GeoVerticesFew => "ERR GEOSEARCH BYPOLYGON must have at least 3 vertices",
    SortScores => "ERR One or more scores can't be converted into double",
    XxNxConflict => "ERR XX and NX options at the same time are not compatible",
    GtLtNxConflict => "ERR GT, LT, and/or NX options at the same time are not compatible",
    IncrManyPairs => "ERR INCR option supports a single increment-element pair",
    ScoreNan => "ERR resulting score is not a number (NaN)",
    MinMaxNotFloat => "ERR min or max is not a float",
    MinMaxNotMember => "ERR min or max not valid string range item",
    LimitWithoutKind => "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
    ScoresByLex => "ERR syntax error, WITHSCORES not supported in combination with BYLEX",
    WeightNotFloat => "ERR weight value is not a float",
    InvalidKeyArguments => "ERR Invalid arguments specified for command",
    NoKeyArguments => "ERR The command has no key arguments",
    InvalidCommandName => "ERR Invalid command specified",
    CommandNumberOfArguments => "ERR Invalid number of arguments specified for command",
    InvalidStreamId => "ERR Invalid stream ID specified as stream command argument",
    InvalidStreamStart => "ERR invalid start ID for the interval",
    InvalidStreamEnd => "ERR invalid end ID for the interval",
    StreamIdNotAbove => "ERR The ID specified in XADD is equal or smaller than the target stream top item",
    StreamIdZero => "ERR The ID specified in XADD must be greater than 0-0",
    StreamExhausted => "ERR The stream has exhausted the last possible ID, unable to add more items",
    StreamEntryTooLarge => "ERR Elements are too large to be stored",
    TrimMaxLenNegative => "ERR The MAXLEN argument must be >= 0.",
    TrimLimitNegative => "ERR The LIMIT argument must be >= 0.",
    TrimStrategies => "ERR syntax error, MAXLEN and MINID options at the same time are not compatible",
    TrimLimitAlone => "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
    TrimLimitExact => "ERR syntax error, LIMIT cannot be used without the special ~ option",
    TrimStrategyMissing => "ERR syntax error, XTRIM must be called with a trimming strategy",
    XsetidBelowLast => "ERR The ID specified in XSETID is smaller than the target stream top item",
    XsetidBelowDeleted => "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
    XsetidFewAdded => "ERR The entries_added specified in XSETID is smaller than the target stream length",
    XsetidAddedNegative => "ERR entries_added must be positive",
    XreadUnbalanced => "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.",
    XreadGroup => "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.",
    XreadNoAck => "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.",
    XreadClaim => "ERR The CLAIM option is only supported by XREADGROUP. You called XREAD instead.",
    XreadNew => "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
    XreadgroupNoGroup => "ERR Missing GROUP option for XREADGROUP",
    XreadgroupTop => "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.",
    XreadgroupLast => "ERR The + ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The + ID would just return an empty result set.",
    MinIdleNotInteger => "ERR min-idle-time is not an integer or out of range",
    MinIdleNegative => "ERR min-idle-time must be a positive integer",
    XgroupNoKey => "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.",
    XgroupEntriesRead => "ERR value for ENTRIESREAD must be positive or -1",
    BusyGroup => "BUSYGROUP Consumer Group name already exists",
    XclaimMinIdle => "ERR Invalid min-idle-time argument for XCLAIM",
    XclaimIdle => "ERR Invalid IDLE option argument for XCLAIM",
    XclaimTime => "ERR Invalid TIME option argument for XCLAIM",
    XclaimRetryCount => "ERR Invalid RETRYCOUNT option argument for XCLAIM",
    XautoclaimMinIdle => "ERR Invalid min-idle-time argument for XAUTOCLAIM",
    XautoclaimCount => "ERR COUNT must be > 0",
    StreamIdsMissing => "ERR IDS option is required",
    StreamIdsNotPositive => "ERR Number of IDs must be a positive integer",
    StreamIdsCount => "ERR The `numids` parameter must match the number of arguments",
    XnackMode => "ERR mode must be SILENT, FAIL, or FATAL",
    XnackIds => "ERR syntax error, expected IDS keyword",
    XnackNumber => "ERR numids must be a positive integer",
    XnackCount => "ERR number of IDs doesn't match numids",
    XnackRetryCount => "ERR Invalid RETRYCOUNT value, must be >= 0",
    ModuleNotAllowed => "ERR MODULE command not allowed. If the enable-module-command option is set to \"local\", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.",
    ModuleNotLoaded => "ERR Error loading the extension. Please check the server logs.",
    ModuleUnknown => "ERR Error unloading module: no such module with that name",
    DebugNotAllowed => "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.",
}

impl CommandError {
    /// An error assembled at run time; `text` begins with its code (`ERR ...`).
    pub fn text(text: impl Into<Cow<'static, str>>) -> CommandError {
        CommandError::Text(text.into())
    }

    /// An error that quotes `given` between two pieces of text: byte for byte, and up to a NUL, where Redis's
    /// formatted texts end.
    pub fn quoting(before: &str, given: &[u8], after: &str) -> CommandError {
        CommandError::Quoting([before.as_bytes(), until_nul(given), after.as_bytes()].concat().into())
    }

    /// A subcommand that `container`, as the client called it, does not have.
    pub fn unknown_subcommand(given: &[u8], container: impl AsRef<[u8]>) -> CommandError {
        CommandError::try_help("ERR unknown subcommand '", given, container.as_ref())
    }

    /// Arguments that a subcommand (`given`, as the client wrote it) does not take in this number; `container` as the
    /// client called it.
    pub fn subcommand_arguments(given: &[u8], container: impl AsRef<[u8]>) -> CommandError {
        let before = "ERR unknown subcommand or wrong number of arguments for '";
        CommandError::try_help(before, given, container.as_ref())
    }

    fn try_help(before: &str, given: &[u8], container: &[u8]) -> CommandError {
        let container = until_nul(container).to_ascii_uppercase();
        let after = format!("'. Try {} HELP.", String::from_utf8_lossy(&container));
        CommandError::quoting(before, beginning(given), &after)
    }

    /// The whole error line without the leading `-`, as it is sent.
    pub fn line(&self) -> Cow<'_, [u8]> {
        match self {
            CommandError::Quoting(line) => Cow::Borrowed(line),
            CommandError::Text(text) => Cow::Borrowed(text.as_bytes()),
            _ => match self.fixed_text() {
                Some(text) => Cow::Borrowed(text.as_bytes()),
                None => Cow::Owned(self.to_string().into_bytes()),
            },
        }
    }
}

/// What error lines show of a word that may be long.
pub fn beginning(given: &[u8]) -> &[u8] {
    const SHOWN_BYTES_MAX: usize = 128;
    &given[..given.len().min(SHOWN_BYTES_MAX)]
}

/// What error lines show of a word with a NUL in it.
pub fn until_nul(given: &[u8]) -> &[u8] {
    given.split(|byte| *byte == 0).next().unwrap_or_default()
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommandError::Arity(name) => write!(f, "ERR wrong number of arguments for '{name}' command"),
            CommandError::InvalidExpire(name) => write!(f, "ERR invalid expire time in '{name}' command"),
            CommandError::SubscriberMode(name) => write!(
                f,
                "ERR Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are \
                 allowed in this context"
            ),
            CommandError::Text(text) => f.write_str(text),
            CommandError::Quoting(line) => f.write_str(&String::from_utf8_lossy(line)),
            fixed => f.write_str(fixed.fixed_text().unwrap_or_default()),
        }
    }
}

impl std::error::Error for CommandError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_bytes_stay_what_they_are() {
        let line = |error: CommandError| error.line().into_owned();
        assert_eq!(line(CommandError::quoting("ERR a '", b"\xff\xfe", "' b")), b"ERR a '\xff\xfe' b");
        assert_eq!(line(CommandError::quoting("ERR '", b"one\0two", "'")), b"ERR 'one'");
        let long = [b'x'; 200];
        let expected = [b"ERR unknown subcommand '", &long[..128], b"'. Try CONFIG HELP."].concat();
        assert_eq!(line(CommandError::unknown_subcommand(&long, "config")), expected);
    }

    #[test]
    fn lines_are_what_display_gives() {
        for error in [CommandError::Syntax, CommandError::Arity("get"), CommandError::text("ERR x")] {
            assert_eq!(*error.line(), *error.to_string().as_bytes());
        }
    }
}
