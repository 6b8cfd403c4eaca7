//! Whole configurations load, and mean what they say.

use std::path::{Path, PathBuf};
use std::time::Duration;

use quorate_core::access::rule::{QuerySpec, Requirement};

use super::{load, printed};
use crate::authn::digest::{Argon2Variant, Recipe, Scheme as HashScheme};
use crate::config::{
    Config, CookieDomain, Implementation, Listen, LogLevel, Refresh, SameSite, Scheme,
    StrategyKind, read, read_secret,
};

macro_rules! file {
    ($name:literal) => {
        load(
            &[(
                $name,
                include_str!(concat!("../../../tests/data/config/", $name)),
            )],
            &[],
        )
        .unwrap_or_else(|problems| panic!("{:#?}", printed(&problems)))
    };
}

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

#[test]
fn a_small_installation() {
    let config = file!("single-host.yml");
    assert_eq!(config.server.address, Listen::Tcp("127.0.0.1".into(), 9091));
    assert_eq!(config.server.base_path, "");
    assert_eq!(
        config.server.tls.unwrap().key,
        Path::new("/etc/quorate/key.pem")
    );
    assert_eq!(config.log.level, LogLevel::Debug);
    assert_eq!(config.regulation.max_retries, 0);
    assert_eq!(config.cluster.data_dir, Path::new("/var/lib/sso/quorate"));
    assert_eq!(
        (
            config.cluster.name.as_str(),
            config.cluster.advertise.as_str()
        ),
        ("n1", "n1:9092")
    );
    assert_eq!(config.access.default_policy, Requirement::Deny);
    assert!(config.access.policy.needs_two_factor_anywhere());
    assert_eq!(config.telemetry.metrics, None);
    let cookie = &config.session.cookies[0];
    assert_eq!(
        cookie.portal.as_ref().unwrap().to_string(),
        "https://login.example.com/"
    );
    assert_eq!(
        cookie.default_redirection_url.as_deref(),
        Some("https://home.example.com")
    );
    let notes = config.notices.len();
    assert_eq!(notes, 8, "{:#?}", config.notices);
}

#[test]
fn domains_inherit_and_override() {
    let config = file!("two-domains.yml");
    assert_eq!(config.server.base_path, "/portal");
    assert_eq!(config.access.default_policy, Requirement::TwoFactor);
    assert!(config.access.policy.needs_two_factor_anywhere());
    let [com, net] = config.session.cookies.as_slice() else {
        panic!("two domains");
    };
    let plain = CookieDomain {
        portal: None,
        ..com.clone()
    };
    assert_eq!(
        plain,
        CookieDomain {
            domain: "example.com".into(),
            name: "sso".into(),
            same_site: SameSite::Strict,
            expiration: seconds(7_200),
            inactivity: Duration::ZERO,
            remember_me: None,
            portal: None,
            default_redirection_url: None,
        }
    );
    assert_eq!(
        (net.domain.as_str(), net.name.as_str()),
        ("example.net", "net")
    );
    assert_eq!(
        (net.same_site, net.expiration, net.inactivity),
        (SameSite::None, seconds(4), seconds(2))
    );
    assert_eq!(net.remember_me, Some(seconds(7_200)));
    let portal = net.portal.as_ref().unwrap();
    assert_eq!(
        (portal.host.as_str(), portal.port),
        ("auth.example.net", Some(8443))
    );
    assert_eq!(
        (portal.path.as_str(), portal.query.as_deref()),
        ("/sso/", Some("theme=dark"))
    );
    assert_eq!(portal.origin(), "https://auth.example.net:8443");
    assert!(net.covers("Deep.In.Example.net") && !net.covers("badexample.net"));
    let users = &config.users;
    assert!(users.file.as_ref().is_some_and(|file| file.watch));
    assert!(users.search_email && users.case_insensitive);
    assert_eq!(users.refresh_interval, Refresh::Always);
    let expected = Recipe {
        scheme: HashScheme::Argon2 {
            variant: Argon2Variant::Id,
            memory_kib: 131_072,
            iterations: 4,
            parallelism: 8,
        },
        salt_bytes: 32,
        key_bytes: 64,
    };
    assert_eq!(users.password, expected);
    let regulation = config.regulation;
    assert!(regulation.modes.address && !regulation.modes.user);
    assert_eq!(
        (regulation.find_time, regulation.ban_time),
        (seconds(30), seconds(3_600))
    );
    let metrics = config.telemetry.metrics.unwrap();
    assert_eq!(
        (metrics.address.to_string().as_str(), metrics.path.as_str()),
        ("127.0.0.1:9960", "/metrics")
    );
    assert_eq!(config.storage.local_dir.as_deref(), Some(Path::new(".")));
}

