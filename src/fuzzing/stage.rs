//! Plays a [`Script`]: the pool on one side, the server's ends of its connections on the other.

use super::genuine::is_genuine;
use super::script::{End, Script};
use crate::conn::{
    BackOff, Batch, Deadline, Exchange, Options, Peer, Pool, Protocol, ReplyHandler, State, Wait,
};
use crate::error::Error;
use crate::event::Hook;
use crate::protocol::{Bounds, Hit, Line, Malformed, Reply, Request};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A value and a line may be so long here.
const BOUNDS: Bounds = Bounds {
    value: 1 << 10,
    line: 1 << 10,
    queues: false,
};

/// The most lines that the handler takes for one request.
const MOST_PARTS: usize = 50;

/// The deadline of what does not wait for anything.
const LONG: Duration = Duration::from_secs(20);

/// Longer than a connection idles without being looked at.
const LATER: Duration = Duration::from_secs(1);

/// Far more steps than a conversation can take.
const MOST_STEPS: usize = 1_000_000;

/// The length of the questions what a server speaks.
const QUESTION: isize = b"version\r\nmn\r\n".len() as isize;

/// How a script is played.
pub(super) enum Way<'w> {
    /// The client comes back where it would wait, and then the next bytes are sent, in pieces of
    /// these lengths in turn.
    InPieces([usize; 2]),
    /// All that was sent in these scenes is sent before the client begins, and it waits in its calls.
    AtOnce(&'w [Scene; 2]),
}

/// What came of a batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scene {
    answers: Vec<Answers>,
    /// Whether the connection went on.
    is_pooled: bool,
    /// Which of the script's scenes were ended while the client waited.
    is_ended: [bool; 3],
    /// Whether one was ended in a way that a call cannot wait for.
    pub(super) needs_somebody: bool,
    /// How many connections were made for it.
    connections: usize,
}

#[derive(Debug, PartialEq, Eq, Default)]
struct Answers {
    parts: Vec<String>,
    all: Vec<Answer>,
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Value(Hit<'static>),
    Reply(String),
    Failed(Failure),
}

#[derive(Debug, PartialEq, Eq)]
struct Failure {
    text: String,
    is_ambiguous: bool,
    is_unsupported: bool,
    is_connect: bool,
}

/// Plays both scenes.
pub(super) fn play(script: &Script<'_>, way: &Way<'_>) -> [Scene; 2] {
    let options = Options {
        protocol: script.protocol,
        credentials: None,
        tls: None,
        nodelay: true,
        connect_timeout: None,
        bounds: BOUNDS,
        max_keys: script.max_keys,
        max_connections: 1,
        max_idle: 1,
        idle_timeout: Duration::MAX,
        back_off: BackOff {
            longest: Duration::ZERO,
            steady: Duration::ZERO,
            shortest_wait: Duration::ZERO,
        },
        hook: Hook::default(),
    };
    let pool = Pool::scripted(options);
    let mut stage = Stage {
        script,
        pool: &pool,
        start: Instant::now(),
        connected: Vec::new(),
        connections: 0,
        received: Some(0),
    };
    let first = stage.play(0, way);
    stage.turn_the_page(first.is_pooled);
    let second = stage.play(1, way);
    [first, second]
}

struct Stage<'s> {
    script: &'s Script<'s>,
    pool: &'s Arc<Pool>,
    start: Instant,
    /// Those that the client had since the scene began; the last is the one in use.
    connected: Vec<Connection<'s>>,
    connections: usize,
    /// How much the client has sent since then, where that is known.
    received: Option<isize>,
}

/// The server's end of a connection.
struct Connection<'s> {
    /// `None` once it is closed.
    peer: Option<Peer>,
    /// The place in [`Script::scenes`].
    scene: usize,
    unsent: &'s [u8],
    /// How many pieces were sent.
    pieces: usize,
    is_ended: bool,
}

