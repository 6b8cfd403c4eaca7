//! `quorate access-control check-policy`: the table and the conclusion, with the rules of a real file.

use super::Desk;

const CONFIGURATION: &str = "\
storage: {encryption_key: 'a key of more than twenty characters'}
authentication_backend: {file: {path: users.yml}}
session: {cookies: [{domain: example.com, authelia_url: 'https://auth.example.com'}]}
definitions: {network: {office: ['192.0.2.0/24']}}
access_control:
  default_policy: deny
  rules:
    - {domain: public.example.com, policy: bypass}
    - {domain: app.example.com, networks: [office], policy: one_factor}
    - {domain: app.example.com, subject: 'group:admins', resources: ['^/admin'], policy: two_factor}
    - {domain: '*.example.com', methods: [GET], policy: one_factor}
";

#[track_caller]
fn check(flags: &str, expected: &str) {
    let desk = Desk::new();
    desk.write("configuration.yml", CONFIGURATION);
    let arguments = ["access-control", "check-policy"];
    let arguments: Vec<&str> = arguments
        .into_iter()
        .chain(flags.split_whitespace())
        .collect();
    let said = desk.run(&arguments).done();
    assert_eq!(said, expected, "\n{flags}\n{said}");
}

#[test]
fn the_rule_that_decides_is_marked_and_named_with_its_line() {
    check(
        "--url https://app.example.com/admin --username john --groups dev,admins",
        "\
Request: GET https://app.example.com/admin by `john` of dev, admins

    #  domain  resource  query  method  network  subject  policy
    1  miss    -         -      -       -        -        bypass
    2  hit     -         -      -       miss     -        one_factor
*   3  hit     hit       -      -       -        hit      two_factor

Policy `two_factor` applies, from rule 3 (configuration.yml:10:7).
",
    );
    check(
        "--url https://app.example.com/ --ip 192.0.2.7",
        "\
Request: GET https://app.example.com/ by nobody known from 192.0.2.7

    #  domain  resource  query  method  network  subject  policy
    1  miss    -         -      -       -        -        bypass
*   2  hit     -         -      -       hit      -        one_factor

Policy `one_factor` applies, from rule 2 (configuration.yml:9:7).
",
    );
}

#[test]
fn what_depends_on_a_login_and_what_no_rule_speaks_of_is_said() {
    check(
        "--url https://app.example.com/admin --verbose",
        "\
Request: GET https://app.example.com/admin by nobody known

    #  domain  resource  query  method  network  subject  policy
    1  miss    -         -      -       -        -        bypass
    2  hit     -         -      -       miss     -        one_factor
*   3  hit     hit       -      -       -        may      two_factor
    4  hit     -         -      hit     -        -        one_factor

Policy `two_factor` applies, from rule 3 (configuration.yml:10:7).
The rule asks who the visitor is: they are sent to log in, and the rules are asked again then.
",
    );
    check(
        "--url https://elsewhere.org/ --method POST --username john",
        "\
Request: POST https://elsewhere.org/ by `john`

    #  domain  resource  query  method  network  subject  policy
    1  miss    -         -      -       -        -        bypass
    2  miss    -         -      -       miss     -        one_factor
    3  miss    miss      -      -       -        miss     two_factor
    4  miss    -         -      miss    -        -        one_factor

Policy `deny` applies, from `access_control.default_policy`: no rule matches.
No entry of `session.cookies` covers this host: a proxy that asks about it is answered 400.
",
    );
}

#[test]
fn a_url_that_is_not_judged_and_a_wrong_configuration_are_told_apart() {
    let desk = Desk::new();
    desk.write("configuration.yml", CONFIGURATION);
    let judged = |url: &str| desk.run(&["access-control", "check-policy", "--url", url]);
    assert!(
        judged("http://app.example.com/")
            .failed(64)
            .contains("https")
    );
    assert!(
        judged("https://a@app.example.com/")
            .failed(64)
            .contains("host")
    );
    desk.write("configuration.yml", "nonsense: 1\n");
    assert!(
        judged("https://app.example.com/")
            .failed(1)
            .contains("configuration.yml:1:1: nonsense")
    );
}
