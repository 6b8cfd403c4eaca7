//! One configuration with its users, running, and the cases in its folder.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::{PasswordHasher, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use serde_yaml::Value;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Order;
use super::exchange::{self, Reply};
use super::judge::{find, first, judge};
use super::script::{self, Ask, Case, Deed, Expect, Step};
use super::world::World;
use crate::harness::{Authority, Client, Process, Request, binary, free_port, until, until_some};

/// How many cases run at once.
const AT_ONCE: usize = 8;
/// How long the server may take to be ready.
const READY: Duration = Duration::from_secs(60);
/// How long a mail may take to be there.
const MAIL: Duration = Duration::from_secs(5);

/// Where the cases are.
pub(super) fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/conformance")
}

/// The names of all folders with cases.
pub(super) fn folders() -> Vec<String> {
    let entries = fs::read_dir(data())
        .expect("the folder of the cases")
        .map(|entry| entry.expect("an entry"));
    let folders = entries.filter(|entry| entry.path().is_dir());
    folders
        .map(|entry| entry.file_name().into_string().expect("text"))
        .collect()
}

/// The cases of a folder, in the order of its files; `setup` is none. Only of files that begin with one of the letters,
/// if there are any.
pub(super) fn cases(folder: &str, beginnings: &str) -> Vec<Case> {
    let is_meant = |path: &Path| {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        beginnings.is_empty() || name.starts_with(|first| beginnings.contains(first))
    };
    let mut files: Vec<PathBuf> = fs::read_dir(data().join(folder))
        .expect("a folder of cases")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .filter(|path| !path.ends_with("setup.txt") && is_meant(path))
        .collect();
    files.sort();
    files.iter().flat_map(|file| read(file)).collect()
}

fn read(file: &Path) -> Vec<Case> {
    let text = fs::read_to_string(file).expect("a file of cases");
    script::parse(&file.display().to_string(), &text)
}

/// The running server and how it is reached.
pub(super) struct Place {
    pub(super) client: Client,
    pub(super) metrics: SocketAddr,
    users: Value,
    configuration: PathBuf,
    mailbox: PathBuf,
}

/// A server with the cases that are asked of it. It stops when this is dropped.
pub(super) struct Fixture {
    folder: String,
    place: Arc<Place>,
    // The process ends before its files vanish: fields are dropped in this order.
    _process: Process,
    _files: TempDir,
}

impl Place {
    /// What a site is told of a user: name, groups, display name, address.
    pub(super) fn remote(&self, name: &str) -> [String; 4] {
        let user = &self.users["users"][name];
        let text = |key: &str| user[key].as_str().unwrap_or_default().to_owned();
        let groups = user["groups"]
            .as_sequence()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        // A group with a comma would read as two.
        let groups: Vec<&str> = groups.filter(|group| !group.contains(',')).collect();
        [
            name.to_owned(),
            groups.join(","),
            text("displayname"),
            text("email"),
        ]
    }
}

impl Fixture {
    /// Writes the configuration and the users file of a folder, and starts the server.
    pub(super) async fn start(folder: &str) -> Self {
        let source = data().join(folder);
        let files = tempfile::Builder::new()
            .prefix("quorate-test-")
            .tempdir()
            .expect("a folder");
        let authority = Authority::new(files.path());
        let pair = authority.sign("node", &["auth.example.com", "127.0.0.1"]);
        let local = || SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let (http, metrics) = (local(), local());
        let users = fs::read_to_string(source.join("users.yml")).expect("users.yml");
        let users: Value = serde_yaml::from_str(&users).expect("YAML");
        fs::write(files.path().join("users.yml"), users_file(users.clone()))
            .expect("write users.yml");
        let text = fs::read_to_string(source.join("configuration.yml")).expect("configuration.yml");
        let text = text
            .replace("@PORT@", &http.port().to_string())
            .replace("@MPORT@", &metrics.port().to_string())
            .replace("@DIR@", &files.path().display().to_string())
            .replace("@CERT@", &pair.certificate.display().to_string())
            .replace("@KEY@", &pair.key.display().to_string());
        let configuration = files.path().join("configuration.yml");
        fs::write(&configuration, text).expect("write configuration.yml");
        let mut command = Command::new(binary());
        command.arg("serve").arg("--config").arg(&configuration);
        let fixture = Self {
            folder: folder.to_owned(),
            _process: Process::start(folder, command, files.path()),
            place: Arc::new(Place {
                client: Client::new(http, &authority),
                metrics,
                users,
                configuration,
                mailbox: files.path().join("notification.txt"),
            }),
            _files: files,
        };
        fixture.wait_until_ready().await;
        fixture
    }

    async fn wait_until_ready(&self) {
        let health = Request::get("https://auth.example.com/api/health");
        until("the server is ready", READY, || async {
            let answer = self.place.client.try_send(&health).await;
            answer.is_ok_and(|answer| answer.status == 200)
        })
        .await;
    }

    /// Runs all cases, each after what `setup.txt` has done.
    pub(super) async fn run(
        &self,
        beginnings: &str,
        order: Order,
    ) -> Vec<(Case, Result<(), String>)> {
        let mut world = World::default();
        for case in read(&data().join(&self.folder).join("setup.txt")) {
            let done = case_in(&self.place, &mut world, &case).await;
            done.unwrap_or_else(|problem| panic!("the setup of {} failed: {problem}", self.folder));
        }
        let cases = cases(&self.folder, beginnings);
        match order {
            Order::InTurn => {
                let mut results = Vec::new();
                for case in cases {
                    let result = case_in(&self.place, &mut world, &case).await;
                    results.push((case, result));
                }
                results
            }
            Order::AtOnce => self.run_at_once(&world, cases).await,
        }
    }

