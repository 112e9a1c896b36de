//! How long an operation takes, against the raw socket: one connection, a request that is there
//! already, one write, reads into a fixed buffer until the reply is there. And how often it allocates.
//!
//! Both run in rounds that alternate, so that what happens to the machine happens to both.

#![expect(
    unsafe_code,
    reason = "to count allocations, and to read the CPU clock"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use moecache::Client;
use std::alloc::{GlobalAlloc, Layout, System};
use std::env;
use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use support::Memcached;

/// How long one round of either side takes, more or less.
const ROUND: Duration = Duration::from_millis(4);

/// Set in the process that taskset started.
const PINNED: &str = "MOECACHE_BENCH_PINNED";

/// Those of raw data.
const FLAGS: u32 = 0xfa52;

/// Those of strings.
const STRING_FLAGS: u32 = 274;

fn main() -> ExitCode {
    // Without it this is `cargo test --all-targets`.
    if !env::args().any(|arg| arg == "--bench") {
        return ExitCode::SUCCESS;
    }
    if env::var_os(PINNED).is_none() {
        let pinned = Command::new("taskset")
            .args(["-c", "0"])
            .arg(env::current_exe().expect("the path of this program"))
            .args(env::args().skip(1))
            .env(PINNED, "1")
            .status();
        match pinned {
            Ok(status) if status.success() => return ExitCode::SUCCESS,
            Ok(_) => return ExitCode::FAILURE,
            Err(_) => println!("not pinned to one core: there is no taskset; expect noise"),
        }
    }
    let server = Memcached::with_args(&["-I", "8m", "-m", "256"]);
    let client = Client::new(server.address()).expect("an address");
    let rounds = env::var("ROUNDS").ok();
    let bench = Bench {
        raw: Raw::connect(&server),
        rounds: rounds.map_or(301, |rounds| rounds.parse().expect("ROUNDS is a number")),
        only: env::args().skip(1).find(|arg| !arg.starts_with('-')),
    };
    bench.run(&client);
    ExitCode::SUCCESS
}

struct Bench {
    raw: Raw,
    rounds: usize,
    /// Rows without this in their names are left out.
    only: Option<String>,
}

impl Bench {
    fn run(mut self, client: &Client) {
        println!(
            "operation                 raw, us   time/raw (5% .. 95%)     CPU/raw   allocations"
        );
        let mut buffer = Vec::new();
        for (size, name) in [
            (100, "100 B"),
            (10 << 10, "10 KB"),
            (100 << 10, "100 KB"),
            (1 << 20, "1 MB"),
        ] {
            let value = vec![b'v'; size];
            client.set_bytes("key", &value, 0).expect("it is stored");
            let get = self.raw.get("key");
            self.compare(&format!("get, {name}"), &get, || {
                black_box(client.get_bytes("key").expect("memcached answers"));
            });
            if size >= 100 << 10 {
                self.compare(&format!("get_into, {name}"), &get, || {
                    let hit = client.get_into("key", &mut buffer);
                    black_box(hit.expect("memcached answers"));
                });
            }
            let line = format!("set key {FLAGS} 0 {size}\r\n");
            let request = [line.as_bytes(), &value, b"\r\n"].concat();
            let set = Exchange::new(request, b"STORED\r\n".len());
            self.compare(&format!("set, {name}"), &set, || {
                client.set_bytes("key", &value, 0).expect("it is stored");
            });
        }

        for (size, name) in [(1 << 10, "1 KB"), (100 << 10, "100 KB"), (1 << 20, "1 MB")] {
            let text = "t".repeat(size);
            let line = format!("set key {STRING_FLAGS} 0 {size}\r\n");
            let request = [line.as_bytes(), text.as_bytes(), b"\r\n"].concat();
            let set = Exchange::new(request, b"STORED\r\n".len());
            self.compare(&format!("set, a String of {name}"), &set, || {
                client.set("key", &text, 0).expect("it is stored");
            });
            self.compare(&format!("set_str, {name}"), &set, || {
                client.set_str("key", &text, 0).expect("it is stored");
            });
        }

        let text = "t".repeat(100);
        client.set("text", &text, 0).expect("it is stored");
        let get = self.raw.get("text");
        self.compare("get, a String of 100", &get, || {
            black_box(client.get::<String>("text").expect("memcached answers"));
        });
        client.set("number", 5, 0).expect("it is stored");
        let get = self.raw.get("number");
        self.compare("get, an i32", &get, || {
            black_box(client.get::<i32>("number").expect("memcached answers"));
        });
        let miss = self.raw.get("none");
        self.compare("get, a miss", &miss, || {
            black_box(client.get_bytes("none").expect("memcached answers"));
        });
        let delete = Exchange::new(b"delete none\r\n".to_vec(), b"NOT_FOUND\r\n".len());
        self.compare("delete, a miss", &delete, || {
            black_box(client.delete("none").expect("memcached answers"));
        });
    }

