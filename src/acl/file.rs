//! The file that `aclfile` names: one user per line, in the words of ACL LIST.
//!
//! ```text
//! user alice on #30c9..c4 ~app:* resetchannels -@all +@read (~tmp:* +set)
//! ```
//! Words are separated by single blanks; there are no quotes and no comments. A file with any error changes nothing;
//! the error lists them all, in the words of redis-server 7.0.15.

use super::catalog::Catalog;
use super::error::RuleError;
use super::selector::NewChannels;
use super::user::{Surroundings, User};
use super::users::Users;
use super::words::{has_space, merge_selectors};

const NO_CHANGE: &[u8] =
    b"WARNING: ACL errors detected, no change to the previously active ACL rules was performed";

/// The users that `text` describes, which was read from the file called `name`.
///
/// # Errors
/// What is wrong, by lines.
pub fn load(
    name: &str,
    text: &[u8],
    catalog: &Catalog,
    new_channels: NewChannels,
) -> Result<Vec<User>, Vec<u8>> {
    let surroundings = Surroundings { catalog, new_channels };
    let mut file = Reading { name, surroundings, users: Vec::new(), errors: Vec::new() };
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        file.read_line(index + 1, line);
    }
    if file.errors.is_empty() {
        return Ok(file.users);
    }
    file.errors.extend_from_slice(NO_CHANGE);
    Err(file.errors)
}

/// The text of a file with all users.
pub fn save(users: &Users, catalog: &Catalog) -> Vec<u8> {
    let mut text = Vec::new();
    for user in users.iter() {
        text.extend_from_slice(&user.line(catalog));
        text.push(b'\n');
    }
    text
}

struct Reading<'a> {
    name: &'a str,
    surroundings: Surroundings<'a>,
    users: Vec<User>,
    errors: Vec<u8>,
}

impl Reading<'_> {
    fn read_line(&mut self, number: usize, line: &[u8]) {
        let end = line.iter().position(|byte| *byte == 0).unwrap_or(line.len());
        let line = line[..end].trim_ascii();
        if line.is_empty() {
            return;
        }
        let place = format!("{}:{number}", self.name);
        let mut words = line.split(|byte| *byte == b' ');
        let (Some(b"user"), Some(name)) = (words.next(), words.next()) else {
            return self
                .tell(&[place.as_bytes(), b" should start with user keyword followed by the username. "]);
        };
        if has_space(name) {
            // The quote in front is Redis's.
            let (before, after) = (b": username '", b"' contains invalid characters. ");
            return self.tell(&[b"'", place.as_bytes(), before, name, after]);
        }
        if self.users.iter().any(|known| *known.name == *name) {
            let line = format!("' found on line {number}. ");
            return self.tell(&[b"WARNING: Duplicate user '", name, line.as_bytes()]);
        }
        let mut user = User::new(name, self.surroundings.new_channels);
        match merge_selectors(words) {
            Ok(rules) => self.apply(&place, &mut user, &rules),
            Err(_) => self.tell(&[place.as_bytes(), b": Unmatched parenthesis in selector definition."]),
        }
        self.users.push(user);
    }

    /// Tells of every name that is not known, and of the first rule that is wrong in another way.
    fn apply(&mut self, place: &str, user: &mut User, rules: &[Vec<u8>]) {
        let mut told = false;
        for rule in rules {
            match user.apply(self.surroundings, rule) {
                Ok(()) => {}
                Err(error @ RuleError::UnknownCommand) => {
                    let reason = format!("': {error}. ");
                    let before = b": Error in applying operation '";
                    self.tell(&[place.as_bytes(), before, rule, reason.as_bytes()]);
                }
                Err(_) if told => {}
                Err(error) => {
                    told = true;
                    self.tell(&[format!("{place}: {error}. ").as_bytes()]);
                }
            }
        }
    }

    fn tell(&mut self, parts: &[&[u8]]) {
        parts.iter().for_each(|part| self.errors.extend_from_slice(part));
    }
}
