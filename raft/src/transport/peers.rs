//! The other nodes: where they are, the link to each, and when each was heard last.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use super::authority::Authority;
use super::link::{CallError, Link};
use super::lives::{Lives, Presence};
use super::message::{Answer, ClusterId, Envelope, Greeting, Refusal, Request};
use super::{PROTOCOL, PROTOCOL_OLDEST};
use crate::Member;
use crate::clock::boot_time;
use crate::lease::{Boot, Incarnation};
use crate::log::Repeated;
use crate::versions::Versions;

/// How this node reaches others, and what it says of itself when it does.
#[derive(Debug)]
pub(crate) struct Peers {
    /// This node's id.
    pub(crate) node: u64,
    /// This node's name and advertised address.
    pub(crate) member: Member,
    /// The members as configured, this node among them; their addresses go before those in the log, so that a member
    /// can move by a change of configuration.
    pub(crate) configured: Vec<Member>,
    /// `None` in a cluster of one.
    pub(crate) authority: Option<Arc<Authority>>,
    /// Who knows which commands.
    pub(crate) versions: Versions,
    incarnation: Incarnation,
    lives: Arc<Lives>,
    /// What another node last refused this one for, if that does not pass by itself.
    told: Mutex<Option<String>>,
    cluster: RwLock<Option<ClusterId>>,
    links: Mutex<HashMap<Member, Arc<Link>>>,
    heard: Mutex<HashMap<u64, Boot>>,
    complaint: Repeated,
    /// Connections to the node-to-node listener that were none of a member.
    pub(crate) connections_refused: AtomicU64,
}

impl Peers {
    pub(crate) fn new(
        node: u64,
        member: Member,
        configured: Vec<Member>,
        authority: Option<Arc<Authority>>,
        cluster: Option<ClusterId>,
        (incarnation, versions): (Incarnation, Versions),
    ) -> Self {
        Self {
            node,
            member,
            configured,
            authority,
            versions,
            incarnation,
            lives: Arc::default(),
            told: Mutex::default(),
            cluster: RwLock::new(cluster),
            links: Mutex::default(),
            heard: Mutex::default(),
            complaint: Repeated::default(),
            connections_refused: AtomicU64::new(0),
        }
    }

    /// The cluster this node belongs to.
    pub(crate) fn cluster(&self) -> Option<ClusterId> {
        *self.cluster.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what cluster this node belongs to, after it has been stored.
    pub(crate) fn set_cluster(&self, cluster: ClusterId) {
        *self.cluster.write().unwrap_or_else(PoisonError::into_inner) = Some(cluster);
    }

    /// What this node says first on a connection.
    pub(crate) fn greeting(&self) -> Greeting {
        Greeting {
            protocol: PROTOCOL,
            protocol_oldest: PROTOCOL_OLDEST,
            commands: self.versions.own(),
            name: self.member.name.clone(),
            node: self.node,
            incarnation: self.incarnation,
            refusal: None,
        }
    }

    /// Judges the greeting of a process at `place` and counts the connection with it.
    ///
    /// # Errors
    /// Why this node does not talk to it, in words for both operators.
    pub(crate) fn meet(&self, theirs: &Greeting, place: String) -> Result<Presence, String> {
        let name = &theirs.name;
        if theirs.protocol < PROTOCOL_OLDEST || theirs.protocol_oldest > PROTOCOL {
            return Err(format!(
                "`{name}` speaks versions {} to {} of the protocol and `{}` versions {PROTOCOL_OLDEST} to {PROTOCOL}; \
                 run versions of Quorate side by side that follow one another",
                theirs.protocol_oldest, theirs.protocol, self.member.name
            ));
        }
        self.versions.meet(theirs)?;
        let twice = |other: String| {
            format!(
                "node {:08x} (`{name}`) runs twice, here and at {other}: its data directory was copied; stop one of the \
                 two, move its data directory away and start it again",
                theirs.node
            )
        };
        if theirs.node == self.node && theirs.incarnation != self.incarnation {
            return Err(twice(self.member.address.clone()));
        }
        let entered = self.lives.enter(theirs.node, theirs.incarnation, place);
        entered.map_err(twice)
    }

    /// Notes that others refuse this node for good; `None` that one follows or leads again.
    pub(crate) fn tell(&self, cause: Option<String>) {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = cause;
    }

    /// What others refuse this node for, in words for its operator.
    pub(crate) fn told(&self) -> Option<String> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.clone()
    }

    /// Asks `to` at the address of `member`. `to` is `None` only in introductions.
    pub(crate) async fn call(
        self: &Arc<Self>,
        to: Option<u64>,
        member: &Member,
        request: Request,
        at_most: Duration,
    ) -> Result<Answer, CallError> {
        if to == Some(self.node) {
            return Err(CallError::Unreachable(format!(
                "`{}` is this node itself",
                member.name
            )));
        }
        let envelope = Envelope {
            cluster: self.cluster(),
            from: self.node,
            to,
        };
        let answer = self.link(member)?.call(envelope, request, at_most).await;
        match &answer {
            Ok(_) => {
                if let Some(to) = to {
                    self.heard_from(to);
                }
            }
            Err(CallError::Refused(refusal)) => self.refused(member, refusal),
            Err(_) => {}
        }
        answer
    }

    /// Tells the operator of a refusal that will not pass by itself.
    fn refused(&self, member: &Member, refusal: &Refusal) {
        let is_lasting = matches!(
            refusal,
            Refusal::WrongCluster { .. } | Refusal::WrongReceiver { .. } | Refusal::Removed { .. }
        );
        if is_lasting {
            let cause = refusal.to_string();
            if matches!(refusal, Refusal::Removed { .. }) {
                self.tell(Some(cause.clone()));
            }
            self.complaint.warn(&cause, || {
                tracing::warn!(member = %member.name, address = %member.address, %cause, "a member refuses this node");
            });
        }
    }

    /// Tells the operator if a message of the member `name` could not be read because a newer version wrote it.
    pub(crate) fn misread(&self, name: &str, error: &std::io::Error) {
        if super::frame::is_newer(error) {
            let cause = Versions::outdated(name);
            self.tell(Some(cause.clone()));
            self.complaint.warn(&cause, || {
                tracing::error!(%cause, "a member speaks of what this node does not know");
            });
        }
    }

    /// Notes that `node` lives.
    pub(crate) fn heard_from(&self, node: u64) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.insert(node, boot_time());
    }

    /// How long `node` has been silent; `None` if it was never heard.
    pub(crate) fn silence(&self, node: u64) -> Option<Duration> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let at = heard.get(&node)?;
        Some(boot_time().since(*at))
    }

    /// Closes every connection this node has dialled.
    pub(crate) fn close(&self) {
        for (_, link) in self.links().drain() {
            link.close();
        }
    }

    fn link(self: &Arc<Self>, member: &Member) -> Result<Arc<Link>, CallError> {
        let Some(authority) = &self.authority else {
            return Err(CallError::Unreachable(format!(
                "`{}` is a member, but no `cluster` is configured on this node",
                member.name
            )));
        };
        let configured = self.configured.iter().find(|m| m.name == member.name);
        let member = configured.unwrap_or(member);
        let mut links = self.links();
        let link = links.entry(member.clone()).or_insert_with(|| {
            Arc::new(Link::new(
                member.clone(),
                Arc::downgrade(self),
                Arc::clone(authority),
            ))
        });
        Ok(Arc::clone(link))
    }

    fn links(&self) -> std::sync::MutexGuard<'_, HashMap<Member, Arc<Link>>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
