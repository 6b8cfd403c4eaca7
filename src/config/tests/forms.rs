//! The forms of single values, defaults, and the digest.

use std::path::Path;
use std::time::Duration;

use super::{BASE, check, load, over_base};
use crate::authn::digest::Recipe;
use crate::config::value::{address, duration, network, url};
use crate::config::{Listen, Refresh, SameSite};

#[test]
fn durations_are_read_as_authelia_does() {
    let cases = [
        ("0", Some(0)),
        ("300", Some(300)),
        ("5m", Some(300)),
        ("1h30m", Some(5_400)),
        ("1h 30m", Some(5_400)),
        ("1 day", Some(86_400)),
        ("1 day, 2 hours and 3 minutes", Some(93_780)),
        ("1w", Some(604_800)),
        ("1M", Some(2_628_000)),
        ("1y", Some(31_536_000)),
        ("90 seconds", Some(90)),
        ("-1", None),
        ("1.5h", None),
        ("h", None),
        ("1x", None),
        ("", None),
        ("5m 3", None),
        ("99999999999999999999", None),
        ("4000000000y", None),
    ];
    for (text, seconds) in cases {
        assert_eq!(duration(text), seconds.map(Duration::from_secs), "{text}");
    }
    assert_eq!(duration("250ms"), Some(Duration::from_millis(250)));
}

#[test]
fn addresses_have_several_forms() {
    let tcp = |host: &str, port: u16| Listen::Tcp(host.to_owned(), port);
    let cases = [
        ("tcp://:9091/", tcp("", 9091), ""),
        ("tcp://:9091/auth", tcp("", 9091), "/auth"),
        ("tcp://0.0.0.0", tcp("0.0.0.0", 1), ""),
        ("tcp4://:80", tcp("0.0.0.0", 80), ""),
        ("tcp6://:80", tcp("::", 80), ""),
        ("tcp://[::1]:80/a/", tcp("::1", 80), "/a"),
        ("localhost:9091", tcp("localhost", 9091), ""),
        (":9091", tcp("", 9091), ""),
    ];
    for (text, listen, path) in cases {
        let found = address(text, 1).unwrap();
        assert_eq!(
            (found.listen, found.path.as_str()),
            (listen, path),
            "{text}"
        );
    }
    for text in [
        "udp://:1",
        "fd://:1",
        "tcp://:99999",
        "tcp://a b:1",
        "tcp://:1?x=1",
        "unix://relative",
        "unix:///a?umask=9",
        "unix:///a?b=c",
        "tcp://[::1:80",
        "::1:80",
        "tcp://:+80",
    ] {
        assert!(address(text, 1).is_err(), "{text}");
    }
}

#[test]
fn urls_are_taken_apart_once() {
    let good = url("HTTPS://Auth.Example.com:8443/sso?x=1").unwrap();
    assert_eq!(
        (good.scheme, good.host.as_str(), good.port),
        ("https", "auth.example.com", Some(8443))
    );
    assert_eq!(
        (good.path.as_str(), good.query.as_deref()),
        ("/sso", Some("x=1"))
    );
    assert_eq!(url("https://a.b?x").unwrap().path, "/");
    for text in [
        "auth.example.com",
        "https://",
        "https:///path",
        "https://user@a.b/",
        "https://a.b/#x",
        "https://a.b/\\x",
        "https://a b/",
        "ftp://a.b/",
        "https://a.b:0/",
        "https://é.com/",
    ] {
        assert!(url(text).is_err(), "{text}");
    }
}

#[test]
fn networks_are_truncated_and_made_canonical() {
    let shown = |text: &str| network(text).map(|net| net.to_string());
    assert_eq!(shown("10.1.2.3/8").as_deref(), Some("10.0.0.0/8"));
    assert_eq!(shown("192.0.2.7").as_deref(), Some("192.0.2.7/32"));
    assert_eq!(shown("::ffff:192.0.2.7").as_deref(), Some("192.0.2.7/32"));
    assert_eq!(shown("10.0.0.0/33"), None);
    assert_eq!(shown("office"), None);
}

