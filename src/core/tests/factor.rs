//! Second factors and operators' bans, step by step.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set itself up must stop"
)]

use proptest::prelude::*;
use quorate_core::{
    Budget, Command, Level, NewSession, NewTotp, Outcome, Proposal, Rejection, Reply, RequestId,
    ReservationId, SessionKey, State, Subject, Timestamp, TotpAlgorithm, TotpUse, UserName,
};

const BUDGET: Budget = Budget {
    guesses_max: 3,
    window_ms: 60_000,
    ban_ms: 120_000,
    reservation_ms: 10_000,
};

/// A state with one user, logged in with one factor, who has a device.
struct World {
    state: State,
    steps: u128,
    session: u32,
}

fn john() -> UserName {
    UserName::parse("john").unwrap()
}

fn key(number: u32) -> SessionKey {
    SessionKey::of_token(&number.to_string())
}

fn session(level: Level) -> NewSession {
    NewSession {
        user: john(),
        domain: "example.com".to_owned(),
        level,
        lifetime_ms: 1_000_000,
        inactivity_ms: None,
    }
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            state: State::new(),
            steps: 0,
            session: 0,
        };
        world.log_in();
        world.step(Command::SetTotp {
            user: john(),
            device: NewTotp {
                sealed_secret: vec![1, 2, 3],
                algorithm: TotpAlgorithm::Sha1,
                digits: 6,
                period_s: 30,
                issuer: "Authelia".to_owned(),
            },
        });
        world
    }

    fn step(&mut self, command: Command) -> Reply {
        self.steps += 1;
        let proposal = Proposal {
            id: RequestId(self.steps),
            at: self.state.now().plus_ms(1),
            command,
        };
        self.state.apply(&proposal)
    }

    fn log_in(&mut self) {
        self.session += 1;
        let subjects = vec![Subject::User(john())];
        let reservation = ReservationId(self.steps);
        let epoch = match self.reserve(subjects.clone()) {
            Reply::Reserved { epoch } => epoch,
            other => panic!("{other:?}"),
        };
        let open = Command::OpenSession {
            key: key(self.session),
            replaces: None,
            session: session(Level::OneFactor),
            reservation,
            subjects,
            budget: BUDGET,
            epoch,
        };
        assert_eq!(self.step(open), Reply::Done);
    }

    /// Reserves a guess named after the number of the step before it.
    fn reserve(&mut self, subjects: Vec<Subject>) -> Reply {
        self.step(Command::Reserve {
            reservation: ReservationId(self.steps),
            user: Some(john()),
            subjects,
            budget: BUDGET,
        })
    }

    fn revision(&self) -> u64 {
        let authenticators = self.state.reader().authenticators(&john()).unwrap();
        authenticators.totp.as_ref().map_or(0, |totp| totp.revision)
    }

    /// One right password whose period began at `start_s`, given in the newest session.
    fn use_totp(&mut self, start_s: u64) -> Reply {
        let subjects = vec![Subject::SecondFactor(john())];
        let reservation = ReservationId(self.steps);
        let epoch = match self.reserve(subjects.clone()) {
            Reply::Reserved { epoch } => epoch,
            other => return other,
        };
        let totp = TotpUse {
            key: key(self.session + 1),
            replaces: key(self.session),
            session: session(Level::TwoFactor),
            reservation,
            subjects,
            budget: BUDGET,
            epoch,
            revision: self.revision(),
            start_s,
            may_repeat: false,
        };
        let reply = self.step(Command::UseTotp(totp));
        if reply == Reply::Done {
            self.session += 1;
        }
        reply
    }

    fn level(&self, number: u32) -> Option<Level> {
        Some(self.state.reader().session(&key(number))?.level)
    }
}

#[test]
fn a_right_password_takes_the_session_to_two_factors_under_a_new_key() {
    let mut world = World::new();
    assert_eq!(world.use_totp(1_700_000_010), Reply::Done);
    assert_eq!(world.level(1), None);
    assert_eq!(world.level(2), Some(Level::TwoFactor));
}

#[test]
fn a_used_password_is_refused_in_every_session_and_does_not_count() {
    let mut world = World::new();
    assert_eq!(world.use_totp(1_700_000_010), Reply::Done);
    for _ in 0..5 {
        world.log_in();
        assert_eq!(
            world.use_totp(1_700_000_010),
            Reply::Rejected(Rejection::Used)
        );
    }
    assert_eq!(world.level(world.session), Some(Level::OneFactor));
    assert_eq!(world.use_totp(1_700_000_040), Reply::Done);
}

#[test]
fn a_session_that_was_ended_meanwhile_is_not_raised() {
    let mut world = World::new();
    world.step(Command::EndSession { key: key(1) });
    let outdated = Reply::Rejected(Rejection::Outdated);
    assert_eq!(world.use_totp(1_700_000_010), outdated);
    world.log_in();
    assert_eq!(
        world.use_totp(1_700_000_010),
        Reply::Done,
        "the password was not used up"
    );
}

