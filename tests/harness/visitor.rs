//! A person with a browser: a client that keeps cookies and can log in and out.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Answer, Client, Request};

/// A client with a cookie jar. All cookies go to every host, as they do for hosts of one cookie domain.
#[derive(Clone)]
pub(crate) struct Visitor {
    client: Client,
    portal: String,
    cookies: BTreeMap<String, String>,
}

impl Visitor {
    /// A visitor without cookies. `portal` is scheme, host and port: `https://auth.example.com:20443`.
    pub(crate) fn new(client: Client, portal: &str) -> Self {
        Self {
            client,
            portal: portal.to_owned(),
            cookies: BTreeMap::new(),
        }
    }

    /// The same visitor with the same cookies, through another client.
    pub(crate) fn through(&self, client: Client) -> Self {
        Self {
            client,
            portal: self.portal.clone(),
            cookies: self.cookies.clone(),
        }
    }

    /// Opens a page.
    pub(crate) async fn open(&mut self, url: &str) -> Answer {
        self.send(Request::get(url).for_page()).await
    }

    /// Sends a request with the cookies, and keeps the cookies of the answer.
    pub(crate) async fn send(&mut self, request: Request) -> Answer {
        let answer = self.client.send(self.with_cookies(request)).await;
        self.keep(&answer);
        answer
    }

    /// The request with the cookies of this visitor.
    pub(crate) fn with_cookies(&self, request: Request) -> Request {
        if self.cookies.is_empty() {
            return request;
        }
        request.header("Cookie", self.cookie_header())
    }

    /// What a `Cookie` header would say.
    pub(crate) fn cookie_header(&self) -> String {
        let pairs: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    /// Logs in with a password through the JSON API of the portal and returns the answer, whatever it is.
    pub(crate) async fn try_log_in(&mut self, username: &str, password: &str) -> Answer {
        let body = json!({"username": username, "password": password, "keepMeLoggedIn": false});
        self.post_to_portal("/api/firstfactor", &body).await
    }

    /// Logs in and panics if that is refused.
    pub(crate) async fn log_in(&mut self, username: &str, password: &str) {
        let answer = self.try_log_in(username, password).await;
        assert_eq!(answer.status, 200, "login of {username}: {answer:?}");
        assert_eq!(
            answer.json()["status"],
            "OK",
            "login of {username}: {answer:?}"
        );
        assert!(
            !self.cookies.is_empty(),
            "login of {username} gave no cookie: {answer:?}"
        );
    }

    /// Logs out and panics if that fails.
    pub(crate) async fn log_out(&mut self) {
        let answer = self.post_to_portal("/api/logout", &json!({})).await;
        assert_eq!(answer.status, 200, "logout: {answer:?}");
    }

    /// Posts JSON to a path of the portal, with the `Origin` of the portal.
    pub(crate) async fn post_to_portal(&mut self, path: &str, body: &serde_json::Value) -> Answer {
        let url = format!("{}{path}", self.portal);
        let request = Request::post_json(&url, body)
            .header("Origin", &self.portal)
            .header("Accept", "application/json");
        self.send(request).await
    }

    /// Keeps or forgets cookies as a browser would: an empty value or a date in the past deletes.
    fn keep(&mut self, answer: &Answer) {
        for line in answer.headers.get_all(http::header::SET_COOKIE) {
            let Ok(line) = line.to_str() else { continue };
            let mut parts = line.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
                continue;
            };
            let is_over = parts.any(|part| {
                let (key, text) = part.split_once('=').unwrap_or((part, ""));
                match key.to_ascii_lowercase().as_str() {
                    "max-age" => text.parse::<i64>().is_ok_and(|seconds| seconds <= 0),
                    "expires" => httpdate::parse_http_date(text)
                        .is_ok_and(|date| date <= quorate::clock::system_time()),
                    _ => false,
                }
            });
            if value.is_empty() || is_over {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
