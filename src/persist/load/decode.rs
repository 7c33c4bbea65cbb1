//! A stretch of the file into keys, by whatever thread has time.

use super::making::{self, Made, Terms};
use super::place::Arrival;
use crate::base::heap;
use crate::rdb::{KeyRecord, Reader, ReaderOptions, Record, Stretch, Version};

/// The keys of a stretch, in their order.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) arrivals: Vec<Arrival>,
    /// Keys that had expired.
    pub(super) expired: u64,
    /// Keys that are left out, which the log names.
    pub(super) left_out: Vec<LeftOut>,
    /// The offset in the file where the stretch ended.
    pub(super) end: u64,
}

pub(super) struct LeftOut {
    pub(super) key: Vec<u8>,
    pub(super) why: Why,
}

pub(super) enum Why {
    /// A collection without elements.
    Empty,
    /// A value that cannot be held here.
    Foreign { value_type: &'static str, module_id: Option<u64> },
}

/// One thread's means of decoding.
pub(super) struct Decoder {
    reader: Reader<&'static [u8]>,
    filling: heap::Filling,
    /// Of the stretch before: the next one has as many keys, about.
    keys_expected: usize,
}

impl Decoder {
    pub(super) fn new(version: Version, options: ReaderOptions) -> Decoder {
        let reader = Reader::of_stretches(version, options);
        Decoder { reader, filling: heap::fill(), keys_expected: 0 }
    }

    /// Makes the keys of `stretch`, in the vector `room`. `None` when it cannot be read to its end: what is wrong is
    /// found by who reads the file from there. Returns the buffer of the stretch as well.
    pub(super) fn decode(
        &mut self,
        stretch: Stretch,
        terms: &Terms,
        mut room: Vec<Arrival>,
    ) -> (Option<Batch>, Vec<u8>) {
        room.reserve(self.keys_expected);
        let mut batch = Batch { arrivals: room, end: stretch.end(), ..Batch::default() };
        self.reader.begin_stretch(stretch);
        let is_whole = self.read_into(&mut batch, terms);
        self.keys_expected = batch.arrivals.len();
        (is_whole.then_some(batch), self.reader.end_stretch())
    }

    fn read_into(&mut self, batch: &mut Batch, terms: &Terms) -> bool {
        while self.reader.offset() < batch.end {
            self.filling.go_on();
            if let Some(string) = self.reader.next_plain() {
                let made = making::of_string(&string, &terms.access);
                batch.take(made, string.key, string.offset, terms);
                continue;
            }
            match self.reader.next_record(&terms.rules) {
                Ok(Record::Key(record)) => batch.take_key(record, terms),
                Ok(Record::LeftOut { key, value_type, module_id, .. }) => {
                    batch.leave_out(key, Why::Foreign { value_type, module_id });
                }
                Ok(
                    Record::Building
                    | Record::SlotInfo { .. }
                    | Record::ModuleAux { .. }
                    | Record::Ignored(_),
                ) => {}
                Ok(
                    Record::Aux { .. }
                    | Record::SelectDb(_)
                    | Record::ResizeDb { .. }
                    | Record::FunctionLibrary(_)
                    | Record::End { .. },
                )
                | Err(_) => return false,
            }
        }
        self.reader.offset() == batch.end
    }
}

impl Batch {
    fn take_key(&mut self, record: KeyRecord<'_>, terms: &Terms) {
        let (key, offset) = (record.key, record.offset);
        self.take(making::of_key(record, &terms.access), key, offset, terms);
    }

    #[inline]
    fn take(&mut self, made: Made, key: &[u8], offset: u64, terms: &Terms) {
        match made {
            Made::Entry(entry) => {
                self.arrivals.push(Arrival { hash: terms.rules.seed.hash(key), entry, offset });
            }
            Made::Expired => self.expired += 1,
            Made::Empty => self.leave_out(key, Why::Empty),
        }
    }

    #[cold]
    fn leave_out(&mut self, key: &[u8], why: Why) {
        self.left_out.push(LeftOut { key: key.to_vec(), why });
    }
}
