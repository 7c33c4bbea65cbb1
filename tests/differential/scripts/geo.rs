//! Places, and SORT.

use super::Script;

pub const SCRIPTS: &[Script] = &[
    Script {
        name: "places",
        lines: r#"
            SETUP
            % GEOADD g ?NX|XX ?CH 13|181|-181|x|nan|inf 38|85.06|-86|""|nan a
            % GEOADD g NX XX 1 2 a
            % GEOADD g 1 2
            % GEOADD g NX|CH|FOO
            % GEOADD str 1 2 a
            ZRANGE g 0 -1 WITHSCORES
            GEOADD g 180 85.05112878 corner -180 -85.05112878 other 0 0 middle -0.0000001 0.0000001 near
            % GEOPOS g corner|other|middle|near|nosuch
            % GEOHASH g corner other middle near nosuch
            % GEODIST g corner|middle other|near|nosuch ?m|km|ft|mi|M|KM|xx
            % GEOPOS|GEOHASH none|str a
            % GEODIST none|str a b
            GEOADD s 15 37 a 15.5 37.5 b 16 38 c 14 36 d 15.0000001 37.0000001 e
            % GEOSEARCH s|geo FROMLONLAT 15 37 BYRADIUS|BYBOX 200 ?200 km|m ASC|DESC ?WITHCOORD ?WITHDIST ?WITHHASH
            % GEOSEARCH s FROMMEMBER a|nosuch BYRADIUS 0|100|1000|-1|x|inf|nan|1e300 km ?(COUNT 2|0|-1|x ?ANY) ASC
            % GEOSEARCH s FROMMEMBER a BYBOX 100|0|-1|x 100|0|-5|nan km ASC|DESC
            % GEOSEARCH s FROMLONLAT {i64}|x 37 BYRADIUS 1 km
            % GEOSEARCH s FROMLONLAT 15 {i64}|x BYRADIUS 1 km
            % GEOSEARCH s FROMMEMBER a FROMLONLAT 1 2 BYRADIUS 1 km
            % GEOSEARCH s BYRADIUS 1 km BYBOX 1 1 km FROMMEMBER a
            % GEOSEARCH s FROMMEMBER a ?FOO|ANY|COUNT
            % GEOSEARCH s BYRADIUS 1 km ASC
            % GEOSEARCH s FROMMEMBER a BYRADIUS 1 xx|KM
            % GEOSEARCH s FROMMEMBER a BYRADIUS 1 km ANY
            % GEOSEARCH s FROMMEMBER a BYRADIUS 1 km STORE d
            % GEOSEARCH none|str FROMMEMBER a BYRADIUS 1 km
            % GEOSEARCH none|str FROMLONLAT 1 2 BYRADIUS 1 km
            % GEOSEARCHSTORE d s FROMMEMBER a BYRADIUS 200 km ?ASC|DESC ?(COUNT 2) ?STOREDIST ; ZRANGE d 0 -1 WITHSCORES
            % GEOSEARCHSTORE d|str none|str|s FROMLONLAT 100 10 BYRADIUS 1 km ; EXISTS d ; TYPE str
            % GEOSEARCHSTORE d s FROMMEMBER a BYRADIUS 1 km WITHCOORD|WITHDIST|WITHHASH
            % GEORADIUS|GEORADIUS_RO s 15 37 200 km ?WITHDIST ?WITHHASH ?WITHCOORD ?(COUNT 2) ASC|DESC
            % GEORADIUS s 15 37 200 km STORE|STOREDIST d ?ASC ?(COUNT 3) ; ZRANGE d 0 -1 WITHSCORES
            % GEORADIUS s 15 37 200 km STORE d STOREDIST e2 ; EXISTS d e2
            % GEORADIUS s 15 37 200 km STORE d WITHDIST
            % GEORADIUS_RO s 15 37 200 km STORE d
            % GEORADIUSBYMEMBER|GEORADIUSBYMEMBER_RO s a|nosuch 100|x|-1 km|xx ?ASC
            % GEORADIUSBYMEMBER none|str a 100 km ?(STORE d)
            % GEORADIUS s 15|200|x 37|100 100 km
            GEOADD edge 179.9 10 a -179.9 10 b 179.9 -80 c 0 85 d 180 85 e -90 85 f
            % GEOSEARCH edge FROMMEMBER a|b|c|d|e|f BYRADIUS 100|1000|5000|20000|1e8 km ASC WITHDIST
            % GEOSEARCH edge FROMMEMBER a|b|c|d BYBOX 100|5000|40000 100|5000|40000 km ASC WITHDIST
        "#,
    },
    Script {
        name: "sorting",
        lines: r#"
            SETUP
            RPUSH l 3 1 2 10 -1 2
            MSET w_3 30 w_1 10 w_2 20 w_-1 5 o_1 one o_2 two o_3 three
            HSET h_1 f 9 g x
            HSET h_2 f 8 g y
            HSET h_3 f 7
            % SORT|SORT_RO l ?ASC|DESC ?ALPHA ?(LIMIT 0|1|-1 0|2|-1|100)
            % SORT l BY w_*|nosuch_*|nosort|h_*->f|h_*->nosuch|h_*-> ?DESC ?(GET #) ?(GET o_*) ?(GET h_*->f)
            % SORT l ALPHA BY o_*|h_*->g ?DESC
            % SORT l GET nosuch_*|o_*|*|#|##|o*_*|h_*->|h_*->g|w_*->f GET #
            % SORT l BY nosort ?DESC ?(LIMIT 1 2) GET #
            % SORT l ?(BY w_*) ?(GET o_*) ?(LIMIT 0|10 2) STORE d ; TYPE d ; LRANGE d 0 -1
            % SORT none|str|hash|stream ?ALPHA ?(STORE d) ; EXISTS d
            % SORT l LIMIT {bad}|{i64} 1
            % SORT l LIMIT 0 {bad}|{i64}
            % SORT l BY|GET|STORE|LIMIT|FOO
            % SORT_RO l STORE d
            RPUSH t a b
            SORT t
            SORT t BY o_*
            RPUSH f 1.5 inf -inf 3e2 0x10
            SORT f
            RPUSH bad nan 1
            SORT bad
            SADD s 5 3 9
            % SORT s ?DESC ?ALPHA ?(STORE d)
            SADD words b a c ab
            % SORT words ALPHA ?DESC ?(LIMIT 1 2) ?(STORE d) ; LRANGE d 0 -1
            SORT zset ALPHA
            % SORT zset BY nosort ?DESC ?(LIMIT 1 2) ?(STORE d)
            SORT zset
            DEL zset
            RPUSH bin "b\x00b" "b\x00a" "" "\r\n" "B" "a"
            % SORT bin ALPHA ?DESC
            SORT l BY w_* STORE l
            LRANGE l 0 -1
            SORT l STORE str
            TYPE str
            % COMMAND GETKEYS SORT l BY w_* GET o_* STORE d
        "#,
    },
];
