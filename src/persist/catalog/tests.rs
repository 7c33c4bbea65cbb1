//! A catalogue written, read, damaged.

use super::*;
use proptest::prelude::*;

pub fn line(id: u32, file: &str) -> Line {
    Line {
        id: SnapshotId(id),
        made_s: 1_795_455_000,
        file: file.into(),
        bytes: 4711,
        modified_ns: 1_795_455_000_000_000_123,
        kept: Kept::ByRule,
        keys: Some(8),
        rdb_version: Some(11),
        duration_ms: Some(12),
        fork_us: None,
        crc64_xz: Some(0x995d_c9bb_df19_39fa),
    }
}

#[test]
fn a_catalogue_looks_like_this() {
    let text = Catalog::text(&[line(0x1f0c_22a9, "dump.rdb")]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0].split(':').next(), Some("# Tintype catalog 1"));
    assert_eq!(
        lines[1],
        "1f0c22a9\t20261123T173000Z\tdump.rdb\t8\t4711\t11\t12\t-\t995DC9BBDF1939FA\tsaved\t\
         1795455000000000123"
    );
    assert_eq!(lines[2..], ["# end 1"]);
    assert_eq!(Catalog::parse(text.as_bytes()).lines, [line(0x1f0c_22a9, "dump.rdb")]);
}

#[test]
fn a_damaged_catalogue_is_read_as_far_as_it_can() {
    let lines = [line(1, "a.rdb"), line(2, "b.rdb"), line(3, "c.rdb")];
    let text = Catalog::text(&lines);
    let torn = Catalog::parse(&text.as_bytes()[..text.find("c.rdb").unwrap()]);
    assert_eq!(torn.lines, lines[..2]);
    assert_eq!(torn.faults, ["line 4 cannot be read", "it has no end"]);
    let damaged = text.replacen("b.rdb", "b.rdb\t", 1);
    let damaged = Catalog::parse(damaged.as_bytes());
    assert_eq!((damaged.lines.len(), &damaged.faults[..]), (2, &["line 3 cannot be read".to_owned()][..]));
    let short = text.lines().filter(|line| !line.contains("b.rdb")).collect::<Vec<_>>().join("\n");
    assert_eq!(Catalog::parse(short.as_bytes()).faults, ["it should have 3 lines"]);
    let foreign = Catalog::parse(b"shopping list\nmilk\n");
    assert_eq!((foreign.lines.len(), foreign.faults.len()), (0, 1));
    assert_eq!(Catalog::parse(b"").faults, ["it has no end"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        Catalog::parse(&bytes);
        let mut text = Catalog::text(&[line(1, "a.rdb"), line(2, "b.rdb")]).into_bytes();
        for (index, byte) in bytes.iter().take(8).enumerate() {
            let place = (index * 37 + usize::from(*byte)) % text.len();
            text[place] = *byte;
        }
        Catalog::parse(&text);
    }

    #[test]
    fn any_file_name_survives(name in ".{1,40}", kept in 0..4_usize) {
        let line = Line { kept: Kept::ALL[kept], keys: None, ..line(7, &name) };
        let read = Catalog::parse(Catalog::text(std::slice::from_ref(&line)).as_bytes());
        prop_assert_eq!(read.lines, [line]);
        prop_assert!(read.faults.is_empty());
    }
}
