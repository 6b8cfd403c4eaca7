//! One run: a cluster, clients and a nemesis in threads, then the judgement of it all.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::check::converge::Convergence;
use crate::check::{self, Finding, Verdict, Violation};
use crate::choice::Choices;
use crate::cluster::{Cluster, Make, Population};
use crate::fault::{Family, Plan};
use crate::history::{Event, Recorder};
use crate::nemesis::{Nemesis, Strike};
use crate::sample::{Observer, Sample};
use crate::workload::World;
use crate::workload::checked as attack_checked;

/// What a run is.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) binary: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) seed: u64,
    pub(crate) length: Duration,
    pub(crate) nodes: usize,
    pub(crate) families: Vec<Family>,
    pub(crate) mutant: Option<String>,
}

/// What was recorded, and what it says.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) events: Vec<Event>,
    pub(crate) samples: Vec<Sample>,
    pub(crate) strikes: Vec<Strike>,
    pub(crate) findings: Vec<Finding>,
}

impl Outcome {
    /// The worst of all.
    pub(crate) fn verdict(&self) -> Verdict {
        let verdicts = self.findings.iter().map(|finding| finding.verdict);
        verdicts.max().unwrap_or(Verdict::Inconclusive)
    }
}

const OWNERS: u64 = 5;
const LOOKERS: u64 = 5;
const ATTACKERS: u64 = 2;
/// How long a cluster may take to heal after the last fault.
const HEALING: Duration = Duration::from_secs(60);

/// Runs the cluster, breaks it, and judges what was seen.
///
/// # Errors
/// The cluster cannot be started, or a process cannot be signalled. A broken promise is no error.
pub(crate) fn run(options: &Options) -> io::Result<Outcome> {
    let population = population(options.length);
    let mut cluster = Cluster::start(&Make {
        binary: &options.binary,
        folder: &options.folder,
        nodes: options.nodes,
        population,
        mutant: options.mutant.as_deref(),
    })?;
    let recorder = Recorder::start();
    let observer = Observer::new(cluster.addresses());
    let world = World::new(
        (cluster.addresses(), cluster.sockets()),
        &recorder,
        population,
    );
    let (strikes, end) = live(options, &mut cluster, &recorder, &observer, &world)?;
    drop(world);
    let checked = attack_checked(&cluster.logs());
    drop(cluster);
    let (events, samples) = (recorder.into_events(), observer.into_samples());
    let findings = vec![
        check::session::check(&events),
        check::guess::check(&events),
        check::guess::check_logs(&events, &checked),
        check::lease::check(&events, &samples, &strikes),
        check::raft::check(&samples),
        check::converge::check(&end),
        coverage(options, &events, &strikes),
    ];
    Ok(Outcome {
        events,
        samples,
        strikes,
        findings,
    })
}

/// Clients, observers and the nemesis at once; the nemesis decides when it is over.
fn live(
    options: &Options,
    cluster: &mut Cluster,
    recorder: &Recorder,
    observer: &Observer,
    world: &World<'_>,
) -> io::Result<(Vec<Strike>, Convergence)> {
    let until = Instant::now() + options.length;
    let stop_watching = AtomicBool::new(false);
    let every = options.length / u32::try_from(world.population.victims / ATTACKERS).unwrap_or(1);
    thread::scope(|scope| {
        for node in 0..cluster.count() {
            let stop = &stop_watching;
            scope.spawn(move || observer.watch(node, recorder, stop));
        }
        for number in 0..OWNERS {
            scope.spawn(move || world.own(Choices::new(options.seed, 100 + number)));
        }
        for number in 0..LOOKERS {
            scope.spawn(move || world.look(Choices::new(options.seed, 200 + number)));
        }
        for number in 0..ATTACKERS {
            scope.spawn(move || world.attack(Choices::new(options.seed, 300 + number), every));
        }
        let mut nemesis = Nemesis {
            cluster,
            observer,
            recorder,
            choices: Choices::new(options.seed, 1),
            strikes: Vec::new(),
        };
        let plan = Plan::new(options.seed, &options.families, longest_ms(options.length));
        let broken = nemesis.run(plan, until);
        let strikes = nemesis.strikes;
        if options.families.is_empty() {
            thread::sleep(until.saturating_duration_since(Instant::now()));
        }
        world.stop.store(true, Ordering::Relaxed);
        let end = broken.and_then(|()| cluster.converge(HEALING));
        if end.is_ok() {
            world.sweep();
        }
        stop_watching.store(true, Ordering::Relaxed);
        Ok((strikes, end?))
    })
}

/// The longest a fault may hold: a minute in a long run, less in a short one.
fn longest_ms(length: Duration) -> u64 {
    let tenth = u64::try_from(length.as_millis() / 10).unwrap_or(u64::MAX);
    tenth.clamp(5_000, 60_000)
}

fn population(length: Duration) -> Population {
    let minutes = length.as_secs() / 60 + 1;
    Population {
        users: (100 + 100 * minutes).min(2_000),
        victims: (60 * minutes).min(1_500),
        disabled: 0,
    }
}

const COVERAGE: &str =
    "Enough was put to the test: every kind of fault struck while clients were answered";

/// Says how much the run says. It finds no violation, but without it nothing has passed.
fn coverage(options: &Options, events: &[Event], strikes: &[Strike]) -> Finding {
    use crate::history::{Action, Outcome};
    let under_fault = |event: &&Event| {
        let is_logout = matches!(event.action, Action::LogOut { .. });
        let is_done = is_logout && event.outcome == Outcome::Yes;
        is_done && strikes.iter().any(|strike| strike.holds_at(event.called))
    };
    let revocations = events.iter().filter(under_fault).count();
    let leader_down = strikes.iter().filter(|strike| {
        strike.hits_leader() && !matches!(strike.fault, crate::fault::Fault::Reset)
    });
    let leader_down = leader_down.count();
    let cuts = strikes.iter().filter(|strike| strike.fault.is_cut());
    let (on_leader, on_others): (Vec<&Strike>, Vec<&Strike>) =
        cuts.partition(|strike| strike.hits_leader());
    let examined = format!(
        "{} faults, {leader_down} struck the leader, {} cuts with the leader inside, {} without, {revocations} logouts acknowledged under a fault",
        strikes.len(),
        on_leader.len(),
        on_others.len()
    );
    let wants_cuts = options.families.contains(&Family::Cut);
    let both_sides = !on_leader.is_empty() && !on_others.is_empty();
    let enough = leader_down >= 2 && revocations >= 5 && (both_sides || !wants_cuts);
    Finding::new(COVERAGE, examined, enough, Vec::<Violation>::new())
}

/// Where a run leaves its files, if nothing else is said.
pub(crate) fn default_folder(seed: u64, nodes: usize) -> PathBuf {
    Path::new("target/chaos").join(format!("seed-{seed}-nodes-{nodes}"))
}
