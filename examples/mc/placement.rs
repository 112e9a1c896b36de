//! `mc where` and `mc schemes`.

use crate::lines::Lines;
use crate::names;
use crate::outcome::{Failure, Outcome, outcome_of, say};
use crate::placer::Placer;
use moecache::{Library, Scheme};
use std::fmt::Display;
use std::io::{BufWriter, Write};

/// Standard input is worked off as it comes, and the answers to what has come go out before waiting
/// for more, so that it serves a large file and a slow pipe alike.
pub(crate) fn locate(
    placer: Placer,
    keys: &[String],
    explain: bool,
    out: &mut impl Write,
) -> Result<Outcome, Failure> {
    let mut answers = Answers {
        placer,
        explain,
        out: BufWriter::new(out),
    };
    let mut worst = Outcome::Done;
    for key in keys {
        worst = worst.max(answers.write(key.as_bytes(), &key.escape_debug())?);
    }
    if keys.is_empty() {
        let mut lines = Lines::open("-")?;
        while let Some(line) = lines.next()? {
            worst = worst.max(answers.write(line.bytes, &line)?);
            if lines.is_drained() {
                answers.out.flush()?;
            }
        }
    }
    answers.out.flush()?;
    Ok(worst)
}

struct Answers<W: Write> {
    placer: Placer,
    explain: bool,
    out: BufWriter<W>,
}

impl<W: Write> Answers<W> {
    /// Writes the place of `key`, or says why `name` is none.
    fn write(&mut self, key: &[u8], name: &dyn Display) -> Result<Outcome, Failure> {
        let placer = &self.placer;
        let text = if self.explain {
            let explanation = placer.client.explain(key);
            explanation.map(|explanation| format!("{explanation}\n\n").into_bytes())
        } else {
            placer.place(key).map(|index| {
                let server = &placer.servers()[index];
                [key, format!("\t{index}\t{server}\n").as_bytes()].concat()
            })
        };
        match text {
            Ok(text) => {
                self.out.write_all(&text)?;
                Ok(Outcome::Done)
            }
            Err(error) => {
                say(&format!("{name}: {error:#}"));
                Ok(outcome_of(&error))
            }
        }
    }
}

/// What `--compatible-with` takes, a line each: the clients, each with what its name stands for, and
/// then the schemes, each with what it is called for the other clients that have it.
pub(crate) fn schemes(out: &mut impl Write) -> Result<Outcome, Failure> {
    let mut out = BufWriter::new(out);
    for peer in Library::ALL {
        writeln!(out, "{peer}\t{}", Scheme::from(peer))?;
    }
    for scheme in Scheme::all() {
        write!(out, "{scheme}")?;
        for other in names::of_others(scheme) {
            write!(out, "\t{other}")?;
        }
        writeln!(out)?;
    }
    out.flush()?;
    Ok(Outcome::Done)
}
