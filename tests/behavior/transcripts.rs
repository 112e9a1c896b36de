//! What memcached answers, case by case: `tests/transcripts/*.txt`, each case run against a fresh
//! memcached, which must answer as is recorded of its version, and against the embedded server, which
//! must answer as memcached 1.6.18 does.
//!
//! `TRANSCRIPTS=record MEMCACHED=/path/to/memcached cargo test --test behavior transcripts` asks that memcached
//! for all replies and writes them into the files, beside those of other versions.
//!
//! A version of which nothing is recorded is compared with the nearest ones, the older and the newer
//! one. A part of a reply may be as in either; what is in neither is printed. Such a case fails only if
//! the connection is not good afterwards, or is still open where it should be closed: words and
//! statistics change from release to release, and nobody has to record each of them.
//!
//! # The files
//!
//! ```text
//! versions: 1.6.18 1.6.38
//! # A comment.
//! == name of the case
//! > a request, sent in one piece\r\n
//! < the reply to it,\r\n
//! < which goes on\r\n
//! > the next request, sent when that reply has arrived\r\n
//! <1.6.18 what only this version answers\r\n
//! <1.6.38 what this one answers instead\r\n
//! ```
//!
//! The first line has the versions that are recorded. Several after a `<` are joined by commas.
//!
//! Bytes are escaped as `\r`, `\n`, `\t`, `\0`, `\\` and `\x7f`; `\(k*250)` is 250 times `k`. Nothing
//! ends a line but what is written. After the last reply the connection must still be good for a
//! version, asked for in the protocol that the case began with, unless the name ends with
//!
//! - ` (closes)`: the server closes the connection after the reply;
//! - ` (closes: 1.6.45)`: only these versions do, perhaps before the last request;
//! - ` (unfinished)`: the request stops in the middle; the client closes its side.
//!
//! Replies of the binary protocol are written one to a line.
//!
//! Not compared are the version, cas ids beyond their order (those of newer versions begin at 2, and
//! are written as if they began at 1), and numbers that change from run to run, which are `*`: values
//! of `STAT`, and times in the replies to meta commands and to `lru_crawler metadump`.

use crate::support;

use moecache::testing;
use std::path::PathBuf;
use std::sync::LazyLock;
use support::transcript::{File, Server};
use support::{Memcached, RawClient, memcached, noted};

/// The version whose answers the embedded server gives.
const EMBEDDED: &str = "1.6.18";

/// memcached's background threads now and then hold on to an item, which then is not changed in
/// place but copied, so that no space pads a number; and they remove expired items at any time.
const NO_BACKGROUND_THREADS: [&str; 2] = ["-o", "no_lru_maintainer,no_lru_crawler"];

/// The crawler on request only; the other thread would start it by itself.
const NO_MAINTAINER: [&str; 2] = ["-o", "no_lru_maintainer"];

macro_rules! files {
    ($($name:ident)*) => {
        const FILES: &[&str] = &[$(stringify!($name)),*];
        $(
            #[test]
            fn $name() {
                run(stringify!($name));
            }
        )*
    };
}

files!(
    binary_counting binary_deleting binary_getting binary_other binary_stats binary_storing
    counting crawler deleting expiry flushing getting keys lines meta_base64 meta_counting
    meta_deleting meta_getting meta_quiet meta_stats meta_storing numbers pipelines sizes stats storing touching
);

#[test]
fn every_file_is_run() {
    let mut files: Vec<String> = std::fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(
        files,
        FILES
            .iter()
            .map(|name| format!("{name}.txt"))
            .collect::<Vec<_>>()
    );
}

fn run(name: &str) {
    let mut file = File::read(directory().join(format!("{name}.txt")));
    // Without those threads `stats` has fewer lines.
    let args = match name {
        "stats" | "binary_stats" | "meta_stats" => &[][..],
        "crawler" => &NO_MAINTAINER,
        _ => &NO_BACKGROUND_THREADS,
    };
    let version = memcached::version();
    if std::env::var_os("TRANSCRIPTS").is_some_and(|value| value == "record") {
        file.record(version, *FIRST_CAS, || Memcached::with_args(args));
    }
    let mut failures = Vec::new();
    for case in &file.cases {
        let memcached = Memcached::with_args(args);
        let embedded = testing::Server::start().unwrap();
        let servers = [
            (
                "memcached",
                Server {
                    address: memcached.address(),
                    version,
                    first_cas: *FIRST_CAS,
                },
            ),
            (
                "the embedded server",
                Server {
                    address: embedded.address(),
                    version: EMBEDDED,
                    first_cas: 1,
                },
            ),
        ];
        for (who, server) in servers {
            match file.play(case, server) {
                Ok(differences) if differences.is_empty() => {}
                Ok(differences) => noted(format_args!(
                    "{name}.txt: {}: {version} is not as {}: {}",
                    case.name,
                    file.compared_with(version),
                    differences.join("; ")
                )),
                Err(difference) => {
                    failures.push(format!("{name}.txt: {}: {who}: {difference}", case.name));
                }
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n\n"));
}

/// The first cas id that memcached gives.
static FIRST_CAS: LazyLock<u64> = LazyLock::new(|| {
    let memcached = Memcached::start();
    let mut raw = RawClient::connect(memcached.address());
    raw.ask("set a 0 0 0\r\n\r\n", "STORED\r\n");
    raw.ask("gets a\r\n", "VALUE a 0 0 ");
    let cas = raw.read_until("\r\n");
    cas.trim_end().parse().expect("a number")
});

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts")
}