#[test]
fn nested_domains() {
    let config = file!("nested-domains.yml");
    let domains: Vec<&str> = config
        .session
        .cookies
        .iter()
        .map(|c| c.domain.as_str())
        .collect();
    assert_eq!(domains, ["example.com", "dev.example.org", "example.org"]);
    assert!(!config.access.policy.needs_two_factor_anywhere());
}

#[test]
fn rules_keep_their_texts_and_places() {
    let config = file!("rules.yml");
    let rules = &config.access.rules;
    let rule = |domain: &str| {
        let found = rules
            .iter()
            .find(|(rule, _)| rule.domains.iter().any(|text| text == domain));
        &found.unwrap().0
    };
    assert_eq!(
        rule("b.example.com").domains,
        ["b.example.com", "*.b.example.com"]
    );
    assert_eq!(rule("c.example.com").domain_patterns, ["^c1$", "c2{1,3}"]);
    assert_eq!(rule("s1.example.com").subjects, [["user:ann"]]);
    assert_eq!(
        rule("s2.example.com").subjects,
        [["user:ann"], ["group:dev"]]
    );
    assert_eq!(
        rule("s3.example.com").subjects,
        [
            vec!["user:ann", "group:dev"],
            vec!["user:bob"],
            vec!["user:cee"]
        ]
    );
    assert_eq!(rule("n1.example.com").networks, ["office"]);
    assert_eq!(rule("m.example.com").methods, ["GET"]);
    let query = |operator: Option<&str>, key: &str, value: Option<&str>| QuerySpec {
        operator: operator.map(str::to_owned),
        key: key.to_owned(),
        value: value.map(str::to_owned),
    };
    assert_eq!(
        rule("q2.example.com").query,
        [
            vec![
                query(None, "k", Some("1")),
                query(Some("not equal"), "l", Some("v"))
            ],
            vec![query(None, "z", None)],
        ]
    );
    assert_eq!(rule("q3.example.com").query.len(), 2);
    let networks = &config.access.networks;
    assert_eq!(
        networks["office"]
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["10.0.0.0/8", "2001:db8::1/128"]
    );
    assert_eq!(networks["one"].len(), 1);
    let last = rules.len() - 1;
    let place = |field: &str| config.access.place(last, field).to_string();
    assert_eq!(rules[last].1.to_string(), "rules.yml:27:7");
    assert_eq!(place("policy"), "rules.yml:28:15");
    assert_eq!(place("resources[0]"), "rules.yml:30:19");
    assert_eq!(place("query[0][0].value"), "rules.yml:33:13");
    assert_eq!(place("subject"), "rules.yml:27:7");
    assert_eq!(
        config.access.place(99, "policy").to_string(),
        "access_control"
    );
}

#[test]
fn endpoints_of_ones_own() {
    let config = file!("endpoints.yml");
    let server = config.server;
    assert_eq!(
        server.address,
        Listen::Unix {
            socket: PathBuf::from("/run/quorate/sock"),
            umask: Some(0o117)
        }
    );
    assert_eq!(server.base_path, "/auth");
    assert_eq!(server.read_buffer_bytes, 65_536);
    assert_eq!(server.timeouts.idle, seconds(300));
    assert_eq!(
        server
            .trusted_proxies
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["192.0.2.7/32", "2001:db8::/32"]
    );
    let kinds = |name: &str| {
        let endpoint = server
            .endpoints
            .iter()
            .find(|endpoint| endpoint.name == name)
            .unwrap();
        endpoint
            .strategies
            .iter()
            .map(|strategy| strategy.kind)
            .collect::<Vec<_>>()
    };
    assert_eq!(server.endpoints.len(), 6);
    assert_eq!(
        kinds("ar"),
        [
            StrategyKind::HeaderAuthorization,
            StrategyKind::CookieSession
        ]
    );
    assert_eq!(
        kinds("old"),
        [StrategyKind::HeaderLegacy, StrategyKind::CookieSession]
    );
    assert_eq!(
        kinds("envoy"),
        [StrategyKind::HeaderLegacy, StrategyKind::CookieSession]
    );
    assert_eq!(kinds("team/fa").len(), 2);
    let cached = server
        .endpoints
        .iter()
        .find(|endpoint| endpoint.name == "cached")
        .unwrap();
    assert_eq!(cached.implementation, Implementation::ForwardAuth);
    assert_eq!(
        cached.strategies[0].schemes,
        [Scheme::Basic, Scheme::Bearer]
    );
    assert_eq!(cached.strategies[0].basic_cache, seconds(3));
}

