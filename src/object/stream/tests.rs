//! Streams against plain maps, over several sizes of nodes.

use super::*;
use crate::base::argv::Argv;
use proptest::prelude::*;
use std::collections::BTreeMap;

type Model = BTreeMap<StreamId, Vec<Vec<u8>>>;

fn rules(max_bytes: usize, max_entries: usize) -> Rules {
    Rules { stream_node_max_bytes: max_bytes, stream_node_max_entries: max_entries, ..Rules::default() }
}

fn texts(entry: &Entry<'_>) -> Vec<Vec<u8>> {
    entry.fields.clone().flat_map(|(field, value)| [field.to_vec(), value.to_vec()]).collect()
}

fn read<'a>(entries: impl Iterator<Item = Entry<'a>>) -> Vec<(StreamId, Vec<Vec<u8>>)> {
    entries.map(|entry| (entry.id, texts(&entry))).collect()
}

fn add(stream: &mut Stream, id: (u64, u64), fields: &[&[u8]], rules: &Rules) {
    let fields: Argv = fields.iter().collect();
    let id = NewId::Given(StreamId::new(id.0, id.1));
    stream.log_mut().append(id, fields.args(), 0, rules).expect("an ID above the last one");
}

fn numbered(count: u64, rules: &Rules) -> Stream {
    let mut stream = Stream::default();
    (1..=count).for_each(|ms| add(&mut stream, (ms, 0), &[b"f", b"v"], rules));
    stream
}

/// The same stream by way of its blobs.
fn reloaded(stream: &Stream) -> Result<Stream, Corrupt> {
    let log = stream.log();
    let mut loaded = Stream::default();
    for (master, blob) in log.nodes() {
        loaded.load_node(master, blob.to_vec(), Depth::Deep)?;
    }
    loaded.load_metadata(Metadata {
        length: log.len(),
        last_id: log.last_id(),
        counters: Some(Counters {
            first_id: log.first_id(),
            max_deleted_id: log.max_deleted_id(),
            entries_added: log.entries_added(),
        }),
    })?;
    for (name, group) in stream.groups() {
        let mut loader = GroupLoader::new(group.last_id(), group.entries_read());
        for pending in group.pending(StreamId::MIN, StreamId::MAX) {
            loader.pending(pending.id, pending.delivered_ms, pending.deliveries)?;
        }
        for consumer in group.consumers() {
            let slot = loader.consumer(consumer.name(), consumer.seen_ms(), consumer.active_ms())?;
            consumer.pending().try_for_each(|id| loader.owned(slot, id))?;
        }
        group.released().try_for_each(|id| loader.released(id))?;
        loaded.load_group(name, loader.finish()?)?;
    }
    Ok(loaded)
}

#[derive(Clone, Debug)]
enum Step {
    Add { ms: u64, seq: u64, fields: Vec<Vec<u8>> },
    Delete(usize),
    DeleteAt(u64),
    Trim { max: u64, by_id: bool, exact: bool, limit: Option<u64> },
    Range(u64, u64),
}

fn step() -> impl Strategy<Value = Step> {
    let text = prop_oneof![
        Just(b"field".to_vec()),
        Just(b"other".to_vec()),
        any::<i64>().prop_map(|value| value.to_string().into_bytes()),
        proptest::collection::vec(any::<u8>(), 0..90),
    ];
    prop_oneof![
        8 => (0_u64..3, 0_u64..4, proptest::collection::vec((text.clone(), text), 1..4)).prop_map(
            |(ms, seq, pairs)| {
                let fields = pairs.into_iter().flat_map(|(field, value)| [field, value]).collect();
                Step::Add { ms, seq, fields }
            }
        ),
        3 => any::<usize>().prop_map(Step::Delete),
        1 => (0_u64..60).prop_map(Step::DeleteAt),
        1 => (0_u64..40, any::<bool>(), any::<bool>(), proptest::option::of(0_u64..20))
            .prop_map(|(max, by_id, exact, limit)| Step::Trim { max, by_id, exact, limit }),
        3 => (0_u64..60, 0_u64..60).prop_map(|(start, end)| Step::Range(start, end)),
    ]
}

