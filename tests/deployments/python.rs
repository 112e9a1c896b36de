//! The Python clients, as processes that are called over pipes.

use crate::peer::Peer;
use crate::shared::Values;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// driver.py. It is killed when this is dropped.
#[derive(Debug)]
pub struct Python {
    name: &'static str,
    calls: ChildStdin,
    results: BufReader<ChildStdout>,
    process: Child,
}

impl Python {
    /// Starts a client, in the Python that `tests/run` made for it. The settings are those that
    /// driver.py has for it.
    pub fn start(name: &'static str, settings: &Value, servers: &[String]) -> Self {
        let python = std::env::var("MOECACHE_PYTHON").expect(
            "MOECACHE_PYTHON must name a Python that has moecache, pylibmc, pymemcache and \
             python-memcached; tests/run makes one and sets it",
        );
        let mut process = Command::new(&python)
            .args(["-c", include_str!("driver.py"), name])
            .arg(settings.to_string())
            .args(servers)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("MOECACHE_PYTHON, {python}: {error}"));
        Self {
            name,
            calls: process.stdin.take().unwrap(),
            results: BufReader::new(process.stdout.take().unwrap()),
            process,
        }
    }

    /// Calls a method; an exception of its own is an `Err`.
    pub fn call(&mut self, call: &Value) -> Result<Value, String> {
        writeln!(self.calls, "{call}").unwrap();
        let mut line = String::new();
        self.results.read_line(&mut line).unwrap();
        let ended = || format!("{}: the driver ended", self.name);
        assert!(!line.is_empty(), "{}", ended());
        let result: Value = serde_json::from_str(&line).unwrap();
        match result.get("raises") {
            Some(raises) if result.as_object().is_some_and(|map| map.len() == 1) => {
                Err(format!("raises {raises}"))
            }
            _ => Ok(result),
        }
    }

    /// Calls a method that must not fail.
    pub fn expect<T: DeserializeOwned>(&mut self, call: &Value) -> T {
        let result = self.call(call);
        let shown = call.to_string();
        let result = result.unwrap_or_else(|error| panic!("{}: {shown:.80} {error}", self.name));
        serde_json::from_value(result).unwrap()
    }
}

impl Peer for Python {
    fn store(&mut self, texts: &BTreeMap<String, String>) {
        // A string of JSON is one of Python, too.
        let expressions: BTreeMap<&String, String> = texts
            .iter()
            .map(|(key, text)| (key, json!(text).to_string()))
            .collect();
        self.expect(&json!(["store", expressions]))
    }

    fn load(&mut self, keys: &[String]) -> BTreeMap<String, String> {
        let found: BTreeMap<String, Option<String>> = self.expect(&json!(["texts", keys]));
        let found = found.into_iter();
        found.filter_map(|(key, text)| Some((key, text?))).collect()
    }

    fn store_values(&mut self, values: &Values) -> BTreeMap<String, String> {
        let values: BTreeMap<_, _> = values
            .iter()
            .map(|(key, value)| (key, &value.theirs))
            .collect();
        self.expect(&json!(["store_each", values]))
    }

    fn differences(&mut self, values: &Values) -> BTreeMap<String, String> {
        let values: BTreeMap<_, _> = values
            .iter()
            .map(|(key, value)| (key, &value.ours))
            .collect();
        self.expect(&json!(["differences", values]))
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
