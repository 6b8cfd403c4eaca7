//! The leases inside a simulated Raft with everything that can go wrong, and the one invariant: *no read
//! that begins after an acknowledged revocation is answered without it, on any node.*
//!
//! Simulated: elections, a replicated log with commit and apply lag, message delays to 1.5 s and therefore
//! any order, loss, one-way, pairwise and group partitions, pauses, restarts that keep the log, the vote and
//! a snapshot only, learners that come and go, clocks with any offset and rates of ±2 %. Not simulated:
//! changes among voters (their quorums are a table in `quorum.rs`), snapshots sent between nodes.
//!
//! Each guard has a [`Mutant`] without it, and the same run must catch it. A failing run prints its seed;
//! `LEASE_MODEL_SEED=<seed>` runs that seed alone, `LEASE_MODEL_RUNS=<n>` runs more of them.

mod chance;
mod fault;
mod leading;
mod message;
mod mutant;
mod node;
mod world;

use std::time::Duration;

use super::TermChange;
use mutant::Mutant;
use world::{Faults, Seen, Setup, World};

const STORM: Setup = Setup {
    voters: 3,
    spare: 1,
    seconds: 4,
    length: Duration::from_millis(400),
    faults: Faults::All,
    learners_ms: 1_500,
    mutant: Mutant::None,
    on_term_change: None,
};

const FIVE: Setup = Setup {
    voters: 5,
    spare: 2,
    ..STORM
};

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn holds(setup: Setup, runs: u64) {
    let only = from_env("LEASE_MODEL_SEED");
    let runs = from_env("LEASE_MODEL_RUNS").unwrap_or(runs);
    let (mut acknowledged, mut reached) = (0, 0);
    for seed in only.map_or(0..runs, |seed| seed..seed + 1) {
        let Seen {
            violation,
            waited,
            terms: highest,
            ..
        } = World::run(setup, seed);
        assert!(
            violation.is_none(),
            "LEASE_MODEL_SEED={seed}: {}",
            violation.unwrap_or_default()
        );
        acknowledged += waited.len();
        reached += highest;
    }
    println!("{runs} runs, {acknowledged} acknowledgements, {reached} terms");
    // A storm in which nothing happens proves nothing.
    assert!(
        only.is_some() || acknowledged as u64 > 10 * runs,
        "only {acknowledged} acknowledged"
    );
}

#[test]
fn three_nodes_and_a_learner_never_read_what_was_revoked() {
    holds(STORM, 1_000);
}

#[test]
fn five_nodes_and_two_learners_never_read_what_was_revoked() {
    holds(
        Setup {
            voters: 5,
            spare: 2,
            ..STORM
        },
        500,
    );
}

/// Members that come and go all the time.
const CHURN: Setup = Setup {
    voters: 3,
    spare: 3,
    learners_ms: 400,
    ..STORM
};

#[test]
fn members_that_come_and_go_never_read_what_was_revoked() {
    holds(CHURN, 300);
}

/// Runs seeds until one shows a violation.
fn caught(setup: Setup, mutant: Mutant) {
    let runs = from_env("LEASE_MODEL_RUNS").unwrap_or(3_000);
    let setup = Setup { mutant, ..setup };
    let violation = (0..runs).find_map(|seed| Some((seed, World::run(setup, seed).violation?)));
    println!("{mutant:?}: {violation:?}");
    assert!(violation.is_some(), "{mutant:?} did no harm in {runs} runs");
}

#[test]
fn a_report_of_what_is_not_visible_yet_is_caught() {
    caught(STORM, Mutant::MatchedForApplied);
}

#[test]
fn every_part_of_the_floor_is_needed() {
    for mutant in [
        Mutant::NoFloor,
        Mutant::FloorWithoutFirstEntry,
        Mutant::FloorWithoutAcknowledged,
        Mutant::GrantWithoutQuorum,
    ] {
        caught(FIVE, mutant);
    }
}