/// Runs one step on both and compares what it answers.
fn run(stream: &mut Stream, model: &mut Model, step: Step, rules: &Rules) {
    let log = stream.log_mut();
    match step {
        Step::Add { ms, seq, fields } => {
            let last = log.last_id();
            let id = StreamId::new(last.ms + ms, seq);
            let argv: Argv = fields.iter().collect();
            let added = log.append(NewId::Given(id), argv.args(), 0, rules);
            assert_eq!(added, if id > last { Ok(id) } else { Err(AppendError::NotAbove) });
            if id > last {
                model.insert(id, fields);
            }
        }
        Step::Delete(_) if model.is_empty() => {}
        Step::Delete(index) => {
            let id = *model.keys().nth(index % model.len()).expect("an index below the length");
            model.remove(&id);
            assert!(log.delete(id) && !log.delete(id));
            assert!(log.max_deleted_id() >= id);
        }
        Step::DeleteAt(ms) => {
            let id = StreamId::new(ms, 1);
            assert_eq!(log.delete(id), model.remove(&id).is_some());
        }
        Step::Trim { max, by_id, exact, limit } => {
            let threshold =
                if by_id { Threshold::MinId(StreamId::new(max, 0)) } else { Threshold::MaxLen(max) };
            trim(stream, model, threshold, if exact { None } else { Some(limit) });
        }
        Step::Range(start, end) => {
            let (start, end) = (StreamId::new(start, 1), StreamId::new(end, 2));
            let inside = model.iter().filter(|(id, _)| (start..=end).contains(id));
            let mut expected: Vec<_> = inside.map(|(id, fields)| (*id, fields.clone())).collect();
            assert_eq!(read(log.range(start, end)), expected);
            expected.reverse();
            assert_eq!(read(log.range_back(start, end)), expected);
            assert_eq!(log.contains(start), model.contains_key(&start));
        }
    }
}

