//! What values consist of, for those who only want to know where they end.
//!
//! `build` says what the pieces mean; here they are counted. Who steps over a value finds its end, or a fault, but not
//! all that may be wrong with it.

use super::types::Part::{self, Bytes, Length, ModuleFields, Repeat, Score, Text};
use super::types::{Blob, Expiries, Form, Nodes, Scores, StreamForm};

/// The pieces of a value of this form.
pub(super) fn layout(form: Form) -> &'static [Part] {
    match form {
        Form::Blob(Blob::Packed(_) | Blob::Ziplist(_) | Blob::Zipmap) => &[Text],
        Form::Blob(Blob::HashWithExpiries) => &[TIME, Text],
        Form::List(Nodes::None | Nodes::Ziplists) | Form::Set => &[Repeat(&[Text])],
        Form::List(Nodes::Listpacks) => &[Repeat(&[Length, Text])],
        Form::Zset(Scores::Text) => &[Repeat(&[Text, Score])],
        Form::Zset(Scores::Binary) => &[Repeat(&[Text, Bytes(8)])],
        Form::Hash(Expiries::None) => &[Repeat(&[Text, Text])],
        Form::Hash(Expiries::Absolute) => &[Repeat(&[Length, Text, Text])],
        Form::Hash(Expiries::FromFirst) => &[TIME, Repeat(&[Length, Text, Text])],
        Form::Hash(Expiries::Behind) => &[Repeat(&[Text, Text, TIME])],
        Form::Stream(StreamForm::First) => &[NODES, LENGTH_AND_LAST, GROUPS_FIRST],
        Form::Stream(StreamForm::Totals) => &[NODES, LENGTH_AND_LAST, TOTALS, GROUPS_TOTALS],
        Form::Stream(StreamForm::ActiveTimes) => &[NODES, LENGTH_AND_LAST, TOTALS, GROUPS_ACTIVE_TIMES],
        Form::Stream(StreamForm::Producers) => {
            &[NODES, LENGTH_AND_LAST, TOTALS, GROUPS_ACTIVE_TIMES, SETTINGS, PRODUCERS, ADDED]
        }
        Form::Stream(StreamForm::Nacks) => {
            &[NODES, LENGTH_AND_LAST, TOTALS, GROUPS_NACKS, SETTINGS, PRODUCERS, ADDED]
        }
        Form::Module => &[Length, ModuleFields],
    }
}

const TIME: Part = Bytes(8);
const NODES: Part = Repeat(&[Text, Text]);
const LENGTH_AND_LAST: Part = Part::Together(&[Length, Length, Length]);
/// First, last deleted, added.
const TOTALS: Part = Part::Together(&[Length, Length, Length, Length, Length]);
const PENDING: Part = Repeat(&[Bytes(16), TIME, Length]);
const OWNED: Part = Repeat(&[Bytes(16)]);
const CONSUMERS: Part = Repeat(&[Text, TIME, OWNED]);
const CONSUMERS_ACTIVE_TIMES: Part = Repeat(&[Text, TIME, TIME, OWNED]);
const GROUPS_FIRST: Part = Repeat(&[Text, Length, Length, PENDING, CONSUMERS]);
const GROUPS_TOTALS: Part = Repeat(&[Text, Length, Length, Length, PENDING, CONSUMERS]);
const GROUPS_ACTIVE_TIMES: Part = Repeat(&[Text, Length, Length, Length, PENDING, CONSUMERS_ACTIVE_TIMES]);
const GROUPS_NACKS: Part = Repeat(&[Text, Length, Length, Length, PENDING, CONSUMERS_ACTIVE_TIMES, OWNED]);
const SETTINGS: Part = Part::Together(&[Length, Length]);
const PRODUCERS: Part = Repeat(&[Text, Repeat(&[Text, Length, Length])]);
const ADDED: Part = Part::Together(&[Length, Length]);
