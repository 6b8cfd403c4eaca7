//! The authorization endpoints: may this request pass? The answer comes from this node's memory.
//!
//! Read the facts → find who asks → decide → answer in the proxy's dialect. The order is part of the contract: what
//! cannot be read is refused before sessions and rules are looked at.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use quorate_core::access::{Identity, Permit, Proof, Verdict, answer};
use quorate_core::{Account, Level};

use super::authz::answer as replies;
use super::authz::authorization::Credentials;
use super::authz::client::{client_address, is_trusted};
use super::authz::portal::{self, PortalUrl};
use super::authz::{Dialect, Facts, FactsReason, Question};
use super::endpoint::{Endpoint, Strategy};
use super::listen::Peer;
use super::seldom::Seldom;
use super::{cookie, reply};
use crate::app::App;
use crate::app::login::LoginError;
use crate::app::session::Authenticated;
use crate::app::token::{Secret, UnverifiedToken};
use crate::config::CookieDomain;

/// No refusal of credentials in a header is faster than this: it costs a guesser time, and a browser asks only once.
const HEADER_REFUSAL_MIN: Duration = Duration::from_secs(2);

/// Who asks, as the strategies found.
enum Asker {
    Anonymous,
    Session(Authenticated),
    Credentials(Arc<Account>),
    /// Credentials that are malformed or wrong.
    Rejected,
}

impl Asker {
    fn into_user(self) -> Option<Arc<Account>> {
        match self {
            Self::Session(who) => Some(who.user),
            Self::Credentials(user) => Some(user),
            Self::Anonymous | Self::Rejected => None,
        }
    }
}

/// What a strategy loop ends with.
struct Found {
    asker: Asker,
    /// The strategy that decides how a visitor is asked for more: the one that found somebody, else the last.
    by: Strategy,
}

/// What becomes of a request.
enum Ruling {
    /// It may pass; the site is told of the user, if one is known.
    Allow(Permit, Option<Arc<Account>>),
    /// Anything else, ready to send.
    Reply(Response),
}

/// Answers one authorization request of the proxy `peer`. `source` is who connects to that proxy, as far as it says so
/// other than by a header; else the proxy itself.
pub(super) async fn verify(
    app: &App,
    endpoint: &Endpoint,
    parts: Parts,
    peer: Peer,
    source: IpAddr,
) -> Response {
    let started = Instant::now();
    let response = match judge(app, endpoint, &parts, peer, source).await {
        Ruling::Allow(permit, user) => allow(permit, user.as_deref(), parts.headers),
        Ruling::Reply(response) => response,
    };
    let name = endpoint.dialect.name();
    app.metrics
        .verify(name, response.status(), started.elapsed());
    response
}

/// The answer that lets a request pass, in the memory of the request's own header fields.
fn allow(permit: Permit, user: Option<&Account>, room: HeaderMap) -> Response {
    let who = user.map(|user| replies::RemoteUser {
        user: user.name.as_str(),
        groups: &user.groups,
        name: &user.display_name,
        email: user.emails.first().map_or("", String::as_str),
    });
    match replies::allow(permit, who, room) {
        Ok(response) => response.map(|()| Body::empty()),
        Err(unsayable) => {
            tracing::warn!(error = %unsayable, "request refused");
            replies::forbidden().map(Body::from)
        }
    }
}

async fn judge(
    app: &App,
    endpoint: &Endpoint,
    parts: &Parts,
    peer: Peer,
    source: IpAddr,
) -> Ruling {
    if !is_trusted(peer.address, &app.config.server.trusted_proxies) {
        app.metrics.refused_peer();
        // The metric counts them all; a line for each would let a stranger fill the disk.
        static SAID: Seldom = Seldom::new();
        if SAID.is_due(app.now()) {
            tracing::warn!(
                peer = %peer.address,
                "403 for an authorization request: its sender is not in server.trusted_proxies (said once a minute)"
            );
        }
        return Ruling::Reply(reply::plain(StatusCode::FORBIDDEN));
    }
    let question = Question {
        method: &parts.method,
        uri: &parts.uri,
        headers: &parts.headers,
        connection_scheme: if peer.over_tls { "https" } else { "http" },
        endpoint: &endpoint.path,
    };
    let (facts, domain, portal) = match endpoint.facts(app, &question) {
        Ok(facts) => facts,
        Err(reason) => {
            tracing::debug!(dialect = endpoint.dialect.name(), %reason, "authorization request refused");
            let refusal = endpoint.dialect.refusal(reason);
            return Ruling::Reply(replies::refused(&refusal).map(Body::from));
        }
    };
    let client = client_address(source, &parts.headers, &app.config.server.trusted_proxies);
    let found = match endpoint.find(app, &question, domain, client).await {
        Ok(found) => found,
        Err(unavailable) => return Ruling::Reply(unavailable),
    };
    let headers = &parts.headers;
    let asked = Asked {
        app,
        endpoint,
        facts: &facts,
        headers,
        domain,
        portal: portal.as_deref(),
        client,
    };
    asked.rule(found)
}

