//! Properties of the replicated state, under generated actions.
//!
//! Actions are small and meaningless by themselves; each is resolved against what happened before into a proposal, so
//! that most of them hit something.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot set itself up must stop"
)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use quorate_core::{
    Account, Budget, Command, Level, NewSession, Outcome, PasswordHash, Proposal, Rejection, Reply,
    RequestId, ReservationId, SessionKey, State, Subject, Timestamp, UserName,
};

const BUDGET: Budget = Budget {
    guesses_max: 3,
    window_ms: 60_000,
    ban_ms: 120_000,
    reservation_ms: 10_000,
};
const USERS: u8 = 3;

#[derive(Debug, Clone)]
enum Action {
    Reserve { user: u8, with_address: bool },
    Resolve { which: usize, outcome: Outcome },
    Open { which: usize, remembered: bool },
    End { which: usize },
    Kill { user: u8, keep: usize },
    Touch { which: usize, later_ms: u64 },
    Put { user: u8, fields: u8 },
    Change { user: u8, keep: usize, how: u8 },
    ExpireSessions,
    ExpireAttempts,
    Retry { which: usize },
}

fn action() -> impl Strategy<Value = Action> {
    let outcome = prop_oneof![
        3 => Just(Outcome::Wrong),
        1 => Just(Outcome::Right),
        1 => Just(Outcome::NotChecked)
    ];
    prop_oneof![
        4 => (0..USERS, any::<bool>()).prop_map(|(user, with_address)| Action::Reserve { user, with_address }),
        4 => (any::<usize>(), outcome).prop_map(|(which, outcome)| Action::Resolve { which, outcome }),
        3 => (any::<usize>(), any::<bool>()).prop_map(|(which, remembered)| Action::Open { which, remembered }),
        1 => any::<usize>().prop_map(|which| Action::End { which }),
        1 => (0..USERS, any::<usize>()).prop_map(|(user, keep)| Action::Kill { user, keep }),
        1 => (any::<usize>(), 0..100_000u64).prop_map(|(which, later_ms)| Action::Touch { which, later_ms }),
        2 => (0..USERS, any::<u8>()).prop_map(|(user, fields)| Action::Put { user, fields }),
        2 => (0..USERS, any::<usize>(), 0..5u8).prop_map(|(user, keep, how)| Action::Change { user, keep, how }),
        1 => Just(Action::ExpireSessions),
        1 => Just(Action::ExpireAttempts),
        1 => any::<usize>().prop_map(|which| Action::Retry { which }),
    ]
}

/// Actions, each with the time that passes before it; clocks may also run back.
fn actions() -> impl Strategy<Value = Vec<(Action, i64)>> {
    prop::collection::vec((action(), -5_000..20_000i64), 1..120)
}

fn user(number: u8) -> UserName {
    UserName::parse(&format!("user{number}")).unwrap()
}

fn key(number: usize) -> SessionKey {
    SessionKey::of_token(&number.to_string())
}

/// What the generator remembers in order to make actions hit something.
#[derive(Default)]
struct World {
    clock_ms: u64,
    newest_ms: u64,
    proposals: Vec<Proposal>,
    guesses: Vec<(ReservationId, u8, Vec<Subject>)>,
    sessions: usize,
    epochs: BTreeMap<u8, u64>,
    accounts: BTreeMap<u8, Account>,
}

impl World {
    fn proposal(&mut self, action: &Action, step_ms: i64) -> Proposal {
        self.clock_ms = self.clock_ms.saturating_add_signed(step_ms);
        self.newest_ms = self.newest_ms.max(self.clock_ms);
        if let Action::Retry { which } = action
            && let Some(again) = self.recent(*which)
        {
            return Proposal {
                at: Timestamp(self.clock_ms),
                ..again
            };
        }
        let command = self.command(action);
        let id = RequestId(self.proposals.len() as u128);
        let proposal = Proposal {
            id,
            at: Timestamp(self.clock_ms),
            command,
        };
        self.proposals.push(proposal.clone());
        proposal
    }

    /// A proposal that its proposer may still repeat: younger than what the state promises to remember.
    fn recent(&self, which: usize) -> Option<Proposal> {
        let is_recent = |proposal: &&Proposal| self.newest_ms - proposal.at.0 < 100_000;
        let recent: Vec<_> = self.proposals.iter().filter(is_recent).collect();
        recent
            .get(which.checked_rem(recent.len())?)
            .map(|proposal| (*proposal).clone())
    }

