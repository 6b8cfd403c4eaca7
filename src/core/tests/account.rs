//! The cluster's users and their passwords, step by step.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot set itself up must stop"
)]

use quorate_core::codec::{self, Kind};
use quorate_core::{
    Account, Budget, Command, Level, NewSession, NewTotp, PasswordHash, Proposal, Rejection, Reply,
    RequestId, ReservationId, SessionKey, State, Timestamp, TotpAlgorithm, UserName,
};

const BUDGET: Budget = Budget {
    guesses_max: 3,
    window_ms: 60_000,
    ban_ms: 120_000,
    reservation_ms: 10_000,
};
const OUTDATED: Reply = Reply::Rejected(Rejection::Outdated);
const MISSING: Reply = Reply::Rejected(Rejection::Missing);

#[derive(Default)]
struct World {
    state: State,
    steps: u128,
}

fn john() -> UserName {
    UserName::parse("john").unwrap()
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash::of_phc(text)
}

fn account(groups: &[&str]) -> Account {
    Account {
        name: john(),
        display_name: "John Doe".to_owned(),
        emails: vec!["John@example.com".to_owned()],
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        password: Some(hash("first")),
        disabled: false,
    }
}

fn add() -> Command {
    Command::PutUser {
        account: account(&[]),
        replaces: None,
    }
}

fn put(account: Account, replaces: &Account) -> Command {
    Command::PutUser {
        account,
        replaces: Some(replaces.digest()),
    }
}

fn set_password() -> Command {
    Command::SetPassword {
        user: john(),
        password: hash("second"),
        keep: None,
    }
}

/// Every command that ends a user's sessions, when john is as [`account`] says.
fn ending() -> Vec<Command> {
    let user = john();
    let other_password = Account {
        password: Some(hash("second")),
        ..account(&[])
    };
    let disabled = Account {
        disabled: true,
        ..account(&[])
    };
    vec![
        set_password(),
        put(other_password, &account(&[])),
        put(disabled, &account(&[])),
        Command::DisableUser { user: user.clone() },
        Command::RemoveUser { user: user.clone() },
        Command::OverridePassword {
            user,
            replaces: hash("declared").digest(),
            password: hash("second"),
            keep: None,
        },
    ]
}

impl World {
    fn step(&mut self, command: Command) -> Reply {
        self.steps += 1;
        self.state.apply(&Proposal {
            id: RequestId(self.steps),
            at: Timestamp(1_000_000),
            command,
        })
    }

    /// Begins a login; the epoch to finish it with.
    fn begin(&mut self) -> u64 {
        let reply = self.step(Command::Reserve {
            reservation: ReservationId(1),
            user: Some(john()),
            subjects: Vec::new(),
            budget: BUDGET,
        });
        let Reply::Reserved { epoch } = reply else {
            unreachable!("no budget is charged");
        };
        epoch
    }

    fn finish(&mut self, session: &str, epoch: u64) -> Reply {
        self.step(Command::OpenSession {
            key: SessionKey::of_token(session),
            replaces: None,
            session: NewSession {
                user: john(),
                domain: "example.com".to_owned(),
                level: Level::OneFactor,
                lifetime_ms: 1_000_000,
                inactivity_ms: None,
            },
            reservation: ReservationId(1),
            subjects: Vec::new(),
            budget: BUDGET,
            epoch,
        })
    }

    fn has_session(&self, session: &str) -> bool {
        let key = SessionKey::of_token(session);
        self.state.reader().session(&key).is_some()
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.state.view().write_to(&mut bytes).unwrap();
        bytes
    }
}

#[test]
fn what_ends_sessions_ends_them_all_and_lets_no_login_under_way_finish() {
    for command in ending() {
        let mut world = World::default();
        assert_eq!(world.step(add()), Reply::Ended { count: 0 });
        let epoch = world.begin();
        assert_eq!(world.finish("one", epoch), Reply::Done);
        assert_eq!(world.finish("two", epoch), Reply::Done);
        assert!(command.is_revoking(), "{command:?}");
        assert_eq!(
            world.step(command.clone()),
            Reply::Ended { count: 2 },
            "{command:?}"
        );
        assert!(!world.has_session("one") && !world.has_session("two"));
        assert_eq!(world.finish("three", epoch), OUTDATED, "{command:?}");
        assert!(!world.has_session("three"));
    }
}

#[test]
fn whoever_changes_their_own_password_may_stay() {
    let mut world = World::default();
    world.step(add());
    let epoch = world.begin();
    world.finish("own", epoch);
    world.finish("other", epoch);
    let keep = Some(SessionKey::of_token("own"));
    let changed = world.step(Command::SetPassword {
        user: john(),
        password: hash("second"),
        keep,
    });
    assert_eq!(changed, Reply::Ended { count: 1 });
    assert!(world.has_session("own") && !world.has_session("other"));
}

#[test]
fn groups_change_while_sessions_go_on_and_the_reply_waits_for_every_node() {
    let mut world = World::default();
    world.step(add());
    let epoch = world.begin();
    world.finish("one", epoch);
    let command = put(account(&["admins"]), &account(&[]));
    assert!(command.is_revoking() && !add().is_revoking());
    assert_eq!(world.step(command), Reply::Ended { count: 0 });
    assert!(world.has_session("one"));
    let found = world.state.reader().account(&john()).unwrap();
    assert_eq!(*found, account(&["admins"]));
}

#[test]
fn a_change_of_what_has_changed_meanwhile_is_refused() {
    let mut world = World::default();
    assert_eq!(
        world.step(put(account(&["a"]), &account(&[]))),
        OUTDATED,
        "there is nobody to replace"
    );
    world.step(add());
    assert_eq!(world.step(add()), OUTDATED, "there is somebody already");
    world.step(set_password());
    assert_eq!(
        world.step(put(account(&["a"]), &account(&[]))),
        OUTDATED,
        "the older password must not come back"
    );
}

