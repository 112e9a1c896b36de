//! Both find a key on the same server: 500 keys each way, with every placement that the peer has.

use crate::keys::keys;
use crate::peer::{self, TOOLS};
use crate::report::{self, Outcome};
use crate::servers::{PROTOCOLS, Servers};
use crate::tools::Tools;
use moecache::Scheme;
use serde_json::{Value, json};
use std::collections::BTreeMap;

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

    if let Some(why) = Tools::missing() {
        println!("libmemcached's tools are left out: {why}");
        rows.retain(|row| row.peer != TOOLS);
    }
    rows
}

pub fn agree() {
    report::run(
        &["peer", "settings", "placement", "servers"],
        &rows(),
        check,
    );
}

fn check(row: &Row) -> Outcome {
    let servers = Servers::start(row.weights);
    let addresses = servers.addresses();
    let scheme: Scheme = row.scheme.parse().unwrap();
    let keys = keys();
    let mut peer = peer::start(row.peer, &row.settings, &addresses);
    let mut differences = Vec::new();
    for protocol in PROTOCOLS {
        let client = servers.client().compatible_with(scheme).protocol(protocol);
        let client = client.build().unwrap();
        let texts = |by: &str| -> BTreeMap<String, String> {
            let text = |key: &String| (key.clone(), format!("{key} of {by}, {protocol}"));
            keys.iter().map(text).collect()
        };
        let mut compare = |what: &str, texts: &BTreeMap<String, String>, found: &BTreeMap<_, _>| {
            for (key, text) in texts {
                if found.get(key) != Some(text) {
                    let (found, server) = (found.get(key), client.server_for(key).unwrap());
                    differences.push(format!(
                        "{protocol}, {}: {key} of {server}, {what}: {found:?}, not {text:?}",
                        addresses.join(" ")
                    ));
                }
            }
        };
        // On the server that is named here, and on no other.
        let places = |text: &BTreeMap<String, String>| -> BTreeMap<String, String> {
            let named = |key: &String| (key.clone(), client.server_for(key).unwrap().to_owned());
            text.keys().map(named).collect()
        };
        let found_on = || -> BTreeMap<String, String> {
            let mut found = BTreeMap::<String, String>::new();
            for (server, items) in servers.contents(&keys) {
                for key in items.into_keys() {
                    let on = found.entry(key).or_default();
                    let comma = if on.is_empty() { "" } else { " and " };
                    *on += &format!("{comma}{server}");
                }
            }
            found
        };

        let theirs = texts(row.peer);
        peer.store(&theirs);
        let found = client.get_many::<String, _>(&keys).all().unwrap();
        let found = found
            .into_iter()
            .map(|(key, text)| (key.clone(), text))
            .collect();
        compare("read here", &theirs, &found);
        compare("stored there", &places(&theirs), &found_on());

        servers.flush();
        let ours = texts("ours");
        client.set_many(&ours, 60).all().unwrap();
        compare("read there", &ours, &peer.load(&keys));
        compare("stored here", &places(&ours), &found_on());
        servers.flush();
    }
    Outcome {
        name: vec![
            row.peer.to_owned(),
            row.settings.to_string(),
            scheme.to_string(),
            format!("{:?}", row.weights),
        ],
        tried: [PROTOCOLS.len() * keys.len(); 2],
        differences,
    }
}
