//! One makes what many ask for.

use super::{Caches, LONG, client, everywhere, never, query, store_stale, wait_until};
use crate::support::reserve;
use moecache::Protocol;
use moecache::cache::Cache;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

const THREADS: usize = 16;

/// Threads that share a cache, and such that do not, as if they were processes.
fn crowds(caches: Caches<'_>) -> [Vec<Cache>; 2] {
    let shared = caches();
    let threads = (0..THREADS).map(|_| shared.clone()).collect();
    let processes = (0..THREADS).map(|_| caches()).collect();
    [threads, processes]
}

#[test]
fn one_makes_it_and_the_others_wait() {
    everywhere(|caches| {
        for crowd in crowds(caches) {
            let made = AtomicU32::new(0);
            let start = Barrier::new(THREADS);
            thread::scope(|scope| {
                for cache in &crowd {
                    let (made, start) = (&made, &start);
                    scope.spawn(move || {
                        start.wait();
                        let load = || {
                            thread::sleep(Duration::from_millis(50));
                            made.fetch_add(1, Ordering::SeqCst) + 1
                        };
                        let entry = cache.entry("key").max_wait(LONG);
                        assert_eq!(entry.get_or_set(load).unwrap(), 1);
                    });
                }
            });
            assert_eq!(made.load(Ordering::SeqCst), 1);
            assert!(crowd[0].invalidate("key").unwrap());
        }
    });
}

/// Also where an entry is there that does not count any more, but for the server.
#[test]
fn one_makes_it_anew() {
    everywhere(|caches| {
        for crowd in crowds(caches) {
            crowd[0].set("key", 0).unwrap();
            assert!(crowd[0].invalidate_namespace().unwrap());
            let made = AtomicU32::new(0);
            thread::scope(|scope| {
                for cache in &crowd {
                    let made = &made;
                    scope.spawn(move || {
                        let load = || made.fetch_add(1, Ordering::SeqCst) + 1;
                        let entry = cache.entry("key").max_wait(LONG);
                        assert_eq!(entry.get_or_set(load).unwrap(), 1);
                    });
                }
            });
            assert_eq!(made.load(Ordering::SeqCst), 1);
        }
    });
}

/// Nobody waits for what is made anew while the old one may be used.
#[test]
fn the_others_get_the_old_one() {
    everywhere(|caches| {
        let crowds = crowds(caches);
        let early = |cache: &Cache| {
            cache.set("key", "old").unwrap();
            // All of its hour.
            cache.clone().recache_early(2 * LONG)
        };
        let stale = |cache: &Cache| {
            store_stale(cache, "key", "old");
            cache.clone().stale_for(LONG)
        };
        let settings: [&dyn Fn(&Cache) -> Cache; 2] = [&early, &stale];
        for (crowd, set) in crowds
            .iter()
            .flat_map(|crowd| settings.map(|it| (crowd, it)))
        {
            let crowd: Vec<Cache> = crowd.iter().map(set).collect();
            let ([one, others @ ..], made) = (&*crowd, AtomicU32::new(0)) else {
                panic!("there are some");
            };
            let make_anew = || {
                for other in others {
                    let got = other.get_or_set("key", never);
                    let old: String = got.unwrap();
                    assert_eq!(old, "old");
                }
                made.fetch_add(1, Ordering::SeqCst);
                "new".to_owned()
            };
            assert_eq!(one.get_or_set("key", make_anew).unwrap(), "new");
            assert_eq!(made.load(Ordering::SeqCst), 1);
            assert_eq!(query(one, "key").as_deref(), Some("new"));
        }
    });
}

#[derive(Debug)]
#[expect(dead_code, reason = "it is shown when a test fails")]
enum Failure {
    Planned,
    Cache(moecache::Error),
}

impl From<moecache::Error> for Failure {
    fn from(error: moecache::Error) -> Self {
        Self::Cache(error)
    }
}

