//! A gateway, three nodes that are played, and a client.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::cli::demo::gateway::{Answer, Gateway};
use crate::cli::demo::member::{Member, Members, Process, Status};
use crate::cli::demo::plan::{NAMES, Plan};
use crate::cli::demo::upstream::Upstream;
use crate::cli::demo::{files, listen};

/// How a node behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Played {
    /// It decides as the demo's rules do, for the session `john`.
    Deciding,
    /// It answers everything with this status.
    Saying(u16),
    /// It takes requests and never answers.
    Silent,
    /// It takes a request and breaks the connection.
    Dying,
    /// Nobody listens on its port.
    Absent,
}

type Seen = Arc<Mutex<Vec<Request<Bytes>>>>;

/// Everything a test needs; the tasks end with it.
pub(super) struct Stage {
    pub(super) port: u16,
    client: Upstream,
    seen: Seen,
    _tasks: JoinSet<()>,
    _dir: TempDir,
}

impl Stage {
    pub(super) async fn with(played: [Played; 3]) -> Self {
        let dir = tempfile::tempdir().expect("temporary directory");
        let listener = free().await;
        let port = listener.local_addr().expect("address").port();
        let plan = Plan::make(dir.path(), port, 1).expect("planned");
        files::write_certificates(&plan.dir, crate::clock::system_time()).expect("written");
        let upstream = Upstream::trusting(&plan.dir.join(files::CA)).expect("authority");
        let seen = Seen::default();
        let mut tasks = JoinSet::new();
        let mut members = Vec::new();
        for (name, played) in NAMES.into_iter().zip(played) {
            let http_port = start(&plan, played, seen.clone(), &mut tasks).await;
            let status = Some(Status {
                ready: true,
                ..Status::default()
            });
            members.push(Member {
                name,
                http_port,
                process: Process::Running(1),
                status,
            });
        }
        let gateway = Gateway::new(port, upstream.clone(), Members::new(members));
        serve(&plan, listener, &mut tasks, move |peer, request| {
            gateway.clone().answer(peer, request)
        });
        Self {
            port,
            client: upstream,
            seen,
            _tasks: tasks,
            _dir: dir,
        }
    }

    /// The requests that reached nodes.
    pub(super) fn seen(&self) -> Vec<Request<Bytes>> {
        self.seen.lock().expect("no panic").clone()
    }

    pub(super) async fn get(
        &self,
        host: &str,
        target: &str,
        headers: &[(&str, &str)],
    ) -> Response<Bytes> {
        let host = format!("{host}.quorate.localhost");
        let mut request = Request::get(target).header("host", host.trim_start_matches('.'));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Full::default()).expect("a request"))
            .await
    }

    pub(super) async fn post(&self, target: &str, body: &str) -> Response<Bytes> {
        let request = Request::post(target).header("host", "auth.quorate.localhost");
        let body = Full::new(Bytes::from(body.to_owned()));
        self.send(request.body(body).expect("a request")).await
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Response<Bytes> {
        self.client
            .send(self.port, request, Duration::from_secs(30))
            .await
            .expect("answered")
    }
}

pub(super) fn header(answer: &Response<Bytes>, name: &str) -> String {
    let value = answer
        .headers()
        .get(name)
        .map(|value| value.to_str().expect("text"));
    value.unwrap_or_default().to_owned()
}

pub(super) fn text(answer: &Response<Bytes>) -> String {
    String::from_utf8_lossy(answer.body()).into_owned()
}

async fn free() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a free port")
}

fn serve<F, R>(plan: &Plan, listener: TcpListener, tasks: &mut JoinSet<()>, answer: F)
where
    F: Fn(std::net::IpAddr, Request<Incoming>) -> R + Clone + Send + 'static,
    R: Future<Output = Answer> + Send + 'static,
{
    let (certificate, key) = (plan.dir.join(files::CERTIFICATE), plan.dir.join(files::KEY));
    let tls = listen::acceptor(&certificate, &key).expect("certificate");
    let home = format!("https://quorate.localhost:{}", plan.port);
    tasks.spawn(listen::serve(listener, tls, home, answer));
}

/// Starts one node and returns its port.
async fn start(plan: &Plan, played: Played, seen: Seen, tasks: &mut JoinSet<()>) -> u16 {
    let listener = free().await;
    let port = listener.local_addr().expect("address").port();
    if played == Played::Dying {
        tasks.spawn(die(plan.clone(), listener, seen));
    } else if played != Played::Absent {
        serve(plan, listener, tasks, move |_, request| {
            node(played, seen.clone(), request)
        });
    }
    port
}

/// Reads the beginning of every request and then drops its connection.
async fn die(plan: Plan, listener: TcpListener, seen: Seen) {
    let (certificate, key) = (plan.dir.join(files::CERTIFICATE), plan.dir.join(files::KEY));
    let tls = listen::acceptor(&certificate, &key).expect("certificate");
    while let Ok((tcp, _)) = listener.accept().await {
        let mut stream = tls.accept(tcp).await.expect("handshake");
        stream.read_u8().await.expect("a request");
        seen.lock()
            .expect("no panic")
            .push(Request::new(Bytes::new()));
    }
}

async fn node(played: Played, seen: Seen, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let body = body.collect().await.expect("whole body").to_bytes();
    let request = Request::from_parts(head, body);
    let answer = decide(&request);
    seen.lock().expect("no panic").push(request);
    match played {
        Played::Deciding => answer,
        Played::Saying(status) => reply(status, &[], ""),
        Played::Silent | Played::Dying | Played::Absent => std::future::pending().await,
    }
}

fn decide(request: &Request<Bytes>) -> Answer {
    let of = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let is_john = of("cookie").is_some_and(|cookie| cookie.contains("session=john"));
    let john = [
        ("remote-user", "john <b>"),
        ("remote-groups", "staff"),
        ("remote-name", "John"),
        ("remote-email", "john@localhost"),
        ("set-cookie", "seen=1"),
    ];
    if request.uri().path() != "/api/authz/forward-auth" {
        let headers = [
            ("set-cookie", "session=john"),
            ("strict-transport-security", "max-age=1"),
            ("x-frame-options", "DENY"),
        ];
        return reply(200, &headers, "portal");
    }
    match of("x-forwarded-host").unwrap_or_default() {
        "public.quorate.localhost" => reply(200, &[("remote-user", "")], ""),
        "one.quorate.localhost" if is_john => reply(200, &john, ""),
        "one.quorate.localhost" => reply(
            302,
            &[("location", "https://auth.quorate.localhost/?rd=one")],
            "",
        ),
        _ => reply(403, &[], "no"),
    }
}

fn reply(status: u16, headers: &[(&'static str, &'static str)], body: &'static str) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = StatusCode::from_u16(status).expect("status");
    for (name, value) in headers {
        answer
            .headers_mut()
            .append(*name, http::HeaderValue::from_static(value));
    }
    answer
}