/// Trims both; `limit` is there when the trim is approximate.
fn trim(stream: &mut Stream, model: &mut Model, threshold: Threshold, limit: Option<Option<u64>>) {
    let beyond = match threshold {
        Threshold::MaxLen(max) => model.len().saturating_sub(max as usize),
        Threshold::MinId(min) => model.range(..min).count(),
    };
    let exactness = limit.map_or(Exactness::Exact, |limit| Exactness::Nodes { limit });
    let trimmed = stream.trim(threshold, exactness, References::Kept) as usize;
    match limit {
        None => assert_eq!(trimmed, beyond),
        Some(limit) => assert!(trimmed <= beyond && limit.is_none_or(|limit| trimmed as u64 <= limit)),
    }
    let gone: Vec<_> = model.keys().take(trimmed).copied().collect();
    gone.iter().for_each(|id| {
        model.remove(id);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_stream_is_a_map(
        steps in proptest::collection::vec(step(), 1..120),
        (max_bytes, max_entries) in prop_oneof![
            Just((4096, 100)), Just((0, 0)), Just((0, 1)), Just((0, 3)), Just((64, 0)), Just((200, 7)),
        ],
    ) {
        let rules = rules(max_bytes, max_entries);
        let (mut stream, mut model) = (Stream::default(), Model::new());
        for step in steps {
            run(&mut stream, &mut model, step, &rules);
            stream.check();
        }
        let expected: Vec<_> = model.clone().into_iter().collect();
        assert_eq!(read(stream.log().iter()), expected);
        assert_eq!(stream.log().last().map(|entry| entry.id), model.keys().last().copied());
        let again = reloaded(&stream).expect("our own blobs");
        again.check();
        assert_eq!(read(again.log().iter()), expected);
    }

    /// A damaged node is refused, or it is another whole node: nothing that reads it panics.
    #[test]
    fn damaged_nodes_do_no_harm(changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..4)) {
        let stream = {
            let rules = rules(0, 0);
            let mut stream = numbered(6, &rules);
            add(&mut stream, (300, 9), &[b"other", b"12345", b"more", &[b'x'; 70]], &rules);
            stream.log_mut().delete(StreamId::new(3, 0));
            stream
        };
        let (master, blob) = stream.log().nodes().next().expect("a node");
        let mut blob = blob.to_vec();
        for (place, byte) in changes {
            let place = place % blob.len();
            blob[place] = byte;
        }
        let mut loaded = Stream::default();
        if loaded.load_node(master, blob, Depth::Structure).is_ok() {
            loaded.log.last_id = StreamId::MAX;
            loaded.log.entries_added = loaded.log.len();
            loaded.log.find_first();
            loaded.check();
            let back = loaded.log().range_back(StreamId::MIN, StreamId::MAX);
            assert_eq!(loaded.log().iter().count(), back.count());
        }
    }
}

#[test]
fn ids_are_made_like_redis_makes_them() {
    let rules = Rules::default();
    let mut stream = Stream::default();
    let log = stream.log_mut();
    let fields: Argv = ["f", "v"].into_iter().collect();
    let mut append = |new, now_ms| log.append(new, fields.args(), now_ms, &rules);
    assert_eq!(append(NewId::AutoSeq(0), 5), Ok(StreamId::new(0, 1)));
    assert_eq!(append(NewId::Auto, 5), Ok(StreamId::new(5, 0)));
    assert_eq!(append(NewId::Auto, 5), Ok(StreamId::new(5, 1)));
    assert_eq!(append(NewId::Auto, 3), Ok(StreamId::new(5, 2)));
    assert_eq!(append(NewId::AutoSeq(5), 3), Ok(StreamId::new(5, 3)));
    assert_eq!(append(NewId::AutoSeq(4), 3), Err(AppendError::NotAbove));
    assert_eq!(append(NewId::AutoSeq(7), 3), Ok(StreamId::new(7, 0)));
    assert_eq!(append(NewId::Given(StreamId::new(7, u64::MAX)), 3), Ok(StreamId::new(7, u64::MAX)));
    assert_eq!(append(NewId::AutoSeq(7), 3), Err(AppendError::NotAbove));
    assert_eq!(append(NewId::Auto, 3), Ok(StreamId::new(8, 0)));
    assert_eq!(append(NewId::Given(StreamId::MAX), 3), Ok(StreamId::MAX));
    assert_eq!(append(NewId::Auto, 3), Err(AppendError::Exhausted));
    stream.check();
}

/// The blob of facts/rdb.md's verified example: what Redis 7.0.15 dumps for `XADD s 1-1 f v`.
#[test]
fn a_node_is_the_blob_of_redis() {
    let mut stream = Stream::default();
    add(&mut stream, (1, 1), &[b"f", b"v"], &Rules::default());
    let (master, blob) = stream.log().nodes().next().expect("a node");
    assert_eq!(master, StreamId::new(1, 1));
    let redis =
        b"\x1d\0\0\0\x0a\0\x01\x01\0\x01\x01\x01\x81f\x02\0\x01\x02\x01\0\x01\0\x01\x81v\x02\x04\x01\xff";
    assert_eq!(blob, redis);
}

#[test]
fn nodes_split_at_both_limits() {
    assert_eq!(numbered(250, &rules(0, 100)).log().nodes().len(), 3);
    assert_eq!(numbered(20, &rules(64, 0)).radix_tree(), Shape { keys: 5, nodes: 12 });
    assert_eq!(numbered(1000, &rules(0, 0)).log().nodes().len(), 1);
}

/// What redis-server 7.0.15 told of XINFO GROUPS after the same commands.
#[test]
fn lags_are_those_of_redis() {
    let mut stream = numbered(5, &Rules::default());
    let lags = |stream: &Stream| -> Vec<Option<i64>> {
        (0..=6).map(|ms| stream.lag(&Group::new(StreamId::new(ms, 0), None))).collect()
    };
    assert_eq!(lags(&stream), [Some(5), Some(4), None, None, None, Some(0), None]);
    stream.log_mut().delete(StreamId::new(2, 0));
    assert_eq!(lags(&stream), [None, None, None, None, None, Some(0), None]);
    stream.log_mut().delete(StreamId::new(1, 0));
    assert_eq!(lags(&stream), [Some(3), Some(3), Some(3), Some(2), None, Some(0), None]);
    stream.trim(Threshold::MaxLen(0), Exactness::Exact, References::Kept);
    assert_eq!(lags(&stream), [Some(0), Some(0), Some(0), Some(0), Some(0), Some(0), None]);
    add(&mut stream, (10, 0), &[b"f", b"v"], &Rules::default());
    assert_eq!(lags(&stream), [Some(1); 7]);
    assert_eq!(stream.lag(&Group::new(StreamId::new(4, 0), Some(50))), Some(-44));
}

#[test]
fn trimming_knows_the_references() {
    let rules = rules(0, 2);
    let mut stream = numbered(6, &rules);
    let id = |ms| StreamId::new(ms, 0);
    assert_eq!(stream.trim(Threshold::MaxLen(0), Exactness::Exact, References::Awaited), 0);
    stream.add_group(b"g", Group::new(id(4), None));
    stream.edit_group(b"g", |_, group| {
        let (slot, _) = group.consumer_or_make(b"c", 1);
        group.deliver(id(2), slot, 1, 1);
        group.deliver(id(3), slot, 1, 1);
    });
    assert_eq!(stream.trim(Threshold::MaxLen(0), Exactness::Exact, References::Awaited), 2);
    let left: Vec<_> = stream.log().iter().map(|entry| entry.id.ms).collect();
    assert_eq!(left, [2, 3, 5, 6]);
    assert_eq!(stream.delete(id(2), References::Awaited), Deleted::Referenced);
    assert_eq!(stream.delete(id(2), References::Kept), Deleted::Yes);
    assert_eq!(stream.group(b"g").map(Group::pending_len), Some(2));
    assert_eq!(stream.delete(id(2), References::Deleted), Deleted::Forgotten);
    assert_eq!(stream.delete(id(2), References::Deleted), Deleted::Absent);
    assert_eq!(stream.group(b"g").map(Group::pending_len), Some(1));
    assert_eq!(stream.trim(Threshold::MinId(id(6)), Exactness::Exact, References::Deleted), 2);
    assert_eq!(stream.group(b"g").map(Group::pending_len), Some(0));
    stream.check();
}

#[test]
fn groups_keep_one_owner_for_each_entry() {
    let mut stream = numbered(5, &Rules::default());
    let id = |ms| StreamId::new(ms, 0);
    assert!(stream.add_group(b"g", Group::new(StreamId::MIN, Some(0))));
    assert!(!stream.add_group(b"g", Group::default()));
    assert_eq!(Stream::rdb_version(&stream), 10);
    stream.edit_group(b"g", |_, group| {
        let (one, made) = group.consumer_or_make(b"one", 100);
        assert_eq!((made, group.consumer_or_make(b"one", 200)), (Made::Now, (one, Made::Before)));
        let (two, _) = group.consumer_or_make(b"alpha", 100);
        (1..=4).for_each(|ms| group.deliver(id(ms), one, 100 + ms as i64, 1));
        group.check();
        group.deliver(id(2), two, 50, 7);
        group.check();
        assert_eq!(group.idle_since(103, 10), [id(2), id(1), id(3)]);
        group.deliver(id(3), two, 500, 2);
        group.release(id(4), 3);
        group.release(id(1), 1);
        group.release(id(4), 9);
        group.check();
        assert_eq!(group.idle_since(60, 10), [id(4), id(1), id(2)]);
        assert_eq!(group.released().collect::<Vec<_>>(), [id(4), id(1)]);
        assert!(group.acknowledge(id(3)) && !group.acknowledge(id(3)));
        group.deliver(id(4), one, 60, 10);
        group.check();
    });
    let names: Vec<_> =
        stream.groups().flat_map(|(_, group)| group.consumers().map(|one| one.name().to_vec())).collect();
    assert_eq!(names, [b"alpha".to_vec(), b"one".to_vec()]);
    assert_eq!(Stream::rdb_version(&stream), 14);
    let again = reloaded(&stream).expect("our own parts");
    again.check();
    assert_eq!(Stream::rdb_version(&again), 14);
    stream.edit_group(b"g", |_, group| {
        assert_eq!(group.remove_consumer(b"alpha"), Some(1));
        assert_eq!(group.remove_consumer(b"alpha"), None);
        assert!(group.acknowledge(id(1)));
        group.check();
        let one = group.slot(b"one").expect("a consumer");
        group.contact(one, Contact::Served, 700);
    });
    assert_eq!(Stream::rdb_version(&stream), 10);
    stream.edit_group(b"g", |_, group| {
        let one = group.slot(b"one").expect("a consumer");
        group.contact(one, Contact::Seen, 701);
    });
    assert_eq!(Stream::rdb_version(&stream), 11);
    stream.check();
    assert!(stream.remove_group(b"g") && !stream.remove_group(b"g"));
    assert_eq!(Stream::rdb_version(&stream), 10);
}

#[test]
fn files_that_lie_are_refused() {
    let id = |ms| StreamId::new(ms, 0);
    let stream = numbered(3, &rules(0, 2));
    let blobs: Vec<_> = stream.log().nodes().map(|(master, blob)| (master, blob.to_vec())).collect();
    let mut loaded = Stream::default();
    loaded.load_node(blobs[0].0, blobs[0].1.clone(), Depth::Deep).expect("a whole node");
    let overlapping = loaded.load_node(id(2), blobs[1].1.clone(), Depth::Deep);
    assert_eq!(overlapping, Err(Corrupt("stream: nodes overlap")));
    loaded.load_node(blobs[1].0, blobs[1].1.clone(), Depth::Deep).expect("a whole node");
    let metadata = |length, last_id, entries_added| Metadata {
        length,
        last_id,
        counters: Some(Counters { first_id: id(1), max_deleted_id: id(0), entries_added }),
    };
    assert!(loaded.load_metadata(metadata(2, id(3), 3)).is_err());
    assert!(loaded.load_metadata(metadata(3, id(2), 3)).is_err());
    assert!(loaded.load_metadata(metadata(3, id(3), 2)).is_err());
    assert!(loaded.load_metadata(metadata(3, id(3), u64::MAX)).is_err());
    loaded.load_metadata(metadata(3, id(3), 4)).expect("all is right");
    loaded.check();

    let mut loader = GroupLoader::new(id(3), None);
    loader.pending(id(1), 5, 1).expect("pending once");
    assert!(loader.pending(id(1), 5, 1).is_err());
    let one = loader.consumer(b"one", 1, None).expect("a first consumer");
    assert!(loader.consumer(b"one", 1, None).is_err());
    loader.owned(one, id(1)).expect("one owner");
    let two = loader.consumer(b"two", 1, None).expect("a second consumer");
    assert!(loader.owned(two, id(1)).is_err() && loader.released(id(1)).is_err());
    assert!(loader.owned(two, id(2)).is_err());
    loader.pending(id(2), 5, 1).expect("pending once");
    assert!(loader.finish().is_err());
}
