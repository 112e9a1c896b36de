//! The circuit breaker in all orders in which threads can come to it, by loom.

use super::*;
use crate::sync::model;
use loom::sync::Arc;
use loom::thread;

/// Back-offs that are over when the next line runs: loom has no clock.
const SHORT: BackOff = BackOff {
    longest: Duration::from_nanos(1),
    steady: Duration::ZERO,
    shortest_wait: Duration::ZERO,
};

fn error() -> Error {
    Error::validation("the reason")
}

fn deadline() -> Deadline {
    Deadline::after(Duration::from_secs(3600), Instant::now())
}

fn fail(breaker: &CircuitBreaker, pass: Pass, evidence: Evidence) -> Verdict {
    breaker.failed(pass, Some(evidence), deadline(), &error())
}

fn open() -> Arc<CircuitBreaker> {
    let breaker = CircuitBreaker::new(SHORT);
    let verdict = fail(&breaker, Pass::Go, Evidence::Dropped);
    assert!(matches!(verdict, Verdict::Open(_)));
    while breaker.circuit() != Circuit::HalfOpen {}
    Arc::new(breaker)
}

/// Runs it in three threads, and gives what each gave.
fn in_threads<T: 'static>(breaker: &Arc<CircuitBreaker>, run: fn(&CircuitBreaker) -> T) -> Vec<T> {
    let other = || {
        let breaker = Arc::clone(breaker);
        thread::spawn(move || run(&breaker))
    };
    let others = [other(), other()];
    let own = run(breaker);
    let others = others.map(|thread| thread.join().unwrap());
    others.into_iter().chain([own]).collect()
}

#[test]
fn one_call_is_the_probe() {
    model(|| {
        let breaker = open();
        let passes = in_threads(&breaker, |breaker| breaker.admit(false).ok());
        let probes = passes.iter().filter(|pass| **pass == Some(Pass::Probe));
        assert_eq!(probes.count(), 1, "{passes:?}");
        assert!(!passes.contains(&Some(Pass::Go)), "{passes:?}");
    });
}

#[test]
fn a_probe_without_a_result_lets_another_be_one() {
    model(|| {
        let breaker = open();
        in_threads(&breaker, |breaker| {
            if let Ok(pass) = breaker.admit(false) {
                breaker.gave_up(pass);
            }
        });
        assert_eq!(breaker.admit(false).ok(), Some(Pass::Probe));
    });
}

#[test]
fn one_answer_finds_the_server_back() {
    model(|| {
        let breaker = open();
        let is_back = in_threads(&breaker, CircuitBreaker::answered);
        assert_eq!(is_back.iter().filter(|is_back| **is_back).count(), 1);
        assert!(!breaker.has_failures());
        assert_eq!(breaker.admit(false).ok(), Some(Pass::Go));
    });
}

/// The way past the lock is open if and only if there is nothing to know.
#[test]
fn trouble_is_noted() {
    model(|| {
        let breaker = Arc::new(CircuitBreaker::new(SHORT));
        let other = {
            let breaker = Arc::clone(&breaker);
            thread::spawn(move || fail(&breaker, Pass::Go, Evidence::Dropped))
        };
        breaker.answered();
        fail(&breaker, Pass::Go, Evidence::Unreachable);
        breaker.answered();
        other.join().unwrap();
        let is_as_new = breaker.lock().breaker.is_as_new();
        assert_eq!(breaker.has_failures(), !is_as_new);
    });
}

#[test]
fn an_open_breaker_says_why() {
    model(|| {
        let breaker = Arc::new(CircuitBreaker::new(SHORT));
        // So that nobody goes past the lock.
        fail(&breaker, Pass::Go, Evidence::Unreachable);
        let other = {
            let breaker = Arc::clone(&breaker);
            thread::spawn(move || fail(&breaker, Pass::Go, Evidence::Dropped))
        };
        if let Err(fault) = breaker.admit(false) {
            assert!(
                matches!(fault, Fault::Down { last: Some(_), .. }),
                "{fault:?}"
            );
        }
        breaker.answered();
        other.join().unwrap();
        let state = breaker.lock();
        assert_eq!(state.reason.is_some(), state.breaker.open.is_some());
    });
}
