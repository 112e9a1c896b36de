//! The circuit breaker of a server: whether a call for it is worth a try.
//!
//! It is closed while the server answers, open while calls fail at once, and half-open when one call, the
//! probe, may find out whether the server is back. What counts against a server is [`Evidence`] about the
//! server: not about a key, a connection, or the machine that the client runs on.
//!
//! [`Breaker`] is pure; [`CircuitBreaker`] gives it a clock, a lock, and a way past the lock while all is
//! well.

use super::deadline::Deadline;
use super::fault::{Evidence, Fault};
use crate::error::Error;
use crate::sync::{AtomicBool, Mutex, MutexGuard};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// The first back-off.
const FIRST: Duration = Duration::from_millis(10);

/// How often in a row connects may fail before it opens: a server that is restarted is not away for long.
const TRIES: u32 = 3;

/// How long a probe keeps others from being one: it may hang for as long as its call has.
const PROBE: Duration = Duration::from_secs(1);

/// The first pause after a refused login, and the longest.
const LOGIN: Duration = Duration::from_secs(1);
const LONGEST_LOGIN: Duration = Duration::from_secs(30);

/// How long a server is not tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BackOff {
    /// The longest back-off; zero for none at all.
    pub(crate) longest: Duration,
    /// How long a server has to answer before its next back-off is a short one again.
    pub(crate) steady: Duration,
    /// A call that waited for the server for less than this says nothing if that did not answer in it.
    pub(crate) shortest_wait: Duration,
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

/// The state of a circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Circuit {
    /// Calls go through.
    Closed,
    /// The next call is the probe.
    HalfOpen,
    /// Calls fail at once.
    Open,
}

/// What is known of a server: time and chance come from outside.
#[derive(Debug, Clone, Copy, Default)]
struct Breaker {
    /// What spoke against it since it answered last.
    failures: u32,
    /// Connects among them.
    connects: u32,
    /// New connections that it closed before it answered. They count once a probe has failed.
    dropped: u32,
    /// When a call was first found to have waited in vain.
    silent_since: Option<Instant>,
    /// Back-offs in a row, each twice as long.
    back_offs: u32,
    open: Option<Open>,
    /// When it was last found to be back.
    back_since: Option<Instant>,
    login: Option<Login>,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    /// The end of the back-off.
    until: Instant,
    /// Until when a probe keeps others from being one, if one is under way.
    probed_until: Option<Instant>,
}

/// A login that was refused. Only new connections log in, so that others go on.
#[derive(Debug, Clone, Copy)]
struct Login {
    refusals: u32,
    since: Instant,
    until: Instant,
}

/// A call that failed.
#[derive(Debug, Clone, Copy)]
struct Failed {
    evidence: Evidence,
    is_probe: bool,
    /// When it began to ask the server.
    began: Instant,
}

/// What follows from a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Nothing,
    /// The idle connections may be as dead as the one that was silent.
    Suspect,
    /// Calls fail at once for so long.
    Open(Duration),
}

impl Open {
    /// When the next probe may begin.
    fn due(&self) -> Instant {
        let until = self.until;
        self.probed_until.map_or(until, |probed| probed.max(until))
    }
}

impl Breaker {
    fn circuit(&self, now: Instant) -> Circuit {
        match self.open {
            None => Circuit::Closed,
            Some(open) if open.due() <= now => Circuit::HalfOpen,
            Some(_) => Circuit::Open,
        }
    }

    fn admit(&mut self, bypass: bool, now: Instant) -> Admission {
        let circuit = self.circuit(now);
        match &mut self.open {
            Some(open) if bypass || circuit == Circuit::HalfOpen => {
                open.probed_until = Some(now + PROBE);
                Admission::Probe
            }
            Some(open) => Admission::Refused(open.due().saturating_duration_since(now)),
            None => Admission::Go,
        }
    }

    /// A complete answer came, on whichever connection; whether the server is back with it.
    fn answered(&mut self, now: Instant, back_off: &BackOff) -> bool {
        (self.failures, self.connects, self.dropped) = (0, 0, 0);
        self.silent_since = None;
        let is_back = self.open.take().is_some();
        if is_back {
            self.back_since = Some(now);
        }
        let has_been = self
            .back_since
            .map(|since| now.saturating_duration_since(since));
        if has_been.is_none_or(|time| time >= back_off.steady) {
            self.back_offs = 0;
        }
        is_back
    }

