//! What a visitor may ask for: scheme, host, path and query, together as a URL and one by one.

#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate_core::access::Target;

fuzz_target!(|input: &[u8]| {
    if let Ok(target) = Target::from_url(input, b"GET") {
        check(&target);
    }
    let mut parts = input.splitn(4, |byte| *byte == b'\n');
    let mut next = || parts.next().unwrap_or_default();
    let (scheme, host, uri, method) = (next(), next(), next(), next());
    if let Ok(target) = Target::from_parts(scheme, host, uri, method) {
        check(&target);
    }
});

/// What is judged and what a browser is sent back to are the same page.
fn check(target: &Target<'_>) {
    let url = target.url_text();
    assert!(url.bytes().all(|byte| !byte.is_ascii_control()), "{url:?}");
    let again = Target::from_url(url.as_bytes(), target.method().as_bytes())
        .unwrap_or_else(|error| panic!("{url:?} is refused: {error}"));
    assert_eq!(again.host(), target.host());
    assert_eq!(again.rule_path(), target.rule_path());
    assert_eq!(again.guarded_path(), target.guarded_path());
    assert_eq!(
        again.query().unwrap_or_default(),
        target.query().unwrap_or_default()
    );
    assert_eq!(again.url_text(), url);
    for path in [Some(target.rule_path()), target.guarded_path()]
        .into_iter()
        .flatten()
    {
        let folded = path == "." || path.starts_with('/');
        let steps = path
            .split('/')
            .skip(1)
            .any(|segment| matches!(segment, "." | ".."));
        assert!(folded && !steps && !path.contains("//"), "{path:?}");
        assert!(
            !path.contains('\\') && !path.bytes().any(|byte| byte.is_ascii_control()),
            "{path:?}"
        );
    }
}
