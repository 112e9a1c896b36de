//! What moecache does, in one sitting:
//!
//! ```console
//! $ cargo run --example quickstart
//! $ cargo run --example quickstart -- --servers 10.0.0.1:11211,10.0.0.2:11211
//! ```
//!
//! The first starts three embedded servers. The second uses yours (so does `MEMCACHED_SERVERS`): all
//! keys begin with `moecache-quickstart:`, expire within a minute, and are deleted at the end if all
//! goes well.

use clap::Parser;
use comfy_table::{CellAlignment, Table, presets};
use moecache::testing::Server;
use moecache::value::DateTime;
use moecache::{Client, Stats};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::fmt::Debug;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

/// Stores values of many types in memcached, reads them back and shows where they went.
#[derive(Parser)]
struct Arguments {
    /// The servers, host:port, separated by commas [default: three embedded ones]
    #[arg(
        long,
        env = "MEMCACHED_SERVERS",
        default_value = "",
        hide_default_value = true
    )]
    servers: String,
}

/// Anything that serde can serialise can be stored.
#[derive(Serialize, Deserialize, Debug)]
struct User {
    name: String,
    age: u8,
}

const PLANETS: [&str; 3] = [
    "moecache-quickstart:mercury",
    "moecache-quickstart:venus",
    "moecache-quickstart:earth",
];

fn main() -> ExitCode {
    // Not `println!`, which panics when the reader of a pipe is gone: `quickstart | head -1`.
    match run(&Arguments::parse(), &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            // The alternate form of moecache's errors has their causes too.
            eprintln!("quickstart: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    if !arguments.servers.is_empty() {
        let servers: Vec<_> = arguments.servers.split(',').collect();
        return tour(&Client::new(servers)?, out);
    }
    // Each stops when it is dropped.
    let embedded = [Server::start()?, Server::start()?, Server::start()?];
    tour(&Client::new(&embedded)?, out)
}

fn tour(client: &Client, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    store(client)?;
    let rows = read_back(client)?;

    writeln!(
        out,
        "Stored, read back, and the server that each key belongs to:\n"
    )?;
    let mut table = columns(["KEY", "READ AS", "VALUE", "SERVER"]);
    for (key, read_as, value) in &rows {
        // The key alone decides on the server; nothing is asked.
        table.add_row([*key, *read_as, value, &*client.server_for(key)?]);
    }
    writeln!(out, "{}", table.trim_fmt())?;

    writeln!(out, "\nThe fleet:\n")?;
    print_stats(client, out)?;

    client.delete_many(rows.iter().map(|(key, ..)| key)).all()?;
    Ok(())
}

fn store(client: &Client) -> moecache::Result<()> {
    let minute = Duration::from_secs(60);
    let user = User {
        name: "Ada".to_owned(),
        age: 36,
    };
    client.set("moecache-quickstart:string", "Some value", minute)?;
    client.set("moecache-quickstart:i32", -42, minute)?;
    client.set("moecache-quickstart:f64", 2.5, minute)?;
    client.set("moecache-quickstart:bool", true, minute)?;
    client.set("moecache-quickstart:struct", &user, minute)?;
    client.set("moecache-quickstart:list", ["red", "green"], minute)?;
    client.set("moecache-quickstart:none", None::<i32>, minute)?;

    // Bytes without a detour through serde.
    client.set_bytes("moecache-quickstart:bytes", b"\x89PNG", minute)?;

    // What .NET calls a DateTime.
    let now = DateTime::from_system_time(SystemTime::now());
    client.set("moecache-quickstart:time", now, minute)?;

    // A number in the form that memcached itself can count in.
    client.set_counter("moecache-quickstart:counter", 41, minute)?;
    client.incr("moecache-quickstart:counter", 1)?;

    // Many keys in one call: their servers work at the same time.
    let planets = PLANETS.into_iter().zip(["Mercury", "Venus", "Earth"]);
    client.set_many(planets, minute).all()?;
    Ok(())
}

/// Each key, the type it is read as, and what came back.
fn read_back(client: &Client) -> moecache::Result<Vec<(&str, &str, String)>> {
    // The type that is asked for is the type that is checked: reading the string as a number is an
    // error that names both.
    let string: Option<String> = client.get("moecache-quickstart:string")?;
    let i32: Option<i32> = client.get("moecache-quickstart:i32")?;
    let f64: Option<f64> = client.get("moecache-quickstart:f64")?;
    let bool: Option<bool> = client.get("moecache-quickstart:bool")?;
    let user: Option<User> = client.get("moecache-quickstart:struct")?;
    let list: Option<Vec<String>> = client.get("moecache-quickstart:list")?;
    let bytes: Option<Vec<u8>> = client.get_bytes("moecache-quickstart:bytes")?;
    let time: Option<DateTime> = client.get("moecache-quickstart:time")?;
    let counter: Option<u64> = client.get("moecache-quickstart:counter")?;

    // A stored `None` is `Some(None)`, and a key that is not there is `None`.
    let none: Option<Option<i32>> = client.get("moecache-quickstart:none")?;
    let missing: Option<Option<i32>> = client.get("moecache-quickstart:missing")?;

    // In the order of the keys; one that is not there is `None` in its place.
    let planets: Vec<Option<String>> = client.get_each(PLANETS).all()?;

    let rows: [(_, _, &dyn Debug); 11] = [
        ("moecache-quickstart:string", "String", &string),
        ("moecache-quickstart:i32", "i32", &i32),
        ("moecache-quickstart:f64", "f64", &f64),
        ("moecache-quickstart:bool", "bool", &bool),
        ("moecache-quickstart:struct", "User", &user),
        ("moecache-quickstart:list", "Vec<String>", &list),
        ("moecache-quickstart:bytes", "bytes", &bytes),
        ("moecache-quickstart:time", "DateTime", &time),
        ("moecache-quickstart:counter", "u64", &counter),
        ("moecache-quickstart:none", "Option<i32>", &none),
        ("moecache-quickstart:missing", "Option<i32>", &missing),
    ];
    let shown = |(key, read_as, value)| (key, read_as, format!("{value:?}"));
    let planets = PLANETS.into_iter().zip(&planets);
    let planets = planets.map(|(key, name)| (key, "String", name as &dyn Debug));
    Ok(rows.into_iter().chain(planets).map(shown).collect())
}

fn print_stats(client: &Client, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let servers = client.stats()?;
    let mut table = columns([
        "SERVER",
        "ITEMS",
        "SETS",
        "GETS",
        "HITS",
        "MISSES",
        "HIT RATIO",
    ]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for server in &servers {
        match &server.result {
            Ok(stats) => table.add_row(counters(&server.server, stats)),
            Err(error) => table.add_row([&server.server, &error.to_string()]),
        };
    }
    let answered = servers
        .iter()
        .filter_map(|server| server.result.as_ref().ok());
    table.add_row(counters("all", &Stats::total(answered)));
    writeln!(out, "{}", table.trim_fmt())?;
    Ok(())
}

fn counters(name: &str, stats: &Stats) -> [String; 7] {
    let count = |counter: Option<u64>| counter.map_or("-".to_owned(), |count| count.to_string());
    let ratio = stats.hit_ratio();
    [
        name.to_owned(),
        count(stats.curr_items()),
        count(stats.cmd_set()),
        count(stats.cmd_get()),
        count(stats.get_hits()),
        count(stats.get_misses()),
        ratio.map_or("-".to_owned(), |ratio| format!("{:.1} %", ratio * 100.0)),
    ]
}

/// A table without lines, its columns two spaces apart.
fn columns<const N: usize>(names: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(names);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}
