//! What every peer can do: store texts, and read them.

use crate::python::Python;
use crate::tools::Tools;
use serde_json::Value;
use std::collections::BTreeMap;

/// A client of another project.
pub trait Peer {
    fn store(&mut self, texts: &BTreeMap<String, String>);

    /// Those that are there.
    fn load(&mut self, keys: &[String]) -> BTreeMap<String, String>;
}

/// libmemcached's own name stands for its tools.
pub const TOOLS: &str = "libmemcached";

/// Starts it on these servers: `host:port`, or `host:port:weight`.
pub fn start(name: &'static str, settings: &Value, servers: &[String]) -> Box<dyn Peer> {
    if name == TOOLS {
        Box::new(Tools::new(settings, servers))
    } else {
        Box::new(Python::start(name, settings, servers))
    }
}