    /// Measures `ours` against the raw exchange, and prints the row.
    fn compare(&mut self, name: &str, exchange: &Exchange, mut ours: impl FnMut()) {
        if self.only.as_ref().is_some_and(|only| !name.contains(only)) {
            return;
        }
        let mut theirs = || self.raw.exchange(exchange);
        let operations = operations_a_round(&mut theirs);
        (0..operations).for_each(|_| ours());

        let allocations = ALLOCATIONS.load(Ordering::Relaxed);
        (0..operations).for_each(|_| ours());
        let allocations = ALLOCATIONS.load(Ordering::Relaxed) - allocations;

        let (mut raw_times, mut ratios, mut cpu_ratios) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..self.rounds {
            // Who goes second finds the caches warmer.
            let (raw, our) = if round % 2 == 0 {
                let raw = measure(operations, &mut theirs);
                (raw, measure(operations, &mut ours))
            } else {
                let our = measure(operations, &mut ours);
                (measure(operations, &mut theirs), our)
            };
            raw_times.push(raw.time / f64::from(operations) * 1e6);
            ratios.push(our.time / raw.time);
            cpu_ratios.push(our.cpu / raw.cpu);
        }
        for numbers in [&mut raw_times, &mut ratios, &mut cpu_ratios] {
            numbers.sort_by(f64::total_cmp);
        }
        let at = |numbers: &[f64], percent: usize| numbers[(numbers.len() - 1) * percent / 100];
        println!(
            "{name:24} {:8.1}   {:8.3} ({:.2} .. {:.2})   {:10.3}   {:11}",
            at(&raw_times, 50),
            at(&ratios, 50),
            at(&ratios, 5),
            at(&ratios, 95),
            at(&cpu_ratios, 50),
            allocations / u64::from(operations),
        );
    }
}

/// How many of them take about as long as a round.
fn operations_a_round(operation: &mut impl FnMut()) -> u32 {
    let (started, mut operations) = (Instant::now(), 0);
    while started.elapsed() < ROUND {
        operation();
        operations += 1;
    }
    operations
}

/// In seconds.
struct Measured {
    time: f64,
    /// Without the server's.
    cpu: f64,
}

fn measure(operations: u32, mut operation: impl FnMut()) -> Measured {
    let (started, cpu) = (Instant::now(), cpu_time());
    (0..operations).for_each(|_| operation());
    Measured {
        time: started.elapsed().as_secs_f64(),
        cpu: cpu_time() - cpu,
    }
}

/// Of this process, in seconds.
#[cfg(unix)]
fn cpu_time() -> f64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is to a timespec, which is all it needs.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    assert_eq!(failed, 0, "no CPU clock");
    #[expect(
        clippy::cast_precision_loss,
        reason = "it has 53 bits, and a bench runs for minutes"
    )]
    let seconds = time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9;
    seconds
}

#[cfg(not(unix))]
fn cpu_time() -> f64 {
    f64::NAN
}

/// A request, and how long its reply is.
struct Exchange {
    request: Vec<u8>,
    reply: usize,
}

impl Exchange {
    fn new(request: Vec<u8>, reply: usize) -> Self {
        Self { request, reply }
    }
}

/// The least that talks to memcached.
struct Raw {
    socket: TcpStream,
    buffer: Vec<u8>,
}

impl Raw {
    fn connect(server: &Memcached) -> Self {
        let socket = TcpStream::connect(server.address()).expect("memcached accepts");
        socket.set_nodelay(true).expect("it is a TCP socket");
        Self {
            socket,
            buffer: vec![0; 2 << 20],
        }
    }

    /// Tries how long the reply is.
    fn get(&mut self, key: &str) -> Exchange {
        let request = format!("get {key}\r\n").into_bytes();
        self.socket.write_all(&request).expect("memcached reads");
        let mut reply = 0;
        while !self.buffer[..reply].ends_with(b"END\r\n") {
            let read = self.socket.read(&mut self.buffer[reply..]);
            reply += read.expect("memcached answers");
        }
        Exchange::new(request, reply)
    }

    fn exchange(&mut self, exchange: &Exchange) {
        self.socket
            .write_all(&exchange.request)
            .expect("memcached reads");
        let mut received = 0;
        while received < exchange.reply {
            let read = self.socket.read(&mut self.buffer[received..]);
            received += read.expect("memcached answers");
        }
        assert!(self.buffer[..received].ends_with(b"\r\n"));
    }
}

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: hands everything to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