/// How what is to be made is not.
const FAILURES: [fn() -> Failure; 2] = [|| Failure::Planned, || panic!("as planned")];

/// Whether it failed as planned.
fn fails(cache: &Cache, make: impl FnOnce() -> Failure) {
    let get = || cache.try_get_or_set("key", || Err::<String, _>(make()));
    match catch_unwind(AssertUnwindSafe(get)) {
        Ok(Err(Failure::Planned)) | Err(_) => {}
        Ok(other) => panic!("{other:?}"),
    }
}

/// The next begins at once, however long it would wait: of threads and of processes.
#[test]
fn a_failure_or_a_panic_frees_the_others() {
    everywhere(|caches| {
        for crowd in crowds(caches) {
            for failure in FAILURES {
                let made = AtomicU32::new(0);
                let (started, has_started) = mpsc::channel();
                thread::scope(|scope| {
                    let first = &crowd[0];
                    scope.spawn(move || {
                        fails(first, || {
                            started.send(()).unwrap();
                            // The others come meanwhile, or later: it is the same to them.
                            thread::sleep(Duration::from_millis(20));
                            failure()
                        });
                    });
                    has_started.recv().unwrap();
                    for cache in &crowd[1..] {
                        let made = &made;
                        scope.spawn(move || {
                            let load = || made.fetch_add(1, Ordering::SeqCst) + 1;
                            let entry = cache.entry("key").max_wait(LONG);
                            assert_eq!(entry.get_or_set(load).unwrap(), 1);
                        });
                    }
                });
                assert_eq!(made.load(Ordering::SeqCst), 1);
                assert!(crowd[0].invalidate("key").unwrap());
            }
        }
    });
}

/// Whoever is named to make it anew does; no win is lost, however many ask while it changes.
#[test]
fn again_and_again() {
    everywhere(|caches| {
        let made = AtomicU32::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                let cache = caches().default_lifetime(Duration::from_millis(1));
                let (cache, made) = (cache.stale_for(LONG), &made);
                scope.spawn(move || {
                    let load = || made.fetch_add(1, Ordering::SeqCst);
                    wait_until("it is made often enough", || {
                        cache.get_or_set("key", load).unwrap();
                        made.load(Ordering::SeqCst) >= 100
                    });
                });
            }
        });
    });
}

/// The old one is served on, and the next that comes makes it anew.
#[test]
fn a_failure_to_make_it_anew() {
    everywhere(|caches| {
        let (cache, other) = (caches().stale_for(LONG), caches().stale_for(LONG));
        for failure in FAILURES {
            store_stale(&cache, "key", "old");
            fails(&cache, failure);
            let got = other.get_or_set("key", || {
                let old: String = cache.get_or_set("key", never).unwrap();
                assert_eq!(old, "old");
                "new".to_owned()
            });
            assert_eq!(got.unwrap(), "new");
        }
    });
}

/// It makes it itself then; what the first makes is not stored any more.
#[test]
fn nobody_waits_longer_than_the_deadline() {
    everywhere(|caches| {
        let shared = caches();
        for other in [shared.clone(), caches()] {
            let first = shared.get_or_set("key", || {
                let entry = other.entry("key").max_wait(Duration::from_millis(30));
                assert_eq!(entry.get_or_set(|| 2).unwrap(), 2);
                assert_eq!(other.query("key").unwrap(), Some(2));
                1
            });
            assert_eq!(first.unwrap(), 1);
            assert_eq!(other.query("key").unwrap(), Some(2));
            assert!(other.invalidate("key").unwrap());
        }
    });
}

/// Whoever made it is gone, and no waiting is too long for its lease.
#[test]
fn a_lease_that_is_over() {
    everywhere(|caches| {
        let (dies, other) = (caches().lease(Duration::from_secs(1)), caches());
        std::mem::forget(dies.entry("key").begin().unwrap());
        let entry = other.entry("key").max_wait(LONG);
        assert_eq!(entry.get_or_set(|| 1).unwrap(), 1);
        assert_eq!(other.query("key").unwrap(), Some(1));
    });
}

