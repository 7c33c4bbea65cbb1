//! The users of the start: those of the configuration's lines `user ...`, or those of the file `aclfile`.

use super::access::NOBODY;
use super::server::Server;
use crate::acl::{self, RuleError, Surroundings, User};
use crate::base::os;
use crate::config::DeclaredUser;

/// Why the lines `user ...` of the configuration cannot be meant: the index of the line, and what to say. Names of
/// commands are looked at later.
pub fn misdeclared_user(surroundings: Surroundings<'_>, users: &[DeclaredUser]) -> Option<(usize, String)> {
    users.iter().enumerate().find_map(|(index, declared)| {
        let is_known = users[..index].iter().any(|earlier| earlier.name == declared.name);
        let wrong = match is_known {
            true => Some((declared.name.clone(), RuleError::DuplicateUser.to_string())),
            false => wrong_rule(surroundings, declared),
        };
        let (word, reason) = wrong?;
        let word = String::from_utf8_lossy(&word).into_owned();
        Some((index, format!("Error in user declaration '{word}': {reason}")))
    })
}

fn wrong_rule(surroundings: Surroundings<'_>, declared: &DeclaredUser) -> Option<(Vec<u8>, String)> {
    let rules = match acl::merge_selectors(declared.rules.iter().map(Vec::as_slice)) {
        Ok(rules) => rules,
        Err(acl::UnmatchedParenthesis(index)) => {
            let reason = "Unmatched parenthesis in selector definition";
            return Some((declared.rules[index].clone(), reason.to_owned()));
        }
    };
    let mut user = User::new(&declared.name, surroundings.new_channels);
    rules.into_iter().find_map(|rule| match user.apply(surroundings, &rule) {
        Ok(()) | Err(RuleError::UnknownCommand) => None,
        Err(error) => Some((rule, error.to_string())),
    })
}

impl Server {
    /// Takes the users of the start: those of the configuration, or those of the file `aclfile`.
    ///
    /// # Errors
    /// Why the server must not start, for the log.
    pub fn take_first_users(&mut self, declared: &[DeclaredUser]) -> Result<(), String> {
        if !declared.is_empty() && !self.config.aclfile.is_empty() {
            return Err(
                "Configuring Redis with users defined in redis.conf and at the same setting an ACL file path is \
                 invalid. This setup is very likely to lead to configuration errors and security holes, please define \
                 either an ACL file or declare users directly in your redis.conf, but not both."
                    .to_owned(),
            );
        }
        for user in declared {
            self.declare(user).map_err(|error| {
                tracing::warn!("{error}");
                "Critical error while loading ACLs. Exiting.".to_owned()
            })?;
        }
        if self.config.aclfile.is_empty() {
            return Ok(());
        }
        let users = self.read_users();
        let failed = |error: Vec<u8>| {
            let error = String::from_utf8_lossy(&error).into_owned();
            format!("Aborting Redis startup because of ACL errors: {error}")
        };
        self.replace_users(users.map_err(failed)?, NOBODY);
        Ok(())
    }

    fn declare(&mut self, declared: &DeclaredUser) -> Result<(), String> {
        if acl::is_no_name(&declared.name) {
            return Err("Spaces not allowed in ACL usernames".to_owned());
        }
        let mut rules = acl::merge_selectors(declared.rules.iter().map(Vec::as_slice))
            .map_err(|_| "Unmatched parenthesis in selector definition".to_owned())?;
        if declared.name == b"default" {
            rules.insert(0, b"reset".to_vec());
        }
        self.change_user(&declared.name, &rules, NOBODY).map_err(|(index, error)| {
            let (rule, name) =
                (String::from_utf8_lossy(&rules[index]), String::from_utf8_lossy(&declared.name));
            format!("Error loading ACL rule '{rule}' for the user named '{name}': {error}")
        })
    }

    /// Reads the file `aclfile`.
    ///
    /// # Errors
    /// What is wrong with it, in the words of ACL LOAD.
    pub fn read_users(&self) -> Result<Vec<User>, Vec<u8>> {
        let name = &self.config.aclfile;
        let text = std::fs::read(name).map_err(|error| {
            let reason = os::reason(&error);
            format!("Error loading ACLs, opening file '{name}': {reason}").into_bytes()
        })?;
        acl::load(name, &text, &self.acl.catalog, self.new_channels())
    }
}
