//! Which certificates, keys, protocols and ciphers are taken, at start and by CONFIG SET, and who is let in.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::authority::{PASSWORD, path};
use crate::client::{Both, certificate, s_client};
use crate::support::server::{Binary, binary_path, free_port};
use crate::support::{Start, Value, holds_within};

/// The start must end with status 1 and say `text`.
#[track_caller]
fn assert_no_start(arguments: &[(&str, &str)], text: &str) {
    let mut command = Command::new(binary_path(Binary::Tintype));
    command.args(["--port", "0", "--tls-port", &free_port().to_string(), "--save", ""]);
    for (name, value) in arguments {
        command.args([&format!("--tls-{name}"), *value]);
    }
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("the binary starts");
    let ended = holds_within(Duration::from_secs(20), || child.try_wait().expect("our child").is_some());
    if !ended {
        let _ = child.kill();
    }
    let output = child.wait_with_output().expect("its output");
    let log = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(ended && output.status.code() == Some(1), "{arguments:?}: {log}");
    assert!(log.contains(text), "{text:?} is not in:\n{log}");
    assert!(log.contains("Failed to configure TLS. Check logs for more info."), "{log}");
}

#[test]
fn what_cannot_be_loaded_stops_the_start() {
    let [server, key, ca] = ["server.crt", "server.key", "ca.crt"].map(path);
    let good = [("cert-file", server.as_str()), ("key-file", key.as_str()), ("auth-clients", "no")];
    let with = |more: &[(&'static str, &str)], text: &str| {
        let arguments: Vec<(&str, &str)> = good.iter().chain(more).copied().collect();
        assert_no_start(&arguments, text);
    };
    assert_no_start(&[], "No tls-cert-file configured!");
    assert_no_start(&good[..1], "No tls-key-file configured!");
    let no_authority = "Either tls-ca-cert-file or tls-ca-cert-dir must be specified";
    assert_no_start(&good[..2], no_authority);
    with(&[("auth-clients", "optional")], no_authority);
    let wrong = path("alice.key");
    with(&[("key-file", &wrong)], &format!("Failed to load private key: {wrong}: it is not the key of"));
    with(&[("key-file", &ca)], "no private key in PEM");
    let missing = path("missing.crt");
    with(
        &[("cert-file", &missing)],
        &format!("Failed to load certificate: {missing}: No such file or directory"),
    );
    with(&[("cert-file", &path("garbage.crt"))], "no certificate in PEM is in it");
    with(&[("cert-file", &path("broken.crt"))], "not PEM");
    with(&[("ca-cert-file", &path("garbage.crt"))], "Failed to configure CA certificate(s) file/directory");
    with(&[("ca-cert-dir", &path("nobody"))], "no certificate in PEM is in it");
    with(&[("key-file", &path("locked.key"))], "it is encrypted, and tls-key-file-pass is not set");
    let locked = path("locked.key");
    with(
        &[("key-file", &locked), ("key-file-pass", "wrong")],
        "it cannot be decrypted with tls-key-file-pass",
    );
    let old = path("old-locked.key");
    with(&[("key-file", &old), ("key-file-pass", PASSWORD)], "openssl pkcs8 -topk8");
    with(&[("protocols", "TLSv1.1")], "TLSv1.1 is not offered here");
    with(&[("ciphers", "nosuch")], "Failed to configure ciphers: 'nosuch' is not known");
    with(&[("ciphersuites", "TLS_NOSUCH")], "Failed to configure ciphersuites");
    with(&[("protocols", "TLSv1.2"), ("ciphers", "DHE-RSA-AES128-SHA")], "none of them is offered here");
}

#[test]
fn keys_come_in_every_form() {
    for (key, password) in [("pkcs1.key", ""), ("locked.key", PASSWORD)] {
        let server = Both::start(&["--tls-key-file", &path(key), "--tls-key-file-pass", password]);
        assert_eq!(server.connect().run("PING").text(), "PONG", "{key}");
    }
    // A certificate of version 1, which openssl makes by default; openssl's client does not mind.
    let server = Both::start(&["--tls-cert-file", &path("old.crt")]);
    assert!(s_client(server.port, &[]).contains("Verify return code: 0"));
    let info = server.server.connect().run("INFO tls").text();
    assert!(info.contains("tls_server_cert_serial:4D\r\n"), "{info}");
    assert!(
        info.contains("tls_client_cert_serial:none\r\ntls_client_cert_expires_in_seconds:0\r\n"),
        "{info}"
    );
}

#[test]
fn only_tls_without_a_plain_port() {
    let port = free_port();
    let start = Start::tintype().with("--save", "").arguments(&["--port", "0", "--tls-auth-clients", "no"]);
    let start =
        start.with("--tls-cert-file", &path("server.crt")).with("--tls-key-file", &path("server.key"));
    let server = start.with("--tls-port", &port.to_string()).wait(crate::support::Wait::Nothing).spawn();
    server.wait_for_log("Ready to accept connections tls");
    assert!(!server.log().contains("connections tcp"), "{}", server.log());
    let both = Both { server, port };
    assert_eq!(both.cli_text(&["PING"]), "PONG\n");
    assert!(both.cli_text(&["INFO", "server"]).contains(&format!("tcp_port:{port}")));
}

#[test]
fn clients_certificates() {
    let server = Both::start(&["--tls-auth-clients", "yes"]);
    let mut plain = server.server.connect();
    let is_let_in = |name: &str| server.try_connect(name).is_ok();
    assert!(is_let_in("alice") && !is_let_in("") && !is_let_in("stranger"));
    server.server.wait_for_log("Error accepting a client connection: peer did not return a certificate");
    server.server.wait_for_log("certificate of the client refused: UnknownIssuer");
    let old = server.cli(&["--cert", &path("old.crt"), "--key", &path("server.key"), "PING"]);
    assert_eq!(old.stdout, b"");
    server.server.wait_for_log("certificate of the client refused: it is not of version 3");
    plain.ok("CONFIG SET tls-auth-clients optional");
    assert!(is_let_in("alice") && is_let_in("") && !is_let_in("stranger"));
    plain.ok("CONFIG SET tls-auth-clients no");
    assert!(is_let_in("alice") && is_let_in("") && is_let_in("stranger"));
    // Authorities of a directory, some files of which hold none.
    let directory = path("authorities");
    plain.ok(&format!("CONFIG SET tls-auth-clients yes tls-ca-cert-file \"\" tls-ca-cert-dir {directory}"));
    assert!(is_let_in("alice") && !is_let_in("stranger"));
    plain.ok(&format!("CONFIG SET tls-ca-cert-file {}", path("other-ca.crt")));
    assert!(is_let_in("alice") && is_let_in("stranger"));
    let texts = [
        server.cli(&["PING"]).stdout,
        server.cli(&["--cert", &path("alice.crt"), "--key", &path("alice.key"), "PING"]).stdout,
    ];
    assert_eq!(texts, [b"".to_vec(), b"PONG\n".to_vec()]);
    assert_eq!(plain.info_number("connected_clients"), 1);
}

/// A certificate's name logs its client in, when there is such a user.
#[test]
fn certificates_name_users() {
    let server = Both::start(&["--tls-auth-clients", "optional"]);
    let mut plain = server.server.connect();
    let user_of = |name: &str| server.try_connect(name).expect("let in").run("ACL WHOAMI").text();
    plain.ok("ACL SETUSER alice on nopass ~* +@all");
    plain.ok("ACL SETUSER urn:bob on nopass ~* +@all");
    assert_eq!(user_of("alice"), "default");
    plain.ok("CONFIG SET tls-auth-clients-user CN");
    assert_eq!((user_of("alice"), user_of("")), ("alice".into(), "default".into()));
    plain.ok("ACL SETUSER alice off");
    assert_eq!(user_of("alice"), "default");
    plain.ok("CONFIG SET tls-auth-clients-user URI");
    assert_eq!(user_of("alice"), "urn:bob");
    // Who has a certificate needs no password.
    plain.ok("CONFIG SET requirepass secret");
    assert_eq!(user_of("alice"), "urn:bob");
    let mut stranger = crate::client::Secure::begin(server.port, "").expect("a connection");
    stranger.finish_handshake().expect("let in");
    stranger.run("PING").assert_error("NOAUTH Authentication required.");
}

#[test]
fn new_certificates_leave_connections_alone() {
    let server = Both::start(&[]);
    let mut plain = server.server.connect();
    let mut old = server.connect();
    assert_eq!(old.certificate(), certificate("server.crt"));
    let [renewed, key] = ["renewed.crt", "renewed.key"].map(path);
    // One without the other does not fit.
    let refusal = plain.run(&format!("CONFIG SET tls-cert-file {renewed}"));
    let expected = "ERR CONFIG SET failed (possibly related to argument 'tls-cert-file') - Unable to update TLS \
                    configuration: Failed to load private key";
    assert!(refusal.text().starts_with(expected) && refusal.text().contains(&renewed), "{}", refusal.text());
    assert_eq!(server.connect().certificate(), certificate("server.crt"));
    plain.ok(&format!("CONFIG SET tls-cert-file {renewed} tls-key-file {key}"));
    assert_eq!(server.connect().certificate(), certificate("renewed.crt"));
    assert_eq!(old.run("SET k v").text(), "OK");
    for (directive, value) in [
        ("tls-cert-file", "/nosuch"),
        ("tls-cert-file", ""),
        ("tls-key-file", "/nosuch"),
        ("tls-ca-cert-file", "/nosuch"),
        ("tls-protocols", "foo"),
        ("tls-ciphers", "foo"),
        ("tls-ciphersuites", "foo"),
    ] {
        let before = plain.run(&format!("CONFIG GET {directive}"));
        let refusal = plain.run(&format!("CONFIG SET {directive} \"{value}\"")).text();
        assert!(refusal.contains(directive) && refusal.contains(value), "{refusal}");
        assert_eq!(plain.run(&format!("CONFIG GET {directive}")), before);
        assert_eq!(server.connect().certificate(), certificate("renewed.crt"));
    }
    assert_eq!(old.run("GET k").text(), "v");
}

/// Puts certificate and key of that name where the server looks for them.
fn put(folder: &std::path::Path, name: &str) {
    for end in ["crt", "key"] {
        let new = folder.join(format!("new.{end}"));
        fs::copy(path(&format!("{name}.{end}")), &new).expect("copied");
        fs::rename(new, folder.join(format!("own.{end}"))).expect("renamed");
    }
}

#[test]
fn files_that_change_are_read_again() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let [own, key] = ["own.crt", "own.key"].map(|name| folder.path().join(name).display().to_string());
    put(folder.path(), "server");
    let server = Both::start(&["--tls-cert-file", &own, "--tls-key-file", &key]);
    let mut plain = server.server.connect();
    put(folder.path(), "renewed");
    assert_eq!(server.connect().certificate(), certificate("server.crt"));
    // The same words: what they name may have changed.
    plain.ok(&format!("CONFIG SET tls-cert-file {own}"));
    assert_eq!(server.connect().certificate(), certificate("renewed.crt"));
    plain.ok("CONFIG SET tls-auto-reload-interval 1");
    let mut old = server.connect();
    put(folder.path(), "server");
    server.server.wait_for_log("The certificates of TLS have changed and are in use now");
    assert_eq!(server.connect().certificate(), certificate("server.crt"));
    fs::write(&key, "nothing").expect("written");
    server
        .server
        .wait_for_log("The certificates of TLS have changed and cannot be used: Failed to load private key");
    assert_eq!(server.connect().certificate(), certificate("server.crt"));
    assert_eq!(old.run("PING").text(), "PONG");
}

