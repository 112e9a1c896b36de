//! Both find a key on the same server: 500 keys each way, with every placement that the peer has.

use crate::keys::keys;
use crate::peer::{self, TOOLS};
use crate::report::{self, Outcome};
use crate::servers::{PROTOCOLS, Servers};
use moecache::Scheme;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// By key: values, or the servers that have it.
type Texts = BTreeMap<String, String>;

/// The weights of the servers, which also say how many there are.
type Weights = &'static [u32];

const TWO: Weights = &[1; 2];
const THREE: Weights = &[1; 3];
const SEVEN: Weights = &[1; 7];
const WEIGHTED: Weights = &[1, 5, 2];

struct Row {
    peer: &'static str,
    /// How the peer is set up, as driver.py and `Tools` have it.
    settings: Value,
    /// What `compatible_with` is given here.
    scheme: &'static str,
    weights: Weights,
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |peer, settings: Value, scheme, servers: &[Weights]| {
        rows.extend(servers.iter().map(|&weights| Row {
            peer,
            settings: settings.clone(),
            scheme,
            weights,
        }));
    };

    add(
        "moecache",
        json!({}),
        "moecache:default",
        &[TWO, THREE, SEVEN],
    );

    let mut pylibmc = |behaviors: Value, scheme, servers: &[Weights]| {
        add(
            "pylibmc",
            json!({ "behaviors": behaviors }),
            scheme,
            servers,
        );
    };
    pylibmc(json!({}), "pylibmc", &[TWO, SEVEN, WEIGHTED]);
    pylibmc(json!({"hash": "md5"}), "pylibmc:modula/md5", &[THREE]);
    pylibmc(json!({"hash": "crc"}), "pylibmc:modula/crc", &[THREE]);
    pylibmc(
        json!({"hash": "fnv1_64"}),
        "pylibmc:modula/fnv1_64",
        &[THREE],
    );
    pylibmc(
        json!({"hash": "fnv1a_64"}),
        "pylibmc:modula/fnv1a_64",
        &[THREE],
    );
    pylibmc(
        json!({"hash": "fnv1_32"}),
        "pylibmc:modula/fnv1_32",
        &[THREE],
    );
    pylibmc(
        json!({"hash": "fnv1a_32"}),
        "pylibmc:modula/fnv1a_32",
        &[THREE],
    );
    pylibmc(json!({"hash": "murmur"}), "pylibmc:modula/murmur", &[THREE]);
    pylibmc(
        json!({"hash": "jenkins"}),
        "pylibmc:modula/jenkins",
        &[THREE],
    );
    pylibmc(
        json!({"_sort_hosts": 1}),
        "pylibmc:modula_sort_hosts",
        &[SEVEN],
    );
    let consistent = json!({"distribution": "consistent"});
    pylibmc(consistent, "pylibmc:consistent", &[TWO, SEVEN]);
    pylibmc(json!({"ketama": true}), "pylibmc:consistent", &[THREE]);
    let ketama = json!({"ketama": true, "hash": "md5"});
    pylibmc(ketama, "pylibmc:consistent/md5", &[THREE, WEIGHTED]);
    let ketama = json!({"ketama": true, "hash": "fnv1a_32"});
    pylibmc(ketama, "pylibmc:consistent/fnv1a_32", &[THREE]);
    let weighted = json!({"ketama_weighted": true});
    pylibmc(weighted, "pylibmc:ketama_weighted", &[TWO, THREE, WEIGHTED]);
    let spy = json!({"distribution": "consistent ketama spy"});
    pylibmc(spy, "pylibmc:ketama_spy_unweighted", &[THREE]);

    add("pylibmc", json!({"binary": true}), "pylibmc", &[THREE]);
    let binary = json!({"binary": true, "behaviors": {"ketama_weighted": true}});
    add("pylibmc", binary, "pylibmc:ketama_weighted", &[WEIGHTED]);
    // ketama_weighted makes the hash md5, and of pylibmc's behaviors comes after the hash: so another
    // has to be set once the client is there.
    let then = json!({"behaviors": {"ketama_weighted": true}, "then": {"hash": "fnv1a_32"}});
    add(
        "pylibmc",
        then,
        "pylibmc:ketama_weighted/fnv1a_32",
        &[WEIGHTED],
    );

