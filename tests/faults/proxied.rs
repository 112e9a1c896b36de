//! A real memcached behind a proxy that commits faults: the same rows as elsewhere, where the truth that
//! is spoilt is that of the real server, and what the server did in the end can be looked up.

use super::calls::{self, Call, Effect, MANY, PIPELINES, SINGLE, is_single};
use super::row::{PATIENCE, Sees, client, eventually, is_repeatable, times_out};
use super::support::in_each_protocol;
use super::support::proxy::{Fault, Length, Proxy};
use super::support::{Memcached, wait_until};
use moecache::{Client, Item, Protocol, Result};
use std::time::Duration;

in_each_protocol! {
    slow_and_in_pieces
    too_late_or_never
    cut_and_reset
    lies
    no_line_end
    too_much
    a_gigabyte_that_is_only_claimed
    gone_and_back
}

const MOMENT: Duration = Duration::from_millis(5);

/// A memcached, a proxy before it, and a client that goes past the proxy.
struct Rig {
    protocol: Protocol,
    proxy: Proxy,
    direct: Client,
    /// How many connections the server has when the proxy has none.
    idle: u64,
    _memcached: Memcached,
}

impl Rig {
    fn start(protocol: Protocol) -> Self {
        let memcached = Memcached::start();
        let direct = client(memcached.address(), protocol);
        calls::prepare(&direct);
        let stats = direct.stats().unwrap().remove(0).result.unwrap();
        Self {
            protocol,
            idle: stats.curr_connections().unwrap(),
            proxy: Proxy::start(memcached.address()),
            direct,
            _memcached: memcached,
        }
    }

    /// Commits a fault at a call, on a connection that has served others; or on one that is `fresh`.
    fn check(&self, fault: &Fault, call: &Call, fresh: bool, sees: Sees) {
        times_out(|time| self.try_it(fault, call, fresh, sees, time));
    }

    /// Returns nothing if `time` was over before the call was sent.
    fn try_it(
        &self,
        fault: &Fault,
        call: &Call,
        fresh: bool,
        sees: Sees,
        time: Duration,
    ) -> Option<()> {
        let name = format!("{fault:?}, {}, {}", call.name, self.protocol);
        println!("{name}");
        let client = client(self.proxy.address(), self.protocol);
        if !fresh {
            // Replies to replay, of this connection.
            for key in ["a", "b", "after"] {
                eventually(&client, key);
            }
        }
        let before = self.counts();
        let committed = self.committed(fault);
        self.proxy.inject(fault.clone());
        let Some(results) = sees.run(call, &client, time) else {
            self.proxy.clear();
            return None;
        };
        let is_committed = || self.committed(fault) > committed;
        if !may_have_no_place(fault) || sees == Sees::Timeout {
            // The call may be over before the proxy has a turn.
            wait_until("the fault is committed", is_committed);
        }
        let is_committed = is_committed();
        self.proxy.clear();
        if is_committed {
            sees.check(&results, &self.proxy.address().to_string());
        } else {
            results.into_iter().for_each(Result::unwrap);
        }
        eventually(&client, "after");
        // What the proxy still has of it reaches the server late, or not at all.
        drop(client);
        let mut connections = 0;
        wait_until("all of it is over", || {
            let now = self.connections();
            if connections != now {
                connections = now;
                println!("{now} connections; {} stay", self.idle);
            }
            now <= self.idle
        });
        let counted = self.counts().iter().zip(before).all(|(after, before)| {
            after.abs_diff(before) <= u64::from(call.effect == Effect::Once)
        });
        assert!(counted, "{name}: it was done twice");
        Some(())
    }

    /// How many the server has.
    fn connections(&self) -> u64 {
        let stats = self.direct.stats().unwrap().remove(0).result.unwrap();
        stats.curr_connections().unwrap()
    }

    fn committed(&self, fault: &Fault) -> u64 {
        let committed = self.proxy.committed();
        committed.get(fault.name()).copied().unwrap_or_default()
    }

    /// What must not be done twice: counters, and how often something was appended or prepended.
    fn counts(&self) -> [u64; 3] {
        let count = |key| self.direct.get::<u64>(key).unwrap().unwrap();
        let joined = self.direct.get::<Item>("joined").unwrap().unwrap();
        let added = joined.data.len() / "more".len();
        [count("count"), count("other-count"), added as u64]
    }
}

fn through_a_proxy(protocol: Protocol, check: impl FnOnce(&Rig)) {
    let rig = Rig::start(protocol);
    check(&rig);
    assert_eq!(rig.proxy.problems(), Vec::<String>::new());
}

/// Some of each kind.
const SOME: [Call; 8] = [
    SINGLE[0],
    SINGLE[3],
    SINGLE[9],
    SINGLE[12],
    MANY[0],
    MANY[1],
    MANY[3],
    PIPELINES[2],
];

fn slow_and_in_pieces(protocol: Protocol) {
    let faults = [
        Fault::Delay(MOMENT),
        Fault::DelayRequest(MOMENT),
        Fault::Drip(Duration::from_micros(200)),
        Fault::Chunks(vec![1, 2, 3, 5, 8, 13, 21]),
    ];
    through_a_proxy(protocol, |rig| {
        for fault in &faults {
            calls::all().for_each(|call| rig.check(fault, &call, false, Sees::Right));
        }
    });
}