#[test]
fn defaults_are_those_of_the_documentation() {
    let config = over_base("");
    let server = &config.server;
    assert_eq!(server.address, Listen::Tcp(String::new(), 9091));
    let names: Vec<&str> = server
        .endpoints
        .iter()
        .map(|endpoint| endpoint.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["forward-auth", "auth-request", "ext-authz", "legacy"]
    );
    assert_eq!(server.trusted_proxies.len(), 6);
    assert_eq!(server.read_buffer_bytes, 16_384);
    assert_eq!(server.timeouts.idle, Duration::from_secs(120));
    let cookie = &config.session.cookies[0];
    assert_eq!(
        (cookie.name.as_str(), cookie.same_site),
        ("authelia_session", SameSite::Lax)
    );
    assert_eq!(cookie.expiration, Duration::from_secs(3_600));
    assert_eq!(cookie.inactivity, Duration::from_secs(300));
    assert_eq!(cookie.remember_me, Some(Duration::from_secs(30 * 86_400)));
    assert_eq!(config.regulation.max_retries, 3);
    assert!(config.regulation.modes.user && !config.regulation.modes.address);
    assert_eq!(
        config.users.refresh_interval,
        Refresh::Every(Duration::from_secs(300))
    );
    assert_eq!(config.users.password, Recipe::DEFAULT);
    assert!(config.cluster.members.is_empty());
    assert_eq!(config.cluster.data_dir.to_str(), Some("/var/lib/quorate"));
    assert!(config.notices.is_empty());
}

#[test]
fn too_small_buffers_and_timeouts_are_raised() {
    let config = over_base("server: {buffers: {read: 4096}, timeouts: {idle: 30s}}");
    assert_eq!(config.server.read_buffer_bytes, 16_384);
    assert_eq!(config.server.timeouts.idle, Duration::from_secs(120));
    assert_eq!(config.notices.len(), 1);
}

#[test]
fn trusted_proxies_can_be_nobody() {
    for yaml in [
        "server: {trusted_proxies: none}",
        "server: {trusted_proxies: []}",
    ] {
        assert!(over_base(yaml).server.trusted_proxies.is_empty());
    }
    check(
        "server: {trusted_proxies: [proxy.internal]}",
        &[
            "c.yml:1:28: server.trusted_proxies[0]: must be an address or network, is `proxy.internal`; write `192.0.2.7` or `192.0.2.0/24`, or `none` for the whole key",
        ],
    );
}

#[test]
fn anchors_and_merge_keys_are_followed() {
    let yaml = "\
session:
  cookies:
    - &first {domain: a.example.com, authelia_url: 'https://x.a.example.com', expiration: 7m}
    - {<<: *first, domain: b.a.example.org, authelia_url: 'https://x.b.a.example.org'}
";
    let cookies = over_base(yaml).session.cookies;
    assert_eq!(cookies[1].domain, "b.a.example.org");
    assert_eq!(cookies[1].expiration, Duration::from_secs(420));
}

#[test]
fn line_ends_byte_order_marks_and_document_marks_are_taken() {
    for yaml in [
        "# a comment\n---\n# another\ntheme: dark\nlog: {level: debug}\n...\n",
        "theme: dark\r\nlog:\r\n  level: debug\r\n",
        "\u{feff}theme: dark\nlog:\n  level: debug\n",
    ] {
        let config = over_base(yaml);
        assert_eq!(config.theme, crate::config::Theme::Dark);
        assert_eq!(config.log.level, crate::config::LogLevel::Debug);
    }
}

#[test]
fn numbers_and_flags_may_be_quoted_and_texts_may_look_like_numbers() {
    let config = over_base(
        "regulation: {max_retries: '7'}\nsession: {name: 123}\nauthentication_backend: {file: {watch: 'true'}}\n",
    );
    assert_eq!(config.regulation.max_retries, 7);
    assert_eq!(config.session.cookies[0].name, "123");
    assert!(config.users.file.is_some_and(|file| file.watch));
    let number = over_base("storage: {encryption_key: 012345678901234567890123}");
    assert_eq!(
        number.storage.encryption_key.reveal(),
        "012345678901234567890123"
    );
}

