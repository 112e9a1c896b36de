//! Both find a key on the same server: 500 keys each way, with every placement that the peer has.

use super::keys::keys;
use super::peer::{self, TOOLS};
use super::report::{self, Outcome};
use super::servers::{List, NAMED, PROTOCOLS, SEVEN, Servers, THREE, TWO, UNIX, WEIGHTED};
use moecache::{Client, KeyBytes, PrefixPlacement, Protocol, Scheme};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// By key: values, or the servers that have it.
type Texts = BTreeMap<String, String>;

/// Of those rows that have one.
const PREFIX: &str = "app:";

struct Row {
    peer: &'static str,
    /// How the peer is set up, as driver.py and `Tools` have it.
    settings: Value,
    /// What `compatible_with` is given here.
    scheme: String,
    servers: List,
    /// What every key begins with.
    prefix: &'static str,
    /// Whether that counts, in place of what the peer's name says.
    prefix_placement: Option<PrefixPlacement>,
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |peer, settings: Value, scheme: &str, lists: &[List]| {
        rows.extend(lists.iter().map(|&servers| Row {
            peer,
            settings: settings.clone(),
            scheme: scheme.to_owned(),
            servers,
            prefix: "",
            prefix_placement: None,
        }));
    };

    // It knows no unix sockets, and no weights.
    let lists = [TWO, THREE, SEVEN, NAMED];
    add("moecache", json!({}), "moecache:default", &lists);

    let pylibmc = "pylibmc";
    let mut behaviors = |behaviors: Value, scheme: &str, lists: &[List]| {
        add(pylibmc, json!({ "behaviors": behaviors }), scheme, lists);
    };
    behaviors(json!({}), "pylibmc", &[TWO, SEVEN, NAMED, WEIGHTED, UNIX]);
    // libmemcached has murmur3 and hsieh too: the first has no name in pylibmc, the second is not built.
    let hashes = "default md5 crc fnv1_64 fnv1a_64 fnv1_32 fnv1a_32 murmur jenkins";
    for hash in hashes.split(' ') {
        let modula = json!({ "hash": hash });
        behaviors(modula, &format!("pylibmc:modula/{hash}"), &[THREE]);
        let consistent = json!({"distribution": "consistent", "hash": hash});
        let scheme = format!("pylibmc:consistent/{hash}");
        behaviors(consistent, &scheme, &[THREE]);
    }
    let sorted = json!({"_sort_hosts": 1});
    behaviors(sorted, "pylibmc:modula_sort_hosts", &[SEVEN]);
    let ketama = json!({"ketama": true});
    let lists = [TWO, SEVEN, NAMED, WEIGHTED, UNIX];
    behaviors(ketama, "pylibmc:consistent", &lists);
    // ketama_hash has no effect.
    let ketama = json!({"distribution": "consistent ketama", "ketama_hash": "fnv1a_32"});
    behaviors(ketama, "pylibmc:consistent", &[THREE, WEIGHTED]);
    // Both have ketama_weighted's points. It makes the hash of the keys md5, and whatever the order in
    // the dictionary, pylibmc sets it after the hash; the distribution leaves the hash alone.
    let weighted = json!({"ketama_weighted": true});
    behaviors(weighted, "pylibmc:ketama_weighted", &lists);
    let weighted = json!({"ketama_weighted": true, "hash": "fnv1a_32"});
    behaviors(weighted, "pylibmc:ketama_weighted/md5", &[WEIGHTED]);
    let weighted = json!({"distribution": "consistent weighted", "hash": "fnv1a_32"});
    let scheme = "pylibmc:ketama_weighted/fnv1a_32";
    behaviors(weighted, scheme, &[THREE, WEIGHTED]);
    let spy = json!({"distribution": "consistent ketama spy"});
    let lists = [THREE, WEIGHTED];
    behaviors(spy, "pylibmc:ketama_spy_unweighted", &lists);
    let spy = json!({"distribution": "consistent ketama spy", "ketama_weighted": true});
    behaviors(spy, "pylibmc:ketama_spy", &lists);

    add(pylibmc, json!({"binary": true}), "pylibmc", &[THREE]);
    let binary = json!({"binary": true, "behaviors": {"ketama_weighted": true}});
    add(pylibmc, binary, "pylibmc:ketama_weighted", &[WEIGHTED]);
    // What is set once the servers are there.
    let then = json!({"behaviors": {"ketama_weighted": true}, "then": {"hash": "crc"}});
    add(pylibmc, then, "pylibmc:ketama_weighted/crc", &[WEIGHTED]);