/// Runs it with a longer and longer `max_wait`, until so few have made it, and so nobody who waited gave up: on
/// a busy machine one who takes over may need long.
fn patiently(most: u32, run: impl Fn(Duration) -> u32) {
    let mut max_wait = Duration::from_millis(100);
    while run(max_wait) > most {
        max_wait *= 2;
        assert!(max_wait < Duration::from_secs(60), "too many make it");
    }
}

/// Whoever makes it dies, or never comes to an end: when the others have waited long enough, one of them
/// takes over, and the others wait for that one.
#[test]
fn one_takes_over() {
    everywhere(|caches| {
        for crowd in crowds(caches) {
            for dies in [false, true] {
                patiently(1, |max_wait| take_over(&crowd, dies, max_wait));
            }
        }
    });
}

/// Returns how many have made it.
fn take_over(crowd: &[Cache], dies: bool, max_wait: Duration) -> u32 {
    let made = AtomicU32::new(0);
    let (over, is_over) = mpsc::channel::<()>();
    let (reading, has_read) = mpsc::channel();
    let got: Vec<u32> = thread::scope(|scope| {
        // Whatever fails, nobody waits for it for ever.
        let over = over;
        let first = &crowd[0];
        if dies {
            // As its process has it, nothing is given up.
            std::mem::forget(first.entry("key").begin().unwrap());
        } else {
            scope.spawn(move || {
                first.get_or_set("key", || {
                    reading.send(()).unwrap();
                    let _ = is_over.recv();
                    0
                })
            });
            has_read.recv().unwrap();
        }
        let waiters = crowd[1..].iter().map(|cache| {
            let made = &made;
            scope.spawn(move || {
                let began = Instant::now();
                let load = || {
                    assert!(began.elapsed() >= max_wait, "it did not wait");
                    thread::sleep(Duration::from_millis(20));
                    made.fetch_add(1, Ordering::SeqCst) + 1
                };
                let entry = cache.entry("key").max_wait(max_wait);
                entry.get_or_set(load).unwrap()
            })
        });
        let waiters: Vec<_> = waiters.collect();
        let got = waiters.into_iter().map(|it| it.join().unwrap());
        let got = got.collect();
        drop(over);
        got
    });
    let made = made.into_inner();
    assert!(got.iter().all(|it| (1..=made).contains(it)), "{got:?}");
    assert!(crowd[0].query::<u32>("key").unwrap() > Some(0));
    assert!(crowd[0].invalidate("key").unwrap());
    made
}

/// The same without servers, among threads.
#[test]
fn one_takes_over_without_servers() {
    let nowhere = reserve().unwrap();
    let address = nowhere.local_addr().unwrap().as_socket().unwrap();
    let cache = Cache::new(client(address, Protocol::Text));
    // Who comes while it is made, waits for the next; that is all.
    patiently(3, |max_wait| {
        let cache = cache.clone().max_wait(max_wait);
        let (over, is_over) = mpsc::channel::<()>();
        let (reading, has_read) = mpsc::channel();
        let made = AtomicU32::new(0);
        thread::scope(|scope| {
            let (over, cache, made) = (over, &cache, &made);
            scope.spawn(move || {
                cache.get_or_set("key", || {
                    reading.send(()).unwrap();
                    let _ = is_over.recv();
                    0
                })
            });
            has_read.recv().unwrap();
            let waiters = [(); THREADS].map(|()| {
                scope.spawn(move || {
                    let load = || {
                        thread::sleep(Duration::from_millis(20));
                        made.fetch_add(1, Ordering::SeqCst) + 1
                    };
                    cache.get_or_set("key", load).unwrap()
                })
            });
            for waiter in waiters {
                assert!(waiter.join().unwrap() > 0);
            }
            drop(over);
        });
        made.into_inner()
    });
}
