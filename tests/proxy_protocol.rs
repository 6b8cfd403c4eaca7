//! A load balancer that only passes bytes on, a real HAProxy, tells a node by the PROXY protocol who connects to it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::harness::{
    Client, Cluster, NODES_NAME, Process, Request, Settings, free_port, tool, until,
};

/// A node that takes no connection without a header, behind an HAProxy of three listeners.
struct Stage {
    cluster: Cluster,
    _haproxy: Process,
    /// Speaks for whoever connects.
    told: SocketAddr,
    /// The same, connected to from 127.0.0.2.
    of_another: SocketAddr,
    /// Speaks for whoever connects, from 127.0.0.9, which no node trusts.
    untrusted: SocketAddr,
}

impl Stage {
    async fn set_up(version: &str) -> Self {
        let settings = Settings::with_nodes(1).set("server.proxy_protocol", json!(true));
        let cluster = Cluster::prepare(&settings);
        let node = &cluster.nodes()[0];
        node.start();
        let local = || SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let (told, of_another, untrusted) = (local(), local(), local());
        let at = node.http();
        let text = format!(
            "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n\
             listen told\n  bind {told}\n  server n1 {at} {version} check inter 200ms\n\
             listen of_another\n  bind {of_another}\n  server loop {told} source 127.0.0.2\n\
             listen untrusted\n  bind {untrusted}\n  server n1 {at} {version} source 127.0.0.9\n"
        );
        let file = cluster.folder().join("balancer.cfg");
        fs::write(&file, text).expect("write a configuration");
        let mut command = Command::new(tool("haproxy"));
        command.arg("-db").arg("-f").arg(&file);
        let haproxy = Process::start("balancer", command, cluster.folder());
        let stage = Self {
            _haproxy: haproxy,
            told,
            of_another,
            untrusted,
            cluster,
        };
        let health = Request::get(&format!("https://{NODES_NAME}/api/health"));
        until(
            "the node answers behind HAProxy",
            Duration::from_secs(30),
            async || {
                let answer = stage.client(stage.told).try_send(&health).await;
                answer.is_ok_and(|answer| answer.status == 200)
            },
        )
        .await;
        stage
    }

    fn client(&self, at: SocketAddr) -> Client {
        self.cluster.nodes()[0].client().at(at)
    }

    async fn play(&self) {
        let verify = Request::get(&format!("https://{NODES_NAME}/api/authz/forward-auth"))
            .header("X-Forwarded-Method", "GET")
            .header("X-Forwarded-Proto", "https")
            .header("X-Forwarded-Host", "public.example.com")
            .header("X-Forwarded-Uri", "/");
        let portal = Request::get("https://auth.example.com/").for_page();
        // 127.0.0.1 is a trusted proxy, and 127.0.0.2 is not, though it comes through the same trusted balancer.
        assert_eq!(
            self.client(self.told).send(verify.clone()).await.status,
            200
        );
        let other = self.client(self.of_another);
        assert_eq!(other.send(verify.clone()).await.status, 403);
        assert_eq!(other.send(portal).await.status, 200);
        // Whoever is not trusted may say what they like, and whoever is must say something.
        for at in [self.untrusted, self.cluster.nodes()[0].http()] {
            let refused = self.client(at).try_send(&verify).await;
            assert!(refused.is_err(), "{at}: {refused:?}");
        }
        let log = self.cluster.nodes()[0].log();
        assert!(log.contains("outside server.trusted_proxies"), "{log}");
        assert!(
            log.contains("does not begin with a PROXY protocol header"),
            "{log}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_balancer_is_believed_in_version_1() {
    Stage::set_up("send-proxy").await.play().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_balancer_is_believed_in_version_2() {
    Stage::set_up("send-proxy-v2").await.play().await;
}
