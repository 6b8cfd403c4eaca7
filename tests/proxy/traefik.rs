//! Traefik with `deploy/traefik`.

use std::process::Command;

use super::recipe::{Wiring, text};
use crate::harness::{Process, tool};

/// Adapts the files and starts Traefik.
pub(super) fn start(wiring: &Wiring) -> Process {
    let inner = ("127.0.0.1:9093", wiring.doors.inner.to_string());
    let mut replaced = vec![
        ("/etc/traefik/nodes-ca.pem", text(&wiring.nodes_ca)),
        ("/etc/traefik/site.pem", text(&wiring.site.certificate)),
        ("/etc/traefik/site.key", text(&wiring.site.key)),
        inner.clone(),
    ];
    replaced.extend(wiring.backends());
    let dynamic = wiring.adapt("traefik/quorate.yml", &replaced);
    let main = wiring.adapt(
        "traefik/traefik.yml",
        &[
            ("':80'", format!("'{}'", wiring.doors.http)),
            ("':443'", format!("'{}'", wiring.doors.https)),
            inner,
            ("/etc/traefik/dynamic/quorate.yml", text(&dynamic)),
        ],
    );
    let mut command = Command::new(tool("traefik"));
    command.arg("--configFile").arg(main);
    Process::start("traefik", command, &wiring.folder)
}
