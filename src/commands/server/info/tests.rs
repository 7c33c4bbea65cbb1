//! INFO on whole commands.

use crate::commands::testing::Fixture;
use crate::resp::Protocol;

/// The sections and fields of redis-server 7.0.15 in a standalone server, in its order, without `gcc_version`.
const REDIS_FIELDS: &str = include_str!("redis_7_0_15_fields.txt");

fn titles(reply: &str) -> Vec<&str> {
    reply.split("\r\n").filter_map(|line| line.strip_prefix("# ")).collect()
}

fn field<'a>(reply: &'a str, name: &str) -> &'a str {
    let value = reply.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.unwrap_or_else(|| panic!("no field {name} in {reply}"))
}

#[test]
fn every_field_of_redis_is_there_in_its_order() {
    let mut fixture = Fixture::new();
    fixture.run("SET k v EX 100");
    fixture.run("NOSUCH");
    let reply = fixture.run("INFO everything");
    let names: Vec<&str> = reply.split("\r\n").map(|line| line.split(':').next().unwrap_or(line)).collect();
    let mut next = 0;
    for wanted in REDIS_FIELDS.lines() {
        match names[next..].iter().position(|name| *name == wanted) {
            Some(distance) => next += distance + 1,
            None => panic!("{wanted} is missing, or not in Redis's place"),
        }
    }
}

#[test]
fn sections_are_chosen_by_name() {
    let mut fixture = Fixture::new();
    let usual = fixture.run("INFO");
    assert_eq!(titles(&usual), titles(&fixture.run("INFO default nosuch")));
    assert!(!titles(&usual).contains(&"Commandstats") && titles(&usual).contains(&"Errorstats"));
    assert_eq!(titles(&fixture.run("INFO all")).len(), super::SECTIONS.len());
    assert_eq!(titles(&fixture.run("INFO keyspace SERVER server")), ["Server", "Keyspace"]);
    fixture.check("INFO nosuch", "$0\r\n\r\n");
    fixture.client().protocol = Protocol::Resp3;
    fixture
        .check("INFO cluster modules", "=47\r\ntxt:# Modules\r\n\r\n# Cluster\r\ncluster_enabled:0\r\n\r\n");
}

#[test]
fn what_happened_is_counted() {
    let mut fixture = Fixture::new();
    fixture.run("SET k v PX 5000");
    fixture.run("GET k");
    fixture.run("GET absent");
    fixture.run("GET");
    fixture.run("INCR k");
    fixture.advance_ms(2_000);
    let reply = fixture.run("INFO everything");
    assert_eq!((field(&reply, "keyspace_hits"), field(&reply, "keyspace_misses")), ("1", "1"));
    assert_eq!(field(&reply, "total_error_replies"), "2");
    assert_eq!(field(&reply, "errorstat_ERR"), "count=2");
    assert_eq!(field(&reply, "rdb_changes_since_last_save"), "1");
    assert_eq!(field(&reply, "db0"), "keys=1,expires=1,avg_ttl=3000");
    assert_eq!(
        (field(&reply, "uptime_in_seconds"), field(&reply, "server_time_usec")),
        ("2", "1700000002000000")
    );
    let get = "calls=2,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0";
    assert_eq!(field(&reply, "cmdstat_get"), get);
    assert_eq!(field(&reply, "latency_percentiles_usec_get"), "p50=0.001,p99=0.001,p99.9=0.001");
    fixture.run("CONFIG SET latency-tracking no");
    fixture.check("INFO latencystats", "$16\r\n# Latencystats\r\n\r\n");
}

/// INFO may come every second: what takes a walk over the page tables is counted elsewhere.
#[test]
fn huge_pages_are_told_as_they_were_counted_last() {
    let mut fixture = Fixture::new();
    crate::base::pages::count_huge_bytes();
    assert!(fixture.run("INFO").contains("mem_huge_page_bytes:"));
    assert!(fixture.run("INFO memory").contains("huge_pages:"));
}

#[test]
fn bytes_are_shown_as_people_like_them() {
    let shown = [0, 1023, 1024, 941_568, 1 << 20, 3 << 30, u64::MAX].map(super::human);
    assert_eq!(shown, ["0B", "1023B", "1.00K", "919.50K", "1.00M", "3.00G", "16384.00P"]);
}
