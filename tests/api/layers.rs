//! Which module may use which: reads the `crate::` paths of the sources and holds them to `LAYERS`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A module's name, and what it may use besides itself and the leaves, which all may use.
type Layer = (&'static str, &'static [&'static str]);

const LEAVES: &[&str] = &[
    "error",
    "event",
    "key",
    "expiry",
    "item",
    "meta_options",
    "library",
    "address",
    "secret",
    "tls",
];

/// From the bottom up.
const LAYERS: &[Layer] = &[
    // Pure, no IO.
    ("hash", &[]),
    ("locator", &["hash"]),
    ("protocol", &[]),
    ("value", &[]),
    ("stats", &[]),
    // Sockets.
    ("conn", &["protocol"]),
    // What a program may put between itself and them.
    ("middleware", &["conn", "protocol"]),
    // From a key to its server.
    ("route", &["conn", "middleware", "locator"]),
    // What a peer's name stands for.
    ("compatibility", &["hash", "locator", "value"]),
    // The face.
    ("config", FACE),
    ("client", FACE),
    // On top. `testing` shares no code with the client, so that one mistake cannot hide in both.
    ("testing", &[]),
    ("cache", &["client", "value", "stats"]),
    ("store", &["client", "value", "stats", "cache"]),
    // Documentation only.
    ("guide", &[]),
    // The test of all that was recorded of the peers.
    ("recorded_vectors", &["locator", "value"]),
    // Opens everything to the fuzz targets, and exists for them alone.
    ("fuzzing", FACE),
];

const FACE: &[&str] = &[
    "hash",
    "locator",
    "protocol",
    "value",
    "stats",
    "conn",
    "middleware",
    "route",
    "compatibility",
    "config",
    "client",
];

#[test]
fn every_module_uses_only_what_is_below_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let sources = read(&src);
    assert!(sources.len() > 20, "only {} files in src", sources.len());
    let violations = violations(&sources);
    assert!(violations.is_empty(), "\n{}", violations.join("\n"));
}

#[test]
fn a_violation_is_found() {
    let rows: [(&str, &str, Option<&str>); 15] = [
        ("conn/pool.rs", "use crate::protocol::Request;", None),
        (
            "conn/pool.rs",
            "use std::io;\nuse crate::route::Topology;",
            Some(
                "src/conn/pool.rs:2: conn uses route; allowed are error, event, key, expiry, item, meta_options, \
                 library, address, secret, tls, protocol",
            ),
        ),
        (
            "error.rs",
            "fn f() -> crate::stats::Stats {}",
            Some(
                "src/error.rs:1: error uses stats; allowed are event, key, expiry, item, meta_options, library, address, secret, tls",
            ),
        ),
        (
            "value/mod.rs",
            "use crate::{\n    item::Item,\n    hash::{fnv, md5},\n};",
            Some("src/value/mod.rs:1: value uses hash"),
        ),
        (
            "hash/fnv.rs",
            "use super::super::locator::Ring;",
            Some("src/hash/fnv.rs:1: hash uses locator"),
        ),
        (
            "hash/fnv.rs",
            "use super::locator;\nuse crate::hash::locator;",
            None,
        ),
        (
            "stats.rs",
            "use crate::Client;",
            Some("src/stats.rs:1: stats uses client"),
        ),
        ("stats.rs", "use crate::Error;", None),
        (
            "stats.rs",
            "/// [`Client`](crate::Client)\n// crate::client",
            None,
        ),
        (
            "stats.rs",
            "#[cfg(test)]\nmod tests {\n    use crate::client;\n}",
            None,
        ),
        (
            "stats.rs",
            "#[cfg(test)]\nmod tests {\n}\nuse crate::client::Shared;",
            Some("src/stats.rs:4: stats uses client"),
        ),
        ("hash/known.rs", "use crate::client;", None),
        ("hash/more_tests.rs", "use crate::client;", None),
        ("hash/known/deep.rs", "use crate::client;", None),
        (
            "gadget.rs",
            "use crate::error::Error;",
            Some("src/gadget.rs: gadget is not in the table"),
        ),
    ];
    for (file, text, expected) in rows {
        let mut sources = BTreeMap::from([
            (
                PathBuf::from("lib.rs"),
                "pub use client::{Client, ClientBuilder};\npub use error::Error;".to_owned(),
            ),
            (
                PathBuf::from("hash/mod.rs"),
                "#[cfg(test)]\nmod known;\n#[cfg(test)]\n#[path = \"more_tests.rs\"]\nmod tests;"
                    .to_owned(),
            ),
        ]);
        sources.insert(PathBuf::from(file), text.to_owned());
        let found = violations(&sources);
        match expected {
            None => assert_eq!(found, Vec::<String>::new(), "{file}: {text}"),
            Some(expected) => {
                assert_eq!(found.len(), 1, "{file}: {text}: {found:?}");
                assert!(found[0].starts_with(expected), "{}", found[0]);
            }
        }
    }
}

/// All sources under `src`, by their paths in it.
fn read(src: &Path) -> BTreeMap<PathBuf, String> {
    let mut sources = BTreeMap::new();
    let mut folders = vec![src.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                sources.insert(path.strip_prefix(src).unwrap().to_owned(), text);
            }
        }
    }
    sources
}