impl<'s> Stage<'s> {
    /// Plays the scene of one batch, and judges it.
    fn play(&mut self, index: usize, way: &Way<'_>) -> Scene {
        let requests = &self.script.batches[index];
        let mut handler = Recorder {
            answers: requests.iter().map(|_| Answers::default()).collect(),
        };
        let mut scene = Scene {
            answers: Vec::new(),
            is_pooled: false,
            is_ended: [false; 3],
            needs_somebody: false,
            connections: 0,
        };
        let connections = self.connections;
        let is_later = index == 1 && self.script.is_looked_at;
        let started = self.start + if is_later { LATER } else { Duration::ZERO };
        let deadline = Deadline::after(LONG, started);
        let batch = Batch {
            requests,
            first: 0,
            is_checked: false,
            bypasses_breaker: false,
            is_many: false,
            is_step: false,
        };
        match way {
            Way::InPieces(pieces) => {
                if index == 1 && self.script.is_early {
                    self.send(pieces);
                }
                self.converse(batch, deadline, pieces, &mut handler, &mut scene);
            }
            Way::AtOnce(played) => {
                self.send_all(&played[index]);
                self.pool.exchange(batch, &mut handler, deadline);
                scene.is_ended = played[index].is_ended;
            }
        }
        self.drain();
        scene.connections = self.connections - connections;
        scene.answers = handler.answers;
        // What nobody waits for comes now, at the latest; and is found.
        self.send(&[usize::MAX]);
        scene.is_pooled = self.pool.has_idle(self.start + LATER);
        self.judge(requests, &scene);
        scene
    }

    /// The client's side, in steps; what the server does, whenever the client waits.
    fn converse(
        &mut self,
        batch: Batch<'s>,
        deadline: Deadline,
        pieces: &[usize],
        handler: &mut Recorder,
        scene: &mut Scene,
    ) {
        let mut exchange = self.pool.converse(batch, deadline);
        let mut state = exchange.begin(Wait::No, handler);
        for _ in 0..MOST_STEPS {
            match state {
                State::Done => return,
                State::Closed => {
                    self.connect();
                    exchange.open();
                }
                State::Waiting => self.act(&mut *exchange, pieces, scene),
                State::Running => {}
            }
            state = exchange.step(Wait::No, handler);
        }
        panic!("it has no end: {state:?}, {scene:?}");
    }

    /// A connection is going to be made. There are two at most.
    fn connect(&mut self) {
        if self.connections == 2 {
            return;
        }
        let peer = self.pool.accept();
        if self.pool.asks() {
            // This is no part of the batch.
            self.received = self.received.map(|received| received - QUESTION);
            peer.send(self.script.greeting);
        }
        let scene = if self.connections == 0 { 0 } else { 2 };
        self.connections += 1;
        self.connected.push(Connection {
            peer: Some(peer),
            scene,
            unsent: self.script.scenes[scene].0,
            pieces: 0,
            is_ended: false,
        });
    }

    /// The client waits: the next piece is sent; or there is none, and what comes after the last is
    /// done.
    fn act(&mut self, exchange: &mut dyn Exchange, pieces: &[usize], scene: &mut Scene) {
        if self.script.is_read {
            self.drain();
        }
        let Some(connection) = self.connected.last() else {
            return;
        };
        if connection.peer.as_ref().is_some_and(|peer| !peer.is_read()) {
            return;
        }
        if !connection.unsent.is_empty() {
            self.send(pieces);
        } else if !connection.is_ended {
            let (number, end) = (connection.scene, self.script.scenes[connection.scene].1);
            scene.is_ended[number] = true;
            scene.needs_somebody |= end != End::Finish;
            if end == End::Silence {
                exchange.set_deadline(Deadline::after(Duration::from_nanos(1), self.start));
            }
            self.end();
        }
    }

    /// Sends the next piece on the connection in use.
    fn send(&mut self, pieces: &[usize]) {
        let Some(connection) = self.connected.last_mut() else {
            return;
        };
        let length = pieces[connection.pieces % pieces.len()].max(1);
        let (piece, unsent) = connection
            .unsent
            .split_at(length.min(connection.unsent.len()));
        if let Some(peer) = connection.peer.as_ref().filter(|_| !connection.is_ended) {
            peer.send(piece);
        }
        connection.unsent = unsent;
        connection.pieces += 1;
    }

    /// Ends the connection in use as the script says.
    fn end(&mut self) {
        if self.script.is_read {
            self.drain();
        }
        let Some(connection) = self.connected.last_mut() else {
            return;
        };
        connection.is_ended = true;
        match self.script.scenes[connection.scene].1 {
            End::Silence => {}
            End::Finish => {
                if let Some(peer) = &connection.peer {
                    peer.finish();
                }
            }
            End::Close => {
                connection.peer = None;
                if !self.script.is_read {
                    self.received = None;
                }
            }
        }
    }

