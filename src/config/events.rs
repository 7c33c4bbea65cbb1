//! Which keyspace events are published, and on which channels: the value of `notify-keyspace-events`.
//!
//! ```text
//!   letters of classes   g $ l s h z x e t d   what A stands for      n o c   new, overwritten, type changed
//!                        a                     arrays, in A as well   m       a key that was not there
//!   letters of channels  K __keyspace@  E __keyevent@                 S T I V the same for parts of a key
//! ```
//! `o` and `c` are Redis 8.2's, `a` and the channels for parts of a key Redis 8.8's; no command of this server tells an
//! event of the classes `a` and `d`.

/// A set of letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotifyEvents(u32);

/// The letters in the order CONFIG GET answers them.
const LETTERS: &[u8] = b"g$lshzxetdanocKEmSTIV";
/// Those that `A` stands for.
const ALL: NotifyEvents = NotifyEvents::of(b"g$lshzxetda");
/// Those that name a channel.
const CHANNELS: NotifyEvents = NotifyEvents::of(b"KESTIV");
/// What CONFIG GET leaves out behind an `A`, as Redis does: `n` is answered only where the classes are spelt out.
const SPELT_OUT: &[u8] = b"g$lshzxetdanoc";

impl NotifyEvents {
    pub const NONE: NotifyEvents = NotifyEvents(0);
    pub const NEW: NotifyEvents = NotifyEvents::of(b"n");
    pub const MISS: NotifyEvents = NotifyEvents::of(b"m");
    pub const OVERWRITTEN: NotifyEvents = NotifyEvents::of(b"o");
    pub const TYPE_CHANGED: NotifyEvents = NotifyEvents::of(b"c");
    pub const KEYSPACE: NotifyEvents = NotifyEvents::of(b"K");
    pub const KEYEVENT: NotifyEvents = NotifyEvents::of(b"E");
    pub const SUBKEYSPACE: NotifyEvents = NotifyEvents::of(b"S");
    pub const SUBKEYEVENT: NotifyEvents = NotifyEvents::of(b"T");
    pub const SUBKEYSPACE_ITEM: NotifyEvents = NotifyEvents::of(b"I");
    pub const SUBKEYSPACE_EVENT: NotifyEvents = NotifyEvents::of(b"V");
    /// The channels for parts of a key.
    pub const SUBKEYS: NotifyEvents = NotifyEvents::of(b"STIV");

    /// Letters that are known.
    pub const fn of(letters: &[u8]) -> NotifyEvents {
        let (mut bits, mut at) = (0, 0);
        while at < letters.len() {
            bits |= match NotifyEvents::of_letter(letters[at]) {
                Some(NotifyEvents(bit)) => bit,
                None => panic!("a letter that is no class"),
            };
            at += 1;
        }
        NotifyEvents(bits)
    }

    /// The class or channel of one letter.
    pub const fn of_letter(letter: u8) -> Option<NotifyEvents> {
        let mut at = 0;
        while at < LETTERS.len() {
            if LETTERS[at] == letter {
                return Some(NotifyEvents(1 << at));
            }
            at += 1;
        }
        None
    }

    /// `None` when there is a letter that means nothing.
    pub fn parse(text: &str) -> Option<NotifyEvents> {
        text.bytes().try_fold(NotifyEvents::NONE, |sum, letter| {
            let meant = if letter == b'A' { ALL } else { NotifyEvents::of_letter(letter)? };
            Some(NotifyEvents(sum.0 | meant.0))
        })
    }

    /// Whether any of `others` is in it.
    #[inline]
    pub const fn has(self, others: NotifyEvents) -> bool {
        self.0 & others.0 != 0
    }

    /// Whether there is a channel to publish on.
    #[inline]
    pub const fn publishes(self) -> bool {
        self.has(CHANNELS)
    }

    /// The answer of CONFIG GET, with the classes in Redis's order.
    pub fn text(self) -> String {
        let hidden: &[u8] = if self.has_all() { SPELT_OUT } else { b"" };
        self.letters(hidden)
    }

    /// As `text`, with nothing left out: what a file says.
    pub fn full_text(self) -> String {
        let hidden: &[u8] = if self.has_all() { b"g$lshzxetda" } else { b"" };
        self.letters(hidden)
    }

    /// Before arrays came `A` stood for everything but them, so they are not asked for.
    fn has_all(self) -> bool {
        let arrays = NotifyEvents::of(b"a");
        (self.0 | arrays.0) & ALL.0 == ALL.0
    }

    fn letters(self, hidden: &[u8]) -> String {
        let shown = LETTERS
            .iter()
            .enumerate()
            .filter(|(at, letter)| self.0 >> at & 1 == 1 && !hidden.contains(letter));
        let all = self.has_all().then_some('A');
        all.into_iter().chain(shown.map(|(_, letter)| char::from(*letter))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What redis-server 7.0.15 answers to CONFIG GET after a CONFIG SET.
    const SEEN_ON_REDIS: &[(&str, &str)] = &[
        ("KEA", "AKE"),
        ("A", "A"),
        ("g", "g"),
        ("g$lshzxet", "g$lshzxet"),
        ("g$lshzxetd", "A"),
        ("KEg", "gKE"),
        ("mnKE", "nKEm"),
        ("KEAmn", "AKEm"),
        ("nmd", "dnm"),
        ("", ""),
        ("EK", "KE"),
        ("g$lshzxetdnmKE", "AKEm"),
        ("KKEE", "KE"),
    ];

    #[test]
    fn the_text_is_that_of_redis() {
        for (given, text) in SEEN_ON_REDIS {
            assert_eq!(NotifyEvents::parse(given).map(NotifyEvents::text).as_deref(), Some(*text), "{given}");
        }
        for wrong in ["q", "KEA ", "k", "B"] {
            assert_eq!(NotifyEvents::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn newer_letters_are_known() {
        for (given, text) in [("ocSTIV", "ocSTIV"), ("AKESTIV", "AKESTIV"), ("aE", "aE"), ("AaK", "AK")] {
            assert_eq!(NotifyEvents::parse(given).map(NotifyEvents::text).as_deref(), Some(text));
        }
    }

    #[test]
    fn a_file_loses_nothing() {
        for bits in (0..1 << LETTERS.len()).step_by(37) {
            let events = NotifyEvents(bits);
            let read = NotifyEvents::parse(&events.full_text()).expect("its own text");
            let arrays = if events.has_all() { NotifyEvents::of(b"a").0 } else { 0 };
            assert_eq!(read.0, events.0 | arrays, "{}", events.full_text());
        }
        let events = NotifyEvents::parse("KEAmn").expect("known letters");
        assert_eq!(events.full_text(), "AnKEm");
    }

    #[test]
    fn classes_alone_publish_nothing() {
        let publishes = |text| NotifyEvents::parse(text).expect("known letters").publishes();
        assert!(!publishes("Amn") && !publishes(""));
        assert!(publishes("K") && publishes("Ex") && publishes("hS") && publishes("hV"));
    }
}
