use super::run::Report;
use super::tally::Never;
use std::collections::BTreeMap;

/// Prints what came of the runs of a mix, one in each line, and the `faults` of all of them.
pub fn print(reports: &[Report], faults: &BTreeMap<&str, u64>) {
    const ERRORS: [&str; 5] = ["connect", "timeout", "io", "protocol", "ambiguous"];
    let mut rows = vec![
        ["mix", "protocol", "seed", "calls", "faults"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows[0].extend(ERRORS.map(str::to_owned));
    rows[0].extend(Never::ALL.map(|(_, name)| name.to_owned()));
    rows[0].extend(["longest", "back in", "fds"].map(str::to_owned));
    for report in reports {
        let tally = &report.tally;
        let mut row = vec![
            format!("{:?}", report.mix).to_lowercase(),
            report.protocol.to_string(),
            report.seed.to_string(),
            tally.operations.to_string(),
            report.faults.values().sum::<u64>().to_string(),
        ];
        let count = |count: Option<&u64>| count.map_or("0".to_owned(), u64::to_string);
        row.extend(ERRORS.map(|kind| count(tally.errors.get(kind))));
        row.extend(Never::ALL.map(|(what, _)| count(tally.never.get(&what))));
        row.push(format!("{} ms", tally.longest.as_millis()));
        row.push(format!("{} ms", report.back_after.as_millis()));
        row.push(
            report
                .descriptors
                .map_or("?".to_owned(), |it| it.to_string()),
        );
        rows.push(row);
    }
    let widths: Vec<usize> = (0..rows[0].len())
        .map(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or(0))
        .collect();
    for row in rows {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, &width)| format!("{cell:>width$}"));
        println!("{}", cells.collect::<Vec<_>>().join("  "));
    }
    let faults: Vec<String> = faults
        .iter()
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    println!("faults: {}", faults.join(", "));
}