    async fn run_at_once(
        &self,
        world: &World,
        cases: Vec<Case>,
    ) -> Vec<(Case, Result<(), String>)> {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut running = JoinSet::new();
        for case in cases {
            let (mut world, places, place) =
                (world.clone(), Arc::clone(&places), Arc::clone(&self.place));
            running.spawn(async move {
                let _permit = places.acquire().await.expect("an open semaphore");
                let result = case_in(&place, &mut world, &case).await;
                (case, result)
            });
        }
        let mut results = running.join_all().await;
        results.sort_by(|(one, _), (other, _)| one.id.cmp(&other.id));
        results
    }
}

/// The users file with cheap hashes in place of the passwords.
fn users_file(mut users: Value) -> String {
    let params = Params::new(64, 1, 1, None).expect("parameters of argon2");
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let salt = SaltString::from_b64("c2FsdHNhbHRzYWx0").expect("a salt");
    let entries = users["users"].as_mapping_mut().expect("users");
    for (_, user) in entries.iter_mut() {
        let password = user["password"].as_str().expect("a password").to_owned();
        let hash = hasher
            .hash_password(password.as_bytes(), &salt)
            .expect("a hash");
        user["password"] = Value::String(hash.to_string());
    }
    serde_yaml::to_string(&users).expect("YAML")
}

async fn case_in(place: &Arc<Place>, world: &mut World, case: &Case) -> Result<(), String> {
    for step in &case.steps {
        let (line, result) = match step {
            Step::Do(line, deed) => (line, act(place, world, deed).await),
            Step::Ask(ask) => (&ask.line, ask_for(place, world, ask).await),
        };
        result.map_err(|problem| format!("line {line}: {problem}"))?;
    }
    Ok(())
}

async fn act(place: &Arc<Place>, world: &mut World, deed: &Deed) -> Result<(), String> {
    match deed {
        Deed::Sleep(time) => tokio::time::sleep(*time).await,
        Deed::Set(name, value) => {
            world.await_codes(value).await;
            let value = world.fill(value)?;
            world.keep(name, value);
        }
        Deed::EmptyMailbox => fs::write(&place.mailbox, "").map_err(|error| error.to_string())?,
        Deed::Mail(name, pattern) => {
            let found = tokio::time::timeout(
                MAIL,
                until_some("a mail", MAIL * 2, || async {
                    first(pattern, &fs::read_to_string(&place.mailbox).ok()?)
                }),
            );
            let found = found.await.map_err(|_| format!("no mail has {pattern}"))?;
            world.keep(name, found);
        }
        Deed::Totp(user, secret) => {
            let mut command = tokio::process::Command::new(binary());
            command.args([
                "storage", "user", "totp", "generate", user, "--secret", secret, "--config",
            ]);
            let output = command
                .arg(&place.configuration)
                .output()
                .await
                .map_err(|error| error.to_string())?;
            if !output.status.success() {
                return Err(String::from_utf8_lossy(&output.stderr).into_owned());
            }
            world.keep(&format!("totp_secret_{user}"), secret.clone());
        }
    }
    Ok(())
}

async fn ask_for(place: &Arc<Place>, world: &mut World, ask: &Ask) -> Result<(), String> {
    let codes = [&ask.request.body, &ask.request.raw];
    for text in codes.into_iter().flatten() {
        world.await_codes(text).await;
    }
    if !ask.at_once.is_empty() {
        return at_once(place, world, ask).await;
    }
    for _ in 0..ask.times {
        let reply = exchange::send(place, world, &ask.request, &ask.jars).await?;
        take(world, ask, &reply)?;
        let wrong = judge(place, world, &ask.expect, &reply);
        if !wrong.is_empty() {
            return Err(wrong.join("; "));
        }
    }
    Ok(())
}

/// Takes what the case wants to keep of an answer.
fn take(world: &mut World, ask: &Ask, reply: &Reply) -> Result<(), String> {
    if let Some(jar) = &ask.save {
        world.save(jar, reply);
    }
    for (name, source) in &ask.keep {
        let text = find(source, reply)?;
        world.keep(name, text);
    }
    Ok(())
}

/// The same request with each of several jars, all at once.
async fn at_once(place: &Arc<Place>, world: &World, ask: &Ask) -> Result<(), String> {
    let mut asking = JoinSet::new();
    for jar in &ask.at_once {
        let (place, world) = (Arc::clone(place), world.clone());
        let (request, jar) = (ask.request.clone(), [jar.clone()]);
        asking.spawn(async move { exchange::send(&place, &world, &request, &jar).await });
    }
    let replies: Result<Vec<Reply>, String> = asking.join_all().await.into_iter().collect();
    let statuses: Vec<u16> = replies?.iter().map(|reply| reply.status).collect();
    for expect in &ask.expect {
        let Expect::Count(count, status) = expect else {
            continue;
        };
        let found = statuses.iter().filter(|found| *found == status).count();
        if found != *count {
            return Err(format!("{found} of {statuses:?} are {status}, not {count}"));
        }
    }
    Ok(())
}
