//! What attackers send, and what they get for it. Each file is one way in; its tables read case, request, answer.

mod body;
mod cut;
mod flood;
mod identity;
mod peer;
mod redirect;
mod target;
mod wire;

use crate::harness::{Cluster, Settings};

/// One node: what is asked here is the same on all.
async fn node() -> Cluster {
    Cluster::start(Settings::with_nodes(1)).await
}
