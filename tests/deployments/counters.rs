//! Both count with the same counters, whoever made them.

use crate::python::Driver;
use crate::report::{self, Outcome};
use crate::servers::{PROTOCOLS, Servers, THREE};
use moecache::value::Format;
use moecache::{Client, Peer};
use serde_json::{Value, json};

struct Row {
    peer: &'static str,
    settings: Value,
    format: Format,
}

fn rows() -> Vec<Row> {
    let row = |peer, settings, format| Row {
        peer,
        settings,
        format,
    };
    let binary = json!({"binary": true});
    let serde = json!({"serde": "pickle_serde"});
    vec![
        row("pylibmc", json!({}), Format::Pylibmc),
        row("pylibmc", binary, Format::Pylibmc),
        row("python-memcached", json!({}), Format::PythonMemcached),
        row("pymemcache", json!({}), Format::Pymemcache),
        row("pymemcache", serde, Format::PymemcachePickle),
    ]
}

pub fn agree() {
    report::run(&["peer", "settings", "format"], &rows());
}

impl report::Row for Row {
    fn name(&self) -> Vec<String> {
        let format = self.format.to_string();
        vec![self.peer.to_owned(), self.settings.to_string(), format]
    }

    fn check(&self) -> Outcome {
        let servers = Servers::start(&THREE);
        let mut python = Driver::start(self.peer, &self.settings, &servers.addresses());
        let mut outcome = Outcome::default();
        for protocol in PROTOCOLS {
            let peer: Peer = self.peer.parse().unwrap();
            let client = servers.client().compatible_with(peer).format(self.format);
            let client = client.protocol(protocol).build().unwrap();

            for first in [98, u64::MAX - 2] {
                let by = |who| format!("{who}-{first}");
                let (counter, ours, theirs) = (by("counter"), by("ours"), by("theirs"));
                client.set_counter(&counter, first, 60).unwrap();
                client.set(&ours, first, 60).unwrap();
                let number = json!({ &theirs: first.to_string() });
                python.expect::<()>(&json!(["store", number]));
                for key in [counter, ours, theirs] {
                    for (step, got, expected) in steps(&client, &mut python, &key, first) {
                        let here = usize::from(step.ends_with("there"));
                        outcome.tried[here] += 1;
                        if got != Ok(json!(expected)) {
                            let difference = format!("{protocol}, {key}, {step}: {got:?}");
                            outcome.differences.push(difference);
                        }
                    }
                }
            }
        }
        outcome
    }
}

/// What is done one after the other, with what came of it and what should.
fn steps(
    client: &Client,
    python: &mut Driver,
    key: &str,
    first: u64,
) -> [(&'static str, Result<Value, String>, u64); 6] {
    let here = |count: moecache::Result<Option<u64>>| match count {
        Ok(count) => Ok(json!(count)),
        Err(error) => Err(error.to_string()),
    };
    let mut there = |call| python.call(&call);
    [
        ("incr here", here(client.incr(key, 1)), first + 1),
        ("incr there", there(json!(["incr", key, 1])), first + 2),
        ("decr there", there(json!(["decr", key, 1])), first + 1),
        ("decr here", here(client.decr(key, 90)), first - 89),
        // 9 that was 99 is padded with a space.
        ("read here", here(client.get(key)), first - 89),
        ("read there", there(json!(["number", key])), first - 89),
    ]
}
