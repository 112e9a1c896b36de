//! What was tried, and what came out differently: a table, and a failure if anything did.

use crate::support::interpreter;
use comfy_table::{CellAlignment, Table, presets};
use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What came of one row.
#[derive(Debug, Default)]
pub struct Outcome {
    /// How many were tried: of their writing, read here; and of ours, read there.
    pub tried: [usize; 2],
    pub differences: Vec<String>,
}

/// What one row of a table tries.
pub trait Row: Sync {
    /// The columns that say what it is.
    fn name(&self) -> Vec<String>;

    fn check(&self) -> Outcome;

    /// As [`check`](Self::check), but a panic is a difference: other rows still have their turn.
    fn outcome(&self) -> Outcome {
        panic::catch_unwind(AssertUnwindSafe(|| self.check())).unwrap_or_else(|panic| {
            let message = panic.downcast_ref::<String>().cloned();
            Outcome {
                differences: vec![message.unwrap_or_else(|| "it panicked".to_owned())],
                ..Outcome::default()
            }
        })
    }
}

/// Runs every row, as many at a time as the machine has processors, and prints what came of each.
///
/// # Panics
///
/// If there is any difference.
pub fn run<R: Row>(header: &[&str], rows: &[R]) {
    // Said once, and not for every row, if there is none.
    interpreter();
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let work = || {
        while let Some((index, row)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            rows.get(index).map(|row| (index, row))
        } {
            let outcome = row.outcome();
            outcomes.lock().unwrap().insert(index, outcome);
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let outcomes = outcomes.into_inner().unwrap();
    assert_eq!(outcomes.len(), rows.len());
    let outcomes: Vec<_> = rows
        .iter()
        .map(Row::name)
        .zip(outcomes.into_values())
        .collect();

    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(
        header
            .iter()
            .chain(&["read here", "read there", "differences"]),
    );
    for (name, outcome) in &outcomes {
        let [here, there] = outcome.tried;
        let counts = [here, there, outcome.differences.len()].map(|count| count.to_string());
        table.add_row(name.iter().chain(&counts));
    }
    for column in table.column_iter_mut().skip(header.len()) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("{}", table.trim_fmt());

    let differing: Vec<String> = outcomes
        .iter()
        .filter(|(_, outcome)| !outcome.differences.is_empty())
        .map(|(name, outcome)| {
            // A wrong placement is wrong for hundreds of keys.
            let first: Vec<&str> = (outcome.differences.iter().take(8))
                .map(String::as_str)
                .collect();
            format!("{}:\n  {}", name.join(", "), first.join("\n  "))
        })
        .collect();
    assert!(differing.is_empty(), "\n{}", differing.join("\n"));
}
