//! What the command writes, judged by two other readers of certificates: openssl and rustls.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use clap::Parser;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use tempfile::TempDir;

use super::authority::IssueError;
use super::*;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    generate: Generate,
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("temporary directory")
}

/// Runs `certificates generate` with `flags`; `{dir}` stands for the directory.
fn generate(dir: &TempDir, flags: &str) -> Result<(), Failure> {
    let flags = flags.replace("{dir}", dir.path().to_str().expect("UTF-8"));
    let words = ["generate"].into_iter().chain(flags.split_whitespace());
    let line = Line::try_parse_from(words).map_err(|wrong| Failure::Usage(wrong.to_string()))?;
    line.generate.run(crate::clock::system_time())
}

/// Whether a client that trusts `root` completes a TLS handshake for `host` with a server that has
/// public.crt and private.pem.
fn is_accepted(dir: &TempDir, root: &str, host: &str) -> bool {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let read =
        |name: &str| CertificateDer::from_pem_file(dir.path().join(name)).expect("certificate");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(read(root)).expect("root");
    let client = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let key = PrivateKeyDer::from_pem_file(dir.path().join("private.pem")).expect("key");
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![read("public.crt")], key)
        .expect("server");
    let name = ServerName::try_from(host.to_owned()).expect("host");
    let client = rustls::ClientConnection::new(client.into(), name).expect("client");
    handshake(
        client,
        rustls::ServerConnection::new(server.into()).expect("server"),
    )
}

fn handshake(mut client: rustls::ClientConnection, mut server: rustls::ServerConnection) -> bool {
    for _ in 0..10 {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).expect("memory");
        }
        server.read_tls(&mut wire.as_slice()).expect("memory");
        if server.process_new_packets().is_err() {
            return false;
        }
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).expect("memory");
        }
        client.read_tls(&mut wire.as_slice()).expect("memory");
        if client.process_new_packets().is_err() {
            return false;
        }
    }
    !client.is_handshaking() && !server.is_handshaking()
}

fn openssl(dir: &TempDir, arguments: &str) -> String {
    let output = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(dir.path())
        .output()
        .expect("this test needs the openssl command");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{arguments}: {}",
        text(&output.stderr)
    );
    text(&output.stdout)
}

#[test]
fn an_authority_and_its_certificate_are_accepted_for_its_hosts_and_no_other() {
    let dir = folder();
    let hosts = "--host example.com --host *.example.com,192.0.2.7";
    generate(&dir, &format!("--ca {hosts} --dir {{dir}}/new")).expect("made in a new directory");
    generate(&dir, &format!("--ca {hosts} --dir {{dir}}")).expect("made");
    for host in ["example.com", "auth.example.com", "192.0.2.7"] {
        assert!(is_accepted(&dir, "ca.public.crt", host), "{host}");
    }
    for host in ["example.org", "a.b.example.com", "192.0.2.8"] {
        assert!(!is_accepted(&dir, "ca.public.crt", host), "{host}");
    }
    openssl(&dir, "verify -x509_strict -CAfile ca.public.crt public.crt");
    let text = openssl(&dir, "x509 -in public.crt -noout -text");
    assert!(
        text.contains("DNS:example.com, DNS:*.example.com, IP Address:192.0.2.7"),
        "{text}"
    );
    assert!(
        text.contains("CA:FALSE") && text.contains("TLS Web Server Authentication"),
        "{text}"
    );
}

#[test]
fn every_key_type_makes_a_self_signed_certificate() {
    for key_type in ["ecdsa", "ed25519"] {
        let dir = folder();
        generate(
            &dir,
            &format!("--host example.com --dir {{dir}} --key-type {key_type} --days 2"),
        )
        .expect("made");
        assert!(is_accepted(&dir, "public.crt", "example.com"), "{key_type}");
        assert!(
            !is_accepted(&dir, "public.crt", "example.org"),
            "{key_type}"
        );
        openssl(&dir, "verify -CAfile public.crt public.crt");
        openssl(
            &dir,
            &format!("x509 -in public.crt -noout -checkend {}", 2 * 86_400 - 60),
        );
    }
}

#[test]
fn rsa_and_a_missing_host_are_wrong_usage() {
    let dir = folder();
    for flags in [
        "--host example.com --dir {dir} --key-type rsa",
        "--dir {dir}",
        "--host nonsense! --dir {dir}",
        "--host example.com --dir {dir} --ca-cert x",
        "--host example.com --dir {dir} --ca --ca-cert x --ca-key y",
        "--host example.com --dir {dir} --days 1 --duration 1y",
    ] {
        let refused = generate(&dir, flags).expect_err(flags);
        assert!(matches!(refused, Failure::Usage(_)), "{flags}: {refused}");
    }
    assert_eq!(std::fs::read_dir(dir.path()).expect("there").count(), 0);
}

#[test]
fn keys_are_private_and_nothing_is_replaced_without_force() {
    let dir = folder();
    generate(&dir, "--host example.com --dir {dir}").expect("made");
    let read = || std::fs::read(dir.path().join("private.pem")).expect("key");
    let first = read();
    generate(&dir, "--host example.com --dir {dir}").expect_err("exists");
    assert_eq!(read(), first);
    let key = dir.path().join("private.pem");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).expect("opened up");
    generate(&dir, "--host example.com --dir {dir} --force").expect("replaced");
    assert_ne!(read(), first);
    let mode = std::fs::metadata(&key).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_given_authority_signs_and_one_whose_key_is_not_its_own_does_not() {
    let (ours, other, leaf) = (folder(), folder(), folder());
    generate(&ours, "--ca --name Ours --dir {dir}").expect("ours");
    generate(&other, "--ca --name Other --dir {dir}").expect("other");
    let sign = |key: &TempDir| {
        let certificate = ours.path().join("ca.public.crt");
        let key = key.path().join("ca.private.pem");
        let (certificate, key) = (certificate.display(), key.display());
        generate(
            &leaf,
            &format!("--host example.com --dir {{dir}} --ca-cert {certificate} --ca-key {key}"),
        )
    };
    sign(&other).expect_err("the key of another authority");
    assert_eq!(std::fs::read_dir(leaf.path()).expect("there").count(), 0);
    sign(&ours).expect("signed");
    std::fs::copy(
        ours.path().join("ca.public.crt"),
        leaf.path().join("ca.public.crt"),
    )
    .expect("copied");
    assert!(is_accepted(&leaf, "ca.public.crt", "example.com"));
}

#[test]
fn an_authority_for_one_domain_signs_nothing_outside_it() {
    let validity = Validity::starting(crate::clock::system_time(), Duration::from_secs(3600));
    let (authority, _) = Authority::create(
        &Subject::named("Demo"),
        KeyType::Ecdsa,
        &["demo.localhost"],
        validity,
    )
    .expect("made");
    let issue = |host: &str| authority.issue(None, &[host.to_owned()], KeyType::Ecdsa, validity);
    assert!(issue("one.demo.localhost").is_ok());
    assert!(matches!(
        issue("example.com"),
        Err(IssueError::Unacceptable(_))
    ));
}
