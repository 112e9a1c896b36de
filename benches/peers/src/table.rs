//! The results as text: tables in Markdown, aligned for a terminal.

use crate::measure::Measured;
use crate::peers::Client;
use crate::work::Row;

/// Rows so far; each is printed as soon as it is there.
pub struct Table<'a> {
    clients: &'a [&'a Client],
}

/// The first column.
const NAME: usize = 39;

impl<'a> Table<'a> {
    pub fn begin(clients: &'a [&'a Client]) -> Self {
        print!("| {:NAME$} | base, us | at most |", "time / base");
        for client in clients {
            print!(" {:>6} |", client.name);
        }
        print!("\n|{}|---|---|", "-".repeat(NAME + 2));
        println!("{}", "---|".repeat(clients.len()));
        Self { clients }
    }

    /// A ratio over its limit is bold.
    pub fn row(&self, row: &Row, measured: &Measured) {
        let (limit, limited) = row.limit;
        print!("| {:NAME$} ", row.name);
        print!("| {:8.1} | {limit:7.2} |", measured.base * 1e6);
        for (client, cell) in self.clients.iter().zip(&measured.cells) {
            let text = cell.as_ref().map_or("-".to_owned(), |cell| {
                let over = cell.ratio > limit && limited.contains(&client.name);
                let ratio = cell.ratio;
                let bold = if over { "**" } else { "" };
                format!("{bold}{ratio:.*}{bold}", if ratio < 10.0 { 3 } else { 1 })
            });
            print!(" {text:>0$} |", client.name.len().max(6));
        }
        println!();
    }
}

/// What else is known about each row: of how many rounds, and what it allocates.
pub fn details(clients: &[&Client], results: &[(&Row, Measured)]) {
    println!("\n| 5 % .. 95 % of the rounds |{}", names(clients));
    println!("|---|{}", "---|".repeat(clients.len()));
    for (row, measured) in results {
        let cells = measured.cells.iter().map(|cell| match cell {
            Some(cell) => format!(" {:.2} .. {:.2} |", cell.range.0, cell.range.1),
            None => " - |".to_owned(),
        });
        println!("| {} |{}", row.name, cells.collect::<String>());
    }
    println!("\n| client CPU / base |{}", names(clients));
    println!("|---|{}", "---|".repeat(clients.len()));
    for (row, measured) in results {
        let cells = measured.cells.iter().map(|cell| match cell {
            Some(cell) => format!(" {:.3} |", cell.cpu),
            None => " - |".to_owned(),
        });
        println!("| {} |{}", row.name, cells.collect::<String>());
    }
    println!("\n| allocations |{}", names(clients));
    println!("|---|{}", "---|".repeat(clients.len()));
    for (row, measured) in results {
        let cells = clients.iter().zip(&measured.cells).map(|it| match it {
            // It is written in C: its allocations are not seen.
            (client, Some(_)) if client.name == "libmemcached" => " ? |".to_owned(),
            (_, Some(cell)) => format!(" {} |", cell.allocations),
            (_, None) => " - |".to_owned(),
        });
        println!("| {} |{}", row.name, cells.collect::<String>());
    }
}

fn names(clients: &[&Client]) -> String {
    let names = clients.iter().map(|client| format!(" {} |", client.name));
    names.collect()
}
