//! `mc where`.

use crate::outcome::{Failure, Outcome, outcome_of, say};
use moecache::Client;
use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, BufWriter, Write};

/// Standard input is worked off as it comes, and the answers to what has come go out before waiting
/// for more, so that it serves a large file and a slow pipe alike.
pub(crate) fn locate(
    client: &Client,
    keys: &[String],
    out: &mut impl Write,
) -> Result<Outcome, Failure> {
    let indexes = client.servers().enumerate();
    let mut places = Places {
        client,
        indexes: indexes.map(|(index, server)| (server, index)).collect(),
        out: BufWriter::new(out),
    };
    let mut worst = Outcome::Done;
    for key in keys {
        worst = worst.max(places.write(key.as_bytes(), &key.escape_debug())?);
    }
    if keys.is_empty() {
        let mut input = BufReader::with_capacity(1 << 16, io::stdin());
        let mut line = Vec::new();
        let mut number = 0_u64;
        while input.read_until(b'\n', &mut line).map_err(Failure::Input)? > 0 {
            number += 1;
            let key = line.strip_suffix(b"\n").unwrap_or(&line);
            let name = format_args!("line {number}: \"{}\"", key.escape_ascii());
            worst = worst.max(places.write(key, &name)?);
            line.clear();
            if input.buffer().is_empty() {
                places.out.flush()?;
            }
        }
    }
    places.out.flush()?;
    Ok(worst)
}

struct Places<'a, W: Write> {
    client: &'a Client,
    indexes: HashMap<&'a str, usize>,
    out: BufWriter<W>,
}

impl<W: Write> Places<'_, W> {
    /// Writes the place of `key`, or says why `name` is none.
    fn write(&mut self, key: &[u8], name: &dyn std::fmt::Display) -> Result<Outcome, Failure> {
        match self.client.server_for(key) {
            Ok(server) => {
                let index = self.indexes[server];
                self.out.write_all(key)?;
                writeln!(self.out, "\t{index}\t{server}")?;
                Ok(Outcome::Done)
            }
            Err(error) => {
                say(&format!("{name}: {error:#}"));
                Ok(outcome_of(&error))
            }
        }
    }
}
