//! HAProxy with `deploy/haproxy`.

use std::fs;
use std::process::Command;

use super::recipe::{Wiring, text};
use crate::harness::{Process, is_root, tool};

/// The lines by which HAProxy gives up being root, which only root can do.
const DROP_ROOT: &str = "    chroot /var/lib/haproxy\n    user   haproxy\n    group  haproxy\n";

/// Adapts the files and starts HAProxy.
pub(super) fn start(wiring: &Wiring) -> Process {
    let folder = text(&wiring.folder);
    let pem = [&wiring.site.certificate, &wiring.site.key]
        .map(|file| fs::read_to_string(file).expect("a PEM file"));
    let site = wiring.write("site.pem", &pem.concat());
    let script = wiring.adapt("haproxy/authz.lua", &[]);
    let mut replaced = vec![
        ("/etc/haproxy/site.pem", text(&site)),
        ("/etc/haproxy/nodes-ca.pem", text(&wiring.nodes_ca)),
        ("/etc/haproxy/authz.lua", text(&script)),
        ("bind :80\n", format!("bind {}\n", wiring.doors.http)),
        ("bind :443 ", format!("bind {} ", wiring.doors.https)),
    ];
    replaced.extend(wiring.backends());
    if !is_root() {
        replaced.extend([
            (DROP_ROOT, String::new()),
            (" user haproxy", String::new()),
            (
                "unix@/quorate-authz.sock",
                format!("unix@{folder}/quorate-authz.sock"),
            ),
        ]);
    }
    replaced.push(("/var/lib/haproxy", folder));
    let main = wiring.adapt("haproxy/haproxy.cfg", &replaced);
    let mut command = Command::new(tool("haproxy"));
    command.arg("-db").arg("-f").arg(main);
    Process::start("haproxy", command, &wiring.folder)
}
