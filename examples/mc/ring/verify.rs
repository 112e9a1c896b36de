//! `mc ring verify`: whether keys are where they were recorded.

use super::records::{self, Deployment, Placement};
use crate::fleet::Fleet;
use crate::lines::Place;
use crate::outcome::{Failure, Outcome, say};
use crate::placer::Placer;
use clap::Args;
use std::io::{self, Write};

#[derive(Args)]
pub(super) struct Verify {
    /// The keys, one a line, each with its server behind a tab: by its place in the list, from 0, or
    /// as host:port, or as `mc where` prints both; a host name and an address that it has are the same. Or JSON objects, one a line: {"peer", "scheme",
    /// "servers": [{"host", "port", "weight"}], "keys": [["key", 0], ...]}, where the options stand
    /// in for what is left out. Lines that begin with # are skipped. With --prefix the keys have it in
    /// front, as the servers have them. - is standard input
    file: String,
}

/// The first that differs.
struct Difference {
    line: u64,
    /// As it was recorded, with its prefix.
    key: Vec<u8>,
    /// The place of its server in the list, and its name.
    recorded: (usize, String),
    explanation: String,
}

impl Verify {
    pub(super) fn run(self, fleet: &Fleet, out: &mut impl Write) -> Result<Outcome, Failure> {
        let (mut checked, mut differ) = (0_u64, 0_u64);
        let mut first = None;
        for deployment in records::read(&self.file, fleet)? {
            let placer = placer(&deployment, fleet);
            let placer = placer.map_err(|error| self.refused(deployment.line, &error))?;
            for placement in &deployment.placements {
                let server = placer.place(&placement.key);
                let server = server.map_err(|error| self.refused(placement.line, &error))?;
                checked += 1;
                if server != placement.server {
                    differ += 1;
                    if first.is_none() {
                        first = Some(Difference::new(&placer, placement)?);
                    }
                }
            }
        }
        let Some(first) = first else {
            let written = writeln!(out, "{checked} placements checked: all the same");
            return Outcome::Done.despite(written);
        };
        let written = self.write(&first, out);
        let written =
            written.and_then(|()| writeln!(out, "{checked} placements checked: {differ} differ"));
        say(&format!(
            "`mc ring identify` with the same arguments tries all schemes; do the servers have \
             the order and the spelling that they have there?{}",
            fleet.question_of_prefix()
        ));
        Outcome::Unmet.despite(written)
    }

    fn write(&self, first: &Difference, out: &mut impl Write) -> io::Result<()> {
        let (server, name) = &first.recorded;
        writeln!(
            out,
            "{}: {}",
            self.place(first.line),
            first.key.escape_ascii()
        )?;
        writeln!(out, "  recorded on {server}: {name}")?;
        writeln!(out, "  placed so:")?;
        for line in first.explanation.lines() {
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

impl Difference {
    fn new(placer: &Placer, placement: &Placement) -> moecache::Result<Self> {
        let &Placement { line, server, .. } = placement;
        let explanation = placer.client.explain(&placement.key)?;
        Ok(Self {
            line,
            recorded: (server, placer.servers()[server].clone()),
            explanation: explanation.to_string(),
            key: explanation.key,
        })
    }
}

fn placer(deployment: &Deployment, fleet: &Fleet) -> moecache::Result<Placer> {
    let name = deployment.scheme.as_deref();
    let scheme = name.map(str::parse).transpose()?;
    fleet.placer_of(&deployment.servers, scheme)
}
