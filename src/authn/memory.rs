//! How much memory password checks may take together: half of what the machine, or the container, has to give at start.

use std::fs;

use super::digest::MEMORY_BYTES_MAX;

/// What limits the memory of a container (cgroup v2 and v1), each one number or a word for none.
const LIMITS: [&str; 2] = [
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
];

/// Bytes for all checks together, 2 GiB at most. One check alone may take more: it has its turn all the same.
pub fn for_checks() -> u64 {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    share(&read("/proc/meminfo"), &LIMITS.map(read))
}

fn share(meminfo: &str, limits: &[String]) -> u64 {
    let limits = limits.iter().filter_map(|limit| limit.trim().parse().ok());
    let least = limits.chain(available(meminfo)).min();
    least.map_or(MEMORY_BYTES_MAX, |bytes: u64| {
        (bytes / 2).min(MEMORY_BYTES_MAX)
    })
}

/// `MemAvailable` of `/proc/meminfo`, which is in KiB; see proc_meminfo(5).
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_limit_counts_and_nothing_known_is_the_largest() {
        const MEMINFO: &str = "MemTotal:  8000000 kB\nMemFree: 1 kB\nMemAvailable:    1048576 kB\n";
        let share = |meminfo, limits: [&str; 2]| share(meminfo, &limits.map(String::from));
        for (meminfo, limits, mib) in [
            (MEMINFO, ["", ""], 512),
            (MEMINFO, ["max\n", ""], 512),
            (MEMINFO, ["536870912\n", ""], 256),
            (MEMINFO, ["", "9223372036854771712\n"], 512),
            ("", ["", "134217728\n"], 64),
            ("", ["", ""], 2048),
            ("MemAvailable: 99999999 kB", ["max", ""], 2048),
        ] {
            assert_eq!(share(meminfo, limits), mib << 20, "{meminfo:?} {limits:?}");
        }
    }
}
