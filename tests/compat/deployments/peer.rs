//! What every peer can do: store, and read.

use super::python::Driver;
use super::shared::Values;
use super::tools::Tools;
use crate::support::skipped;
use serde_json::Value;
use std::collections::BTreeMap;

/// A client of another project.
pub trait Peer {
    fn store(&mut self, texts: &BTreeMap<String, String>);

    /// Those that are there.
    fn load(&mut self, keys: &[String]) -> BTreeMap<String, String>;

    /// Stores values, and returns those that it cannot store, with the reason.
    fn store_values(&mut self, values: &Values) -> BTreeMap<String, String>;

    /// What it reads instead of these values, where it does.
    fn misread(&mut self, values: &Values) -> BTreeMap<String, String>;
}

/// libmemcached's own name stands for its tools.
pub const TOOLS: &str = "libmemcached";

/// Leaves out the rows of a peer that cannot be here, and prints why. Only libmemcached's tools are a
/// package that not every system has.
pub fn leave_out_missing<R>(rows: &mut Vec<R>, peer: impl Fn(&R) -> &str) {
    if let Some(why) = Tools::missing() {
        skipped(format_args!("{TOOLS}: {why}"));
        rows.retain(|row| peer(row) != TOOLS);
    }
}

/// Starts it on these servers: `host:port`, or `host:port:weight`. The settings are those that
/// [`Tools`] has, or driver.py for this client.
pub fn start(name: &'static str, settings: &Value, servers: &[String]) -> Box<dyn Peer> {
    if name == TOOLS {
        Box::new(Tools::new(settings, servers))
    } else {
        Box::new(Driver::start(name, settings, servers))
    }
}
