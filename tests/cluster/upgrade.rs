//! Members of two versions side by side: one upgrade, one way back, one command of each set.
//!
//! The older version is this binary, told to behave like one that knows only the set of commands before
//! (`QUORATE_PRETEND_SET`, in builds with debug assertions): it says so, and takes nothing newer into its log or from its
//! disk.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use quorate_core::Command;
use serde_json::{Value, json};

use super::operations::commands;
use super::{leader, statuses};
use crate::harness::{Cluster, Request, Settings, Visitor, until};

const OLDER: u32 = Command::SET - 1;
const WAIT: Duration = Duration::from_secs(20);
const NOBODY: usize = usize::MAX;

/// Three nodes, none of which runs yet.
fn prepare() -> Arc<Cluster> {
    let settings = Settings::new().set("cluster.drain_delay", json!("200ms"));
    Arc::new(Cluster::prepare(&settings))
}

async fn start_all_older() -> Arc<Cluster> {
    let cluster = prepare();
    for node in cluster.nodes() {
        node.start_older(OLDER);
    }
    cluster.wait_until_ready().await;
    cluster
}

/// Somebody who asks all nodes all the time, but for the one that is being restarted, as proxies do.
struct Load {
    resting: AtomicUsize,
    is_over: AtomicBool,
    asked: AtomicUsize,
    refused: Mutex<Vec<String>>,
}

impl Load {
    fn start(cluster: &Arc<Cluster>, visitor: Visitor) -> (Arc<Self>, tokio::task::JoinHandle<()>) {
        let load = Arc::new(Self {
            resting: AtomicUsize::new(NOBODY),
            is_over: AtomicBool::new(false),
            asked: AtomicUsize::new(0),
            refused: Mutex::default(),
        });
        let (cluster, own) = (Arc::clone(cluster), Arc::clone(&load));
        let task = tokio::spawn(async move {
            while !own.is_over.load(Ordering::Relaxed) {
                for node in 0..3 {
                    own.ask(&cluster, node, &visitor).await;
                }
            }
        });
        (load, task)
    }

