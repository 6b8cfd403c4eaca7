//! Caddy with `deploy/caddy`.

use std::process::Command;

use super::recipe::{Wiring, text};
use crate::harness::{Process, tool};

/// Adapts the file and starts Caddy.
pub(super) fn start(wiring: &Wiring) -> Process {
    let (http, https) = (wiring.doors.http.port(), wiring.doors.https.port());
    let mut replaced = vec![
        ("http_port 80\n", format!("http_port {http}\n")),
        (
            "https_port 443\n",
            format!("https_port {https}\n\tdefault_bind 127.0.0.1\n"),
        ),
        ("admin localhost:2019", "admin off".to_owned()),
        ("/etc/caddy/nodes-ca.pem", text(&wiring.nodes_ca)),
        ("/etc/caddy/site.pem", text(&wiring.site.certificate)),
        ("/etc/caddy/site.key", text(&wiring.site.key)),
    ];
    replaced.extend(wiring.backends());
    let main = wiring.adapt("caddy/Caddyfile", &replaced);
    let mut command = Command::new(tool("caddy"));
    command
        .arg("run")
        .arg("--config")
        .arg(main)
        .arg("--adapter")
        .arg("caddyfile");
    for folder in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
        command.env(folder, &wiring.folder);
    }
    Process::start("caddy", command, &wiring.folder)
}
