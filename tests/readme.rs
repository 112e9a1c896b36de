//! Runs the shell commands of the README, as a reader would. Its Rust is run by the doc tests.

use moecache::testing::Server;
use std::path::Path;
use std::process::Command;

/// The only one that is not run: it is what runs this.
const ITSELF: &str = "tests/run\n";

#[test]
fn every_command() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let blocks: Vec<_> = readme
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(
        blocks.contains(&ITSELF),
        "the README does not say how to run the tests"
    );

    let server = Server::start().unwrap();
    for block in blocks.into_iter().filter(|block| *block != ITSELF) {
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", block])
            .current_dir(root)
            .env("MEMCACHED_SERVERS", server.address().to_string())
            .output()
            .unwrap();
        let [out, err] =
            [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        assert!(
            output.status.success(),
            "{block}\n{}\n{out}\n{err}",
            output.status
        );
    }
}
