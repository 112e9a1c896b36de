//! What a client tells of.

use moecache::{Client, ClientBuilder, Closed, Event};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// All events of a client, one a line: `connected`, `closed: stale` and so on.
#[derive(Debug, Clone, Default)]
pub struct Heard(Arc<Mutex<Vec<(String, String)>>>);

impl Heard {
    /// The client that `builder` makes, and what it tells of.
    pub fn of(builder: ClientBuilder) -> (Client, Self) {
        let heard = Self::default();
        let events = Arc::clone(&heard.0);
        let tell = move |event: &Event<'_>| {
            let (server, what) = described(event);
            events.lock().unwrap().push((server, what));
        };
        (builder.on_event(tell).build().unwrap(), heard)
    }

    /// What there was, in order; it begins anew.
    pub fn take(&self) -> Vec<String> {
        let events = std::mem::take(&mut *self.0.lock().unwrap());
        events.into_iter().map(|(_, what)| what).collect()
    }

    /// How many connections of each server were made, and how many closed.
    pub fn balance(&self) -> BTreeMap<String, (u64, u64)> {
        let mut balance: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for (server, what) in &*self.0.lock().unwrap() {
            let (connected, closed) = balance.entry(server.clone()).or_default();
            *connected += u64::from(what == "connected");
            *closed += u64::from(what.starts_with("closed"));
            assert!(*closed <= *connected, "{server}: closed, and never made");
        }
        balance
    }
}

fn described(event: &Event<'_>) -> (String, String) {
    let (server, what) = match event {
        Event::Connected { server } => (server, "connected".to_owned()),
        Event::Closed { server, reason } => (server, format!("closed: {}", reason_of(reason))),
        Event::Retried { server } => (server, "retried".to_owned()),
        Event::Down { server, .. } => (server, "down".to_owned()),
        Event::Up { server } => (server, "up".to_owned()),
        Event::Missed { server, .. } => (server, "missed".to_owned()),
        _ => panic!("{event:?}"),
    };
    ((*server).to_owned(), what)
}

fn reason_of(reason: &Closed<'_>) -> String {
    match reason {
        Closed::Failed(error) => {
            assert!(error.server().is_some(), "{error:?}");
            let kinds = [
                ("connect", error.is_connect()),
                ("timeout", error.is_timeout()),
                ("io", error.is_io()),
                ("protocol", error.is_protocol()),
            ];
            let kind = kinds.iter().find(|(_, is_it)| *is_it);
            kind.map_or_else(|| panic!("{error:?}"), |(kind, _)| (*kind).to_owned())
        }
        reason => format!("{reason:?}").to_lowercase(),
    }
}
