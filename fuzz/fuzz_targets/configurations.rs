//! Any text as a server list, a URL, a configuration of libmemcached or pylibmc, a configuration in JSON,
//! and as each of the names that settings have: never a panic; what is read prints as what reads the same;
//! and a client has all servers that it was given.
//!
//! Input: a letter that says what the text is, and the text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use moecache::value::{Compression, Format};
use moecache::{
    Behaviors, Client, Config, Distribution, FailurePolicy, Hash, HashTag, KeyBytes, KeyTransform,
    Library, PrefixPlacement, Protocol, Scheme, Server,
};
use std::fmt::{Debug, Display};
use std::str::FromStr;

/// So many servers are enough: what takes time is the ring.
const MOST_SERVERS: usize = 50;

fuzz_target!(|input: &[u8]| {
    let Some((kind, text)) = input.split_first() else {
        return;
    };
    let text = String::from_utf8_lossy(text);
    match kind {
        b'u' => text.parse().ok().iter().for_each(judge),
        b'j' => serde_json::from_str(&text).ok().iter().for_each(judge),
        b'l' => {
            let read = Config::from_libmemcached(&text);
            read.ok().iter().for_each(|(config, _)| judge(config));
        }
        b'p' => {
            let (servers, behaviors) = text.split_once('\n').unwrap_or((&text, "{}"));
            let servers: Vec<&str> = servers.split(',').collect();
            if let Ok(behaviors) = serde_json::from_str::<Behaviors>(behaviors) {
                let read = Config::from_pylibmc(servers, &behaviors);
                read.ok().iter().for_each(|(config, _)| judge(config));
            }
        }
        b's' => server_list(&text),
        _ => names(&text),
    }
});

/// What a configuration says it says in JSON too, but for credentials, which are read and never written;
/// and to its client.
fn judge(config: &Config) {
    let mut config = config.clone();
    (config.username, config.password) = (None, None);
    let is_valid = config.servers.iter().all(is_valid);
    let Ok(json) = serde_json::to_string(&config) else {
        return assert!(!is_valid, "{config:?}");
    };
    assert!(is_valid, "{json}");
    let read: Result<Config, _> = serde_json::from_str(&json);
    let read = read.unwrap_or_else(|error| panic!("{error}: {json}"));
    assert_eq!(serde_json::to_string(&read).ok().as_ref(), Some(&json));
    if !config.servers.iter().any(has_credentials) {
        assert_eq!(read, config, "{json}");
    }
    // Nothing is to be looked up.
    config.resolve_names = false;
    if config.servers.len() <= MOST_SERVERS {
        if let Ok(client) = config.client() {
            has_all(&client, &config.servers);
        }
    }
}

/// Servers, one a line, for a client as it is by default.
fn server_list(text: &str) {
    let servers: Vec<Server> = text.lines().take(MOST_SERVERS).map(Server::from).collect();
    match Client::new(&servers) {
        Ok(client) => {
            assert!(servers.iter().all(is_valid));
            has_all(&client, &servers);
            let server = client.server_for("key").expect("it is a key");
            assert!(client.servers().contains(&server));
        }
        Err(error) => assert!(error.is_validation(), "{error}"),
    }
}

/// The client has each server once: some libraries take a list with one twice.
fn has_all(client: &Client, servers: &[Server]) {
    let mut names: Vec<String> = Vec::new();
    for name in servers.iter().map(Server::to_string) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    assert_eq!(client.servers(), names);
}

/// Of its own.
fn has_credentials(server: &Server) -> bool {
    !format!("{server:?}").contains("credentials: None")
}

/// A client of this server alone can be made.
fn is_valid(server: &Server) -> bool {
    Client::new(server.clone()).is_ok()
}

/// Each of the types that settings are named by.
fn names(text: &str) {
    name::<Scheme>(text);
    name::<Distribution>(text);
    name::<Hash>(text);
    name::<HashTag>(text);
    name::<Library>(text);
    name::<Protocol>(text);
    name::<FailurePolicy>(text);
    name::<Format>(text);
    name::<Compression>(text);
    name::<KeyTransform>(text);
    name::<KeyBytes>(text);
    name::<PrefixPlacement>(text);
}

fn name<T>(text: &str)
where
    T: FromStr<Err = moecache::Error> + Display + Debug + PartialEq,
{
    match text.parse::<T>() {
        Ok(named) => {
            let printed = named.to_string();
            match printed.parse::<T>() {
                Ok(again) => assert_eq!(again, named, "{text:?}, {printed:?}"),
                Err(error) => panic!("{error}: {text:?}, {printed:?}"),
            }
        }
        Err(error) => assert!(error.is_validation(), "{error}"),
    }
}
