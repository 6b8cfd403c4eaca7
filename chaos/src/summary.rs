//! What a run comes to, for a terminal.

use std::fmt::Write as _;
use std::time::Duration;

use crate::check::Violation;
use crate::fault::Fault;
use crate::history::{Action, Event, Outcome as Answered};
use crate::run::{Options, Outcome};

/// Events of a violation that are shown.
const SHOWN_MAX: usize = 12;
/// Violations of a promise that are shown.
const VIOLATIONS_MAX: usize = 5;

/// The command that does the same again.
pub(crate) fn replay(options: &Options) -> String {
    let mut command = format!(
        "cargo run -p quorate-chaos -- run --seed {} --minutes {} --nodes {} --binary {}",
        options.seed,
        options.length.as_secs_f64() / 60.0,
        options.nodes,
        options.binary.display()
    );
    let families: Vec<String> = options
        .families
        .iter()
        .filter_map(clap::ValueEnum::to_possible_value)
        .map(|value| value.get_name().to_owned())
        .collect();
    let _ = write!(command, " --nemesis {}", families.join(","));
    if let Some(mutant) = &options.mutant {
        let _ = write!(command, " --mutant {mutant}");
    }
    command
}

/// What is about to happen.
pub(crate) fn head(options: &Options) -> String {
    format!(
        "seed {}, {} nodes, {:.1} minutes; everything is left in {}",
        options.seed,
        options.nodes,
        options.length.as_secs_f64() / 60.0,
        options.folder.display()
    )
}

/// Times from the loss of a leader to the answer of the next login that was begun after it, sorted.
pub(crate) fn failovers(outcome: &Outcome) -> Vec<Duration> {
    let killed = outcome
        .strikes
        .iter()
        .filter(|strike| matches!(strike.fault, Fault::Kill(_)) && strike.hits_leader())
        .filter(|strike| strike.nodes.len() == 1);
    let mut times: Vec<Duration> = killed
        .filter_map(|strike| {
            let is_login = |event: &&Event| {
                matches!(event.action, Action::LogIn { .. }) && event.outcome == Answered::Yes
            };
            let after = outcome
                .events
                .iter()
                .filter(|event| event.called >= strike.from);
            let next = after.filter(is_login).map(|event| event.returned).min()?;
            Some(next.saturating_sub(strike.from))
        })
        .collect();
    times.sort_unstable();
    times
}

/// The value below which `percent` of the sorted `values` are.
pub(crate) fn quantile(values: &[Duration], percent: usize) -> Option<Duration> {
    let last = values.len().checked_sub(1)?;
    values
        .get((values.len() * percent / 100).min(last))
        .copied()
}

/// Verdicts, with what they rest on.
pub(crate) fn text(options: &Options, outcome: &Outcome) -> String {
    let mut text = String::from("\n");
    for finding in &outcome.findings {
        let word = finding.verdict.word();
        let _ = writeln!(
            text,
            "{word:>12}  {}\n{:>14}{}",
            finding.promise, "", finding.examined
        );
        for violation in finding.violations.iter().take(VIOLATIONS_MAX) {
            show(&mut text, violation);
        }
        let more = finding.violations.len().saturating_sub(VIOLATIONS_MAX);
        if more > 0 {
            let _ = writeln!(text, "{:>14}and {more} more", "");
        }
    }
    let times = failovers(outcome);
    let at = |percent| quantile(&times, percent).unwrap_or_default().as_millis();
    let _ = writeln!(
        text,
        "\nfailover (leader killed → next login): n {}, p50 {} ms, p90 {} ms, p99 {} ms, max {} ms",
        times.len(),
        at(50),
        at(90),
        at(99),
        at(100)
    );
    let _ = writeln!(
        text,
        "{} operations, {} faults, {} samples of the nodes",
        outcome.events.len(),
        outcome.strikes.len(),
        outcome.samples.len()
    );
    let _ = writeln!(text, "again: {}", replay(options));
    let _ = write!(text, "verdict: {}", outcome.verdict().word());
    text
}

fn show(text: &mut String, violation: &Violation) {
    let _ = writeln!(text, "{:>14}VIOLATION: {}", "", violation.summary);
    let hidden = violation.history.len().saturating_sub(SHOWN_MAX);
    if hidden > 0 {
        let _ = writeln!(text, "{:>16}… {hidden} events before", "");
    }
    for event in violation.history.iter().skip(hidden) {
        let _ = writeln!(text, "{:>16}{}", "", line(event));
    }
}

/// One event as a line.
pub(crate) fn line(event: &Event) -> String {
    let what = match event.action {
        Action::LogIn { session } => format!("log in → session {session}"),
        Action::Verify { session } => format!("verify session {session}"),
        Action::LogOut { session } => format!("log out session {session}"),
        Action::Guess { victim, right } => {
            let which = if right { "right" } else { "wrong" };
            format!("{which} password of victim {victim}")
        }
    };
    let how = match event.outcome {
        Answered::Yes => "yes",
        Answered::No => "no",
        Answered::Unavailable => "cannot tell",
        Answered::Unknown => "no answer",
    };
    format!(
        "{:9.3} – {:9.3} s  n{}  {what}: {how}",
        event.called.as_secs_f64(),
        event.returned.as_secs_f64(),
        event.node + 1
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_values_given() {
        let values: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(quantile(&values, 50), Some(Duration::from_millis(51)));
        assert_eq!(quantile(&values, 100), Some(Duration::from_millis(100)));
        assert_eq!(quantile(&[], 50), None);
    }
}
