//! A field against a plain struct.

use proptest::prelude::*;

use super::{EXPIRE_AT_MS_MAX, Field};

#[derive(Clone, Debug)]
enum Step {
    Value(Vec<u8>),
    Expire(Option<i64>),
    Clone,
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![6 => 0..40_usize, 2 => 110..300_usize, 1 => 65_000..66_000_usize];
    (length, any::<u8>())
        .prop_map(|(length, first)| (0..length).map(|at| first.wrapping_add(at as u8)).collect())
}

fn expiry() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![Just(None), Just(Some(0)), Just(Some(EXPIRE_AT_MS_MAX)), (0..EXPIRE_AT_MS_MAX).prop_map(Some)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => bytes().prop_map(Step::Value),
        3 => expiry().prop_map(Step::Expire),
        1 => Just(Step::Clone),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_field_is_what_was_put_in(
        name in bytes(),
        value in bytes(),
        expire_at_ms in expiry(),
        steps in prop::collection::vec(step(), 0..12),
    ) {
        let mut model = (value.clone(), expire_at_ms);
        let mut field = Field::new(&name, &value, expire_at_ms);
        for step in steps {
            match step {
                Step::Value(value) => {
                    field.set_value(&value);
                    model.0 = value;
                }
                Step::Expire(expire_at_ms) => {
                    field.set_expire(expire_at_ms);
                    model.1 = expire_at_ms;
                }
                Step::Clone => field = field.clone(),
            }
            prop_assert_eq!(field.name(), &name[..]);
            prop_assert_eq!((field.value(), field.expire_at_ms()), (&model.0[..], model.1));
        }
    }
}

#[test]
fn blocks_are_as_small_as_promised() {
    let bytes = |name: usize, value: usize, expire_at_ms| {
        Field::new(&vec![b'n'; name], &vec![b'v'; value], expire_at_ms).heap_bytes()
    };
    assert_eq!((bytes(0, 0, None), bytes(7, 7, None), bytes(8, 7, None)), (8, 16, 24));
    assert_eq!((bytes(11, 11, None), bytes(15, 15, None), bytes(15, 16, None)), (24, 32, 40));
    assert_eq!((bytes(12, 12, Some(1)), bytes(12, 13, Some(1))), (32, 40));
}
