//! What members say to each other keeps its bytes, so that those of two versions understand each other.
//!
//! `data/protocol-1.txt` holds every message of the first version as the program that shipped it wrote them. Its lines
//! never change. What a later version brings has a number of its own ([`Request::since`]) and a file of its own.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot set itself up must stop"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use openraft::error::SnapshotMismatch;
use openraft::{
    Entry, EntryPayload, LeaderId, Membership, SnapshotMeta, SnapshotSegmentId, StoredMembership,
    Vote,
};
use quorate_core::codec::{self, Kind};
use quorate_core::{Proposal, Rejection, Timestamp, UserName};
use serde::de::DeserializeOwned;

use super::*;
use crate::lease::Boot;
use crate::node::Suffrage;
use crate::types::Batch;

const SHIPPED: &str = include_str!("../data/protocol-1.txt");

fn log_id(term: u64, index: u64) -> LogId<u64> {
    LogId::new(LeaderId::new(term, 7), index)
}

fn member(name: &str) -> Member {
    Member {
        name: name.to_owned(),
        address: format!("{name}:9092"),
    }
}

fn members() -> BTreeMap<u64, Member> {
    [(7, member("n1")), (8, member("n2"))].into()
}

fn stamp() -> Stamp {
    Stamp {
        incarnation: Incarnation(0x1122),
        term: 3,
        q: Boot(4_000_000_000),
        applied: 12,
    }
}

fn command() -> Command {
    Command::KillUser {
        user: UserName::parse("john").unwrap(),
        keep: None,
    }
}

fn greeting() -> Greeting {
    Greeting {
        protocol: 1,
        protocol_oldest: 1,
        commands: 1,
        name: "n1".to_owned(),
        node: 7,
        incarnation: Incarnation(0x1122),
        refusal: Some("no".to_owned()),
    }
}

fn append() -> Request {
    let entry = |index, payload| Entry {
        log_id: log_id(3, index),
        payload,
    };
    let proposal = Proposal {
        id: RequestId(5),
        at: Timestamp(1_000),
        command: command(),
    };
    let membership = Membership::new(vec![[7].into()], members());
    Request::Append {
        rpc: AppendEntriesRequest {
            vote: Vote::new_committed(3, 7),
            prev_log_id: Some(log_id(2, 9)),
            entries: vec![
                entry(10, EntryPayload::Blank),
                entry(11, EntryPayload::Normal(Batch(vec![proposal]))),
                entry(12, EntryPayload::Membership(membership)),
            ],
            leader_commit: Some(log_id(3, 10)),
        },
        grant: Some(Grant {
            incarnation: Incarnation(0x1122),
            q: Boot(4_000_000_000),
        }),
    }
}

fn snapshot() -> Request {
    let membership = Membership::new(vec![[7].into()], members());
    Request::Snapshot(InstallSnapshotRequest {
        vote: Vote::new_committed(3, 7),
        meta: SnapshotMeta {
            last_log_id: Some(log_id(3, 12)),
            last_membership: StoredMembership::new(Some(log_id(1, 0)), membership),
            snapshot_id: "id".to_owned(),
        },
        offset: 4,
        data: vec![1, 2, 3],
        done: true,
    })
}

fn requests() -> Vec<Request> {
    let change = |change| Request::Change {
        change,
        is_forced: true,
    };
    let name = || "n2".to_owned();
    vec![
        Request::Hello,
        append(),
        Request::Vote(VoteRequest {
            vote: Vote::new(4, 8),
            last_log_id: Some(log_id(3, 12)),
        }),
        Request::MayStand {
            last_log: Some(log_id(3, 12)),
        },
        snapshot(),
        Request::Propose {
            id: RequestId(5),
            command: command(),
        },
        Request::ReadIndex,
        Request::Applied(stamp()),
        Request::Found {
            cluster: ClusterId(9),
            members: members(),
        },
        Request::Join {
            member: member("n2"),
        },
        Request::TakeOver,
        change(Change::Add {
            name: name(),
            address: "n2:1".to_owned(),
            suffrage: Suffrage::Learner,
        }),
        change(Change::Remove { name: name() }),
        change(Change::Promote { name: name() }),
        change(Change::Demote { name: name() }),
        change(Change::TransferLeader { to: None }),
        Request::Farewell(stamp()),
        Request::Compare,
    ]
}

