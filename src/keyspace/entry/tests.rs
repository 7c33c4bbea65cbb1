//! Every transition of an entry against a plain struct.

use proptest::prelude::*;

use super::*;

/// What an entry should say.
#[derive(Clone, Debug)]
struct Model {
    key: Vec<u8>,
    value: Value,
    expire_at_ms: Option<i64>,
    lru: u32,
}

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Int(i64),
    /// As it was given.
    Bytes(Vec<u8>),
    Edited(Vec<u8>),
}

#[derive(Clone, Debug)]
enum Step {
    SetBytes(Vec<u8>),
    SetInt(i64),
    Append(Vec<u8>),
    Truncate(usize),
    Expire(Option<i64>),
    Lru(u32),
    Rename(Vec<u8>),
    Copy(Vec<u8>),
    Generation(Generation),
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![0..70usize, 250..260usize, 1000..1100usize, Just(5000usize)];
    (length, any::<u8>()).prop_map(|(length, fill)| vec![fill; length])
}

fn expiry() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![
        Just(None),
        (0..2_000_000_000_000i64).prop_map(Some),
        any::<i64>().prop_map(Some),
        Just(Some((1 << 47) - 1)),
        Just(Some(1 << 47)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => bytes().prop_map(Step::SetBytes),
        2 => any::<i64>().prop_map(Step::SetInt),
        4 => bytes().prop_map(Step::Append),
        1 => (0..300usize).prop_map(Step::Truncate),
        4 => expiry().prop_map(Step::Expire),
        2 => (0..1u32 << 24).prop_map(Step::Lru),
        1 => bytes().prop_map(Step::Rename),
        1 => bytes().prop_map(Step::Copy),
        1 => Just(Step::Generation(Generation::Odd)),
        1 => Just(Step::Generation(Generation::Even)),
    ]
}

impl Model {
    fn text(&self) -> Vec<u8> {
        match &self.value {
            Value::Int(value) => value.to_string().into_bytes(),
            Value::Bytes(bytes) | Value::Edited(bytes) => bytes.clone(),
        }
    }

    fn apply(&mut self, entry: &mut Entry, step: Step) {
        match step {
            Step::SetBytes(bytes) => {
                entry.set_bytes(&bytes);
                self.value = Value::Bytes(bytes);
            }
            Step::SetInt(value) => {
                entry.set_int(value);
                self.value = Value::Int(value);
            }
            Step::Append(bytes) => {
                let total = entry.edit_raw(|value| {
                    value.extend_from_slice(&bytes);
                    value.len()
                });
                self.value = Value::Edited([self.text(), bytes].concat());
                assert_eq!(total, self.text().len());
            }
            Step::Truncate(length) => {
                entry.edit_raw(|value| value.truncate(length));
                let mut text = self.text();
                text.truncate(length);
                self.value = Value::Edited(text);
            }
            Step::Expire(expire_at_ms) => {
                let generation = entry.index_generation();
                let is_kept = self.expire_at_ms.is_some() && expire_at_ms.is_some();
                entry.set_expire(expire_at_ms);
                assert!(!is_kept || entry.index_generation() == generation);
                self.expire_at_ms = expire_at_ms;
            }
            Step::Lru(clock) => {
                entry.set_lru(clock);
                self.lru = clock;
            }
            Step::Rename(key) => {
                let old = std::mem::replace(entry, Entry::from_int(b"", 0, None));
                *entry = old.with_key(&key);
                self.key = key;
            }
            Step::Copy(key) => {
                *entry = entry.clone_with_key(&key);
                self.key = key;
            }
            Step::Generation(generation) => {
                entry.set_index_generation(generation);
                assert!(self.expire_at_ms.is_none() || entry.index_generation() == generation);
            }
        }
    }

    fn check(&self, entry: &Entry) {
        assert_eq!(entry.key(), self.key);
        assert_eq!((entry.expire_at_ms(), entry.lru()), (self.expire_at_ms, self.lru));
        assert_eq!((entry.str_len(), entry.value_type()), (self.text().len(), ValueType::String));
        let (view, encoding) = match &self.value {
            Value::Int(value) => (StrView::Int(*value), Encoding::Int),
            Value::Bytes(bytes) if bytes.len() <= 44 => (StrView::Bytes(bytes), Encoding::Embstr),
            Value::Bytes(bytes) | Value::Edited(bytes) => (StrView::Bytes(bytes), Encoding::Raw),
        };
        assert_eq!((entry.str_view(), entry.encoding()), (view, encoding));
        assert!(entry.heap_bytes(0) >= self.key.len() + 5 && entry.drop_cost() >= 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn behaves_like_a_struct(
        key in bytes(), value in bytes(), expire_at_ms in expiry(),
        steps in prop::collection::vec(step(), 0..40)
    ) {
        let mut entry = Entry::from_bytes(&key, &value, expire_at_ms);
        let mut model = Model { key, value: Value::Bytes(value), expire_at_ms, lru: 0 };
        model.check(&entry);
        for step in steps {
            model.apply(&mut entry, step);
            model.check(&entry);
        }
    }
}

#[test]
fn memory_is_what_was_promised() {
    let key = [b'k'; 16];
    assert_eq!(Entry::from_bytes(&key, &[0; 16], None).heap_bytes(0), 40);
    assert_eq!(Entry::from_bytes(&key, &[0; 16], Some(1_700_000_000_000)).heap_bytes(0), 48);
    assert_eq!(Entry::from_bytes(&key, &[0; 100], None).heap_bytes(0), 128);
    assert_eq!(Entry::from_bytes(&key, &[0; 100], Some(1_700_000_000_000)).heap_bytes(0), 128);
    assert_eq!(Entry::from_int(&key, i64::MIN, None).heap_bytes(0), 32);
}

#[test]
fn a_value_of_the_same_class_stays_in_place() {
    let mut entry = Entry::from_bytes(b"key", &[1; 60], None);
    let before = entry.key().as_ptr();
    entry.set_bytes(&[2; 70]);
    assert_eq!((entry.key().as_ptr(), entry.str_view()), (before, StrView::Bytes(&[2; 70])));
    let mut counter = Entry::from_int(b"counter", 1, Some(5));
    let before = counter.key().as_ptr();
    (0..100).for_each(|value| counter.set_int(value << 40));
    counter.set_expire(Some(6));
    assert_eq!((counter.key().as_ptr(), counter.str_view()), (before, StrView::Int(99 << 40)));
}

#[test]
fn a_raw_value_says_raw_and_a_long_one_is_not_copied() {
    assert_eq!(Entry::from_raw(b"k", b"ab".to_vec(), None).encoding(), Encoding::Raw);
    let long = vec![7; 100_000];
    let address = long.as_ptr();
    let entry = Entry::from_raw(b"k", long, None).with_key(b"another");
    let StrView::Bytes(bytes) = entry.str_view() else { panic!("not bytes") };
    assert_eq!((bytes.as_ptr(), bytes.len()), (address, 100_000));
    assert!(entry.heap_bytes(0) > 100_000 && entry.drop_cost() > 3);
}

#[test]
fn an_entry_may_be_dropped_on_another_thread() {
    let entry = Entry::from_bytes(b"k", &[0; 3000], None);
    std::thread::spawn(move || drop(entry)).join().unwrap();
}
