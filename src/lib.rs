//! Tintype: a Redis-compatible in-memory key-value server whose snapshots nobody notices.
//!
//! # The floors
//! Imports only go down, and rooms on one floor do not know each other (`tests/tidy.rs` checks it).
//! ```text
//!  9  main, cli, boot                  the command line and its tools, start, load, serve
//!  8  net                              tokio: sockets, timers, signals (the only room that awaits)
//!  7  exec                             find, gates, call, COMMIT, transactions, cron
//!  6  commands                         one handler per command, its spec beside it
//!  5  server                           struct Server (a field per room), Cx, Entry, the command table
//!  4  client  acl  pubsub  script  persist  metrics  who is connected, may do what, listens to what | Lua |
//!                                        snapshots | counters
//!  3  keyspace  rdb                    keys, expiry, eviction, ledger | values <-> bytes
//!  2  object                           the data types
//!  1  encoding  resp  spec  config     structures | protocol | command metadata | directives
//!  0  base                             what std could have had
//! ```
//!
//! # The flow of a command
//! ```text
//!  net::connection   bytes in
//!  exec::inbox       resp::parser finds requests; exec::pipeline prefetches their keys
//!  exec::call        exec::gates let it pass; the meter starts; the handler runs on a `Tx` or a `Cx`
//!  commands::*       parse all arguments, look up, change, tell the ledger, answer
//!  exec::commit      reads the ledger once and applies every effect
//!  net::connection   bytes out
//! ```
//!
//! # Invariants
//! 1. Nothing below `net` awaits, reads the clock or is random: time and seed come in as arguments.
//! 2. The borrow of `Server` never lives across an await.
//! 3. Only `keyspace` adds or removes keys, only through `Tx`. Only `exec::commit` turns changes into effects.
//! 4. Values know neither their key, nor their expiry, nor the protocol. `rdb` knows no file; `persist` no opcode.
//! 5. A handler has no `?` after its first change.
//! 6. A fact about a command, a directive or an error is written once; the rest is derived.
//! 7. Bytes from outside (socket, RDB, RESTORE) give an error, never a panic, never an allocation larger than what was
//!    actually received. Our own broken invariants assert.
//! 8. Everything that can grow has a named limit.
//! 9. Nothing in the child process takes a lock that it inherited, logs through the runtime, drops what it inherited,
//!    or returns: it writes and exits. (Its own threads share one lock, made after the fork.)
//! 10. While a child is alive the parent touches as little memory as it can: no rehash, no LRU or LFU updates on reads,
//!     no repair of huge pages. The loop never waits for the directory that a child writes into.
//!
//! # Where to add
//! | thing | the one place | what then happens by itself |
//! |---|---|---|
//! | a command | a function and one line in `COMMANDS` of `commands/<group>` | lookup, arity, ACL, COMMAND, stats |
//! | a directive | one line in `config/directives` | parse, GET, SET, REWRITE; redis.conf.example must have it |
//! | an INFO field | one line in its section's function in `commands/server/info` | |
//! | a gate, a cron job, an error text | one line in `exec::gates`, `exec::cron`, `spec::error` | |
//! | an offline tool | `persist/tools/<tool>` and its command line in `cli` | help, progress, exit codes |
//!
//! A tour for reading: `keyspace::tx`, `commands::strings::get`, `exec::call`, `exec::commit`, `net::connection`, then
//! `encoding::dict` and `keyspace::entry` for the memory, `persist::child` for the snapshot.
pub mod acl;
pub mod base;
pub mod boot;
pub mod cli;
pub mod client;
pub mod commands;
pub mod config;
pub mod encoding;
pub mod exec;
pub mod keyspace;
pub mod metrics;
pub mod net;
pub mod object;
pub mod persist;
pub mod pubsub;
pub mod rdb;
pub mod resp;
pub mod script;
pub mod server;
pub mod spec;
