//! Both count with the same counters, whoever made them, and each reads the number that it would store.

use super::python::Driver;
use super::report::{self, Outcome};
use super::servers::{PROTOCOLS, Servers, THREE};
use moecache::value::Format;
use moecache::{Client, Library};
use serde_json::{Value, json};

struct Row {
    peer: &'static str,
    settings: Value,
    format: Format,
    /// Whether the peer's `get` makes an int of a counter, and not text or bytes.
    reads_int: bool,
}

fn rows() -> Vec<Row> {
    use Format as F;
    let row = |peer, settings, format, reads_int| Row {
        peer,
        settings,
        format,
        reads_int,
    };
    let none = || json!({});
    let binary = json!({"binary": true});
    let serde = |name: &str| json!({ "serde": name });
    vec![
        row("pylibmc", none(), F::Pylibmc, true),
        row("pylibmc", binary, F::Pylibmc, true),
        row("python-memcached", none(), F::PythonMemcached, true),
        row("pymemcache", none(), F::Pymemcache, false),
        row(
            "pymemcache",
            serde("pickle_serde"),
            F::PymemcachePickle,
            true,
        ),
        row(
            "pymemcache",
            serde("compressed_serde"),
            F::PymemcacheCompressed,
            true,
        ),
        // It reads, and has no incr.
        row("moecache", none(), F::MoecachePickle, false),
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
            let peer: Library = self.peer.parse().unwrap();
            let client = servers.client().compatible_with(peer).format(self.format);
            let client = client.protocol(protocol).build().unwrap();

            for first in [98, u64::MAX - 2] {
                for made in MADE {
                    // No minus sign: memcached looks for one behind a number of 20 digits too, where there
                    // may be something left of another item.
                    let key = format!("{made}.{first}.{protocol}").replace(' ', ".");
                    self.make(made, &client, &mut python, &key, first);
                    for (step, got, expected) in self.steps(&client, &mut python, &key, first) {
                        let there = usize::from(step.ends_with("there"));
                        outcome.tried[there] += 1;
                        if got.as_ref() != Ok(&expected) {
                            let difference = format!("{key}, {step}: {got:?}, not {expected}");
                            outcome.differences.push(difference);
                        }
                    }
                }
            }
        }
        outcome
    }
}

/// The ways in which a counter is made.
const MADE: [&str; 6] = [
    "set_counter",
    "add_counter",
    "incr_with_initial",
    "decr_with_initial",
    "set here",
    "set there",
];

/// What was done, what came of that, and what should.
type Step = (&'static str, Result<Value, String>, Value);

impl Row {
    /// Python's moecache has no incr, and what it sets, nobody counts.
    fn counts(&self) -> bool {
        self.peer != "moecache"
    }

    fn make(&self, how: &str, client: &Client, python: &mut Driver, key: &str, first: u64) {
        match how {
            "set_counter" => client.set_counter(key, first, 60).unwrap(),
            "add_counter" => assert!(client.add_counter(key, first, 60).unwrap()),
            "incr_with_initial" => {
                let made = client.incr_with_initial(key, 1, first, 60);
                assert_eq!(made.unwrap(), first);
            }
            "decr_with_initial" => {
                let made = client.decr_with_initial(key, 1, first, 60);
                assert_eq!(made.unwrap(), first);
            }
            // As a string, if an integer is not counted.
            "set here" if !self.counts() => client.set(key, first.to_string(), 60).unwrap(),
            "set here" => client.set(key, first, 60).unwrap(),
            _ => {
                let first = first.to_string();
                let number = if self.counts() {
                    first
                } else {
                    format!("'{first}'")
                };
                python.expect::<()>(&json!(["store", { key: number }]));
            }
        }
    }

    /// What is done with a counter that begins at `first`, one after the other.
    fn steps(&self, client: &Client, python: &mut Driver, key: &str, first: u64) -> Vec<Step> {
        let here = |count: moecache::Result<Option<u64>>| match count {
            Ok(count) => Ok(json!(count)),
            Err(error) => Err(error.to_string()),
        };
        let mut steps = vec![("incr here", here(client.incr(key, 1)), json!(first + 1))];
        if self.counts() {
            let incr = python.call(&json!(["incr", key, 1]));
            steps.push(("incr there", incr, json!(first + 2)));
            let decr = python.call(&json!(["decr", key, 1]));
            steps.push(("decr there", decr, json!(first + 1)));
        }
        // 9 that was 99 is padded with a space.
        let mut show = || {
            let shown = python.call(&json!(["show", key]))?;
            Ok(json!(shown.as_str().unwrap().replace(' ', "")))
        };
        steps.push(("read there", show(), json!(self.shown(first + 1))));

        let last = first - 89;
        steps.push(("decr here", here(client.decr(key, 90)), json!(last)));
        steps.push(("read here", here(client.get(key)), json!(last)));
        steps.push(("read there", show(), json!(self.shown(last))));
        steps
    }

    /// How Python shows what the peer reads.
    fn shown(&self, count: u64) -> String {
        match self.format {
            _ if self.reads_int => count.to_string(),
            Format::Pymemcache => format!("b'{count}'"),
            _ => format!("'{count}'"),
        }
    }
}
