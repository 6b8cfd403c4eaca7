//! What a demo consists of before anything is started: directory, ports, names.

use std::fs::DirBuilder;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::cli::failure::Failure;

/// Names of the nodes.
pub(super) const NAMES: [&str; 3] = ["n1", "n2", "n3"];

/// Where ports for the nodes are looked for. All are below the range from which the kernel takes
/// ports for outgoing connections (32768 up, ip(7)), so that nothing grabs the port of a node that
/// is down for a moment.
const PORTS: std::ops::Range<u16> = 21_000..32_000;

/// One node of the demo.
#[derive(Debug, Clone)]
pub(super) struct NodePlan {
    pub(super) name: &'static str,
    /// Where it serves the portal and answers the gateway, on 127.0.0.1.
    pub(super) http_port: u16,
    /// Where it hears the other nodes, on 127.0.0.1.
    pub(super) cluster_port: u16,
    /// Its configuration file.
    pub(super) config: PathBuf,
    /// Its data directory.
    pub(super) data: PathBuf,
    /// Where its output goes.
    pub(super) log: PathBuf,
}

/// The whole demo.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// Everything the demo writes is in here; only the user who runs it can look inside.
    pub(super) dir: PathBuf,
    /// The port of the gateway on 127.0.0.1.
    pub(super) port: u16,
    pub(super) nodes: Vec<NodePlan>,
}

impl Plan {
    /// Makes a new directory below `parent` and finds free ports for three nodes. `seed` is random:
    /// it names the directory and keeps two demos from looking at the same ports first.
    pub(super) fn make(parent: &Path, port: u16, seed: u32) -> Result<Self, Failure> {
        let dir = parent.join(format!("quorate-demo-{seed:08x}"));
        let doing = Failure::while_doing(format!("cannot make the directory `{}`", dir.display()));
        DirBuilder::new().mode(0o700).create(&dir).map_err(doing)?;
        let ports = free_ports(seed)?;
        let node = |(name, (http_port, cluster_port))| NodePlan {
            name,
            http_port,
            cluster_port,
            config: dir.join(name).join("configuration.yml"),
            data: dir.join(name).join("data"),
            log: dir.join(format!("{name}.log")),
        };
        let nodes = NAMES.into_iter().zip(ports).map(node).collect();
        Ok(Self { dir, port, nodes })
    }
}

/// Three pairs of ports of 127.0.0.1 on which nobody listens at the moment.
fn free_ports(seed: u32) -> Result<Vec<(u16, u16)>, Failure> {
    let count = u32::from(PORTS.end - PORTS.start);
    let start = u16::try_from(seed % count).unwrap_or_default();
    let candidates = (PORTS.start + start..PORTS.end).chain(PORTS.start..PORTS.start + start);
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let free: Vec<u16> = candidates.filter(is_free).take(2 * NAMES.len()).collect();
    let (http, cluster) = free.split_at(free.len().min(NAMES.len()));
    if cluster.len() < NAMES.len() {
        return Err(Failure::because(
            "cannot find free ports on 127.0.0.1 for three nodes",
        ));
    }
    Ok(http.iter().copied().zip(cluster.iter().copied()).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_plan_has_a_private_directory_and_six_different_free_ports() {
        let parent = tempfile::tempdir().expect("temporary directory");
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bound");
        let plan = Plan::make(parent.path(), 8443, u32::MAX).expect("made");
        let mode = std::fs::metadata(&plan.dir)
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700);
        let pairs = plan
            .nodes
            .iter()
            .flat_map(|node| [node.http_port, node.cluster_port]);
        let mut ports: Vec<u16> = pairs.collect();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 6);
        assert!(ports.iter().all(|port| PORTS.contains(port)));
        assert!(!ports.contains(&taken.local_addr().expect("address").port()));
        Plan::make(parent.path(), 8443, u32::MAX).expect_err("the directory is taken");
    }
}
