//! Every row behind a proxy. A row passes, or it is known that the proxy cannot do it, and by which error
//! the client says so.

use super::support::behind::{Behind, Proxy};
use super::support::noted;
use super::{commands, many, values};
use moecache::{Client, Error, Protocol};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// A row that cannot be done, and the call that says so.
type Refused = (&'static str, &'static str);

const BUILT_IN: &[Refused] = &[
    ("flush_all empties every server", "flush_all"),
    ("verbosity", "verbosity"),
    ("the keys of all servers", "keys"),
];

const NUTCRACKER: &[Refused] = &[
    ("raw items have flags and cas", "get_and_touch"),
    ("get_and_touch does both", "get_and_touch"),
    ("flush_all empties every server", "flush_all"),
    ("a reset of the counters", "stats reset"),
    // Both have a `get_and_touch`, and what is behind that is lost too.
    ("a pipeline of everything", ""),
    ("a value of a pipeline that is no such thing", ""),
    ("verbosity", "verbosity"),
    ("the keys of all servers", "keys"),
];

/// How a proxy refuses a command: it closes the connection, or, memcached 1.6.38's, says so.
const REFUSALS: &[&str] = &["the connection was lost", "CLIENT_ERROR parsing request"];

/// Rows that some versions of memcached's proxy can do, and others cannot.
const SOMETIMES: &[Refused] = &[
    // 1.6.45 never answers a text `get` of the key `noreply`, and older ones do.
    (
        "keys of every byte and length",
        "get on the proxy: no complete reply within",
    ),
    // 1.6.38 closes the connection on a value that is too large, in meta.
    ("a value that the server refuses", "the connection was lost"),
];

/// How it is where not even the protocol is known.
const NOT_SPOKEN: &[&str] = &["the connection was lost", "no complete reply within"];

fn run(proxy: Proxy, protocol: Protocol, refused: &[Refused]) {
    let Some(behind) = proxy.with_args(&super::LARGE_ITEMS) else {
        return;
    };
    if !proxy.speaks(protocol) {
        return not_spoken(proxy, protocol, &behind);
    }
    let (mut wrong, mut counts) = (Vec::new(), [0, 0]);
    let mut judge = |row: &str, said: Option<String>| {
        let refused = refused.iter().find(|(name, _)| *name == row);
        let is_expected = |said: &str| {
            refused.is_some_and(|(_, call)| said.contains(call))
                && REFUSALS.iter().any(|words| said.contains(words))
        };
        match said {
            None if refused.is_none() => counts[0] += 1,
            Some(said) if proxy == Proxy::BuiltIn && is_sometimes(row, &said) => {
                unsupported(proxy, protocol, row, &said);
                counts[1] += 1;
            }
            Some(said) if is_expected(&said) => {
                unsupported(proxy, protocol, row, &said);
                counts[1] += 1;
            }
            None => wrong.push(format!("{row}: it works")),
            Some(said) => wrong.push(format!("{row}: {said}")),
        }
    };
    let rows = [values::ROWS, commands::ROWS, many::ROWS].concat();
    for (row, check) in rows {
        judge(row, outcome(&behind, protocol, check));
    }
    // nutcracker has no meta commands, so this is what `Auto` speaks.
    let spoken = match (proxy, protocol) {
        (Proxy::Nutcracker, Protocol::Auto) => Protocol::Text,
        _ => protocol,
    };
    for (row, check) in commands::BY_PROTOCOL {
        judge(
            row,
            outcome(&behind, protocol, |client| check(client, spoken)),
        );
    }
    assert!(wrong.is_empty(), "{}:\n{}", proxy.name(), wrong.join("\n"));
    let (name, [pass, refused]) = (proxy.name(), counts);
    noted(format_args!(
        "rows: {name}, {protocol}: {pass} pass, {refused} refused"
    ));
}

fn is_sometimes(row: &str, said: &str) -> bool {
    let is_it = |(name, words): &Refused| *name == row && said.contains(words);
    SOMETIMES.iter().any(is_it)
}

/// What went wrong in a row, with a client of its own: none waits for the failures of another.
fn outcome(
    behind: &Behind,
    protocol: Protocol,
    check: impl FnOnce(&Client) -> Result<(), Error>,
) -> Option<String> {
    behind.empty();
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
fn not_spoken(proxy: Proxy, protocol: Protocol, behind: &Behind) {
    let client = || client(behind, protocol, Duration::from_secs(1));
    for error in [
        client().get::<i32>("key").unwrap_err(),
        client().set("key", 1, 0).unwrap_err(),
    ] {
        let said = format!("{error:#}").replace(&behind.address().to_string(), "the proxy");
        assert!(
            NOT_SPOKEN.iter().any(|words| said.contains(words)),
            "{said}"
        );
        unsupported(proxy, protocol, "the protocol", &said);
    }
}

fn unsupported(proxy: Proxy, protocol: Protocol, row: &str, said: &str) {
    let (name, said) = (proxy.name(), said.lines().next().unwrap_or_default());
    noted(format_args!(
        "unsupported: {name}, {protocol}: {row}: {said}"
    ));
}

macro_rules! proxies {
    ($($module:ident $proxy:ident $refused:ident)*) => {$(
        mod $module {
            use super::{Protocol, Proxy, run, $refused};

            #[test]
            fn text() {
                run(Proxy::$proxy, Protocol::Text, $refused);
            }

            #[test]
            fn meta() {
                run(Proxy::$proxy, Protocol::Meta, $refused);
            }

            #[test]
            fn binary() {
                run(Proxy::$proxy, Protocol::Binary, $refused);
            }

            #[test]
            fn auto() {
                run(Proxy::$proxy, Protocol::Auto, $refused);
            }
        }
    )*};
}

proxies! {
    the_built_in_proxy BuiltIn BUILT_IN
    nutcracker Nutcracker NUTCRACKER
}
