//! Many ask for entries that are invalidated all the time, and that cannot always be stored: none of
//! them may get what was made of data from before an invalidation that had returned when it began to ask.

use super::client;
use crate::support::needs_memcached;
use crate::support::{Memcached, Random};
use moecache::Protocol;
use moecache::cache::{Cache, Entry};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// How many calls there are, of all protocols together, and how many by default.
const CALLS: &str = "MOECACHE_CACHE_CALLS";
const DEFAULT: u64 = 20_000;

/// Caches that share nothing, as processes have them, and the threads that share each.
const PROCESSES: usize = 4;
const THREADS: usize = 4;

const KEYS: usize = 4;
const USERS: usize = 2;

/// How large an item may be, and a value that is too large.
const LIMIT: [&str; 2] = ["-I", "512k"];
const TOO_LARGE: usize = 600_000;

/// What is invalidated on its own.
#[derive(Clone, Copy)]
enum Part {
    Key(usize),
    User(usize),
    Namespace,
    All,
}

/// Where each part stands in what an entry is made of.
const USER: usize = KEYS;
const NAMESPACE: usize = USER + USERS;
const ALL: usize = NAMESPACE + 1;
const PARTS: usize = ALL + 1;

impl Part {
    fn place(self) -> usize {
        match self {
            Self::Key(key) => key,
            Self::User(user) => USER + user,
            Self::Namespace => NAMESPACE,
            Self::All => ALL,
        }
    }

    fn invalidate(self, cache: &Cache) -> bool {
        match self {
            Self::Key(key) => cache.invalidate(key),
            Self::User(user) => cache.invalidate_dependency(user),
            Self::Namespace => cache.invalidate_namespace(),
            Self::All => cache.invalidate_all(),
        }
        .unwrap()
    }
}

/// The versions of all parts.
type Versions = [u64; PARTS];

/// What there is to be cached, and what of it was there when an invalidation returned.
#[derive(Default)]
struct Source {
    now: [AtomicU64; PARTS],
    invalidated: [AtomicU64; PARTS],
    calls: AtomicU64,
    invalidations: AtomicU64,
    refused: AtomicU64,
    hits: AtomicU64,
    stale: AtomicU64,
    is_over: AtomicBool,
}

/// What is cached: the versions that it was made of, and what makes it large.
type Page = (Vec<u64>, String);

impl Source {
    fn versions(of: &[AtomicU64; PARTS]) -> Versions {
        of.each_ref().map(|it| it.load(Ordering::SeqCst))
    }

    /// Reads what a page is made of, which takes its time, and sometimes makes too much of it.
    fn read(&self, random: &mut Random) -> Page {
        let versions = Self::versions(&self.now);
        if random.below(4) == 0 {
            thread::sleep(Duration::from_micros(random.next() % 500));
        }
        let is_large = random.below(8) == 0;
        let size = if is_large { TOO_LARGE } else { 10 };
        self.refused
            .fetch_add(u64::from(is_large), Ordering::Relaxed);
        (versions.to_vec(), "x".repeat(size))
    }

    fn check(&self, key: usize, page: &Page, oldest: Versions) {
        let parts = [Part::Key(key), Part::Namespace, Part::All];
        let users = (0..USERS).map(Part::User);
        let mut parts = parts.into_iter().chain(users).map(Part::place);
        let is_stale = parts.any(|part| page.0[part] < oldest[part]);
        self.stale.fetch_add(u64::from(is_stale), Ordering::Relaxed);
    }

    fn ask(&self, cache: &Cache, random: &mut Random) {
        let key = random.below(KEYS);
        let entry = || -> Entry<'_> { cache.entry(key).depends_on(0..USERS) };
        self.calls.fetch_add(1, Ordering::Relaxed);
        match random.below(10) {
            0 => {
                let slot = entry().begin().unwrap();
                // Too large, it is an error of the server.
                let _ = slot.set(self.read(random));
            }
            1 | 2 => {
                let oldest = Self::versions(&self.invalidated);
                if let Some(page) = entry().query().unwrap() {
                    self.hits.fetch_add(1, Ordering::Relaxed);
                    self.check(key, &page, oldest);
                }
            }
            _ => {
                let oldest = Self::versions(&self.invalidated);
                let page = entry().get_or_set(|| self.read(random)).unwrap();
                self.check(key, &page, oldest);
            }
        }
    }

