//! Rules 2, 4 and 5 as tables. Times are milliseconds by the leader's clock; `D` is 400 ms, so that with
//! the drift a lease lasts 417 ms and old leases end 729 ms after the election.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;

const D: Duration = Duration::from_millis(400);
const TERM: u64 = 5;
const FIRST: u64 = 10;
const ELECTED: u64 = 10_000;
/// Old leases are over.
const LATER: u64 = ELECTED + 1_000;

fn ms(ms: u64) -> Boot {
    Boot(ms * 1_000_000)
}

fn members(voters: &[NodeId], learners: &[NodeId]) -> Members {
    Members {
        voters: vec![voters.iter().copied().collect()],
        learners: learners.iter().copied().collect::<BTreeSet<_>>(),
    }
}

/// Node 1 leads nodes 2 and 3.
fn leader() -> LeaderLeases {
    LeaderLeases::elected(1, TERM, D, FIRST, members(&[1, 2, 3], &[]), ms(ELECTED))
}

fn stamp(life: u64, q: u64, applied: u64) -> Stamp {
    Stamp {
        incarnation: Incarnation(life),
        term: TERM,
        q: ms(q),
        applied,
    }
}

/// A leader after the election wait, which node 2 just followed and told that it applied `applied`.
fn settled(applied: u64) -> LeaderLeases {
    let mut leader = leader();
    leader.accepted(2, ms(LATER));
    leader.heard(2, stamp(2, 7, applied), ms(LATER));
    leader
}

