//! A row of the table: a fault, what the caller sees of it, and what becomes of the connection.

use super::calls::{Call, Effect, writes};
use super::pretender::{Batch, Deed, Pretender, Then, value_of};
use super::support::wait_until;
use moecache::{Client, Error, IntoServers, Protocol, Result};
use std::thread;
use std::time::{Duration, Instant};

/// Within this anything has to end; no measure of how punctual it is.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The time of a call that has to run out of it. See [`times_out`].
pub const SHORT: Duration = Duration::from_millis(100);

/// A fault in the reply to a call.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub name: &'static str,
    pub lie: fn(&Batch) -> Deed,
    pub sees: Sees,
    pub connection: Fate,
}

/// What a caller sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sees {
    /// The right answer.
    Right,
    /// The right answer, or a protocol error.
    RightOrProtocol,
    Timeout,
    Io,
    Protocol,
    /// Of the key whose reply it is; an error that its neighbours share with it.
    Server,
}

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Kept,
    Closed,
}

/// On what connection the fault happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// A new one.
    Fresh,
    /// One that has served a call.
    Reused,
}

pub fn client(servers: impl IntoServers, protocol: Protocol) -> Client {
    let client = Client::builder().servers(servers).protocol(protocol);
    client.timeout(PATIENCE).build().unwrap()
}

impl Row {
    /// Plays it with each of these calls, all at the same time.
    pub fn play(&self, protocol: Protocol, start: Start, calls: impl IntoIterator<Item = Call>) {
        at_once(protocol, calls, |call| self.play_one(protocol, start, call));
    }

    /// Returns what the caller saw.
    pub fn play_one(&self, protocol: Protocol, start: Start, call: &Call) -> Vec<Result<()>> {
        times_out(|time| self.try_one(protocol, start, call, time))
    }

    /// Returns nothing if `time` was over before the call was sent.
    fn try_one(
        &self,
        protocol: Protocol,
        start: Start,
        call: &Call,
        time: Duration,
    ) -> Option<Vec<Result<()>>> {
        let server = Pretender::start();
        let client = client(server.address(), protocol);
        if start == Start::Reused {
            assert_eq!(client.get("before").unwrap(), Some(value_of("before")));
        }
        server.next(self.lie);
        let results = self.sees.run(call, &client, time)?;
        self.sees.check(&results, &server.address().to_string());
        // The call may be over before the server has a turn.
        wait_until("it was asked", || !server.asked(call.asked).is_empty());
        // What must not be done twice was not sent twice; and nothing is, once something came back.
        assert_eq!(server.asked(call.asked), [0]);
        self.connection.check(&server, &client);
        Some(results)
    }
}

impl Sees {
    /// Runs a call that sees this, within `time` if that has to run out; nothing if it ran out before the
    /// call was sent.
    pub fn run(self, call: &Call, client: &Client, time: Duration) -> Option<Vec<Result<()>>> {
        if self != Self::Timeout {
            return Some(call.run(client));
        }
        let sent = || client.metrics().iter().map(|it| it.bytes_sent).sum::<u64>();
        let before = sent();
        let results = timed_out(time, || call.run(&client.with_timeout(time)));
        (sent() > before).then_some(results)
    }

    pub fn check(self, results: &[Result<()>], server: &str) {
        let errors: Vec<&Error> = results.iter().filter_map(|it| it.as_ref().err()).collect();
        let may_be_none = matches!(self, Self::Right | Self::RightOrProtocol);
        assert!(may_be_none || !errors.is_empty(), "no error");
        for error in errors {
            let is_it = match self {
                Self::Right => false,
                Self::RightOrProtocol | Self::Protocol => error.is_protocol(),
                Self::Timeout => error.is_timeout() && !error.is_connect(),
                Self::Io => error.is_io() && !error.is_connect(),
                Self::Server => error.is_server(),
            };
            assert!(is_it, "{self:?} was expected: {error:?}");
            let in_doubt = writes(error) && !error.is_server();
            assert_eq!(error.is_ambiguous(), in_doubt, "{error:?}");
            assert_eq!(error.server(), Some(server), "{error:?}");
            is_discreet(error);
        }
    }
}

/// It may quote what a server says in place of a reply, cut short, and never a value.
pub fn is_discreet(error: &Error) {
    let text = format!("{error} {error:#} {error:?}");
    assert!(text.len() < 1500, "{text}");
    assert!(error.is_protocol() || !text.contains("value of"), "{text}");
}

impl Fate {
    /// The next call works, whatever came before; and goes over the first connection only if that is
    /// kept.
    fn check(self, server: &Pretender, client: &Client) {
        eventually(client, "after");
        match self {
            Self::Kept => {
                assert_eq!(server.asked("get after"), [0], "where it was asked");
                assert_eq!(server.connections(), 1);
            }
            Self::Closed => {
                assert!(!server.asked("get after").contains(&0));
                wait_until("the client closes the connection", || server.is_closed(0));
            }
        }
    }
}

/// Gets the right value of `key`, once the client tries the server again: after a failure it may hold
/// back for a moment.
pub fn eventually(client: &Client, key: &str) {
    let mut last = None;
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        match client.get::<String>(key) {
            Ok(value) => return assert_eq!(value, Some(value_of(key))),
            Err(error) if error.is_retryable() => last = Some(error),
            Err(error) => panic!("{error:?}"),
        }
        thread::sleep(Duration::from_millis(1));
    }
    panic!("the next call does not work: {last:?}");
}

/// Runs a call with as little time as it takes to send it: on a busy machine that may be more than `SHORT`.
pub fn times_out<T>(run: impl Fn(Duration) -> Option<T>) -> T {
    let times = std::iter::successors(Some(SHORT), |time| Some(2 * *time));
    let mut results = times.take_while(|time| *time < PATIENCE).filter_map(run);
    results.next().expect("the call is not sent")
}

/// Runs a call that has to time out: not before its deadline, and not never.
pub fn timed_out<T>(deadline: Duration, call: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = call();
    let elapsed = started.elapsed();
    // The kernel counts the time of a connect in milliseconds, and may end it a moment early.
    let is_late = elapsed + Duration::from_millis(10) >= deadline;
    assert!(is_late && elapsed < PATIENCE, "{elapsed:?}");
    result
}

/// Runs each of these calls, all at the same time; a panic names the call.
pub fn at_once<T>(
    protocol: Protocol,
    calls: impl IntoIterator<Item = Call>,
    run: impl Fn(&Call) -> T + Sync,
) {
    thread::scope(|scope| {
        for call in calls {
            let run = &run;
            let thread = thread::Builder::new().name(format!("{} in {protocol}", call.name));
            let run = move || drop(run(&call));
            thread.spawn_scoped(scope, run).unwrap();
        }
    });
}

/// Whether the call may be sent again when a pooled connection turns out to be dead.
pub fn is_repeatable(call: &Call) -> bool {
    call.effect != Effect::Once
}

/// These bytes in place of the reply to the first request, and no more of it.
pub fn says(bytes: impl Into<Vec<u8>>, then: Then) -> Deed {
    Deed {
        bytes: bytes.into(),
        then,
    }
}
