//! What is refused: wrong secrets, other clusters, taken ports, and bytes that are no messages.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use quorate_raft::{NodeConfig, StartError};

use crate::stand::{Cluster, Running, logs, wait_for};

#[test]
fn a_node_with_another_secret_is_refused_and_both_sides_say_what_to_do() {
    let mut cluster = Cluster::formed(3);
    let name = cluster.follower();
    let address = cluster.address(&name).to_string();
    cluster.kill(&name);
    let secret = std::mem::replace(&mut cluster.secret, "quite another secret".to_owned());
    cluster.start(&name);
    cluster.secret = secret;
    let remedy = "set the same `cluster.secret` on all members";
    wait_for("the others to say that its certificate is foreign", || {
        let line = ["the member cannot be reached", &address, remedy];
        logs().has(&line).then_some(())
    });
    wait_for("somebody to say that a connection was refused", || {
        logs()
            .has(&["refused a connection to the node-to-node listener", remedy])
            .then_some(())
    });
    assert!(!cluster.node(&name).node.may_read());
    let leader = cluster
        .names()
        .into_iter()
        .find(|other| *other != name)
        .unwrap();
    cluster.node(&leader).open_session("john");
}

#[test]
fn a_node_of_another_cluster_is_refused_and_both_sides_say_what_to_do() {
    let mut cluster = Cluster::formed(3);
    let name = cluster.follower();
    cluster.kill(&name);
    cluster.wipe(&name);
    let alone = Running::start(NodeConfig {
        cluster: None,
        ..cluster.config(&name)
    })
    .unwrap();
    let foreign = alone.node.status().cluster.unwrap();
    let node = alone.node.clone();
    alone.on(async move { node.shutdown().await });
    drop(alone);
    cluster.start(&name);
    let others: Vec<_> = cluster.names().into_iter().filter(|n| *n != name).collect();
    let own = cluster.node(&others[0]).node.status().cluster.unwrap();
    assert_ne!(own, foreign);
    let remedy = "move its data directory away and start it again";
    wait_for("the node to say that it is refused", || {
        let line = ["a member refuses this node", &own, remedy];
        logs().has(&line).then_some(())
    });
    wait_for("a member to say that it refuses", || {
        let line = ["refused a message of another node", &own, remedy];
        logs().has(&line).then_some(())
    });
    for other in &others {
        let members = cluster.node(other).node.status().members;
        let stranger = cluster.node(&name).node.status().node;
        assert!(members.iter().all(|member| member.node != stranger));
    }
    cluster.node(&others[0]).open_session("john");
}

#[test]
fn a_port_that_is_taken_is_named_and_nothing_is_left_running() {
    let mut cluster = Cluster::new(1);
    let address = cluster.address("n1");
    let taken = std::net::TcpListener::bind(address).unwrap();
    let error = Running::start(cluster.config("n1")).err().unwrap();
    assert!(matches!(error, StartError::Listen { .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains(&address.to_string()) && text.contains("`cluster.address`"),
        "{text}"
    );
    assert!(!cluster.data_dir("n1").exists());
    drop(taken);
    cluster.start("n1");
}

#[test]
fn a_bad_name_and_a_short_secret_are_refused_at_start() {
    let cluster = Cluster::new(1);
    let mut config = cluster.config("n1");
    config.name = "no name".to_owned();
    let error = Running::start(config).err().unwrap();
    assert!(matches!(error, StartError::Name { .. }), "{error}");
    let mut cluster = cluster;
    cluster.secret = "short".to_owned();
    let error = Running::start(cluster.config("n1")).err().unwrap();
    assert!(matches!(error, StartError::Authority(_)), "{error}");
}

#[test]
fn garbage_on_the_port_is_cut_off_and_hurts_nobody() {
    let cluster = Cluster::formed(3);
    let address = cluster.address("n1");
    let garbage: Vec<u8> = (0u32..20_000)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let streams = [
        garbage.clone(),
        b"GET / HTTP/1.1\r\nHost: n1\r\n\r\n".to_vec(),
        // A TLS record that announces the most bytes there are.
        [&[0x16, 0x03, 0x01, 0xff, 0xff][..], &garbage].concat(),
        vec![0; 20_000],
    ];
    for bytes in streams {
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        // The node may close before all is written.
        let _ = stream.write_all(&bytes);
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Ok(_) => assert!(answer.len() < 100, "a TLS alert at most"),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
        }
    }
    cluster.node("n1").open_session("john");
}