    fn invalidate(&self, cache: &Cache, part: Part) {
        let place = part.place();
        let now = self.now[place].fetch_add(1, Ordering::SeqCst) + 1;
        assert!(part.invalidate(cache));
        self.invalidated[place].fetch_max(now, Ordering::SeqCst);
        self.invalidations.fetch_add(1, Ordering::Relaxed);
    }

    /// Invalidates one thing or another, as often as a hundredth of what is asked.
    fn invalidate_on(&self, cache: &Cache, random: &mut Random) {
        while !self.is_over.load(Ordering::SeqCst) {
            let due = self.calls.load(Ordering::Relaxed) / 20;
            if self.invalidations.load(Ordering::Relaxed) > due {
                thread::sleep(Duration::from_micros(100));
                continue;
            }
            let part = match random.below(8) {
                0..=3 => Part::Key(random.below(KEYS)),
                4 | 5 => Part::User(random.below(USERS)),
                6 => Part::Namespace,
                _ => Part::All,
            };
            self.invalidate(cache, part);
        }
    }
}

#[test]
fn no_stale_value_among_refused_stores() {
    needs_memcached!();
    let calls = std::env::var(CALLS).map_or(DEFAULT, |calls| calls.parse().unwrap());
    let seed = 7;
    let rows = [
        (Protocol::Text, Duration::ZERO),
        (Protocol::Meta, Duration::ZERO),
        (Protocol::Text, super::LONG),
        (Protocol::Meta, super::LONG),
    ];
    for (protocol, stale) in rows {
        let server = Memcached::with_args(&LIMIT);
        let source = Source::default();
        let cache = || {
            let cache = Cache::new(client(server.address(), protocol)).stale_for(stale);
            let lifetime = if stale.is_zero() {
                super::LONG
            } else {
                Duration::from_millis(1)
            };
            let cache = cache.default_lifetime(lifetime);
            cache.in_namespace("pages").unwrap()
        };
        let each = calls / rows.len() as u64 / (PROCESSES * THREADS) as u64;
        thread::scope(|scope| {
            let source = &source;
            let mut askers = Vec::new();
            for process in 0..PROCESSES {
                let shared = cache();
                for number in 0..THREADS {
                    let cache = shared.clone();
                    let mut random = Random::new(seed + (process * THREADS + number) as u64);
                    askers.push(scope.spawn(move || {
                        for _ in 0..each {
                            source.ask(&cache, &mut random);
                        }
                    }));
                }
            }
            let own = cache();
            let invalidator = scope.spawn(move || {
                source.invalidate_on(&own, &mut Random::new(seed + 1000));
            });
            let ends: Vec<_> = askers
                .into_iter()
                .map(thread::ScopedJoinHandle::join)
                .collect();
            source.is_over.store(true, Ordering::SeqCst);
            invalidator.join().unwrap();
            for end in ends {
                end.unwrap();
            }
        });
        let Source {
            calls,
            invalidations,
            refused,
            hits,
            stale: found,
            ..
        } = source;
        println!(
            "{protocol}, stale_for {stale:?}: {calls:?} calls, {invalidations:?} invalidations, \
             {refused:?} values too large to store, {hits:?} hits of query, {found:?} stale"
        );
        assert_eq!(found.into_inner(), 0, "{protocol}");
        // An entry that is old after a millisecond may be so whenever it is looked at.
        assert!(hits.into_inner() > 0 || !stale.is_zero());
        assert!(refused.into_inner() > 0);
    }
}
