//! What memcached answers, case by case: `tests/transcripts/*.txt`, each case run against a fresh
//! memcached and against the embedded server, which must both answer as recorded.
//!
//! `TRANSCRIPTS=record cargo test --test transcripts` asks memcached 1.6.18 for all replies and
//! writes them into the files.
//!
//! # The files
//!
//! ```text
//! # A comment.
//! == name of the case
//! > a request, sent in one piece\r\n
//! < the reply to it,\r\n
//! < which goes on\r\n
//! > the next request, sent when that reply has arrived\r\n
//! ```
//!
//! Bytes are escaped as `\r`, `\n`, `\t`, `\0`, `\\` and `\x7f`; `\(k*250)` is 250 times `k`. Nothing
//! ends a line but what is written. After the last reply the connection must still be good for a
//! version, asked for in the protocol that the case began with, unless the name ends with
//!
//! - ` (closes)`: the server closes the connection after the reply;
//! - ` (unfinished)`: the request stops in the middle; the client closes its side.
//!
//! Replies of the binary protocol are written one to a line.
//!
//! Numbers that change from run to run are `*`: values of `STAT`, and times in the replies to meta
//! commands and to `lru_crawler metadump`.

mod support;

use moecache::testing::Server;
use std::path::PathBuf;
use support::Memcached;
use support::transcript::File;

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
    if std::env::var_os("TRANSCRIPTS").is_some_and(|value| value == "record") {
        file.record(|| Memcached::with_args(args));
    }
    let mut failures = Vec::new();
    for case in &file.cases {
        let memcached = Memcached::with_args(args);
        let server = Server::start().unwrap();
        for (who, address) in [
            ("memcached", memcached.address()),
            ("the embedded server", server.address()),
        ] {
            if let Err(difference) = case.play(address) {
                failures.push(format!("{name}.txt: {}: {who}: {difference}", case.name));
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n\n"));
}

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts")
}