#[test]
fn three_members() {
    let config = file!("cluster.yml");
    let cluster = config.cluster;
    assert_eq!(cluster.advertise, "n2.internal:9192");
    assert_eq!(cluster.members[2].address, "[2001:db8::3]:9092");
    assert_eq!(cluster.data_dir, Path::new("/config/quorate"));
    assert_eq!(cluster.max_staleness, seconds(5));
    assert!(cluster.secret.is_some());
}

#[test]
fn older_forms_are_still_taken() {
    let config = file!("older-forms.yml");
    assert_eq!(config.server.address, Listen::Tcp("0.0.0.0".into(), 9080));
    assert_eq!(config.server.base_path, "/auth");
    assert_eq!(config.server.read_buffer_bytes, 32_768);
    assert_eq!(config.log.level, LogLevel::Warn);
    let cookie = &config.session.cookies[0];
    assert_eq!(
        (cookie.domain.as_str(), &cookie.portal),
        ("example.com", &None)
    );
    assert_eq!(
        cookie.default_redirection_url.as_deref(),
        Some("https://home.example.com")
    );
    assert_eq!(cookie.remember_me, Some(seconds(7 * 86_400)));
    let expected = HashScheme::Argon2 {
        variant: Argon2Variant::Id,
        memory_kib: 131_072,
        iterations: 2,
        parallelism: 2,
    };
    assert_eq!(config.users.password.scheme, expected);
    assert_eq!(config.access.networks["office"].len(), 1);
    let older: Vec<&str> = config
        .notices
        .iter()
        .filter(|notice| notice.message.starts_with("is an older"))
        .map(|notice| notice.key.as_str())
        .collect();
    assert_eq!(older.len(), 17, "{older:?}");
}

#[test]
fn later_files_win_key_by_key() {
    let later = "theme: dark\nregulation: {max_retries: 9}\naccess_control:\n  rules: [{domain: a.example.com, policy: bypass}]\n";
    let latest = "access_control:\n  default_policy: two_factor\n  rules: [{domain: b.example.com, policy: bypass}]\nregulation:\n";
    let files = [("1.yml", super::BASE), ("2.yml", later), ("3.yml", latest)];
    let config = load(&files, &[]).unwrap();
    assert_eq!(config.regulation.max_retries, 9);
    assert_eq!(config.access.default_policy, Requirement::TwoFactor);
    let domains: Vec<&String> = config
        .access
        .rules
        .iter()
        .flat_map(|(rule, _)| &rule.domains)
        .collect();
    assert_eq!(domains, ["b.example.com"]);
    assert_eq!(config.access.rules[0].1.to_string(), "3.yml:3:11");
}

#[test]
fn files_and_directories_are_read_in_order() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    for name in ["b.yaml", "a.yml", "c.txt"] {
        std::fs::write(path(name), "theme: dark\n").unwrap();
        std::fs::set_permissions(path(name), PermissionsExt::from_mode(0o600)).unwrap();
    }
    std::fs::set_permissions(path("a.yml"), PermissionsExt::from_mode(0o604)).unwrap();
    let sources = read(&[dir.path().to_owned(), path("c.txt")]).unwrap();
    let found: Vec<(bool, bool)> = sources
        .iter()
        .map(|source| (source.file.ends_with(".txt"), source.world_readable))
        .collect();
    assert_eq!(found, [(false, true), (false, false), (true, false)]);
    assert_eq!(read_secret(&path("c.txt")).unwrap().text, "theme: dark\n");
    std::fs::create_dir(path("empty")).unwrap();
    let problems = read(&[path("none.yml"), path("nothing.yml"), path("empty")]).unwrap_err();
    assert_eq!(problems.len(), 3);
}

#[test]
fn exposed_secrets_are_noted() {
    let mut source = super::source("c.yml", super::BASE);
    source.world_readable = true;
    let read_file = |_: &Path| Err(std::io::Error::from(std::io::ErrorKind::NotFound));
    let surroundings = crate::config::Surroundings {
        variables: Vec::new(),
        host_name: "n1",
        read_file: &read_file,
        filters: &[],
    };
    let config: Config = crate::config::parse(&[source], &surroundings).unwrap();
    assert_eq!(
        config.notices[0].to_string(),
        "c.yml:1:27: storage.encryption_key: every user of this machine may read this secret; `chmod o-r c.yml`"
    );
}
