//! Filters: what templates become, and what is said about those that cannot become anything.

use super::{BASE, load_filtered, printed};
use crate::config::{Config, Filter, Problem, Source, Surroundings};

/// What `template` becomes; `/secrets/…` can be read.
fn rendered(template: &str) -> Result<String, Vec<String>> {
    let read_file = |path: &std::path::Path| {
        let text = match path.to_str() {
            Some("/secrets/key") => "one line\n",
            Some("/secrets/pem") => "-----BEGIN-----\nabc\n-----END-----\n",
            _ => return Err(std::io::Error::from(std::io::ErrorKind::NotFound)),
        };
        Ok(super::source("secret", text))
    };
    let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let surroundings = Surroundings {
        variables: vec![
            variable("DOMAIN", "example.com"),
            variable("HOSTS", "a,b,c"),
            variable("AUTHELIA_JWT_SECRET", "hidden"),
        ],
        host_name: "n1",
        read_file: &read_file,
        filters: &[Filter::Template],
    };
    let source: Source = super::source("c.yml", template);
    crate::config::rendered(&[source], &surroundings)
        .map(|texts| texts.concat())
        .map_err(|problems| printed(&problems))
}

#[track_caller]
fn becomes(template: &str, expected: &str) {
    assert_eq!(rendered(template).as_deref(), Ok(expected), "{template}");
}

#[track_caller]
fn refused(template: &str, expected: &str) {
    let found = rendered(template).unwrap_err().join("\n");
    assert!(found.contains(expected), "{template}: {found}");
}

#[test]
fn values_come_from_the_environment_and_from_files() {
    becomes("a: {{ env \"DOMAIN\" }}", "a: example.com");
    becomes("a: {{env `DOMAIN`}}!", "a: example.com!");
    becomes("a: '{{ env \"NONE\" }}'", "a: ''");
    becomes("a: {{ env \"AUTHELIA_JWT_SECRET\" | quote }}", "a: \"\"");
    becomes("{{ mustEnv \"DOMAIN\" }}", "example.com");
    becomes(
        "{{ expandenv \"x.${DOMAIN}/$DOMAIN\" }}",
        "x.example.com/example.com",
    );
    becomes("{{ secret \"/secrets/key\" }}|", "one line|");
    becomes("{{ fileContent \"/secrets/key\" }}|", "one line\n|");
    refused(
        "\n{{ mustEnv \"NONE\" }}",
        "c.yml:2:1: template: the environment variable `NONE` is not set; set it",
    );
    refused("{{ secret \"/none\" }}", "`/none` cannot be read");
}

#[test]
fn long_values_are_indented_and_quoted_as_yaml_needs_them() {
    becomes(
        "key: {{ secret \"/secrets/pem\" | mindent 4 \"|\" | msquote }}\n",
        "key: |\n    -----BEGIN-----\n    abc\n    -----END-----\n",
    );
    becomes(
        "key: {{ secret \"/secrets/key\" | mindent 4 \"|\" | msquote }}",
        "key: 'one line'",
    );
    becomes(
        "key: {{ secret \"/secrets/key\" | mquote }}",
        "key: \"one line\"",
    );
    becomes("key: |\n{{- \"a\\nb\" | nindent 2 }}", "key: |\n  a\n  b");
    becomes("{{ indent 2 \"a\\nb\" }}", "  a\n  b");
    becomes(
        "{{ squote \"it's\" }} {{ quote \"a\\\"b\\\\\" }}",
        "'it''s' \"a\\\"b\\\\\"",
    );
}

#[test]
fn blanks_are_trimmed_and_comments_vanish() {
    becomes("a  {{- \"b\" -}}  \n c", "abc");
    becomes("a {{/* nothing */}} b {{- /* nor\nhere */ -}} c", "a  bc");
    becomes("{{ -5 }}{{ 3 }}", "-53");
}

#[test]
fn sections_choose_and_repeat() {
    becomes("{{ if env \"DOMAIN\" }}yes{{ else }}no{{ end }}", "yes");
    becomes(
        "{{ if env \"NONE\" }}a{{ else if eq 1 2 }}b{{ else if true }}c{{ else }}d{{ end }}",
        "c",
    );
    becomes(
        "{{ if and (env \"DOMAIN\") (not (env \"NONE\")) }}both{{ end }}",
        "both",
    );
    becomes("{{ with env \"NONE\" }}x{{ else }}none{{ end }}", "none");
    becomes(
        "{{ with env \"DOMAIN\" }}*.{{ . }}{{ end }}",
        "*.example.com",
    );
    becomes(
        "rules:{{ range splitList \",\" (env \"HOSTS\") }}\n  - domain: {{ . }}.{{ env \"DOMAIN\" }}{{ end }}\n",
        "rules:\n  - domain: a.example.com\n  - domain: b.example.com\n  - domain: c.example.com\n",
    );
    becomes(
        "{{ range $i, $h := list \"x\" \"y\" }}{{ $i }}={{ $h }};{{ end }}",
        "0=x;1=y;",
    );
    becomes(
        "{{ range iterate 3 }}{{ . }}{{ end }}{{ range list }}{{ else }}none{{ end }}",
        "012none",
    );
    becomes(
        "{{ $d := env \"DOMAIN\" }}{{ $n := 1 }}{{ if true }}{{ $n = 2 }}{{ end }}{{ $d }}{{ $n }}",
        "example.com2",
    );
    becomes(
        "{{ $m := dict \"a\" (dict \"b\" 7) }}{{ $m.a.b }}{{ with $m }}{{ .a.b }}{{ end }}",
        "77",
    );
}

