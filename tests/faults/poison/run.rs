use super::keys::Keys;
use super::tally::{Never, Tally};
use super::worker::Worker;
use super::{
    DEADLINE, END, GRACE, KEYS_PER_THREAD, MOST_DESCRIPTORS, PATIENCE, PER_MILLE, RECOVERY,
    SERVERS, THREADS, resources,
};
use crate::support::proxy::{Mix, Proxy, Weather};
use crate::support::{Memcached, Random, RawClient};
use moecache::{Client, Protocol};
use std::collections::BTreeMap;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// What came of a run.
#[derive(Debug)]
pub struct Report {
    pub mix: Mix,
    pub protocol: Protocol,
    pub seed: u64,
    pub tally: Tally,
    /// The faults that were committed, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// How long after the last fault the last call failed.
    pub back_after: Duration,
    /// The most file descriptors that the process had at a time, those of the proxies included; `None`
    /// where that cannot be known.
    pub descriptors: Option<usize>,
    problems: Vec<String>,
}

/// One client with its servers, for so long.
pub fn run(mix: Mix, protocol: Protocol, seed: u64, length: Duration) -> Report {
    let _watched = watch(format!("{mix:?}, {protocol}, seed {seed}"), length + END);
    // Nothing may be evicted: every miss is to be one that can be explained.
    let start = |_| Memcached::with_args(&["-m", "1024", "-t", "2"]);
    let servers: [Memcached; SERVERS] = std::array::from_fn(start);
    let proxies = servers.each_ref().map(|it| Proxy::start(it.address()));
    let addresses = proxies.each_ref().map(Proxy::address);
    let client = Client::builder()
        .servers(addresses)
        .protocol(protocol)
        .timeout(DEADLINE)
        .build()
        .unwrap();
    let patient = client.with_timeout(PATIENCE);
    let keys = Keys::new(format!("{protocol}-{seed}"), THREADS, KEYS_PER_THREAD);
    let mut random = Random::new(seed);
    let mut workers: Vec<Worker<'_>> = (0..THREADS)
        .map(|thread| Worker::new(&patient, &keys, thread, mix, random.next()))
        .collect();

    // Without faults everything works.
    let mut tally = Tally::default();
    work(&mut workers, &mut tally, Worker::set_all);
    let mut problems = Vec::new();
    if !tally.errors.is_empty() {
        problems.push(format!(
            "errors before there were faults: {:?}",
            tally.errors
        ));
    }

    for proxy in &proxies {
        let weather = Weather {
            mix,
            per_mille: PER_MILLE,
            deadline: DEADLINE,
        };
        proxy.set_weather(weather, random.next());
    }
    for worker in &mut workers {
        (worker.client, worker.timeout) = (&client, DEADLINE);
    }
    let descriptors = weather(&mut workers, &mut tally, &proxies, length);
    proxies.iter().for_each(Proxy::clear);
    let cleared = Instant::now();
    for worker in &mut workers {
        (worker.client, worker.timeout) = (&patient, PATIENCE);
    }

    // The calls go on, as those of a program do, while the client finds out that all is well.
    let mut back_after = Duration::ZERO;
    let mut is_well = false;
    while cleared.elapsed() < RECOVERY || !is_well && cleared.elapsed() < PATIENCE {
        is_well = true;
        for index in keys.of(0) {
            let failed = errors(&workers[0].tally);
            workers[0].get(index);
            if errors(&workers[0].tally) > failed {
                (is_well, back_after) = (false, cleared.elapsed());
            }
        }
    }
    tally.add(std::mem::take(&mut workers[0].tally));
    let failed = errors(&tally);
    if is_well {
        work(&mut workers, &mut tally, Worker::get_all);
        work(&mut workers, &mut tally, Worker::set_all);
    }
    let not_back = errors(&tally) - failed;
    if !is_well || not_back > 0 || back_after > RECOVERY {
        let case = || format!("{not_back} calls; the last failure was after {back_after:?}");
        tally.never(Never::NotBack, case);
    }

    drop(workers);
    drop((client, patient));
    let mut faults = BTreeMap::new();
    for (server, proxy) in servers.iter().zip(proxies) {
        for (name, count) in proxy.committed() {
            *faults.entry(name).or_default() += count;
        }
        problems.extend(proxy.problems());
        drop(proxy);
        if RawClient::connect(server.address()).stat("evictions") != "0" {
            problems.push("memcached had too little memory".to_owned());
        }
    }
    Report {
        mix,
        protocol,
        seed,
        tally,
        faults,
        back_after,
        descriptors,
        problems,
    }
}

/// Ends the process if the sender is not dropped in time: a call that never returns can be ended in
/// no other way.
fn watch(run: String, limit: Duration) -> Sender<()> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        if receiver.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
            eprintln!("{run}: after {limit:?} there are calls that have not ended");
            process::abort();
        }
    });
    sender
}

fn errors(tally: &Tally) -> u64 {
    tally.errors.values().sum()
}

/// Lets all threads work for so long, and says how many file descriptors there were at most.
fn weather(
    workers: &mut [Worker<'_>],
    tally: &mut Tally,
    proxies: &[Proxy],
    length: Duration,
) -> Option<usize> {
    let (is_over, have_ended) = (AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let started = Instant::now();
            let mut most = None;
            while !have_ended.load(Ordering::Relaxed) {
                is_over.store(started.elapsed() > length, Ordering::Relaxed);
                if started.elapsed() > length + GRACE {
                    proxies.iter().for_each(Proxy::refuse);
                    proxies.iter().for_each(Proxy::clear);
                }
                most = most.max(resources::descriptors());
                thread::sleep(Duration::from_millis(20));
            }
            most
        });
        work(workers, tally, |worker| {
            while !is_over.load(Ordering::Relaxed) {
                worker.work();
            }
        });
        have_ended.store(true, Ordering::Relaxed);
        watch.join().unwrap()
    })
}

/// Lets each worker do something in a thread of its own, and adds up what came of it.
fn work<'w>(workers: &mut [Worker<'w>], tally: &mut Tally, what: impl Fn(&mut Worker<'w>) + Sync) {
    thread::scope(|scope| {
        let what = &what;
        let threads: Vec<_> = workers
            .iter_mut()
            .map(|worker| {
                scope.spawn(move || {
                    what(worker);
                    std::mem::take(&mut worker.tally)
                })
            })
            .collect();
        for thread in threads {
            match thread.join() {
                Ok(done) => tally.add(done),
                // What it was has been printed.
                Err(_) => tally.never(Never::Panic, || "a thread panicked".to_owned()),
            }
        }
    });
}

impl Report {
    /// What is wrong with the run.
    pub fn failures(&self) -> Vec<String> {
        let run = format!("{:?}, {}, seed {}", self.mix, self.protocol, self.seed);
        let mut failures = self.tally.cases.clone();
        failures.extend(self.problems.iter().cloned());
        if let Some(most) = self.descriptors.filter(|most| *most > MOST_DESCRIPTORS) {
            failures.push(format!("{most} file descriptors at a time"));
        }
        if self.tally.operations == 0 || self.faults.is_empty() {
            failures.push("nothing happened".to_owned());
        }
        failures.iter().map(|it| format!("{run}: {it}")).collect()
    }
}
