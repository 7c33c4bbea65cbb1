//! Certificates and keys for the tests, made by the program openssl.
//!
//! ```text
//!   ca ──▶ server (RSA), renewed (EC), client (CN=alice, URIs)        other-ca ──▶ stranger
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::support::server::tool;

pub const PASSWORD: &str = "open sesame";

/// The path of a file in the folder of certificates, which is made at the first call.
pub fn path(name: &str) -> String {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tls");
        fs::create_dir_all(&folder).expect("a folder");
        make(&folder);
        folder
    });
    folder.join(name).display().to_string()
}

fn make(folder: &Path) {
    authority(folder, "ca");
    authority(folder, "other-ca");
    signed(folder, "ca", "server", ("rsa:2048", "subjectAltName=DNS:localhost,IP:127.0.0.1"));
    signed(folder, "ca", "renewed", ("ec", "subjectAltName=DNS:localhost,IP:127.0.0.1"));
    let uris = "subjectAltName=URI:urn:nobody,URI:urn:bob,DNS:alice.example";
    signed(folder, "ca", "alice", ("ec", uris));
    signed(folder, "other-ca", "stranger", ("ec", "subjectAltName=DNS:stranger.example"));
    // Without extensions openssl makes a certificate of version 1: good enough for a server.
    let own = ["req", "-new", "-key", "server.key", "-subj", "/CN=old", "-out", "old.csr"];
    openssl(folder, &own);
    openssl(
        folder,
        &[
            "x509",
            "-req",
            "-in",
            "old.csr",
            "-CA",
            "ca.crt",
            "-CAkey",
            "ca.key",
            "-set_serial",
            "77",
            "-out",
            "old.crt",
        ],
    );
    let pass = format!("pass:{PASSWORD}");
    openssl(folder, &["pkcs8", "-topk8", "-in", "server.key", "-out", "locked.key", "-passout", &pass]);
    openssl(folder, &["rsa", "-in", "server.key", "-traditional", "-out", "pkcs1.key"]);
    openssl(
        folder,
        &["rsa", "-in", "server.key", "-traditional", "-aes128", "-passout", &pass, "-out", "old-locked.key"],
    );
    fs::write(folder.join("garbage.crt"), "this is no certificate\n").expect("written");
    let broken = "-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n";
    fs::write(folder.join("broken.crt"), broken).expect("written");
    let directory = folder.join("authorities");
    fs::create_dir_all(&directory).expect("a folder");
    for name in ["ca.crt", "garbage.crt"] {
        fs::copy(folder.join(name), directory.join(name)).expect("copied");
    }
    fs::create_dir_all(folder.join("nobody")).expect("a folder");
}

fn authority(folder: &Path, name: &str) {
    let [key, certificate] = [format!("{name}.key"), format!("{name}.crt")];
    openssl(folder, &["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", &key]);
    let subject = format!("/CN={name}");
    openssl(
        folder,
        &["req", "-x509", "-new", "-key", &key, "-days", "30", "-subj", &subject, "-out", &certificate],
    );
}

fn signed(folder: &Path, authority: &str, name: &str, (key_kind, extension): (&str, &str)) {
    let [key, request, certificate] = ["key", "csr", "crt"].map(|end| format!("{name}.{end}"));
    match key_kind {
        "ec" => openssl(folder, &["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", &key]),
        _ => openssl(folder, &["genrsa", "-out", &key, "2048"]),
    }
    openssl(folder, &["req", "-new", "-key", &key, "-subj", &format!("/O=test/CN={name}"), "-out", &request]);
    let extensions = format!("{name}.ext");
    fs::write(folder.join(&extensions), format!("basicConstraints=CA:FALSE\n{extension}\n"))
        .expect("written");
    let [ca, ca_key] = [format!("{authority}.crt"), format!("{authority}.key")];
    let sign = ["x509", "-req", "-in", &request, "-CA", &ca, "-CAkey", &ca_key, "-days", "30"];
    let more = ["-set_serial", "0x1A2B", "-extfile", &extensions, "-out", &certificate];
    openssl(folder, &[sign.as_slice(), &more].concat());
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new(tool("openssl")).current_dir(folder).args(arguments).output();
    let output = output.expect("openssl runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}
