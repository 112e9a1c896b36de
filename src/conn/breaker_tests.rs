//! The pure part: what a server is taken for, after what happened to it and when. That each fault is taken
//! for the right evidence, `tests/faults/breaker.rs` shows with sockets.

use super::*;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

const FORGETS: BackOff = BackOff {
    longest: SECOND,
    steady: Duration::ZERO,
    shortest_wait: Duration::ZERO,
};

/// As for a ring that must not flap.
const REMEMBERS: BackOff = BackOff {
    steady: SECOND,
    ..FORGETS
};

const CONNECTS: [Evidence; 2] = [Evidence::Unreachable, Evidence::ConnectTimeout];

/// A call fails as soon as it begins.
fn fail(breaker: &mut Breaker, evidence: Evidence, now: Instant) -> Verdict {
    fail_in(breaker, evidence, false, now, &FORGETS)
}

fn fail_in(
    breaker: &mut Breaker,
    evidence: Evidence,
    is_probe: bool,
    now: Instant,
    back_off: &BackOff,
) -> Verdict {
    let failed = Failed {
        evidence,
        is_probe,
        began: now,
    };
    breaker.failed(failed, now, back_off, 0.0)
}

/// Opens it at once.
fn opened(now: Instant) -> Breaker {
    let mut breaker = Breaker::default();
    let verdict = fail(&mut breaker, Evidence::Dropped, now);
    assert_eq!(verdict, Verdict::Open(10 * MS));
    breaker
}

#[test]
fn connects_that_fail_open_it_at_the_third_in_a_row() {
    for evidence in CONNECTS {
        let (now, mut breaker) = (Instant::now(), Breaker::default());
        for _ in 0..2 {
            assert_eq!(fail(&mut breaker, evidence, now), Verdict::Nothing);
            assert_eq!(breaker.admit(false, now), Admission::Go);
        }
        assert!(!breaker.answered(now, &FORGETS)); // Not in a row.
        assert!(breaker.is_as_new());
        for _ in 0..2 {
            assert_eq!(fail(&mut breaker, evidence, now), Verdict::Nothing);
        }
        let verdict = fail(&mut breaker, evidence, now);
        assert_eq!(verdict, Verdict::Open(10 * MS));
        assert_eq!(breaker.admit(false, now), Admission::Refused(10 * MS));
        assert_eq!(breaker.circuit(now + 9 * MS), Circuit::Open);
        assert_eq!(breaker.circuit(now + 10 * MS), Circuit::HalfOpen);
    }
}

#[test]
fn silence_opens_it_at_the_second_in_a_row() {
    let (now, mut breaker) = (Instant::now(), Breaker::default());
    for _ in 0..3 {
        let verdict = fail(&mut breaker, Evidence::Silence, now);
        assert_eq!(verdict, Verdict::Suspect, "the first fails no other call");
        assert_eq!(breaker.admit(false, now), Admission::Go);
        breaker.answered(now, &FORGETS);
        assert!(breaker.is_as_new());
    }
    let verdict = fail(&mut breaker, Evidence::Silence, now);
    assert_eq!(verdict, Verdict::Suspect);
    let verdict = fail(&mut breaker, Evidence::Silence, now + MS);
    assert_eq!(verdict, Verdict::Open(10 * MS));
    assert_eq!(breaker.admit(false, now + MS), Admission::Refused(10 * MS));
}

/// They were sent before the first was found to be silent, on connections as old.
#[test]
fn silent_calls_at_the_same_time_are_one() {
    let (began, mut breaker) = (Instant::now(), Breaker::default());
    let silent = Failed {
        evidence: Evidence::Silence,
        is_probe: false,
        began,
    };
    let verdicts = [1000, 1001, 1500].map(|after| {
        let now = began + after * MS;
        breaker.failed(silent, now, &FORGETS, 0.0)
    });
    let nothing = Verdict::Nothing;
    assert_eq!(verdicts, [Verdict::Suspect, nothing, nothing]);
    let now = began + 1600 * MS;
    assert_eq!(breaker.admit(false, now), Admission::Go);
    let verdict = fail(&mut breaker, Evidence::Silence, now);
    assert_eq!(verdict, Verdict::Open(10 * MS));
}

