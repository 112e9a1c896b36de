//! What the process uses, as Linux's `/proc` has it.

use std::fs;

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