#[test]
fn protocols_and_ciphers() {
    let server = Both::start(&[]);
    let mut plain = server.server.connect();
    let agreed = |arguments: &[&str]| {
        let text = s_client(server.port, arguments);
        let line = text.lines().find(|line| line.starts_with("New, ") && line.contains("Cipher is"));
        line.unwrap_or("none").trim_start_matches("New, ").replace("Cipher is ", "")
    };
    assert_eq!(agreed(&[]), "TLSv1.3, TLS_AES_256_GCM_SHA384");
    // OpenSSL names the oldest protocol that has the cipher.
    assert_eq!(agreed(&["-tls1_2"]), "TLSv1.2, ECDHE-RSA-AES256-GCM-SHA384");
    assert_eq!(agreed(&["-tls1_1"]), "(NONE), (NONE)");
    plain.ok("CONFIG SET tls-protocols TLSv1.2");
    assert_eq!(agreed(&["-tls1_3"]), "(NONE), (NONE)");
    assert_eq!(agreed(&[]), "TLSv1.2, ECDHE-RSA-AES256-GCM-SHA384");
    assert_eq!(server.connect().run("PING").text(), "PONG");
    plain.ok("CONFIG SET tls-ciphers HIGH:!AESGCM");
    assert_eq!(agreed(&[]), "TLSv1.2, ECDHE-RSA-CHACHA20-POLY1305");
    plain.ok("CONFIG SET tls-ciphers ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384");
    assert_eq!(agreed(&[]), "TLSv1.2, ECDHE-RSA-AES256-GCM-SHA384");
    plain.ok("CONFIG SET tls-prefer-server-ciphers yes");
    assert_eq!(agreed(&[]), "TLSv1.2, ECDHE-RSA-AES128-GCM-SHA256");
    plain.ok("CONFIG SET tls-protocols TLSv1.3 tls-ciphersuites TLS_AES_128_GCM_SHA256");
    assert_eq!(agreed(&[]), "TLSv1.3, TLS_AES_128_GCM_SHA256");
    assert_eq!(agreed(&["-tls1_2"]), "(NONE), (NONE)");
    let left_out = "CONFIG SET tls-ciphers ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES128-SHA";
    plain.ok(left_out);
    server.server.wait_for_log("tls-ciphers: DHE-RSA-AES128-SHA is left out");
    plain.ok("CONFIG SET tls-dh-params-file /nosuch");
    server.server.wait_for_log("tls-dh-params-file has no effect");
}

