//! A user: whether and how one can become it, and what it may do.

use super::catalog::Catalog;
use super::error::RuleError;
use super::password::PasswordHash;
use super::selector::{Channels, NewChannels, Selector};

#[derive(Clone, Debug)]
pub struct User {
    pub name: Box<[u8]>,
    state: State,
    password_need: PasswordNeed,
    payload: Payload,
    pub passwords: Vec<PasswordHash>,
    /// The rules outside of parentheses.
    pub root: Selector,
    pub selectors: Vec<Selector>,
}

/// `on` or `off`: whether one can become this user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    On,
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PasswordNeed {
    /// `nopass`: any password is right.
    None,
    OneOfThem,
}

/// What a user's RESTORE looks at. Kept and told; here every payload is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Payload {
    Unsaid,
    Sanitized,
    Skipped,
}

/// What rules need to know to be applied.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    pub catalog: &'a Catalog,
    pub new_channels: NewChannels,
}

impl User {
    /// One that cannot do anything, nor be logged in to.
    pub fn new(name: &[u8], new_channels: NewChannels) -> Self {
        User {
            name: name.into(),
            state: State::Off,
            password_need: PasswordNeed::OneOfThem,
            payload: Payload::Unsaid,
            passwords: Vec::new(),
            root: Selector::new(new_channels),
            selectors: Vec::new(),
        }
    }

    /// The user `default` as it is as long as nobody has changed it: everybody, allowed everything.
    pub fn initial_default(catalog: &Catalog) -> Self {
        User {
            state: State::On,
            password_need: PasswordNeed::None,
            root: Selector::everything(catalog),
            ..User::new(b"default", NewChannels::All)
        }
    }

    pub fn is_enabled(&self) -> bool {
        self.state == State::On
    }

    /// Any password is right.
    pub fn needs_no_password(&self) -> bool {
        self.password_need == PasswordNeed::None
    }

    /// Nothing that is asked needs to be checked.
    pub fn is_unrestricted(&self) -> bool {
        self.root.is_everything()
    }

    /// All of them, the root first.
    pub fn all_selectors(&self) -> impl Iterator<Item = &Selector> {
        std::iter::once(&self.root).chain(&self.selectors)
    }

    /// Whether somebody who knows the password of this hash is this user. Takes the same time whichever is right.
    pub fn accepts(&self, given: &PasswordHash) -> bool {
        let known = self.passwords.iter().fold(false, |known, password| known | password.is_same(given));
        self.is_enabled() && (known || self.needs_no_password())
    }

    /// Applies one rule; an empty one says nothing.
    ///
    /// # Errors
    /// Then the user is as before.
    pub fn apply(&mut self, surroundings: Surroundings<'_>, rule: &[u8]) -> Result<(), RuleError> {
        let Surroundings { catalog, new_channels } = surroundings;
        let lower = rule.to_ascii_lowercase();
        match lower.as_slice() {
            b"" => {}
            b"on" => self.state = State::On,
            b"off" => self.state = State::Off,
            b"nopass" => self.need_no_password(),
            b"resetpass" => self.forget_passwords(),
            b"skip-sanitize-payload" => self.payload = Payload::Skipped,
            b"sanitize-payload" => self.payload = Payload::Sanitized,
            b"clearselectors" => self.selectors.clear(),
            b"reset" => {
                *self = User { payload: Payload::Sanitized, ..User::new(&self.name, new_channels) };
            }
            [b'>', ..] => self.add_password(PasswordHash::of(&rule[1..])),
            [b'#', ..] => self.add_password(PasswordHash::parse(&rule[1..])?),
            [b'<', ..] => return self.remove_password(PasswordHash::of(&rule[1..])),
            [b'!', ..] => return self.remove_password(PasswordHash::parse(&rule[1..])?),
            [b'(', .., b')'] => {
                self.selectors.push(Selector::read(catalog, new_channels, &rule[1..rule.len() - 1])?);
            }
            _ => return self.root.apply(catalog, rule),
        }
        Ok(())
    }

    pub fn need_no_password(&mut self) {
        self.passwords.clear();
        self.password_need = PasswordNeed::None;
    }

    pub fn forget_passwords(&mut self) {
        self.passwords.clear();
        self.password_need = PasswordNeed::OneOfThem;
    }

    pub fn add_password(&mut self, password: PasswordHash) {
        if !self.passwords.contains(&password) {
            self.passwords.push(password);
        }
        self.password_need = PasswordNeed::OneOfThem;
    }

    fn remove_password(&mut self, password: PasswordHash) -> Result<(), RuleError> {
        let place = self.passwords.iter().position(|known| *known == password);
        self.passwords.remove(place.ok_or(RuleError::NoSuchPassword)?);
        Ok(())
    }

    /// The flags in the order of ACL GETUSER.
    pub fn flags(&self) -> Vec<&'static str> {
        let mut flags = vec![if self.is_enabled() { "on" } else { "off" }];
        flags.extend(self.needs_no_password().then_some("nopass"));
        flags.extend(match self.payload {
            Payload::Unsaid => None,
            Payload::Sanitized => Some("sanitize-payload"),
            Payload::Skipped => Some("skip-sanitize-payload"),
        });
        flags
    }

    /// The rules that make this user from a new one that has no channels.
    pub fn words(&self, catalog: &Catalog) -> Vec<Vec<u8>> {
        let mut words: Vec<Vec<u8>> = self.flags().iter().map(|flag| flag.as_bytes().to_vec()).collect();
        words.extend(self.passwords.iter().map(|password| format!("#{password}").into_bytes()));
        words.extend(self.root.words(catalog));
        words.extend(self.selectors.iter().map(|selector| selector.write(catalog)));
        words
    }

    /// `user NAME RULES`, as ACL LIST and the file have it.
    pub fn line(&self, catalog: &Catalog) -> Vec<u8> {
        let mut words = vec![b"user".to_vec(), self.name.to_vec()];
        words.extend(self.words(catalog));
        words.join(&b' ')
    }

    /// Whether a subscription to this channel may stay.
    pub fn may_hear_channel(&self, channel: &[u8]) -> bool {
        self.hears(|patterns| patterns.iter().any(|pattern| pattern.matches(channel)))
    }

    /// Whether a subscription to this pattern may stay.
    pub fn may_hear_pattern(&self, asked: &[u8]) -> bool {
        self.hears(|patterns| patterns.iter().any(|pattern| pattern.text() == asked))
    }

    fn hears(&self, is_among: impl Fn(&[super::patterns::Pattern]) -> bool) -> bool {
        self.all_selectors().any(|selector| match &selector.channels {
            Channels::All => true,
            Channels::Some(patterns) => is_among(patterns),
        })
    }
}
