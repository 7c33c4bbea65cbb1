//! The commands of the group geo: places as scores of a sorted set.

mod add;
mod arguments;
mod members;
mod query;
mod search;
#[cfg(test)]
mod tests;

use crate::server::Entry;
use crate::spec::{Begin, Find, Flags, Group, KeyFlags, KeySpec, Spec};

const RO_ACCESS: KeyFlags = KeyFlags::RO.or(KeyFlags::ACCESS);
const OW_UPDATE: KeyFlags = KeyFlags::OW.or(KeyFlags::UPDATE);

const READ_ONE: &[KeySpec] = &[KeySpec::one(1, RO_ACCESS)];

/// The key behind `word`, which stands among the options that begin at argument `from`.
const fn key_behind(word: &'static str, from: i32) -> KeySpec {
    KeySpec {
        begin: Begin::Keyword { word, from },
        find: Find::Range { last: 0, step: 1, limit: 0 },
        flags: OW_UPDATE,
    }
}

const RADIUS_KEYS: &[KeySpec] =
    &[KeySpec::one(1, RO_ACCESS), key_behind("STORE", 6), key_behind("STOREDIST", 6)];
const RADIUS_BY_MEMBER_KEYS: &[KeySpec] =
    &[KeySpec::one(1, RO_ACCESS), key_behind("STORE", 5), key_behind("STOREDIST", 5)];

const RADIUS_FLAGS: Flags = Flags::WRITE.or(Flags::DENYOOM).or(Flags::MOVABLEKEYS);

const RADIUS_COMPLEXITY: &str = "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.";
const SEARCH_COMPLEXITY: &str = "O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the shape provided as the filter and M is the number of items inside the shape";

const fn spec(name: &'static str, arity: i32, flags: Flags) -> Spec {
    Spec::new(name, arity, Group::Geo, flags)
}

pub const COMMANDS: &[Entry] = &[
    Entry::data(
        spec("geoadd", -5, Flags::WRITE.or(Flags::DENYOOM))
            .keys(&[KeySpec::one(1, KeyFlags::RW.or(KeyFlags::UPDATE))])
            .complexity(
                "O(log(N)) for each item added, where N is the number of elements in the sorted set.",
            )
            .doc(
                "3.2.0",
                "Add one or more geospatial items in the geospatial index represented using a sorted set",
                "key [NX|XX] [CH] longitude latitude member [longitude latitude member ...]",
            ),
        add::geoadd,
    ),
    Entry::data(
        spec("geodist", -4, Flags::READONLY).keys(READ_ONE).complexity("O(log(N))").doc(
            "3.2.0",
            "Returns the distance between two members of a geospatial index",
            "key member1 member2 [M|KM|FT|MI]",
        ),
        members::geodist,
    ),
    Entry::data(
        spec("geohash", -2, Flags::READONLY)
            .keys(READ_ONE)
            .complexity(
                "O(log(N)) for each member requested, where N is the number of elements in the sorted set.",
            )
            .doc(
                "3.2.0",
                "Returns members of a geospatial index as standard geohash strings",
                "key [member [member ...]]",
            ),
        members::geohash,
    ),
    Entry::data(
        spec("geopos", -2, Flags::READONLY)
            .keys(READ_ONE)
            .complexity("O(N) where N is the number of members requested.")
            .doc(
                "3.2.0",
                "Returns longitude and latitude of members of a geospatial index",
                "key [member [member ...]]",
            ),
        members::geopos,
    ),
    Entry::data(
        spec("georadius", -6, RADIUS_FLAGS)
            .keys(RADIUS_KEYS)
            .complexity(RADIUS_COMPLEXITY)
            .deprecated("6.2.0", "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument")
            .doc(
                "3.2.0",
                "Query a sorted set representing a geospatial index to fetch members matching a given maximum distance from a point",
                "key longitude latitude radius <M|KM|FT|MI> [WITHCOORD] [WITHDIST] [WITHHASH] \
                 [COUNT count [ANY]] [ASC|DESC] [STORE key|STOREDIST key]",
            ),
        search::georadius,
    ),
    Entry::data(
        spec("georadius_ro", -6, Flags::READONLY)
            .keys(READ_ONE)
            .complexity(RADIUS_COMPLEXITY)
            .deprecated("6.2.0", "`GEOSEARCH` with the `BYRADIUS` argument")
            .doc(
                "3.2.10",
                "A read-only variant for GEORADIUS",
                "key longitude latitude radius <M|KM|FT|MI> [WITHCOORD] [WITHDIST] [WITHHASH] \
                 [COUNT count [ANY]] [ASC|DESC]",
            ),
        search::georadius_ro,
    ),
    Entry::data(
        spec("georadiusbymember", -5, RADIUS_FLAGS)
            .keys(RADIUS_BY_MEMBER_KEYS)
            .complexity(RADIUS_COMPLEXITY)
            .deprecated(
                "6.2.0",
                "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments",
            )
            .doc(
                "3.2.0",
                "Query a sorted set representing a geospatial index to fetch members matching a given maximum distance from a member",
                "key member radius <M|KM|FT|MI> [WITHCOORD] [WITHDIST] [WITHHASH] \
                 [COUNT count [ANY]] [ASC|DESC] [STORE key|STOREDIST key]",
            ),
        search::georadiusbymember,
    ),
    Entry::data(
        spec("georadiusbymember_ro", -5, Flags::READONLY)
            .keys(READ_ONE)
            .complexity(RADIUS_COMPLEXITY)
            .deprecated("6.2.0", "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments")
            .doc(
                "3.2.10",
                "A read-only variant for GEORADIUSBYMEMBER",
                "key member radius <M|KM|FT|MI> [WITHCOORD] [WITHDIST] [WITHHASH] \
                 [COUNT count [ANY]] [ASC|DESC]",
            ),
        search::georadiusbymember_ro,
    ),
    Entry::data(
        spec("geosearch", -7, Flags::READONLY).keys(READ_ONE).complexity(SEARCH_COMPLEXITY).doc(
            "6.2.0",
            "Query a sorted set representing a geospatial index to fetch members inside an area of a box or a circle.",
            "key [FROMMEMBER member|FROMLONLAT longitude latitude] \
             <BYRADIUS radius <M|KM|FT|MI>|BYBOX width height <M|KM|FT|MI>\
             |BYPOLYGON num-vertices longitude latitude [longitude latitude ...]> \
             [ASC|DESC] [COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]",
        ),
        search::geosearch,
    ),
    Entry::data(
        spec("geosearchstore", -8, Flags::WRITE.or(Flags::DENYOOM))
            .keys(&[KeySpec::one(1, OW_UPDATE), KeySpec::one(2, RO_ACCESS)])
            .complexity(SEARCH_COMPLEXITY)
            .doc(
                "6.2.0",
                "Query a sorted set representing a geospatial index to fetch members inside an area of a box or a circle, and store the result in another key.",
                "destination source [FROMMEMBER member|FROMLONLAT longitude latitude] \
                 <BYRADIUS radius <M|KM|FT|MI>|BYBOX width height <M|KM|FT|MI>\
                 |BYPOLYGON num-vertices longitude latitude [longitude latitude ...]> \
                 [ASC|DESC] [COUNT count [ANY]] [STOREDIST]",
            ),
        search::geosearchstore,
    ),
];
