//! nginx with `deploy/nginx`.

use std::process::Command;

use super::recipe::{Wiring, text};
use crate::harness::{Process, tool};

/// Adapts the files and starts nginx.
pub(super) fn start(wiring: &Wiring) -> Process {
    let folder = text(&wiring.folder);
    let own = ("/etc/nginx/quorate/", format!("{folder}/"));
    let mut replaced = vec![
        ("/etc/nginx/quorate/nodes-ca.pem", text(&wiring.nodes_ca)),
        (
            "/etc/nginx/quorate/site.pem",
            text(&wiring.site.certificate),
        ),
        ("/etc/nginx/quorate/site.key", text(&wiring.site.key)),
        own.clone(),
        ("listen 443 ", format!("listen {} ", wiring.doors.https)),
        ("listen 80 ", format!("listen {} ", wiring.doors.http)),
    ];
    replaced.extend(wiring.backends());
    wiring.adapt("nginx/quorate.conf", &replaced);
    wiring.adapt("nginx/guard.conf", &[own]);
    wiring.adapt("nginx/to-nodes.conf", &[]);
    wiring.adapt("nginx/to-app.conf", &[]);

    // What a distribution's nginx.conf has around `include conf.d/*.conf`.
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {folder}/{kind};\n"))
        .concat();
    let main = format!(
        "daemon off;\nworker_processes 2;\npid {folder}/nginx.pid;\nerror_log stderr warn;\n\
         events {{ worker_connections 1024; }}\n\
         http {{\naccess_log off;\n{temporary}include {folder}/quorate.conf;\n}}\n"
    );
    let main = wiring.write("nginx.conf", &main);
    let mut command = Command::new(tool("nginx"));
    command
        .arg("-p")
        .arg(&wiring.folder)
        .arg("-e")
        .arg("stderr")
        .arg("-c")
        .arg(main);
    Process::start("nginx", command, &wiring.folder)
}
