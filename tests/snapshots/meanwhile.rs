//! What clients do while a save is under way: the file is of the instant when it began, and nothing newer is lost.

use crate::support::{Connection, Server, Value, process};
use crate::tools::{fill, keys_in, no_delay, restart_in, save_well, wait_for_save_end, with_save_points};

/// A save of 40 keys that takes about a second and cannot be missed.
#[track_caller]
fn start_save(connection: &mut Connection) {
    fill(connection, 40, 20);
    connection.ok("CONFIG SET rdb-key-save-delay 25000");
    assert_eq!(connection.run("BGSAVE"), Value::Simple("Background saving started".into()));
    no_delay(connection);
}

#[test]
fn databases_that_are_swapped_meanwhile() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    connection.ok("SET where zero");
    start_save(&mut connection);
    connection.ok("SWAPDB 0 1");
    connection.ok("SET where else");
    wait_for_save_end(&mut connection);
    assert_eq!(connection.info("rdb_last_bgsave_status"), "ok");
    let saved = restart_in(server.directory());
    let mut saved = saved.connect();
    assert_eq!(saved.run("GET where").text(), "zero");
    assert_eq!(saved.run("DBSIZE"), Value::Integer(41));
    saved.ok("SELECT 1");
    assert_eq!(saved.run("DBSIZE"), Value::Integer(0));
}

#[test]
fn keys_that_expire_or_change_their_type_meanwhile() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    for line in
        ["SET short 1 PX 300", "SET text 1", "RPUSH list a b", "HSET hash f v", "SADD set a", "ZADD zset 1 a"]
    {
        connection.run(line);
    }
    start_save(&mut connection);
    for line in
        ["DEL text", "RPUSH text now a list", "DEL list", "HDEL hash f", "SPOP set", "ZREM zset a", "FLUSHDB"]
    {
        assert!(!connection.run(line).is_error(), "{line}");
    }
    wait_for_save_end(&mut connection);
    let saved = restart_in(server.directory());
    let mut saved = saved.connect();
    assert_eq!(saved.run("GET text").text(), "1");
    assert_eq!(saved.run("LRANGE list 0 -1").elements().len(), 2);
    assert_eq!(saved.run("HGET hash f").text(), "v");
    assert_eq!(saved.run("SCARD set"), Value::Integer(1));
    assert_eq!(saved.run("ZCARD zset"), Value::Integer(1));
    assert_eq!(saved.run("GET short"), Value::Null, "its time had passed when the file was loaded");
}

/// DEBUG RELOAD saves by itself: an older snapshot must not take the place of the newer one afterwards.
#[test]
fn a_reload_meanwhile_is_not_overtaken() {
    let server = with_save_points().with("--enable-debug-command", "yes").spawn();
    let mut connection = server.connect();
    start_save(&mut connection);
    connection.ok("SET later 1");
    connection.ok("DEBUG RELOAD");
    assert_eq!(connection.run("GET later").text(), "1");
    wait_for_save_end(&mut connection);
    assert_eq!(process::children(server.pid()), Vec::<u32>::new());
    assert_eq!(connection.info("rdb_changes_since_last_save"), "0");
    assert_eq!(keys_in(server.directory()), 41, "what counts as saved is in the file");
    connection.ok("SET writable 1");
    save_well(&mut connection);
    assert_eq!(keys_in(server.directory()), 42);
}
