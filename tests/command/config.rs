//! `quorate config`: files, directories, variables, secrets from files and filters, as a person has them.

use super::Desk;

/// A whole configuration in the shape that people who started from Authelia's own template have.
const USUAL: &str = "\
---
theme: 'dark'
server:
  address: 'tcp://:9091/'
log:
  level: 'info'
  file_path: '/config/authelia.log'
totp:
  issuer: 'example.com'
webauthn:
  disable: false
  timeout: '60 seconds'
identity_validation:
  reset_password:
    jwt_secret: 'something_secret_for_jwt'
ntp:
  address: 'udp://time.cloudflare.com:123'
authentication_backend:
  password_reset:
    disable: false
  refresh_interval: '5 minutes'
  file:
    path: 'users_database.yml'
    password:
      algorithm: 'argon2'
      argon2: {variant: 'argon2id', iterations: 3, memory: 65536, parallelism: 4}
password_policy:
  zxcvbn: {enabled: true, min_score: 3}
access_control:
  default_policy: 'deny'
  rules:
    - domain: 'public.example.com'
      policy: 'bypass'
    - domain: ['secure.example.com', 'admin.example.com']
      policy: 'two_factor'
      subject: ['group:admins']
session:
  secret: 'insecure_session_secret'
  cookies:
    - name: 'authelia_session'
      domain: 'example.com'
      authelia_url: 'https://auth.example.com'
      expiration: '1 hour'
      inactivity: '5 minutes'
      default_redirection_url: 'https://www.example.com'
  redis:
    host: 'redis'
    port: 6379
regulation:
  max_retries: 3
  find_time: '2 minutes'
  ban_time: '5 minutes'
storage:
  encryption_key: 'you_must_generate_a_random_string_of_more_than_twenty_chars'
  postgres:
    address: 'tcp://postgres:5432'
    database: 'authelia'
    username: 'authelia'
    password: 'mypassword'
notifier:
  filesystem:
    filename: '/config/notification.txt'
...
";

/// A folder with a users file.
pub(super) fn desk() -> Desk {
    let desk = Desk::new();
    let line =
        "crypto hash generate argon2 --password secret --memory 64 --iterations 1 --parallelism 1";
    let made = desk.run(&line.split(' ').collect::<Vec<_>>()).done();
    let digest = made.trim().strip_prefix("Digest: ").expect("a digest");
    let john = format!("{{displayname: John, email: 'john@example.com', password: '{digest}'}}");
    desk.write("users_database.yml", &format!("users:\n  john: {john}\n"));
    desk
}

#[test]
fn a_configuration_in_the_usual_shape_is_valid_and_says_what_is_not_needed() {
    let desk = desk();
    desk.write("configuration.yml", USUAL);
    let said = desk.run(&["config", "validate"]).done();
    for notice in [
        "session.redis: accepted, not needed here",
        "storage.postgres: accepted, not needed here",
        "ntp: accepted, not needed here",
        "webauthn: accepted; has no effect yet",
    ] {
        assert!(said.contains(notice), "{notice} is missing in\n{said}");
    }
    assert!(
        said.ends_with("The configuration is valid: 2 access rules, 1 user.\n"),
        "{said}"
    );
    assert_eq!(
        desk.run(&["validate-config"]).done(),
        said,
        "the older name of the command"
    );
}

#[test]
fn files_and_directories_are_laid_over_one_another() {
    let desk = desk();
    desk.write("base.yml", USUAL);
    desk.write(
        "more/10-rules.yml",
        "access_control: {rules: [{domain: a.example.com, policy: bypass}]}\n",
    );
    desk.write("more/20-key.yaml", "storage: {encryption_key: short}\n");
    desk.write("more/README.txt", "not read\n");
    let said = desk
        .run(&["config", "validate", "--config", "base.yml,more"])
        .failed(1);
    assert!(
        said.contains("more/20-key.yaml:1:27: storage.encryption_key: must have at least 20"),
        "{said}"
    );
    std::fs::remove_file(desk.path("more/20-key.yaml")).expect("removed");
    let said = desk.run_with(
        &[("X_AUTHELIA_CONFIG", "base.yml,more")],
        &["config", "validate"],
    );
    assert!(said.done().contains("1 access rule,"));
}

#[test]
fn variables_and_secrets_from_files_come_last_and_are_named_in_errors() {
    let desk = desk();
    let without_key = USUAL.replace(
        "  encryption_key: 'you_must_generate_a_random_string_of_more_than_twenty_chars'\n",
        "",
    );
    desk.write("configuration.yml", &without_key);
    desk.write("key", "a key of more than twenty characters\n");
    let with = |variables: &[(&str, &str)]| desk.run_with(variables, &["config", "validate"]);
    const FILE: &str = "AUTHELIA_STORAGE_ENCRYPTION_KEY_FILE";
    with(&[(FILE, "key")]).done();
    assert!(
        with(&[])
            .failed(1)
            .contains("storage.encryption_key: is required")
    );
    let missing = with(&[(FILE, "nowhere")]).failed(1);
    assert!(
        missing.contains(&format!("environment variable {FILE}")),
        "{missing}"
    );
    let twice = with(&[
        (FILE, "key"),
        (
            "AUTHELIA_STORAGE_ENCRYPTION_KEY",
            "another key of many characters",
        ),
    ]);
    assert!(twice.failed(1).contains("keep one of the two"));
    let wrong = with(&[(FILE, "key"), ("QUORATE_SESSION_INACTIVITY", "soon")]).failed(1);
    assert!(wrong.contains("environment variable QUORATE_SESSION_INACTIVITY: session.inactivity: must be a duration"), "{wrong}");
}

#[test]
fn filters_are_named_by_flag_or_variable_and_their_result_can_be_seen() {
    let desk = desk();
    let templated = USUAL.replace("'example.com'", "'{{ env \"DOMAIN\" }}'");
    desk.write("configuration.yml", &templated);
    let unfiltered = desk.run(&["config", "validate"]).failed(1);
    assert!(
        unfiltered.contains("only the filter `template` replaces"),
        "{unfiltered}"
    );
    let variables = [
        ("DOMAIN", "example.com"),
        ("X_AUTHELIA_CONFIG_FILTERS", "template"),
    ];
    desk.run_with(&variables, &["config", "validate"]).done();
    let shown = desk.run_with(&variables, &["config", "template"]).done();
    assert!(
        shown.contains("domain: 'example.com'") && !shown.contains("{{"),
        "{shown}"
    );
    assert!(
        desk.run(&["config", "validate", "--config.experimental.filters", "sed"])
            .failed(64)
            .contains("expand-env")
    );
}

#[test]
fn the_reference_is_printed_for_people_and_for_editors() {
    let desk = Desk::new();
    let page = desk.run(&["config", "reference"]).done();
    assert!(page.contains("| `server.trusted_proxies` |"));
    let schema = desk
        .run(&["config", "reference", "--format", "json-schema"])
        .done();
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("JSON");
    let members = &schema["properties"]["cluster"]["properties"]["members"];
    assert!(
        members["description"]
            .as_str()
            .expect("text")
            .starts_with("works"),
        "{members}"
    );
}
