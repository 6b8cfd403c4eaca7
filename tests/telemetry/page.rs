//! The metrics page: sound for Prometheus, true, and complete.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use super::promtool;
use crate::harness::{Cluster, Request, Settings, until};

/// What one node's page says.
pub(super) struct Page(pub(super) String);

impl Page {
    /// The value of the line that begins with `name`, labels included.
    fn value(&self, name: &str) -> Option<f64> {
        let lines = self.0.lines();
        let mut values = lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        values.next()?.parse().ok()
    }

    /// The names of all families that have a line.
    pub(super) fn families(&self) -> BTreeSet<String> {
        let types = self
            .0
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE "));
        let names = types.filter_map(|line| line.split(' ').next());
        names.map(str::to_owned).collect()
    }

    /// The lines about families that begin with `prefix`.
    fn only(&self, prefix: &str) -> String {
        let about = |line: &&str| {
            let name = line
                .trim_start_matches("# HELP ")
                .trim_start_matches("# TYPE ");
            name.starts_with(prefix)
        };
        let lines: Vec<&str> = self.0.lines().filter(about).collect();
        lines.join("\n") + "\n"
    }
}

/// The pages of all nodes, in order.
pub(super) async fn pages(cluster: &Cluster) -> Vec<Page> {
    let mut pages = Vec::new();
    for node in cluster.nodes() {
        let answer = node.metrics().await;
        let (_, body) = answer.split_once("\r\n\r\n").expect("a reply with a body");
        pages.push(Page(body.to_owned()));
    }
    pages
}

fn sum(pages: &[Page], name: &str) -> f64 {
    let value = |page: &Page| page.value(name);
    let values = pages
        .iter()
        .map(|page| value(page).unwrap_or_else(|| panic!("no `{name}` in:\n{}", page.0)));
    values.sum()
}

/// Three nodes, one of which is configured with another theme, after a login, a wrong password and a logout.
pub(super) async fn lived_in() -> Cluster {
    let cluster = Cluster::prepare(&Settings::new());
    let odd = cluster.nodes()[2].configuration();
    let text = fs::read_to_string(odd).expect("a configuration");
    fs::write(odd, text + "theme: dark\n").expect("write a configuration");
    for node in cluster.nodes() {
        node.start();
    }
    cluster.wait_until_ready().await;
    let mut john = cluster.visitor(0);
    john.log_in("john", "password").await;
    let mut stranger = cluster.visitor(1);
    assert_eq!(stranger.try_log_in("john", "wrong").await.status, 401);
    let asked = Request::get("https://auth.example.com/api/authz/forward-auth")
        .header("X-Forwarded-Method", "GET")
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-Host", "one.example.com")
        .header("X-Forwarded-URI", "/");
    for node in cluster.nodes() {
        let answer = node.client().try_send(&asked).await.expect("an answer");
        assert_eq!(answer.status, 401);
    }
    john.log_out().await;
    until("members have compared themselves", WAIT, async || {
        let pages = pages(&cluster).await;
        pages
            .iter()
            .all(|page| page.0.matches("\nquorate_users_agree{").count() == 2)
    })
    .await;
    cluster
}

const WAIT: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_sound_true_and_complete() {
    let cluster = lived_in().await;
    let pages = pages(&cluster).await;
    prometheus_accepts(&pages);
    counts_are_true(&pages);
    members_are_told_apart(&pages);
    every_family_is_documented(&pages);
}

fn prometheus_accepts(pages: &[Page]) {
    for page in pages {
        for prefix in ["quorate_", "process_"] {
            let checked = promtool::run(&["check", "metrics"], &page.only(prefix));
            let said = promtool::text(&checked);
            assert!(checked.status.success() && said.is_empty(), "{said}");
        }
        // These names are not ours to choose: Authelia's counters lack the suffix that Prometheus would like to see.
        let checked = promtool::run(&["check", "metrics"], &page.only("authelia_"));
        for line in promtool::text(&checked).lines() {
            assert!(
                line.contains("counter metrics should have \"_total\" suffix"),
                "{line}"
            );
        }
    }
    let unsound = promtool::run(&["check", "metrics"], "quorate_x 1\nquorate_x 1\n");
    assert!(!unsound.status.success(), "the checker checks");
}