#[test]
fn a_grant_needs_a_fresh_quorum_a_report_and_the_floor() {
    // What is missing, what happens before, and whether node 2 gets its grant at LATER.
    type Case = (&'static str, fn(&mut LeaderLeases), bool);
    let cases: [Case; 9] = [
        ("nothing", |_| {}, true),
        ("a round", LeaderLeases::forget_rounds, false),
        (
            "an acknowledged revocation",
            |l| l.revocations.acknowledged = 11,
            false,
        ),
        (
            "a revocation just committed",
            |l| l.committed_revocation(11, ms(LATER - 200)),
            true,
        ),
        (
            "one committed for long",
            |l| l.committed_revocation(11, ms(LATER - 201)),
            false,
        ),
        (
            "its place among the members",
            |l| l.set_members(members(&[1, 3], &[]), 9, ms(LATER)),
            false,
        ),
        (
            "the wish to keep it",
            |l| {
                l.retire(2);
            },
            false,
        ),
        (
            "a later wish to keep it",
            |l| {
                l.retire(2);
                l.reinstate(2);
            },
            true,
        ),
        (
            "as a learner: nothing",
            |l| {
                l.set_members(members(&[1, 3], &[2]), 9, ms(LATER));
                l.accepted(3, ms(LATER));
            },
            true,
        ),
    ];
    for (missing, prepare, granted) in cases {
        let mut leader = settled(FIRST);
        prepare(&mut leader);
        let expect = granted.then_some(Grant {
            incarnation: Incarnation(2),
            q: ms(7),
        });
        assert_eq!(leader.grant_for(2, ms(LATER)), expect, "missing: {missing}");
        let until = if granted {
            Boot(ms(LATER).0 + 416_326_531)
        } else {
            Boot::ZERO
        };
        assert_eq!(leader.lease_until(2), until, "missing: {missing}");
        assert_eq!(leader.leases_alive(ms(LATER)), usize::from(granted));
    }
}

#[test]
fn nobody_else_gets_a_grant() {
    let mut leader = settled(FIRST - 1);
    assert_eq!(
        leader.grant_for(2, ms(LATER)),
        None,
        "has not applied the leader's first entry"
    );
    assert_eq!(leader.grant_for(3, ms(LATER)), None, "was never heard");
    assert_eq!(leader.grant_for(1, ms(LATER)), None, "is the leader");
    assert_eq!(leader.grant_for(4, ms(LATER)), None, "is no member");
}

#[test]
fn a_quorum_round_and_a_stamp_grow_old() {
    for (now, fresh) in [(LATER, true), (LATER + 300, true), (LATER + 301, false)] {
        let mut leader = settled(FIRST);
        assert_eq!(leader.has_fresh_quorum(ms(now)), fresh, "at {now}");
        assert_eq!(leader.grant_for(2, ms(now)).is_some(), fresh, "at {now}");
    }
    for (now, granted) in [(LATER + 416, true), (LATER + 417, false)] {
        let mut leader = settled(FIRST);
        leader.accepted(2, ms(now));
        assert_eq!(leader.grant_for(2, ms(now)).is_some(), granted, "at {now}");
    }
}

#[test]
fn only_members_in_this_term_are_believed() {
    for (name, member, term, believed) in [
        ("a member", 2, TERM, true),
        ("the leader itself", 1, TERM, false),
        ("a stranger", 4, TERM, false),
        ("an older term", 2, TERM - 1, false),
        ("a newer term", 2, TERM + 1, false),
    ] {
        let mut leader = leader();
        let heard = Stamp {
            term,
            ..stamp(2, 7, 20)
        };
        assert_eq!(leader.heard(member, heard, ms(LATER)), believed, "{name}");
        assert_eq!(
            leader.applied_of(2),
            Some(if believed { 20 } else { 0 }),
            "{name}"
        );
    }
}

#[test]
fn a_grant_answers_the_newest_stamp_of_a_life() {
    let mut leader = settled(FIRST);
    leader.heard(2, stamp(2, 9, FIRST), ms(LATER + 2));
    // Overtaken on the way; what it applied still counts.
    leader.heard(2, stamp(2, 8, FIRST + 1), ms(LATER + 3));
    assert_eq!(leader.applied_of(2), Some(FIRST + 1));
    assert_eq!(
        leader.grant_for(2, ms(LATER + 4)).map(|grant| grant.q),
        Some(ms(9))
    );
    // Another life begins from its own memory.
    leader.heard(2, stamp(22, 1, 3), ms(LATER + 5));
    assert_eq!(leader.grant_for(2, ms(LATER + 6)), None);
}

#[test]
fn the_leader_reads_with_a_fresh_quorum_and_its_first_entry() {
    for (applied, now, may) in [
        (FIRST, LATER, true),
        (FIRST, LATER + 299, true),
        (FIRST, LATER + 300, false),
        (FIRST - 1, LATER, false),
    ] {
        assert_eq!(
            settled(1).may_read(applied, ms(now)),
            may,
            "applied {applied} at {now}"
        );
    }
    assert!(
        !leader().may_read(FIRST, ms(ELECTED)),
        "no quorum has answered in this term"
    );
    let alone = LeaderLeases::elected(1, TERM, D, FIRST, members(&[1], &[]), ms(ELECTED));
    assert_eq!(alone.reads_until(FIRST, ms(LATER)), Some(ms(LATER + 300)));
}

#[test]
fn a_revocation_waits_for_reports_or_for_leases_to_end() {
    const W: u64 = 20;
    // What happened, at which time, and until when the revocation waits if nothing more is heard.
    type Case = (&'static str, fn(&mut LeaderLeases), u64, Option<Boot>);
    let old_end = Boot(ms(ELECTED).0 + 728_571_429);
    let lease_end = Boot(ms(LATER).0 + 416_326_531);
    let cases: [Case; 8] = [
        ("just elected, nobody heard", |_| {}, ELECTED, Some(old_end)),
        ("nobody heard, old leases over", |_| {}, LATER, None),
        (
            "one of two reported",
            |l| {
                l.heard(2, stamp(2, 1, W), ms(ELECTED));
            },
            ELECTED,
            Some(old_end),
        ),
        (
            "both reported",
            |l| {
                l.heard(2, stamp(2, 1, W), ms(ELECTED));
                l.heard(3, stamp(3, 1, W), ms(ELECTED));
            },
            ELECTED,
            None,
        ),
        (
            "a learner did not",
            |l| {
                l.set_members(members(&[1, 2, 3], &[4]), 9, ms(ELECTED));
                l.heard(2, stamp(2, 1, W), ms(ELECTED));
                l.heard(3, stamp(3, 1, W), ms(ELECTED));
            },
            ELECTED,
            Some(old_end),
        ),
        (
            "a lease lives",
            |l| grant_to_2(l, 2, W - 1),
            LATER,
            Some(lease_end),
        ),
        (
            "a lease of one that reported",
            |l| grant_to_2(l, 2, W),
            LATER,
            None,
        ),
        (
            "a lease of another life than reported",
            |l| {
                grant_to_2(l, 22, W - 1);
                l.heard(2, stamp(2, 1, W), ms(LATER));
            },
            LATER,
            Some(lease_end),
        ),
    ];
    for (name, prepare, now, deadline) in cases {
        let mut leader = leader();
        prepare(&mut leader);
        assert_eq!(leader.next_deadline(W, ms(now)), deadline, "{name}");
        assert_eq!(
            leader.acknowledge(W, W, ms(now)),
            deadline.is_none(),
            "{name}"
        );
        if let Some(deadline) = deadline {
            assert!(
                !leader.acknowledge(W, W, Boot(deadline.0 - 1)),
                "{name}: just before"
            );
            assert!(
                leader.acknowledge(W, W, deadline),
                "{name}: at the deadline"
            );
        }
        assert_eq!(
            leader.floor(ms(now)),
            W,
            "{name}: acknowledged, so nobody comes in below"
        );
    }
}

/// A life of node 2 reported `applied` and holds a lease, and node 3 reported everything.
fn grant_to_2(leader: &mut LeaderLeases, life: u64, applied: u64) {
    leader.accepted(2, ms(LATER));
    leader.heard(2, stamp(life, 7, applied), ms(LATER));
    leader.heard(3, stamp(3, 1, u64::MAX), ms(LATER));
    assert!(leader.grant_for(2, ms(LATER)).is_some());
}

#[test]
fn a_revocation_waits_for_the_leader_itself() {
    let mut leader = leader();
    assert!(!leader.acknowledge(20, 19, ms(LATER)));
    assert_eq!(
        leader.next_deadline(20, ms(LATER)),
        None,
        "no clock helps here"
    );
    assert!(leader.acknowledge(20, 20, ms(LATER)));
}

#[test]
fn a_member_leaves_after_its_leases() {
    let mut leader = leader();
    grant_to_2(&mut leader, 2, FIRST);
    let end = leader.lease_until(2);
    assert_eq!(leader.removable_at(2), None, "not retired");
    assert!(leader.retire(2) && !leader.retire(9));
    assert_eq!(leader.removable_at(2), Some(end));
    // Removed all the same: revocations wait for the lease it may have.
    leader.set_members(members(&[1, 3], &[]), 9, ms(LATER));
    assert_eq!(leader.next_deadline(20, ms(LATER)), Some(end));
    // Forgotten once that is over.
    leader.set_members(members(&[1, 3], &[]), 9, end);
    assert_eq!(
        (leader.next_deadline(20, end), leader.removable_at(2)),
        (None, Some(Boot::ZERO))
    );
}

#[test]
fn a_new_member_gets_its_first_grant_once_its_entry_is_committed() {
    const JOINS: u64 = 15;
    for (applied, granted) in [(JOINS - 1, false), (JOINS, true)] {
        let mut leader = settled(FIRST);
        leader.set_members(members(&[1, 2, 3], &[4]), JOINS, ms(LATER));
        leader.heard(4, stamp(4, 7, applied), ms(LATER));
        assert_eq!(leader.grant_for(4, ms(LATER)).is_some(), granted);
        assert!(
            leader.grant_for(2, ms(LATER)).is_some(),
            "others go on as before"
        );
    }
}

#[test]
fn a_crash_loop_cannot_pile_up_leases() {
    let mut leader = settled(FIRST);
    let grants = (100..200u64).filter(|life| {
        leader.heard(2, stamp(*life, 7, FIRST), ms(LATER));
        leader.grant_for(2, ms(LATER)).is_some()
    });
    assert_eq!(grants.count(), 8);
    leader.accepted(3, ms(LATER + 500));
    leader.heard(2, stamp(300, 7, FIRST), ms(LATER + 500));
    assert!(
        leader.grant_for(2, ms(LATER + 500)).is_some(),
        "the old ones are over"
    );
}

#[test]
fn a_flood_of_revocations_is_remembered_in_few_records() {
    let mut leader = settled(FIRST);
    for step in 0..10_000 {
        leader.committed_revocation(20 + step, Boot(ms(LATER).0 + step * 100_000));
    }
    // The last one at LATER + 999.9 ms; a record covers 10 ms, so the floor may be that much early.
    let floor = leader.floor(ms(LATER + 1_000));
    assert!((20 + 7_999..20 + 8_100).contains(&floor), "{floor}");
    assert_eq!(leader.floor(ms(LATER + 1_201)), 20 + 9_999);
}

#[test]
fn stretching_covers_a_slow_counter_and_a_fast_waiter() {
    let cases = [
        (Duration::ZERO, Duration::ZERO),
        (Duration::from_nanos(1), Duration::from_nanos(2)),
        (Duration::from_nanos(98), Duration::from_nanos(102)),
        (Duration::from_secs(3), Duration::from_nanos(3_122_448_980)),
        (Duration::MAX, Duration::from_nanos(u64::MAX)),
    ];
    for (span, expect) in cases {
        assert_eq!(stretched(span), expect, "{span:?}");
    }
}