#[test]
fn a_device_that_was_replaced_meanwhile_is_noticed() {
    let mut world = World::new();
    let old = world.revision();
    world.step(Command::RemoveTotp { user: john() });
    let gone = Command::RemoveTotp { user: john() };
    assert_eq!(world.step(gone), Reply::Rejected(Rejection::Missing));
    assert_eq!(
        world.use_totp(1_700_000_010),
        Reply::Rejected(Rejection::Outdated)
    );
    let device = NewTotp {
        sealed_secret: vec![9],
        algorithm: TotpAlgorithm::Sha512,
        digits: 8,
        period_s: 60,
        issuer: "Authelia".to_owned(),
    };
    world.step(Command::SetTotp {
        user: john(),
        device,
    });
    assert!(world.revision() > old + 1);
}

#[test]
fn logging_in_again_forgives_no_wrong_second_factor() {
    let mut world = World::new();
    let subjects = vec![Subject::SecondFactor(john())];
    for _ in 0..BUDGET.guesses_max {
        let reservation = ReservationId(world.steps);
        let reply = world.reserve(subjects.clone());
        assert!(matches!(reply, Reply::Reserved { .. }), "{reply:?}");
        world.step(Command::Resolve {
            reservation,
            subjects: subjects.clone(),
            budget: BUDGET,
            outcome: Outcome::Wrong,
        });
        world.log_in();
    }
    let refused = world.use_totp(1_700_000_010);
    assert!(
        matches!(refused, Reply::Rejected(Rejection::Banned { .. })),
        "{refused:?}"
    );
}

#[test]
fn an_operators_ban_ends_sessions_and_holds_until_it_is_lifted() {
    let mut world = World::new();
    let subject = Subject::User(john());
    let ban = |for_ms| Command::Ban {
        subject: Subject::User(john()),
        for_ms,
    };
    assert!(ban(None).is_revoking());
    assert_eq!(world.step(ban(None)), Reply::Ended { count: 1 });
    assert_eq!(world.level(1), None);
    let forever = Reply::Rejected(Rejection::Banned {
        until: Timestamp(u64::MAX),
    });
    assert_eq!(world.reserve(vec![subject.clone()]), forever);
    let lift = Command::LiftBan {
        subject: subject.clone(),
    };
    assert_eq!(world.step(lift.clone()), Reply::Done);
    assert_eq!(world.step(lift), Reply::Rejected(Rejection::Missing));
    world.log_in();

    world.step(ban(Some(1_000)));
    let reserved = world.reserve(vec![subject.clone()]);
    assert!(
        matches!(reserved, Reply::Rejected(Rejection::Banned { .. })),
        "{reserved:?}"
    );
    let later = Command::TouchSessions { seen: Vec::new() };
    let proposal = Proposal {
        id: RequestId(u128::MAX),
        at: world.state.now().plus_ms(1_000),
        command: later,
    };
    world.state.apply(&proposal);
    let reserved = world.reserve(vec![subject]);
    assert!(matches!(reserved, Reply::Reserved { .. }), "{reserved:?}");
}

#[test]
fn who_waits_for_a_guess_asks_again_when_one_is_free_or_a_ban_has_decided() {
    let mut world = World::new();
    let subject = Subject::User(john());
    let is_settled = |world: &World| {
        let now = world.state.now();
        world.state.reader().is_settled(&subject, &BUDGET, now)
    };
    assert!(is_settled(&world));
    for _ in 0..3 {
        assert!(is_settled(&world));
        let reserved = world.reserve(vec![subject.clone()]);
        assert!(matches!(reserved, Reply::Reserved { .. }), "{reserved:?}");
    }
    assert!(!is_settled(&world));
    let user = subject.clone();
    world.step(Command::Ban {
        subject: user,
        for_ms: None,
    });
    assert!(is_settled(&world));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever the order, and across a snapshot in the middle.
    #[test]
    fn no_password_is_accepted_twice(starts in prop::collection::vec(1..40u64, 1..120), cut in any::<usize>()) {
        let mut world = World::new();
        let mut accepted = std::collections::BTreeSet::new();
        let cut = cut % starts.len();
        for (index, start) in starts.iter().enumerate() {
            if index == cut {
                let mut snapshot = Vec::new();
                world.state.view().write_to(&mut snapshot).unwrap();
                let mut loaded = State::new();
                loaded.load(&mut snapshot.as_slice()).unwrap();
                world.state = loaded;
            }
            if world.use_totp(start * 30) == Reply::Done {
                prop_assert!(accepted.insert(*start), "{start} was accepted twice");
            }
        }
    }
}