fn too_late_or_never(protocol: Protocol) {
    let faults = [
        Fault::Delay(PATIENCE),
        Fault::DelayRequest(PATIENCE),
        Fault::Drip(PATIENCE),
        Fault::Stall { after: 0 },
        Fault::Stall { after: 2 },
        Fault::SwallowRequest,
        Fault::SwallowReply,
    ];
    through_a_proxy(protocol, |rig| {
        for fault in &faults {
            for call in &SOME {
                rig.check(fault, call, false, Sees::Timeout);
            }
        }
        for call in [SINGLE[0], SINGLE[3], SINGLE[12]] {
            rig.check(&Fault::Mute, &call, true, Sees::Timeout);
        }
    });
}

fn cut_and_reset(protocol: Protocol) {
    let before = [
        Fault::Cut { after: 0 },
        Fault::Reset { after: 0 },
        Fault::Hangup,
    ];
    let within = [
        Fault::Cut { after: 1 },
        Fault::Cut { after: 2 },
        Fault::Reset { after: 0 },
        Fault::Reset { after: 2 },
    ];
    through_a_proxy(protocol, |rig| {
        for call in calls::all() {
            for fault in &before {
                let reused = if is_repeatable(&call) {
                    Sees::Right
                } else {
                    Sees::Io
                };
                rig.check(fault, &call, false, reused);
                rig.check(fault, &call, true, Sees::Io);
            }
            for fault in &within {
                rig.check(fault, &call, true, Sees::Io);
            }
        }
        // The reply is whole, and then nobody is there for a while.
        for call in &SOME[..4] {
            rig.check(&Fault::Cut { after: usize::MAX }, call, false, Sees::Right);
            rig.check(&Fault::Refuse(2 * MOMENT), call, false, Sees::Right);
        }
    });
}

fn lies(protocol: Protocol) {
    let faults = [
        Fault::ReplayOwn,
        Fault::ReplayOther,
        Fault::ForgedKey,
        Fault::ForgedOpaque,
        Fault::ForgedCommand,
        Fault::Truncated,
        Fault::BadLength(Length::Huge),
        Fault::BadLength(Length::Negative),
        Fault::BadLength(Length::NotANumber),
        Fault::BadLength(Length::Overflow),
        Fault::EndlessLine,
        Fault::Garbage(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        Fault::Garbage(b"\0\xff\r\n".to_vec()),
    ];
    through_a_proxy(protocol, |rig| {
        for fault in &faults {
            for call in &SINGLE {
                rig.check(fault, call, false, Sees::Protocol);
            }
            // Of several replies it may be the last that is wrong, behind all that were asked for.
            let several = MANY.into_iter().chain(PIPELINES);
            several.for_each(|call| rig.check(fault, &call, false, Sees::RightOrProtocol));
        }
    });
}

/// In text END stands where the line end should be; in meta, nothing does, and it is waited for.
fn no_line_end(protocol: Protocol) {
    through_a_proxy(protocol, |rig| {
        for call in calls::reads() {
            let is_line = rig.protocol == Protocol::Text || !is_single(&call);
            let sees = if is_line {
                Sees::Protocol
            } else {
                Sees::Timeout
            };
            if rig.protocol != Protocol::Binary {
                rig.check(&Fault::NoLineEnd, &call, false, sees);
            }
        }
    });
}

/// The right reply is among it: the caller may have that.
fn too_much(protocol: Protocol) {
    let faults = [
        Fault::Doubled,
        Fault::Surplus(b"VALUE after 0 4\r\nevil\r\nEND\r\n".to_vec()),
        Fault::Surplus(b"\r\n".to_vec()),
        Fault::Stray(b"VALUE after 0 4\r\nevil\r\nEND\r\n".to_vec()),
    ];
    through_a_proxy(protocol, |rig| {
        for fault in &faults {
            calls::all().for_each(|call| rig.check(fault, &call, false, Sees::RightOrProtocol));
        }
    });
}

/// It is waited for, as it is allowed; not a byte of it comes.
fn a_gigabyte_that_is_only_claimed(protocol: Protocol) {
    through_a_proxy(protocol, |rig| {
        let gigabyte = Fault::BadLength(Length::Gigabyte);
        for call in [SINGLE[0], SINGLE[2], MANY[0]] {
            rig.check(&gigabyte, &call, false, Sees::Timeout);
        }
    });
}

/// The proxy, and so the server, is gone between two calls, and back.
fn gone_and_back(protocol: Protocol) {
    through_a_proxy(protocol, |rig| {
        let client = client(rig.proxy.address(), rig.protocol);
        eventually(&client, "key");
        rig.proxy.refuse();
        for call in SOME {
            for result in call.run(&client) {
                let error = result.unwrap_err();
                let is_it = error.is_connect() || error.is_io();
                assert!(is_it && !error.is_timeout(), "{error:?}");
            }
        }
        rig.proxy.clear();
        eventually(&client, "key");
        for call in [Fault::AcceptAndClose, Fault::TooManyConnections] {
            client.close();
            rig.proxy.inject(call);
            let error = client.get::<String>("key").unwrap_err();
            assert!(error.is_io() && !error.is_ambiguous(), "{error:?}");
            eventually(&client, "key");
        }
    });
}

/// Whether there may be no place for it in a reply; then the proxy keeps it for one that has.
fn may_have_no_place(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::ReplayOwn
            | Fault::ReplayOther
            | Fault::ForgedKey
            | Fault::ForgedOpaque
            | Fault::ForgedCommand
            | Fault::Doubled
            | Fault::Truncated
            | Fault::BadLength(_)
    )
}
