//! `quorate cluster …`: what the operator of a cluster needs to know and to do.

mod backup;
mod heal;
mod member;
mod status;

use clap::Subcommand;

use super::failure::Failure;
use super::node::NodeArgs;
use crate::admin::answer::StateDigest;

/// Look after the cluster that the node on this machine belongs to.
#[derive(Debug, Subcommand)]
pub(super) enum Cluster {
    /// Show what the node on this machine sees: its role, its lease, the members and what is wrong.
    #[command(
        after_help = "Examples:\n  quorate cluster status --config /etc/quorate/configuration.yml\n  \
                      quorate cluster status --socket /var/lib/quorate/admin.sock --output json"
    )]
    Status(NodeArgs),
    /// List the members, and who of them votes.
    Members(NodeArgs),
    /// Take in a node that runs with an empty data directory and has this cluster in its `cluster.members`.
    #[command(
        after_help = "Examples:\n  quorate cluster add n4=n4.internal:9092\n  \
                      quorate cluster add n4=n4.internal:9092 --learner"
    )]
    Add(member::Add),
    /// Take a member out for good; it never comes back under its old identity.
    Remove(member::Risky),
    /// Give a learner a vote.
    Promote(member::One),
    /// Take a voter's vote; it goes on as learner.
    Demote(member::Risky),
    /// Let another voter lead.
    #[command(
        after_help = "Examples:\n  quorate cluster transfer-leader\n  quorate cluster transfer-leader n2"
    )]
    TransferLeader(member::Transfer),
    /// Write everything that the cluster knows to a sealed file, while it runs.
    #[command(
        after_help = "Examples:\n  quorate cluster backup /backup/monday.qb --key-file /etc/quorate/backup.key\n  \
                      quorate cluster backup inspect /backup/monday.qb --key-file /etc/quorate/backup.key"
    )]
    Backup(backup::Backup),
    /// Make a new cluster of one of a backup, in this machine's empty data directory; no node may run on it.
    Restore(backup::Restore),
    /// Make a new cluster of one of this machine's data directory, when the others are lost for good.
    Recover(backup::Recover),
    /// Move this machine's damaged data directory aside, if a quorum of the others goes on without it; no node may run on
    /// it. The next start joins as a new node and gets everything from the others.
    Heal(NodeArgs),
    /// Print the newest log index that the node has applied, and a digest of its whole state: nodes that have applied
    /// as much must print the same.
    Digest(NodeArgs),
}

impl Cluster {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Status(node) => status::run(&node),
            Self::Members(node) => member::list(&node),
            Self::Add(add) => member::add(add),
            Self::Remove(risky) => member::remove(risky),
            Self::Promote(one) => member::promote(one),
            Self::Demote(risky) => member::demote(risky),
            Self::TransferLeader(transfer) => member::transfer(transfer),
            Self::Backup(command) => backup::backup(command),
            Self::Restore(command) => backup::restore(&command),
            Self::Recover(command) => backup::recover(&command),
            Self::Heal(node) => heal::run(&node),
            Self::Digest(node) => {
                let digest: StateDigest = node.ask("/v1/digest", &())?;
                node.print(&digest, |digest| {
                    format!("{} {}\n", digest.applied, digest.digest)
                })
            }
        }
    }
}
