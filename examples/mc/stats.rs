//! `mc stats`.

use crate::outcome::{Failure, Outcome};
use crate::servers::{failed, worst};
use crate::table::table;
use crate::time::two_units;
use comfy_table::Cell;
use moecache::{Client, ServerStats, Stats};
use serde::ser::{Serialize, Serializer};
use std::io::{self, Write};

/// Servers that failed are in the table too, and standard error says why.
pub(crate) fn stats(
    client: &Client,
    arguments: &[String],
    json: bool,
    out: &mut impl Write,
) -> Result<Outcome, Failure> {
    let servers = client.stats_of(&arguments.join(" "))?;
    if json {
        write_json(&servers, out)?;
    } else if arguments.is_empty() {
        write_overview(&servers, out)?;
    } else {
        write_all(&servers, out)?;
    }
    Ok(worst(&servers))
}

/// The general statistics: a line for each server, and one for all of them.
fn write_overview(servers: &[ServerStats], out: &mut impl Write) -> io::Result<()> {
    let mut table = table([
        "SERVER",
        "VERSION",
        "UPTIME",
        "ITEMS",
        "MEMORY",
        "SETS",
        "GETS",
        "HITS",
        "MISSES",
        "HIT RATIO",
        "EVICTIONS",
        "CONNECTIONS",
    ]);
    for server in servers {
        match &server.result {
            Ok(stats) => table.add_row(overview(&server.server, stats)),
            Err(_) => table.add_row([Cell::new(&server.server), failed()]),
        };
    }
    let answered = servers
        .iter()
        .filter_map(|server| server.result.as_ref().ok());
    table.add_row(overview("all", &Stats::total(answered)));
    writeln!(out, "{}", table.trim_fmt())
}

fn overview(name: &str, stats: &Stats) -> [String; 12] {
    let count = |counter: Option<u64>| shown(counter, |count| count.to_string());
    let memory = [stats.bytes(), stats.limit_maxbytes()].map(|size| shown(size, bytes));
    [
        name.to_owned(),
        shown(stats.version(), str::to_owned),
        shown(stats.uptime(), two_units),
        count(stats.curr_items()),
        memory.join(" / "),
        count(stats.cmd_set()),
        count(stats.cmd_get()),
        count(stats.get_hits()),
        count(stats.get_misses()),
        shown(stats.hit_ratio(), |ratio| format!("{:.1} %", ratio * 100.0)),
        count(stats.evictions()),
        count(stats.curr_connections()),
    ]
}

/// All that the servers sent: a line for each name, a column for each server.
fn write_all(servers: &[ServerStats], out: &mut impl Write) -> io::Result<()> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in servers.iter().flat_map(|server| &server.result).flatten() {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let columns = servers.iter().map(|server| server.server.as_str());
    let mut table = table(["NAME"].into_iter().chain(columns));
    if names.is_empty() {
        return Ok(()); // `stats reset` says nothing but that it was done.
    }
    for name in names {
        let values = servers.iter().map(|server| match &server.result {
            Ok(stats) => Cell::new(stats.get(name).unwrap_or("-")),
            Err(_) => failed(),
        });
        table.add_row([Cell::new(name)].into_iter().chain(values));
    }
    writeln!(out, "{}", table.trim_fmt())
}

fn write_json(servers: &[ServerStats], out: &mut impl Write) -> io::Result<()> {
    let entries: Vec<_> = servers.iter().map(Entry::from).collect();
    serde_json::to_writer_pretty(&mut *out, &entries)?;
    writeln!(out)
}

#[derive(serde::Serialize)]
struct Entry<'a> {
    server: &'a str,
    #[serde(flatten)]
    answer: Answer<'a>,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "lowercase")]
enum Answer<'a> {
    Stats(Names<'a>),
    Error(String),
}

impl<'a> From<&'a ServerStats> for Entry<'a> {
    fn from(server: &'a ServerStats) -> Self {
        let answer = match &server.result {
            Ok(stats) => Answer::Stats(Names(stats)),
            Err(error) => Answer::Error(format!("{error:#}")),
        };
        Self {
            server: &server.server,
            answer,
        }
    }
}

/// Names and values in the server's order, whole numbers as numbers.
struct Names<'a>(&'a Stats);

impl Serialize for Names<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| {
            let number: Option<u64> = value.parse().ok();
            // Not "007", which would not come out again as it went in.
            let number = number.filter(|number| number.to_string() == value);
            (name, number.map_or(value.into(), serde_json::Value::from))
        }))
    }
}

fn shown<T>(value: Option<T>, show: impl FnOnce(T) -> String) -> String {
    value.map_or("-".to_owned(), show)
}

fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let power = count.ilog2() / 10;
    let unit = UNITS[power as usize - 1];
    // To a tenth, in integers: a float would do, but for clippy and its 53 bits.
    let tenths = (u128::from(count) * 10) >> (10 * power);
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}