    fn command(&mut self, action: &Action) -> Command {
        match action {
            Action::Reserve {
                user: number,
                with_address,
            } => {
                let reservation = ReservationId(self.guesses.len() as u128);
                let mut subjects = vec![Subject::User(user(*number))];
                subjects
                    .extend(with_address.then(|| Subject::of_address([192, 0, 2, *number].into())));
                self.guesses.push((reservation, *number, subjects.clone()));
                Command::Reserve {
                    reservation,
                    user: Some(user(*number)),
                    subjects,
                    budget: BUDGET,
                }
            }
            Action::Resolve { which, outcome } => {
                let (reservation, _, subjects) = self.guess(*which);
                Command::Resolve {
                    reservation,
                    subjects,
                    budget: BUDGET,
                    outcome: *outcome,
                }
            }
            Action::Open { which, remembered } => self.open(*which, *remembered),
            Action::End { which } => Command::EndSession {
                key: key(self.session(*which)),
            },
            Action::Kill { user: number, keep } => {
                *self.epochs.entry(*number).or_default() += 1;
                Command::KillUser {
                    user: user(*number),
                    keep: Some(key(self.session(*keep))),
                }
            }
            Action::Touch { which, later_ms } => {
                let seen_at = Timestamp(self.clock_ms + later_ms);
                Command::TouchSessions {
                    seen: vec![(key(self.session(*which)), seen_at)],
                }
            }
            Action::Put { user, fields } => self.put(*user, *fields),
            Action::Change { user, keep, how } => self.change(*user, *keep, *how),
            Action::ExpireSessions => Command::ExpireSessions {
                keys: (0..self.sessions).map(key).collect(),
            },
            Action::ExpireAttempts | Action::Retry { .. } => {
                let subjects = (0..USERS)
                    .map(|number| Subject::User(user(number)))
                    .collect();
                Command::ExpireAttempts {
                    subjects,
                    budget: BUDGET,
                }
            }
        }
    }

    fn open(&mut self, which: usize, remembered: bool) -> Command {
        let (reservation, number, subjects) = self.guess(which);
        self.sessions += 1;
        let session = NewSession {
            user: user(number),
            domain: "example.com".to_owned(),
            level: Level::OneFactor,
            lifetime_ms: 200_000,
            inactivity_ms: (!remembered).then_some(30_000),
        };
        let epoch = self.epochs.get(&number).copied().unwrap_or(0);
        let key = key(self.sessions - 1);
        Command::OpenSession {
            key,
            replaces: None,
            session,
            reservation,
            subjects,
            budget: BUDGET,
            epoch,
        }
    }

    /// What the state is expected to hold is put in place of, so that most commands change something.
    fn put(&mut self, number: u8, fields: u8) -> Command {
        let account = Account {
            name: user(number),
            display_name: format!("user {fields}"),
            emails: (0..fields % 3)
                .map(|at| format!("{at}@Example.com"))
                .collect(),
            groups: (0..fields % 5).map(|at| format!("group{at}")).collect(),
            password: (!fields.is_multiple_of(7)).then(|| PasswordHash::of_phc("first")),
            disabled: fields.is_multiple_of(11),
        };
        let known = self.accounts.insert(number, account.clone());
        let replaces = known.as_ref().map(Account::digest);
        if known.is_some_and(|known| {
            known.password != account.password || (account.disabled && !known.disabled)
        }) {
            *self.epochs.entry(number).or_default() += 1;
        }
        Command::PutUser { account, replaces }
    }

    fn change(&mut self, number: u8, keep: usize, how: u8) -> Command {
        let user = user(number);
        let keep = Some(key(self.session(keep)));
        let password = PasswordHash::of_phc(&format!("password {how}"));
        let known = self.accounts.get_mut(&number);
        if how == 0 || (known.is_some() && how < 4) {
            *self.epochs.entry(number).or_default() += 1;
        }
        match (how, known) {
            (0, _) => Command::OverridePassword {
                user,
                replaces: PasswordHash::of_phc("declared").digest(),
                password,
                keep,
            },
            (1, known) => {
                if let Some(known) = known {
                    known.password = Some(password.clone());
                }
                Command::SetPassword {
                    user,
                    password,
                    keep,
                }
            }
            (2, known) => {
                if let Some(known) = known {
                    known.disabled = true;
                }
                Command::DisableUser { user }
            }
            (3, _) => {
                self.accounts.remove(&number);
                Command::RemoveUser { user }
            }
            (_, known) => {
                if let Some(known) = known {
                    known.disabled = false;
                }
                Command::EnableUser { user }
            }
        }
    }