#[test]
fn of_nobody_nothing_changes() {
    let user = john();
    let missing = [
        set_password(),
        Command::DisableUser { user: user.clone() },
        Command::EnableUser { user: user.clone() },
        Command::RemoveUser { user },
    ];
    for command in missing {
        let mut world = World::default();
        assert_eq!(world.step(command), MISSING);
        assert!(world.state.reader().accounts().is_empty());
        assert_eq!(world.begin(), 0);
    }
}

#[test]
fn a_disabled_user_is_kept_and_comes_back_with_the_same_password() {
    let mut world = World::default();
    world.step(add());
    world.step(Command::DisableUser { user: john() });
    assert!(world.state.reader().account(&john()).unwrap().disabled);
    assert_eq!(
        world.step(Command::EnableUser { user: john() }),
        Reply::Done
    );
    let found = world.state.reader().account(&john()).unwrap();
    assert_eq!(*found, account(&[]));
}

#[test]
fn whoever_gets_the_name_of_a_removed_user_inherits_nothing() {
    let mut world = World::default();
    world.step(add());
    world.step(Command::SetTotp {
        user: john(),
        device: NewTotp {
            sealed_secret: vec![1],
            algorithm: TotpAlgorithm::Sha1,
            digits: 6,
            period_s: 30,
            issuer: "Quorate".to_owned(),
        },
    });
    let epoch = world.begin();
    world.step(Command::RemoveUser { user: john() });
    let reader = world.state.reader();
    assert!(reader.account(&john()).is_none());
    assert!(reader.authenticators(&john()).unwrap().totp.is_none());
    assert_eq!(reader.name_of_email("john@example.com"), None);
    world.step(add());
    assert_eq!(
        world.finish("old login", epoch),
        OUTDATED,
        "a login that began under the older user"
    );
}

#[test]
fn an_address_of_two_users_leads_to_nobody() {
    let mut world = World::default();
    world.step(add());
    let reader = world.state.reader();
    assert_eq!(reader.name_of_email("john@example.com"), Some(john()));
    let jane = UserName::parse("jane").unwrap();
    world.step(Command::PutUser {
        account: Account {
            name: jane.clone(),
            ..account(&[])
        },
        replaces: None,
    });
    assert_eq!(reader.name_of_email("john@example.com"), None);
    world.step(Command::RemoveUser { user: john() });
    assert_eq!(reader.name_of_email("john@example.com"), Some(jane));
}

/// The kind of the first record that does not say which set of commands is in force.
fn head_kind(bytes: &[u8]) -> Option<u16> {
    let kind = codec::frame_kind(bytes);
    if kind != Some(Kind::SnapshotSet as u16) {
        return kind;
    }
    let set_bytes = codec::frame_bytes(bytes).unwrap().unwrap();
    codec::frame_kind(&bytes[set_bytes..])
}

/// Members that do not know users in the cluster have to read what there was before.
#[test]
fn a_snapshot_without_users_keeps_the_older_form() {
    let mut world = World::default();
    let epoch = world.begin();
    world.finish("one", epoch);
    let older = Some(Kind::SnapshotHead as u16);
    assert_eq!(codec::frame_kind(&world.bytes()), older);
    world.step(add());
    assert_eq!(head_kind(&world.bytes()), Some(Kind::SnapshotHead2 as u16));
    let mut loaded = State::new();
    loaded.load(&mut world.bytes().as_slice()).unwrap();
    assert_eq!(*loaded.reader().account(&john()).unwrap(), account(&[]));
    assert_eq!(loaded.reader().set(), 2);
    world.step(Command::RemoveUser { user: john() });
    assert_eq!(head_kind(&world.bytes()), older);
    loaded.load(&mut world.bytes().as_slice()).unwrap();
    assert!(loaded.reader().account(&john()).is_none());
    assert_eq!(loaded.reader().name_of_email("john@example.com"), None);
}

/// The commands of `data/set-2.txt`, in its order.
fn second_set() -> [Command; 6] {
    let user = UserName::parse("a").unwrap();
    let password = hash("$h");
    let account = Account {
        name: user.clone(),
        display_name: "A".to_owned(),
        emails: vec!["a@b".to_owned()],
        groups: vec!["g".to_owned()],
        password: Some(password.clone()),
        disabled: true,
    };
    [
        Command::PutUser {
            account,
            replaces: Some([7; 32]),
        },
        Command::SetPassword {
            user: user.clone(),
            password: password.clone(),
            keep: Some(SessionKey([9; 32])),
        },
        Command::DisableUser { user: user.clone() },
        Command::EnableUser { user: user.clone() },
        Command::RemoveUser { user: user.clone() },
        Command::OverridePassword {
            user,
            replaces: [7; 32],
            password,
            keep: None,
        },
    ]
}

#[test]
fn commands_of_the_second_set_keep_their_bytes() {
    let lines = include_str!("data/set-2.txt").lines().skip(1);
    let lines: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(' ')).collect();
    assert_eq!(lines.len(), second_set().len());
    for (command, (name, expected)) in second_set().iter().zip(lines) {
        assert_eq!(command.set(), 2, "{name}");
        let bytes = codec::encode(Kind::Message, command).unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, expected, "{name}");
        assert_eq!(
            codec::decode::<Command>(Kind::Message, &bytes).unwrap(),
            *command
        );
    }
}

#[test]
fn debug_shows_no_hash() {
    let shown = format!("{:?}", add());
    assert!(!shown.contains("first"), "{shown}");
}
