//! The files of `deploy/`, adapted to one test by replacing the example values that their README tells users to
//! change, and nothing else.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::harness::{Pair, free_port};

/// What the example values are replaced by.
pub(super) struct Wiring {
    /// An empty folder for the files of the proxy.
    pub(super) folder: PathBuf,
    pub(super) doors: Doors,
    pub(super) nodes: [SocketAddr; 3],
    /// The same nodes, where they answer checks over gRPC.
    pub(super) checks: [SocketAddr; 3],
    /// The same nodes, where HAProxy finds its agents.
    pub(super) agents: [SocketAddr; 3],
    pub(super) app: SocketAddr,
    /// Who signed the certificates of the nodes.
    pub(super) nodes_ca: PathBuf,
    /// The certificate that browsers see.
    pub(super) site: Pair,
}

/// Where a proxy listens.
#[derive(Clone, Copy)]
pub(super) struct Doors {
    /// Where browsers come in: with TLS, and without.
    pub(super) https: SocketAddr,
    pub(super) http: SocketAddr,
    /// For a proxy that asks itself.
    pub(super) inner: SocketAddr,
}

impl Doors {
    /// Three free ports.
    pub(super) fn free() -> Self {
        let local = || SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        Self {
            https: local(),
            http: local(),
            inner: local(),
        }
    }
}

/// Makes an empty folder for the files of a proxy. Others may read it: the workers of nginx are nobody.
pub(super) fn new_folder(parent: &Path) -> PathBuf {
    let folder = parent.join("proxy");
    fs::create_dir(&folder).expect("a folder for the proxy");
    fs::set_permissions(&folder, PermissionsExt::from_mode(0o755)).expect("permissions");
    folder
}

impl Wiring {
    /// Copies `deploy/FILE` into the folder of the test with every `(example, value)` replaced, wherever it occurs.
    ///
    /// Panics if an example value is not in the file: then the file and the test (and the README) disagree.
    pub(super) fn adapt(&self, file: &str, replaced: &[(&str, String)]) -> PathBuf {
        let source = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("deploy")
            .join(file);
        let mut text = fs::read_to_string(&source)
            .unwrap_or_else(|error| panic!("{}: {error}", source.display()));
        for (example, value) in replaced {
            assert!(
                text.contains(example),
                "deploy/{file} no longer contains `{example}`"
            );
            text = text.replace(example, value);
        }
        let name = source.file_name().expect("a file name");
        self.write(name.to_str().expect("a plain name"), &text)
    }

    /// Writes a file that all may read into the folder of the test.
    pub(super) fn write(&self, name: &str, text: &str) -> PathBuf {
        let target = self.folder.join(name);
        fs::write(&target, text).expect("write a file of a proxy");
        fs::set_permissions(&target, PermissionsExt::from_mode(0o644)).expect("permissions");
        target
    }

    /// The addresses of the nodes and of the application, which all recipes name alike.
    pub(super) fn backends(&self) -> Vec<(&'static str, String)> {
        let names = ["n1.internal:9091", "n2.internal:9091", "n3.internal:9091"];
        let mut replaced: Vec<_> = names
            .into_iter()
            .zip(self.nodes)
            .map(|(name, at)| (name, at.to_string()))
            .collect();
        replaced.push(("app.internal:8080", self.app.to_string()));
        replaced
    }
}

/// A path as text.
pub(super) fn text(path: &Path) -> String {
    path.to_str().expect("a plain path").to_owned()
}
