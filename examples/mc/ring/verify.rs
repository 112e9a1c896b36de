//! `mc ring verify`: whether keys are where they were recorded.

use super::records::{self, Deployment, Placement};
use crate::fleet::Fleet;
use crate::lines::Place;
use crate::outcome::{Failure, Outcome, say};
use crate::placer::Placer;
use clap::Args;
use std::io::Write;

#[derive(Args)]
pub(super) struct Verify {
    /// The keys, one a line, each with its server behind a tab: by its place in the list, from 0, or
    /// as host:port, or as `mc where` prints both. Or JSON objects, one a line: {"peer", "scheme",
    /// "servers": [{"host", "port", "weight"}], "keys": [["key", 0], ...]}, where the options stand
    /// in for what is left out. - is standard input
    file: String,
}

impl Verify {
    pub(super) fn run(self, fleet: &Fleet, out: &mut impl Write) -> Result<Outcome, Failure> {
        let (mut checked, mut differ) = (0_u64, 0_u64);
        for deployment in records::read(&self.file, fleet)? {
            let placer = placer(&deployment, fleet);
            let placer = placer.map_err(|error| self.refused(deployment.line, &error))?;
            for placement in &deployment.placements {
                let server = placer.place(&placement.key);
                let server = server.map_err(|error| self.refused(placement.line, &error))?;
                checked += 1;
                if server != placement.server {
                    differ += 1;
                    if differ == 1 {
                        self.write(&placer, placement, out)?;
                    }
                }
            }
        }
        if differ == 0 {
            writeln!(out, "{checked} placements checked: all the same")?;
            return Ok(Outcome::Done);
        }
        writeln!(out, "{checked} placements checked: {differ} differ")?;
        say("`mc ring identify` with the same arguments tries all schemes");
        Ok(Outcome::Unmet)
    }

    /// The first that differs.
    fn write(
        &self,
        placer: &Placer,
        placement: &Placement,
        out: &mut impl Write,
    ) -> Result<(), Failure> {
        let Placement { line, key, server } = placement;
        let explanation = placer.client.explain(key)?.to_string();
        let name = &placer.servers()[*server];
        writeln!(out, "{}: {}", self.place(*line), key.escape_ascii())?;
        writeln!(out, "  recorded on {server}: {name}")?;
        writeln!(out, "  placed so:")?;
        for line in explanation.lines() {
            writeln!(out, "    {line}")?;
        }
        Ok(())
    }

    fn refused(&self, line: u64, error: &moecache::Error) -> Failure {
        Failure::Usage(format!("{}: {error:#}", self.place(line)))
    }

    fn place(&self, line: u64) -> Place<'_> {
        let file = &self.file;
        Place { file, line }
    }
}

fn placer(deployment: &Deployment, fleet: &Fleet) -> moecache::Result<Placer> {
    let name = deployment.scheme.as_deref();
    let scheme = name.map(str::parse).transpose()?;
    fleet.placer_of(&deployment.servers, scheme)
}
