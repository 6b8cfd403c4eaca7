//! What was shipped stays: the bytes of every command, of its reply, and of the snapshot of the state they make.
//!
//! `data/set-1.txt` holds the first set of commands as the program that shipped it wrote them. Its lines never change; a
//! later set gets a file of its own; the second is read by `account.rs`. Old logs and snapshots, and members that are still of that version, depend on it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot set itself up must stop"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use quorate_core::codec::{self, Kind};
use quorate_core::{
    Budget, Command, Level, NewSession, NewTotp, Outcome, Proposal, Rejection, Reply, RequestId,
    ReservationId, SessionKey, State, Subject, Timestamp, TotpAlgorithm, TotpUse, UserName,
};
use serde::{Serialize, de::DeserializeOwned};

const SHIPPED: &str = include_str!("data/set-1.txt");

const BUDGET: Budget = Budget {
    guesses_max: 3,
    window_ms: 60_000,
    ban_ms: 120_000,
    reservation_ms: 10_000,
};

/// Every variant of the first set. A later one is in the file of its own set.
const NAMES: [&str; 13] = [
    "reserve",
    "resolve",
    "open_session",
    "end_session",
    "kill_user",
    "touch_sessions",
    "expire_sessions",
    "expire_attempts",
    "set_totp",
    "remove_totp",
    "use_totp",
    "ban",
    "lift_ban",
];

fn name(command: &Command) -> &'static str {
    let place = match command {
        Command::Reserve { .. } => 0,
        Command::Resolve { .. } => 1,
        Command::OpenSession { .. } => 2,
        Command::EndSession { .. } => 3,
        Command::KillUser { .. } => 4,
        Command::TouchSessions { .. } => 5,
        Command::ExpireSessions { .. } => 6,
        Command::ExpireAttempts { .. } => 7,
        Command::SetTotp { .. } => 8,
        Command::RemoveTotp { .. } => 9,
        Command::UseTotp(_) => 10,
        Command::Ban { .. } => 11,
        Command::LiftBan { .. } => 12,
        Command::PutUser { .. }
        | Command::SetPassword { .. }
        | Command::DisableUser { .. }
        | Command::EnableUser { .. }
        | Command::RemoveUser { .. }
        | Command::OverridePassword { .. } => unreachable!("it is of the second set"),
    };
    NAMES[place]
}

fn user(name: &str) -> UserName {
    UserName::parse(name).unwrap()
}

fn of_user(name: &str) -> Subject {
    Subject::User(user(name))
}

fn address(text: &str) -> Subject {
    Subject::of_address(text.parse().unwrap())
}

fn key(number: u32) -> SessionKey {
    SessionKey::of_token(&format!("token {number}"))
}

fn session(name: &str, level: Level, inactivity_ms: Option<u64>) -> NewSession {
    NewSession {
        user: user(name),
        domain: "example.com".to_owned(),
        level,
        lifetime_ms: 3_600_000,
        inactivity_ms,
    }
}

fn reserve(reservation: u128, name: Option<&str>, subjects: Vec<Subject>) -> Command {
    Command::Reserve {
        reservation: ReservationId(reservation),
        user: name.map(user),
        subjects,
        budget: BUDGET,
    }
}

fn resolve(reservation: u128, subjects: Vec<Subject>, outcome: Outcome) -> Command {
    Command::Resolve {
        reservation: ReservationId(reservation),
        subjects,
        budget: BUDGET,
        outcome,
    }
}

fn open(number: u32, replaces: Option<u32>, session: NewSession, reservation: u128) -> Command {
    Command::OpenSession {
        key: key(number),
        replaces: replaces.map(key),
        subjects: vec![Subject::User(session.user.clone())],
        session,
        reservation: ReservationId(reservation),
        budget: BUDGET,
        epoch: 0,
    }
}

