//! What is said about sections that do not fit together.

use super::{check, over_base};

#[test]
fn cookie_domains_that_cannot_work_are_refused() {
    let cases = [
        (
            "'*.example.com'",
            "must not have a wildcard: a cookie covers all names below its domain, is `*.example.com`; write `example.com`",
        ),
        (
            "localhost",
            "must have a dot: browsers refuse cookies for a single label, is `localhost`; write `localhost.` and what follows, such as `localhost.internal`",
        ),
        (
            "'example.com:8443'",
            "must be a domain without scheme, port or path, is `example.com:8443`; write only the name, such as `example.com`",
        ),
        (
            "exa mple.com",
            "must be a domain name, is `exa mple.com`; write a name such as `example.com`; other alphabets in punycode",
        ),
    ];
    for (domain, expected) in cases {
        let yaml = format!(
            "session:\n  cookies:\n    - domain: {domain}\n      authelia_url: https://auth.example.com\n"
        );
        let expected = format!("c.yml:3:15: session.cookies[0].domain: {expected}");
        check(&yaml, &[&expected]);
    }
    check(
        "session: {cookies: [{domain: 192.0.2.7, authelia_url: 'https://192.0.2.7'}]}",
        &[],
    );
}

#[test]
fn a_cookie_name_may_ask_browsers_for_tls_but_not_for_one_host() {
    let yaml = |name: &str| {
        format!(
            "session: {{name: {name}, cookies: [{{domain: example.com, authelia_url: 'https://a.example.com'}}]}}"
        )
    };
    check(&yaml("__Secure-session"), &[]);
    check(
        &yaml("__Host-session"),
        &[
            "c.yml:1:17: session.name: begins with `__Host-`: browsers refuse such a cookie, because it covers a domain; write for example `__Secure-authelia_session`",
        ],
    );
}

#[test]
fn a_portal_outside_its_domain_is_refused() {
    check(
        "session: {cookies: [{domain: example.com, authelia_url: 'https://auth.example.net'}]}",
        &[
            "c.yml:1:57: session.cookies[0].authelia_url: must be inside the cookie domain `example.com`, has the host `auth.example.net`; write a URL below `https://example.com`",
        ],
    );
    check(
        "session: {cookies: [{domain: example.com, authelia_url: 'https://badexample.com'}]}",
        &[
            "c.yml:1:57: session.cookies[0].authelia_url: must be inside the cookie domain `example.com`, has the host `badexample.com`; write a URL below `https://example.com`",
        ],
    );
    check(
        "session: {cookies: [{domain: example.com}]}",
        &[
            "c.yml:1:21: session.cookies[0].authelia_url: is required; write the portal's address, such as `https://auth.example.com`",
        ],
    );
    check(
        "session: {cookies: [{domain: example.com, authelia_url: 'https://a.example.com', default_redirection_url: 'https://a.example.com/'}]}",
        &[
            "c.yml:1:107: session.cookies[0].default_redirection_url: must not be the portal itself; name the page to see after a login without a target",
        ],
    );
}

#[test]
fn domains_that_hide_one_another_are_refused() {
    let two = |first: &str, second: &str| {
        format!(
            "session:\n  cookies:\n    - {{domain: {first}, authelia_url: 'https://a.{first}', name: a}}\n    - {{domain: {second}, authelia_url: 'https://a.{second}', name: b}}\n"
        )
    };
    check(
        &two("example.com", "dev.example.com"),
        &[
            "c.yml:4:16: session.cookies[1].domain: `dev.example.com` is hidden by `example.com` at c.yml:3:16, which covers it and comes first; put the narrower domain first",
        ],
    );
    check(
        &two("example.com", "Example.com"),
        &[
            "c.yml:4:16: session.cookies[1].domain: `example.com` is there twice, first at c.yml:3:16; keep one of the two entries",
        ],
    );
    check(&two("dev.example.com", "example.com"), &[]);
    check(&two("example.com", "badexample.com"), &[]);
}

#[test]
fn faults_of_rules_are_found_with_all_others() {
    let yaml = "\
theme: drak
access_control:
  rules:
    - {domain: a.example.com, policy: bypass, subject: 'user:ann'}
    - {domain: b.example.com, policy: bypass, resources: ['(']}
    - {domain: c.example.com, policy: bypass, methods: [get], networks: [office]}
    - {domain: d.example.com, policy: bypass, resources: ['']}
    - {domain: e.example.com, query: [[{operator: like, key: a}]]}
";
    check(
        yaml,
        &[
            "c.yml:1:8: theme: must be `auto`, `light`, `dark`, `grey` or `oled`, is `drak`; did you mean `dark`?",
            "c.yml:4:56: access_control.rules[0].subject: a `bypass` rule cannot have a subject; use `one_factor`",
            "c.yml:5:58: access_control.rules[1].resources: `(` is not a regular expression: unclosed group",
            "c.yml:6:56: access_control.rules[2].methods: `get` is none of GET, HEAD, POST, PUT, PATCH, DELETE, CONNECT, OPTIONS, TRACE, PROPFIND, PROPPATCH, MKCOL, COPY, MOVE, LOCK, UNLOCK",
            "c.yml:6:73: access_control.rules[2].networks: `office` is neither an address, a prefix like `10.0.0.0/8`, nor in `definitions.network`",
            "c.yml:7:59: access_control.rules[3].resources[0]: must not be empty; remove the item or fill it in",
            "c.yml:8:7: access_control.rules[4].policy: is required; write `bypass`, `one_factor`, `two_factor` or `deny`",
            "c.yml:8:38: access_control.rules[4].query: the operator `like` is none of `equal`, `not equal`, `present`, `absent`, `pattern`, `not pattern`",
        ],
    );
    let config =
        over_base("access_control: {rules: [{domain: '{user}.example.com', policy: bypass}]}");
    assert_eq!(
        config.notices[0].to_string(),
        "c.yml:1:35: access_control.rules[0].domain: `bypass` cannot depend on the user or group; this rule is run as `one_factor`"
    );
}

