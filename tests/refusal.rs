//! Bad input at start: a message that says what, where and what to do; exit code 1; nothing lost.

mod configuration;
mod node;

use crate::harness::Node;

/// Starts the node, which must end by itself with exit code 1, and returns what it said.
async fn refused(node: &Node) -> String {
    node.start();
    let (code, output) = node.wait_until_ended().await;
    assert_eq!(code, Some(1), "{output}");
    assert!(!output.contains("panicked"), "{output}");
    output
}

/// Asserts that the text contains every part.
fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
}
