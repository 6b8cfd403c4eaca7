//! `storage bans …`: who is banned, and the operator's own bans.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use quorate_core::{Subject, UserName};

use super::answer::{BanKind, BanLine, BanOrder, BanTarget, Banned};
use super::refusal::Refusal;
use crate::app::App;

/// The bans of one kind that hold now, in order of subject.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Json(kind): Json<BanKind>,
) -> Result<Json<Vec<BanLine>>, Refusal> {
    app.node.read_index().await?;
    let now = app.now();
    let mut lines = Vec::new();
    for (subject, attempts) in app.node.reader().attempts().sorted() {
        let Some(until) = attempts.ban(now) else {
            continue;
        };
        let (found, name) = described(subject);
        if found == kind {
            lines.push(BanLine {
                subject: name,
                until_ms: (until.0 < u64::MAX).then_some(until.0),
                second_factor_only: matches!(subject, Subject::SecondFactor(_)),
            });
        }
    }
    Ok(Json(lines))
}

/// Bans a user, whose sessions end on every node, or an address.
pub(super) async fn add(
    State(app): State<Arc<App>>,
    Json(order): Json<BanOrder>,
) -> Result<Json<Banned>, Refusal> {
    let subject = subject(&order.target)?;
    let ended = app.ban(subject, order.for_ms).await?;
    Ok(Json(Banned { ended }))
}

/// Lifts a ban, whoever imposed it; a user's on the password and on the second factor both.
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    Json(target): Json<BanTarget>,
) -> Result<Json<()>, Refusal> {
    let subject = subject(&target)?;
    let second_factor = match &subject {
        Subject::User(user) => Some(Subject::SecondFactor(user.clone())),
        _ => None,
    };
    let mut was_banned = app.lift_ban(subject).await?;
    if let Some(second_factor) = second_factor {
        was_banned |= app.lift_ban(second_factor).await?;
    }
    if was_banned {
        return Ok(Json(()));
    }
    Err(Refusal::missing(format!("`{}` is not banned", target.name)))
}

fn described(subject: &Subject) -> (BanKind, String) {
    match subject {
        Subject::User(user) | Subject::SecondFactor(user) => (BanKind::User, user.to_string()),
        Subject::Address(address) => (BanKind::Ip, address.to_string()),
    }
}

/// An IPv6 address stands for its /64, as everywhere.
fn subject(target: &BanTarget) -> Result<Subject, Refusal> {
    let name = target.name.as_str();
    match target.kind {
        BanKind::User => UserName::parse(name)
            .map(Subject::User)
            .map_err(|error| Refusal::wrong(error.to_string())),
        BanKind::Ip => name
            .parse::<IpAddr>()
            .map(Subject::of_address)
            .map_err(|_| Refusal::wrong(format!("`{name}` is no IP address"))),
    }
}
