//! Every row behind a proxy. A row passes, or it is known that the proxy cannot do it, and by which error
//! the client says so: that is printed, and the test is ignored for that reason.

use super::servers::{Idle, LARGE_ITEMS};
use super::support::behind::{Behind, Proxy};
use super::support::noted;
use super::{PROTOCOLS, Row, all_rows};
use libtest_mimic::{Completion, Failed, Trial};
use moecache::{Client, Protocol};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// A row that cannot be done, and the call that says so.
type Refused = (&'static str, &'static str);

const BUILT_IN: &[Refused] = &[
    ("flush_all", "flush_all"),
    ("verbosity", "verbosity"),
    ("list_keys", "keys"),
];

const NUTCRACKER: &[Refused] = &[
    ("get_and_touch", "get_and_touch"),
    ("get_and_touch_an_item", "get_and_touch"),
    ("get_and_touch_in_a_pipeline", "get_and_touch"),
    ("flush_all", "flush_all"),
    ("reset_stats", "stats"),
    ("verbosity", "verbosity"),
    ("list_keys", "keys"),
];

/// How a proxy refuses a command: it closes the connection, or, memcached 1.6.38's, says so.
const REFUSALS: &[&str] = &["the connection was lost", "CLIENT_ERROR parsing request"];

/// Rows that some versions of memcached's proxy can do, and others cannot.
const SOMETIMES: &[Refused] = &[
    // 1.6.45 never answers a text `get` of the key `noreply`, and older ones do.
    (
        "keys_of_every_byte_and_length",
        "get on the proxy: no complete reply within",
    ),
    // 1.6.38 closes the connection on a value that is too large, in meta.
    ("a_value_that_the_server_refuses", "the connection was lost"),
];

/// How it is where not even the protocol is known.
const NOT_SPOKEN: &[&str] = &["the connection was lost", "no complete reply within"];

const PROXIES: [(&str, Proxy, &[Refused]); 2] = [
    ("behind_memcacheds_proxy", Proxy::BuiltIn, BUILT_IN),
    ("behind_nutcracker", Proxy::Nutcracker, NUTCRACKER),
];

/// Each row as a test in each protocol that a proxy speaks, and a test for each that it does not.
pub fn tests() -> Vec<Trial> {
    let mut tests = Vec::new();
    for (proxy_name, proxy, refused) in PROXIES {
        for (protocol_name, protocol) in PROTOCOLS {
            let name = |row: &str| format!("{row}::{protocol_name}::{proxy_name}");
            if proxy.speaks(protocol) {
                tests.extend(all_rows().map(|(row_name, row)| {
                    let run = move |behind: &Behind| judge(behind, proxy, protocol, row, refused);
                    test(name(&row_name), proxy, run)
                }));
            } else {
                let run = move |behind: &Behind| not_spoken(behind, proxy, protocol);
                tests.push(test(name("not_spoken"), proxy, run));
            }
        }
    }
    tests
}

/// Those that no row uses at the moment.
static IDLE: Idle<Behind> = Idle::new();

pub fn end() {
    IDLE.end();
}

fn test(
    name: String,
    proxy: Proxy,
    run: impl FnOnce(&Behind) -> Result<Completion, Failed> + Send + 'static,
) -> Trial {
    Trial::ignorable_test(name, move || {
        if let Some(why) = proxy.is_missing() {
            return Ok(Completion::ignored_with(why));
        }
        let start = || proxy.with_args(&LARGE_ITEMS).expect("it is there");
        let behind = IDLE.take(proxy.name()).unwrap_or_else(start);
        behind.empty();
        let completion = run(&behind)?;
        IDLE.put(proxy.name(), behind);
        Ok(completion)
    })
}

fn judge(
    behind: &Behind,
    proxy: Proxy,
    protocol: Protocol,
    row: Row,
    refused: &[Refused],
) -> Result<Completion, Failed> {
    // nutcracker has no meta commands, so text is what `Auto` speaks.
    let spoken = match (proxy, protocol) {
        (Proxy::Nutcracker, Protocol::Auto) => Protocol::Text,
        _ => protocol,
    };
    let is_of_row = |(name, _): &&Refused| *name == row.name;
    let refused = refused.iter().find(is_of_row);
    let sometimes = SOMETIMES.iter().find(is_of_row);
    let said = match outcome(behind, protocol, |client| (row.check)(client, spoken)) {
        None if refused.is_none() => return Ok(Completion::Completed),
        None => return Err(format!("{} can do it now", proxy.name()).into()),
        Some(said) => said,
    };
    let is_refused = refused.is_some_and(|(_, call)| said.contains(call))
        && REFUSALS.iter().any(|words| said.contains(words));
    let is_of_its_version =
        proxy == Proxy::BuiltIn && sometimes.is_some_and(|(_, words)| said.contains(words));
    if is_refused || is_of_its_version {
        Ok(unsupported(proxy, protocol, row.name, &said))
    } else {
        Err(said.into())
    }
}

/// What went wrong in a row, with a client of its own: none waits for the failures of another.
fn outcome(
    behind: &Behind,
    protocol: Protocol,
    check: impl FnOnce(&Client) -> Result<(), moecache::Error>,
) -> Option<String> {
    let client = client(behind, protocol, Duration::from_secs(20));
    let said = match catch_unwind(AssertUnwindSafe(|| check(&client))) {
        Ok(result) => format!("{:#}", result.err()?),
        Err(panic) => match panic.downcast::<String>() {
            Ok(text) => *text,
            Err(_) => "a panic".to_owned(),
        },
    };
    Some(said.replace(&behind.address().to_string(), "the proxy"))
}

fn client(behind: &Behind, protocol: Protocol, timeout: Duration) -> Client {
    let builder = Client::builder().servers(behind.address());
    builder.protocol(protocol).timeout(timeout).build().unwrap()
}

/// Nothing works, and every call says so. (A multi-get is text in meta too, and is answered.)
fn not_spoken(behind: &Behind, proxy: Proxy, protocol: Protocol) -> Result<Completion, Failed> {
    let client = || client(behind, protocol, Duration::from_secs(1));
    let stored = client().set("key", 1, 0).unwrap_err();
    let got = client().get::<i32>("key").unwrap_err();
    for error in [stored, got] {
        let said = format!("{error:#}").replace(&behind.address().to_string(), "the proxy");
        if !NOT_SPOKEN.iter().any(|words| said.contains(words)) {
            return Err(said.into());
        }
        unsupported(proxy, protocol, "the protocol", &said);
    }
    Ok(Completion::Completed)
}

/// Says what a proxy cannot do, for the table of `tests/matrix`.
fn unsupported(proxy: Proxy, protocol: Protocol, row: &str, said: &str) -> Completion {
    let (name, said) = (proxy.name(), said.lines().next().unwrap_or_default());
    noted(format_args!(
        "unsupported: {name}, {protocol}: {row}: {said}"
    ));
    Completion::ignored_with(format!("{name} cannot: {said}"))
}
