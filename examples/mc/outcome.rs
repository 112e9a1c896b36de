//! How a command ends: its exit code, and what it says on standard error.

use moecache::{Client, Pending, Pipeline};
use std::io::{self, Write};
use std::process::ExitCode;

/// From the best to the worst; the number is the exit code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Done = 0,
    /// A key was not there; or it was, for `add`; or it is placed otherwise, for `ring verify`.
    Unmet = 1,
    BadUsage = 2,
    Failed = 3,
}

impl Outcome {
    /// One that was decided before it was `written`, and stays what it is if nobody reads on:
    /// `mc ring verify | head -1`.
    pub(crate) fn despite(self, written: io::Result<()>) -> Result<Self, Failure> {
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(self),
        }
    }
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
    /// One that was named.
    File(String, io::Error),
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
            Self::File(name, error) => {
                say(&format!("{name}: {error}"));
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

/// Sends a command for every key, all of them together, and does `one` with what came of each,
/// whether or not others failed. The worst outcome counts.
pub(crate) fn each<T>(
    client: &Client,
    keys: &[String],
    command: impl Fn(&mut Pipeline<'_>, &str) -> Pending<T>,
    mut one: impl FnMut(&str, T) -> Result<Outcome, Failure>,
) -> Result<Outcome, Failure> {
    let mut pipeline = client.pipeline();
    let pending: Vec<_> = keys.iter().map(|key| command(&mut pipeline, key)).collect();
    let mut replies = pipeline.run();
    let mut worst = Outcome::Done;
    for (key, pending) in keys.iter().zip(pending) {
        let reply = replies.take(pending).map_err(Failure::from);
        worst = worst.max(match reply.and_then(|reply| one(key, reply)) {
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
    Outcome::Unmet
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
