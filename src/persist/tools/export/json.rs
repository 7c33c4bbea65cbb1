//! One object a line (JSON Lines):
//!
//! ```text
//! {"db":0,"key":<bytes>,"type":"string","expire_at_ms":null | <Unix milliseconds>,"value":<value>}
//!
//! string   <bytes>                            list, set   [<bytes>, ...]
//! zset     [[<bytes>, <score>], ...]
//! hash     [[<field>, <value>], [<field>, <value>, <expire_at_ms>], ...]
//! stream   {"entries": [["1-1", [[<field>, <value>], ...]], ...],
//!           "last_id", "max_deleted_id", "entries_added",
//!           "groups": [{"name", "last_id", "entries_read": null | <number>,
//!                       "pending": [{"id", "consumer": null | <bytes>, "delivered_ms", "deliveries"}],
//!                       "consumers": [{"name", "seen_ms", "active_ms": null | <number>}]}]}
//! ```
//! Hashes are arrays of pairs, as names of members cannot be bytes in JSON. `<bytes>` and `<score>` as `tools::json`
//! has them.

use super::{Content, Exported};
use crate::encoding::listpack::{Digits, Element};
use crate::object::stream::{Group, StreamId};
use crate::object::{HashView, Stream, View};
use crate::persist::tools::json::Json;
use crate::persist::tools::sink::Sink;

pub(super) fn write(exported: &Exported<'_>, out: &mut Sink<'_>) {
    let mut json = Json::new(out);
    json.object(|json| {
        json.name("db").number(exported.db).name("key").bytes(exported.key);
        json.name("type").text(exported.content.value_type().name());
        json.name("expire_at_ms").optional(exported.expire_at_ms);
        json.name("value");
        match &exported.content {
            Content::Int(text) => {
                json.bytes(text);
            }
            Content::Bytes(bytes) => {
                json.bytes(bytes);
            }
            Content::Object(object) => write_object(json, object.view()),
        }
    });
    json.end_line();
}

fn write_object(json: &mut Json<'_, '_>, view: View<'_>) {
    match view {
        View::List(list) => {
            json.array(|json| list.for_each(|element| write_element(json, element)));
        }
        View::Set(set) => {
            json.array(|json| set.iter().for_each(|member| write_element(json, member)));
        }
        View::Zset(zset) => {
            json.array(|json| {
                for (member, score) in zset.iter() {
                    json.array(|json| {
                        write_element(json, member);
                        json.score(score);
                    });
                }
            });
        }
        View::Hash(hash) => write_hash(json, hash),
        View::Stream(stream) => write_stream(json, stream),
    }
}

fn write_element(json: &mut Json<'_, '_>, element: Element<'_>) {
    json.bytes(element.text(&mut Digits::default()));
}

fn write_hash(json: &mut Json<'_, '_>, hash: HashView<'_>) {
    json.array(|json| {
        hash.for_each_stored(&mut |stored| {
            json.array(|json| {
                write_element(json, stored.field);
                write_element(json, stored.value);
                if let Some(expire_at_ms) = stored.expire_at_ms {
                    json.number(expire_at_ms);
                }
            });
        });
    });
}

fn write_id(json: &mut Json<'_, '_>, id: StreamId) {
    json.bytes(&id.text());
}

fn write_stream(json: &mut Json<'_, '_>, stream: &Stream) {
    let log = stream.log();
    json.object(|json| {
        json.name("entries").array(|json| {
            for entry in log.iter() {
                json.array(|json| {
                    write_id(json, entry.id);
                    json.array(|json| {
                        for (field, value) in entry.fields {
                            json.array(|json| {
                                write_element(json, field);
                                write_element(json, value);
                            });
                        }
                    });
                });
            }
        });
        write_id(json.name("last_id"), log.last_id());
        write_id(json.name("max_deleted_id"), log.max_deleted_id());
        json.name("entries_added").number(log.entries_added());
        json.name("groups").array(|json| {
            for (name, group) in stream.groups() {
                json.object(|json| write_group(json, name, group));
            }
        });
    });
}

fn write_group(json: &mut Json<'_, '_>, name: &[u8], group: &Group) {
    json.name("name").bytes(name);
    write_id(json.name("last_id"), group.last_id());
    json.name("entries_read").optional(group.entries_read());
    json.name("pending").array(|json| {
        for pending in group.pending(StreamId::MIN, StreamId::MAX) {
            json.object(|json| {
                write_id(json.name("id"), pending.id);
                json.name("consumer");
                match pending.consumer {
                    Some(consumer) => json.bytes(consumer.name()),
                    None => json.null(),
                };
                json.name("delivered_ms").number(pending.delivered_ms);
                json.name("deliveries").number(pending.deliveries);
            });
        }
    });
    json.name("consumers").array(|json| {
        for consumer in group.consumers() {
            json.object(|json| {
                json.name("name").bytes(consumer.name()).name("seen_ms").number(consumer.seen_ms());
                json.name("active_ms").optional(consumer.active_ms());
            });
        }
    });
}