    fn guess(&self, which: usize) -> (ReservationId, u8, Vec<Subject>) {
        let unknown = (ReservationId(u128::MAX), 0, vec![Subject::User(user(0))]);
        let index = which.checked_rem(self.guesses.len());
        index.map_or(unknown, |index| self.guesses[index].clone())
    }

    fn session(&self, which: usize) -> usize {
        which.checked_rem(self.sessions).unwrap_or(usize::MAX)
    }
}

fn proposals(actions: &[(Action, i64)]) -> Vec<Proposal> {
    let mut world = World {
        clock_ms: 1_000_000,
        ..World::default()
    };
    actions
        .iter()
        .map(|(action, step_ms)| world.proposal(action, *step_ms))
        .collect()
}

fn bytes(state: &State) -> Vec<u8> {
    let mut bytes = Vec::new();
    state.view().write_to(&mut bytes).unwrap();
    bytes
}

fn replay(proposals: &[Proposal]) -> State {
    let mut state = State::new();
    proposals.iter().for_each(|proposal| {
        let _ = state.apply(proposal);
    });
    state
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_same_log_gives_the_same_bytes_on_every_replica(actions in actions()) {
        let log = proposals(&actions);
        prop_assert_eq!(bytes(&replay(&log)), bytes(&replay(&log)));
    }

    #[test]
    fn a_snapshot_and_the_tail_give_what_a_full_replay_gives(actions in actions(), cut in any::<usize>()) {
        let log = proposals(&actions);
        let (head, tail) = log.split_at(cut % (log.len() + 1));
        let mut state = State::new();
        state.load(&mut bytes(&replay(head)).as_slice()).unwrap();
        tail.iter().for_each(|proposal| { let _ = state.apply(proposal); });
        let full = replay(&log);
        prop_assert_eq!(bytes(&state), bytes(&full));
        for at in 0..3 {
            let address = format!("{at}@example.com");
            prop_assert_eq!(state.reader().name_of_email(&address), full.reader().name_of_email(&address));
        }
    }

    #[test]
    fn an_address_leads_to_the_one_user_who_has_it(actions in actions()) {
        let mut state = State::new();
        for proposal in proposals(&actions) {
            let _ = state.apply(&proposal);
            let accounts = state.reader().accounts();
            for at in 0..3 {
                let address = format!("{at}@Example.com");
                let owners: Vec<_> = accounts.iter().filter(|(_, account)| account.emails.contains(&address)).collect();
                let only = owners.first().filter(|_| owners.len() == 1).map(|(name, _)| (*name).clone());
                prop_assert_eq!(state.reader().name_of_email(&address.to_lowercase()), only);
            }
        }
    }

    #[test]
    fn a_damaged_snapshot_changes_nothing(actions in actions(), place in any::<usize>(), bit in 0..8u8) {
        let mut damaged = bytes(&replay(&proposals(&actions)));
        let place = place % damaged.len();
        damaged[place] ^= 1 << bit;
        let mut state = State::new();
        prop_assert!(state.load(&mut damaged.as_slice()).is_err());
        prop_assert_eq!(bytes(&state), bytes(&State::new()));
    }

    #[test]
    fn replicated_time_never_falls(actions in actions()) {
        let mut state = State::new();
        for proposal in proposals(&actions) {
            let before = state.now();
            let _ = state.apply(&proposal);
            prop_assert!(state.now() >= before && state.now() >= proposal.at);
        }
    }

    #[test]
    fn a_retry_gets_the_first_answer_and_changes_nothing(actions in actions()) {
        let mut state = State::new();
        let mut first: BTreeMap<RequestId, Reply> = BTreeMap::new();
        for proposal in proposals(&actions) {
            let reply = state.apply(&proposal);
            let known = first.entry(proposal.id).or_insert_with(|| reply.clone());
            prop_assert_eq!(&*known, &reply);
        }
    }

    #[test]
    fn a_session_that_was_ended_never_comes_back(actions in actions()) {
        let mut state = State::new();
        let mut ended = BTreeSet::new();
        for proposal in proposals(&actions) {
            let reply = state.apply(&proposal);
            if let (Command::EndSession { key }, Reply::Ended { count: 1 }) = (&proposal.command, reply) {
                ended.insert(*key);
            }
            prop_assert!(ended.iter().all(|key| state.reader().session(key).is_none()));
        }
    }

    #[test]
    fn after_a_kill_the_user_has_only_the_session_to_keep(actions in actions()) {
        let mut state = State::new();
        let mut applied = BTreeSet::new();
        for proposal in proposals(&actions) {
            let reply = state.apply(&proposal);
            let is_first = applied.insert(proposal.id);
            if let (true, Some((user, keep)), Reply::Ended { .. }) = (is_first, killed(&proposal.command), reply) {
                prop_assert!(proposal.command.is_revoking());
                let sessions = state.reader().sessions();
                let left = sessions.iter().filter(|(_, session)| session.user == *user);
                prop_assert!(left.into_iter().all(|(key, _)| Some(*key) == keep));
            }
        }
    }

    /// At any time, what was begun within a window and was not forgiven or called off is within the budget.
    #[test]
    fn the_guess_budget_is_never_exceeded(actions in actions()) {
        let mut state = State::new();
        let mut begun: BTreeMap<u8, BTreeMap<ReservationId, Timestamp>> = BTreeMap::new();
        let mut applied = BTreeSet::new();
        for proposal in proposals(&actions) {
            let reply = state.apply(&proposal);
            if !applied.insert(proposal.id) {
                continue;
            }
            let now = state.now();
            match (&proposal.command, reply) {
                (Command::Reserve { reservation, user: Some(name), .. }, Reply::Reserved { .. }) => {
                    let guesses = begun.entry(number(name)).or_default();
                    guesses.retain(|_, at| at.plus_ms(BUDGET.window_ms) > now);
                    guesses.insert(*reservation, now);
                    prop_assert!(guesses.len() <= BUDGET.guesses_max as usize, "{guesses:?}");
                }
                (Command::Resolve { reservation, subjects, outcome, .. }, _) => {
                    forgive(&mut begun, *reservation, subjects, *outcome);
                }
                (Command::OpenSession { reservation, subjects, .. }, _) => {
                    forgive(&mut begun, *reservation, subjects, Outcome::Right);
                }
                _ => {}
            }
        }
    }
}

