//! Which changes are made, and which are refused, as a table.

use super::*;

/// Members `a`… in the order of their numbers; upper case votes, a `-` after it: it does not answer. The first leads.
fn roster(text: &str) -> Roster {
    let mut roster = Roster {
        members: BTreeMap::new(),
        voters: BTreeSet::new(),
        alive: BTreeSet::new(),
        leader: 1,
    };
    for (node, word) in (1..).zip(text.split_whitespace()) {
        let name = word.trim_end_matches('-');
        roster.members.insert(
            node,
            Member {
                name: name.to_ascii_lowercase(),
                address: "h:1".to_owned(),
            },
        );
        if name.chars().all(|c| c.is_ascii_uppercase()) {
            roster.voters.insert(node);
        }
        if !word.ends_with('-') {
            roster.alive.insert(node);
        }
    }
    roster
}

fn change(text: &str) -> Change {
    let (verb, name) = text.split_once(' ').unwrap_or((text, ""));
    let name = name.to_owned();
    match verb {
        "add" => Change::Add {
            name,
            address: "n9:9092".to_owned(),
            suffrage: Suffrage::Voter,
        },
        "remove" => Change::Remove { name },
        "promote" => Change::Promote { name },
        "demote" => Change::Demote { name },
        _ => Change::TransferLeader {
            to: (!name.is_empty()).then_some(name),
        },
    }
}

#[test]
fn what_keeps_a_majority_alive_is_done() {
    let cases = [
        ("A B C", "add d", Step::Invite),
        ("A B- C-", "add d", Step::Invite),
        ("A B C", "remove c", Step::Remove(3)),
        ("A B", "remove b", Step::Remove(2)),
        ("A B-", "remove b", Step::Remove(2)),
        ("A B C-", "remove c", Step::Remove(3)),
        ("A B- c", "remove c", Step::Remove(3)),
        ("A B- c-", "remove c", Step::Remove(3)),
        ("A B C", "remove a", Step::LetOther),
        ("A B C", "demote a", Step::LetOther),
        ("A B C", "demote C", Step::Demote(3)),
        ("A B c", "promote c", Step::Promote(3)),
        ("A B C- d", "promote d", Step::Promote(4)),
        ("A B C", "transfer", Step::LetOther),
        ("A B C", "transfer c", Step::HandOver(3)),
    ];
    for (members, text, step) in cases {
        let planned = plan(&roster(members), &change(text), false);
        assert_eq!(planned, Ok(step), "{members}: {text}");
    }
}

#[test]
fn what_would_lose_quorum_is_refused_unless_forced() {
    // Members, change, what an operator reads.
    let cases = [
        (
            "A B C-",
            "remove b",
            "(a, c) only 1 of 2 that are needed answer (a)",
        ),
        ("A B C-", "demote b", "(a, c) only 1 of 2"),
        ("A B- c-", "promote c", "(a, b, c) only 1 of 2"),
        ("A B C D- E-", "remove c", "(a, b, d, e) only 2 of 3"),
    ];
    for (members, text, part) in cases {
        let refusal = plan(&roster(members), &change(text), false).unwrap_err();
        let words = refusal.to_string();
        assert!(words.contains(part), "{members}: {text}: {words}");
        assert!(
            plan(&roster(members), &change(text), true).is_ok(),
            "{members}: {text}"
        );
    }
}

#[test]
fn what_makes_no_sense_is_refused_even_if_forced() {
    let cases = [
        ("A B C", "add b", "`b` is a member already"),
        ("A", "add n\u{e9}", "cannot be a member's name"),
        (
            "A B C",
            "remove x",
            "there is no member `x`; the members are a, b, c",
        ),
        ("A b", "remove a", "`a` is the only voter"),
        ("A", "demote a", "`a` is the only voter"),
        ("A B", "promote b", "`b` votes already"),
        ("A b", "demote b", "`b` is a learner"),
        ("A B- C-", "transfer", "no other voter"),
        ("A B", "transfer a", "`a` leads already"),
        ("A b", "transfer b", "`b` is a learner"),
        ("A B-", "transfer b", "`b` was not elected"),
    ];
    for (members, text, part) in cases {
        let refusal = plan(&roster(members), &change(text), true).unwrap_err();
        let words = refusal.to_string();
        assert!(words.contains(part), "{members}: {text}: {words}");
    }
}

#[test]
fn an_address_needs_a_host_and_a_port() {
    for address in ["n4", ":9092", "n4:", "n4:0", "n4:99999", "n4:port"] {
        let change = Change::Add {
            name: "n4".to_owned(),
            address: address.to_owned(),
            suffrage: Suffrage::Learner,
        };
        let refusal = plan(&roster("A"), &change, false).unwrap_err();
        assert!(
            matches!(refusal, ChangeRefusal::Address { .. }),
            "{address}"
        );
    }
}

#[test]
fn advice_says_how_many_may_be_lost() {
    assert_eq!(
        advice(1),
        ["1 voter: the cluster goes on with 0 of them lost"]
    );
    assert_eq!(
        advice(3),
        ["3 voters: the cluster goes on with 1 of them lost"]
    );
    assert_eq!(
        advice(4),
        [
            "4 voters: the cluster goes on with 1 of them lost",
            "3 voters would stand as many losses; an odd number is cheaper"
        ]
    );
}
