//! `mc ring` and the commands below it: how keys are spread, and whether they are where they should
//! be. None connects.

mod around;
mod bar;
mod diff;
mod identify;
mod kinds;
mod records;
mod sample;
mod shares;
mod svg;
mod verify;

use crate::fleet::Fleet;
use crate::outcome::{Failure, Outcome};
use clap::{Args, Subcommand};
use std::io::Write;

#[derive(Args)]
pub(crate) struct Ring {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    shares: shares::Shares,
}

#[derive(Subcommand)]
enum Command {
    /// Print how many keys move from one list of servers, or scheme, to another, and from where to
    /// where
    Diff(diff::Diff),
    /// Check that recorded keys are placed where they were recorded; if one is not, exit with 1
    Verify(verify::Verify),
    /// Print the schemes that place all recorded keys where they were recorded: which client filled
    /// a deployment, and how it was set up; if there is none, exit with 1
    Identify(identify::Identify),
}

impl Ring {
    pub(crate) fn run(self, fleet: &Fleet, out: &mut impl Write) -> Result<Outcome, Failure> {
        let Some(command) = self.command else {
            return self.shares.run(fleet, out);
        };
        if self.shares != shares::Shares::default() {
            let reason = "ring: the options of a command below it stand behind that command";
            return Err(Failure::Usage(reason.to_owned()));
        }
        match command {
            Command::Diff(diff) => diff.run(fleet, out),
            Command::Verify(verify) => verify.run(fleet, out),
            Command::Identify(identify) => identify.run(fleet, out),
        }
    }
}
