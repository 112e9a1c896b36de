//! Single flight in all orders in which threads can come to it, by loom. A thread that nobody wakes is found
//! as a deadlock.

use super::*;
use crate::sync::model;
use loom::sync::Arc as Shared;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

const KEY: &[u8] = b"key";

/// Loom has no clock: nobody waits for so long.
const HOUR: Duration = Duration::from_secs(3600);

fn made(value: &str) -> Made {
    Made {
        value: Item::new(0, value),
        began: Instant::now(),
    }
}

/// Runs it in so many threads of the same flights.
fn in_threads(threads: usize, run: impl Fn(&Flights) + Send + Sync + 'static) -> Shared<Flights> {
    let flights = Shared::new(Flights::default());
    let run = Shared::new(run);
    let threads: Vec<_> = (0..threads)
        .map(|_| {
            let (flights, run) = (Shared::clone(&flights), Shared::clone(&run));
            thread::spawn(move || run(&flights))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    flights
}

#[test]
fn one_makes_it_and_hands_it_on() {
    model(|| {
        let makers = Shared::new(AtomicUsize::new(0));
        let flights = in_threads(2, move |flights| match flights.join(KEY, None) {
            Joined::Lead(lead) => {
                assert_eq!(makers.fetch_add(1, Ordering::SeqCst), 0, "two make it");
                lead.begin();
                makers.fetch_sub(1, Ordering::SeqCst);
                lead.finish(made("value"));
            }
            Joined::Follow(flight) => match flight.wait(Wait::begin(HOUR)) {
                Waited::Made(made) => assert_eq!(made.value.data, b"value"),
                Waited::Over => panic!("it was made and not handed on"),
                Waited::TimeUp => panic!("an hour has passed"),
            },
        });
        assert!(flights.lock().is_empty());
    });
}

/// Each makes it in turn where nobody hands it on.
#[test]
fn one_who_fails_wakes_the_others() {
    model(|| {
        let makers = Shared::new(AtomicUsize::new(0));
        let flights = in_threads(3, move |flights| {
            loop {
                match flights.join(KEY, None) {
                    Joined::Lead(lead) => {
                        assert_eq!(makers.fetch_add(1, Ordering::SeqCst), 0, "two make it");
                        makers.fetch_sub(1, Ordering::SeqCst);
                        return drop(lead);
                    }
                    Joined::Follow(flight) => {
                        assert!(matches!(flight.wait(Wait::begin(HOUR)), Waited::Over));
                    }
                }
            }
        });
        assert!(flights.lock().is_empty());
    });
}

/// What is over cannot be joined, whoever looks, and whenever.
#[test]
fn what_can_be_joined_is_not_over() {
    model(|| {
        in_threads(2, |flights| {
            if let Joined::Lead(lead) = flights.join(KEY, None) {
                lead.finish(made("value"));
            }
            if let Some(flight) = flights.lock().get(KEY) {
                assert!(flight.lock().end.is_none());
            }
        });
    });
}

/// One who takes too long is followed no more, and when done takes nothing from who took over.
#[test]
fn one_takes_over() {
    model(|| {
        let flights = Shared::new(Flights::default());
        let Joined::Lead(slow) = flights.join(KEY, None) else {
            unreachable!("nobody makes it");
        };
        let late = Arc::clone(&slow.flight);
        let others: Vec<_> = (0..2)
            .map(|_| {
                let (flights, late) = (Shared::clone(&flights), Arc::clone(&late));
                thread::spawn(move || match flights.join(KEY, Some(&late)) {
                    Joined::Lead(lead) => {
                        let there = flights.lock().get(KEY).map(Arc::as_ptr);
                        assert_eq!(
                            there,
                            Some(Arc::as_ptr(&lead.flight)),
                            "gone while it is made"
                        );
                        lead.finish(made("second"));
                    }
                    Joined::Follow(flight) => {
                        assert!(!Arc::ptr_eq(&flight, &late), "followed one who is late");
                        assert!(matches!(flight.wait(Wait::begin(HOUR)), Waited::Made(_)));
                    }
                })
            })
            .collect();
        slow.finish(made("first"));
        for other in others {
            other.join().unwrap();
        }
        assert!(flights.lock().is_empty());
    });
}

#[test]
fn who_takes_over_wakes_those_who_wait() {
    model(|| {
        let flights = Shared::new(Flights::default());
        let Joined::Lead(slow) = flights.join(KEY, None) else {
            unreachable!("nobody makes it");
        };
        let late = Arc::clone(&slow.flight);
        let waits = {
            let late = Arc::clone(&late);
            thread::spawn(move || assert!(matches!(late.wait(Wait::begin(HOUR)), Waited::Over)))
        };
        assert!(matches!(flights.join(KEY, Some(&late)), Joined::Lead(_)));
        waits.join().unwrap();
        slow.finish(made("too late"));
    });
}