    /// A call failed. `chance` is from 0 up to 1.
    fn failed(&mut self, failed: Failed, now: Instant, back_off: &BackOff, chance: f64) -> Verdict {
        let Failed {
            evidence,
            is_probe,
            began,
        } = failed;
        // It began before the breaker opened, or before the server was back: what is known is newer.
        let is_late = match self.open {
            Some(_) => !is_probe,
            None => self.back_since.is_some_and(|since| began < since),
        };
        // It waited at the same time as the one that was silent first, on a connection as old.
        let is_same = self.silent_since.is_some_and(|since| began < since);
        if is_late || is_same && evidence == Evidence::Silence {
            return Verdict::Nothing;
        }
        let was_silent = self.silent_since.is_some() && !is_same;
        self.failures = self.failures.saturating_add(1);
        let opens = match evidence {
            Evidence::Silence => {
                self.silent_since.get_or_insert(now);
                was_silent
            }
            Evidence::Unreachable | Evidence::ConnectTimeout => {
                self.connects = self.connects.saturating_add(1);
                self.connects >= TRIES || was_silent && evidence == Evidence::ConnectTimeout
            }
            Evidence::Dropped => true,
        };
        if back_off.longest.is_zero() || !(opens || is_probe) {
            return match evidence {
                Evidence::Silence => Verdict::Suspect,
                _ => Verdict::Nothing,
            };
        }
        let doubled = FIRST.saturating_mul(1 << self.back_offs.min(31));
        let pause = doubled.min(back_off.longest).mul_f64(1.0 - chance / 2.0);
        self.back_offs = self.back_offs.saturating_add(1);
        self.open = Some(Open {
            until: now + pause,
            probed_until: None,
        });
        Verdict::Open(pause)
    }

    /// A new connection was closed before anything came on it. Whether that has happened so often in a row
    /// that the server is to be probed: by itself it says nothing, as proxies close connections on
    /// commands that they do not know.
    fn dropped(&mut self) -> bool {
        self.dropped = self.dropped.saturating_add(1);
        self.dropped >= TRIES
    }

    /// The probe ended without a result.
    fn gave_up(&mut self) {
        if let Some(open) = &mut self.open {
            open.probed_until = None;
        }
    }

    /// The server refused the login of a call that began then.
    fn login_refused(&mut self, began: Instant, now: Instant) {
        let before = self.login.map_or(0, |login| login.refusals);
        if self.login.is_some_and(|login| began < login.since) {
            return;
        }
        let pause = LOGIN.saturating_mul(1 << before.min(31)).min(LONGEST_LOGIN);
        self.login = Some(Login {
            refusals: before.saturating_add(1),
            since: now,
            until: now + pause,
        });
    }

    /// Lets a new connection log in, or says when one may. After a pause one tries.
    fn log_in(&mut self, bypass: bool, now: Instant) -> Result<(), Duration> {
        let Some(login) = &mut self.login else {
            return Ok(());
        };
        let left = login.until.saturating_duration_since(now);
        if !bypass && !left.is_zero() {
            return Err(left);
        }
        login.until = login.until.max(now + PROBE);
        Ok(())
    }

    fn is_as_new(&self) -> bool {
        self.failures == 0
            && self.dropped == 0
            && self.open.is_none()
            && self.back_offs == 0
            && self.login.is_none()
    }
}

/// The circuit breaker of one server, for all threads.
#[derive(Debug)]
pub(super) struct CircuitBreaker {
    back_off: BackOff,
    /// Whether there is more to know than that the server answers: while there is not, the lock is not
    /// needed.
    has_failures: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    breaker: Breaker,
    /// Why it is open.
    reason: Option<Error>,
    /// How the last login was refused.
    refusal: Option<Error>,
}

/// A call that was let through, and what it owes in return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    Go,
    Probe,
}

