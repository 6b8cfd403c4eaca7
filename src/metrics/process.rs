//! The process itself, under the names that all exporters of Prometheus use.
//!
//! Source: proc(5), `/proc/[pid]/stat` and `/proc/[pid]/limits`. Where there is no such thing, nothing is shown.

use std::fs;

use prometheus::proto::MetricFamily;

use super::family::{Sample, counter, gauge};

/// What is wanted of `/proc/self/stat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    /// User and system time together.
    cpu_ticks: u64,
    threads: u64,
    started_at_ticks: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

/// Everything of this module.
pub(super) fn families() -> Vec<MetricFamily> {
    let mut families = Vec::new();
    let stat = fs::read_to_string("/proc/self/stat");
    if let Some(stat) = stat.ok().and_then(|text| parsed(&text)) {
        families.extend(of_stat(&stat));
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        families.push(gauge(
            "process_open_fds",
            "Open file descriptors.",
            [Sample::new(open.count() as f64)],
        ));
    }
    let limits = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    families.push(gauge(
        "process_max_fds",
        "File descriptors that may be open.",
        limits.current.map(|most| Sample::new(most as f64)),
    ));
    families
}

fn of_stat(stat: &Stat) -> Vec<MetricFamily> {
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let page = rustix::param::page_size() as f64;
    let mut families = vec![
        counter(
            "process_cpu_seconds_total",
            "User and system time.",
            [Sample::new(stat.cpu_ticks as f64 / ticks)],
        ),
        gauge(
            "process_threads",
            "Threads.",
            [Sample::new(stat.threads as f64)],
        ),
        gauge(
            "process_virtual_memory_bytes",
            "Virtual memory.",
            [Sample::new(stat.virtual_bytes as f64)],
        ),
        gauge(
            "process_resident_memory_bytes",
            "Resident memory.",
            [Sample::new(stat.resident_pages as f64 * page)],
        ),
    ];
    if let Some(booted_at) = booted_at() {
        families.push(gauge(
            "process_start_time_seconds",
            "When the process started, since the Unix epoch.",
            [Sample::new(
                booted_at + stat.started_at_ticks as f64 / ticks,
            )],
        ));
    }
    families
}

/// In seconds since the Unix epoch.
fn booted_at() -> Option<f64> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("btime "))?;
    line.trim().parse().ok()
}

/// The program's name may hold anything, also spaces and brackets, so fields are counted after its last bracket.
fn parsed(text: &str) -> Option<Stat> {
    let (_, fields) = text.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    // The first of them is field 3 of the manual.
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    Some(Stat {
        cpu_ticks: field(14)? + field(15)?,
        threads: field(20)?,
        started_at_ticks: field(22)?,
        virtual_bytes: field(23)?,
        resident_pages: field(24)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_after_the_name() {
        let text = "7 (a) b) S 1 7 7 0 -1 4194560 9 0 0 0 11 22 0 0 20 0 5 0 300 4096 12 18446744073709551615 1";
        assert_eq!(
            parsed(text),
            Some(Stat {
                cpu_ticks: 33,
                threads: 5,
                started_at_ticks: 300,
                virtual_bytes: 4096,
                resident_pages: 12,
            })
        );
    }

    #[test]
    fn text_that_is_something_else_is_nothing() {
        for text in ["", "1 (a)", "1 (a) S 1 2"] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }
}
