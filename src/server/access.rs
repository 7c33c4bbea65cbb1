//! Who each client is, and what follows from a change of users: for clients that are connected it holds at once.
//!
//! Invariants:
//! 1. `Client::access` says `Everything` exactly when the client's user is unrestricted; whoever changes a user or a
//!    client's user renews it.
//! 2. The clients of a user that goes are disconnected; so are those who subscribe to what their user may no longer
//!    hear.

use super::server::Server;
use crate::acl::{self, Denied, NewChannels, PasswordHash, RuleError, Surroundings, User};
use crate::base::argv::Args;
use crate::base::ids::{ClientId, UserId};
use crate::client::{Access, Client, Listening};
use crate::config::{AclPubsubDefault, Config};
use crate::pubsub::Kind;

/// In place of the client that asks for a change, when none does.
pub const NOBODY: ClientId = ClientId { number: 0, slot: 0 };

impl Server {
    /// Lets a client be what a new one is: the user `default`, whom no password is asked of when it has none.
    pub fn reset_authentication(&mut self, client: ClientId) {
        self.become_user(client, UserId::default());
        let authenticated = !self.default_asks_for_password();
        if let Some(client) = self.clients.get_mut(client) {
            client.authenticated = authenticated;
        }
    }

    /// Whether a client must say who it is before anything else.
    pub fn must_authenticate(&self, client: ClientId) -> bool {
        let known = self.clients.get(client).is_none_or(|client| client.authenticated);
        !known && self.default_asks_for_password()
    }

    fn default_asks_for_password(&self) -> bool {
        let default = self.acl.users.default_user();
        !default.is_enabled() || !default.needs_no_password()
    }

    /// The user who has this name and this password. The time it takes does not tell whether there is such a user.
    pub fn authenticate(&self, name: &[u8], password: &[u8]) -> Option<UserId> {
        let given = PasswordHash::of(password);
        let id = self.acl.users.find(name);
        let accepts = id.and_then(|id| self.acl.users.get(id)).is_some_and(|user| user.accepts(&given));
        id.filter(|_| accepts)
    }

    /// Makes a client a user who has shown by other means who it is. Whether there is such a user, and it is enabled.
    pub fn log_in(&mut self, client: ClientId, name: &[u8]) -> bool {
        let users = &self.acl.users;
        let found = users.find(name).filter(|id| users.get(*id).is_some_and(User::is_enabled));
        if let Some(user) = found {
            self.become_user(client, user);
        }
        found.is_some()
    }

    /// Makes a client an authenticated user.
    pub fn become_user(&mut self, client: ClientId, user: UserId) {
        let access = self.access_of(user);
        if let Some(client) = self.clients.get_mut(client) {
            (client.user, client.access, client.authenticated) = (user, access, true);
        }
    }

    fn access_of(&self, user: UserId) -> Access {
        match self.acl.users.get(user) {
            Some(user) if user.is_unrestricted() => Access::Everything,
            _ => Access::Checked,
        }
    }

    /// The name of a client's user; of one that is gone, nothing.
    pub fn user_name(&self, client: &Client) -> &[u8] {
        self.acl.users.get(client.user).map_or(b"", |user| &user.name)
    }

    /// Whether a client's user may run a command.
    pub fn check_access(
        &self,
        client: ClientId,
        command: usize,
        args: Args<'_>,
        db: usize,
    ) -> Result<(), Denied> {
        let Some(client) = self.clients.get(client) else { return Ok(()) };
        match (client.access, self.acl.users.get(client.user)) {
            (Access::Everything, _) => Ok(()),
            (Access::Checked, Some(user)) => acl::check(user, self.acl.catalog.at(command), args, db),
            (Access::Checked, None) => Err(Denied { reason: acl::Reason::Command, place: 0 }),
        }
    }

    /// What new users may do with channels.
    pub fn new_channels(&self) -> NewChannels {
        new_channels(&self.config)
    }