/// Whose sessions a command ends if it does what it says, and which one stays.
fn killed(command: &Command) -> Option<(&UserName, Option<SessionKey>)> {
    match command {
        Command::KillUser { user, keep }
        | Command::SetPassword { user, keep, .. }
        | Command::OverridePassword { user, keep, .. } => Some((user, *keep)),
        Command::DisableUser { user } | Command::RemoveUser { user } => Some((user, None)),
        _ => None,
    }
}

fn number(name: &UserName) -> u8 {
    name.as_str().trim_start_matches("user").parse().unwrap()
}

fn forgive(
    begun: &mut BTreeMap<u8, BTreeMap<ReservationId, Timestamp>>,
    reservation: ReservationId,
    subjects: &[Subject],
    outcome: Outcome,
) {
    let Some(Subject::User(name)) = subjects.first() else {
        return;
    };
    let guesses = begun.entry(number(name)).or_default();
    match outcome {
        Outcome::Right => guesses.clear(),
        Outcome::NotChecked => drop(guesses.remove(&reservation)),
        Outcome::Wrong => {}
    }
}

#[test]
fn a_login_that_began_before_a_kill_opens_nothing() {
    let mut state = State::new();
    let mut step = |command| {
        let id = RequestId(u128::from(state.now().0));
        state.apply(&Proposal {
            id,
            at: state.now().plus_ms(1),
            command,
        })
    };
    let reservation = ReservationId(1);
    let subjects = vec![Subject::User(user(1))];
    let reserve = Command::Reserve {
        reservation,
        user: Some(user(1)),
        subjects: subjects.clone(),
        budget: BUDGET,
    };
    assert_eq!(step(reserve), Reply::Reserved { epoch: 0 });
    assert_eq!(
        step(Command::KillUser {
            user: user(1),
            keep: None
        }),
        Reply::Ended { count: 0 }
    );
    let session = NewSession {
        user: user(1),
        domain: "example.com".to_owned(),
        level: Level::OneFactor,
        lifetime_ms: 1_000,
        inactivity_ms: None,
    };
    let open = Command::OpenSession {
        key: key(1),
        replaces: None,
        session,
        reservation,
        subjects,
        budget: BUDGET,
        epoch: 0,
    };
    assert_eq!(step(open), Reply::Rejected(Rejection::Outdated));
    assert!(state.reader().session(&key(1)).is_none());
}
