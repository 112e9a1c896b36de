use std::fmt::Display;
use std::io::Write as _;

/// Says what is left out of a test, and why: past the test harness, which shows what a test prints only
/// if it fails.
pub fn skipped(what: impl Display) {
    // In one piece: other tests print at the same time.
    let line = format!("skipped: {what}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}