/// After a silent call the next one connects: where that hangs as well, the server is dead, and has cost
/// two timeouts.
#[test]
fn a_connect_that_hangs_after_a_silent_call_is_the_second() {
    let (now, mut breaker) = (Instant::now(), Breaker::default());
    fail(&mut breaker, Evidence::Silence, now);
    let verdict = fail(&mut breaker, Evidence::ConnectTimeout, now + MS);
    assert_eq!(verdict, Verdict::Open(10 * MS));

    // One that is refused costs nothing.
    let mut breaker = Breaker::default();
    fail(&mut breaker, Evidence::Silence, now);
    for _ in 0..2 {
        let verdict = fail(&mut breaker, Evidence::Unreachable, now + MS);
        assert_eq!(verdict, Verdict::Nothing);
    }
}

#[test]
fn connections_that_are_dropped_count_once_a_probe_failed() {
    let (now, mut breaker) = (Instant::now(), Breaker::default());
    assert!(!breaker.dropped() && !breaker.dropped());
    assert!(breaker.dropped());
    assert_eq!(breaker.admit(false, now), Admission::Go);
    breaker.answered(now, &FORGETS); // The probe.
    assert!(breaker.is_as_new());
    assert!(!breaker.dropped());
    let verdict = fail(&mut breaker, Evidence::Dropped, now);
    assert_eq!(verdict, Verdict::Open(10 * MS));
}

#[test]
fn one_probe_at_a_time() {
    let now = Instant::now();
    let mut breaker = opened(now);
    let later = now + 10 * MS;
    assert_eq!(breaker.admit(false, later), Admission::Probe);
    assert_eq!(breaker.circuit(later), Circuit::Open);
    assert_eq!(breaker.admit(false, later), Admission::Refused(PROBE));
    breaker.gave_up();
    assert_eq!(breaker.admit(false, later), Admission::Probe);
    assert!(breaker.answered(later, &FORGETS));
    assert_eq!(breaker.admit(false, later), Admission::Go);
    assert!(breaker.is_as_new());
}

#[test]
fn a_probe_that_hangs_is_not_waited_for() {
    let now = Instant::now();
    let mut breaker = opened(now);
    let later = now + 10 * MS;
    assert_eq!(breaker.admit(false, later), Admission::Probe);
    let almost = later + 999 * MS;
    assert_eq!(breaker.admit(false, almost), Admission::Refused(MS));
    let later = later + PROBE;
    assert_eq!(breaker.circuit(later), Circuit::HalfOpen);
    assert_eq!(breaker.admit(false, later), Admission::Probe);
    assert_eq!(breaker.admit(false, later), Admission::Refused(PROBE));
    assert!(breaker.answered(later, &FORGETS));
    // What becomes of the first is old news then.
    let first = Failed {
        evidence: Evidence::Silence,
        is_probe: true,
        began: now + 10 * MS,
    };
    let verdict = breaker.failed(first, later + SECOND, &FORGETS, 0.0);
    assert_eq!(verdict, Verdict::Nothing);
    assert_eq!(breaker.admit(false, later), Admission::Go);
}

#[test]
fn one_that_bypasses_the_breaker_is_a_probe() {
    let now = Instant::now();
    let mut breaker = opened(now);
    assert_eq!(breaker.admit(true, now), Admission::Probe);
    assert!(breaker.answered(now, &FORGETS));
    assert!(breaker.is_as_new());
}

/// One that was under way when it opened, for one.
#[test]
fn any_answer_closes_it() {
    let now = Instant::now();
    let mut breaker = opened(now);
    assert!(breaker.answered(now + MS, &FORGETS));
    assert_eq!(breaker.admit(false, now + MS), Admission::Go);
}

