//! One proxy in front of one cluster and one application, and the play that is given on it.

use std::sync::Arc;
use std::time::Duration;

use super::recipe::{Doors, Wiring, new_folder};
use super::{fault, scenario};
use crate::harness::{Client, Cluster, Process, Request, Settings, Site, Visitor, until};

/// Everything that a scenario needs.
pub(super) struct Stage {
    // The proxy ends before the nodes, and the folder of all of them vanishes with the cluster.
    _proxy: Process,
    pub(super) cluster: Cluster,
    pub(super) site: Site,
    doors: Doors,
}

impl Stage {
    /// Starts three nodes, the application and the proxy, and waits until a public page comes through.
    pub(super) async fn set_up(start: fn(&Wiring) -> Process) -> Arc<Self> {
        let doors = Doors::free();
        let cluster = Cluster::start(Settings::new().portal_port(doors.https.port())).await;
        let site = Site::start().await;
        let proxy = start(&Wiring {
            folder: new_folder(cluster.folder()),
            doors,
            nodes: [0, 1, 2].map(|index: usize| cluster.nodes()[index].http()),
            checks: [0, 1, 2].map(|index: usize| cluster.nodes()[index].grpc()),
            agents: [0, 1, 2].map(|index: usize| cluster.nodes()[index].spoe()),
            app: site.address(),
            nodes_ca: cluster.authority().certificate(),
            site: cluster.authority().sign("site", &["*.example.com"]),
        });
        let stage = Arc::new(Self {
            _proxy: proxy,
            cluster,
            site,
            doors,
        });
        stage.wait_until_open().await;
        stage
    }

    /// Runs all scenarios and then all faults. Every one runs, whatever became of those before; the failures are
    /// counted at the end and each has printed its own panic.
    pub(super) async fn play(self: Arc<Self>) {
        let mut failed = Vec::new();
        for (name, scene) in scenario::all().chain(fault::ALL) {
            // A task of its own catches a panic.
            if tokio::spawn(scene(Arc::clone(&self))).await.is_err() {
                eprintln!("FAILED: {name}");
                failed.push(*name);
            }
        }
        assert!(failed.is_empty(), "failed behind this proxy: {failed:#?}");
    }

    /// Waits until the proxy lets a public page through.
    pub(super) async fn wait_until_open(&self) {
        let request = Request::get(&self.url("public", "/up"));
        until(
            "the proxy lets a public page through",
            Duration::from_secs(20),
            || async {
                self.client()
                    .try_send(&request)
                    .await
                    .is_ok_and(|answer| answer.status == 200)
            },
        )
        .await;
    }

    /// The URL of a page on one of the sites (`one` for one.example.com), with the port of the proxy.
    pub(super) fn url(&self, site: &str, path: &str) -> String {
        format!(
            "https://{site}.example.com:{}{path}",
            self.doors.https.port()
        )
    }

    /// `host:port` of a site.
    pub(super) fn authority(&self, site: &str) -> String {
        format!("{site}.example.com:{}", self.doors.https.port())
    }

    /// A client without cookies, through the proxy.
    pub(super) fn client(&self) -> Client {
        Client::new(self.doors.https, self.cluster.authority())
    }

    /// The same, for the plain listener of the proxy.
    pub(super) fn plain_client(&self) -> Client {
        Client::new(self.doors.http, self.cluster.authority())
    }

    /// A visitor without a session, through the proxy.
    pub(super) fn visitor(&self) -> Visitor {
        Visitor::new(
            self.client(),
            &format!("https://{}", self.authority("auth")),
        )
    }

    /// A visitor who has just logged in.
    pub(super) async fn logged_in(&self, name: &str) -> Visitor {
        let mut visitor = self.visitor();
        visitor.log_in(name, "password").await;
        visitor
    }

    /// Where a visitor without a session is sent from `url` for asking with `method`.
    pub(super) fn portal_for(&self, url: &str, method: &str) -> String {
        let target: String = form_urlencoded::byte_serialize(url.as_bytes()).collect();
        format!(
            "https://{}/?rd={target}&rm={method}",
            self.authority("auth")
        )
    }
}
