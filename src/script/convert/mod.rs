//! Replies become Lua values, and Lua values replies.
//!
//! | RESP | Lua, from a command | reply, from Lua |
//! |---|---|---|
//! | simple | `{ok=text}` | the same |
//! | error | `{err=text}` | the same |
//! | integer | number | number, cut to an integer |
//! | bulk | string | string |
//! | null | `false` (RESP2), `nil` (RESP3) | `nil`; `false` when the script speaks RESP2 |
//! | array | table, from 1 on | table up to the first nil |
//! | map | `{map={key=value}}` | the same |
//! | set | `{set={member=true}}` | the same |
//! | double | `{double=number}` | the same |
//! | boolean | boolean | the same; `true` is 1 when the script speaks RESP2 |
//! | big number | `{big_number=text}` | the same |
//! | verbatim | `{verbatim_string={format=, string=}}` | the same |
mod from_reply;
mod to_reply;

pub use from_reply::push_reply;
pub use to_reply::{Errors, write_reply};
