//! How a command ends: its exit code, and what it says on standard error.

use std::io::{self, Write};
use std::process::ExitCode;

/// From the best to the worst; the number is the exit code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Done = 0,
    Missing = 1,
    BadUsage = 2,
    Failed = 3,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(outcome as u8)
    }
}

/// Why a command ends early.
pub(crate) enum Failure {
    Usage(String),
    Client(moecache::Error),
    Input(io::Error),
    Output(io::Error),
}

impl Failure {
    pub(crate) fn report(&self) -> Outcome {
        self.report_for("")
    }

    fn report_for(&self, context: &str) -> Outcome {
        match self {
            Self::Usage(message) => {
                say(&format!("{context}{message}"));
                Outcome::BadUsage
            }
            Self::Client(error) => {
                say(&format!("{context}{error:#}"));
                outcome_of(error)
            }
            // Whoever read our output has seen enough: `mc where | head -1`.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Outcome::Done,
            Self::Output(error) => {
                say(&format!("standard output: {error}"));
                Outcome::Failed
            }
            Self::Input(error) => {
                say(&format!("standard input: {error}"));
                Outcome::Failed
            }
        }
    }
}

impl From<moecache::Error> for Failure {
    fn from(error: moecache::Error) -> Self {
        Self::Client(error)
    }
}

/// What a failed command wrote to; those that read map their errors themselves.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Does `one` for every key, whether or not it failed for others. The worst outcome counts.
pub(crate) fn each(
    keys: &[String],
    mut one: impl FnMut(&str) -> Result<Outcome, Failure>,
) -> Result<Outcome, Failure> {
    let mut worst = Outcome::Done;
    for key in keys {
        worst = worst.max(match one(key) {
            // The error names the server; of several keys, which one it is about has to be said.
            Err(failure @ Failure::Client(_)) if keys.len() > 1 => {
                failure.report_for(&format!("{}: ", key.escape_debug()))
            }
            Err(failure @ Failure::Client(_)) => failure.report(),
            outcome => outcome?,
        });
    }
    Ok(worst)
}

pub(crate) fn missing(key: &str) -> Outcome {
    say(&format!("{key}: not found"));
    Outcome::Missing
}

/// Reports an error that does not end the command.
pub(crate) fn report(error: &moecache::Error) -> Outcome {
    say(&format!("{error:#}"));
    outcome_of(error)
}

pub(crate) fn say(message: &str) {
    // There is nobody to tell that standard error is closed.
    let _ = writeln!(io::stderr(), "mc: {message}");
}

pub(crate) fn outcome_of(error: &moecache::Error) -> Outcome {
    if error.is_validation() {
        Outcome::BadUsage
    } else {
        Outcome::Failed
    }
}
