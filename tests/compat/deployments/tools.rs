//! libmemcached's command-line tools. Values are files, and keys their names.

use super::peer::Peer;
use super::shared::Values;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU64, Ordering};

/// memcp, memcat and the others, with the servers and settings that they are called with.
#[derive(Debug)]
pub struct Tools {
    /// What their names begin with.
    prefix: &'static str,
    options: Vec<String>,
    files: Directory,
}

impl Tools {
    /// Why there are none, if `tests/run` says that there can be none.
    pub fn missing() -> Option<String> {
        std::env::var("MOECACHE_WITHOUT_LIBMEMCACHED_TOOLS").ok()
    }

    /// The settings: `{"hash": "md5", "binary": true}`, each of which may be left out.
    pub fn new(settings: &Value, servers: &[String]) -> Self {
        let mut options = vec!["--servers".to_owned(), servers.join(",")];
        if let Some(hash) = settings["hash"].as_str() {
            options.extend(["--hash".to_owned(), hash.to_owned()]);
        }
        if settings["binary"] == true {
            options.push("--binary".to_owned());
        }
        Self {
            prefix: prefix(),
            options,
            files: Directory::new(),
        }
    }

    /// Runs one of them in the directory of the files: `cp`, say.
    pub fn run<A: AsRef<OsStr>>(
        &self,
        tool: &str,
        arguments: impl IntoIterator<Item = A>,
    ) -> Output {
        let mut command = Command::new(format!("{}{tool}", self.prefix));
        command.args(&self.options).args(arguments);
        command.current_dir(&self.files.0).output().unwrap()
    }

    /// Stores bytes.
    pub fn store_bytes<K: AsRef<str>>(&self, values: impl IntoIterator<Item = (K, Vec<u8>)>) {
        let files: Vec<String> = values
            .into_iter()
            .map(|(key, value)| {
                let key = key.as_ref();
                fs::write(self.files.0.join(key), value).unwrap();
                // Not an option, whatever it begins with. Its last part is the key.
                format!("./{key}")
            })
            .collect();
        let copied = self.run("cp", &files);
        assert!(copied.status.success(), "{copied:?}");
    }

    /// The value of one key, whatever it contains.
    pub fn load_bytes(&self, key: &str) -> Option<Vec<u8>> {
        const FILE: &str = "found";
        let found = self.run("cat", [&format!("--file={FILE}"), "--", key]);
        let value = fs::read(self.files.0.join(FILE)).unwrap();
        found.status.success().then_some(value)
    }
}

impl Peer for Tools {
    fn store(&mut self, texts: &BTreeMap<String, String>) {
        self.store_bytes(
            texts
                .iter()
                .map(|(key, text)| (key, text.clone().into_bytes())),
        );
    }

    fn load(&mut self, keys: &[String]) -> BTreeMap<String, String> {
        // Each value and a newline; nothing for a key that is not there, and it ends with 1.
        let found = self.run(
            "cat",
            ["--"].into_iter().chain(keys.iter().map(String::as_str)),
        );
        let texts = String::from_utf8(found.stdout).unwrap();
        if found.status.success() {
            return keys
                .iter()
                .cloned()
                .zip(texts.lines().map(str::to_owned))
                .collect();
        }
        keys.iter()
            .filter_map(|key| {
                let value = String::from_utf8(self.load_bytes(key)?).unwrap();
                Some((key.clone(), value))
            })
            .collect()
    }

    fn store_values(&mut self, values: &Values) -> BTreeMap<String, String> {
        self.store_bytes(values.iter().map(|(key, value)| (key, value.data.clone())));
        BTreeMap::new()
    }

    fn misread(&mut self, values: &Values) -> BTreeMap<String, String> {
        values
            .iter()
            .filter_map(|(key, value)| {
                let found = self.load_bytes(key).unwrap_or_else(|| b"nothing".to_vec());
                let shown = || (key.clone(), found.escape_ascii().to_string());
                (found != value.data).then(shown)
            })
            .collect()
    }
}

/// Debian's are memccp, memccat and so on, everybody else's memcp, memcat.
fn prefix() -> &'static str {
    let is_there = |prefix: &&str| {
        let version = Command::new(format!("{prefix}cp"))
            .arg("--version")
            .output();
        version.is_ok_and(|version| version.status.success())
    };
    let found = ["memc", "mem"].into_iter().find(is_there);
    found.expect("memccp or memcp, of libmemcached's tools, which tests/run installs")
}

/// An empty directory. It is deleted when this is dropped.
#[derive(Debug)]
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("deployments-{}-{number}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
