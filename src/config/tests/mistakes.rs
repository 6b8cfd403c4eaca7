//! What is said about mistakes.

use super::{check, load, notices, over_base, printed};

#[test]
fn ten_mistakes_are_ten_lines() {
    let yaml = "\
theme: drak
server:
  adress: 'tcp://:9091'
  buffers: {read: lots}
session:
  expiration: 1 fortnight
  cookies:
    - domain: example.com
      authelia_url: http://auth.example.com
    - domain: .example.net
      authelia_url: https://auth.example.net
regulation:
  find_time: 10m
  ban_time: 5m
  find_time: 2m
access_control:
  default_policy: one_factor
  rules:
    - domain: a.example.com
      policy: onefactor
    - policy: bypass
storage:
  encryption_key: short
authentication_backend:
  file: {path: /users.yml}
";
    let found = printed(&load(&[("configuration.yml", yaml)], &[]).unwrap_err());
    assert_eq!(
        found,
        [
            "configuration.yml:1:8: theme: must be `auto`, `light`, `dark`, `grey` or `oled`, is `drak`; did you mean `dark`?",
            "configuration.yml:3:3: server.adress: is not a key of the configuration; did you mean `address`?",
            "configuration.yml:4:19: server.buffers.read: must be a whole number, is `lots`",
            "configuration.yml:6:15: session.expiration: must be a duration, is `1 fortnight`; write `30s`, `5m`, `1h30m`, `7d`; a bare number is seconds",
            "configuration.yml:9:21: session.cookies[0].authelia_url: must be an https URL, is `http://auth.example.com`; write `https://auth.example.com`",
            "configuration.yml:10:15: session.cookies[1].domain: must not begin with a dot, is `.example.net`; write `example.net`",
            "configuration.yml:13:14: regulation.find_time: must be at most `ban_time`, is 600 s with a `ban_time` of 300 s; lower `find_time` or raise `ban_time`",
            "configuration.yml:15:3: regulation.find_time: is there twice, first in line 13; keep one of the two",
            "configuration.yml:20:15: access_control.rules[0].policy: must be `bypass`, `deny`, `one_factor` or `two_factor`, is `onefactor`; did you mean `one_factor`?",
            "configuration.yml:21:7: access_control.rules[1].domain: a rule needs `domain` or `domain_regex`",
            "configuration.yml:23:19: storage.encryption_key: must have at least 20 characters, has 5; set it to a random text, such as the output of `openssl rand -hex 32`; it is the same on all members",
        ]
    );
}

#[test]
fn an_empty_configuration_names_what_it_needs() {
    for text in ["", "---\n", "# nothing\n", "~\n", "{}"] {
        let found = printed(&load(&[("c.yml", text)], &[]).unwrap_err());
        let keys: Vec<&str> = found
            .iter()
            .filter_map(|line| line.split(": ").nth(1))
            .collect();
        assert_eq!(
            keys,
            [
                "storage.encryption_key",
                "access_control.default_policy",
                "session.cookies",
                "authentication_backend.file.path"
            ],
            "{text:?}"
        );
    }
    assert_eq!(load(&[], &[]).unwrap_err().len(), 4);
}

#[test]
fn nothing_is_called_missing_from_a_file_that_is_not_yaml() {
    let broken = "storage: {encryption_key: 'aaaaaaaaaaaaaaaaaaaaaaaa}\n";
    let other = "theme: dark\ntheme: grey\n";
    let found = printed(&load(&[("a.yml", broken), ("b.yml", other)], &[]).unwrap_err());
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("is not YAML here"), "{found:?}");
    assert!(found[1].starts_with("b.yml:2:1: "), "{found:?}");
}

#[test]
fn what_is_not_yaml_is_pointed_at() {
    check(
        "access_control: {rules: [{domain: *.example.com, policy: bypass}]}\n",
        &[
            "c.yml:1:35: is not YAML here: while parsing node, found unknown anchor; quote a text that begins with `*` or `&`, such as `'*.example.com'`",
        ],
    );
    check(
        "server:\n  address: 'tcp://\n",
        &[
            "c.yml:2:12: is not YAML here: while scanning a quoted scalar, found unexpected end of stream; look at this line and the one above: indentation, quotes, a missing colon",
        ],
    );
    check(
        "theme: dark\n---\ntheme: dark\n",
        &[
            "c.yml:2:1: starts a second document; put it into a file of its own and name both with --config",
        ],
    );
    check(
        "? [a]\n: b\n",
        &[
            "c.yml:1:3: is used as a key, which must be plain text; write `key: value`; quote a value that begins with a brace or bracket",
        ],
    );
    check(
        "theme: !secret dark\n",
        &["c.yml:1:16: has the tag `!secret`, which has no meaning here; remove the tag"],
    );
}

#[test]
fn a_key_in_the_wrong_place_is_led_to_the_right_one() {
    check(
        "session:\n  authelia_url: https://auth.example.com\n",
        &[
            "c.yml:2:3: session.authelia_url: is not a key of the configuration; `authelia_url` belongs at `session.cookies[].authelia_url`",
        ],
    );
    check(
        "zzz: 1\n",
        &["c.yml:1:1: zzz: is not a key of the configuration; remove it or correct its name"],
    );
}

