//! `mc ping`, `mc version` and `mc flush`: a row for each server.

use crate::outcome::{Failure, Outcome, report};
use crate::table::table;
use comfy_table::{Cell, Color};
use moecache::{Client, Expiry, PerServer};
use std::io::{self, Write};
use std::time::Duration;

pub(crate) fn ping(client: &Client, out: &mut impl Write) -> Result<Outcome, Failure> {
    let servers = client.ping();
    let milliseconds = |took: &Duration| format!("{:.2} ms", took.as_secs_f64() * 1000.0);
    write(&servers, "ANSWER", milliseconds, out)?;
    Ok(worst(&servers))
}

pub(crate) fn version(client: &Client, out: &mut impl Write) -> Result<Outcome, Failure> {
    let servers = client.version();
    write(&servers, "VERSION", String::clone, out)?;
    Ok(worst(&servers))
}

/// Not without `yes`: a fleet is emptied in no time, and takes long to fill again.
pub(crate) fn flush(
    client: &Client,
    delay: Duration,
    yes: bool,
    out: &mut impl Write,
) -> Result<Outcome, Failure> {
    if !yes {
        let names = client.servers();
        let names = names.join(", ");
        return Err(Failure::Usage(format!(
            "flush: this removes all that is stored on {names}; if that is meant, say flush --yes"
        )));
    }
    let delay = if delay.is_zero() {
        Expiry::Never
    } else {
        delay.into()
    };
    let servers = client.flush_all(delay);
    write(&servers, "ANSWER", |()| "OK".to_owned(), out)?;
    Ok(worst(&servers))
}

fn write<T>(
    servers: &[PerServer<T>],
    column: &str,
    show: impl Fn(&T) -> String,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut table = table(["SERVER", column]);
    for server in servers {
        let answer = match &server.result {
            Ok(answer) => Cell::new(show(answer)),
            Err(_) => failed(),
        };
        table.add_row([Cell::new(&server.server), answer]);
    }
    writeln!(out, "{}", table.trim_fmt())
}

/// What stands in a table for a server that failed; standard error says why.
pub(crate) fn failed() -> Cell {
    Cell::new("failed").fg(Color::Red)
}

/// Reports the servers that failed.
pub(crate) fn worst<T>(servers: &[PerServer<T>]) -> Outcome {
    let errors = servers
        .iter()
        .filter_map(|server| server.result.as_ref().err());
    errors.map(report).max().unwrap_or(Outcome::Done)
}