#[test]
fn functions_do_what_they_are_called() {
    becomes(
        "{{ env \"NONE\" | default \"d\" }} {{ default \"d\" \"g\" }}",
        "d g",
    );
    becomes(
        "{{ upper \"a\" }}{{ lower \"B\" }}{{ title \"ab cd\" }}{{ trim \" x \" }}",
        "AbAb Cdx",
    );
    becomes(
        "{{ \"a-b\" | replace \"-\" \"_\" }}{{ trimPrefix \"x\" \"xy\" }}{{ trimSuffix \".\" \"z.\" }}{{ trimAll \"/\" \"/q/\" }}",
        "a_byzq",
    );
    becomes(
        "{{ contains \"b\" \"abc\" }} {{ hasPrefix \"a\" \"abc\" }} {{ hasSuffix \"a\" \"abc\" }}",
        "true true false",
    );
    becomes(
        "{{ join \"+\" (sortAlpha (list \"b\" \"a\")) }} {{ len \"abc\" }} {{ index (list 4 5) 1 }}",
        "a+b 3 5",
    );
    becomes("{{ (split \",\" \"a,b\")._1 }}|", "b|");
    becomes("{{ printf \"%s-%d %q%%\" \"a\" 2 \"c\" }}", "a-2 \"c\"%");
    becomes(
        "{{ b64enc \"hi\" }} {{ b64dec \"aGk=\" }} {{ urlquery \"a b/c\" }} {{ urlunquery \"a+b%2Fc\" }}",
        "aGk= hi a+b%2Fc a b/c",
    );
    becomes(
        "{{ sha1sum \"\" }}",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    );
    becomes(
        "{{ base \"/a/b.yml\" }} {{ dir \"/a/b.yml\" }} {{ ext \"/a/b.yml\" }} {{ isAbs \"/a\" }}",
        "b.yml /a .yml true",
    );
}

#[test]
fn what_cannot_be_rendered_is_told_by_line_and_with_advice() {
    refused(
        "a\nb {{ secrt \"/x\" }}",
        "c.yml:2:1: template: there is no function `secrt`; did you mean `secret`?",
    );
    refused("{{ if true }}\n", "a section is not closed");
    refused("{{ end }}", "without a beginning");
    refused(
        "a\n{{ \"b }}\n",
        "c.yml:2:1: template: a text is not closed",
    );
    refused("{{ template \"x\" }}", "`template` is not supported");
    refused("{{ .Env.X }}", "`.Env` is not there");
    refused("{{ $x }}", "there is no variable `$x`");
    refused("{{ (list }}", "a parenthesis is not closed");
    refused(
        "{{ indent \"a\" }}",
        "argument 1 of `indent` must be a whole number",
    );
    refused(
        "{{ range iterate 9999 }}{{ range iterate 9999 }}x{{ end }}{{ end }}",
        "goes on for too long",
    );
    refused("{{", "an action is not closed");
    refused("{{ }}", "an action without a value");
    refused("{{/* x }}", "a comment is not closed");
    refused(&"{{ if true }}".repeat(40), "is nested deeper");
}

fn loaded(yaml: &str, filters: &[Filter]) -> Result<Config, Vec<Problem>> {
    let variables = [("THEME", "dark"), ("LONG", "a\nb")];
    load_filtered(&[("base.yml", BASE), ("c.yml", yaml)], &variables, filters)
}

#[test]
fn a_configuration_goes_through_its_filters_in_order() {
    let both = [Filter::Template, Filter::ExpandEnv];
    let config = loaded("theme: {{ \"${THEME}\" }}\n", &both).unwrap();
    assert_eq!(config.theme, crate::config::Theme::Dark);
    assert!(
        config
            .notices
            .iter()
            .any(|notice| notice.message.contains("`expand-env` is an older one"))
    );
    let config = loaded(
        "log: {file_path: '/var/log/$5 ${THEME} ${NOT SO} $NONE.'}\n",
        &[Filter::ExpandEnv],
    )
    .unwrap();
    assert_eq!(
        config.log.file_path.as_deref(),
        Some("/var/log/ dark ${NOT SO} .")
    );
}

#[test]
fn places_are_those_of_the_file_as_it_was_written() {
    let yaml =
        "log:\n  level: {{ range iterate 4 }}\n    # {{ . }}{{ end }}\n    info\ntheme: purple\n";
    let problems = loaded(yaml, &[Filter::Template]).unwrap_err();
    assert_eq!(printed(&problems)[0].split(": ").next(), Some("c.yml:5:8"));
    let yaml = "theme: light # $LONG\nlog: {level: loud}\n";
    let problems = loaded(yaml, &[Filter::ExpandEnv]).unwrap_err();
    assert!(
        printed(&problems)
            .iter()
            .any(|line| line.starts_with("c.yml:2:")),
        "{problems:?}"
    );
}

fn fragment() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    prop_oneof![
        Just("{{ ".to_owned()),
        Just(" }}".to_owned()),
        Just(" -}}".to_owned()),
        "(if|else|end|range|with|iterate|list|dict|split|indent|printf|index|env|secret|define) ",
        "[$.|()=,\"`\\\\/*: -]{1,4}",
        "[a-z0-9é\n]{0,4}",
        Just("$x := ".to_owned()),
        Just(" 99999999999 ".to_owned()),
    ]
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(500))]

    #[test]
    fn whatever_a_template_holds_rendering_ends(parts in proptest::collection::vec(fragment(), 0..40)) {
        let _ = rendered(&parts.concat());
    }
}
