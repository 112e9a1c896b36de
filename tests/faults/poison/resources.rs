//! What the process uses, as Linux's `/proc` has it.

use std::fs;
use std::time::Duration;

/// The open file descriptors of the process.
pub fn descriptors() -> Option<usize> {
    Some(fs::read_dir("/proc/self/fd").ok()?.count())
}

/// How much memory the process has, and the most that it ever had, in MB.
pub fn memory() -> Option<(u64, u64)> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let megabytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(kilobytes >> 10)
    };
    Some((megabytes("VmRSS:")?, megabytes("VmHWM:")?))
}

/// How long this thread has waited for a processor in all, where that is known.
pub fn waited() -> Duration {
    // The time that it ran, that it waited, and how often, in nanoseconds.
    let times = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let waited = times.split(' ').nth(1).and_then(|text| text.parse().ok());
    Duration::from_nanos(waited.unwrap_or_default())
}
