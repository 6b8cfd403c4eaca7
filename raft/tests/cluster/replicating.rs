//! What a formed cluster does: writes from anywhere, reads anywhere, failures of members.

use std::sync::Arc;

use quorate_core::{
    Command, Rejection, Reply, ReservationId, SessionKey, Subject, Timestamp, UserName,
};
use quorate_raft::Role;

use crate::stand::{BUDGET, Cluster, PATIENCE, open_session, request_id, unique, wait_for};

#[test]
fn a_write_on_a_follower_is_seen_there_at_once_and_everywhere_soon() {
    let cluster = Cluster::formed(3);
    let follower = cluster.node(&cluster.follower());
    let (key, index) = follower.open_session("john");
    assert!(follower.has_session(&key));
    cluster.wait_until_applied_everywhere(index);
    assert!(cluster.running().all(|r| r.has_session(&key)));
}

#[test]
fn every_node_gets_a_lease_and_keeps_it() {
    let cluster = Cluster::formed(3);
    wait_for("a lease on every node", || {
        cluster.running().all(|r| r.node.may_read()).then_some(())
    });
    for running in cluster.running() {
        let status = running.node.status();
        assert!(status.has_quorum, "{status:?}");
        let longest = if status.role == Role::Leader {
            300
        } else {
            3000
        };
        assert!((1..=longest).contains(&status.lease_ms), "{status:?}");
    }
}

#[test]
fn a_retried_command_is_answered_and_not_applied_again() {
    let cluster = Cluster::formed(3);
    let user = UserName::parse("john").unwrap();
    cluster.node("n1").open_session("john");
    let id = request_id();
    let kill = || Command::KillUser {
        user: user.clone(),
        keep: None,
    };
    for name in cluster.names() {
        let committed = cluster.node(&name).propose_as(id, kill()).unwrap();
        assert_eq!(committed.reply, Reply::Ended { count: 1 }, "{name}");
    }
}

#[test]
fn after_the_reply_to_a_logout_no_node_allows_the_session_from_its_memory() {
    let cluster = Cluster::formed(3);
    for round in 0..20 {
        let names = cluster.names();
        let (key, index) = cluster.node(&names[round % 3]).open_session("john");
        cluster.wait_until_applied_everywhere(index);
        let end = Command::EndSession { key };
        let ended = cluster.node(&names[(round + 1) % 3]).propose(end).unwrap();
        assert_eq!(ended.reply, Reply::Ended { count: 1 });
        for running in cluster.running() {
            let allows = running.node.may_read() && running.has_session(&key);
            assert!(!allows, "round {round}: {:?}", running.node.status());
        }
    }
}

#[test]
fn a_logout_is_acknowledged_although_a_member_is_dead() {
    let mut cluster = Cluster::formed(3);
    let (key, _) = cluster.node("n1").open_session("john");
    let dead = cluster.follower();
    cluster.kill(&dead);
    let alive = cluster.wait_for_leader();
    let ended = cluster
        .node(&alive)
        .propose(Command::EndSession { key })
        .unwrap();
    assert_eq!(ended.reply, Reply::Ended { count: 1 });
}

#[test]
fn when_the_leader_is_killed_writes_go_on_and_no_lease_ends() {
    let mut cluster = Cluster::formed(3);
    wait_for("a lease on every node", || {
        cluster.running().all(|r| r.node.may_read()).then_some(())
    });
    let leader = cluster.wait_for_leader();
    let before = cluster.node(&leader).node.status().term;
    cluster.kill(&leader);
    let survivor = cluster.running().next().unwrap();
    let (key, index) = survivor.open_session("john");
    cluster.wait_until_applied_everywhere(index);
    assert!(cluster.running().all(|r| r.has_session(&key)));
    let new = cluster.wait_for_leader();
    assert!(cluster.node(&new).node.status().term > before);
    cluster.start(&leader);
    wait_for("the old leader to catch up", || {
        cluster.node(&leader).has_session(&key).then_some(())
    });
}

#[test]
fn a_leader_that_stops_in_order_hands_over() {
    let mut cluster = Cluster::formed(3);
    let leader = cluster.wait_for_leader();
    cluster.stop(&leader);
    let new = cluster.wait_for_leader();
    assert_ne!(new, leader);
    cluster.running().next().unwrap().open_session("john");
}

