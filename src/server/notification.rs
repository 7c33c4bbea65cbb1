//! The channels and messages that tell subscribers of a change of a key.
//!
//! ```text
//!   K  __keyspace@<db>__:<key>                  <event>
//!   E  __keyevent@<db>__:<event>                <key>
//!   S  __subkeyspace@<db>__:<key>               <event>|<len>:<subkey>,<len>:<subkey> ..
//!   T  __subkeyevent@<db>__:<event>             <len>:<key>|<len>:<subkey>,..
//!   I  __subkeyspaceitem@<db>__:<key>\n<subkey> <event>                                     one for each subkey
//!   V  __subkeyspaceevent@<db>__:<event>|<key>  <len>:<subkey>,..
//! ```
//! The last four, Redis 8.8's, tell of events that concern parts of a key, the fields of a hash. They follow K and E in
//! this order.
//!
//! Invariants:
//! 1. Channel and message are built in buffers that are kept: no allocation once they have grown.
//! 2. What is ambiguous is left out: `I` of a key with a line feed. (No event's name has a `|`.)

use crate::base::number::format_i64;
use crate::config::NotifyEvents;
use crate::keyspace::ledger::Told;

/// Takes a channel and a message.
pub type Sink<'a> = &'a mut dyn FnMut(&[u8], &[u8]);

/// Builds channels and messages.
#[derive(Default)]
pub struct Notification {
    channel: Vec<u8>,
    message: Vec<u8>,
}

impl Notification {
    /// Gives `sink` what is published of one event on the channels among `events`. The class of the event has been
    /// looked at.
    pub fn write(&mut self, told: &Told<'_>, events: NotifyEvents, sink: Sink<'_>) {
        let name = told.event.name().as_bytes();
        if events.has(NotifyEvents::KEYSPACE) {
            sink(self.channel("__keyspace@", told, &[told.key]), name);
        }
        if events.has(NotifyEvents::KEYEVENT) {
            sink(self.channel("__keyevent@", told, &[name]), told.key);
        }
        if events.has(NotifyEvents::SUBKEYS) && told.subkeys().len() > 0 {
            self.write_subkeys(told, events, sink);
        }
    }

    fn write_subkeys(&mut self, told: &Told<'_>, events: NotifyEvents, sink: Sink<'_>) {
        let name = told.event.name().as_bytes();
        if events.has(NotifyEvents::SUBKEYSPACE) {
            self.message.clear();
            self.message.extend_from_slice(name);
            self.message.push(b'|');
            self.append_subkeys(told);
            self.channel("__subkeyspace@", told, &[told.key]);
            sink(&self.channel, &self.message);
        }
        if events.has(NotifyEvents::SUBKEYEVENT) {
            self.message.clear();
            self.append_with_length(told.key);
            self.message.push(b'|');
            self.append_subkeys(told);
            self.channel("__subkeyevent@", told, &[name]);
            sink(&self.channel, &self.message);
        }
        if events.has(NotifyEvents::SUBKEYSPACE_ITEM) && !told.key.contains(&b'\n') {
            for subkey in told.subkeys() {
                sink(self.channel("__subkeyspaceitem@", told, &[told.key, b"\n", subkey]), name);
            }
        }
        if events.has(NotifyEvents::SUBKEYSPACE_EVENT) {
            self.message.clear();
            self.append_subkeys(told);
            self.channel("__subkeyspaceevent@", told, &[name, b"|", told.key]);
            sink(&self.channel, &self.message);
        }
    }

    /// `<prefix><db>__:` and the parts of the rest.
    fn channel(&mut self, prefix: &str, told: &Told<'_>, rest: &[&[u8]]) -> &[u8] {
        self.channel.clear();
        self.channel.extend_from_slice(prefix.as_bytes());
        match u8::try_from(told.db) {
            Ok(db @ 0..=9) => self.channel.push(b'0' + db),
            _ => self.channel.extend_from_slice(&format_i64(told.db as i64)),
        }
        self.channel.extend_from_slice(b"__:");
        rest.iter().for_each(|part| self.channel.extend_from_slice(part));
        &self.channel
    }

    fn append_subkeys(&mut self, told: &Told<'_>) {
        for (index, subkey) in told.subkeys().enumerate() {
            if index > 0 {
                self.message.push(b',');
            }
            self.append_with_length(subkey);
        }
    }

    fn append_with_length(&mut self, text: &[u8]) {
        self.message.extend_from_slice(&format_i64(text.len() as i64));
        self.message.push(b':');
        self.message.extend_from_slice(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyspace::{Event, Ledger};

    /// `channel message` of everything that a ledger tells, with `events` in force.
    fn written(events: &str, tell: impl FnOnce(&mut Ledger)) -> Vec<String> {
        let events = NotifyEvents::parse(events).expect("known letters");
        let mut ledger = Ledger::default();
        ledger.notifies = events;
        tell(&mut ledger);
        let (mut notification, mut found) = (Notification::default(), Vec::new());
        for told in ledger.told() {
            notification.write(&told, events, &mut |channel, message| {
                found.push(String::from_utf8_lossy(&[channel, b" ", message].concat()).into_owned());
            });
        }
        found
    }

    #[test]
    fn keys_and_events_have_channels() {
        let tell = |ledger: &mut Ledger| {
            ledger.changed(0, b"k", Event::Set, 1);
            ledger.changed(12, b"", Event::XgroupDelConsumer, 1);
        };
        assert_eq!(written("KA", tell), ["__keyspace@0__:k set", "__keyspace@12__: xgroup-delconsumer"]);
        assert_eq!(written("EA", tell), ["__keyevent@0__:set k", "__keyevent@12__:xgroup-delconsumer "]);
        assert_eq!(written("KEA", tell)[..2], ["__keyspace@0__:k set", "__keyevent@0__:set k"]);
        assert!(written("STIVA", tell).is_empty(), "a string has no parts");
    }

    #[test]
    fn fields_have_channels() {
        let tell = |ledger: &mut Ledger| {
            ledger.changed(0, b"h|k", Event::Hset, 1);
            ledger.name_subkeys([&b"f"[..], b"a,b"].into_iter());
        };
        let expected = [
            "__subkeyspace@0__:h|k hset|1:f,3:a,b",
            "__subkeyevent@0__:hset 3:h|k|1:f,3:a,b",
            "__subkeyspaceitem@0__:h|k\nf hset",
            "__subkeyspaceitem@0__:h|k\na,b hset",
            "__subkeyspaceevent@0__:hset|h|k 1:f,3:a,b",
        ];
        assert_eq!(written("STIVh", tell), expected);
        assert_eq!(written("KTh", tell), ["__keyspace@0__:h|k hset", expected[1]]);
        assert_eq!(written("Kh", tell), ["__keyspace@0__:h|k hset"]);
    }

    #[test]
    fn a_key_with_a_line_feed_has_no_items() {
        let tell = |ledger: &mut Ledger| {
            ledger.changed(0, b"h\n", Event::Hdel, 1);
            ledger.name_subkeys(std::iter::once(&b"f"[..]));
        };
        assert!(written("I", tell).is_empty());
        assert_eq!(written("V", tell), ["__subkeyspaceevent@0__:hdel|h\n 1:f"]);
    }
}