fn set_totp(name: &str, algorithm: TotpAlgorithm) -> Command {
    Command::SetTotp {
        user: user(name),
        device: NewTotp {
            sealed_secret: vec![1, 2, 0xfe],
            algorithm,
            digits: 6,
            period_s: 30,
            issuer: "Quorate".to_owned(),
        },
    }
}

fn use_totp(number: u32, replaces: u32, reservation: u128) -> Command {
    Command::UseTotp(TotpUse {
        key: key(number),
        replaces: key(replaces),
        session: session("john", Level::TwoFactor, Some(300_000)),
        reservation: ReservationId(reservation),
        subjects: vec![Subject::SecondFactor(user("john"))],
        budget: BUDGET,
        epoch: 0,
        revision: 1,
        start_s: 990,
        may_repeat: false,
    })
}

/// A history in which every command, and every kind of reply to it, comes up.
fn history() -> Vec<Command> {
    let second = || vec![Subject::SecondFactor(user("john"))];
    let jane = || vec![of_user("jane"), address("2001:db8::7")];
    let far = address("198.51.100.9");
    vec![
        reserve(1, Some("john"), vec![of_user("john"), address("192.0.2.7")]),
        resolve(
            1,
            vec![of_user("john"), address("192.0.2.7")],
            Outcome::Wrong,
        ),
        reserve(2, Some("john"), vec![of_user("john")]),
        open(1, None, session("john", Level::OneFactor, Some(300_000)), 2),
        set_totp("john", TotpAlgorithm::Sha1),
        reserve(3, Some("john"), second()),
        use_totp(2, 1, 3),
        reserve(4, None, second()),
        use_totp(3, 2, 4),
        Command::TouchSessions {
            seen: vec![(key(2), Timestamp(1_020_000)), (key(9), Timestamp(7))],
        },
        reserve(5, Some("jane"), jane()),
        reserve(6, Some("jane"), jane()),
        reserve(7, Some("jane"), jane()),
        reserve(8, Some("jane"), jane()),
        resolve(5, jane(), Outcome::NotChecked),
        resolve(6, jane(), Outcome::Right),
        open(4, None, session("jane", Level::OneFactor, None), 7),
        open(5, Some(4), session("jane", Level::Anonymous, None), 9),
        Command::KillUser {
            user: user("jane"),
            keep: Some(key(5)),
        },
        open(6, None, session("jane", Level::OneFactor, None), 10),
        Command::KillUser {
            user: user("nobody"),
            keep: None,
        },
        Command::Ban {
            subject: of_user("eve"),
            for_ms: Some(60_000),
        },
        Command::Ban {
            subject: far.clone(),
            for_ms: None,
        },
        reserve(11, Some("eve"), vec![of_user("eve"), far]),
        Command::LiftBan {
            subject: of_user("eve"),
        },
        Command::LiftBan {
            subject: of_user("nobody"),
        },
        set_totp("jane", TotpAlgorithm::Sha256),
        set_totp("bob", TotpAlgorithm::Sha512),
        Command::RemoveTotp { user: user("bob") },
        Command::RemoveTotp { user: user("eve") },
        open(7, None, session("bob", Level::OneFactor, Some(1_000)), 12),
        Command::EndSession { key: key(7) },
        Command::EndSession { key: key(7) },
        open(8, None, session("bob", Level::OneFactor, Some(1)), 13),
        Command::ExpireSessions {
            keys: vec![key(8), key(2)],
        },
        reserve(14, Some("bob"), vec![of_user("bob")]),
        Command::ExpireAttempts {
            subjects: vec![of_user("john"), of_user("eve")],
            budget: BUDGET,
        },
    ]
}

/// A retry of the first one comes last.
fn proposals() -> Vec<Proposal> {
    let stamp = |(number, command): (u64, Command)| Proposal {
        id: RequestId(u128::from(number) | 0xab << 96),
        at: Timestamp(1_000_000 + number * 500),
        command,
    };
    let mut proposals: Vec<Proposal> = (0..).zip(history()).map(stamp).collect();
    let first = proposals[0].clone();
    proposals.push(first);
    proposals
}