#[test]
fn tls_needs_both_files() {
    check(
        "server: {tls: {key: /k}}",
        &[
            "c.yml:1:15: server.tls.certificate: is required with `server.tls.key`; name the certificate's file, or remove both",
        ],
    );
}

#[test]
fn endpoints_are_checked() {
    let yaml = "\
server:
  endpoints:
    authz:
      legacy: {implementation: ForwardAuth}
      'a b': {implementation: ForwardAuth}
      c: {}
      d: {implementation: forwardauth}
      e: {implementation: ExtAuthz, authn_strategies: [{name: CookieSession, schemes: [basic]}, {name: CookieSession}]}
      f: {implementation: ExtAuthz, authn_strategies: [{name: HeaderAuthorization, schemes: [digest]}]}
";
    check(
        yaml,
        &[
            "c.yml:4:32: server.endpoints.authz.legacy.implementation: must be `Legacy` for the endpoint `legacy`; give the endpoint another name",
            "c.yml:5:7: server.endpoints.authz.a b: has a name that is not a path of letters, digits and hyphens; it becomes part of the URL, as in `/api/authz/my-proxy`",
            "c.yml:6:7: server.endpoints.authz.c.implementation: is required; write `ForwardAuth`, `AuthRequest`, `ExtAuthz` or `Legacy`",
            "c.yml:7:27: server.endpoints.authz.d.implementation: must be `ForwardAuth`, `AuthRequest`, `ExtAuthz` or `Legacy`, is `forwardauth`; did you mean `ForwardAuth`?",
            "c.yml:8:87: server.endpoints.authz.e.authn_strategies[0].schemes: has no meaning for this strategy; remove it",
            "c.yml:8:104: server.endpoints.authz.e.authn_strategies[1].name: is there twice in this endpoint; keep one of the two",
            "c.yml:9:94: server.endpoints.authz.f.authn_strategies[0].schemes[0]: must be `basic` or `bearer`, is `digest`",
        ],
    );
}

#[test]
fn clusters_that_cannot_form_are_refused() {
    check(
        "cluster:\n  name: n9\n  members: ['n1=a:9092', 'n1=b:9092', 'n2=a:9092', 'nonsense', 'n3=']\n",
        &[
            "c.yml:2:3: cluster.secret: is required with `cluster.members`; use the output of `openssl rand -hex 32`, the same on all members, here or in the file named by QUORATE_CLUSTER_SECRET_FILE",
            "c.yml:3:26: cluster.members[1]: names `n1` twice; give every member a name of its own",
            "c.yml:3:39: cluster.members[2]: has the address `a:9092` twice; give every member its own address",
            "c.yml:3:52: cluster.members[3]: must be `name=host:port`, is `nonsense`; write for example `n1=n1.internal:9092`",
            "c.yml:3:64: cluster.members[4]: must be `name=host:port`, is `n3=`; write for example `n1=n1.internal:9092`",
        ],
    );
    check(
        "cluster: {max_staleness: 100ms, secret: short, reads: strict}\n",
        &[
            "c.yml:1:26: cluster.max_staleness: must be from 1 s to 60 s, is `100ms`; larger rides out a longer loss of the leader, smaller bounds the slowest logout",
            "c.yml:1:41: cluster.secret: must have at least 20 characters, has 5; use the output of `openssl rand -hex 32`, the same on all members, here or in the file named by QUORATE_CLUSTER_SECRET_FILE",
        ],
    );
}

#[test]
fn second_factors_are_limited_as_in_authelia_unless_configured() {
    let limits = |yaml: &str| {
        let found = over_base(yaml).server.rate_limits.second_factor_totp;
        let pairs = found
            .iter()
            .map(|limit| (limit.requests, limit.period.as_secs()));
        pairs.collect::<Vec<_>>()
    };
    let of = |text: &str| {
        format!("server: {{endpoints: {{rate_limits: {{second_factor_totp: {text}}}}}}}")
    };
    assert_eq!(limits(""), [(30, 60), (40, 120), (50, 600)]);
    assert_eq!(limits(&of("{enable: false}")), []);
    let own = of("{enable: true, buckets: [{period: 10s, requests: 3}]}");
    assert_eq!(limits(&own), [(3, 10)]);
    check(
        &of("{buckets: [{period: 0s, requests: 0}]}"),
        &[
            "c.yml:1:76: server.endpoints.rate_limits.second_factor_totp.buckets[0].period: must be longer than nothing; write for example `1m`",
            "c.yml:1:90: server.endpoints.rate_limits.second_factor_totp.buckets[0].requests: must be from 1 to 1000000, is `0`",
        ],
    );
}

#[test]
fn a_password_policy_is_read_whole_and_two_exclude_each_other() {
    use crate::config::PasswordPolicy;
    assert_eq!(over_base("").password_policy, PasswordPolicy::None);
    let score = over_base("password_policy: {zxcvbn: {enabled: true}}").password_policy;
    assert_eq!(score, PasswordPolicy::Score { min_score: 3 });
    let form = over_base("password_policy: {standard: {enabled: true, require_number: true}}");
    assert!(
        matches!(form.password_policy, PasswordPolicy::Form(form) if form.min_length == 8 && form.require_number)
    );
    check(
        "password_policy: {standard: {enabled: true}, zxcvbn: {enabled: true}}",
        &[
            "c.yml:1:64: password_policy.zxcvbn.enabled: must not be on together with `password_policy.standard`; enable one of them",
        ],
    );
}