    let python = "python-memcached";
    add(python, json!({}), python, &[TWO, SEVEN, WEIGHTED]);
    let old = "python-memcached:crc32_old_useOldServerHashFunction";
    add(python, json!({"old_hash": true}), old, &[THREE, WEIGHTED]);

    // Without a serde it stores and reads text, too.
    add("pymemcache", json!({}), "pymemcache", &[TWO, THREE, SEVEN]);

    // The distribution is always modula. The default hash has no name that --hash would take.
    add(TOOLS, json!({}), "libmemcached", &[TWO, SEVEN]);
    add(TOOLS, json!({"binary": true}), "libmemcached", &[THREE]);
    let mut hash = |hash, scheme| add(TOOLS, json!({ "hash": hash }), scheme, &[THREE]);
    hash("md5", "libmemcached:modula/md5");
    hash("crc", "libmemcached:modula/crc");
    hash("fnv1_64", "libmemcached:modula/fnv1_64");
    hash("fnv1a_64", "libmemcached:modula/fnv1a_64");
    hash("fnv1_32", "libmemcached:modula/fnv1_32");
    hash("fnv1a_32", "libmemcached:modula/fnv1a_32");
    hash("murmur", "libmemcached:modula/murmur");
    hash("murmur3", "libmemcached:modula/murmur3");
    hash("jenkins", "libmemcached:modula/jenkins");

    rows.retain(|row| peer::is_there(row.peer));
    rows
}

pub fn agree() {
    report::run(&["peer", "settings", "placement", "weights"], &rows());
}

impl report::Row for Row {
    fn name(&self) -> Vec<String> {
        let weights: Vec<String> = self.weights.iter().map(ToString::to_string).collect();
        vec![
            self.peer.to_owned(),
            self.settings.to_string(),
            self.scheme.to_owned(),
            weights.join(" "),
        ]
    }

    fn check(&self) -> Outcome {
        let servers = Servers::start(self.weights);
        let addresses = servers.addresses();
        let mut peer = peer::start(self.peer, &self.settings, &addresses);
        let keys = keys();
        let mut differences = Vec::new();
        for protocol in PROTOCOLS {
            let scheme: Scheme = self.scheme.parse().unwrap();
            let client = servers.client().compatible_with(scheme).protocol(protocol);
            let client = client.build().unwrap();
            let texts = |by: &str| {
                let text = |key: &String| (key.clone(), format!("of {by}, {protocol}: {key}"));
                keys.iter().map(text).collect::<Texts>()
            };
            let named = |key: &String| (key.clone(), client.server_for(key).unwrap().to_owned());
            let named: Texts = keys.iter().map(named).collect();
            let mut compare = |what: &str, expected: &Texts, found: &Texts| {
                let addresses = addresses.join(",");
                for (key, expected) in expected {
                    let found = found.get(key);
                    if found != Some(expected) {
                        differences.push(format!(
                            "{addresses}, {protocol}, {key}, {what}: {found:?}, not {expected:?}"
                        ));
                    }
                }
            };

            let theirs = texts(self.peer);
            peer.store(&theirs);
            let found = client.get_many::<String, _>(keys.clone()).all().unwrap();
            compare("read here", &theirs, &found.into_iter().collect());
            compare("stored there on", &named, &servers.having(&keys));
            servers.flush();

            let ours = texts("ours");
            client.set_many(&ours, 60).all().unwrap();
            compare("read there", &ours, &peer.load(&keys));
            compare("stored here on", &named, &servers.having(&keys));
            servers.flush();
        }
        let tried = [PROTOCOLS.len() * keys.len(); 2];
        Outcome { tried, differences }
    }
}
