//! The Python clients, each driven by driver.py.

use super::peer::Peer;
use super::shared::Values;
use crate::support::Python;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A client, running.
#[derive(Debug)]
pub struct Driver {
    name: &'static str,
    python: Python,
}

impl Driver {
    /// Starts a client with settings, which are those that driver.py has for it.
    pub fn start(name: &'static str, settings: &Value, servers: &[String]) -> Self {
        let arguments = [name.to_owned(), settings.to_string()].into_iter();
        let arguments = arguments.chain(servers.iter().cloned());
        Self {
            name,
            python: Python::start(include_str!("driver.py"), arguments),
        }
    }

    /// Calls a method; an exception is an `Err`.
    pub fn call(&mut self, call: &Value) -> Result<Value, String> {
        let answer = self.python.ask(call);
        match answer.get("raises") {
            Some(exception) => Err(format!("raises {exception}")),
            None => Ok(answer["returns"].clone()),
        }
    }

    /// Calls a method that must not fail.
    pub fn expect<T: DeserializeOwned>(&mut self, call: &Value) -> T {
        let result = self.call(call);
        let shown = call.to_string();
        let result = result.unwrap_or_else(|error| panic!("{}: {shown:.80} {error}", self.name));
        serde_json::from_value(result).unwrap()
    }

    /// What it reads otherwise than these Python expressions say, by key; `raises ..` is an exception.
    pub fn differences(&mut self, values: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        self.expect(&json!(["differences", values]))
    }
}

impl Peer for Driver {
    fn store(&mut self, texts: &BTreeMap<String, String>) {
        // A string of JSON is one of Python, too.
        let texts = texts
            .iter()
            .map(|(key, text)| (key, json!(text).to_string()));
        let texts: BTreeMap<_, _> = texts.collect();
        self.expect::<()>(&json!(["store", texts]));
    }

    fn load(&mut self, keys: &[String]) -> BTreeMap<String, String> {
        self.expect(&json!(["texts", keys]))
    }

    fn store_values(&mut self, values: &Values) -> BTreeMap<String, String> {
        let values = values.iter().map(|(key, value)| (key, &value.theirs));
        let values: BTreeMap<_, _> = values.collect();
        self.expect(&json!(["store_each", values]))
    }

    fn misread(&mut self, values: &Values) -> BTreeMap<String, String> {
        let values = values.iter();
        let values = values.map(|(key, value)| (key.clone(), value.ours.clone()));
        self.differences(&values.collect())
    }
}
