//! Access control against redis-server 7.0: the rules and how they are told back, who may run what, the file of users,
//! the lines of the configuration, and what the log of denials says.

pub mod support;

#[path = "acl/categories.rs"]
mod categories;
#[path = "acl/databases.rs"]
mod databases;
#[path = "acl/files.rs"]
mod files;
#[path = "acl/pair.rs"]
mod pair;
#[path = "acl/rules.rs"]
mod rules;
#[path = "acl/sessions.rs"]
mod sessions;
#[path = "acl/table.rs"]
mod table;
