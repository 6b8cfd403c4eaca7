//! How clusters come to be, and how nodes come back.

use quorate_raft::{Formation, NodeConfig, Role, Suffrage};

use crate::stand::{Cluster, Running, logs, wait_for};

#[test]
fn three_nodes_form_one_cluster_in_whatever_order_they_start() {
    for order in [["n1", "n2", "n3"], ["n3", "n2", "n1"], ["n2", "n3", "n1"]] {
        let mut cluster = Cluster::new(3);
        for name in order {
            cluster.start(name);
        }
        cluster.wait_until_all_are_members();
        let ids: Vec<_> = cluster.running().map(|r| r.node.status().cluster).collect();
        assert!(ids[0].is_some(), "{order:?}");
        assert!(ids.iter().all(|id| *id == ids[0]), "{order:?}: {ids:?}");
    }
}

#[test]
fn nothing_is_founded_before_every_listed_member_has_answered() {
    let mut cluster = Cluster::new(3);
    cluster.start("n1");
    cluster.start("n3");
    wait_for("n1 to say whom it waits for", || {
        let asking = Formation::Asking {
            waiting_for: vec!["n2".to_owned()],
        };
        (cluster.node("n1").node.status().formation == asking).then_some(())
    });
    for running in cluster.running() {
        assert_eq!(running.node.status().cluster, None);
        assert!(!running.node.may_read());
    }
    cluster.start("n2");
    cluster.wait_until_all_are_members();
}

#[test]
fn a_cluster_of_one_decides_as_soon_as_it_has_started_and_again_after_a_restart() {
    let cluster = Cluster::new(1);
    let config = NodeConfig {
        cluster: None,
        ..cluster.config("n1")
    };
    let alone = Running::start(config.clone()).unwrap();
    assert_eq!(alone.node.status().role, Role::Leader);
    let (key, _) = alone.open_session("john");
    assert!(alone.node.may_read() && alone.has_session(&key));
    let node = alone.node.clone();
    alone.on(async move { node.shutdown().await });
    drop(alone);
    let again = Running::start(config).unwrap();
    assert!(again.has_session(&key));
    again.open_session("john");
}

#[test]
fn a_cluster_of_one_takes_in_the_members_it_is_given_later() {
    let mut cluster = Cluster::new(3);
    let alone = Running::start(NodeConfig {
        cluster: None,
        ..cluster.config("n1")
    })
    .unwrap();
    let (key, _) = alone.open_session("john");
    let node = alone.node.clone();
    alone.on(async move { node.shutdown().await });
    drop(alone);
    for name in cluster.names() {
        cluster.start(&name);
    }
    cluster.wait_until_all_are_members();
    wait_for("the session on every node", || {
        cluster.running().all(|r| r.has_session(&key)).then_some(())
    });
}

#[test]
fn a_restart_of_all_nodes_keeps_everything() {
    let mut cluster = Cluster::formed(3);
    let keys: Vec<_> = (0..20)
        .map(|_| cluster.node("n2").open_session("john").0)
        .collect();
    for name in cluster.names() {
        cluster.kill(&name);
    }
    for name in cluster.names() {
        cluster.start(&name);
    }
    cluster.wait_until_all_are_members();
    let (_, index) = cluster.node("n3").open_session("harry");
    cluster.wait_until_applied_everywhere(index);
    for running in cluster.running() {
        assert!(keys.iter().all(|key| running.has_session(key)));
    }
}

#[test]
fn a_wiped_node_comes_back_as_a_new_one_and_takes_its_old_place() {
    let mut cluster = Cluster::formed(3);
    let (key, _) = cluster.node("n1").open_session("john");
    let name = cluster.follower();
    let old = cluster.node(&name).node.status().node;
    cluster.kill(&name);
    cluster.wipe(&name);
    cluster.start(&name);
    let new = cluster.node(&name).node.status().node;
    assert_ne!(old, new);
    wait_for("the new node to have the old one's vote", || {
        let all_see_it = cluster.running().all(|r| {
            let members = r.node.status().members;
            let is_voter =
                |m: &quorate_raft::MemberStatus| m.node == new && m.suffrage == Suffrage::Voter;
            members.len() == 3 && members.iter().any(is_voter)
        });
        all_see_it.then_some(())
    });
    let (_, index) = cluster.node(&name).open_session("harry");
    cluster.wait_until_applied_everywhere(index);
    assert!(cluster.node(&name).has_session(&key));
    assert!(logs().has(&["takes the place of its name"]));
}
