//! What the visitor reads first: where to go, who to be, what to try.

use super::files::{CA, PASSWORD};
use super::plan::Plan;
use super::site::Site;

/// The text that is printed once the nodes are ready.
pub(super) fn text(plan: &Plan) -> String {
    let sites: String = Site::GUARDED
        .into_iter()
        .map(|site| format!("  {:<40} {}\n", site.url(plan.port), site.rule()))
        .collect();
    let dir = plan.dir.display();
    let home = Site::Home.url(plan.port);
    let portal = Site::Portal.url(plan.port);
    let curl = curl(plan);
    format!(
        "
Three nodes are ready. Open in a browser (it will warn of an unknown authority, which is {dir}/{CA}):

  {home:<40} start here
{sites}  {portal:<40} the portal

Log in as john or alice, password {PASSWORD}

Or from another terminal, as it stands:

{curl}
Configuration, users and logs (n1.log, n2.log, n3.log) are in {dir}
A node that dies is started again after a few seconds. Ctrl-C ends everything.
"
    )
}

/// Two commands to copy: log in, then fetch a guarded page.
fn curl(plan: &Plan) -> String {
    let file = |name: &str| shell_quoted(&plan.dir.join(name).display().to_string());
    let common = format!(
        "curl -sS --cacert {} --resolve '*:{}:127.0.0.1'",
        file(CA),
        plan.port
    );
    let portal = Site::Portal.url(plan.port);
    let one = Site::One.url(plan.port);
    let jar = file("cookies");
    format!(
        "  {common} -c {jar} \\
    -H 'Content-Type: application/json' -H 'Origin: {portal}' \\
    -d '{{\"username\":\"john\",\"password\":\"{PASSWORD}\"}}' {portal}/api/firstfactor &&
  {common} -b {jar} {one}/
"
    )
}

/// One word of a POSIX shell.
fn shell_quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    if word.bytes().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
