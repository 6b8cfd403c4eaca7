//! `storage user totp …`: one-time password devices, made and read by the operator.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use quorate_core::{NewTotp, Totp, UserName};
use zeroize::Zeroizing;

use super::answer::{TotpDevice, TotpOrder, UserFilter};
use super::refusal::Refusal;
use crate::app::App;
use crate::authn::totp;
use crate::config::totp_algorithm;
use crate::random;

/// Shorter secrets than these 128 bits can be guessed. Source: RFC 4226 §4, R6.
const SECRET_BYTES_MIN: usize = 16;

/// Sets a device up and answers with its secret: the only time it is shown without being asked for.
pub(super) async fn generate(
    State(app): State<Arc<App>>,
    Json(order): Json<TotpOrder>,
) -> Result<Json<TotpDevice>, Refusal> {
    app.node.read_index().await?;
    let user = known_user(&app, &order.user)?;
    if app.totp(&user).is_some() && !order.force {
        return Err(Refusal::wrong(format!(
            "`{user}` has a one-time password device already; `--force` replaces it"
        )));
    }
    let defaults = &app.config.totp;
    let secret = match &order.secret {
        None => random_secret(order.secret_bytes.unwrap_or(defaults.secret_bytes))?,
        Some(text) => totp::from_base32(text)
            .filter(|secret| secret.len() >= SECRET_BYTES_MIN)
            .ok_or_else(|| {
                Refusal::wrong(format!(
                    "the secret must be base 32 (A–Z, 2–7) of {SECRET_BYTES_MIN} bytes at least, which are 26 characters"
                ))
            })?,
    };
    let device = NewTotp {
        sealed_secret: app.sealer.seal(&secret, user.as_str(), random::bytes()),
        algorithm: match &order.algorithm {
            None => defaults.algorithm,
            Some(name) => totp_algorithm(name).ok_or_else(|| {
                Refusal::wrong(format!(
                    "the algorithm must be SHA1, SHA256 or SHA512, is `{name}`"
                ))
            })?,
        },
        digits: match order.digits {
            None => defaults.digits,
            Some(digits @ (6 | 8)) => digits,
            Some(digits) => {
                return Err(Refusal::wrong(format!(
                    "digits must be 6 or 8, is {digits}"
                )));
            }
        },
        period_s: match order.period_s {
            None => defaults.period_s,
            Some(period_s @ 15..=86_400) => period_s,
            Some(period_s) => {
                return Err(Refusal::wrong(format!(
                    "the period must be 15 to 86400 seconds, is {period_s}"
                )));
            }
        },
        issuer: order.issuer.unwrap_or_else(|| defaults.issuer.clone()),
    };
    let described = describe(&user, &device, &secret);
    app.set_totp(user, device).await?;
    Ok(Json(described))
}

fn random_secret(bytes: usize) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    if !(20..=128).contains(&bytes) {
        return Err(Refusal::wrong(format!(
            "the secret's size must be 20 to 128 bytes, is {bytes}"
        )));
    }
    let mut secret = Zeroizing::new(random::bytes::<128>().to_vec());
    secret.truncate(bytes);
    Ok(secret)
}

/// Takes a user's device away.
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    Json(filter): Json<UserFilter>,
) -> Result<Json<()>, Refusal> {
    let name = filter.user.unwrap_or_default();
    let user = UserName::parse(&name).map_err(|error| Refusal::wrong(error.to_string()))?;
    if app.remove_totp(user).await? {
        return Ok(Json(()));
    }
    Err(Refusal::missing(format!(
        "`{name}` has no one-time password device"
    )))
}

/// All devices, or that of one user, with their secrets; in order of name.
pub(super) async fn export(
    State(app): State<Arc<App>>,
    Json(filter): Json<UserFilter>,
) -> Result<Json<Vec<TotpDevice>>, Refusal> {
    app.node.read_index().await?;
    let mut devices = Vec::new();
    for (user, authenticators) in app.node.reader().all_authenticators().sorted() {
        let is_asked_for = filter
            .user
            .as_deref()
            .is_none_or(|name| name == user.as_str());
        if let (true, Some(totp)) = (is_asked_for, &authenticators.totp) {
            devices.push(opened(&app, user, totp)?);
        }
    }
    tracing::info!(
        count = devices.len(),
        "one-time password secrets exported by an operator"
    );
    Ok(Json(devices))
}

fn opened(app: &App, user: &UserName, totp: &Totp) -> Result<TotpDevice, Refusal> {
    let secret = app.sealer.open(&totp.device.sealed_secret, user.as_str());
    let secret = secret.map_err(|error| Refusal::wrong(format!("`{user}`: {error}")))?;
    Ok(describe(user, &totp.device, &secret))
}

fn describe(user: &UserName, device: &NewTotp, secret: &[u8]) -> TotpDevice {
    TotpDevice {
        user: user.to_string(),
        issuer: device.issuer.clone(),
        algorithm: totp::algorithm_name(device.algorithm).to_owned(),
        digits: device.digits,
        period_s: device.period_s,
        secret: totp::base32(secret).to_string(),
        uri: totp::uri(device, secret, user.as_str()).to_string(),
    }
}

/// A device for a name that nobody has would wait for whoever gets that name.
fn known_user(app: &App, name: &str) -> Result<UserName, Refusal> {
    let user = app.users.search(name, app.node.reader());
    user.map(|user| user.name.clone()).ok_or_else(|| {
        Refusal::missing(format!(
            "there is no user `{name}` who may log in; `quorate storage user list` shows all"
        ))
    })
}
