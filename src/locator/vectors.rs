//! Every recorded placement of every peer.

#[path = "../../tests/vectors/placement/mod.rs"]
mod placement;

use super::{Distribution, Node, Scheme};
use crate::address::Server;
use placement::{Case, Typed, all};

/// How much of a peer's scheme was checked.
struct Checked {
    peer: String,
    scheme: String,
    placements: usize,
    differences: usize,
}

/// All that were recorded, `tests/vectors/placement`, as a table: `cargo test --all-features --lib
/// every_recorded_placement -- --nocapture`.
#[test]
fn every_recorded_placement() {
    let checked = check();
    println!(
        "{:19} {:50} {:>10} differences",
        "library", "scheme", "placements"
    );
    let row = |library: &str, scheme: &str, placements: usize, differences: usize| {
        println!("{library:19} {scheme:50} {placements:>10} {differences:>11}");
    };
    for it in &checked {
        row(&it.peer, &it.scheme, it.placements, it.differences);
    }
    let placements = checked.iter().map(|it| it.placements).sum();
    let differences = checked.iter().map(|it| it.differences).sum();
    row("all", "", placements, differences);
    assert_eq!(differences, 0);
    if cfg!(all(feature = "sha1", feature = "tiger")) {
        assert_eq!(placements, 1_138_466);
    }
}

/// Checks every recorded placement of the schemes whose features are there.
fn check() -> Vec<Checked> {
    let mut checked = Vec::new();
    for recorded in all() {
        let peer = &recorded.peer;
        let mut schemes: Vec<&str> = recorded.cases.iter().map(|case| &*case.scheme).collect();
        schemes.sort_unstable();
        schemes.dedup();
        for name in schemes {
            let scheme: Scheme = format!("{peer}:{name}").parse().unwrap();
            assert_eq!(scheme.to_string(), format!("{peer}:{name}"));
            if !is_built(scheme) {
                continue;
            }
            let cases = || recorded.cases.iter().filter(|case| case.scheme == name);
            checked.push(Checked {
                peer: peer.clone(),
                scheme: name.to_owned(),
                placements: cases().map(|case| case.keys.len()).sum(),
                differences: cases().map(|case| differing(scheme, case)).sum(),
            });
        }
    }
    checked
}

/// How many keys of the case are placed otherwise; prints the first of them.
fn differing(scheme: Scheme, case: &Case) -> usize {
    let nodes: Vec<Node> = case.servers.iter().map(node).collect();
    check_texts(scheme.distribution(), case, &nodes);
    let locator = scheme.build(&nodes).unwrap();
    let mut differences = 0;
    for (key, expected) in &case.keys {
        let trace = locator.explain(key.as_bytes());
        let located = locator.locate(key.as_bytes());
        assert_eq!(located, trace.server, "{scheme} {} {key}", case.list);
        assert!(!trace.rule.is_empty());
        if located != *expected {
            if differences == 0 {
                println!(
                    "{scheme} {} {key}: {expected} was recorded, {trace:?}",
                    case.list
                );
            }
            differences += 1;
        }
    }
    differences
}

fn node(typed: &Typed) -> Node {
    let server = Server::from((typed.host.as_str(), typed.port, typed.weight));
    let mut node = Node::new(&server).unwrap();
    node.ip = node.ip.or(typed.ip);
    node
}

/// The texts that are hashed, where the peer printed them. Those that spread keys by a hash alone
/// print an address that is not hashed.
fn check_texts(distribution: Distribution, case: &Case, nodes: &[Node]) {
    let is_hashed = !matches!(
        distribution,
        Distribution::Gomemcache | Distribution::SpymemcachedArrayMod
    );
    if !is_hashed || case.server_strings.is_empty() {
        return;
    }
    let texts: Vec<_> = nodes
        .iter()
        .map(|node| distribution.ring_text(node).unwrap())
        .collect();
    // spymemcached's is that of the first point.
    let printed = case.server_strings.iter();
    let printed: Vec<_> = printed
        .map(|text| text.strip_suffix("-0").unwrap_or(text))
        .collect();
    assert_eq!(texts, printed, "{distribution} {}", case.list);
}

/// Whether the crate has what the scheme needs.
fn is_built(scheme: Scheme) -> bool {
    let node = [Node::new(&"10.0.0.1".into()).unwrap()];
    match scheme.build(&node) {
        Ok(_) => true,
        Err(error) => {
            assert!(error.to_string().contains("feature"), "{error}");
            false
        }
    }
}