#[test]
fn every_limit_of_a_lease_is_needed() {
    for mutant in [
        Mutant::GrantNotBound,
        Mutant::CountedFromReceipt,
        Mutant::SurvivesRestart,
        Mutant::NoDriftMargin,
    ] {
        caught(STORM, mutant);
    }
}

#[test]
fn both_conditions_of_a_reading_leader_are_needed() {
    for mutant in [
        Mutant::LeaderReadsWithoutQuorum,
        Mutant::LeaderReadsWithoutFirstEntry,
    ] {
        caught(STORM, mutant);
    }
}

#[test]
fn everything_a_revocation_waits_for_is_needed() {
    for mutant in [
        Mutant::NoBarrier,
        Mutant::NoElectionWait,
        Mutant::LearnersNotWaited,
        Mutant::LivesMixed,
    ] {
        caught(FIVE, mutant);
    }
}

#[test]
fn joining_and_leaving_need_their_order() {
    for mutant in [
        Mutant::JoinedUncommitted,
        Mutant::DepartedForgotten,
        Mutant::RemovedAtOnce,
    ] {
        caught(CHURN, mutant);
    }
}

/// Three nodes on a good network, with the lease of 3 s that is the default.
const CALM: Setup = Setup {
    spare: 0,
    length: Duration::from_secs(3),
    faults: Faults::Calm,
    ..STORM
};

fn runs_of(setup: Setup, runs: u64) -> Seen {
    let mut all = Seen::default();
    for seed in 0..runs {
        let seen = World::run(setup, seed);
        assert_eq!(seen.violation, None, "seed {seed}");
        all.waited.extend(seen.waited);
        all.samples += seen.samples;
        all.readable += seen.readable;
    }
    all.waited.sort_unstable();
    all
}

#[test]
fn in_calm_everyone_reads_and_a_revocation_costs_one_round_trip_more() {
    for (voters, spare) in [(3, 0), (5, 2)] {
        let Seen {
            waited,
            samples,
            readable,
            ..
        } = runs_of(
            Setup {
                voters,
                spare,
                ..CALM
            },
            10,
        );
        let (p50, p99) = (waited[waited.len() / 2], waited[waited.len() * 99 / 100]);
        println!("{voters}+{spare}: {readable} of {samples} could read, p50 {p50:?}, p99 {p99:?}");
        assert!(
            readable * 100 > samples * 95,
            "{readable} of {samples} could read"
        );
        // The slowest of several round trips of 2 to 6 ms, and an apply.
        assert!(p50 < Duration::from_micros(6_500), "p50 {p50:?}");
        assert!(p99 < Duration::from_millis(20), "p99 {p99:?}");
    }
}

#[test]
fn a_kept_lease_outlives_the_election_and_a_dropped_one_does_not() {
    let after_the_leader_died = |choice| {
        let setup = Setup {
            faults: Faults::LeaderDies,
            on_term_change: Some(choice),
            ..CALM
        };
        let Seen {
            samples, readable, ..
        } = runs_of(setup, 30);
        println!("{choice:?}: {readable} of {samples} could read");
        readable == samples
    };
    assert!(after_the_leader_died(TermChange::Keep));
    assert!(!after_the_leader_died(TermChange::Drop));
}

#[test]
fn a_member_that_does_not_apply_delays_revocations_for_one_lease() {
    let stalled = Setup {
        faults: Faults::ApplyStalls,
        seconds: 8,
        length: Duration::from_secs(1),
        ..CALM
    };
    let longest = |setup| runs_of(setup, 5).waited.last().copied().unwrap_or_default();
    // The grace, the last lease granted in it with its margin, and the round trip of its stamp.
    let found = longest(stalled);
    assert!(
        found > Duration::from_secs(1) && found < Duration::from_millis(1_280),
        "{found:?}"
    );
    // Without the guard nothing is acknowledged from then on; with it, six seconds' worth more.
    let count = |setup| runs_of(setup, 5).waited.len();
    let mutant = Setup {
        mutant: Mutant::FloorWithoutOverdue,
        ..stalled
    };
    assert!(
        count(mutant) * 2 < count(stalled),
        "{} of {}",
        count(mutant),
        count(stalled)
    );
}