fn hex<T: Serialize>(value: &T) -> String {
    hex_of(&codec::encode(Kind::Message, value).unwrap())
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = (0..hex.len()).step_by(2);
    digits
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

fn read<T: DeserializeOwned>(hex: &str) -> T {
    codec::decode(Kind::Message, &bytes(hex)).unwrap()
}

fn snapshot(state: &State) -> Vec<u8> {
    let mut bytes = Vec::new();
    state.view().write_to(&mut bytes).unwrap();
    bytes
}

/// The columns of the lines of that kind.
fn shipped(kind: &str) -> Vec<Vec<&'static str>> {
    let lines = SHIPPED.lines().map(|line| line.split(' ').collect());
    lines
        .filter(|columns: &Vec<&str>| columns[0] == kind)
        .collect()
}

/// What this program writes, in the form of the file; also put where somebody can look at the difference.
fn written() -> String {
    let mut state = State::new();
    let mut text = String::from("# kind, name, proposal, reply; then the snapshot\n");
    for proposal in proposals() {
        let reply = state.apply(&proposal);
        let (name, proposal) = (name(&proposal.command), hex(&proposal));
        let _ = writeln!(text, "command {name} {proposal} {}", hex(&reply));
    }
    let _ = writeln!(text, "snapshot {}", hex_of(&snapshot(&state)));
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("set-1.txt");
    std::fs::write(path, &text).unwrap();
    text
}

#[test]
fn this_program_writes_what_the_shipped_one_wrote() {
    for (ours, theirs) in written().lines().zip(SHIPPED.lines()) {
        assert_eq!(ours, theirs, "a shipped format has changed");
    }
    assert_eq!(written(), SHIPPED);
}

#[test]
fn shipped_commands_are_read_and_applied_with_the_same_result() {
    let mut state = State::new();
    for (line, expected) in shipped("command").iter().zip(proposals()) {
        let proposal: Proposal = read(line[2]);
        assert_eq!(proposal, expected);
        assert_eq!(proposal.command.set(), 1);
        assert_eq!(
            state.apply(&proposal),
            read::<Reply>(line[3]),
            "{}",
            line[1]
        );
    }
    assert_eq!(hex_of(&snapshot(&state)), shipped("snapshot")[0][1]);
    assert_eq!(state.reader().set(), 1);
}

#[test]
fn a_shipped_snapshot_is_loaded_and_written_again_as_it_was() {
    let shipped = bytes(shipped("snapshot")[0][1]);
    let mut state = State::new();
    state.load(&mut shipped.as_slice()).unwrap();
    assert_eq!(snapshot(&state), shipped);
    let sessions = state.reader().sessions();
    let users: BTreeSet<_> = sessions.iter().map(|(_, s)| s.user.clone()).collect();
    assert_eq!(users, [user("jane"), user("john")].into());
}

#[test]
fn the_shipped_history_has_every_command_and_every_reply() {
    let names: BTreeSet<&str> = shipped("command").iter().map(|line| line[1]).collect();
    assert_eq!(names, NAMES.into());
    let replies: Vec<Reply> = shipped("command").iter().map(|l| read(l[3])).collect();
    let has = |wanted: fn(&Reply) -> bool| replies.iter().any(wanted);
    assert!(has(|r| *r == Reply::Done));
    assert!(has(|r| matches!(r, Reply::Reserved { .. })));
    assert!(has(|r| *r == Reply::Ended { count: 1 }));
    assert!(has(|r| matches!(
        r,
        Reply::Rejected(Rejection::Banned { .. })
    )));
    for rejection in [
        Rejection::Busy,
        Rejection::Outdated,
        Rejection::Used,
        Rejection::Missing,
    ] {
        assert!(
            replies.contains(&Reply::Rejected(rejection)),
            "{rejection:?}"
        );
    }
}
