//! What every command does, over every protocol, against every server. Each row is a test in each
//! protocol on each server, such as `commands::touch::text::three_memcacheds`; so
//!
//! ```sh
//! cargo test --all-features touch
//! cargo test --all-features --test behavior ::meta::three_memcacheds
//! ```
//!
//! Tests are found as the program starts, so its harness is the crate libtest-mimic, which has the arguments
//! of the usual one.

#[path = "../support/mod.rs"]
mod support;

mod behind;
mod commands;
mod key_words;
mod many;
mod servers;
mod transcripts;
mod values;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use moecache::{Client, Error, Protocol};
use servers::Setup;
use std::process::ExitCode;

/// What a command does. The servers are empty before.
#[derive(Clone, Copy)]
struct Row {
    name: &'static str,
    check: fn(&Client, Protocol) -> Result<(), Error>,
}

/// Functions as rows of their names. Those after `;` are told the protocol, for what not every one can do.
macro_rules! rows {
    ($($row:ident)* $(; $($by_protocol:ident)*)?) => {
        &[
            $($crate::Row { name: stringify!($row), check: |client, _| $row(client) },)*
            $($($crate::Row { name: stringify!($by_protocol), check: $by_protocol },)*)?
        ]
    };
}
use rows;

const AREAS: [(&str, &[Row]); 3] = [
    ("values", values::ROWS),
    ("commands", commands::ROWS),
    ("many", many::ROWS),
];

/// The beginning of a test's name, and the row.
fn all_rows() -> impl Iterator<Item = (String, Row)> {
    let named = |(area, rows): (&str, &'static [Row])| {
        let area = area.to_owned();
        let name = move |row: &Row| (format!("{area}::{}", row.name), *row);
        rows.iter().map(name)
    };
    AREAS.into_iter().flat_map(named)
}

const PROTOCOLS: [(&str, Protocol); 4] = [
    ("text", Protocol::Text),
    ("meta", Protocol::Meta),
    ("binary", Protocol::Binary),
    ("auto", Protocol::Auto),
];

fn every_row() -> Vec<Trial> {
    let mut tests = Vec::new();
    for (row_name, row) in all_rows() {
        for (protocol_name, protocol) in PROTOCOLS {
            for setup in &servers::SETUPS {
                let name = format!("{row_name}::{protocol_name}::{}", setup.name);
                let run = move || on(setup, protocol, |client| (row.check)(client, protocol));
                tests.push(Trial::ignorable_test(name, run));
            }
        }
    }
    tests
}

/// Runs a row on servers that are empty.
fn on(
    setup: &Setup,
    protocol: Protocol,
    check: impl FnOnce(&Client) -> Result<(), Error>,
) -> Result<Completion, Failed> {
    let mut servers = match setup.servers() {
        Ok(servers) => servers,
        Err(why) => return Ok(Completion::ignored_with(why)),
    };
    let client = servers.client(protocol);
    servers::empty(&client);
    check(&client).map_err(|error| format!("{error:?}"))?;
    // Where a row failed nobody knows what state they are in: the next row has new ones.
    setup.give_back(servers);
    Ok(Completion::Completed)
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut tests = every_row();
    tests.extend(behind::tests());
    tests.extend(key_words::tests());
    tests.extend(transcripts::tests());
    let conclusion = libtest_mimic::run(&arguments, tests);
    // No destructor runs for what is in a static.
    servers::end();
    behind::end();
    conclusion.exit_code()
}
