//! The contract with proxies and API clients, as cases: what is asked, and what is answered.
//!
//! Every folder in `data/conformance/` is one configuration with its users; its `*.txt` files hold the cases. They run
//! against one real `quorate serve`. `pending.txt` lists the cases of what is not there yet, each with its reason; a
//! case that passes must leave the list.
//!
//! How a case reads:
//!
//! ```text
//! == ID what it shows
//! > forward GET https://one.example.com/    a question of a proxy: forward, nginx, envoy or legacy;
//!                                           `forward(NAME?query)` asks another endpoint than the usual one
//! > POST /api/logout                        or any request, of which Host is auth.example.com unless it says otherwise
//! > log in john                             or a login with the password `password`
//! > raw "GET / HTTP/1.1\r\n\r\n"            or bytes
//! > Accept: application/json                sets a header field; `> + Accept: x` adds a line, `> - Accept` takes it away
//! > json {"a": 1}, > body text              the body
//! > as john                                 with the cookies of a jar; `> at once as a b c` asks once with each
//! > times 30                                the same again
//! < 302 https://auth.example.com/           the status, and the Location; `< 200|404` is either, 0 is a cut connection
//! < 200 john                                of an authorization: who the site is told of; or `nobody`
//! < 1 of them 200                           of those at once
//! < Name: value, < Name ~ regex, < Name !~ regex     a header field; `-` is none, `*` is any
//! < body text, < body ~ regex, < body !~ regex
//! < json {"a": {"re": "^x"}}                what the document holds at least; also {"not_re": …} and {"absent": true}
//! < cookie NAME domain=… path=… samesite=… secure httponly count=1 value=… value~… value!=… lives=3500..3600|past|session
//! < no cookie NAME, < after 990 ms, < within 100 ms
//! < jar john                                keeps the cookies
//! < keep x = cookie NAME | json a.b | header NAME regex | body regex
//! ! sleep 3   ! set x = y   ! empty mailbox   ! mail x ~ regex   ! totp john SECRET
//! ```
//!
//! `{{x}}` stands for what was kept; `{{basic:user:password}}`, `{{repeat:a:10}}` and `{{totp:user}}` are made. A text in
//! double quotes may have escapes. What every authorization answers whatever the case is checked with each of them, in
//! `judge`.

mod exchange;
mod fixture;
mod judge;
mod script;
mod world;

use std::collections::BTreeMap;

use fixture::{Fixture, data};

/// How the cases of a folder are run.
#[derive(Clone, Copy)]
enum Order {
    /// They share what they do to the server, and run one after another.
    InTurn,
    /// None needs another, and all run at once: most of their time is waiting.
    AtOnce,
}

#[tokio::test(flavor = "multi_thread")]
async fn proxies_are_answered_as_the_contract_says() {
    check("authz-main", Order::AtOnce).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cookie_domain_has_its_own_portal_and_sessions() {
    check("authz-domains", Order::AtOnce).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_and_strategies_of_ones_own_are_answered_as_the_contract_says() {
    check("authz-strategies", Order::AtOnce).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_live_as_long_as_the_contract_says() {
    check("authz-life", Order::AtOnce).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_path_and_a_default_policy_hold_for_proxies() {
    check("authz-base-path", Order::AtOnce).await;
}

// Refusals take a second each, so the cases of this folder are split between two servers.
#[tokio::test(flavor = "multi_thread")]
async fn logins_and_logouts_are_answered_as_the_contract_says() {
    check_part("api-main", "1234", Order::InTurn).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_of_the_api_is_answered_as_the_contract_says() {
    check_part("api-main", "56789", Order::InTurn).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_counts_guesses_by_user() {
    check("api-user", Order::InTurn).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_follows_settings_of_ones_own() {
    check("api-address", Order::InTurn).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_works_below_a_base_path_and_within_its_limits() {
    check("api-base-path", Order::InTurn).await;
}

#[test]
fn every_pending_case_exists() {
    let known: Vec<String> = fixture::folders()
        .iter()
        .flat_map(|folder| fixture::cases(folder, ""))
        .map(|case| case.id)
        .collect();
    let strangers: Vec<_> = pending()
        .into_keys()
        .filter(|id| !known.contains(id))
        .collect();
    assert!(
        strangers.is_empty(),
        "pending.txt names cases that do not exist: {strangers:?}"
    );
}

async fn check(folder: &str, order: Order) {
    check_part(folder, "", order).await;
}

/// Runs the cases of a folder, or of its files that begin with one of the letters, and panics with all that went wrong.
async fn check_part(folder: &str, beginnings: &str, order: Order) {
    let fixture = Fixture::start(folder).await;
    let pending = pending();
    let mut wrong = Vec::new();
    for (case, result) in fixture.run(beginnings, order).await {
        match (result, pending.contains_key(&case.id)) {
            (Ok(()), false) | (Err(_), true) => {}
            (Err(problem), false) => wrong.push(format!("{} ({}): {problem}", case.id, case.title)),
            (Ok(()), true) => wrong.push(format!("{} passes: remove it from pending.txt", case.id)),
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of the cases in {folder}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// The cases of what is not there yet, with the reason: lines of cases below a line `# reason`.
fn pending() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(data().join("pending.txt")).expect("pending.txt");
    let mut reason = String::new();
    let mut listed = BTreeMap::new();
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("# ") {
            heading.clone_into(&mut reason);
        } else if !line.is_empty() {
            assert!(!reason.is_empty(), "`{line}` in pending.txt has no reason");
            listed.insert(line.to_owned(), reason.clone());
        }
    }
    listed
}
