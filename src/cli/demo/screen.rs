//! The terminal: news as lines, and under them the state of the cluster on one line that is drawn
//! again in place. Where the output is not a terminal, that line is printed when it has changed.

use std::io::Write;
use std::time::Instant;

use super::member::{Member, Process, Status, leader};

/// Back to the first column, and erase to the end of the line. Source: ECMA-48, CR and EL.
const ERASE: &str = "\r\x1b[K";

/// Where the state is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// A terminal, on which a line can be drawn again.
    Terminal,
    /// A file or a pipe, where every line stays.
    Lines,
}

/// Writes news and state to `out`. Errors of writing are ignored: the demo outlives its terminal
/// until a signal ends it.
pub(super) struct Screen<W> {
    out: W,
    output: Output,
    /// The state as it was drawn last.
    drawn: String,
    /// The leader that was announced last, with its process id.
    announced: Option<(&'static str, u32)>,
}

impl<W: Write> Screen<W> {
    pub(super) fn new(out: W, output: Output) -> Self {
        Self {
            out,
            output,
            drawn: String::new(),
            announced: None,
        }
    }

    /// Prints `text` above the state line.
    pub(super) fn say(&mut self, text: &str) {
        let drawn = std::mem::take(&mut self.drawn);
        let _ = match self.output {
            Output::Terminal => write!(self.out, "{ERASE}{text}\n{drawn}"),
            Output::Lines => writeln!(self.out, "{text}"),
        };
        let _ = self.out.flush();
        self.drawn = drawn;
    }

    /// Prints `text` and leaves the state line behind.
    pub(super) fn finish(&mut self, text: &str) {
        self.drawn.clear();
        self.say(text);
    }

    /// Shows the state, in at most `columns` columns of a terminal, and announces a new leader.
    pub(super) fn show(&mut self, members: &[Member], columns: usize, now: Instant) {
        self.announce_leader(members);
        let (line, is_same) = match self.output {
            Output::Terminal => {
                let line: String = line(members, now).chars().take(columns).collect();
                let is_same = line == self.drawn;
                (line, is_same)
            }
            Output::Lines => {
                let key = key(members);
                let is_same = key == self.drawn;
                self.drawn = key;
                (line(members, now), is_same)
            }
        };
        if is_same {
            return;
        }
        let _ = match self.output {
            Output::Terminal => write!(self.out, "{ERASE}{line}"),
            Output::Lines => writeln!(self.out, "{line}"),
        };
        let _ = self.out.flush();
        if self.output == Output::Terminal {
            self.drawn = line;
        }
    }

    fn announce_leader(&mut self, members: &[Member]) {
        let Some((name, pid)) =
            leader(members).and_then(|member| Some((member.name, member.pid()?)))
        else {
            return;
        };
        if self.announced == Some((name, pid)) {
            return;
        }
        self.announced = Some((name, pid));
        self.say(&format!(
            "{name} leads. Kill it and go on browsing:  kill -9 {pid}"
        ));
    }
}

/// The state on one line.
fn line(members: &[Member], now: Instant) -> String {
    let nodes: Vec<String> = members
        .iter()
        .map(|member| match member.process {
            Process::Running(_) => alive(member),
            Process::Down(until) => {
                let seconds = until.saturating_duration_since(now).as_secs_f32().ceil();
                format!("{} down, back in {seconds} s", member.name)
            }
        })
        .collect();
    format!("{} | {}", nodes.join(" · "), figures(members))
}

fn alive(member: &Member) -> String {
    let name = member.name;
    match &member.status {
        None => format!("{name} not answering"),
        Some(status) if status.ready && status.is_leader() => format!("{name} LEADER"),
        Some(status) if status.ready => format!("{name} {}", status.role),
        Some(status) => match status.why.first() {
            Some(why) => format!("{name} not ready ({why})"),
            None => format!("{name} not ready"),
        },
    }
}

/// Term, newest applied index, how far the last node is behind it, sessions.
fn figures(members: &[Member]) -> String {
    let statuses = || members.iter().filter_map(|member| member.status.as_ref());
    let Some(newest) = statuses().max_by_key(|status| (status.term, status.applied)) else {
        return "no node answers".into();
    };
    let applied = statuses().map(|status| status.applied);
    let highest = applied.clone().max().unwrap_or_default();
    let lag = highest - applied.min().unwrap_or(highest);
    let Status { term, sessions, .. } = newest;
    format!("term {term} · applied {highest} · lag {lag} · sessions {sessions}")
}

/// What makes a new line worth printing where lines stay: not the figures that always move.
fn key(members: &[Member]) -> String {
    let one = |member: &Member| match member.process {
        Process::Running(_) => alive(member),
        Process::Down(_) => format!("{} down", member.name),
    };
    let term = |member: &Member| member.status.as_ref().map(|status| status.term);
    let sessions = |member: &Member| member.status.as_ref().map(|status| status.sessions);
    let term = members.iter().filter_map(term).max();
    let sessions = members.iter().filter_map(sessions).max();
    let nodes: Vec<String> = members.iter().map(one).collect();
    format!("{} {term:?} {sessions:?}", nodes.join(" "))
}

#[cfg(test)]
mod tests;
