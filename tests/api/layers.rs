//! Reads the paths in the sources: a module uses only what is below it, and the files of a folder use
//! each other in one direction.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
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
    "sync",
    "names",
    "percent",
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
    let violations = Crate::new(&sources).violations();
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
                 library, address, secret, tls, sync, names, percent, protocol",
            ),
        ),
        (
            "error.rs",
            "fn f() -> crate::stats::Stats {}",
            Some(
                "src/error.rs:1: error uses stats; allowed are event, key, expiry, item, meta_options, library, address, secret, tls, sync, names, percent",
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
        let top = file.split(['/', '.']).next().unwrap();
        let others = LEAVES.iter().chain(LAYERS.iter().map(|(name, _)| name));
        for other in others.filter(|&&other| other != top && other != "hash") {
            sources.insert(format!("{other}.rs").into(), String::new());
        }
        sources.insert(PathBuf::from(file), text.to_owned());
        let found = Crate::new(&sources).violations();
        match expected {
            None => assert_eq!(found, Vec::<String>::new(), "{file}: {text}"),
            Some(expected) => {
                assert_eq!(found.len(), 1, "{file}: {text}: {found:?}");
                assert!(found[0].starts_with(expected), "{}", found[0]);
            }
        }
    }
}

/// The files of a folder use each other in one direction: who reads one of them from the bottom up
/// needs none of the others first. A folder in it counts as one file here, and is looked at by itself.
/// What a `mod.rs` only re-exports is counted for the file that it comes from.
#[test]
fn no_files_of_a_folder_use_each_other_in_a_circle() {
    let crate_ = Crate::new(&read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")));
    let circles = crate_.circles();
    assert!(circles.is_empty(), "\n{}", circles.join("\n"));
}

#[test]
fn a_circle_is_found() {
    let circles = |sources: &[(&str, &str)]| {
        let sources = sources.iter();
        Crate::new(
            &sources
                .map(|&(file, text)| (file.into(), text.into()))
                .collect(),
        )
        .circles()
    };
    let (a, b) = ("pub(super) struct A;", "pub(super) struct B;");
    let straight = [
        ("lib.rs", "mod it;"),
        ("it/mod.rs", "mod a; mod b; pub use b::B;"),
        ("it/a.rs", a),
        ("it/b.rs", "use super::a::A; pub struct B;"),
    ];
    assert!(circles(&straight).is_empty());
    // Through an import, a path, a re-export, a name of the folder's own file, and between the tops.
    for (one, other) in [
        ("use super::{b::{B as C}, x::Y};", "use super::a::A;"),
        ("fn f() { crate::it::b::B; }", "use crate::it::a;"),
        ("use super::B;", "macro_rules! m { () => { super::a::A } }"),
    ] {
        let (one, other) = (format!("{a} {one}"), format!("{b} {other}"));
        let mut sources = straight;
        (sources[2].1, sources[3].1) = (&one, &other);
        assert_eq!(circles(&sources), ["src/it: a, b"], "{one} {other}");
    }
    let mut sources = straight;
    sources[1].1 = "mod a; mod b; pub use b::B; pub struct Own; fn f() { b::B; }";
    sources[3].1 = "use super::Own; pub struct B;";
    assert_eq!(circles(&sources), ["src/it: b, mod"]);
    sources[3].1 = "#[cfg(test)] mod tests { use super::super::Own; } pub struct B;";
    assert!(circles(&sources).is_empty());
    let tops = [
        ("lib.rs", "mod a; mod b; pub use b::B;"),
        ("a.rs", "use crate::B;"),
        (
            "b.rs",
            "//! crate::a\nfn f(_: crate::a::A) { \"crate::b\" }",
        ),
    ];
    assert_eq!(circles(&tops), ["src: a, b"]);
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

/// `["conn", "pool"]` of `conn/pool.rs`; empty for the crate's root.
type Module = Vec<String>;

/// The modules of the crate without those that are compiled for tests alone.
struct Crate(BTreeMap<Module, File>);

#[derive(Default)]
struct File {
    shown: String,
    /// The paths in the code from the crate's root on, with the number of the line.
    paths: Vec<(usize, Vec<String>)>,
    /// Where the names that are imported or re-exported come from.
    names: BTreeMap<String, Vec<String>>,
    /// The modules that are compiled for tests alone.
    tests: Vec<Module>,
}

impl Crate {
    fn new(sources: &BTreeMap<PathBuf, String>) -> Self {
        let mut files = BTreeMap::new();
        for (path, text) in sources {
            let names = path.with_extension("");
            let names = names.iter().map(|name| name.to_string_lossy().into_owned());
            let module: Module = names
                .filter(|name| name != "mod" && name != "lib")
                .collect();
            let mut file = File {
                shown: format!("src/{}", path.display()),
                ..File::default()
            };
            file.scan(&module, &text.parse::<TokenStream>().unwrap());
            files.insert(module, file);
        }
        let tests: Vec<Module> = files.values().flat_map(|file| file.tests.clone()).collect();
        files.retain(|module, _| !tests.iter().any(|test| module.starts_with(test)));
        Self(files)
    }

    /// The module that a path leads to, through what is re-exported on the way.
    fn resolve(&self, path: &[String]) -> Module {
        self.follow(path, 8)
    }

    fn follow(&self, path: &[String], steps: u8) -> Module {
        let mut module = Module::new();
        for (at, name) in path.iter().enumerate() {
            let child = [&module[..], std::slice::from_ref(name)].concat();
            if self.0.contains_key(&child) {
                module = child;
                continue;
            }
            let source = self.0.get(&module).and_then(|file| file.names.get(name));
            return match source {
                Some(source) if steps > 0 => {
                    self.follow(&[source, &path[at + 1..]].concat(), steps - 1)
                }
                _ => module,
            };
        }
        module
    }

    /// What is used and may not be, a line each: where, what, and what is allowed.
    fn violations(&self) -> Vec<String> {
        let mut violations = Vec::new();
        for (module, file) in &self.0 {
            let (Some(from), shown) = (module.first(), &file.shown) else {
                continue;
            };
            let Some(allowed) = allowed(from) else {
                let table = file!();
                violations.push(format!("{shown}: {from} is not in the table of {table}"));
                continue;
            };
            let uses = file.paths.iter();
            let uses =
                uses.filter_map(|(line, path)| Some((line, self.resolve(path).first()?.clone())));
            for (line, to) in uses.collect::<BTreeSet<_>>() {
                if to != *from && !allowed.contains(&&*to) {
                    let allowed = allowed.join(", ");
                    violations.push(format!(
                        "{shown}:{line}: {from} uses {to}; allowed are {allowed}"
                    ));
                }
            }
        }
        violations
    }

    /// The files of each folder that use each other in a circle.
    fn circles(&self) -> Vec<String> {
        let mut folders: BTreeMap<Module, BTreeSet<(String, String)>> = BTreeMap::new();
        for (module, file) in &self.0 {
            for (_, path) in &file.paths {
                let target = self.resolve(path);
                let both = module.iter().zip(&target);
                let depth = both.take_while(|(one, other)| one == other).count();
                let room = |module: &Module| module.get(depth).map_or("mod", |it| it).to_owned();
                let (from, to) = (room(module), room(&target));
                // The crate's root only re-exports.
                if from != to && !(depth == 0 && (from == "mod" || to == "mod")) {
                    let arrows = folders.entry(module[..depth].to_vec()).or_default();
                    arrows.insert((from, to));
                }
            }
        }
        let mut circles = Vec::new();
        for (folder, uses) in folders {
            let rooms: BTreeSet<&str> = uses.iter().map(|(from, _)| &**from).collect();
            let mut told = BTreeSet::new();
            for room in rooms {
                let circle: Vec<&str> = reached(&uses, room)
                    .into_iter()
                    .filter(|other| reached(&uses, other).contains(room))
                    .collect();
                if !circle.is_empty() && told.insert(circle.clone()) {
                    let folder = [&["src".to_owned()], &folder[..]].concat().join("/");
                    circles.push(format!("{folder}: {}", circle.join(", ")));
                }
            }
        }
        circles
    }
}

/// What a room uses, and what that uses, and so on.
fn reached<'a>(uses: &'a BTreeSet<(String, String)>, room: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next = vec![room];
    while let Some(room) = next.pop() {
        for (_, to) in uses.iter().filter(|(from, _)| from == room) {
            if reached.insert(&**to) {
                next.push(to);
            }
        }
    }
    reached
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

impl File {
    /// Collects the paths in `code`, which is in `module`.
    fn scan(&mut self, module: &[String], code: &TokenStream) {
        let tokens: Vec<TokenTree> = code.clone().into_iter().collect();
        let mut is_public = false;
        let mut at = 0;
        while at < tokens.len() {
            let start = at;
            at += 1;
            match &tokens[start] {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    let attributes = attributes(&tokens[start..]);
                    at = start + (2 * attributes.len()).max(1);
                    if attributes.iter().any(|it| it == "[cfg (test)]") {
                        at += self.skip_test(module, &attributes, &tokens[at..]);
                    }
                }
                TokenTree::Ident(word) if word == "pub" => is_public = true,
                TokenTree::Ident(word) if word == "use" => {
                    let end = position(&tokens[at..], ';');
                    self.import(module, &tokens[at..at + end], is_public);
                    at += end;
                }
                TokenTree::Ident(_) => {
                    let (path, length) = path_of(&tokens[start..]);
                    at = start + length;
                    if let (true, Some(path)) = (path.len() > 1, absolute(module, &path)) {
                        let line = tokens[start].span().start().line;
                        self.paths.push((line, path));
                    }
                    is_public = false;
                }
                // `pub(super)` is one, too.
                TokenTree::Group(group)
                    if group.delimiter() == Delimiter::Parenthesis && is_public => {}
                TokenTree::Group(group) => {
                    let inline = match &tokens[..start] {
                        [.., TokenTree::Ident(word), TokenTree::Ident(name)] if word == "mod" => {
                            [module, &[name.to_string()]].concat()
                        }
                        _ => module.to_vec(),
                    };
                    self.scan(&inline, &group.stream());
                }
                _ => {}
            }
        }
    }

    /// Passes over an item that is compiled for tests alone: how many tokens it has.
    fn skip_test(&mut self, module: &[String], attributes: &[String], item: &[TokenTree]) -> usize {
        let is_body = |it: &TokenTree| matches!(it, TokenTree::Group(it) if it.delimiter() == Delimiter::Brace);
        let body = item.iter().position(is_body).unwrap_or(item.len());
        let end = position(item, ';').min(body);
        let is_mod = |it: &TokenTree| matches!(it, TokenTree::Ident(it) if it == "mod");
        if let (true, Some(at)) = (end < body, item[..end].iter().position(is_mod)) {
            let path = attributes.iter().find_map(|attribute| {
                let file = attribute
                    .strip_prefix("[path = \"")?
                    .strip_suffix(".rs\"]")?;
                Some(file.to_owned())
            });
            self.tests
                .push(match (path, self.shown.ends_with("/mod.rs")) {
                    (Some(file), true) => [module, &[file]].concat(),
                    (Some(file), false) => [&module[..module.len() - 1], &[file]].concat(),
                    (None, _) => [module, &[item[at + 1].to_string()]].concat(),
                });
        }
        end + 1
    }

    /// Takes note of `use ..;`.
    fn import(&mut self, module: &[String], tree: &[TokenTree], is_public: bool) {
        let mut leaves = Vec::new();
        flatten(tree, &[], &mut leaves);
        for (name, path) in leaves {
            let Some(path) = absolute(module, &path) else {
                continue;
            };
            // A folder's own file has no need of what it only re-exports.
            if !(is_public && path.starts_with(module)) {
                let line = tree[0].span().start().line;
                self.paths.push((line, path.clone()));
            }
            self.names.insert(name, path);
        }
    }
}

/// The attributes that the tokens begin with.
fn attributes(tokens: &[TokenTree]) -> Vec<String> {
    let pairs = tokens.chunks(2);
    let attributes = pairs.map_while(|pair| match pair {
        [TokenTree::Punct(hash), TokenTree::Group(group)] if hash.as_char() == '#' => {
            Some(group.to_string())
        }
        _ => None,
    });
    attributes.collect()
}

/// Where the first `mark` is.
fn position(tokens: &[TokenTree], mark: char) -> usize {
    let is_mark = |it: &TokenTree| matches!(it, TokenTree::Punct(it) if it.as_char() == mark);
    tokens.iter().position(is_mark).unwrap_or(tokens.len())
}

/// `["a", "b"]` of `a::b::<T>`, and how many tokens that are.
fn path_of(tokens: &[TokenTree]) -> (Vec<String>, usize) {
    let mut path = Vec::new();
    let mut rest = tokens;
    while let [TokenTree::Ident(name), more @ ..] = rest {
        path.push(name.to_string());
        rest = more;
        let [TokenTree::Punct(one), TokenTree::Punct(other), more @ ..] = rest else {
            break;
        };
        let is_next_name = matches!(more.first(), Some(TokenTree::Ident(_)));
        if (one.as_char(), other.as_char()) != (':', ':') || !is_next_name {
            break;
        }
        rest = more;
    }
    (path, tokens.len() - rest.len())
}

/// The path from the crate's root on.
fn absolute(module: &[String], path: &[String]) -> Option<Vec<String>> {
    match &*path[0] {
        "crate" => Some(path[1..].to_vec()),
        "self" => Some([module, &path[1..]].concat()),
        "super" => {
            let (_, above) = module.split_last()?;
            match path.get(1) {
                Some(next) if next == "super" => absolute(above, &path[1..]),
                _ => Some([above, &path[1..]].concat()),
            }
        }
        // A module below, or what was imported; of other crates, nothing.
        _ => Some([module, path].concat()),
    }
}

/// The names that `use tree;` imports, and where from.
fn flatten(tree: &[TokenTree], before: &[String], leaves: &mut Vec<(String, Vec<String>)>) {
    let (path, length) = path_of(tree);
    let path = [before, &path].concat();
    let rest = &tree[length..];
    let group = rest.iter().find_map(|it| match it {
        TokenTree::Group(group) => Some(group.stream()),
        _ => None,
    });
    if let Some(group) = group {
        let tokens: Vec<TokenTree> = group.into_iter().collect();
        let mut tokens = &tokens[..];
        while !tokens.is_empty() {
            let end = position(tokens, ',');
            flatten(&tokens[..end], &path, leaves);
            tokens = tokens.get(end + 1..).unwrap_or_default();
        }
        return;
    }
    // `use<'a>` of a type that is hidden imports nothing.
    let Some((last, above)) = path.split_last() else {
        return;
    };
    let path = if last == "self" && !above.is_empty() {
        above.to_vec()
    } else {
        path.clone()
    };
    let name = match rest {
        [TokenTree::Ident(r#as), TokenTree::Ident(name)] if r#as == "as" => name.to_string(),
        [] => path[path.len() - 1].clone(),
        _ => "*".to_owned(),
    };
    leaves.push((name, path));
}