#[test]
fn back_offs_double_up_to_the_longest() {
    let mut now = Instant::now();
    let mut breaker = opened(now);
    let mut pauses = vec![10 * MS];
    for _ in 0..8 {
        now += *pauses.last().unwrap();
        assert_eq!(breaker.admit(false, now), Admission::Probe);
        let verdict = fail_in(&mut breaker, Evidence::Unreachable, true, now, &FORGETS);
        let Verdict::Open(pause) = verdict else {
            panic!("{verdict:?}");
        };
        pauses.push(pause);
    }
    let expected = [10, 20, 40, 80, 160, 320, 640, 1000, 1000].map(|count| count * MS);
    assert_eq!(pauses, expected);
    // Back to the shortest once it has answered.
    assert!(breaker.answered(now + SECOND, &FORGETS));
    let verdict = fail(&mut breaker, Evidence::Dropped, now + SECOND);
    assert_eq!(verdict, Verdict::Open(10 * MS));
}

#[test]
fn back_offs_may_be_long() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    for (longest, last) in [(DAY, DAY), (Duration::MAX, 10 * MS * (1 << 31))] {
        let back_off = BackOff { longest, ..FORGETS };
        let (mut now, mut breaker) = (Instant::now(), Breaker::default());
        let mut verdict = Verdict::Nothing;
        for _ in 0..35 {
            verdict = fail_in(&mut breaker, Evidence::Silence, true, now, &back_off);
            let Verdict::Open(pause) = verdict else {
                panic!("{verdict:?}");
            };
            now += pause;
        }
        assert_eq!(verdict, Verdict::Open(last));
    }
}

#[test]
fn calls_that_began_before_it_opened_say_nothing_if_they_fail() {
    let now = Instant::now();
    let mut breaker = opened(now);
    for _ in 0..7 {
        let verdict = fail(&mut breaker, Evidence::Unreachable, now + MS);
        assert_eq!(verdict, Verdict::Nothing);
    }
    assert_eq!(breaker.admit(false, now + MS), Admission::Refused(9 * MS));
}

/// They began before the server was back, and fail after it.
#[test]
fn slow_calls_that_began_before_say_nothing() {
    for back_off in [FORGETS, REMEMBERS] {
        let now = Instant::now();
        let mut breaker = opened(now);
        let back = now + 10 * MS;
        assert!(breaker.answered(back, &back_off));
        for evidence in [Evidence::Silence, Evidence::Unreachable, Evidence::Dropped] {
            let slow = Failed {
                evidence,
                is_probe: false,
                began: now + 9 * MS,
            };
            let verdict = breaker.failed(slow, back + SECOND, &back_off, 0.0);
            assert_eq!(verdict, Verdict::Nothing);
        }
        assert_eq!(breaker.circuit(back + SECOND), Circuit::Closed);
        assert!(!breaker.answered(back + SECOND, &back_off));
        assert!(breaker.is_as_new());
    }
}

/// A call that waited elsewhere for most of its time says nothing about a server that had the rest.
#[test]
fn what_a_server_had_no_time_for() {
    let breaker = CircuitBreaker::new(BackOff {
        shortest_wait: 50 * MS,
        ..FORGETS
    });
    let error = Error::validation("");
    let failed = |deadline| {
        let evidence = Some(Evidence::ConnectTimeout);
        breaker.failed(Pass::Go, evidence, deadline, &error)
    };
    let (now, second) = (Instant::now(), Deadline::after(SECOND, Instant::now()));
    for _ in 0..5 {
        assert_eq!(failed(second.restarted(now + 951 * MS)), Verdict::Nothing);
        assert_eq!(failed(second.restarted(now + SECOND)), Verdict::Nothing);
    }
    for _ in 0..2 {
        assert_eq!(failed(second.restarted(now + 900 * MS)), Verdict::Nothing);
    }
    let verdict = failed(second.restarted(now + 900 * MS));
    assert!(matches!(verdict, Verdict::Open(_)), "{verdict:?}");
}

