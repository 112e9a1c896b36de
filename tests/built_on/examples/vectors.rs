//! Recorded placements of the peers, every scheme of them, by way of `mc`.

#[path = "../../vectors/placement/mod.rs"]
#[expect(
    dead_code,
    reason = "what the peers print is of interest to the rings' own tests"
)]
mod placement;

use super::{mc, text};
use placement::{Case, Typed, all};
use std::cmp::Reverse;

/// A scheme by its name, and what was recorded of it on one list of servers.
struct Sample {
    scheme: String,
    case: Case,
}

/// Of each scheme every ninth list, beginning with another one each time.
fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    for recorded in all() {
        let mut cases = recorded.cases;
        cases.sort_by(|one, other| one.scheme.cmp(&other.scheme));
        let mut schemes = 0;
        while let Some(first) = cases.first() {
            let name = first.scheme.clone();
            let its = cases.iter().take_while(|case| case.scheme == name).count();
            let scheme = format!("{}:{name}", recorded.peer);
            let its = cases.drain(..its).skip(schemes % 9 % its).step_by(9);
            if is_built(&scheme) {
                samples.extend(its.map(|case| Sample {
                    scheme: scheme.clone(),
                    case,
                }));
            }
            schemes += 1;
        }
    }
    samples
}

/// Some hashes are of features.
fn is_built(scheme: &str) -> bool {
    let needs_sha1 = ["dalli:ring", "enyim:ketama/sha1"].contains(&scheme);
    let needs_tiger = scheme == "enyim:ketama/tiger";
    (cfg!(feature = "sha1") || !needs_sha1) && (cfg!(feature = "tiger") || !needs_tiger)
}

impl Sample {
    /// The options that set `mc` up.
    fn options(&self) -> Vec<String> {
        let servers = &self.case.servers;
        let typed: Vec<String> = servers.iter().map(typed).collect();
        let mut options = vec![
            format!("--compatible-with={}", self.scheme),
            format!("--servers={}", typed.join(",")),
        ];
        let names: Option<Vec<String>> = servers.iter().map(|it| self.ring_name(it)).collect();
        let names = names.map(|names| format!("--ring-names={}", names.join(",")));
        options.extend(names);
        options
    }

    /// spymemcached hashes a host name together with the address that it found.
    fn ring_name(&self, server: &Typed) -> Option<String> {
        let Typed { host, port, ip, .. } = server;
        let ip = ip.filter(|_| self.scheme.starts_with("spymemcached:ketama_spy_format"))?;
        Some(format!("{host}/{ip}:{port}"))
    }

    /// The long form, on one line.
    fn to_json(&self) -> String {
        let (peer, scheme) = self.scheme.split_once(':').unwrap();
        let servers = self.case.servers.iter().map(|server| {
            let Typed {
                host, port, weight, ..
            } = server;
            let mut json = serde_json::json!({"host": host, "port": port, "weight": weight});
            if let Some(name) = self.ring_name(server) {
                json["ring_name"] = name.into();
            }
            json
        });
        let json = serde_json::json!({
            "peer": peer,
            "version": "1",
            "scheme": scheme,
            "servers": servers.collect::<Vec<_>>(),
            "keys": self.case.keys,
        });
        json.to_string()
    }
}

fn typed(server: &Typed) -> String {
    let Typed {
        host, port, weight, ..
    } = server;
    if host.contains(':') {
        format!("[{host}]:{port}:{weight}")
    } else {
        format!("{host}:{port}:{weight}")
    }
}

#[test]
fn where_keys_are() {
    for sample in samples() {
        let options = sample.options();
        let arguments = options.iter().map(String::as_str).chain(["where"]);
        let arguments: Vec<&str> = arguments.collect();
        let keys: Vec<&str> = sample.case.keys.iter().map(|(key, _)| &**key).collect();
        let answer = mc("nobody:1", &arguments, keys.join("\n").as_bytes());
        assert_eq!(text(&answer.stderr), "", "{options:?}");
        let placed = text(&answer.stdout).lines().map(|line| {
            let mut fields = line.split('\t');
            let key = fields.next().unwrap().to_owned();
            (key, fields.next().unwrap().parse().unwrap())
        });
        let placed: Vec<(String, usize)> = placed.collect();
        assert_eq!(placed.len(), keys.len(), "{options:?}");
        for (placed, recorded) in placed.iter().zip(&sample.case.keys) {
            assert_eq!(placed, recorded, "{options:?}");
        }
    }
}

#[test]
fn all_verify() {
    let samples = samples();
    let count: usize = samples.iter().map(|sample| sample.case.keys.len()).sum();
    let lines: Vec<String> = samples.iter().map(Sample::to_json).collect();
    let verify = ["ring", "verify", "-"];
    let answer = mc("nobody:1", &verify, lines.join("\n").as_bytes());
    assert_eq!(text(&answer.stderr), "");
    let expected = format!("{count} placements checked: all the same\n");
    assert_eq!(text(&answer.stdout), expected);
}

/// The longest list of a scheme of each distribution tells it.
#[test]
fn all_are_identified() {
    let mut samples = samples();
    let distribution = |sample: &Sample| sample.scheme.split('/').next().unwrap().to_owned();
    samples.sort_by_key(|it| (distribution(it), Reverse(it.case.servers.len())));
    samples.dedup_by_key(|it| distribution(it));
    assert!(samples.len() > 10);
    for sample in samples {
        let input = sample.to_json();
        let answer = mc("nobody:1", &["ring", "identify", "-"], input.as_bytes());
        let (found, error) = (text(&answer.stdout), text(&answer.stderr));
        let is_found = found.lines().any(|line| line == sample.scheme);
        assert!(is_found, "{}: {found}{error}", sample.scheme);
    }
}
