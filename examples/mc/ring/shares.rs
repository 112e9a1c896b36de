//! `mc ring`: what each server has.

use super::bar::{bar, percent, ratio, unevenness};
use super::sample::Sample;
use super::svg;
use crate::fleet::Fleet;
use crate::outcome::{Failure, Outcome};
use crate::table::table;
use clap::Args;
use comfy_table::CellAlignment;
use serde::Serialize;
use std::fs;
use std::io::{self, Write};

#[derive(Args, Default, PartialEq)]
pub(crate) struct Shares {
    #[command(flatten)]
    sample: Sample,
    /// Print an array of {server, share, keys}; the share of the hash space, from 0 to 1, is left
    /// out where it is not known
    #[arg(long)]
    json: bool,
    /// Draw a chart besides, and write it to this file
    #[arg(long, value_name = "FILE")]
    svg: Option<String>,
}

/// What a server has.
#[derive(Serialize)]
pub(super) struct Row<'a> {
    pub(super) server: &'a str,
    /// Of the hash space, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) share: Option<f64>,
    /// Of the keys that were counted.
    pub(super) keys: u64,
}

impl Shares {
    pub(super) fn run(self, fleet: &Fleet, out: &mut impl Write) -> Result<Outcome, Failure> {
        let placer = fleet.placer()?;
        let mut keys = vec![0; placer.servers().len()];
        let outcome = self.sample.each(|key| {
            keys[placer.place(key)?] += 1;
            Ok(())
        })?;
        let exact = placer.client.shares();
        let servers = placer.servers().iter().zip(keys).enumerate();
        let shares = servers.map(|(index, (server, keys))| Row {
            server,
            share: exact.as_ref().and_then(|exact| exact.get(index).copied()),
            keys,
        });
        let shares: Vec<Row<'_>> = shares.collect();
        if let Some(file) = &self.svg {
            let drawn = svg::draw(&placer.client, &shares, self.sample.name())?;
            fs::write(file, drawn).map_err(|error| Failure::File(file.clone(), error))?;
        }
        if self.json {
            serde_json::to_writer_pretty(&mut *out, &shares).map_err(io::Error::from)?;
            writeln!(out)?;
        } else {
            write(&shares, out)?;
        }
        Ok(outcome)
    }
}

fn write(shares: &[Row<'_>], out: &mut impl Write) -> io::Result<()> {
    let all: u64 = shares.iter().map(|share| share.keys).sum();
    let of_keys = |share: &Row<'_>| ratio(share.keys, all);
    let exact: Option<Vec<f64>> = shares.iter().map(|share| share.share).collect();

    // The columns of numbers: the name, the numbers, and what is below them.
    let mut columns = Vec::new();
    if let Some(exact) = &exact {
        let shown = exact.iter().map(|&share| percent(share)).collect();
        columns.push(("OF HASHES", shown, unevenness(exact.iter().copied())));
    }
    let keys: Vec<String> = shares.iter().map(|share| share.keys.to_string()).collect();
    columns.push(("KEYS", keys, String::new()));
    let shown = shares.iter().map(|share| percent(of_keys(share))).collect();
    columns.push(("OF KEYS", shown, unevenness(shares.iter().map(of_keys))));

    let plotted = exact.unwrap_or(shares.iter().map(of_keys).collect());
    let largest = plotted.iter().copied().fold(0.0, f64::max);
    let names = columns.iter().map(|&(name, ..)| name);
    let mut table = table(["SERVER"].into_iter().chain(names).chain([""]));
    if let Some(bars) = table.column_mut(columns.len() + 1) {
        bars.set_cell_alignment(CellAlignment::Left);
    }
    for (row, share) in shares.iter().enumerate() {
        let numbers = columns.iter().map(|(_, numbers, _)| numbers[row].clone());
        let bar = bar(plotted[row], largest);
        table.add_row(
            [share.server.to_owned()]
                .into_iter()
                .chain(numbers)
                .chain([bar]),
        );
    }
    let below = columns.iter().map(|(.., below)| below.clone());
    table.add_row(["largest / smallest".to_owned()].into_iter().chain(below));
    writeln!(out, "{}", table.trim_fmt())
}