    async fn ask(&self, cluster: &Cluster, node: usize, visitor: &Visitor) {
        if self.resting.load(Ordering::SeqCst) == node {
            return tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let request = Request::get("https://quorate.internal/api/authz/forward-auth")
            .header("X-Forwarded-Method", "GET")
            .header("X-Forwarded-Proto", "https")
            .header("X-Forwarded-Host", "one.example.com")
            .header("X-Forwarded-Uri", "/page");
        let client = cluster.nodes()[node].client();
        let answer = client.try_send(&visitor.with_cookies(request)).await;
        self.asked.fetch_add(1, Ordering::Relaxed);
        if answer.as_ref().is_ok_and(|answer| answer.status == 200) {
            return;
        }
        // One that was sent as the node began to rest says nothing.
        if self.resting.load(Ordering::SeqCst) != node {
            let what = format!("n{}: {answer:?}", node + 1);
            self.refused.lock().expect("a lock").push(what);
        }
    }

    /// Restarts a node in order, as another version.
    async fn restart(&self, cluster: &Cluster, node: usize, start: impl FnOnce()) {
        self.resting.store(node, Ordering::SeqCst);
        let exit = cluster.nodes()[node].terminate().await;
        assert_eq!(exit.code(), Some(0), "{}", cluster.nodes()[node].log());
        start();
        cluster.nodes()[node].wait_until_ready().await;
        self.resting.store(NOBODY, Ordering::SeqCst);
    }

    async fn finish(&self, task: tokio::task::JoinHandle<()>) {
        self.is_over.store(true, Ordering::Relaxed);
        task.await.expect("the load");
        let asked = self.asked.load(Ordering::Relaxed);
        let refused = self.refused.lock().expect("a lock");
        println!("{asked} verifies, {} refused", refused.len());
        assert!(asked > 100, "only {asked} verifies");
        assert!(refused.is_empty(), "{refused:#?}");
    }
}

/// A user's new password, which only the newer set has a command for: exit code and what is said.
async fn set_password(cluster: &Cluster, node: usize) -> (Option<i32>, String) {
    let file = cluster.folder().join("new-password");
    fs::write(&file, "another password\n").expect("a file");
    let file = file.display().to_string();
    let arguments = ["storage", "user", "passwd", "zoe", "--password-file", &file];
    let (code, _, error) = cluster.nodes()[node].command(&arguments).await;
    (code, error)
}

/// What each member knows and what is in force, as `node` sees it.
async fn sets(cluster: &Cluster, node: usize) -> (Value, Vec<Value>) {
    let status = cluster.nodes()[node].document(&["cluster", "status"]).await;
    let members = status["members"].as_array().expect("a list").iter();
    let known = members.map(|member| member["command_set"].clone());
    (status["command_set"].clone(), known.collect())
}

async fn wait_until_known(cluster: &Cluster, node: usize, expected: [u32; 3]) {
    let expected = expected.map(|set| json!(set)).to_vec();
    until("it is known who knows what", WAIT, || async {
        sets(cluster, node).await.1 == expected
    })
    .await;
}

/// Logs in at every node, and sees that every session is good everywhere.
async fn log_in_everywhere(cluster: &Cluster, sessions: &mut Vec<Visitor>) {
    for node in 0..3 {
        let mut harry = cluster.visitor(node);
        harry.log_in("harry", "password").await;
        sessions.push(harry);
    }
    for session in sessions {
        assert_eq!(
            statuses(cluster, session, "one.example.com").await,
            [200; 3]
        );
    }
}

async fn lead(cluster: &Cluster, node: usize) {
    if leader(cluster).await != node {
        let name = cluster.nodes()[node].name();
        cluster.nodes()[node]
            .document(&["cluster", "transfer-leader", name])
            .await;
    }
    until("it leads", WAIT, || async { leader(cluster).await == node }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_upgraded_under_load_and_uses_what_is_new_only_when_everybody_knows_it() {
    let cluster = start_all_older().await;
    let mut sessions = Vec::new();
    log_in_everywhere(&cluster, &mut sessions).await;
    let (load, task) = Load::start(&cluster, sessions[0].clone());
    let newest = Command::SET;

    load.restart(&cluster, 0, || cluster.nodes()[0].start())
        .await;
    wait_until_known(&cluster, 0, [newest, OLDER, OLDER]).await;
    for leads in [0, 1] {
        // Older ones follow a newer leader, and the other way round.
        lead(&cluster, leads).await;
        log_in_everywhere(&cluster, &mut sessions).await;
        let (code, error) = set_password(&cluster, 0).await;
        assert_eq!(code, Some(1));
        assert!(error.contains("runs an older version"), "{error}");
        assert!(error.contains("upgrade it first"), "{error}");
    }
    load.restart(&cluster, 1, || cluster.nodes()[1].start())
        .await;
    wait_until_known(&cluster, 1, [newest, newest, OLDER]).await;
    let (_, error) = set_password(&cluster, 1).await;
    assert!(
        error.contains("member `n3` runs an older version"),
        "{error}"
    );
    load.restart(&cluster, 2, || cluster.nodes()[2].start())
        .await;
    log_in_everywhere(&cluster, &mut sessions).await;
    assert_eq!(
        sets(&cluster, 0).await.0,
        json!(OLDER),
        "nothing new was used"
    );

    let (code, error) = set_password(&cluster, 2).await;
    assert_eq!(code, Some(0), "{error}");
    load.finish(task).await;
    for node in 0..3 {
        assert_eq!(sets(&cluster, node).await.0, json!(newest));
    }
    assert!(
        cluster
            .visitor(1)
            .try_log_in("zoe", "another password")
            .await
            .status
            == 200
    );
    log_in_everywhere(&cluster, &mut sessions).await;
    who_is_too_old_is_refused(&cluster, &sessions[0]).await;
}

/// After the switch an older version neither starts on its data directory nor joins without it.
async fn who_is_too_old_is_refused(cluster: &Cluster, session: &Visitor) {
    let n3 = &cluster.nodes()[2];
    n3.terminate().await;
    n3.start_older(OLDER);
    let (code, said) = n3.wait_until_ended().await;
    assert_eq!(code, Some(1));
    assert!(
        said.contains("a newer version of Quorate has written"),
        "{said}"
    );
    assert!(said.contains("start that version again"), "{said}");

    let data: PathBuf = n3.data_dir();
    fs::rename(&data, data.with_extension("aside")).expect("move the data directory");
    n3.start_older(OLDER);
    let refused = "start `n3` with the version of the other members";
    until("it is told why it cannot join", WAIT, || async {
        n3.log().contains(refused) && cluster.nodes()[0].log().contains(refused)
    })
    .await;
    assert!(!n3.is_ready().await);
    let status = n3.document(&["cluster", "status"]).await;
    assert_eq!(status["formation"]["phase"], "stuck", "{status}");
    n3.terminate().await;

    fs::remove_dir_all(&data).expect("remove");
    fs::rename(data.with_extension("aside"), &data).expect("put it back");
    n3.start();
    n3.wait_until_ready().await;
    assert_eq!(
        statuses(cluster, session, "one.example.com").await,
        [200; 3]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn until_the_switch_every_member_can_go_back() {
    let cluster = prepare();
    for node in cluster.nodes() {
        node.start();
    }
    cluster.wait_until_ready().await;
    let mut sessions = Vec::new();
    log_in_everywhere(&cluster, &mut sessions).await;
    for node in cluster.nodes() {
        // What it has not in its log it must be able to read in a snapshot.
        let (code, _, error) = node.command(&["cluster", "digest"]).await;
        assert_eq!(code, Some(0), "{error}");
    }
    let (load, task) = Load::start(&cluster, sessions[0].clone());
    for node in 0..3 {
        load.restart(&cluster, node, || cluster.nodes()[node].start_older(OLDER))
            .await;
        log_in_everywhere(&cluster, &mut sessions).await;
    }
    wait_until_known(&cluster, 0, [OLDER; 3]).await;
    load.finish(task).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_page_works() {
    let cluster = Cluster::start(Settings::new()).await;
    let commands = commands("docs/upgrading.md");
    assert!(commands.len() >= 2, "{commands:#?}");
    for line in commands {
        let arguments: Vec<&str> = line.split(' ').skip(1).collect();
        let (code, printed, error) = cluster.nodes()[0].command(&arguments).await;
        assert_eq!(code, Some(0), "{line}: {error}");
        assert!(
            printed.contains("in force") && printed.contains("knows"),
            "{printed}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_version_does_not_start_on_what_a_newer_one_has_written() {
    let cluster = Cluster::start(Settings::new()).await;
    let mut john = cluster.visitor(0);
    john.log_in("john", "password").await;
    let n3 = &cluster.nodes()[2];
    n3.terminate().await;
    n3.start_older(0);
    let (code, said) = n3.wait_until_ended().await;
    assert_eq!(code, Some(1), "{said}");
    let told = "a newer version of Quorate has written and this one does not know; start that version again";
    assert!(said.contains(told), "{said}");
    n3.start();
    n3.wait_until_ready().await;
    assert_eq!(statuses(&cluster, &john, "one.example.com").await, [200; 3]);
}
