//! A process of its own, for tests of what a process has only one of: its memory, its file descriptors, who is
//! told of events.

use std::env;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// Runs a test in a process in which no other test runs: this program once more, with that test alone. One
/// at a time; what it prints is printed. `test` is its name as `cargo test` has it, such as
/// `descriptors::a_process_without_descriptors`.
pub fn alone(test: &str, work: impl FnOnce()) {
    const VARIABLE: &str = "MOECACHE_TEST_ALONE";
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    if env::var(VARIABLE).is_ok_and(|name| name == test) {
        return work();
    }
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let itself = env::current_exe().expect("the path of this program");
    let output = Command::new(itself)
        .args([test, "--exact", "--include-ignored", "--show-output"])
        .env(VARIABLE, test)
        .output()
        .expect("this program can be started once more");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        super::noted(line);
    }
    assert!(output.status.success(), "{test} failed in its own process");
    assert!(said.contains("1 passed"), "there is no test {test}");
}
