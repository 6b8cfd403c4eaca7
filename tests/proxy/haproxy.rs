//! HAProxy with `deploy/haproxy`.

use std::fs;
use std::process::Command;

use super::recipe::{Wiring, text};
use crate::harness::{Process, is_root, tool};

/// The lines by which HAProxy gives up being root, which only root can do.
const DROP_ROOT: &str = "    chroot /var/lib/haproxy\n    user   haproxy\n    group  haproxy\n";

/// Adapts the files and starts HAProxy, which asks by Lua.
pub(super) fn start(wiring: &Wiring) -> Process {
    run(wiring, "haproxy/haproxy.cfg", Vec::new())
}

/// Adapts the files and starts HAProxy, which asks by SPOE first.
pub(super) fn start_spoe(wiring: &Wiring) -> Process {
    let spoe = wiring.adapt("haproxy/spoe.cfg", &[]);
    let mut replaced = vec![("/etc/haproxy/spoe.cfg", text(&spoe))];
    let names = ["n1.internal:9094", "n2.internal:9094", "n3.internal:9094"];
    let agents = wiring.agents.map(|at| at.to_string());
    replaced.extend(names.into_iter().zip(agents));
    run(wiring, "haproxy/haproxy-spoe.cfg", replaced)
}

fn run(wiring: &Wiring, recipe: &str, more: Vec<(&str, String)>) -> Process {
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
    replaced.extend(more);
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
    let main = wiring.adapt(recipe, &replaced);
    let mut command = Command::new(tool("haproxy"));
    command.arg("-db").arg("-f").arg(main);
    Process::start("haproxy", command, &wiring.folder)
}