/// What is used and may not be, a line each: where, what, and what is allowed.
fn violations(sources: &BTreeMap<PathBuf, String>) -> Vec<String> {
    let mut test_modules = Vec::new();
    let mut code = BTreeMap::new();
    for (path, text) in sources {
        let without_tests = without_tests(path, text, &mut test_modules);
        code.insert(path, without_tests);
    }
    let face = face(&code[&PathBuf::from("lib.rs")]);
    let is_test = |path: &Path| {
        let mut modules = test_modules.iter();
        modules.any(|module| path.with_extension("").starts_with(module))
    };

    let mut violations = Vec::new();
    for (path, code) in code {
        let module = module_path(path);
        let Some(from) = module.first() else { continue };
        if is_test(path) {
            continue;
        }
        let shown = format!("src/{}", path.display());
        let Some(allowed) = allowed(from) else {
            violations.push(format!(
                "{shown}: {from} is not in the table of {}",
                file!()
            ));
            continue;
        };
        for (line, used) in uses(&code, module.len()) {
            let to = face.get(&used).unwrap_or(&used);
            if to != from && !allowed.contains(&to.as_str()) {
                let allowed = allowed.join(", ");
                violations.push(format!(
                    "{shown}:{line}: {from} uses {to}; allowed are {allowed}"
                ));
            }
        }
    }
    violations
}

/// What a module at the top of the crate may use; `None` if the table does not know it.
fn allowed(module: &str) -> Option<Vec<&'static str>> {
    let leaves = LEAVES.iter().filter(|&&leaf| leaf != module);
    if LEAVES.contains(&module) {
        return Some(leaves.copied().collect());
    }
    let (_, below) = LAYERS.iter().find(|(name, _)| *name == module)?;
    let below = below.iter().filter(|&&name| name != module);
    Some(leaves.chain(below).copied().collect())
}

/// `["conn", "pool"]` of `conn/pool.rs`; empty for the crate's root.
fn module_path(path: &Path) -> Vec<String> {
    let names = path.with_extension("");
    let names = names.iter().map(|name| name.to_string_lossy().into_owned());
    names
        .filter(|name| name != "mod" && name != "lib")
        .collect()
}

/// The code without comments and without `#[cfg(test)]` modules, line by line. A test module in a
/// file of its own goes to `test_modules`. Trusts rustfmt: such a module ends with a `}` that is
/// indented as its `mod`.
fn without_tests(path: &Path, text: &str, test_modules: &mut Vec<PathBuf>) -> Vec<String> {
    let folder = match path.file_stem() {
        Some(name) if name == "mod" || name == "lib" => path.parent().unwrap().to_owned(),
        _ => path.with_extension(""),
    };
    let mut code = Vec::new();
    let mut after_cfg_test = false;
    let mut named_path = None;
    let mut ends_with: Option<String> = None;
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or_default();
        let trimmed = line.trim();
        code.push(String::new());
        if let Some(end) = &ends_with {
            if line == end {
                ends_with = None;
            }
        } else if trimmed == "#[cfg(test)]" {
            after_cfg_test = true;
        } else if after_cfg_test && trimmed.starts_with("#[") {
            let path = trimmed.strip_prefix("#[path = \"");
            named_path = path.and_then(|path| path.strip_suffix("\"]"));
        } else if after_cfg_test && trimmed.starts_with("mod ") {
            let indent = &line[..line.len() - line.trim_start().len()];
            match trimmed["mod ".len()..].strip_suffix(';') {
                Some(name) => test_modules.push(match named_path.take() {
                    Some(file) => path.with_file_name(file).with_extension(""),
                    None => folder.join(name),
                }),
                None if trimmed.ends_with('{') => ends_with = Some(format!("{indent}}}")),
                None => {}
            }
            after_cfg_test = false;
        } else {
            after_cfg_test = false;
            line.clone_into(code.last_mut().unwrap());
        }
    }
    code
}

/// The modules that the names at the crate's root come from: `pub use client::{Client, ..}`.
fn face(lib: &[String]) -> BTreeMap<String, String> {
    let lib = lib.join(" ");
    let mut face = BTreeMap::new();
    for statement in lib.split(';') {
        let path = statement.trim().strip_prefix("pub use ");
        let Some((module, names)) = path.and_then(|path| path.split_once("::")) else {
            continue;
        };
        for name in names.split(|c: char| !is_name(c)) {
            face.insert(name.to_owned(), module.to_owned());
        }
    }
    face
}

/// What the code uses of the crate's root, with the number of the line: the first names after
/// `crate::`, and after as many `super::` as lead there from a module so deep.
fn uses(code: &[String], depth: usize) -> Vec<(usize, String)> {
    let whole = code.join("\n");
    let to_root = "super::".repeat(depth);
    let mut uses = Vec::new();
    for (root, may_be_longer) in [("crate::", true), (to_root.as_str(), false)] {
        for (at, _) in whole.match_indices(root) {
            let (before, after) = (&whole[..at], &whole[at + root.len()..]);
            let is_start = !before.ends_with(|c| is_name(c) || c == ':');
            if !is_start || (!may_be_longer && after.starts_with("super::")) {
                continue;
            }
            let line = before.matches('\n').count() + 1;
            let names = first_names(after).into_iter().map(|name| (line, name));
            // A `super::` may also be said within an inline module, and then leads elsewhere.
            uses.extend(names.filter(|(_, name)| may_be_longer || allowed(name).is_some()));
        }
    }
    uses
}

/// `["a"]` of `a::b;`, `["a", "c"]` of `{a::b, c::{d, e}};`.
fn first_names(path: &str) -> Vec<String> {
    let name = |path: &str| -> String { path.chars().take_while(|&c| is_name(c)).collect() };
    let Some(group) = path.strip_prefix('{') else {
        return vec![name(path)];
    };
    let mut names = vec![String::new()];
    let mut nested = 0;
    for c in group.chars() {
        match c {
            '{' => nested += 1,
            '}' if nested == 0 => break,
            '}' => nested -= 1,
            ',' if nested == 0 => names.push(String::new()),
            _ => names.last_mut().unwrap().push(c),
        }
    }
    let names = names.iter().map(|path| name(path.trim_start()));
    names.filter(|name| !name.is_empty()).collect()
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
