//! What the crate tracing is told: the same as the program's own function, and nothing of keys and
//! values.

use crate::support;

use moecache::testing::{Fault, Server};
use moecache::{Client, FailurePolicy};
use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{alone, reserve};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::with_default;
use tracing::{Event, Metadata, Subscriber};

/// Writes down the events of this crate, a line each.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "moecache"
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Runs a test with all that is traced. It does so in a process of its own: the crate tracing remembers for
/// all threads whether anybody is told of an event, and other tests have nobody who is.
fn traced(test: &str, work: impl FnOnce(&Lines)) {
    alone(test, || {
        let lines = Lines::default();
        with_default(lines.clone(), || work(&lines));
    });
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => write!(self.0, " {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        }
        .unwrap();
    }
}

#[test]
fn connections_are_traced() {
    traced("tracing::connections_are_traced", |lines| {
        let server = Server::start().unwrap();
        let name = server.address();
        let client = Client::new(&server).unwrap();
        client.set("the-key", "the-value", 0).unwrap();
        let made = lines.take();
        assert_eq!(made, [format!("DEBUG connected server=\"{name}\"")]);
        client.close();
        let closed = format!("DEBUG closed server=\"{name}\" reason=\"by client\"");
        assert_eq!(lines.take(), [closed]);

        // What the server said is quoted in the error, and not here.
        server.inject(Fault::Garbage(b"VALUE the-key the-value\r\n".to_vec()));
        let error = client.get::<String>("the-key").unwrap_err();
        assert!(error.to_string().contains("the-value"), "{error}");
        let failed = format!(
            "DEBUG closed server=\"{name}\" reason=\"failed\" error=the server broke the protocol"
        );
        assert_eq!(lines.take()[1..], [failed]);
    });
}

#[test]
fn servers_that_fail_are_traced() {
    traced("tracing::servers_that_fail_are_traced", |lines| {
        let reserved = reserve().unwrap();
        let nobody = reserved.local_addr().unwrap().as_socket().unwrap();
        let builder = Client::builder().servers(nobody);
        let builder = builder.failure_policy(FailurePolicy::Miss);
        let client = builder.max_back_off(Duration::from_secs(60)).build();
        let client = client.unwrap();
        while !lines
            .0
            .lock()
            .unwrap()
            .iter()
            .any(|line| line.contains("not tried"))
        {
            assert_eq!(client.get::<String>("the-key").unwrap(), None);
        }
        let told = lines.take();
        let warn = |line: &&String| line.starts_with("WARN");
        assert_eq!(told.iter().filter(warn).count(), told.len(), "{told:?}");
        let count = |word: &str| told.iter().filter(|line| line.contains(word)).count();
        let (down, missed) = (count(" down server="), count(" missed server="));
        assert_eq!((down, down + missed), (1, told.len()), "{told:?}");
        assert!(
            told.iter()
                .all(|line| line.contains(&format!("server=\"{nobody}\" error=")))
        );
        assert!(told[0].contains("cannot connect"), "{told:?}");
        assert_eq!(count("the-key"), 0, "{told:?}");
    });
}