    let python = "python-memcached";
    let lists = [TWO, SEVEN, NAMED, WEIGHTED, UNIX];
    add(python, json!({}), python, &lists);
    let old = "python-memcached:crc32_old_useOldServerHashFunction";
    add(python, json!({"old_hash": true}), old, &[THREE, WEIGHTED]);

    // Without a serde it stores and reads text, too.
    let lists = [TWO, THREE, SEVEN, NAMED, UNIX];
    let pymemcache = "pymemcache";
    add(pymemcache, json!({}), pymemcache, &lists);

    // The distribution is always modula. The default hash has no name that --hash would take.
    let lists = [TWO, SEVEN, NAMED, UNIX];
    add(TOOLS, json!({}), "libmemcached", &lists);
    add(TOOLS, json!({"binary": true}), "libmemcached", &[THREE]);
    let hashes = "md5 crc fnv1_64 fnv1a_64 fnv1_32 fnv1a_32 murmur murmur3 jenkins";
    for hash in hashes.split(' ') {
        let scheme = format!("libmemcached:modula/{hash}");
        add(TOOLS, json!({ "hash": hash }), &scheme, &[THREE]);
    }

    let mut prefixed = |peer, settings, scheme: &str, prefix_placement| {
        rows.push(Row {
            peer,
            settings,
            scheme: scheme.to_owned(),
            servers: SEVEN,
            prefix: PREFIX,
            prefix_placement,
        });
    };
    let namespace = json!({"behaviors": {"namespace": PREFIX}});
    prefixed(pylibmc, namespace, "pylibmc", None);
    let namespace = json!({"behaviors": {"namespace": PREFIX, "_hash_with_prefix_key": 1}});
    prefixed(pylibmc, namespace, "pylibmc", Some(PrefixPlacement::Hashed));
    let namespace = json!({"behaviors": {"namespace": PREFIX, "ketama_weighted": true}});
    prefixed(pylibmc, namespace, "pylibmc:ketama_weighted", None);
    prefixed(python, json!({"key_prefix": PREFIX}), python, None);
    prefixed(pymemcache, json!({"key_prefix": PREFIX}), pymemcache, None);

    peer::leave_out_missing(&mut rows, |row| row.peer);
    rows
}

pub fn agree() {
    report::run(&["peer", "settings", "placement", "servers"], &rows());
}

impl report::Row for Row {
    fn name(&self) -> Vec<String> {
        vec![
            self.peer.to_owned(),
            self.settings.to_string(),
            self.scheme.clone(),
            self.servers.to_string(),
        ]
    }

    fn check(&self) -> Outcome {
        let servers = Servers::start(&self.servers);
        let addresses = servers.addresses();
        let mut peer = peer::start(self.peer, &self.settings, &addresses);
        let keys = self.keys();
        let sent = |key: &String| format!("{}{key}", self.prefix);
        let all_sent: Vec<String> = keys.iter().map(sent).collect();
        let mut differences = Vec::new();
        for protocol in PROTOCOLS {
            let client = self.client(&servers, protocol);
            // ASCII, which all of them store.
            let texts = |by: &str| -> Texts {
                let text = |number| format!("number {number} of {by}, {protocol}");
                let keys = keys.iter().enumerate();
                keys.map(|(number, key)| (key.clone(), text(number)))
                    .collect()
            };
            let named = |key: &String| (sent(key), client.server_for(key).unwrap());
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
            compare("stored there on", &named, &servers.having(&all_sent));
            servers.flush();

            let ours = texts("ours");
            client.set_many(&ours, 60).all().unwrap();
            compare("read there", &ours, &peer.load(&keys));
            compare("stored here on", &named, &servers.having(&all_sent));
            servers.flush();
        }
        let tried = [PROTOCOLS.len() * keys.len(); 2];
        Outcome { tried, differences }
    }
}

impl Row {
    fn keys(&self) -> Vec<String> {
        let longest = u8::try_from(250 - self.prefix.len()).unwrap();
        let ascii = self.peer == "moecache";
        let bytes = if ascii {
            KeyBytes::Printable
        } else {
            KeyBytes::NonAscii
        };
        keys(longest, bytes)
    }

    fn client(&self, servers: &Servers, protocol: Protocol) -> Client {
        let scheme: Scheme = self.scheme.parse().unwrap();
        let client = servers.client().compatible_with(scheme).prefix(self.prefix);
        let client = match self.prefix_placement {
            Some(placement) => client.prefix_placement(placement),
            None => client,
        };
        client.protocol(protocol).build().unwrap()
    }
}
