//! Reads the recorded placements: which server each peer picked for each key. One file a peer, JSON
//! in gzip, as it was recorded: `obtained` says how.

use flate2::read::GzDecoder;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::fs::File;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// What was recorded of one peer.
pub(crate) struct Recorded {
    pub(crate) peer: String,
    /// One for each scheme and list of servers.
    pub(crate) cases: Vec<Case>,
}

pub(crate) struct Case {
    /// `consistent/fnv1a_32`; with the peer before it, a name that `Scheme` parses.
    pub(crate) scheme: String,
    /// The name of the list.
    pub(crate) list: String,
    pub(crate) servers: Vec<Typed>,
    /// Each key with the place of its server in the list.
    pub(crate) keys: Vec<(String, usize)>,
    /// What the peer itself printed for each server, where it did.
    pub(crate) server_strings: Vec<String>,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Typed {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) weight: u32,
    /// The address that the peer had for a host name, where it was recorded.
    #[serde(skip)]
    pub(crate) ip: Option<IpAddr>,
}

#[derive(Deserialize)]
struct Inputs {
    lists: HashMap<String, List>,
    keysets: HashMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct List {
    servers: Vec<Typed>,
    keysets: Vec<String>,
}

#[derive(Deserialize)]
struct PeerFile {
    peer: String,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    scheme: String,
    list: String,
    /// The server of each key, a base 36 digit each.
    index: String,
    #[serde(default)]
    server_strings: Vec<String>,
}

/// Every file beside this one, by the name of the peer.
pub(crate) fn all() -> Vec<Recorded> {
    let inputs: Inputs = read(&folder().join("inputs.json.gz"));
    let files = std::fs::read_dir(folder()).unwrap();
    let names = files.map(|file| file.unwrap().path());
    let is_peer = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.ends_with(".json.gz") && name != "inputs.json.gz"
    };
    let mut names: Vec<_> = names.filter(is_peer).collect();
    names.sort();
    names.iter().map(|path| recorded(&inputs, path)).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/placement")
}

fn read<T: DeserializeOwned>(path: &Path) -> T {
    let file = File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_reader(GzDecoder::new(file))
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn recorded(inputs: &Inputs, path: &Path) -> Recorded {
    let PeerFile { peer, vectors } = read(path);
    // spymemcached prints `name/address:port`, once for each list.
    let mut ips: HashMap<String, Vec<Option<IpAddr>>> = HashMap::new();
    for vector in vectors
        .iter()
        .filter(|vector| vector.scheme == "arraymod/KETAMA_HASH")
    {
        ips.insert(
            vector.list.clone(),
            vector.server_strings.iter().map(|s| ip(s)).collect(),
        );
    }
    let cases = vectors.into_iter().map(|vector| {
        let List { servers, keysets } = &inputs.lists[&vector.list];
        let mut servers = servers.clone();
        for (server, ip) in servers
            .iter_mut()
            .zip(ips.get(&vector.list).into_iter().flatten())
        {
            server.ip = *ip;
        }
        let keys: Vec<_> = keysets
            .iter()
            .flat_map(|set| &inputs.keysets[set])
            .collect();
        assert_eq!(keys.len(), vector.index.len(), "{peer} {}", vector.list);
        let places = vector
            .index
            .chars()
            .map(|c| c.to_digit(36).unwrap() as usize);
        Case {
            keys: keys.into_iter().cloned().zip(places).collect(),
            scheme: vector.scheme,
            list: vector.list,
            servers,
            server_strings: vector.server_strings,
        }
    });
    Recorded {
        cases: cases.collect(),
        peer,
    }
}

/// The address in `name/address:port`; `None` where there is no name.
fn ip(printed: &str) -> Option<IpAddr> {
    let (name, address) = printed.split_once('/')?;
    let (ip, _) = address.rsplit_once(':')?;
    (!name.is_empty()).then(|| ip.parse().unwrap())
}
