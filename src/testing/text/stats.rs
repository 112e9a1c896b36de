//! The `stats` command. Arguments beyond those it looks at are ignored.

use super::number::unsigned_32;
use super::outcome::{Outcome, line};
use crate::testing::process::Process;
use crate::testing::report::{self, Report};
use crate::testing::store::Store;

/// `MAX_NUMBER_OF_SLAB_CLASSES` of memcached.
const CLASSES: u32 = 64;

pub(super) fn stats(store: &mut Store, args: &[&[u8]], process: &Process) -> Outcome {
    if matches!(
        args.first(),
        None | Some(&(b"items" | b"slabs" | b"sizes" | b"cachedump"))
    ) {
        store.reclaim();
    }
    let Some((&topic, args)) = args.split_first() else {
        return text(&report::general(
            store,
            &process.settings,
            process.open_count(),
        ));
    };
    match topic {
        b"settings" => text(&report::settings(store, &process.settings, &process.place)),
        b"items" => text(&report::items(store)),
        b"slabs" => text(&report::slabs(store)),
        b"sizes" => text(&report::sizes(store)),
        b"sizes_enable" => track_sizes(store, true),
        b"sizes_disable" => track_sizes(store, false),
        b"conns" => text(&report::connections(
            store,
            &process.place,
            &process.open_connections(),
        )),
        b"extstore" => text(&report::nothing()),
        b"reset" => {
            store.reset_counters();
            line("RESET")
        }
        b"detail" => detail(store, args),
        b"cachedump" => cachedump(store, args),
        _ => line("ERROR"),
    }
}

fn text(report: &Report) -> Outcome {
    let rows = report
        .rows()
        .map(|(name, value)| format!("STAT {name} {value}\r\n"));
    let text: String = rows.chain(["END\r\n".to_owned()]).collect();
    Outcome::Report(text.into_bytes())
}

/// Answers without `END`, as memcached does.
fn track_sizes(store: &mut Store, track: bool) -> Outcome {
    store.track_sizes(track);
    line(if track {
        "STAT sizes_status enabled"
    } else {
        "STAT sizes_status disabled"
    })
}

fn detail(store: &mut Store, args: &[&[u8]]) -> Outcome {
    match args.first() {
        Some(&b"on") => {
            store.detail = true;
            line("OK")
        }
        Some(&b"off") => {
            store.detail = false;
            line("OK")
        }
        Some(&b"dump") => Outcome::Report(report::prefixes(store)),
        _ => line("CLIENT_ERROR usage: stats detail on|off|dump"),
    }
}

fn cachedump(store: &Store, args: &[&[u8]]) -> Outcome {
    let [class, limit, ..] = args else {
        return line("CLIENT_ERROR bad command line");
    };
    let (Some(class), Some(limit)) = (unsigned_32(class), unsigned_32(limit)) else {
        return line("CLIENT_ERROR bad command line format");
    };
    if class >= CLASSES {
        return line("CLIENT_ERROR Illegal slab id");
    }
    Outcome::Report(report::cachedump(store, class, limit))
}
