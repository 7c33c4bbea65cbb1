//! All users, by name and by number.

use super::catalog::Catalog;
use super::user::User;
use crate::base::ids::UserId;
use std::collections::BTreeMap;

/// The users. Empty only until `install_default`; slot 0 is the user `default`, which never goes.
#[derive(Default)]
pub struct Users {
    slots: Vec<Option<Slot>>,
    by_name: BTreeMap<Box<[u8]>, UserId>,
    last_number: u64,
}

struct Slot {
    number: u64,
    user: User,
}

impl Users {
    /// Makes the user `default` what it is as long as nobody has changed it.
    pub fn install_default(&mut self, catalog: &Catalog) {
        let user = User::initial_default(catalog);
        if self.slots.is_empty() {
            self.by_name.insert(user.name.clone(), UserId::default());
            self.slots.push(Some(Slot { number: 0, user }));
        } else {
            self.set(user);
        }
    }

    pub fn default_user(&self) -> &User {
        self.get(UserId::default()).expect("the user default is there from the start and is never removed")
    }

    #[inline]
    pub fn get(&self, id: UserId) -> Option<&User> {
        let slot = self.slots.get(id.slot as usize)?.as_ref()?;
        (slot.number == id.number).then_some(&slot.user)
    }

    pub fn find(&self, name: &[u8]) -> Option<UserId> {
        self.by_name.get(name).copied()
    }

    pub fn named(&self, name: &[u8]) -> Option<&User> {
        self.get(self.find(name)?)
    }

    /// By name.
    pub fn iter(&self) -> impl Iterator<Item = &User> {
        self.by_name.values().filter_map(|id| self.get(*id))
    }

    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Puts a user in the place of the one of the same name, or adds it.
    pub fn set(&mut self, user: User) -> UserId {
        if let Some(id) = self.find(&user.name) {
            self.slots[id.slot as usize] = Some(Slot { number: id.number, user });
            return id;
        }
        self.last_number += 1;
        let free = self.slots.iter().position(Option::is_none);
        let slot = free.unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        let id =
            UserId { number: self.last_number, slot: u32::try_from(slot).expect("fewer than 2^32 users") };
        self.by_name.insert(user.name.clone(), id);
        self.slots[slot] = Some(Slot { number: id.number, user });
        id
    }

    /// Removes a user; not `default`.
    pub fn remove(&mut self, name: &[u8]) -> Option<UserId> {
        let id = self.find(name).filter(|id| *id != UserId::default())?;
        self.by_name.remove(name);
        self.slots[id.slot as usize] = None;
        Some(id)
    }

    /// Makes `users` the only ones, besides `default`. Returns the numbers of those who are still there, new or not.
    pub fn replace(&mut self, users: Vec<User>) -> Vec<UserId> {
        let is_kept = |name: &[u8]| name == b"default" || users.iter().any(|user| *user.name == *name);
        let gone: Vec<Box<[u8]>> = self.by_name.keys().filter(|name| !is_kept(name)).cloned().collect();
        for name in &gone {
            self.remove(name);
        }
        users.into_iter().map(|user| self.set(user)).collect()
    }
}
