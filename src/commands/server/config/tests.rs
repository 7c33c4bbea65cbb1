//! CONFIG on whole commands.

use crate::commands::testing::Fixture;
use crate::config::{Config, Restriction};
use crate::server::Host;
use crate::server::tls::Certificates;
use std::cell::RefCell;
use std::rc::Rc;

/// A network that can listen on every port but 99, and remembers what it was asked for.
#[derive(Default)]
struct Ports {
    asked: RefCell<Vec<String>>,
}

impl Host for Ports {
    fn listen(&self, config: &Config) -> Result<(), String> {
        self.asked.borrow_mut().push(format!("port {}", config.port));
        if config.port == 99 { Err("taken".into()) } else { Ok(()) }
    }

    fn configure_tls(&self, config: &Config) -> Result<Certificates, String> {
        self.asked.borrow_mut().push(format!("certificate {}", config.tls_cert_file));
        if config.tls_cert_file == "bad" { Err("bad file".into()) } else { Ok(Certificates::default()) }
    }

    fn alarm(&self) -> crate::server::Alarm {
        std::sync::Arc::new(|| ())
    }

    fn end_round(&self) {}

    fn wake(&self) {}

    fn script_suspended(&self) {}

    fn set_hz(&self, hz: i64) {
        self.asked.borrow_mut().push(format!("hz {hz}"));
    }
}

fn fixture_with_ports() -> (Fixture, Rc<Ports>) {
    let (mut fixture, ports) = (Fixture::new(), Rc::new(Ports::default()));
    fixture.server.host = Some(ports.clone());
    (fixture, ports)
}

#[test]
fn several_directives_are_set_and_got() {
    let mut fixture = Fixture::new();
    fixture.check("CONFIG SET maxmemory 1mb hz 20", "+OK\r\n");
    assert_eq!(fixture.server.keyspace.settings.maxmemory_bytes, 1 << 20);
    let got = fixture.run("CONFIG GET maxmemory HZ");
    assert!(got.starts_with("*4\r\n") && got.contains("HZ\r\n$2\r\n20"), "{got}");
    fixture.check("CONFIG GET nosuch", "*0\r\n");
}

#[test]
fn one_wrong_directive_changes_nothing() {
    let mut fixture = Fixture::new();
    let before = fixture.server.config.clone();
    let refusals = [
        (
            "CONFIG SET hz 20 maxmemory x",
            "CONFIG SET failed (possibly related to argument 'maxmemory') - argument must \
                                          be a memory value",
        ),
        ("CONFIG SET hz 20 nosuch 1", "Unknown option or number of arguments for CONFIG SET - 'nosuch'"),
        ("CONFIG SET hz 20 maxmemory", "syntax error"),
        (
            "CONFIG SET hz 20 databases 4",
            "CONFIG SET failed (possibly related to argument 'databases') - can't set \
                                          immutable config",
        ),
    ];
    for (line, text) in refusals {
        fixture.check(line, &format!("-ERR {text}\r\n"));
    }
    assert_eq!(fixture.server.config, before);
}

#[test]
fn a_port_that_cannot_be_had_leaves_everything_as_it_was() {
    let (mut fixture, ports) = fixture_with_ports();
    let before = fixture.server.config.clone();
    let refusal = "-ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check \
                   server logs.\r\n";
    fixture.check("CONFIG SET hz 20 port 99", refusal);
    assert_eq!(fixture.server.config, before);
    fixture.check("CONFIG SET port 98 hz 30", "+OK\r\n");
    fixture.check("CONFIG SET port 98", "+OK\r\n");
    assert_eq!(*ports.asked.borrow(), ["port 99", "port 98", "hz 30"]);
}

#[test]
fn an_address_that_cannot_be_had_is_told_as_such() {
    let (mut fixture, _) = fixture_with_ports();
    fixture.server.config.port = 99;
    let refusal = "-ERR CONFIG SET failed (possibly related to argument 'bind') - Failed to bind to specified \
                   addresses.\r\n";
    fixture.check("CONFIG SET bind 8.8.8.8", refusal);
}

#[test]
fn protected_directives_need_permission() {
    let mut fixture = Fixture::new();
    let refusal =
        "-ERR CONFIG SET failed (possibly related to argument 'dir') - can't set protected config\r\n";
    fixture.check("CONFIG SET dir /nosuch", refusal);
    fixture.server.config.enable_protected_configs = Restriction::Local;
    let refusal =
        "-ERR CONFIG SET failed (possibly related to argument 'dir') - No such file or directory\r\n";
    fixture.check("CONFIG SET dir /nosuch", refusal);
    fixture.client().origin.is_local = false;
    assert!(fixture.run("CONFIG SET dir /nosuch").contains("protected"));
}

#[test]
fn a_new_password_does_not_lock_out_who_is_in() {
    let mut fixture = Fixture::new();
    fixture.check("CONFIG SET requirepass secret", "+OK\r\n");
    fixture.check("GET k", "$-1\r\n");
}

#[test]
fn resetstat_forgets_what_was_counted() {
    let mut fixture = Fixture::new();
    fixture.run("GET k");
    fixture.run("NOSUCH");
    fixture.check("CONFIG RESETSTAT", "+OK\r\n");
    assert_eq!((fixture.misses(), fixture.server.stats.error_replies), (0, 0));
    let info = fixture.run("INFO commandstats errorstats");
    assert!(
        info.contains("config|resetstat") && !info.contains("cmdstat_get") && !info.contains("errorstat_"),
        "{info}"
    );
}

#[test]
fn a_rewrite_needs_a_file() {
    let mut fixture = Fixture::new();
    fixture.check("CONFIG REWRITE", "-ERR The server is running without a config file\r\n");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("redis.conf");
    fixture.server.identity.config_file = Some(path.clone());
    fixture.run("CONFIG SET hz 77");
    fixture.check("CONFIG REWRITE", "+OK\r\n");
    assert!(std::fs::read_to_string(path).unwrap().contains("hz 77\n"));
}

/// The same words may name a file that has changed; other directives with the value that they have ask for nothing.
#[test]
fn certificates_are_read_again_before_anybody_listens() {
    let (mut fixture, ports) = fixture_with_ports();
    fixture.check("CONFIG SET tls-port 7 tls-cert-file good tls-auth-clients no", "+OK\r\n");
    fixture.check("CONFIG SET tls-cert-file good", "+OK\r\n");
    fixture.check("CONFIG SET tls-auth-clients no", "+OK\r\n");
    let refusal = "-ERR CONFIG SET failed (possibly related to argument 'tls-cert-file') - Unable to update TLS \
                   configuration: bad file\r\n";
    fixture.check("CONFIG SET port 5 tls-cert-file bad", refusal);
    assert_eq!(
        *ports.asked.borrow(),
        ["certificate good", "port 6379", "certificate good", "certificate bad"]
    );
    assert_eq!((fixture.server.config.port, fixture.server.config.tls_cert_file.as_str()), (6379, "good"));
}
