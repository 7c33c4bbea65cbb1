//! Places, and SORT.
//!
//! What is sorted by SORT lies in keys of its own, for the sake of three peculiarities of the oracle. It gives a small
//! sorted set the encoding of a large one when it sorts it: ours have a long member, so that they are large. It takes
//! every number that strtod reads for one out of range once there was one (errno stays as it is): elements and weights
//! are integers, which it does not read so. And by texts that are equal the order of its hash tables shows: so only
//! lists are sorted so. Members of sets may be texts, which are read so: sets are sorted by weights or as texts.

use crate::table::{Template, exact};

pub const TEMPLATES: &[Template] = &[
    exact(24, "GEOADD {geo} ({longitude} {latitude} {place})*"),
    exact(8, "GEOADD {geo} ?NX|XX ?CH ({longitude} {latitude} {place})*"),
    exact(2, "GEOADD {geo} NX|XX|CH|FOO* ({longitude} {latitude} {place})* ?{place}"),
    exact(3, "ZADD {geo} ({score} {place})*"),
    exact(3, "ZREM {geo} {place}*"),
    exact(3, "ZRANGE {geo} 0 -1 WITHSCORES"),
    exact(8, "GEODIST {geo} {place} {place} ?{unit}"),
    exact(1, "GEODIST {geo} {place} {place} {unit} {unit}"),
    exact(6, "GEOHASH {geo} {place}*"),
    exact(1, "GEOHASH|GEOPOS {geo}"),
    exact(6, "GEOPOS {geo} {place}*"),
    exact(6, "GEORADIUS|GEORADIUS_RO {geo} {longitude} {latitude} {length} {unit}"),
    exact(8, "GEORADIUS|GEORADIUS_RO {geo} {longitude} {latitude} {length} {unit} {geo_option}*"),
    exact(3, "GEORADIUS {geo} {longitude} {latitude} {length} {unit} STORE|STOREDIST {geo} ?ASC|DESC"),
    exact(5, "GEORADIUSBYMEMBER|GEORADIUSBYMEMBER_RO {geo} {place} {length} {unit}"),
    exact(5, "GEORADIUSBYMEMBER|GEORADIUSBYMEMBER_RO {geo} {place} {length} {unit} {geo_option}*"),
    exact(3, "GEORADIUSBYMEMBER {geo} {place} {length} {unit} STORE|STOREDIST {geo} ?(COUNT {few})"),
    exact(8, "GEOSEARCH {geo} FROMMEMBER {place} BYRADIUS {length} {unit} ?ASC|DESC ?{geo_option}"),
    exact(
        8,
        "GEOSEARCH {geo} FROMLONLAT {longitude} {latitude} BYBOX {length} {length} {unit} ?{geo_option}",
    ),
    exact(6, "GEOSEARCH {geo} BYRADIUS {length} {unit} {geo_option}* FROMLONLAT {longitude} {latitude}"),
    exact(2, "GEOSEARCH {geo} FROMMEMBER {place} BYBOX|BYRADIUS {length} {length} {unit} {geo_option}*"),
    exact(
        1,
        "GEOSEARCH {geo} FROMMEMBER|FROMLONLAT|BYBOX|BYRADIUS|STORE|FOO* {place}* {length} {unit} ?{place}",
    ),
    exact(5, "GEOSEARCHSTORE {geo} {geo} FROMMEMBER {place} BYRADIUS {length} {unit} ?STOREDIST"),
    exact(
        3,
        "GEOSEARCHSTORE {geo} {geo} FROMLONLAT {longitude} {latitude} BYBOX {length} {length} {unit} ?ASC",
    ),
    exact(2, "GEOSEARCHSTORE {geo} {geo} FROMMEMBER {place} BYRADIUS {length} {unit} {geo_option}*"),
    exact(1, "COMMAND GETKEYS GEORADIUS {geo} 1 2 3 m ?(STORE {geo}) ?(STOREDIST {geo})"),
    // SORT.
    exact(10, "RPUSH {sorted_list} {sorted_element}*"),
    exact(4, "SADD {sorted_set} {sorted_element}*"),
    exact(4, "ZADD {sorted_zset} 1 {long_element} ({sorted_element} {sorted_element})*"),
    exact(6, "SET {weight} {integer}"),
    exact(4, "HSET {weight_hash} field {integer}"),
    exact(1, "DEL {weight}* {sorted_list}"),
    exact(2, "LRANGE {sorted_list} 0 -1"),
    exact(6, "SORT|SORT_RO {sorted_list} ?ASC|DESC ?ALPHA ?(LIMIT {index} {index})"),
    exact(4, "SORT|SORT_RO {sorted_set} ?ASC|DESC ALPHA ?(LIMIT {index} {index})"),
    exact(3, "SORT|SORT_RO {sorted_zset} ALPHA ?ASC|DESC ?(LIMIT {index} {index}) ?(GET {sort_pattern})"),
    exact(
        6,
        "SORT {sorted_list}|{sorted_set}|{sorted_zset} BY {sort_weight} ?ASC|DESC (GET {sort_pattern})*",
    ),
    exact(
        8,
        "SORT {sorted_list} ?(BY {sort_pattern}) ?ALPHA ?DESC ?(LIMIT {small} {small}) ?(GET {sort_pattern})",
    ),
    exact(3, "SORT {sorted_list} ?DESC ?ALPHA ?(GET {sort_pattern}) STORE {sorted_list}"),
    exact(3, "SORT {sorted_set} ?DESC ALPHA ?(GET {sort_pattern}) STORE {sorted_list}"),
    exact(3, "SORT {sorted_zset} BY nosort ?ASC|DESC ?(LIMIT {small} {small}) ?(STORE {sorted_list})"),
    exact(2, "SORT|SORT_RO {sorted_list} ALPHA ?DESC ?(LIMIT {index} {index}) ?(STORE {sorted_list})"),
    exact(1, "SORT|SORT_RO hash:0|stream:0|{sorted_list} BY|GET|STORE|LIMIT|ASC|FOO* ?{sort_pattern}"),
    exact(
        1,
        "COMMAND GETKEYS SORT {sorted_list} BY|GET|LIMIT|STORE {sorted_list} STORE|BY {sorted_list} ?STORE",
    ),
];