    /// Applies rules to the user of that name, who is made when there is none. Should that disconnect `caller`, it
    /// still gets its reply.
    ///
    /// # Errors
    /// The first rule that is wrong, and why; then nothing is changed.
    pub fn change_user(
        &mut self,
        name: &[u8],
        rules: &[Vec<u8>],
        caller: ClientId,
    ) -> Result<(), (usize, RuleError)> {
        let new_channels = self.new_channels();
        let known = self.acl.users.named(name).cloned();
        let mut user = known.unwrap_or_else(|| User::new(name, new_channels));
        let surroundings = Surroundings { catalog: &self.acl.catalog, new_channels };
        for (index, rule) in rules.iter().enumerate() {
            user.apply(surroundings, rule).map_err(|error| (index, error))?;
        }
        let id = self.acl.users.set(user);
        self.renew_clients(caller, |user| user == id);
        Ok(())
    }

    /// Removes a user and disconnects its clients; `caller` still gets its reply. Whether there was one.
    pub fn remove_user(&mut self, name: &[u8], caller: ClientId) -> bool {
        let Some(gone) = self.acl.users.remove(name) else { return false };
        self.disconnect(caller, |_, client| client.user == gone);
        true
    }

    /// Makes these the only users. Clients of those who stay are kept, and are what their user is now.
    pub fn replace_users(&mut self, mut users: Vec<User>, caller: ClientId) {
        if !users.iter().any(|user| *user.name == *b"default") {
            users.push(self.undeclared_default());
        }
        let kept = self.acl.users.replace(users);
        self.disconnect(caller, |_, client| !kept.contains(&client.user));
        self.renew_clients(caller, |_| true);
    }

    /// The user `default` as long as nobody says what it is: it has the password of `requirepass`. (In Redis an aclfile
    /// that does not name it leaves it without, whatever `requirepass` says.)
    fn undeclared_default(&self) -> User {
        let mut user = User::initial_default(&self.acl.catalog);
        self.ask_for_requirepass(&mut user);
        user
    }

    /// Gives the user `default` the password of `requirepass`, and no other.
    pub fn obey_requirepass(&mut self) {
        let mut user = self.acl.users.default_user().clone();
        self.ask_for_requirepass(&mut user);
        self.acl.users.set(user);
    }

    fn ask_for_requirepass(&self, user: &mut User) {
        match self.config.requirepass.as_slice() {
            b"" => user.need_no_password(),
            password => {
                user.forget_passwords();
                user.add_password(PasswordHash::of(password));
            }
        }
    }

    fn disconnect(&mut self, caller: ClientId, is_meant: impl Fn(&Self, &Client) -> bool) {
        let meant = self.clients.iter().filter(|client| is_meant(self, client)).map(|client| client.id);
        for id in meant.collect::<Vec<_>>() {
            let Some(client) = self.clients.get_mut(id) else { continue };
            (client.user, client.access, client.authenticated) = (UserId::default(), Access::Checked, false);
            if client.id == caller {
                client.close_after_reply = true;
            } else {
                client.close();
            }
        }
    }

    /// Lets clients feel what has become of their users.
    fn renew_clients(&mut self, caller: ClientId, is_changed: impl Fn(UserId) -> bool) {
        let users = &self.acl.users;
        for client in self.clients.iter_mut().filter(|client| is_changed(client.user)) {
            let Some(user) = users.get(client.user) else { continue };
            client.access = if user.is_unrestricted() { Access::Everything } else { Access::Checked };
        }
        self.disconnect(caller, |server, client| is_changed(client.user) && server.hears_too_much(client));
    }

    /// Whether a client listens to what its user may not listen to (any more).
    fn hears_too_much(&self, client: &Client) -> bool {
        let Some(user) = self.acl.users.get(client.user) else { return false };
        if client.listening == Listening::default() {
            return false;
        }
        let names = |kind| self.pubsub.names_of(client.id, kind);
        names(Kind::Pattern).any(|pattern| !user.may_hear_pattern(pattern))
            || names(Kind::Channel).any(|channel| !user.may_hear_channel(channel))
            || names(Kind::ShardChannel).any(|channel| !user.may_hear_channel(channel))
    }
}

/// What new users may do with channels by `acl-pubsub-default`.
pub fn new_channels(config: &Config) -> NewChannels {
    match config.acl_pubsub_default {
        AclPubsubDefault::Allchannels => NewChannels::All,
        AclPubsubDefault::Resetchannels => NewChannels::None,
    }
}
