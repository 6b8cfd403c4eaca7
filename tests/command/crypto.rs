//! `quorate crypto`: what it makes is what another program reads.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::Desk;

/// Runs openssl and returns what it printed.
#[track_caller]
fn openssl(desk: &Desk, line: &str) -> String {
    let output = Command::new("openssl")
        .current_dir(desk.0.path())
        .args(line.split_whitespace())
        .output()
        .expect("openssl runs; run tests/setup");
    assert!(
        output.status.success(),
        "openssl {line}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn mode(desk: &Desk, name: &str) -> u32 {
    let file = fs::metadata(desk.path(name)).expect(name);
    file.permissions().mode() & 0o777
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

#[test]
fn key_pairs_are_read_by_openssl_and_their_private_half_is_private() {
    let desk = Desk::new();
    for (line, expected) in [
        ("ecdsa generate", "prime256v1"),
        ("ecdsa generate --curve P384 --force", "secp384r1"),
        ("ed25519 generate --force", "ED25519"),
    ] {
        desk.run(&words(&format!("crypto pair {line}"))).done();
        let text = openssl(&desk, "pkey -in private.pem -noout -text");
        assert!(text.contains(expected), "{line}: {text}");
        let public = openssl(&desk, "pkey -in private.pem -pubout");
        assert_eq!(public, desk.read("public.pem"), "{line}");
        assert_eq!(mode(&desk, "private.pem"), 0o600, "{line}");
    }
    let complaint = desk.run(&words("crypto pair ecdsa generate")).failed(1);
    assert!(complaint.contains("private.pem` exists"), "{complaint}");
}

#[test]
fn an_authority_signs_certificates_and_requests_carry_their_names() {
    let desk = Desk::new();
    let made = "crypto certificate ecdsa generate --common-name Home --organization Ours --ca --directory ca";
    desk.run(&words(made)).done();
    let leaf = "crypto certificate ecdsa generate --common-name auth.example.com \
                --sans auth.example.com,192.0.2.7 --path.ca ca --directory n1 --duration 90d";
    desk.run(&words(leaf)).done();
    let verified = openssl(
        &desk,
        "verify -CAfile ca/ca.public.crt -verify_hostname auth.example.com n1/public.crt",
    );
    assert_eq!(verified.trim(), "n1/public.crt: OK");
    assert_eq!(mode(&desk, "n1/private.pem"), 0o600);
    let subject = openssl(&desk, "x509 -in ca/ca.public.crt -noout -subject");
    assert!(
        subject.contains("Ours") && subject.contains("Home"),
        "{subject}"
    );

    let request = "crypto certificate ed25519 request --common-name example.com --sans *.example.com --country CH";
    desk.run(&words(request)).done();
    let text = openssl(&desk, "req -in request.csr -noout -verify -text");
    for part in ["DNS:*.example.com", "CH", "example.com"] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    let nameless = desk.run(&words("crypto certificate ecdsa generate --directory x"));
    assert!(nameless.failed(64).contains("--sans"));
}

#[test]
fn rsa_is_refused_with_the_command_that_makes_it() {
    let desk = Desk::new();
    for line in [
        "crypto pair rsa generate --bits 4096",
        "crypto certificate rsa generate --common-name example.com",
        "crypto certificate rsa request",
    ] {
        let complaint = desk.run(&words(line)).failed(64);
        assert!(
            complaint.contains("openssl genpkey -algorithm RSA"),
            "{complaint}"
        );
    }
}

#[test]
fn random_values_go_to_files_with_the_mode_asked_for() {
    let desk = Desk::new();
    let line = "crypto rand -n 40 -x numeric-hex --mode-files 0640 secrets/one --file secrets/two";
    desk.run(&words(line)).done();
    let (one, two) = (desk.read("secrets/one"), desk.read("secrets/two"));
    assert_ne!(one, two);
    for value in [one, two] {
        assert_eq!(value.len(), 40);
        assert!(value.chars().all(|c| c.is_ascii_hexdigit()), "{value}");
    }
    assert_eq!(
        (mode(&desk, "secrets/one"), mode(&desk, "secrets")),
        (0o640, 0o700)
    );
    let printed = desk.run(&["crypto", "rand"]).done();
    assert_eq!(
        printed.trim().len(),
        "Random Value: ".len() + 72,
        "{printed}"
    );
    assert!(
        desk.run(&words("crypto rand secrets/one"))
            .failed(1)
            .contains("never replaced")
    );
}

#[test]
fn digests_of_every_kind_are_made_and_checked() {
    let desk = Desk::new();
    for (kind, beginning) in [
        ("", "$argon2id$v=19$m=65536,t=3,p=4$"),
        (
            "argon2 -v argon2i -m 64 -i 1 -p 1 -s 8 -k 24",
            "$argon2i$v=19$m=64,t=1,p=1$",
        ),
        ("bcrypt --cost 10", "$2b$10$"),
        (
            "bcrypt --variant sha256 --cost 10",
            "$bcrypt-sha256$v=2,t=2b,r=10$",
        ),
        (
            "pbkdf2 --variant sha256 --iterations 100000",
            "$pbkdf2-sha256$100000$",
        ),
        ("scrypt --iterations 10", "$scrypt$ln=10,r=8,p=1$"),
        ("scrypt --variant yescrypt --iterations 10", "$y$j"),
        ("sha2crypt --iterations 1000", "$6$rounds=1000$"),
        (
            "sha2crypt --variant sha256 --iterations 1000 --salt-size 8",
            "$5$rounds=1000$",
        ),
    ] {
        let line = format!("crypto hash generate {kind} --password secret");
        let made = desk.run(&words(&line)).done();
        let digest = made.trim().strip_prefix("Digest: ").expect("a digest");
        assert!(digest.starts_with(beginning), "{kind}: {digest}");
        let check = |password| ["crypto", "hash", "validate", "--password", password, digest];
        desk.run(&check("secret")).done();
        let other = desk.run(&check("Secret")).failed(1);
        assert!(other.contains("does not match"), "{other}");
    }
    let random = desk.run(&words(
        "crypto hash generate --random --random.length 20 bcrypt -i 10",
    ));
    let random = random.done();
    let password = random
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("Random Password: "));
    assert_eq!(password.map(str::len), Some(20), "{random}");
    let wrong = desk.run(&words(
        "crypto hash generate pbkdf2 --iterations 0 --password secret",
    ));
    assert!(wrong.failed(64).contains("PBKDF2"));
}

#[test]
fn an_argon2_digest_fits_its_password_alone() {
    let desk = Desk::new();
    let made = desk
        .run(&words(
            "crypto hash generate argon2 --password secret -m 64 -i 1 -p 1",
        ))
        .done();
    let digest = made.trim().strip_prefix("Digest: ").expect("a digest");
    desk.run(&["crypto", "hash", "validate", "--password", "secret", digest])
        .done();
    let other = desk.run(&["crypto", "hash", "validate", "--password", "Secret", digest]);
    assert!(other.failed(1).contains("does not match"));
}
