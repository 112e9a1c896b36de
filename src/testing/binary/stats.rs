//! `stat`: one packet for each statistic, and an empty one at the end. What the text protocol has
//! as arguments is part of the key here, of which mostly the beginning is looked at.

use super::packet::{Reply, Request, Status};
use crate::testing::process::Process;
use crate::testing::report::{self, Report};
use crate::testing::store::Store;

pub(super) fn stat(
    request: &Request,
    key: &[u8],
    store: &mut Store,
    process: &Process,
) -> Result<Vec<u8>, Status> {
    if matches!(key, b"" | b"items" | b"slabs" | b"sizes") {
        store.reclaim();
    }
    Ok(match key {
        b"" => report(
            request,
            &report::general(store, &process.settings, process.open_count()),
        ),
        b"items" => report(request, &report::items(store)),
        b"slabs" => report(request, &report::slabs(store)),
        b"sizes" => report(request, &report::sizes(store)),
        b"sizes_enable" => track_sizes(request, store, true),
        b"sizes_disable" => track_sizes(request, store, false),
        _ if key.starts_with(b"reset") => {
            store.reset_counters();
            ending(request)
        }
        _ if key.starts_with(b"settings") => report(
            request,
            &report::settings(store, &process.settings, &process.place),
        ),
        _ if key.starts_with(b"detail dump") => {
            let prefixes = report::prefixes(store);
            [row(request, b"detailed", &prefixes), ending(request)].concat()
        }
        _ if key.starts_with(b"detail on") => detail(request, store, true),
        _ if key.starts_with(b"detail off") => detail(request, store, false),
        _ => return Err(Status::NotFound),
    })
}

fn report(request: &Request, report: &Report) -> Vec<u8> {
    let rows = report
        .rows()
        .map(|(name, value)| row(request, name.as_bytes(), value.as_bytes()));
    rows.chain([ending(request)]).flatten().collect()
}

/// Answers without the empty packet at the end, as memcached does.
fn track_sizes(request: &Request, store: &mut Store, track: bool) -> Vec<u8> {
    store.track_sizes(track);
    let status: &[u8] = if track { b"enabled" } else { b"disabled" };
    row(request, b"sizes_status", status)
}

fn detail(request: &Request, store: &mut Store, detail: bool) -> Vec<u8> {
    store.detail = detail;
    ending(request)
}

fn row(request: &Request, key: &[u8], value: &[u8]) -> Vec<u8> {
    Reply {
        key,
        value,
        ..Reply::EMPTY
    }
    .to(request)
}

fn ending(request: &Request) -> Vec<u8> {
    Reply::EMPTY.to(request)
}