impl Endpoint {
    /// The facts, the cookie domain that covers the target, and the portal to send people to.
    fn facts<'a>(
        &'a self,
        app: &'a App,
        question: &Question<'a>,
    ) -> Result<(Facts<'a>, &'a CookieDomain, Option<Cow<'a, PortalUrl>>), FactsReason> {
        let facts = self.dialect.facts(question).map_err(|error| error.reason)?;
        let cookies = &app.config.session.cookies;
        let covering = cookies
            .iter()
            .position(|cookie| facts.target.host().is_within(&cookie.domain));
        let (index, domain) = covering
            .and_then(|at| Some((at, cookies.get(at)?)))
            .ok_or(FactsReason::UnknownDomain)?;
        let portal = match &facts.portal_override {
            Some(named) => {
                let configured: Vec<_> = self.portals.iter().flatten().cloned().collect();
                let named = portal::requested(named, &domain.domain, &configured);
                Some(Cow::Owned(named.ok_or(FactsReason::UnknownPortal)?))
            }
            // The old endpoint sends nobody anywhere unless the proxy says where.
            None if self.dialect == Dialect::Legacy => None,
            None => {
                let portal = self.portals.get(index).and_then(Option::as_ref);
                Some(Cow::Borrowed(portal.ok_or(FactsReason::UnknownPortal)?))
            }
        };
        Ok((facts, domain, portal))
    }

    /// Asks the strategies in order; the first that knows somebody, or finds something wrong, ends the search.
    async fn find(
        &self,
        app: &App,
        question: &Question<'_>,
        domain: &CookieDomain,
        client: IpAddr,
    ) -> Result<Found, Response> {
        let mut by = Strategy::Cookie;
        for strategy in &self.strategies {
            by = *strategy;
            let asker = match strategy {
                Strategy::Cookie => by_cookie(app, question, domain).await?,
                Strategy::Header(header, schemes, lifespan) => {
                    let credentials = header.credentials(question, *schemes);
                    // Rare and large: boxed, so that it makes no other request's future large.
                    Box::pin(by_header(app, credentials, client, *lifespan)).await?
                }
            };
            if !matches!(asker, Asker::Anonymous) {
                return Ok(Found { asker, by });
            }
        }
        Ok(Found {
            asker: Asker::Anonymous,
            by,
        })
    }
}

async fn by_cookie(
    app: &App,
    question: &Question<'_>,
    domain: &CookieDomain,
) -> Result<Asker, Response> {
    let values = cookie::values(question.headers, &domain.name);
    let found = app.authenticate(values, domain).await.map_err(|error| {
        tracing::warn!(error = %error, "no decision: this node has neither a lease nor a way to the leader");
        reply::unavailable(1)
    })?;
    let Some(who) = found else {
        return Ok(Asker::Anonymous);
    };
    // A proxy that knows whose session it should be says so; another user's cookie is then in wrong hands.
    let claimed = question
        .headers
        .get("session-username")
        .filter(|claimed| !claimed.is_empty());
    if claimed.is_some_and(|name| {
        !name
            .as_bytes()
            .eq_ignore_ascii_case(who.user.name.as_str().as_bytes())
    }) {
        Box::pin(app.log_out(&who))
            .await
            .map_err(|_| reply::unavailable(1))?;
        return Ok(Asker::Anonymous);
    }
    Ok(Asker::Session(who))
}