#[test]
fn chance_shortens_a_back_off_by_up_to_half() {
    for (chance, expected) in [(0.0, 10_000), (0.5, 7_500), (1.0, 5_000)] {
        let (now, mut breaker) = (Instant::now(), Breaker::default());
        let failed = Failed {
            evidence: Evidence::Dropped,
            is_probe: false,
            began: now,
        };
        let verdict = breaker.failed(failed, now, &FORGETS, chance);
        assert_eq!(verdict, Verdict::Open(Duration::from_micros(expected)));
    }
    assert!(
        (0..100)
            .map(|_| chance())
            .all(|chance| (0.0..=1.0).contains(&chance))
    );
}

#[test]
fn without_back_off_it_never_opens() {
    let never = BackOff {
        longest: Duration::ZERO,
        ..FORGETS
    };
    let (mut now, mut breaker) = (Instant::now(), Breaker::default());
    for evidence in [Evidence::Silence, Evidence::Unreachable, Evidence::Dropped] {
        for _ in 0..10 {
            now += MS;
            let verdict = fail_in(&mut breaker, evidence, false, now, &never);
            assert!(!matches!(verdict, Verdict::Open(_)), "{verdict:?}");
            assert_eq!(breaker.admit(false, now), Admission::Go);
        }
    }
}

#[test]
fn refused_logins_have_pauses_of_their_own() {
    let (mut now, mut breaker) = (Instant::now(), Breaker::default());
    assert_eq!(breaker.log_in(false, now), Ok(()));
    let mut pauses = Vec::new();
    for _ in 0..7 {
        breaker.login_refused(now, now);
        // Those that tried at the same time.
        breaker.login_refused(now.checked_sub(MS).unwrap(), now);
        let left = breaker.log_in(false, now).unwrap_err();
        let almost = now + left.checked_sub(MS).unwrap();
        assert_eq!(breaker.log_in(false, almost), Err(MS));
        pauses.push(left);
        now += left;
        assert_eq!(breaker.log_in(false, now), Ok(()), "one of them tries");
        assert_eq!(breaker.log_in(false, now), Err(PROBE));
        assert_eq!(breaker.log_in(true, now), Ok(()), "it bypasses the breaker");
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30].map(|count| count * SECOND));
    // That concerns new connections alone.
    assert_eq!(breaker.admit(false, now), Admission::Go);
    breaker.answered(now, &FORGETS);
    assert!(breaker.login.is_some());
}

/// A server that answers probes, and then nothing for two calls, or a while: how often it opens and
/// closes, in ten seconds of a call each millisecond.
#[test]
fn one_that_flaps_does_not_flap_the_ring() {
    let changes = |back_off: &BackOff| {
        let (mut now, mut breaker, mut changes) = (Instant::now(), Breaker::default(), 0);
        for _ in 0..10_000 {
            now += MS;
            let is_probe = match breaker.admit(false, now) {
                Admission::Refused(_) => continue,
                admitted => admitted == Admission::Probe,
            };
            let is_change = if is_probe {
                breaker.answered(now, back_off)
            } else {
                let verdict = fail_in(&mut breaker, Evidence::Silence, false, now, back_off);
                matches!(verdict, Verdict::Open(_))
            };
            changes += u32::from(is_change);
        }
        changes
    };
    // The back-offs up to a second take 1.27 s; then there is one a second.
    let remembers = changes(&REMEMBERS);
    assert!(remembers <= 2 * (7 + 9), "{remembers}");
    let forgets = changes(&FORGETS);
    assert!(forgets > 1000, "{forgets}");
}

/// After a second of answers a back-off is short again, flapping or not.
#[test]
fn steady_again() {
    let now = Instant::now();
    let mut breaker = opened(now);
    let back = now + 10 * MS;
    assert!(breaker.answered(back, &REMEMBERS));
    assert!(!breaker.is_as_new());
    assert!(!breaker.answered(back + SECOND, &REMEMBERS));
    assert!(breaker.is_as_new());
    let verdict = fail(&mut breaker, Evidence::Dropped, back + SECOND);
    assert_eq!(verdict, Verdict::Open(10 * MS));
}
