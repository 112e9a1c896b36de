//! What memcached answers, case by case: `tests/transcripts/*.txt`. Each case is a test on a fresh
//! memcached, which must answer as is recorded of its version, and one on the embedded server, which must
//! answer as memcached 1.6.18 does: `transcripts::counting::a_miss::memcached`.
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

use super::support::transcript::{File, Server};
use super::support::{Memcached, RawClient, memcached, noted};
use libtest_mimic::{Completion, Failed, Trial};
use moecache::testing;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

/// The version whose answers the embedded server gives.
const EMBEDDED: &str = "1.6.18";

/// memcached's background threads now and then hold on to an item, which then is not changed in
/// place but copied, so that no space pads a number; and they remove expired items at any time.
const NO_BACKGROUND_THREADS: [&str; 2] = ["-o", "no_lru_maintainer,no_lru_crawler"];

/// The crawler on request only; the other thread would start it by itself.
const NO_MAINTAINER: [&str; 2] = ["-o", "no_lru_maintainer"];

/// Two tests of each case of all files.
pub fn tests() -> Vec<Trial> {
    let mut names: Vec<String> = std::fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names.iter().flat_map(|name| tests_of(name)).collect()
}

fn tests_of(file_name: &str) -> Vec<Trial> {
    let mut file = File::read(directory().join(file_name));
    let stem = file_name.strip_suffix(".txt").expect("a text file");
    // Without those threads `stats` has fewer lines.
    let args = match stem {
        "stats" | "binary_stats" | "meta_stats" => &[][..],
        "crawler" => &NO_MAINTAINER,
        _ => &NO_BACKGROUND_THREADS,
    };
    if std::env::var_os("TRANSCRIPTS").is_some_and(|value| value == "record") {
        file.record(memcached::version(), *FIRST_CAS, || {
            Memcached::with_args(args)
        });
    }
    let file = Arc::new(file);
    let mut tests = Vec::new();
    for number in 0..file.cases.len() {
        let case = file.cases[number].name.replace(' ', "_");
        let name = |server| format!("transcripts::{stem}::{case}::{server}");
        let of_memcached = Arc::clone(&file);
        tests.push(Trial::ignorable_test(name("memcached"), move || {
            if let Some(why) = memcached::is_missing() {
                return Ok(Completion::ignored_with(why));
            }
            let memcached = Memcached::with_args(args);
            let server = Server {
                address: memcached.address(),
                version: memcached::version(),
                first_cas: *FIRST_CAS,
            };
            play(&of_memcached, number, server)?;
            Ok(Completion::Completed)
        }));
        let of_embedded = Arc::clone(&file);
        tests.push(Trial::test(name("the_embedded_server"), move || {
            let embedded = testing::Server::start().unwrap();
            let server = Server {
                address: embedded.address(),
                version: EMBEDDED,
                first_cas: 1,
            };
            play(&of_embedded, number, server)
        }));
    }
    tests
}

/// Plays a case. What is not as in the versions before and after this one is printed.
fn play(file: &File, case: usize, server: Server<'_>) -> Result<(), Failed> {
    let case = &file.cases[case];
    let differences = file.play(case, server)?;
    if !differences.is_empty() {
        noted(format_args!(
            "{}: {}: {} is not as {}: {}",
            file.name(),
            case.name,
            server.version,
            file.compared_with(server.version),
            differences.join("; ")
        ));
    }
    Ok(())
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
