//! The pure part: what a server is taken for, after what happened to it and when.

use super::*;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

const FORGETS: BackOff = BackOff {
    longest: SECOND,
    steady: Duration::ZERO,
    patience: Duration::ZERO,
};

/// As for a ring that must not flap.
const REMEMBERS: BackOff = BackOff {
    steady: SECOND,
    ..FORGETS
};

/// A call fails as soon as it begins.
fn at_once(failure: Failure, is_probe: bool, now: Instant) -> Failed {
    Failed {
        failure,
        is_probe,
        began: now,
    }
}

fn fail(health: &mut Health, failure: Failure, is_probe: bool, now: Instant) -> Option<Duration> {
    health.failed(at_once(failure, is_probe, now), now, &FORGETS, 0.0)
}

#[test]
fn refused_three_times_in_a_row() {
    let (now, mut health) = (Instant::now(), Health::default());
    for _ in 0..2 {
        assert_eq!(fail(&mut health, Failure::Refused, false, now), None);
        assert_eq!(health.admit(false, now), Admission::Go);
    }
    health.succeeded(false, now, &FORGETS); // Not in a row.
    assert!(health.is_as_new());
    for _ in 0..2 {
        assert_eq!(fail(&mut health, Failure::Refused, false, now), None);
    }
    let pause = fail(&mut health, Failure::Refused, false, now);
    assert_eq!(pause, Some(10 * MS));
    assert_eq!(health.admit(false, now), Admission::Refused(10 * MS));
}

#[test]
fn one_timeout_is_enough() {
    let (now, mut health) = (Instant::now(), Health::default());
    assert_eq!(
        fail(&mut health, Failure::TimedOut, false, now),
        Some(10 * MS)
    );
    assert_eq!(health.admit(false, now + 9 * MS), Admission::Refused(MS));
    assert_eq!(health.standing(now + 9 * MS), Standing::Down);
    assert_eq!(health.standing(now + 10 * MS), Standing::Due);
}

#[test]
fn one_probe_at_a_time() {
    let (now, mut health) = (Instant::now(), Health::default());
    fail(&mut health, Failure::TimedOut, false, now);
    let later = now + 10 * MS;
    assert_eq!(health.admit(false, later), Admission::Probe);
    assert_eq!(health.standing(later), Standing::Down);
    assert_eq!(health.admit(false, later), Admission::Refused(PROBE));
    health.gave_up();
    assert_eq!(health.admit(false, later), Admission::Probe);
    assert!(health.succeeded(true, later, &FORGETS));
    assert_eq!(health.admit(false, later), Admission::Go);
    assert!(health.is_as_new());
}

/// It is in the hands of a program that reads a list of keys, say, or waits for what is lost.
#[test]
fn a_probe_that_does_not_end_is_not_waited_for() {
    let (now, mut health) = (Instant::now(), Health::default());
    fail(&mut health, Failure::TimedOut, false, now);
    let later = now + 10 * MS;
    assert_eq!(health.admit(false, later), Admission::Probe);
    assert_eq!(
        health.admit(false, later + 999 * MS),
        Admission::Refused(MS)
    );
    let later = later + PROBE;
    assert_eq!(health.standing(later), Standing::Due);
    assert_eq!(health.admit(false, later), Admission::Probe);
    assert_eq!(health.admit(false, later), Admission::Refused(PROBE));
    assert!(health.succeeded(true, later, &FORGETS));
    // What becomes of the first is old news then.
    let first = Failed {
        failure: Failure::TimedOut,
        is_probe: true,
        began: now + 10 * MS,
    };
    assert_eq!(health.failed(first, later + SECOND, &FORGETS, 0.0), None);
    assert_eq!(health.admit(false, later), Admission::Go);
}

#[test]
fn one_that_insists() {
    let (now, mut health) = (Instant::now(), Health::default());
    fail(&mut health, Failure::TimedOut, false, now);
    assert_eq!(health.admit(true, now), Admission::Probe);
    assert!(health.succeeded(true, now, &FORGETS));
    assert!(health.is_as_new());
}

#[test]
fn pauses_double_up_to_the_longest() {
    let (mut now, mut health) = (Instant::now(), Health::default());
    let mut pauses = vec![fail(&mut health, Failure::TimedOut, false, now).unwrap()];
    for _ in 0..8 {
        now += *pauses.last().unwrap();
        assert_eq!(health.admit(false, now), Admission::Probe);
        pauses.push(fail(&mut health, Failure::Refused, true, now).unwrap());
    }
    let expected = [10, 20, 40, 80, 160, 320, 640, 1000, 1000].map(|count| count * MS);
    assert_eq!(pauses, expected);
    // Back to the shortest once it has answered.
    assert_eq!(health.admit(false, now + SECOND), Admission::Probe);
    assert!(health.succeeded(true, now + SECOND, &FORGETS));
    let next = fail(&mut health, Failure::TimedOut, false, now + SECOND);
    assert_eq!(next, Some(10 * MS));
}

#[test]
fn pauses_may_be_long() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    for (longest, last) in [(DAY, DAY), (Duration::MAX, 10 * MS * (1 << 31))] {
        let back_off = BackOff { longest, ..FORGETS };
        let (mut now, mut health) = (Instant::now(), Health::default());
        let mut pause = Duration::ZERO;
        for _ in 0..35 {
            let failed = at_once(Failure::TimedOut, true, now);
            pause = health.failed(failed, now, &back_off, 0.0).unwrap();
            now += pause;
        }
        assert_eq!(pause, last);
    }
}

