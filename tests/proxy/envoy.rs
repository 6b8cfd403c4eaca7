//! Envoy with `deploy/envoy`: asking over gRPC, and over HTTP.

use std::process::Command;

use super::recipe::{Wiring, text};
use crate::harness::{Process, tool};

/// Adapts the recipe for gRPC and starts Envoy.
pub(super) fn start(wiring: &Wiring) -> Process {
    run(wiring, "envoy/envoy.yaml", true)
}

/// Adapts the recipe for HTTP and starts Envoy.
pub(super) fn start_http(wiring: &Wiring) -> Process {
    run(wiring, "envoy/envoy-http.yaml", false)
}

fn run(wiring: &Wiring, recipe: &str, over_grpc: bool) -> Process {
    let place = |name: &str, port: u16| format!("{{address: {name}, port_value: {port}}}");
    let mut replaced = Vec::new();
    let doors = [(80, wiring.doors.http), (443, wiring.doors.https)];
    for (port, door) in doors {
        replaced.push((place("0.0.0.0", port), place("127.0.0.1", door.port())));
    }
    for (index, name) in ["n1.internal", "n2.internal", "n3.internal"]
        .iter()
        .enumerate()
    {
        replaced.push((
            place(name, 9091),
            place("127.0.0.1", wiring.nodes[index].port()),
        ));
        if over_grpc {
            replaced.push((
                place(name, 9093),
                place("127.0.0.1", wiring.checks[index].port()),
            ));
        }
    }
    replaced.push((
        place("app.internal", 8080),
        place("127.0.0.1", wiring.app.port()),
    ));
    let files = [
        ("/etc/envoy/site.pem", &wiring.site.certificate),
        ("/etc/envoy/site.key", &wiring.site.key),
        ("/etc/envoy/nodes-ca.pem", &wiring.nodes_ca),
    ];
    replaced.extend(files.map(|(example, file)| (example.to_owned(), text(file))));
    let replaced: Vec<(&str, String)> = replaced
        .iter()
        .map(|(example, value)| (example.as_str(), value.clone()))
        .collect();
    let file = wiring.adapt(recipe, &replaced);
    let mut command = Command::new(tool("envoy"));
    // Several of them run beside one another in tests.
    command
        .args(["--disable-hot-restart", "--concurrency", "2", "-c"])
        .arg(file);
    Process::start("envoy", command, &wiring.folder)
}
