//! Whether a server is worth a try: it fails at once while it is known not to answer.
//!
//! [`Health`] is pure; [`Guard`] gives it a clock, a lock, and a way past the lock while all is well.

use super::deadline::Deadline;
use super::fault::Fault;
use crate::error::Error;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The first pause.
const FIRST: Duration = Duration::from_millis(10);

/// How often in a row a connection may fail before there is a pause: a server that is restarted is
/// not away for long. For a timeout there is one at once: the next would cost as much.
const TRIES: u32 = 3;

/// How long a probe keeps others from being one. It may hang for as long as its call has, or be part of
/// one that takes its time: by then another finds out whether the server is back.
const PROBE: Duration = Duration::from_secs(1);

/// How long a server is left alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BackOff {
    /// The longest pause; zero for none at all.
    pub(crate) longest: Duration,
    /// How long a server has to answer before its next pause is a short one again.
    pub(crate) steady: Duration,
    /// A call that had less time than this for the server says nothing if that did not answer in it.
    pub(crate) patience: Duration,
}

/// How a server failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// It took no connection, or dropped one.
    Refused,
    /// It did not answer in time.
    TimedOut,
}

impl Failure {
    /// What a fault says about the server; `None` where it says nothing.
    pub(super) fn of(fault: &Fault) -> Option<Self> {
        match fault {
            Fault::Resolve(_) | Fault::Connect(_) | Fault::TooManyConnections | Fault::Lost(_) => {
                Some(Self::Refused)
            }
            Fault::ConnectTimeout(_) | Fault::HandshakeTimeout(_) | Fault::Timeout => {
                Some(Self::TimedOut)
            }
            Fault::Authentication(_)
            | Fault::NoAuthentication
            | Fault::Malformed(_)
            | Fault::AllInUse(_)
            | Fault::OutOfStep
            | Fault::Down { .. }
            | Fault::Unsupported(_) => None,
        }
    }
}

/// Whether a call may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Admission {
    Go,
    /// To find out whether the server is back. Others are refused meanwhile, for up to [`PROBE`].
    Probe,
    /// Not for so long.
    Refused(Duration),
}

/// How a server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Up,
    /// It was down, and the next call is to find out whether it still is.
    Due,
    Down,
}

/// What is known of a server: time and chance come from outside.
#[derive(Debug, Clone, Copy, Default)]
struct Health {
    /// Failures in a row.
    failures: u32,
    /// Pauses in a row, each twice as long.
    pauses: u32,
    down: Option<Down>,
    /// When it was last found to be back.
    back_since: Option<Instant>,
}

/// A call that failed.
#[derive(Debug, Clone, Copy)]
struct Failed {
    failure: Failure,
    is_probe: bool,
    /// When it began to ask the server.
    began: Instant,
}

#[derive(Debug, Clone, Copy)]
struct Down {
    /// The end of the pause.
    until: Instant,
    /// Until when a probe keeps others from being one, if one is under way.
    probed_until: Option<Instant>,
}

impl Down {
    /// When the next probe may begin.
    fn due(&self) -> Instant {
        let until = self.until;
        self.probed_until.map_or(until, |probed| probed.max(until))
    }
}

impl Health {
    fn standing(&self, now: Instant) -> Standing {
        match self.down {
            None => Standing::Up,
            Some(down) if down.due() <= now => Standing::Due,
            Some(_) => Standing::Down,
        }
    }

    fn admit(&mut self, insists: bool, now: Instant) -> Admission {
        let standing = self.standing(now);
        match (&mut self.down, standing) {
            (Some(down), _) if insists || standing == Standing::Due => {
                down.probed_until = Some(now + PROBE);
                Admission::Probe
            }
            (Some(down), _) => Admission::Refused(down.due().saturating_duration_since(now)),
            (None, _) => Admission::Go,
        }
    }

    /// A call succeeded; whether the server is back with it. While it is down only the probe counts:
    /// others began before it was.
    fn succeeded(&mut self, is_probe: bool, now: Instant, back_off: &BackOff) -> bool {
        if self.down.is_some() && !is_probe {
            return false;
        }
        self.failures = 0;
        let is_back = self.down.take().is_some();
        if is_back {
            self.back_since = Some(now);
        }
        let has_been = self
            .back_since
            .map(|since| now.saturating_duration_since(since));
        if has_been.is_none_or(|time| time >= back_off.steady) {
            self.pauses = 0;
        }
        is_back
    }

