//! The course of a demo: prepare, start, wait until it is ready, show it, stop, clean up.

use std::io::{ErrorKind, IsTerminal};
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant};

use http::{Request, header};
use http_body_util::Full;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::child::{RESTART_AFTER, Supervision, supervise};
use super::gateway::Gateway;
use super::member::{Member, Members, Process, leader};
use super::plan::Plan;
use super::screen::{Output, Screen};
use super::site::Site;
use super::upstream::Upstream;
use super::{Demo, files, listen, poll, welcome};
use crate::cli::crypto::fill_random;
use crate::cli::failure::{AnyError, Failure};

/// How long three new nodes may take to find each other and elect a leader.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// How often the state is drawn.
const DRAWN_EVERY: Duration = Duration::from_millis(250);

/// How much of a node's log is shown when it does not start, in lines.
const LOG_LINES: usize = 12;

/// Runs the demo until a signal ends it.
pub(super) async fn demo(options: Demo) -> Result<(), Failure> {
    // The port comes first: a second demo should say so before it writes anything.
    let listener = bind(options.port).await?;
    let port = listener
        .local_addr()
        .map_err(Failure::while_doing("cannot listen"))?
        .port();
    let mut seed = [0_u8; 4];
    fill_random(&mut seed)?;
    let plan = Plan::make(&std::env::temp_dir(), port, u32::from_ne_bytes(seed))?;
    let ended = prepared(&options, &plan, listener).await;
    if ended.is_ok() {
        // What is left behind is in the system's temporary directory.
        let _ = std::fs::remove_dir_all(&plan.dir);
    }
    ended
}

async fn bind(port: u16) -> Result<TcpListener, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|cause| match cause.kind() {
        ErrorKind::AddrInUse => Failure::because(format!(
            "port {port} of 127.0.0.1 is in use, perhaps by another `quorate demo`: end that one \
             with Ctrl-C, or start this one on another port, like `quorate demo --port {}`",
            port.saturating_add(1000)
        )),
        _ => Failure::while_doing(format!("cannot listen on port {port}"))(cause),
    })
}

/// Everything between making the directory and removing it.
async fn prepared(options: &Demo, plan: &Plan, listener: TcpListener) -> Result<(), Failure> {
    files::write_all(plan, crate::clock::system_time())?;
    let upstream = Upstream::trusting(&plan.dir.join(files::CA))
        .map_err(Failure::while_doing("cannot prepare the gateway"))?;
    let program = std::env::current_exe()
        .map_err(Failure::while_doing("cannot find this program's own file"))?;
    let (news, mut told) = mpsc::unbounded_channel();
    let (stop, stopped) = watch::channel(false);
    let members = Members::new(starting(plan));
    let restart_after = RESTART_AFTER;
    let shared = Supervision {
        program,
        members: members.clone(),
        restart_after,
        news,
        stop: stopped,
    };

    let mut nodes = JoinSet::new();
    let mut tasks = JoinSet::new();
    for node in &plan.nodes {
        nodes.spawn(supervise(node.clone(), shared.clone()));
        tasks.spawn(poll::watch(node.clone(), upstream.clone(), members.clone()));
    }
    tasks.spawn(gateway(plan, listener, upstream.clone(), members.clone())?);

    let mut screen = screen();
    let watched = tokio::select! {
        ended = course(options, plan, &upstream, &members, &mut told, &mut screen) => ended,
        ended = signalled() => ended,
    };
    screen.finish("Stopping …");
    let _ = stop.send(true);
    tokio::select! {
        () = async { while nodes.join_next().await.is_some() {} } => {}
        // Asked twice: the nodes are killed as they are dropped.
        _ = signalled() => {}
    }
    watched
}

/// The members before anything has been heard of them.
fn starting(plan: &Plan) -> Vec<Member> {
    let member = |node: &super::plan::NodePlan| Member {
        name: node.name,
        http_port: node.http_port,
        process: Process::Running(0),
        status: None,
    };
    plan.nodes.iter().map(member).collect()
}