fn counts_are_true(pages: &[Page]) {
    let counted = [
        (
            "quorate_logins_total{factor=\"password\",result=\"accepted\"}",
            1.0,
        ),
        (
            "quorate_logins_total{factor=\"password\",result=\"refused\"}",
            1.0,
        ),
        (
            "quorate_verifies_total{dialect=\"forward-auth\",result=\"challenged\"}",
            3.0,
        ),
        (
            "quorate_verify_duration_seconds_count{result=\"challenged\"}",
            3.0,
        ),
        ("quorate_guess_reservations_total{result=\"reserved\"}", 2.0),
        ("quorate_password_checks_total", 2.0),
        ("quorate_password_check_duration_seconds_count", 2.0),
        ("quorate_logouts_total", 1.0),
        ("quorate_revocation_wait_seconds_count", 1.0),
        ("quorate_raft_is_leader", 1.0),
        ("quorate_raft_has_leader", 3.0),
        ("quorate_raft_has_quorum", 3.0),
        ("quorate_raft_voters", 9.0),
        ("quorate_ready", 3.0),
        ("quorate_sessions", 0.0),
        ("quorate_bans", 0.0),
        ("quorate_build_info{version=\"0.1.0\"}", 3.0),
        ("authelia_authn{banned=\"false\",success=\"true\"}", 1.0),
        ("authelia_authn{banned=\"false\",success=\"false\"}", 1.0),
        ("authelia_authn_duration_count{success=\"true\"}", 1.0),
        ("authelia_authz{code=\"401\"}", 3.0),
    ];
    for (name, expected) in counted {
        let found: f64 = match name.contains("authelia_a") || name.starts_with("quorate_logins") {
            // A node where it has not happened has no such line, or says 0.
            true => pages.iter().filter_map(|page| page.value(name)).sum(),
            false => sum(pages, name),
        };
        assert!((found - expected).abs() < f64::EPSILON, "{name} is {found}");
    }
    let rising = [
        "quorate_lease_remaining_seconds",
        "quorate_raft_term",
        "quorate_raft_applied_index",
        "quorate_raft_leader_changes_total",
        "quorate_raft_proposals_total{result=\"committed\"}",
        "quorate_store_flush_duration_seconds_count",
        "quorate_store_written_bytes_total",
        "quorate_store_free_bytes",
        "quorate_password_queue_capacity",
        "quorate_certificate_expiry_timestamp_seconds{certificate=\"cluster\"}",
        "quorate_certificate_expiry_timestamp_seconds{certificate=\"server\"}",
        "authelia_request{code=\"200\",method=\"GET\"}",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
    ];
    for name in rising {
        assert!(sum(pages, name) > 0.0, "{name} is 0");
    }
}

fn members_are_told_apart(pages: &[Page]) {
    let at = |node: usize, family: &str, member: &str| {
        let name = format!("quorate_{family}{{member=\"{member}\"}}");
        let page = &pages[node];
        let value = page.value(&name);
        value.unwrap_or_else(|| panic!("no `{name}` in:\n{}", page.0))
    };
    let is = |value: f64, expected: f64| (value - expected).abs() < f64::EPSILON;
    assert!(is(at(0, "configuration_agrees", "n2"), 1.0));
    assert!(
        is(at(0, "configuration_agrees", "n3"), 0.0),
        "another theme"
    );
    assert!(is(at(2, "configuration_agrees", "n1"), 0.0));
    assert!(is(at(2, "users_agree", "n1"), 1.0), "the same file");
    for (node, member) in [(0, "n2"), (1, "n3"), (2, "n1")] {
        assert!(is(at(node, "member_reachable", member), 1.0));
        assert!(at(node, "peer_round_trip_seconds", member) < 1.0);
        assert!(at(node, "peer_clock_offset_seconds", member).abs() < 0.5);
        assert!(at(node, "member_silence_seconds", member) < 10.0);
    }
    let leader = pages
        .iter()
        .find(|page| page.value("quorate_raft_is_leader") == Some(1.0));
    let lags = leader
        .expect("a leader")
        .0
        .matches("\nquorate_raft_lag_entries{")
        .count();
    assert_eq!(lags, 3, "the leader knows how far everybody is");
}

/// `docs/metrics.md` names every family of the page, and no other.
fn every_family_is_documented(pages: &[Page]) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
    let text = fs::read_to_string(path).expect("docs/metrics.md");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let documented: BTreeSet<String> = rows
        .filter_map(|row| row.split('`').next())
        .map(str::to_owned)
        .collect();
    // There is no snapshot yet in a cluster this young.
    let mut shown: BTreeSet<String> = pages.iter().flat_map(Page::families).collect();
    shown.extend(
        [
            "quorate_snapshot_timestamp_seconds",
            "quorate_snapshot_bytes",
        ]
        .map(str::to_owned),
    );
    let missing: Vec<_> = shown.difference(&documented).collect();
    let invented: Vec<_> = documented.difference(&shown).collect();
    assert!(
        missing.is_empty() && invented.is_empty(),
        "docs/metrics.md lacks {missing:?}, and tells of {invented:?}, which are not there"
    );
}
