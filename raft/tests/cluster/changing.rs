//! How members are added, removed, promoted and demoted while the cluster runs, and who is refused.

use std::process::Command as Process;

use quorate_raft::{Change, ChangeError, ChangeRefusal, Formation, Member, Role, Suffrage};

use crate::stand::{Cluster, Running, wait_for};

fn add(member: &Member, suffrage: Suffrage) -> Change {
    Change::Add {
        name: member.name.clone(),
        address: member.address.clone(),
        suffrage,
    }
}

fn remove(name: &str) -> Change {
    let name = name.to_owned();
    Change::Remove { name }
}

fn refusal(outcome: Result<quorate_raft::Changed, ChangeError>) -> ChangeRefusal {
    match outcome {
        Err(ChangeError::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

/// `name=suffrage`, as every running node sees it.
fn wait_for_members(cluster: &Cluster, expect: &[&str]) {
    wait_for(&format!("the members to be {expect:?}"), || {
        let all_agree = cluster.running().all(|running| {
            let members = running.node.status().members;
            let members = members.iter().map(|m| match m.suffrage {
                Suffrage::Voter => m.name.clone(),
                Suffrage::Learner => format!("{} learns", m.name),
            });
            members.eq(expect.iter().copied())
        });
        all_agree.then_some(())
    });
}

#[test]
fn a_stranger_waits_until_it_is_added_and_then_votes() {
    let mut cluster = Cluster::formed(3);
    let (key, _) = cluster.node("n1").open_session("john");
    let follower = cluster.follower();
    let newcomer = cluster.start_newcomer();
    wait_for("n4 to say what to do", || {
        let remedy = format!("quorate cluster add n4={}", newcomer.address);
        match cluster.node("n4").node.status().formation {
            Formation::Stuck { cause } => cause.contains(&remedy).then_some(()),
            _ => None,
        }
    });
    let changed = cluster
        .node(&follower)
        .change(add(&newcomer, Suffrage::Voter))
        .unwrap();
    assert_eq!(changed.done, "`n4` is a voter now");
    wait_for_members(&cluster, &["n1", "n2", "n3", "n4"]);
    let again = cluster.node("n4").change(add(&newcomer, Suffrage::Voter));
    assert!(matches!(
        refusal(again),
        ChangeRefusal::AlreadyMember { .. }
    ));
    wait_for("n4 to answer from memory", || {
        let n4 = cluster.node("n4");
        (n4.node.may_read() && n4.has_session(&key)).then_some(())
    });
    cluster.node("n4").open_session("harry");
    // It counts: with two of four gone nothing is decided, with three there is a majority.
    cluster.stop("n1");
    cluster.wait_for_leader();
    cluster.node("n4").open_session("zoe");
}

#[test]
fn a_learner_reads_and_is_promoted_and_a_demoted_member_stays_a_learner() {
    let mut cluster = Cluster::formed(3);
    let leader = cluster.wait_for_leader();
    let newcomer = cluster.start_newcomer();
    let node = cluster.node(&leader);
    node.change(add(&newcomer, Suffrage::Learner)).unwrap();
    wait_for_members(&cluster, &["n1", "n2", "n3", "n4 learns"]);
    let (key, index) = cluster.node(&leader).open_session("john");
    cluster.wait_until_applied_everywhere(index);
    wait_for("the learner to read", || {
        let learner = cluster.node("n4");
        (learner.node.may_read() && learner.has_session(&key)).then_some(())
    });
    assert_eq!(cluster.node("n4").node.status().role, Role::Learner);
    let promote = Change::Promote {
        name: "n4".to_owned(),
    };
    cluster.node("n4").change(promote).unwrap();
    wait_for_members(&cluster, &["n1", "n2", "n3", "n4"]);

    // A leader that is demoted lets another lead first; a configured member is not promoted again by itself.
    let leader = cluster.wait_for_leader();
    let demote = Change::Demote {
        name: leader.clone(),
    };
    let changed = cluster.node(&leader).change(demote).unwrap();
    assert_eq!(changed.done, format!("`{leader}` is a learner now"));
    let learns = format!("{leader} learns");
    let names = cluster.names();
    let expect: Vec<&str> = names
        .iter()
        .map(|n| if *n == leader { learns.as_str() } else { n })
        .collect();
    wait_for_members(&cluster, &expect);
    cluster.kill(&leader);
    cluster.start(&leader);
    let (_, index) = cluster.node("n4").open_session("harry");
    cluster.wait_until_applied_everywhere(index);
    wait_for_members(&cluster, &expect);
}

#[test]
fn a_removed_member_is_told_so_also_after_a_restart() {
    let mut cluster = Cluster::formed(3);
    let leader = cluster.wait_for_leader();
    let changed = cluster.node("n2").change(remove(&leader)).unwrap();
    assert!(changed.done.contains("is removed"), "{}", changed.done);
    let is_told = |cluster: &Cluster| {
        wait_for(
            "the removed node to say why it does nothing",
            || match cluster.node(&leader).node.status().formation {
                Formation::Stuck { cause } => cause
                    .contains("is not a member of this cluster any more")
                    .then_some(()),
                _ => None,
            },
        );
    };
    is_told(&cluster);
    cluster.kill(&leader);
    cluster.start(&leader);
    is_told(&cluster);
    assert!(!cluster.node(&leader).node.may_read());
    let other = cluster.names().into_iter().find(|n| *n != leader).unwrap();
    assert_eq!(cluster.node(&other).node.status().members.len(), 2);
    cluster.node(&other).open_session("john");
}

#[test]
fn a_removal_that_would_lose_quorum_is_refused_until_the_lost_one_is_removed() {
    let mut cluster = Cluster::formed(3);
    cluster.wait_for_leader();
    let lost = cluster.follower();
    cluster.kill(&lost);
    let leader = cluster.wait_for_leader();
    let other = cluster
        .names()
        .into_iter()
        .find(|n| *n != leader && *n != lost)
        .unwrap();
    let demote = Change::Demote {
        name: other.clone(),
    };
    let text = refusal(cluster.node(&leader).change(demote)).to_string();
    assert!(text.contains("would lose quorum"), "{text}");
    cluster.node(&leader).change(remove(&lost)).unwrap();
    cluster.node(&leader).change(remove(&other)).unwrap();
    wait_for("the leader to be alone", || {
        (cluster.node(&leader).node.status().members.len() == 1).then_some(())
    });
    cluster.node(&leader).open_session("john");
    let last = cluster.node(&leader).change(remove(&leader));
    assert!(matches!(refusal(last), ChangeRefusal::LastVoter { .. }));
}

#[test]
fn leadership_goes_to_the_voter_that_is_named() {
    let cluster = Cluster::formed(3);
    for _ in 0..3 {
        let leader = cluster.wait_for_leader();
        let to = cluster.follower();
        let transfer = Change::TransferLeader {
            to: Some(to.clone()),
        };
        let changed = cluster.node(&leader).change(transfer).unwrap();
        assert_eq!(changed.done, format!("`{to}` leads now"));
        assert_eq!(cluster.wait_for_leader(), to);
        cluster.node(&leader).open_session("john");
    }
}

#[test]
fn a_copied_data_directory_that_is_started_twice_is_refused_and_told_why() {
    let mut cluster = Cluster::formed(3);
    let name = cluster.follower();
    let index = cluster.node(&name).open_session("john").1;
    cluster.wait_until_applied_everywhere(index);
    cluster.kill(&name);
    let copy = cluster.data_dir("copy");
    let copied = Process::new("cp")
        .arg("-a")
        .arg(cluster.data_dir(&name))
        .arg(&copy)
        .status();
    assert!(copied.unwrap().success());
    cluster.start(&name);
    cluster.wait_until_all_are_members();
    let original = cluster.node(&name).node.status().node;

    let mut config = cluster.config(&name);
    config.data_dir = copy;
    if let Some(ours) = &mut config.cluster {
        let port = cluster.address(&name);
        ours.listen = std::net::SocketAddr::new(port.ip(), 9093);
    }
    let clone = Running::start(config).unwrap();
    assert_eq!(clone.node.status().node, original);
    wait_for("the clone to be told", || {
        match clone.node.status().formation {
            Formation::Stuck { cause } => cause.contains("runs twice").then_some(()),
            _ => None,
        }
    });
    assert!(!clone.node.may_read());
    cluster.node(&name).open_session("harry");
    assert_eq!(
        cluster.node(&name).node.status().formation,
        Formation::Member
    );
}
