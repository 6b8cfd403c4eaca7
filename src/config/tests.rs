//! Configurations as data: what loads, and what is said about what does not.

mod files;
mod filters;
mod forms;
mod mistakes;
mod never_panics;
mod sections;
mod table;
mod variables;

use std::path::Path;

use super::{Config, Filter, Problem, Source, Surroundings, parse};

/// A configuration that starts: what every test adds its own lines to.
const BASE: &str = "\
storage: {encryption_key: aaaaaaaaaaaaaaaaaaaaaaaa}
authentication_backend: {file: {path: /config/users.yml}}
session: {cookies: [{domain: example.com, authelia_url: 'https://auth.example.com'}]}
access_control: {default_policy: one_factor}
";

fn source(file: &str, text: &str) -> Source {
    Source {
        file: file.to_owned(),
        text: text.to_owned(),
        world_readable: false,
    }
}

/// Parses files laid over one another, with variables; secret files are those of `/secrets`.
fn load(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Result<Config, Vec<Problem>> {
    load_filtered(files, variables, &[])
}

fn load_filtered(
    files: &[(&str, &str)],
    variables: &[(&str, &str)],
    filters: &[Filter],
) -> Result<Config, Vec<Problem>> {
    let sources: Vec<Source> = files
        .iter()
        .map(|(file, text)| source(file, text))
        .collect();
    let read_file = |path: &Path| match path.to_str() {
        Some("/secrets/key") => Ok(source(
            "/secrets/key",
            "a key of more than twenty characters\n",
        )),
        _ => Err(std::io::Error::from(std::io::ErrorKind::NotFound)),
    };
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let surroundings = Surroundings {
        variables,
        host_name: "n1",
        read_file: &read_file,
        filters,
    };
    parse(&sources, &surroundings)
}

fn printed(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

/// Loads [`BASE`] with `yaml` laid over it.
fn over_base(yaml: &str) -> Config {
    load(&[("base.yml", BASE), ("c.yml", yaml)], &[])
        .unwrap_or_else(|problems| panic!("{:#?}\n{yaml}", printed(&problems)))
}

/// Lays `yaml` over [`BASE`] and compares everything that is reported.
fn check(yaml: &str, expected: &[&str]) {
    let found = match load(&[("base.yml", BASE), ("c.yml", yaml)], &[]) {
        Ok(_) => Vec::new(),
        Err(problems) => printed(&problems),
    };
    assert_eq!(found, expected, "\n{yaml}");
}

/// The notices about `yaml` laid over [`BASE`].
fn notices(yaml: &str) -> Vec<String> {
    over_base(yaml)
        .notices
        .iter()
        .map(ToString::to_string)
        .collect()
}
