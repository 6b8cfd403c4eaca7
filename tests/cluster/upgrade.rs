//! Members of two versions side by side.

use super::operations::commands;
use super::statuses;
use crate::harness::{Cluster, Settings};

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
