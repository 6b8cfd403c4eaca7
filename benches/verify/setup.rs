//! One node with sessions and rules, on loopback without TLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderName, HeaderValue, header};
use quorate::app::{App, budget, token::Secret};
use quorate::authn::users::UserSource;
use quorate::config::{Source, Surroundings, parse};
use quorate::http::front::Front;
use quorate::http::listen::serve;
use quorate_core::{Command, Level, NewSession, UserName};
use quorate_raft::{Node, NodeConfig};
use tokio::sync::watch;

/// A running node and the requests to send it.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) allowed: String,
    pub(crate) anonymous: String,
    pub(crate) bypass: String,
    _folder: tempfile::TempDir,
}

/// The headers of an allowed request, for the bare handler: what quorate sends, measured with the same client.
pub(crate) fn expected_headers() -> Vec<(HeaderName, HeaderValue)> {
    let fixed = [
        ("remote-user", "john"),
        ("remote-groups", "dev,admins"),
        ("remote-name", "John Doe"),
        ("remote-email", "john.doe@example.com"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "strict-origin-when-cross-origin"),
        ("x-dns-prefetch-control", "off"),
    ];
    let mut headers: Vec<_> = fixed
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        })
        .collect();
    let permissions = "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
        keyboard-map=(), magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), \
        screen-wake-lock=(), sync-xhr=(), xr-spatial-tracking=(), interest-cohort=()";
    headers.push((
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static(permissions),
    ));
    headers.push((header::CONTENT_LENGTH, HeaderValue::from_static("0")));
    headers
}

const USERS: &str = "users: {john: {displayname: John Doe, email: john.doe@example.com, groups: [dev, admins], \
    password: '$argon2id$v=19$m=64,t=1,p=1$BwcHBwcHBwcHBwcHBwcHBw$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'}}";

fn configuration(rules: usize, users: &str, data: &str) -> String {
    let filler: String = (0..rules)
        .map(|n| format!("    - {{domain: 'app{n}.example.com', resources: ['^/x{n}'], policy: one_factor}}\n"))
        .collect();
    format!(
        "server: {{address: 'tcp://127.0.0.1:0'}}\nstorage: {{encryption_key: aaaaaaaaaaaaaaaaaaaaaaaa}}\n\
         authentication_backend: {{file: {{path: '{users}'}}}}\ncluster: {{data_dir: '{data}'}}\n\
         session: {{secret: aaaaaaaaaaaaaaaaaaaaaaaa, cookies: [{{domain: example.com, authelia_url: 'https://auth.example.com'}}]}}\n\
         access_control:\n  default_policy: deny\n  rules:\n{filler}\
         \x20   - {{domain: public.example.com, policy: bypass}}\n    - {{domain: one.example.com, policy: one_factor}}\n"
    )
}

pub(crate) async fn site(sessions: usize, rules: usize, stopping: watch::Receiver<bool>) -> Site {
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users.yml");
    std::fs::write(&users, USERS).unwrap();
    let data = folder.path().join("data");
    let text = configuration(
        rules,
        &users.display().to_string(),
        &data.display().to_string(),
    );
    let source = Source {
        file: "bench.yml".to_owned(),
        text,
        world_readable: false,
    };
    let surroundings = Surroundings {
        filters: &[],
        variables: Vec::new(),
        host_name: "n1",
        read_file: &quorate::config::read_secret,
    };
    let config = parse(&[source], &surroundings).unwrap();
    let node = Node::start(NodeConfig {
        name: "n1".to_owned(),
        data_dir: data,
        cluster: None,
        max_staleness: config.cluster.max_staleness,
        budget: budget(&config.regulation),
        snapshot_after: 1_000_000,
        log_bytes_max: 1 << 30,
        command_set: quorate_core::Command::SET,
    });
    let node = node.await.unwrap();
    let token = open_sessions(&node, sessions).await;
    let source = UserSource::load(&config.users).unwrap();
    let socket = super::bind().await;
    let address = socket.local_addr().unwrap();
    let app = Arc::new(App::new(config, node, source));
    tokio::spawn(serve(super::plain(socket), Front::new(app), stopping));
    let request = |host: &str, cookie: &str| {
        format!(
            "GET /api/authz/forward-auth HTTP/1.1\r\nHost: auth.example.com\r\nX-Forwarded-Method: GET\r\n\
             X-Forwarded-Proto: https\r\nX-Forwarded-Host: {host}\r\nX-Forwarded-Uri: /page?x=1\r\n\
             X-Forwarded-For: 192.0.2.7\r\nAccept: text/html,application/xhtml+xml\r\n{cookie}\r\n"
        )
    };
    Site {
        address,
        allowed: request(
            "one.example.com",
            &format!("Cookie: authelia_session={token}\r\n"),
        ),
        anonymous: request("one.example.com", ""),
        bypass: request("public.example.com", ""),
        _folder: folder,
    }
}

/// Opens the sessions and returns the token of one in the middle.
async fn open_sessions(node: &Node, count: usize) -> String {
    let started = Instant::now();
    while !node.may_read() {
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "the node does not become ready"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut tokens = tokio::task::JoinSet::new();
    let mut chosen = String::new();
    for number in 0..count.max(1) {
        if tokens.len() >= 512 {
            tokens.join_next().await.unwrap().unwrap();
        }
        let secret = Secret::new(quorate::random::bytes());
        let command = open(&secret);
        let node = node.clone();
        let wanted = number == count / 2;
        let propose = async move {
            node.propose(quorate::random::request_id(), command)
                .await
                .unwrap()
                .index
        };
        if wanted {
            chosen = secret.into_token(propose.await);
        } else {
            tokens.spawn(propose);
        }
    }
    while tokens.join_next().await.is_some() {}
    println!(
        "{count} sessions opened in {:.1} s",
        started.elapsed().as_secs_f64()
    );
    chosen
}

fn open(secret: &Secret) -> Command {
    Command::OpenSession {
        key: secret.key(),
        replaces: None,
        session: NewSession {
            user: UserName::parse("john").unwrap(),
            domain: "example.com".to_owned(),
            level: Level::OneFactor,
            lifetime_ms: 3_600_000,
            inactivity_ms: Some(300_000),
        },
        reservation: quorate::random::reservation_id(),
        subjects: Vec::new(),
        budget: quorate_core::Budget {
            guesses_max: 3,
            window_ms: 1,
            ban_ms: 1,
            reservation_ms: 1,
        },
        epoch: 0,
    }
}
