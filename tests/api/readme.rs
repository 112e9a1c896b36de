//! Runs what the README tells the reader to run: its shell commands and its Rust.

use moecache::testing::Server;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The only command that is not run: it is what runs this.
const ITSELF: &str = "tests/run\n";

/// The servers in the README, in whose place the test puts its own.
const SERVERS: &str = r#"[("127.0.0.1", 11211), ("127.0.0.1", 11213)]"#;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The code blocks of the README in one language.
fn blocks(language: &str) -> Vec<String> {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let fence = format!("```{language}\n");
    let blocks = readme.split(&fence).skip(1);
    let blocks: Option<Vec<_>> = blocks
        .map(|rest| Some(rest.split_once("```")?.0.to_owned()))
        .collect();
    blocks.expect("a code block without an end")
}

fn assert_succeeds(what: &str, command: &mut Command) {
    let output = command.output().unwrap();
    let [out, err] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(
        output.status.success(),
        "{what}\n{}\n{out}\n{err}",
        output.status
    );
}

#[test]
fn every_command() {
    let (itself, others): (Vec<_>, Vec<_>) =
        blocks("sh").into_iter().partition(|block| block == ITSELF);
    assert_eq!(
        itself.len(),
        1,
        "the README does not say how to run the tests"
    );
    assert_eq!(others.len(), 6);
    let server = Server::start().unwrap();
    for block in others {
        let mut bash = Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", &block])
            .current_dir(root());
        assert_succeeds(
            &block,
            bash.env("MEMCACHED_SERVERS", server.address().to_string()),
        );
    }
}

/// Each block is the body of a program in a package of its own, as it would be for a user. One that
/// makes no client goes on with that of the first.
#[test]
fn every_program() {
    let package = package();
    let servers = [Server::start().unwrap(), Server::start().unwrap()];
    let [one, other] = servers.each_ref().map(|server| server.address().port());
    let ours = format!(r#"[("127.0.0.1", {one}), ("127.0.0.1", {other})]"#);
    let blocks = blocks("rust");
    assert!(blocks.len() >= 8, "{}", blocks.len());
    assert!(
        blocks[0].contains(SERVERS),
        "the first program names other servers"
    );
    for (index, block) in blocks.iter().enumerate() {
        let client = if block.contains("let client = ") {
            String::new()
        } else {
            format!("let client = moecache::Client::new({SERVERS})?;\n")
        };
        let block = (client + block).replace(SERVERS, &ours);
        let mut program = String::from("fn main() -> Result<(), Box<dyn std::error::Error>> {\n");
        writeln!(program, "{block}Ok(())\n}}").unwrap();
        let name = format!("block_{index}");
        fs::write(package.join("src/bin").join(format!("{name}.rs")), program).unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["run", "--quiet", "--bin", &name])
            .current_dir(&package);
        assert_succeeds(&block, &mut cargo);
    }
    let received = servers.iter().map(Server::received).sum::<u64>();
    assert!(received > 0, "the first program asked none of the servers");
}

fn package() -> PathBuf {
    let package = root().join("target/readme");
    fs::create_dir_all(package.join("src/bin")).unwrap();
    let manifest = "[package]\nname = \"readme\"\nedition = \"2024\"\n\n[workspace]\n\n\
                    [dependencies]\nmoecache = { path = \"../..\", features = [\"testing\", \"tls\"] }\n";
    fs::write(package.join("Cargo.toml"), manifest).unwrap();
    package
}