fn answers() -> Vec<Result<Answer, Refusal>> {
    let name = || "n2".to_owned();
    let mismatch = InstallSnapshotError::SnapshotMismatch(SnapshotMismatch {
        expect: SnapshotSegmentId::from(("id", 1)),
        got: SnapshotSegmentId::from(("id", 2)),
    });
    let append = |response| {
        Ok(Answer::Append {
            response,
            stamp: stamp(),
        })
    };
    vec![
        Ok(Answer::Hello(Introduction {
            name: name(),
            node: 8,
            cluster: Some(ClusterId(9)),
            members: members(),
            leader: Some(7),
        })),
        append(AppendEntriesResponse::Success),
        append(AppendEntriesResponse::PartialSuccess(Some(log_id(3, 11)))),
        append(AppendEntriesResponse::Conflict),
        append(AppendEntriesResponse::HigherVote(Vote::new(4, 8))),
        Ok(Answer::Vote(VoteResponse {
            vote: Vote::new(4, 8),
            vote_granted: true,
            last_log_id: Some(log_id(3, 12)),
        })),
        Ok(Answer::MayStand(true)),
        Ok(Answer::Snapshot(Ok(InstallSnapshotResponse {
            vote: Vote::new_committed(3, 7),
        }))),
        Ok(Answer::Snapshot(Err(mismatch))),
        Ok(Answer::Committed {
            reply: Reply::Rejected(Rejection::Busy),
            index: 12,
        }),
        Ok(Answer::ReadIndex(12)),
        Ok(Answer::Done),
        Ok(Answer::Changed(Ok(Changed {
            done: "done".to_owned(),
            notes: vec!["a note".to_owned()],
        }))),
        Ok(Answer::Changed(Err(ChangeRefusal::AlreadyVoter {
            name: name(),
        }))),
        Ok(Answer::Compared(Facts {
            wall_ms: 1_000,
            digests: Some(([1; 32], [2; 32])),
        })),
        Err(Refusal::WrongCluster {
            name: name(),
            cluster: ClusterId(9),
        }),
        Err(Refusal::NoCluster { name: name() }),
        Err(Refusal::WrongReceiver {
            name: name(),
            node: 8,
            to: 7,
        }),
        Err(Refusal::Removed { from: 8 }),
        Err(Refusal::NotLeader {
            name: name(),
            leader: Some(7),
        }),
        Err(Refusal::NotNow("later".to_owned())),
        Err(Refusal::Unknown("who knows".to_owned())),
    ]
}

/// What this program writes, as lines of kind, name and bytes.
fn written() -> String {
    let mut text = String::new();
    let mut line = |kind: &str, name: &str, bytes: Result<Vec<u8>, codec::CodecError>| {
        let bytes = bytes.unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let _ = writeln!(text, "{kind} {name} {hex}");
    };
    line(
        "greeting",
        "Greeting",
        codec::encode(Kind::Message, &greeting()),
    );
    for (id, request) in (1..).zip(requests()) {
        let question = Question {
            id,
            envelope: Envelope {
                cluster: Some(ClusterId(9)),
                from: 7,
                to: Some(8),
            },
            request,
        };
        let name = first_word(&question.request);
        line("question", &name, codec::encode(Kind::Message, &question));
    }
    for (id, outcome) in (1..).zip(answers()) {
        let name = match &outcome {
            Ok(answer) => first_word(answer),
            Err(refusal) => first_word(refusal),
        };
        let response = Response { id, outcome };
        line("response", &name, codec::encode(Kind::Message, &response));
    }
    text
}

/// The name of the variant.
fn first_word(value: &impl fmt::Debug) -> String {
    let text = format!("{value:?}");
    let end = text.find(|c: char| !c.is_alphanumeric());
    text[..end.unwrap_or(text.len())].to_owned()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = (0..hex.len()).step_by(2);
    digits
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

fn again<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Vec<u8> {
    let value: T = codec::decode(Kind::Message, bytes).unwrap();
    codec::encode(Kind::Message, &value).unwrap()
}

#[test]
fn this_program_speaks_as_the_shipped_one_spoke() {
    for (ours, theirs) in written().lines().zip(SHIPPED.lines()) {
        assert_eq!(ours, theirs, "a shipped message has changed");
    }
    assert_eq!(written(), SHIPPED, "messages were added or are missing");
}

#[test]
fn what_the_shipped_program_says_is_understood() {
    for line in SHIPPED.lines() {
        let columns: Vec<&str> = line.split(' ').collect();
        let said = bytes(columns[2]);
        let understood = match columns[0] {
            "greeting" => again::<Greeting>(&said),
            "question" => again::<Question>(&said),
            _ => again::<Response>(&said),
        };
        assert_eq!(understood, said, "{}", columns[1]);
    }
}

#[test]
fn every_message_of_the_first_version_was_shipped() {
    let shipped: BTreeSet<&str> = SHIPPED
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        .collect();
    for name in [
        "Hello",
        "Append",
        "Vote",
        "MayStand",
        "Snapshot",
        "Propose",
        "ReadIndex",
        "Applied",
        "Found",
        "Join",
        "TakeOver",
        "Change",
        "Farewell",
        "Compare",
        "Committed",
        "Done",
        "Changed",
        "Compared",
        "WrongCluster",
        "NoCluster",
        "WrongReceiver",
        "Removed",
        "NotLeader",
        "NotNow",
        "Unknown",
    ] {
        assert!(shipped.contains(name), "{name}");
    }
}