#[test]
fn the_digest_follows_decisions_and_nothing_else() {
    let digest = |yaml: &str| over_base(yaml).digest;
    let base = digest("");
    for same in [
        "server: {address: 'tcp://:1234', tls: {certificate: /a, key: /b}}",
        "log: {level: debug}",
        "cluster: {name: other, data_dir: /x, address: 'tcp://:1'}",
        "theme: light",
        "regulation: {find_time: 120s}",
        "storage: {local: {path: /somewhere/else}}",
    ] {
        assert_eq!(digest(same), base, "{same}");
    }
    for other in [
        "theme: dark",
        "server: {address: 'tcp://:9091/auth'}",
        "server: {trusted_proxies: none}",
        "regulation: {find_time: 121s}",
        "session: {inactivity: 6m}",
        "access_control: {default_policy: two_factor}",
        "access_control: {rules: [{domain: a.b, policy: bypass}]}",
        "definitions: {network: {a: 10.0.0.0/8}}",
        "cluster: {max_staleness: 4s}",
        "storage: {encryption_key: bbbbbbbbbbbbbbbbbbbbbbbb}",
    ] {
        assert_ne!(digest(other), base, "{other}");
    }
}

#[test]
fn rules_that_differ_only_in_grouping_have_different_digests() {
    let digest = |subject: &str| {
        let yaml = format!(
            "access_control: {{rules: [{{domain: a.b, policy: one_factor, subject: {subject}}}]}}"
        );
        load(&[("b", BASE), ("c", &yaml)], &[]).unwrap().digest
    };
    assert_ne!(
        digest("[['user:a', 'user:b']]"),
        digest("['user:a', 'user:b']")
    );
}

#[test]
fn clients_can_be_asked_for_certificates_where_the_listener_has_one() {
    let tls = "server: {tls: {certificate: /c, key: /k, client_certificates: [/a, /b]}}";
    let files = over_base(tls).server.tls.expect("TLS");
    assert_eq!(files.client_authorities, [Path::new("/a"), Path::new("/b")]);
    check(
        "server: {tls: {client_certificates: [/a]}}",
        &[
            "c.yml:1:15: server.tls.certificate: is required with `server.tls.client_certificates`; name certificate and key, or remove the authorities",
        ],
    );
}

#[test]
fn a_content_security_policy_is_one_line() {
    let policy = |yaml: &str| over_base(yaml).server.csp_template;
    assert_eq!(policy(""), None);
    let own =
        "server: {headers: {csp_template: \"default-src 'self'; style-src 'nonce-${NONCE}'\"}}";
    assert_eq!(
        policy(own).as_deref(),
        Some("default-src 'self'; style-src 'nonce-${NONCE}'")
    );
    check(
        "server: {headers: {csp_template: \"a\\nb\"}}",
        &[
            "c.yml:1:34: server.headers.csp_template: must be one line of ASCII, because it is the value of a header; write it as one line, with `${NONCE}` where the nonce belongs",
        ],
    );
}

#[test]
fn users_are_kept_in_the_cluster_where_the_section_is_written_even_without_a_key() {
    let of = |section: &str| {
        let base = BASE.replace(
            "authentication_backend: {file: {path: /config/users.yml}}",
            section,
        );
        load(&[("b", &base)], &[]).unwrap()
    };
    for section in [
        "authentication_backend: {replicated: {}}",
        "authentication_backend: {replicated: }",
        "authentication_backend:\n  replicated:\n  file: {}",
    ] {
        let users = of(section).users;
        assert_eq!(users.file, None, "{section}");
        assert!(!users.search_email && !users.case_insensitive);
        assert_eq!(users.password, Recipe::DEFAULT);
    }
    let section = "authentication_backend: {replicated: {search: {email: true}, password: {argon2: {memory: 128}}}}";
    let config = of(section);
    assert!(config.users.search_email);
    assert_ne!(config.users.password, Recipe::DEFAULT);
    assert_eq!(config.notices, []);
    assert_ne!(
        config.digest,
        of("authentication_backend: {file: {path: /x}}").digest
    );
}
