//! `mc ring diff`: what moves when the servers change, or the scheme.

use super::bar::{bar, percent, ratio};
use super::sample::Sample;
use crate::fleet::Fleet;
use crate::outcome::{Failure, Outcome};
use crate::placer::Placer;
use crate::table::table;
use clap::Args;
use comfy_table::CellAlignment;
use moecache::{Error, Scheme, Server};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::str::FromStr;

#[derive(Args)]
pub(super) struct Diff {
    /// The servers as they are, separated by commas; or SCHEME=SERVERS where the scheme is not that
    /// of the options: pylibmc:consistent/md5=10.0.0.1:11211,10.0.0.2:11211
    old: Side,
    /// The servers as they will be, in the same form. It is by its address that one is taken for the
    /// same server
    new: Side,
    #[command(flatten)]
    sample: Sample,
    /// Print an object {keys, moved, least, moves}, with moves an array of {from, to, keys}
    #[arg(long)]
    json: bool,
}

/// Servers, and by which scheme keys are placed on them.
#[derive(Clone)]
struct Side {
    scheme: Option<Scheme>,
    servers: Vec<Server>,
}

impl FromStr for Side {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        // The path of a unix socket may have a = too, and no scheme begins with a slash.
        let named = text.split_once('=').filter(|_| !text.starts_with('/'));
        let (scheme, servers) = match named {
            Some((scheme, servers)) => (Some(scheme.parse()?), servers),
            None => (None, text),
        };
        let servers = servers.split(',').map(Server::from).collect();
        Ok(Self { scheme, servers })
    }
}

impl Side {
    fn placer(self, fleet: &Fleet) -> moecache::Result<Placer> {
        fleet.placer_of(self.servers, self.scheme)
    }
}

impl Diff {
    pub(super) fn run(self, fleet: &Fleet, out: &mut impl Write) -> Result<Outcome, Failure> {
        let (old, new) = (self.old.placer(fleet)?, self.new.placer(fleet)?);
        let mut flows = BTreeMap::new();
        let outcome = self.sample.each(|key| {
            let flow = (old.place(key)?, new.place(key)?);
            *flows.entry(flow).or_insert(0) += 1;
            Ok(())
        })?;
        let compared = Comparison::new(&old, &new, &flows);
        if self.json {
            serde_json::to_writer_pretty(&mut *out, &compared).map_err(io::Error::from)?;
            writeln!(out)?;
        } else {
            compared.write(self.sample.name(), out)?;
        }
        Ok(outcome)
    }
}

#[derive(Serialize)]
struct Comparison<'a> {
    /// All that were counted.
    keys: u64,
    /// Those that another server has.
    moved: u64,
    /// How many would have to move to give the servers as many keys as they have then.
    least: u64,
    moves: Vec<Move<'a>>,
    #[serde(skip)]
    servers: Vec<Change<'a>>,
}

#[derive(Serialize)]
struct Move<'a> {
    from: &'a str,
    to: &'a str,
    keys: u64,
}

/// What a server has and gets.
struct Change<'a> {
    server: &'a str,
    before: u64,
    after: u64,
    leave: u64,
    come: u64,
}

impl<'a> Comparison<'a> {
    /// From how many keys go from which place in the old list to which in the new.
    fn new(old: &'a Placer, new: &'a Placer, flows: &BTreeMap<(usize, usize), u64>) -> Self {
        let (old, new) = (old.servers(), new.servers());
        let mut servers: Vec<Change<'_>> = Vec::new();
        for server in old.iter().chain(new) {
            if !servers.iter().any(|known| known.server == server) {
                servers.push(Change::of(server, old, new, flows));
            }
        }
        let moves = flows.iter().map(|(&(from, to), &keys)| Move {
            from: &old[from],
            to: &new[to],
            keys,
        });
        let mut moves: Vec<Move<'_>> = moves.filter(|it| it.from != it.to).collect();
        moves.sort_by_key(|it| std::cmp::Reverse(it.keys));
        let surplus = |it: &Change<'_>| it.before.saturating_sub(it.after);
        Self {
            keys: flows.values().sum(),
            moved: moves.iter().map(|it| it.keys).sum(),
            least: servers.iter().map(surplus).sum(),
            moves,
            servers,
        }
    }

    fn write(&self, name: &str, out: &mut impl Write) -> io::Result<()> {
        let Self {
            keys, moved, least, ..
        } = *self;
        let [of_moved, of_least] = [moved, least].map(|part| percent(ratio(part, keys)));
        writeln!(out, "{moved} of {keys} {name} move, {of_moved}")?;
        writeln!(
            out,
            "no placement with these shares moves fewer than {least}, {of_least}"
        )?;

        let mut changes = table(["SERVER", "BEFORE", "AFTER", "LEAVE", "COME"]);
        for it in &self.servers {
            let counts = [it.before, it.after, it.leave, it.come].map(|count| count.to_string());
            changes.add_row([it.server.to_owned()].into_iter().chain(counts));
        }
        writeln!(out, "\n{}", changes.trim_fmt())?;
        if moved == 0 {
            return Ok(());
        }

        let mut list = table(["FROM", "TO", "KEYS", "OF ALL", ""]);
        for left in [1, 4] {
            if let Some(column) = list.column_mut(left) {
                column.set_cell_alignment(CellAlignment::Left);
            }
        }
        let share = |it: &Move<'_>| ratio(it.keys, keys);
        let largest = self.moves.iter().map(share).fold(0.0, f64::max);
        for it in &self.moves {
            let share = share(it);
            list.add_row([
                it.from.to_owned(),
                it.to.to_owned(),
                it.keys.to_string(),
                percent(share),
                bar(share, largest),
            ]);
        }
        writeln!(out, "\n{}", list.trim_fmt())
    }
}

impl<'a> Change<'a> {
    fn of(
        server: &'a str,
        old: &[String],
        new: &[String],
        flows: &BTreeMap<(usize, usize), u64>,
    ) -> Self {
        let sum = |counts: &dyn Fn(bool, bool) -> bool| {
            let flows = flows
                .iter()
                .filter(|&(&(from, to), _)| counts(old[from] == server, new[to] == server));
            flows.map(|(_, keys)| keys).sum()
        };
        Self {
            server,
            before: sum(&|from, _| from),
            after: sum(&|_, to| to),
            leave: sum(&|from, to| from && !to),
            come: sum(&|from, to| to && !from),
        }
    }
}
