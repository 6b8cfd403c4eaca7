//! Help, completions, manual pages and exit codes.

use super::Desk;

#[test]
fn every_command_shows_its_help_and_wrong_usage_is_64() {
    let desk = Desk::new();
    let help = desk.run(&["--help"]).done();
    for command in [
        "serve",
        "access-control",
        "crypto",
        "storage",
        "config",
        "completions",
    ] {
        assert!(help.contains(command), "{command}");
        let own = desk.run(&[command, "--help"]).done();
        assert!(own.contains("Usage: quorate"), "{own}");
    }
    desk.run(&["serve", "--bogus"]).failed(64);
    desk.run(&["frobnicate"]).failed(64);
    desk.run(&[]).failed(64);
    assert!(desk.run(&["build-info"]).done().starts_with("Version: "));
    let checked = desk
        .run(&["access-control", "check-policy", "--help"])
        .done();
    assert!(checked.contains("Examples:"), "{checked}");
}

#[test]
fn shells_are_completed_and_pages_are_written() {
    let desk = Desk::new();
    for (shell, expected) in [
        ("bash", "complete -F _quorate"),
        ("zsh", "#compdef quorate"),
        ("fish", "complete -c quorate"),
    ] {
        let text = desk.run(&["completions", shell]).done();
        assert!(
            text.contains(expected) && text.contains("check-policy"),
            "{shell}"
        );
    }
    desk.run(&["completions", "dos"]).failed(64);
    desk.run(&["manual", "--directory", "man1"]).done();
    let page = desk.read("man1/quorate-access-control-check-policy.1");
    assert!(page.contains(".TH") && page.contains("username"), "{page}");
    assert!(desk.read("man1/quorate.1").contains("quorate demo"));
    assert!(desk.run(&["manual"]).done().contains(".TH quorate 1"));
}