async fn by_header(
    app: &App,
    credentials: Credentials,
    client: IpAddr,
    lifespan: Duration,
) -> Result<Asker, Response> {
    match credentials {
        Credentials::Absent | Credentials::NotEnabled => Ok(Asker::Anonymous),
        Credentials::Malformed => Ok(Asker::Rejected),
        Credentials::Basic { user, password } => {
            let started = Instant::now();
            match app.recognize(&user, password, client, lifespan).await {
                Ok(user) => Ok(Asker::Credentials(user)),
                Err(LoginError::Refused(cause)) => {
                    tracing::info!(cause, address = %client, "credentials in a header refused");
                    tokio::time::sleep(HEADER_REFUSAL_MIN.saturating_sub(started.elapsed())).await;
                    app.hold_refusal(started).await;
                    Ok(Asker::Rejected)
                }
                Err(LoginError::Busy(_)) => Err(reply::unavailable(5)),
                Err(LoginError::Unavailable(_)) => Err(reply::unavailable(1)),
            }
        }
    }
}

/// Everything an answer is made of.
struct Asked<'a> {
    app: &'a App,
    endpoint: &'a Endpoint,
    facts: &'a Facts<'a>,
    headers: &'a HeaderMap,
    domain: &'a CookieDomain,
    portal: Option<&'a PortalUrl>,
    client: IpAddr,
}

impl Asked<'_> {
    fn rule(&self, found: Found) -> Ruling {
        let user = match &found.asker {
            Asker::Session(who) => Some(&who.user),
            Asker::Credentials(user) => Some(user),
            Asker::Anonymous | Asker::Rejected => None,
        };
        let identity = user.map(|user| Identity {
            user: user.name.as_str(),
            groups: &user.groups,
        });
        let decision =
            self.app
                .access()
                .policy
                .decide(identity.as_ref(), &self.facts.target, self.client);
        let proof = match &found.asker {
            Asker::Anonymous => Proof::Level(Level::Anonymous),
            Asker::Session(who) => Proof::Level(who.session.level),
            Asker::Credentials(_) => Proof::Level(Level::OneFactor),
            Asker::Rejected => Proof::Rejected,
        };
        let verdict = answer(&decision, proof);
        self.log(user.map(|user| user.name.as_str()), decision.rule, &verdict);
        match verdict {
            Verdict::Allow(permit) => Ruling::Allow(permit, found.asker.into_user()),
            Verdict::Deny => Ruling::Reply(replies::forbidden().map(Body::from)),
            Verdict::Challenge => Ruling::Reply(self.challenge(&found)),
        }
    }

    fn challenge(&self, found: &Found) -> Response {
        if let Strategy::Header(header, ..) = found.by {
            return replies::challenge(self.endpoint.dialect, header.challenge()).map(Body::from);
        }
        let Some(portal) = self.portal else {
            return replies::unauthorized().map(Body::from);
        };
        let (target, navigation) = (&self.facts.target, self.facts.navigation);
        let location = portal.login_url(target);
        let mut response = replies::to_portal(
            self.endpoint.dialect,
            target.method(),
            navigation,
            &location,
        )
        .map(Body::from);
        if let Some(field) = self.cookie(&found.asker) {
            response.headers_mut().insert(header::SET_COOKIE, field);
        }
        response
    }

    /// An anonymous browser gets a cookie that no session stands behind, as the contract has it: nothing is stored
    /// for it. A session that is too low for the page gets its own cookie again, unless it is a remembered one.
    fn cookie(&self, asker: &Asker) -> Option<HeaderValue> {
        let token = match asker {
            Asker::Session(who) if who.session.inactivity_ms.is_some() => {
                let mut values = cookie::values(self.headers, &self.domain.name);
                values
                    .find(|value| UnverifiedToken::parse(value).is_some())?
                    .to_owned()
            }
            Asker::Anonymous => Secret::new(crate::random::bytes()).into_token(0),
            _ => return None,
        };
        cookie::set(self.domain, &token, self.domain.expiration, self.app.now())
    }

    fn log(&self, user: Option<&str>, rule: Option<usize>, verdict: &Verdict) {
        tracing::debug!(
            dialect = self.endpoint.dialect.name(),
            host = self.facts.target.host().lower(),
            method = self.facts.target.method(),
            client = %self.client,
            user,
            rule,
            verdict = match verdict {
                Verdict::Allow(_) => "allow",
                Verdict::Challenge => "challenge",
                Verdict::Deny => "deny",
            },
            "decided"
        );
    }
}
