//! `mc ring verify`: whether keys are where they were recorded.

use super::records::{self, Placement};
use crate::fleet::Fleet;
use crate::outcome::{Failure, Outcome, say};
use crate::placer::Placer;
use clap::Args;
use std::io::{self, Write};

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
            let scheme = deployment.scheme.map(|name| name.parse()).transpose()?;
            let placer = Placer::new(fleet.client_of(deployment.servers, scheme)?);
            for placement in &deployment.placements {
                let placed = placer.place(&placement.key);
                let placed = placed.map_err(|error| self.refused(placement, &error))?;
                checked += 1;
                if placed != placement.server {
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
        writeln!(out, "{}: line {line}: {}", self.file, key.escape_ascii())?;
        writeln!(out, "  recorded on {server}: {name}")?;
        writeln!(out, "  placed so:")?;
        let lines = explanation.lines();
        Ok(lines
            .map(|line| writeln!(out, "    {line}"))
            .collect::<io::Result<()>>()?)
    }

    fn refused(&self, placement: &Placement, error: &moecache::Error) -> Failure {
        let Placement { line, key, .. } = placement;
        let (file, key) = (&self.file, key.escape_ascii());
        Failure::Usage(format!("{file}: line {line}: \"{key}\": {error:#}"))
    }
}
