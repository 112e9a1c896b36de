//! What was tried, and what came out differently: a table, and a failure if anything did.

use comfy_table::{CellAlignment, Table, presets};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// One row: what it is called, how many were tried each way, and how those that differ do.
#[derive(Debug)]
pub struct Outcome {
    pub name: Vec<String>,
    /// Of their writing, read here; and of ours, read there.
    pub tried: [usize; 2],
    pub differences: Vec<String>,
}

/// Runs every row, as many at a time as the machine has processors, and prints what came of each.
///
/// # Panics
///
/// If there is any difference.
pub fn run<R: Sync>(header: &[&str], rows: &[R], check: impl Fn(&R) -> Outcome + Sync) {
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some((index, row)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            rows.get(index).map(|row| (index, row))
        } {
            let outcome = check(row);
            outcomes.lock().unwrap().push((index, outcome));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let mut outcomes = outcomes.into_inner().unwrap();
    outcomes.sort_by_key(|&(index, _)| index);
    assert_eq!(outcomes.len(), rows.len());

    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(
        header
            .iter()
            .chain(&["read here", "read there", "differences"]),
    );
    for (_, outcome) in &outcomes {
        let [here, there] = outcome.tried;
        let counts = [here, there, outcome.differences.len()].map(|count| count.to_string());
        table.add_row(outcome.name.iter().chain(&counts));
    }
    for column in table.column_iter_mut().skip(header.len()) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("{}", table.trim_fmt());

    let differing = outcomes
        .iter()
        .filter(|(_, outcome)| !outcome.differences.is_empty());
    let differing: Vec<String> = differing
        .map(|(_, outcome)| {
            // A wrong placement is wrong for hundreds of keys.
            let first: Vec<&str> = outcome
                .differences
                .iter()
                .take(8)
                .map(String::as_str)
                .collect();
            format!("{}:\n  {}", outcome.name.join(", "), first.join("\n  "))
        })
        .collect();
    assert!(differing.is_empty(), "\n{}", differing.join("\n"));
}