#[test]
fn a_section_that_is_no_section_is_reported_once() {
    check(
        "server: 9091\n",
        &[
            "c.yml:1:9: server: must be a section of keys, is `9091`; write `key: value` lines, indented below it",
        ],
    );
    check(
        "session: {cookies: example.com}\n",
        &[
            "c.yml:1:20: session.cookies: must be a list, is `example.com`; begin each entry with `- `",
        ],
    );
}

#[test]
fn what_cannot_be_done_yet_is_refused_with_a_way_out() {
    check(
        "authentication_backend: {ldap: {address: 'ldap://x', nonsense: 1}}",
        &[
            "c.yml:1:26: authentication_backend.ldap: is not supported yet; write `authentication_backend.file.path` or `authentication_backend.replicated` instead",
        ],
    );
    check(
        "authentication_backend: {replicated: {search: {mail: true}}}",
        &[
            "c.yml:1:38: authentication_backend.replicated: stands beside `authentication_backend.file`: users come from one of the two; remove one; `quorate storage user import` takes the users of a file into the cluster",
            "c.yml:1:48: authentication_backend.replicated.search.mail: is not a key of the configuration; did you mean `email`?",
        ],
    );
    check(
        "notifier: {smtp: {address: 'smtp://x'}}",
        &[
            "c.yml:1:12: notifier.smtp: is not supported yet, and passwords are reset by mail; set `authentication_backend.password_reset.disable: true`, and it is accepted; or write `notifier.filesystem.filename` instead",
        ],
    );
    check(
        "identity_providers:\n  oidc:\n    clients: [{client_id: a}]\n",
        &[
            "c.yml:2:3: identity_providers.oidc: is not supported yet; applications that log in by OpenID Connect cannot: remove `clients`, or keep Authelia for them",
        ],
    );
    check(
        "duo_api: {hostname: a.b, integration_key: x, secret_key: y}",
        &[
            "c.yml:1:1: duo_api: is not supported yet; set `duo_api.disable: true` or remove the section",
        ],
    );
    for harmless in [
        "identity_providers: {oidc: {hmac_secret: x, clients: []}}",
        "duo_api: {disable: true, hostname: a.b}",
        "webauthn: {enable_passkey_login: true}",
        "{notifier: {smtp: {address: 'smtp://x'}}, authentication_backend: {password_reset: {disable: true}}}",
        "{notifier: {smtp: {address: 'smtp://x'}}, authentication_backend: {password_reset: {custom_url: 'https://x.example.com'}}}",
    ] {
        check(harmless, &[]);
    }
}

#[test]
fn what_is_accepted_without_effect_is_noted_once_per_section() {
    let yaml = "webauthn: {disable: true}\nsession: {redis: {host: a, port: 1}, secret: x}\nntp: {version: 4}\n";
    assert_eq!(
        notices(yaml),
        [
            "c.yml:1:1: webauthn: accepted; has no effect yet: there are no passkeys yet; people log in with a password, and second factors are one-time passwords",
            "c.yml:2:11: session.redis: accepted, not needed here: sessions are replicated by the members themselves; no Redis is used",
            "c.yml:2:38: session.secret: accepted, not needed here: no store outside the members holds sessions",
            "c.yml:3:1: ntp: accepted, not needed here: members compare their clocks with one another",
        ]
    );
    // A section without effect is still looked at: a mistake in it would surprise later.
    check(
        "totp: {isuer: a, digits: many}",
        &[
            "c.yml:1:8: totp.isuer: is not a key of the configuration; did you mean `issuer`?",
            "c.yml:1:26: totp.digits: must be a whole number, is `many`",
        ],
    );
    check(
        "totp: {algorithm: MD5, digits: 7, period: 5}",
        &[
            "c.yml:1:19: totp.algorithm: must be `SHA1`, `SHA256` or `SHA512`; write one of these, or remove the key",
            "c.yml:1:32: totp.digits: must be 6 or 8, is 7; write one of these, or remove the key",
            "c.yml:1:43: totp.period: must be from 15 to 86400, is `5`",
        ],
    );
}

#[test]
fn secrets_are_never_repeated() {
    let yaml = "storage: {encryption_key: hunter2}\ncluster: {secret: hunter2, members: [n1=a:1]}\nsession: {secret: [hunter2]}\n";
    let found = printed(&load(&[("c.yml", yaml)], &[]).unwrap_err()).join("\n");
    assert!(!found.contains("hunter2"), "{found}");
    let config = over_base("storage: {encryption_key: hunter2hunter2hunter2}");
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn templates_are_not_taken_for_values() {
    check(
        "storage:\n  encryption_key: '{{ secret \"/key\" }} and more'\ntheme: '{{ env \"X\" }}'\n",
        &[
            "c.yml:2:19: storage.encryption_key: holds `{{`, which only the filter `template` replaces; start with `--config.experimental.filters template`",
            "c.yml:3:8: theme: holds `{{`, which only the filter `template` replaces; start with `--config.experimental.filters template`",
        ],
    );
    let block = "session:\n  {{- if true }}\n  name: a\n";
    let found = printed(&load(&[("c.yml", block)], &[]).unwrap_err());
    assert!(found[0].contains("filters template"), "{found:?}");
}
