//! Alert rules and dashboards: sound for Prometheus, about metrics that exist, and with a page for whoever is woken.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex::Regex;

use super::promtool;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Everything that `pattern`'s first group matches.
fn all(pattern: &str, text: &str) -> BTreeSet<String> {
    let pattern = Regex::new(pattern).expect("a pattern");
    let found = pattern.captures_iter(text);
    found.map(|groups| groups[1].to_owned()).collect()
}

#[test]
fn every_alert_fires_when_it_should_and_only_then() {
    let tested = promtool::run(&["test", "rules", "deploy/prometheus/alerts.test.yml"], "");
    assert!(tested.status.success(), "{}", promtool::text(&tested));
    let checked = promtool::run(&["check", "config", "deploy/prometheus/prometheus.yml"], "");
    assert!(checked.status.success(), "{}", promtool::text(&checked));
    let rules = all(r"alert: (\w+)", &read("deploy/prometheus/alerts.yml"));
    let tests = read("deploy/prometheus/alerts.test.yml");
    for rule in rules {
        let fires = format!("alertname: {rule}\n        exp_alerts:");
        assert!(tests.contains(&fires), "no test in which {rule} fires");
    }
}

#[test]
fn every_alert_has_a_runbook_and_every_runbook_an_alert() {
    let alerts = read("deploy/prometheus/alerts.yml");
    let named = all(r"runbook_url: 'docs/runbooks/([a-z-]+)\.md'", &alerts);
    let rules = all(r"alert: (\w+)", &alerts);
    assert_eq!(named.len(), rules.len(), "one page for each alert");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/runbooks");
    let files = fs::read_dir(folder).expect("docs/runbooks");
    let pages: BTreeSet<String> = files
        .filter_map(|file| Some(file.ok()?.path().file_stem()?.to_str()?.to_owned()))
        .filter(|name| name != "README")
        .collect();
    assert_eq!(named, pages);
    let overview = read("docs/runbooks/README.md");
    for rule in &rules {
        assert!(
            overview.contains(&format!("[{rule}]")),
            "{rule} is not in the overview"
        );
    }
}

#[test]
fn rules_and_dashboards_ask_for_metrics_that_exist() {
    let documented = all(r"(?m)^\| `(\w+)`", &read("docs/metrics.md"));
    for file in [
        "deploy/prometheus/alerts.yml",
        "deploy/grafana/on-call.json",
        "deploy/grafana/security.json",
    ] {
        let asked = all(
            r"\b((?:quorate|process|authelia)_[a-z_]+)[{\[ )]",
            &read(file),
        );
        assert!(asked.len() > 5, "{file} asks for {asked:?}");
        for name in asked {
            let family = name.trim_end_matches("_bucket").to_owned();
            assert!(documented.contains(&family), "{file}: no metric `{name}`");
        }
    }
}

/// Each query of the dashboards, as Prometheus reads it.
#[test]
fn every_query_of_the_dashboards_is_well_formed() {
    let mut rules = String::from("groups:\n  - name: dashboards\n    rules:\n");
    let mut count = 0;
    for file in [
        "deploy/grafana/on-call.json",
        "deploy/grafana/security.json",
    ] {
        let board: serde_json::Value = serde_json::from_str(&read(file)).expect(file);
        let panels = board["panels"].as_array().expect("panels");
        let targets = panels
            .iter()
            .filter_map(|panel| panel["targets"].as_array());
        for target in targets.flatten() {
            let query = target["expr"]
                .as_str()
                .expect("a query")
                .replace("$job", "quorate");
            let query = serde_json::Value::from(query);
            rules.push_str(&format!("      - {{record: 'q{count}', expr: {query}}}\n"));
            count += 1;
        }
    }
    assert!(count > 30, "{count} queries");
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), rules).expect("write it");
    let path = file.path().to_str().expect("a plain path");
    let checked = promtool::run(&["check", "rules", path], "");
    assert!(checked.status.success(), "{}", promtool::text(&checked));
}