#[test]
fn a_node_that_was_away_for_long_gets_a_snapshot() {
    let mut cluster = Cluster::new(3);
    cluster.snapshot_after = 20;
    for name in cluster.names() {
        cluster.start(&name);
    }
    cluster.wait_until_all_are_members();
    let away = cluster.follower();
    cluster.kill(&away);
    let leader = cluster.wait_for_leader();
    let keys: Vec<_> = (0..100)
        .map(|_| cluster.node(&leader).open_session("john").0)
        .collect();
    wait_for("the leader to take a snapshot", || {
        (cluster.node(&leader).node.status().snapshot > 60).then_some(())
    });
    cluster.start(&away);
    wait_for("the node to have everything", || {
        let back = cluster.node(&away);
        keys.iter().all(|key| back.has_session(key)).then_some(())
    });
    wait_for("the node to say that it has a snapshot", || {
        (cluster.node(&away).node.status().snapshot > 20).then_some(())
    });
}

#[test]
fn without_a_majority_nothing_is_decided_and_leases_end() {
    let mut cluster = Cluster::formed(3);
    let last = cluster.wait_for_leader();
    for name in cluster.names().iter().filter(|name| **name != last) {
        cluster.kill(name);
    }
    let alone = cluster.node(&last);
    let (_, command) = open_session("john");
    assert!(alone.propose(command).is_err());
    wait_for("the lease to end", || {
        (!alone.node.may_read()).then_some(())
    });
    let node = alone.node.clone();
    assert!(alone.on(async move { node.read_index().await }).is_err());
}

#[test]
fn a_read_index_round_sees_what_was_acknowledged_elsewhere() {
    let cluster = Cluster::formed(3);
    for round in 0..10 {
        let names = cluster.names();
        let (key, _) = cluster.node(&names[round % 3]).open_session("john");
        let other = cluster.node(&names[(round + 1) % 3]);
        let node = other.node.clone();
        other.on(async move { node.read_index().await }).unwrap();
        assert!(other.has_session(&key), "round {round}");
    }
}

#[test]
fn sixty_parallel_guesses_over_three_nodes_admit_exactly_the_budget() {
    let cluster = Cluster::formed(3);
    let user = UserName::parse("john").unwrap();
    let guesses: Vec<_> = (0..60)
        .map(|guess| {
            let running = cluster.node(&format!("n{}", guess % 3 + 1));
            let (node, user) = (running.node.clone(), user.clone());
            let guess = async move {
                let reserve = Command::Reserve {
                    reservation: ReservationId(unique()),
                    subjects: vec![Subject::User(user.clone())],
                    user: Some(user),
                    budget: BUDGET,
                };
                node.propose(request_id(), reserve).await
            };
            running.handle().spawn(guess)
        })
        .collect();
    let replies = cluster.node("n1").on(async move {
        let mut replies = Vec::new();
        for guess in guesses {
            let reply = tokio::time::timeout(PATIENCE, guess).await;
            replies.push(reply.unwrap().unwrap().expect("a decision").reply);
        }
        Arc::new(replies)
    });
    let admitted = replies
        .iter()
        .filter(|reply| matches!(reply, Reply::Reserved { .. }))
        .count();
    let busy = Reply::Rejected(Rejection::Busy);
    let refused = replies.iter().filter(|reply| **reply == busy).count();
    assert_eq!((admitted, refused), (5, 55));
}

#[test]
fn a_log_of_large_entries_is_shortened_by_its_bytes_and_whoever_was_away_comes_back() {
    const KEPT_MAX: u64 = 2 << 20;
    let mut cluster = Cluster::new(3);
    cluster.log_bytes_max = KEPT_MAX;
    for name in cluster.names() {
        cluster.start(&name);
    }
    cluster.wait_until_all_are_members();
    let leader = cluster.wait_for_leader();
    let away = cluster.follower();
    cluster.stop(&away);
    let touch = || Command::TouchSessions {
        seen: vec![(SessionKey::of_token("nobody"), Timestamp(1)); Command::TOUCHES_MAX],
    };
    let store = |name: &str| cluster.node(name).node.status().store;
    while store(&leader).written_bytes < 3 * KEPT_MAX {
        cluster.node(&leader).propose(touch()).unwrap();
    }
    wait_for("the log to be shortened", || {
        let running = cluster.running();
        let mut logs = running.map(|r| r.node.status().store.log_bytes);
        logs.all(|bytes| bytes < KEPT_MAX).then_some(())
    });
    cluster.start(&away);
    let (_, index) = cluster.node(&leader).open_session("john");
    cluster.wait_until_applied_everywhere(index);
}