    /// A call failed. How long the server is left alone from now on, where that is news. `chance` is
    /// from 0 up to 1.
    fn failed(
        &mut self,
        failed: Failed,
        now: Instant,
        back_off: &BackOff,
        chance: f64,
    ) -> Option<Duration> {
        let Failed {
            failure,
            is_probe,
            began,
        } = failed;
        // It began before the server was down, or before it was back: what is known is newer.
        let is_late = match self.down {
            Some(_) => !is_probe,
            None => self.back_since.is_some_and(|since| began < since),
        };
        if back_off.longest.is_zero() || is_late {
            return None;
        }
        self.failures = self.failures.saturating_add(1);
        let has_just_been_down = is_probe || self.pauses > 0;
        if failure == Failure::Refused && self.failures < TRIES && !has_just_been_down {
            return None;
        }
        let doubled = FIRST.saturating_mul(1 << self.pauses.min(31));
        let pause = doubled.min(back_off.longest).mul_f64(1.0 - chance / 2.0);
        self.pauses = self.pauses.saturating_add(1);
        self.down = Some(Down {
            until: now + pause,
            probed_until: None,
        });
        Some(pause)
    }

    /// The probe ended without a result.
    fn gave_up(&mut self) {
        if let Some(down) = &mut self.down {
            down.probed_until = None;
        }
    }

    fn is_as_new(&self) -> bool {
        self.failures == 0 && self.down.is_none() && self.pauses == 0
    }
}

/// The health of one server, for all threads.
#[derive(Debug)]
pub(super) struct Guard {
    back_off: BackOff,
    /// Whether there is more to know than that it answers: while there is not, the lock is not needed.
    is_troubled: AtomicBool,
    state: Mutex<Troubles>,
}

#[derive(Debug, Default)]
struct Troubles {
    health: Health,
    /// How it failed last.
    last: Option<Error>,
}

/// A call that a server may be asked for, and what it owes in return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    Go,
    Probe,
}

impl Guard {
    pub(super) fn new(back_off: BackOff) -> Self {
        Self {
            back_off,
            is_troubled: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }

    /// The usual case.
    pub(super) fn is_troubled(&self) -> bool {
        // Whoever finds out too late asks a server that is down once more.
        self.is_troubled.load(Ordering::Relaxed)
    }

    pub(super) fn standing(&self) -> Standing {
        if !self.is_troubled() {
            return Standing::Up;
        }
        self.lock().health.standing(Instant::now())
    }

    /// Lets a call through, unless the server is down; one that `insists`, in any case. Whoever
    /// is let through says what came of it:
    /// [`succeeded`](Self::succeeded), [`failed`](Self::failed) or [`gave_up`](Self::gave_up).
    pub(super) fn admit(&self, insists: bool) -> Result<Pass, Fault> {
        if !self.is_troubled() {
            return Ok(Pass::Go);
        }
        let mut troubles = self.lock();
        match troubles.health.admit(insists, Instant::now()) {
            Admission::Go => Ok(Pass::Go),
            Admission::Probe => Ok(Pass::Probe),
            Admission::Refused(retry_in) => Err(Fault::Down {
                failures: troubles.health.failures,
                retry_in,
                last: troubles.last.clone(),
            }),
        }
    }

    /// Whether the server is back.
    pub(super) fn succeeded(&self, pass: Pass) -> bool {
        if !self.is_troubled() {
            return false;
        }
        let mut troubles = self.lock();
        let is_probe = pass == Pass::Probe;
        let health = &mut troubles.health;
        let is_back = health.succeeded(is_probe, Instant::now(), &self.back_off);
        if troubles.health.is_as_new() {
            troubles.last = None;
            self.is_troubled.store(false, Ordering::Relaxed);
        }
        is_back
    }

    /// A call that asked the server within `deadline` failed. How long the server is left alone now,
    /// where that is news.
    pub(super) fn failed(
        &self,
        pass: Pass,
        failure: Option<Failure>,
        deadline: Deadline,
        error: &Error,
    ) -> Option<Duration> {
        let allotted = deadline.allotted();
        let was_patient = allotted.is_none_or(|time| time >= self.back_off.patience);
        let telling = failure.filter(|failure| *failure != Failure::TimedOut || was_patient);
        let Some(failure) = telling else {
            self.gave_up(pass);
            return None;
        };
        let mut troubles = self.lock();
        let failed = Failed {
            failure,
            is_probe: pass == Pass::Probe,
            began: deadline.started(),
        };
        let health = &mut troubles.health;
        let pause = health.failed(failed, Instant::now(), &self.back_off, chance());
        if pause.is_some() {
            troubles.last = Some(error.clone());
        }
        let is_troubled = !troubles.health.is_as_new();
        self.is_troubled.store(is_troubled, Ordering::Relaxed);
        pause
    }

    /// A call ended without a result.
    pub(super) fn gave_up(&self, pass: Pass) {
        if pass == Pass::Probe {
            self.lock().health.gave_up();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Troubles> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// From 0 up to 1, so that the clients of a server that is back do not all come at the same time.
fn chance() -> f64 {
    let random = RandomState::new().hash_one(0) >> 32;
    f64::from(u32::try_from(random).unwrap_or_default()) / f64::from(u32::MAX)
}

#[cfg(test)]
#[path = "health_tests.rs"]
mod tests;
