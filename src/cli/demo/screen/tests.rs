//! What is written, byte by byte.

use std::time::Duration;

use super::*;

fn member(name: &'static str, role: &str, applied: u64) -> Member {
    let role = role.to_owned();
    let status = Status {
        ready: true,
        role,
        term: 3,
        applied,
        sessions: 1,
        ..Status::default()
    };
    Member {
        name,
        http_port: 1,
        process: Process::Running(42),
        status: Some(status),
    }
}

fn three() -> Vec<Member> {
    vec![
        member("n1", "follower", 8),
        member("n2", "leader", 9),
        member("n3", "follower", 7),
    ]
}

fn written(output: Output, frames: &[(Vec<Member>, Instant)]) -> String {
    let mut screen = Screen::new(Vec::new(), output);
    screen.announced = Some(("n2", 42));
    for (members, now) in frames {
        screen.show(members, 60, *now);
    }
    screen.say("news");
    screen.finish("end");
    String::from_utf8(screen.out).expect("UTF-8")
}

#[test]
fn a_terminal_shows_the_state_in_place_and_within_its_width() {
    let now = Instant::now();
    let shown = written(Output::Terminal, &[(three(), now), (three(), now)]);
    let line = "n1 follower · n2 LEADER · n3 follower | term 3 · applied 9 ·";
    assert_eq!(
        shown,
        format!("{ERASE}{line}{ERASE}news\n{line}{ERASE}end\n")
    );
}

#[test]
fn lines_are_printed_only_when_something_worth_a_line_changed() {
    let now = Instant::now();
    let mut moved = three();
    moved[0].status = Some(Status {
        applied: 9,
        ..moved[0].status.clone().expect("some")
    });
    let mut down = moved.clone();
    down[0].process = Process::Down(now + Duration::from_secs(5));
    down[0].status = None;
    let later = now + Duration::from_secs(3);
    let shown = written(
        Output::Lines,
        &[
            (three(), now),
            (moved, now),
            (down.clone(), now),
            (down, later),
        ],
    );
    let expected = "\
n1 follower · n2 LEADER · n3 follower | term 3 · applied 9 · lag 2 · sessions 1
n1 down, back in 5 s · n2 LEADER · n3 follower | term 3 · applied 9 · lag 2 · sessions 1
news
end
";
    assert_eq!(shown, expected);
}

#[test]
fn a_new_leader_is_announced_once_with_the_line_that_kills_it() {
    let mut screen = Screen::new(Vec::new(), Output::Lines);
    let mut members = three();
    screen.show(&members, 80, Instant::now());
    screen.show(&members, 80, Instant::now());
    members[1].process = Process::Running(43);
    screen.show(&members, 80, Instant::now());
    let text = String::from_utf8(screen.out).expect("UTF-8");
    let told: Vec<&str> = text.lines().filter(|line| line.contains("kill")).collect();
    let line = |pid: u32| format!("n2 leads. Kill it and go on browsing:  kill -9 {pid}");
    assert_eq!(told, [line(42), line(43)]);
}

#[test]
fn a_node_that_is_not_ready_says_why() {
    let mut members = three();
    members[0].status = Some(Status {
        why: vec!["no lease".into()],
        ..Status::default()
    });
    members[2].status = None;
    let text = line(&members, Instant::now());
    assert!(
        text.starts_with("n1 not ready (no lease) · n2 LEADER · n3 not answering | "),
        "{text}"
    );
    members.iter_mut().for_each(|member| member.status = None);
    assert!(line(&members, Instant::now()).ends_with("| no node answers"));
}