impl CircuitBreaker {
    pub(super) fn new(back_off: BackOff) -> Self {
        Self {
            back_off,
            has_failures: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }

    /// Whether any failure is on record, which an answer clears.
    pub(super) fn has_failures(&self) -> bool {
        // Whoever finds out too late asks a server that is down once more.
        self.has_failures.load(Ordering::Relaxed)
    }

    pub(super) fn circuit(&self) -> Circuit {
        if !self.has_failures() {
            return Circuit::Closed;
        }
        self.lock().breaker.circuit(Instant::now())
    }

    /// Lets a call through unless it is open; with `bypass`, in any case. Whoever is let through as
    /// the probe says what came of it: [`answered`](Self::answered), [`failed`](Self::failed) or
    /// [`gave_up`](Self::gave_up).
    pub(super) fn admit(&self, bypass: bool) -> Result<Pass, Fault> {
        if !self.has_failures() {
            return Ok(Pass::Go);
        }
        let mut state = self.lock();
        match state.breaker.admit(bypass, Instant::now()) {
            Admission::Go => Ok(Pass::Go),
            Admission::Probe => Ok(Pass::Probe),
            Admission::Refused(retry_in) => Err(Fault::Down {
                failures: state.breaker.failures,
                retry_in,
                last: state.reason.clone(),
            }),
        }
    }

    /// A complete answer came; whether the server is back with it.
    pub(super) fn answered(&self) -> bool {
        if !self.has_failures() {
            return false;
        }
        let mut state = self.lock();
        let is_back = state.breaker.answered(Instant::now(), &self.back_off);
        state.reason = None;
        self.note(&state);
        is_back
    }

    /// A call that asked the server within `deadline` failed, which says so much about the server.
    pub(super) fn failed(
        &self,
        pass: Pass,
        evidence: Option<Evidence>,
        deadline: Deadline,
        error: &Error,
    ) -> Verdict {
        let Some(evidence) = evidence.filter(|it| self.is_telling(*it, deadline)) else {
            self.gave_up(pass);
            return Verdict::Nothing;
        };
        let mut state = self.lock();
        let failed = Failed {
            evidence,
            is_probe: pass == Pass::Probe,
            began: deadline.started(),
        };
        let breaker = &mut state.breaker;
        let verdict = breaker.failed(failed, Instant::now(), &self.back_off, chance());
        if matches!(verdict, Verdict::Open(_)) {
            state.reason = Some(error.clone());
        }
        self.note(&state);
        verdict
    }

    /// Whether the server had enough time.
    fn is_telling(&self, evidence: Evidence, deadline: Deadline) -> bool {
        let is_timeout = matches!(evidence, Evidence::ConnectTimeout | Evidence::Silence);
        let had = deadline.duration();
        !is_timeout || had.is_none_or(|time| time >= self.back_off.shortest_wait)
    }

    /// A new connection was closed before anything came on it; whether the server is to be probed.
    pub(super) fn dropped(&self) -> bool {
        if self.back_off.longest.is_zero() {
            return false;
        }
        let mut state = self.lock();
        let is_suspect = state.breaker.dropped();
        self.note(&state);
        is_suspect
    }

    /// A call ended without a result.
    pub(super) fn gave_up(&self, pass: Pass) {
        if pass == Pass::Probe {
            self.lock().breaker.gave_up();
        }
    }

    /// The server refused a login, and has answered thereby.
    pub(super) fn login_refused(&self, deadline: Deadline, error: &Error) {
        if self.back_off.longest.is_zero() {
            return;
        }
        let mut state = self.lock();
        let began = deadline.started();
        state.breaker.login_refused(began, Instant::now());
        state.refusal = Some(error.clone());
        self.note(&state);
    }

    /// Lets a new connection log in, unless the server has just refused a login.
    pub(super) fn log_in(&self, bypass: bool) -> Result<(), Fault> {
        if !self.has_failures() {
            return Ok(());
        }
        let mut state = self.lock();
        let allowed = state.breaker.log_in(bypass, Instant::now());
        allowed.map_err(|retry_in| Fault::LoginPaused {
            retry_in,
            last: state.refusal.clone(),
        })
    }

    /// A new connection logged in.
    pub(super) fn logged_in(&self) {
        if self.has_failures() {
            let mut state = self.lock();
            (state.breaker.login, state.refusal) = (None, None);
            self.note(&state);
        }
    }

    fn note(&self, state: &State) {
        let has_failures = !state.breaker.is_as_new();
        self.has_failures.store(has_failures, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
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
#[path = "breaker_tests.rs"]
mod tests;

#[cfg(all(loom, test))]
#[path = "breaker_models.rs"]
mod models;
