//! Runs the shell commands of the README. Its Rust code is among the documentation tests.

use moecache::testing::Server;
use std::path::Path;
use std::process::Command;

/// The only command that is not run: it is what runs this.
const ITSELF: &str = "tests/run\n";

#[test]
fn every_command() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let blocks: Vec<_> = readme.split("```sh\n").skip(1).collect();
    assert!(!blocks.is_empty());
    let server = Server::start().unwrap();
    for block in blocks {
        let (commands, _) = block.split_once("```").expect("the block has no end");
        if commands == ITSELF {
            continue;
        }
        let mut bash = Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", commands])
            .current_dir(root)
            .env("MEMCACHED_SERVERS", server.address().to_string());
        let output = bash.output().unwrap();
        let [out, err] = [&output.stdout, &output.stderr].map(|it| String::from_utf8_lossy(it));
        assert!(output.status.success(), "{commands}\n{out}\n{err}");
    }
}
