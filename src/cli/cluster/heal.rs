//! `quorate cluster heal`.

use quorate_raft::Healed;

use super::super::failure::{AnyError, Failure};
use super::super::node::{NodeArgs, wait_for};
use crate::clock;

/// Puts this machine's damaged data directory aside.
pub(super) fn run(node: &NodeArgs) -> Result<(), Failure> {
    let config = node.configuration()?;
    let healed = wait_for(async {
        let config = crate::serve::node_config(&config).await?;
        let healed = quorate_raft::heal(&config, &folder()).await;
        healed.map_err(AnyError::from)
    })?;
    let healed = healed.map_err(Failure::while_doing("nothing was moved"))?;
    node.print(&healed, text)
}

/// Such as `damaged-2026-11-28T00-31-14Z`.
fn folder() -> String {
    format!("damaged-{}", clock::rfc3339(clock::now()).replace(':', "-"))
}

fn text(healed: &Healed) -> String {
    format!(
        "damaged   {}\nothers    `{}` leads a majority of the voters without this node\nmoved to  {}\n\
         start this node: it joins as a new one and gets everything from the others; then the folder can be removed\n",
        healed.damage,
        healed.leader,
        healed.moved_to.display()
    )
}
