//! Servers that want a user name and a password.

use super::{Memcached, skipped};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

/// Who is let in.
pub const USER: &str = "ann";
pub const PASSWORD: &str = "s3cret:word";

/// A folder for the files of one server. It is removed when this is dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("moecache-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// The path of a file in it, which is written.
    pub fn file(&self, name: &str, content: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        text(&path)
    }

    /// The path of a file in it.
    pub fn path(&self, name: &str) -> String {
        text(&self.0.join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn text(path: &Path) -> String {
    path.to_str().expect("the path is UTF-8").to_owned()
}

/// A memcached with a password file, which speaks text and meta. More arguments may follow.
pub fn with_password_file(args: &[&str]) -> (Memcached, Folder) {
    let folder = Folder::new();
    let file = folder.file("passwords", &format!("bob:other\n{USER}:{PASSWORD}\n"));
    let args = [&["-Y", &file], args].concat();
    (Memcached::with_args(&args), folder)
}

/// A memcached with SASL, which speaks binary alone. `None` where it cannot be had; why, is printed.
pub fn with_sasl() -> Option<(Memcached, Folder)> {
    let folder = Folder::new();
    let database = folder.path("passwords");
    // In the realm that memcached looks users up in whose names have none: the host's name.
    let tool = Command::new("saslpasswd2")
        .args(["-a", "memcached", "-c", "-p", "-f", &database, USER])
        .stdin(Stdio::piped())
        .spawn();
    let mut tool = match tool {
        Ok(tool) => tool,
        Err(error) => {
            let why = std::env::var("MOECACHE_WITHOUT_SASL");
            let why =
                why.unwrap_or_else(|_| format!("saslpasswd2: {error}; tests/run installs it"));
            skipped(format_args!("a server with SASL: {why}"));
            return None;
        }
    };
    let mut input = tool.stdin.take().unwrap();
    input.write_all(PASSWORD.as_bytes()).unwrap();
    drop(input);
    assert!(tool.wait().unwrap().success(), "saslpasswd2 failed");
    let config = format!("mech_list: plain\nsasldb_path: {database}\n");
    folder.file("memcached.conf", &config);
    let variables = [("SASL_CONF_PATH", &*folder.path(""))];
    let server = Memcached::with_args_and_variables(&["-S"], &variables);
    Some((server, folder))
}