/// The task that answers visitors.
fn gateway(
    plan: &Plan,
    listener: TcpListener,
    upstream: Upstream,
    members: Members,
) -> Result<impl Future<Output = ()> + use<>, Failure> {
    let (certificate, key) = (plan.dir.join(files::CERTIFICATE), plan.dir.join(files::KEY));
    let tls = listen::acceptor(&certificate, &key)
        .map_err(Failure::while_doing("cannot prepare the gateway"))?;
    let gateway = Gateway::new(plan.port, upstream, members);
    let home = Site::Home.url(plan.port);
    let answer = move |peer, request| gateway.clone().answer(peer, request);
    Ok(listen::serve(listener, tls, home, answer))
}

/// What the visitor sees from the first line on; ends only by a failure, or after the first page
/// where that was asked for.
async fn course<W: std::io::Write>(
    options: &Demo,
    plan: &Plan,
    upstream: &Upstream,
    members: &Members,
    told: &mut mpsc::UnboundedReceiver<String>,
    screen: &mut Screen<W>,
) -> Result<(), Failure> {
    screen.say("Starting three nodes …");
    wait_until_ready(plan, members).await?;
    first_page(upstream, plan.port)
        .await
        .map_err(Failure::while_doing("the gateway does not serve"))?;
    screen.say(&welcome::text(plan));
    if options.exit_after_ready {
        screen.show(&members.borrow(), columns(), Instant::now());
        return Ok(());
    }
    let mut tick = tokio::time::interval(DRAWN_EVERY);
    loop {
        tokio::select! {
            Some(text) = told.recv() => screen.say(&text),
            _ = tick.tick() => {
                let members = members.borrow().clone();
                screen.show(&members, columns(), Instant::now());
            }
        }
    }
}

/// Waits until every node is ready and one leads. A node that ends before that will not do better
/// the next time; its log says why.
async fn wait_until_ready(plan: &Plan, members: &Members) -> Result<(), Failure> {
    let is_down = |member: &&Member| matches!(member.process, Process::Down(_));
    let mut watched = members.subscribe();
    let settled = watched.wait_for(|all| {
        all.iter().find(is_down).is_some()
            || (all.iter().all(Member::is_ready) && leader(all).is_some())
    });
    let late = match tokio::time::timeout(READY_WITHIN, settled).await {
        Ok(Ok(all)) => match all.iter().find(is_down) {
            None => return Ok(()),
            Some(member) => member.name,
        },
        Ok(Err(_)) | Err(_) => {
            let all = members.borrow();
            all.iter()
                .find(|member| !member.is_ready())
                .map_or("n1", |member| member.name)
        }
    };
    let log = plan.dir.join(format!("{late}.log"));
    let file = log.display();
    Err(Failure::because(format!(
        "{late} does not get ready; {file} ends with:\n{}",
        tail(&log)
    )))
}

/// The last lines of a file.
fn tail(file: &Path) -> String {
    let text = std::fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let start = lines.len().saturating_sub(LOG_LINES);
    lines.get(start..).unwrap_or_default().join("\n")
}

/// Fetches the open site through the gateway, as a visitor would.
async fn first_page(upstream: &Upstream, port: u16) -> Result<(), AnyError> {
    let host = format!("{}:{port}", Site::Public.host());
    let request = Request::get("/")
        .header(header::HOST, host)
        .body(Full::default())?;
    let answer = upstream.send(port, request, READY_WITHIN).await?;
    if answer.status().is_success() {
        return Ok(());
    }
    Err(format!("the open site answers {}", answer.status()).into())
}

fn screen() -> Screen<std::io::Stdout> {
    let out = std::io::stdout();
    let output = if out.is_terminal() {
        Output::Terminal
    } else {
        Output::Lines
    };
    Screen::new(out, output)
}

/// The width of the terminal, less the last column, after which some terminals wrap; 79 where it
/// is unknown.
fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stdout());
    let columns = size.map_or(0, |size| usize::from(size.ws_col));
    if columns == 0 { 79 } else { columns - 1 }
}

/// Returns at Ctrl-C, at a request to stop, and when the terminal is closed.
async fn signalled() -> Result<(), Failure> {
    let listen = |kind| signal(kind).map_err(Failure::while_doing("cannot listen for signals"));
    let (mut interrupt, mut terminate, mut hangup) = (
        listen(SignalKind::interrupt())?,
        listen(SignalKind::terminate())?,
        listen(SignalKind::hangup())?,
    );
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    Ok(())
}