#[test]
fn calls_that_began_before_say_nothing() {
    let (now, mut health) = (Instant::now(), Health::default());
    assert!(fail(&mut health, Failure::TimedOut, false, now).is_some());
    for _ in 0..7 {
        assert_eq!(fail(&mut health, Failure::TimedOut, false, now + MS), None);
        assert!(!health.succeeded(false, now + MS, &FORGETS));
    }
    assert_eq!(health.admit(false, now + MS), Admission::Refused(9 * MS));
}

/// They began before the server was back, and fail after it.
#[test]
fn slow_calls_that_began_before_say_nothing() {
    for back_off in [FORGETS, REMEMBERS] {
        let (now, mut health) = (Instant::now(), Health::default());
        let down = at_once(Failure::TimedOut, false, now);
        assert!(health.failed(down, now, &back_off, 0.0).is_some());
        let back = now + 10 * MS;
        assert_eq!(health.admit(false, back), Admission::Probe);
        assert!(health.succeeded(true, back, &back_off));
        for failure in [Failure::TimedOut, Failure::Refused] {
            let slow = Failed {
                failure,
                is_probe: false,
                began: now + 9 * MS,
            };
            assert_eq!(health.failed(slow, back + SECOND, &back_off, 0.0), None);
        }
        assert_eq!(health.standing(back + SECOND), Standing::Up);
        assert!(!health.succeeded(false, back + SECOND, &back_off));
        assert!(health.is_as_new());
    }
}

/// A call that waited elsewhere for most of its time says nothing about a server that had the rest.
#[test]
fn what_a_server_had_no_time_for() {
    let guard = Guard::new(BackOff {
        patience: 50 * MS,
        ..FORGETS
    });
    let error = Error::validation("");
    let failed = |deadline| guard.failed(Pass::Go, Some(Failure::TimedOut), deadline, &error);
    let (now, second) = (Instant::now(), Deadline::after(SECOND, Instant::now()));
    assert_eq!(failed(second.resumed(now + SECOND)), None);
    assert_eq!(failed(second.resumed(now + 951 * MS)), None);
    assert_eq!(guard.standing(), Standing::Up);
    assert!(failed(second.resumed(now + 900 * MS)).is_some());
    assert_eq!(guard.standing(), Standing::Down);
}

#[test]
fn chance_shortens_a_pause_by_up_to_half() {
    for (chance, expected) in [(0.0, 10_000), (0.5, 7_500), (1.0, 5_000)] {
        let mut health = Health::default();
        let now = Instant::now();
        let failed = at_once(Failure::TimedOut, false, now);
        let pause = health.failed(failed, now, &FORGETS, chance);
        assert_eq!(pause, Some(Duration::from_micros(expected)));
    }
    assert!(
        (0..100)
            .map(|_| chance())
            .all(|chance| (0.0..=1.0).contains(&chance))
    );
}

#[test]
fn no_pauses() {
    let never = BackOff {
        longest: Duration::ZERO,
        ..FORGETS
    };
    let (now, mut health) = (Instant::now(), Health::default());
    for _ in 0..10 {
        let failed = at_once(Failure::TimedOut, false, now);
        assert_eq!(health.failed(failed, now, &never, 0.0), None);
        assert_eq!(health.admit(false, now), Admission::Go);
    }
}

/// A server that answers every other call: how often it goes down, and comes back, in ten seconds of
/// a call each millisecond.
#[test]
fn one_that_flaps_does_not_flap_the_ring() {
    let changes = |back_off: &BackOff| {
        let (mut now, mut health, mut changes) = (Instant::now(), Health::default(), 0);
        let mut answers = false;
        for _ in 0..10_000 {
            now += MS;
            let is_probe = match health.admit(false, now) {
                Admission::Refused(_) => continue,
                admitted => admitted == Admission::Probe,
            };
            // A probe is answered, and the next call is not.
            answers = is_probe || !answers;
            let is_change = if answers {
                health.succeeded(is_probe, now, back_off)
            } else {
                let failed = at_once(Failure::TimedOut, is_probe, now);
                health.failed(failed, now, back_off, 0.0).is_some()
            };
            changes += u32::from(is_change);
        }
        changes
    };
    // The pauses up to a second take 1.27 s; then there is one a second.
    assert!(
        changes(&REMEMBERS) <= 2 * (7 + 9),
        "{}",
        changes(&REMEMBERS)
    );
    assert!(changes(&FORGETS) > 1000, "{}", changes(&FORGETS));
}

/// After a second of answers a pause is short again, flapping or not.
#[test]
fn steady_again() {
    let (now, mut health) = (Instant::now(), Health::default());
    let fail = |health: &mut Health, is_probe, now| {
        let failed = at_once(Failure::TimedOut, is_probe, now);
        health.failed(failed, now, &REMEMBERS, 0.0)
    };
    assert_eq!(fail(&mut health, false, now), Some(10 * MS));
    let back = now + 10 * MS;
    assert_eq!(health.admit(false, back), Admission::Probe);
    assert!(health.succeeded(true, back, &REMEMBERS));
    assert!(!health.is_as_new());
    assert!(!health.succeeded(false, back + SECOND, &REMEMBERS));
    assert!(health.is_as_new());
    assert_eq!(fail(&mut health, false, back + SECOND), Some(10 * MS));
}
