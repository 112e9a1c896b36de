use std::fmt::Display;
use std::io::Write as _;

/// Says what is left out of a test, and why: past the test harness, which shows what a test prints only
/// if it fails.
pub fn skipped(what: impl Display) {
    noted(format_args!("skipped: {what}"));
}

/// Says what else is worth knowing of a test that passes, in the same way.
pub fn noted(what: impl Display) {
    // In one piece: other tests print at the same time.
    let line = format!("{what}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}