#[test]
fn sessions_are_taken_up_again() {
    let server = Both::start(&[]);
    let mut plain = server.server.connect();
    let reused = || {
        let text = s_client(server.port, &["-tls1_2", "-no_ticket", "-reconnect"]);
        text.lines().filter(|line| line.starts_with("Reused, ")).count()
    };
    assert_eq!(reused(), 5);
    plain.ok("CONFIG SET tls-session-cache-timeout 0");
    assert_eq!(reused(), 0);
    plain.ok("CONFIG SET tls-session-cache-timeout 300 tls-session-caching no");
    assert_eq!(reused(), 0);
}

#[test]
fn the_port_comes_and_goes() {
    let server = Both::start(&[]);
    let mut plain = server.server.connect();
    let mut old = server.connect();
    let other = free_port();
    plain.ok(&format!("CONFIG SET tls-port {other}"));
    assert!(server.try_connect("").is_err());
    let moved = Both { server: server.server, port: other };
    assert_eq!(moved.connect().run("PING").text(), "PONG");
    let taken = moved.server.port;
    let refusal = plain.run(&format!("CONFIG SET tls-port {taken}")).text();
    assert!(
        refusal.contains("(possibly related to argument 'tls-port') - Unable to listen on this port"),
        "{refusal}"
    );
    assert_eq!(moved.connect().run("PING").text(), "PONG");
    plain.ok("CONFIG SET tls-port 0");
    assert!(moved.try_connect("").is_err());
    // While TLS is off nothing is loaded, and nothing refused.
    plain.ok("CONFIG SET tls-cert-file /nosuch");
    let refusal = plain.run(&format!("CONFIG SET tls-port {other}")).text();
    assert!(refusal.contains("/nosuch: No such file or directory"), "{refusal}");
    assert_eq!(plain.run("CONFIG GET tls-port").elements()[1], Value::Bulk(b"0".to_vec()));
    plain.ok(&format!("CONFIG SET tls-port {other} tls-cert-file {}", path("server.crt")));
    assert_eq!(moved.connect().run("PING").text(), "PONG");
    assert_eq!((old.run("PING").text(), plain.run("PING").text()), ("PONG".into(), "PONG".into()));
    assert_eq!(moved.server.connect().run("PING").text(), "PONG");
}
