//! What an orderly stop costs the others: next to nothing.

use std::time::Duration;

use crate::stand::{Cluster, wait_for};

/// Far below the length of a lease, 3 seconds, and far above what a loaded machine takes for two round trips.
const PROMPT: Duration = Duration::from_millis(1500);

#[test]
fn a_revocation_does_not_wait_for_the_lease_of_a_follower_that_has_stopped() {
    let mut cluster = Cluster::formed(3);
    let leader = cluster.wait_for_leader();
    let stopped = cluster.follower();
    let (key, _) = cluster.node(&leader).open_session("john");
    // Leases of earlier leaders are waited for, too, so the first seconds of a term prove nothing.
    let (early, _) = cluster.node(&leader).open_session("john");
    cluster.node(&leader).end_session(early);
    wait_for("the follower to have a lease", || {
        cluster.node(&stopped).node.may_read().then_some(())
    });
    cluster.stop(&stopped);
    let waited = cluster.node(&leader).end_session(key);
    assert!(waited < PROMPT, "{waited:?}");
}

#[test]
fn a_revocation_does_not_wait_for_the_lease_of_a_leader_that_has_stopped() {
    let mut cluster = Cluster::formed(3);
    let leader = cluster.wait_for_leader();
    let (key, index) = cluster.node(&leader).open_session("john");
    cluster.wait_until_applied_everywhere(index);
    cluster.stop(&leader);
    let next = cluster.wait_for_leader();
    let waited = cluster.node(&next).end_session(key);
    assert!(waited < PROMPT, "{waited:?}");
}

#[test]
fn a_follower_that_is_killed_still_delays_a_revocation_by_its_lease() {
    let mut cluster = Cluster::formed(3);
    let leader = cluster.wait_for_leader();
    let killed = cluster.follower();
    let (key, index) = cluster.node(&leader).open_session("john");
    cluster.wait_until_applied_everywhere(index);
    wait_for("the follower to have a lease", || {
        cluster.node(&killed).node.may_read().then_some(())
    });
    cluster.kill(&killed);
    let waited = cluster.node(&leader).end_session(key);
    assert!(waited > PROMPT, "the guard of the test itself: {waited:?}");
}
