//! Recorded placements of the peers, every scheme of them, by way of `mc`.

use crate::{mc, text};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

#[derive(Deserialize)]
struct Inputs {
    lists: HashMap<String, List>,
    keysets: HashMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct List {
    servers: Vec<serde_json::Value>,
    keysets: Vec<String>,
}

#[derive(Deserialize)]
struct Peer {
    peer: String,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    scheme: String,
    list: String,
    /// The server of each key, a base 36 digit each.
    index: String,
}

/// What was recorded of one scheme on one list.
struct Recorded {
    peer: String,
    scheme: String,
    servers: Vec<serde_json::Value>,
    keys: Vec<(String, usize)>,
}

impl Recorded {
    fn name(&self) -> String {
        format!("{}:{}", self.peer, self.scheme)
    }

    /// As `--servers` takes them.
    fn servers(&self) -> String {
        let typed = self.servers.iter().map(|server| {
            let host = server["host"].as_str().unwrap();
            let (port, weight) = (&server["port"], &server["weight"]);
            if host.contains(':') {
                format!("[{host}]:{port}:{weight}")
            } else {
                format!("{host}:{port}:{weight}")
            }
        });
        typed.collect::<Vec<_>>().join(",")
    }

    fn to_json(&self) -> String {
        let Self {
            peer,
            scheme,
            servers,
            keys,
        } = self;
        let json = serde_json::json!({
            "peer": peer, "version": "1", "scheme": scheme, "servers": servers, "keys": keys,
        });
        json.to_string()
    }
}

/// Of each scheme every ninth list, beginning with another one each time.
fn sample() -> Vec<Recorded> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/placement");
    let inputs: Inputs = read(&folder.join("inputs.json"));
    let mut schemes: BTreeMap<(String, String), Vec<Vector>> = BTreeMap::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("inputs.json") {
            continue;
        }
        let Peer { peer, vectors } = read(&path);
        for vector in vectors {
            let scheme = (peer.clone(), vector.scheme.clone());
            schemes.entry(scheme).or_default().push(vector);
        }
    }
    let mut sample = Vec::new();
    for (number, ((peer, scheme), vectors)) in schemes.iter().enumerate() {
        if !is_built(peer, scheme) {
            continue;
        }
        let first = number % 9 % vectors.len();
        for vector in vectors.iter().skip(first).step_by(9) {
            let list = &inputs.lists[&vector.list];
            let keys = list.keysets.iter().flat_map(|set| &inputs.keysets[set]);
            let indexes = vector
                .index
                .chars()
                .map(|c| c.to_digit(36).unwrap() as usize);
            sample.push(Recorded {
                peer: peer.clone(),
                scheme: scheme.clone(),
                servers: list.servers.clone(),
                keys: keys.cloned().zip(indexes).collect(),
            });
        }
    }
    sample
}

fn read<T: DeserializeOwned>(path: &Path) -> T {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Some hashes are of features.
fn is_built(peer: &str, scheme: &str) -> bool {
    match scheme {
        _ if peer == "dalli" => cfg!(feature = "sha1"),
        "ketama/sha1" => cfg!(feature = "sha1"),
        "ketama/tiger" => cfg!(feature = "tiger"),
        _ => true,
    }
}

#[test]
fn where_keys_are() {
    for recorded in sample() {
        let (scheme, servers) = (recorded.name(), recorded.servers());
        let keys: Vec<&str> = recorded.keys.iter().map(|(key, _)| key.as_str()).collect();
        let arguments = ["where", "--compatible-with", &scheme, "--servers", &servers];
        let answer = mc("nobody:1", &arguments, keys.join("\n").as_bytes());
        assert_eq!(text(&answer.stderr), "", "{scheme} {servers}");
        let lines = text(&answer.stdout).lines();
        let placed = lines.map(|line| {
            let mut fields = line.split('\t');
            let key = fields.next().unwrap().to_owned();
            (key, fields.next().unwrap().parse().unwrap())
        });
        let placed: Vec<(String, usize)> = placed.collect();
        assert_eq!(placed, recorded.keys, "{scheme} {servers}");
    }
}

#[test]
fn all_verify() {
    let sample = sample();
    let count: usize = sample.iter().map(|recorded| recorded.keys.len()).sum();
    let lines: Vec<String> = sample.iter().map(Recorded::to_json).collect();
    let answer = mc(
        "nobody:1",
        &["ring", "verify", "-"],
        lines.join("\n").as_bytes(),
    );
    assert_eq!(text(&answer.stderr), "");
    let expected = format!("{count} placements checked: all the same\n");
    assert_eq!(text(&answer.stdout), expected);
}

/// The longest list of each scheme tells whose it is, among those that are the same everywhere.
#[test]
fn all_are_identified() {
    let mut longest: HashMap<String, Recorded> = HashMap::new();
    for recorded in sample() {
        let known = longest.get(&recorded.name());
        if known.is_none_or(|known| known.servers.len() < recorded.servers.len()) {
            longest.insert(recorded.name(), recorded);
        }
    }
    assert!(!longest.is_empty());
    for (scheme, recorded) in longest {
        let input = recorded.to_json();
        let answer = mc("nobody:1", &["ring", "identify", "-"], input.as_bytes());
        let error = text(&answer.stderr);
        assert!(answer.status.success(), "{scheme}: {error}");
        let found = text(&answer.stdout).lines().any(|line| line == scheme);
        assert!(found, "{scheme}: {}", text(&answer.stdout));
    }
}