    /// All that was sent when this scene was played.
    fn send_all(&mut self, played: &Scene) {
        if self
            .connected
            .last()
            .is_some_and(|connection| !connection.is_ended)
        {
            self.send(&[usize::MAX]);
            if played.is_ended[1] {
                self.end();
            }
        }
        for _ in 0..played.connections {
            self.connect();
            self.send(&[usize::MAX]);
            let connection = self.connected.last();
            if connection.is_some_and(|connection| played.is_ended[connection.scene]) {
                self.end();
            }
        }
    }

    /// Reads what the client sent.
    fn drain(&mut self) {
        for peer in self
            .connected
            .iter()
            .filter_map(|connection| connection.peer.as_ref())
        {
            let drained = peer.drain() as isize;
            self.received = self.received.map(|received| received + drained);
        }
    }

    /// The first scene is over. The server may end the connection that idles now.
    fn turn_the_page(&mut self, is_pooled: bool) {
        if !is_pooled {
            self.connected.clear();
            // Whether what is too much was found in the socket or had been read already.
            self.pool.forget();
        }
        if let Some(connection) = self.connected.last() {
            if !connection.is_ended && self.script.scenes[0].1 != End::Silence {
                self.end();
            }
        }
        if let Some(connection) = self.connected.last_mut() {
            connection.scene = 1;
            connection.unsent = self.script.scenes[1].0;
            connection.pieces = 0;
        }
        // What was closed without being read is of the first scene.
        self.received = Some(0);
    }

    /// Holds what came of the requests to the laws.
    fn judge(&self, requests: &[Request<'_>], scene: &Scene) {
        let sent = self
            .connected
            .iter()
            .map(|connection| self.script.scenes[connection.scene].0);
        let sent: Vec<&[u8]> = sent.collect();
        for (request, Answers { all, .. }) in requests.iter().zip(&scene.answers) {
            let may_be_repeated = request.body().is_some()
                && matches!(self.script.protocol, Protocol::Meta | Protocol::Auto);
            let most = if may_be_repeated { 2 } else { 1 };
            assert!((1..=most).contains(&all.len()), "{request:?}: {all:?}");
            for answer in all {
                match answer {
                    Answer::Value(hit) => assert!(
                        sent.iter().any(|sent| is_genuine(sent, request, hit)),
                        "{request:?}: {answer:?}"
                    ),
                    Answer::Reply(_) => {}
                    Answer::Failed(failure) => {
                        assert!(request.is_write() || !failure.is_ambiguous, "{failure:?}");
                        assert!(
                            self.received != Some(0) || !failure.is_ambiguous,
                            "{failure:?}"
                        );
                        assert!(!scene.is_pooled || failure.is_unsupported, "{failure:?}");
                    }
                }
            }
        }
        // The first request is sent before all others.
        if let Some(Answer::Failed(failure)) = scene.answers[0].all.last() {
            let is_sent = self.received.is_some_and(|received| received > 0);
            let is_sure = failure.is_connect || failure.is_unsupported;
            let is_sure = is_sure || !requests[0].is_write() || !is_sent;
            assert!(is_sure || failure.is_ambiguous, "{failure:?}");
        }
    }
}

/// Takes whatever comes.
struct Recorder {
    answers: Vec<Answers>,
}

impl ReplyHandler for Recorder {
    /// One that was used before.
    fn buffer(&mut self, _: usize) -> Vec<u8> {
        vec![0xaa; 100]
    }

    fn line(&mut self, index: usize, line: Line<'_>) -> Result<(), Malformed> {
        let parts = &mut self.answers[index].parts;
        if parts.len() == MOST_PARTS {
            return Err(Malformed::TooManyStats(MOST_PARTS));
        }
        parts.push(format!("{line:?}"));
        Ok(())
    }

    fn reply(&mut self, index: usize, reply: Result<Reply<'_>, Error>) {
        self.answers[index].all.push(match reply {
            Ok(Reply::Hit(hit)) => Answer::Value(hit.into_owned()),
            Ok(reply) => Answer::Reply(format!("{reply:?}")),
            Err(error) => Answer::Failed(Failure {
                text: error.to_string(),
                is_ambiguous: error.is_ambiguous(),
                is_unsupported: error.is_unsupported(),
                is_connect: error.is_connect(),
            }),
        });
    }
}
