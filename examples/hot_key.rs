//! Many processes ask for one key that expires, and takes 200 ms to make: how often is it made, and how
//! long does anybody wait?
//!
//! ```console
//! $ cargo run --release --example hot_key
//! ```
//!
//! It starts memcached, if that is installed, and otherwise the embedded server in a process of its own;
//! and 8 processes, which are this program again, of 8 threads each.

use clap::{Parser, ValueEnum};
use comfy_table::{CellAlignment, Table, presets};
use moecache::cache::Cache;
use moecache::testing::Server;
use moecache::{Client, Protocol};
use std::error::Error;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

const PROCESSES: usize = 8;
const THREADS: usize = 8;
/// What it takes to make the value, how long it lives, and how often each thread asks for it.
const LOADING: Duration = Duration::from_millis(200);
const LIFETIME: Duration = Duration::from_millis(800);
const PAUSE: Duration = Duration::from_millis(10);
/// Nobody waits longer than this for another.
const MAX_WAIT: Duration = Duration::from_secs(1);
/// How long the processes have to start.
const START: Duration = Duration::from_secs(1);

/// Shows who makes a value that 64 threads of 8 processes miss at the same time.
#[derive(Parser)]
struct Arguments {
    /// How long each way is tried, in seconds
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Used between its own processes: be the embedded server
    #[arg(long, hide = true)]
    serve: bool,
    /// Used between its own processes: ask this server..
    #[arg(long, hide = true, requires_all = ["protocol", "way", "start"])]
    ask: Option<SocketAddr>,
    /// ..over this protocol..
    #[arg(long, hide = true)]
    protocol: Option<Protocol>,
    /// ..in this way..
    #[arg(long, hide = true)]
    way: Option<Way>,
    /// ..from this time on, in milliseconds since 1970
    #[arg(long, hide = true)]
    start: Option<u64>,
}

/// What a thread does that wants the value.
#[derive(Clone, Copy, ValueEnum)]
enum Way {
    /// Queries, and makes and sets what is not there.
    Alone,
    /// Calls `get_or_set`.
    Waiting,
    /// Calls `get_or_set`, with values that may be stale.
    Stale,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alone => "query, then set",
            Self::Waiting => "get_or_set",
            Self::Stale => "get_or_set, stale_for",
        })
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if arguments.serve {
        return serve();
    }
    if let Arguments {
        ask: Some(server),
        protocol: Some(protocol),
        way: Some(way),
        start: Some(start),
        seconds,
        ..
    } = arguments
    {
        return ask(server, protocol, way, start, Duration::from_secs(seconds));
    }

    let (server, name) = match memcached() {
        Ok(server) => (server, "memcached"),
        Err(_) => (embedded()?, "the embedded server"),
    };
    println!(
        "{PROCESSES} processes of {THREADS} threads, {name}; {LOADING:?} to make the value, which lives \
         {LIFETIME:?}; max_wait is {MAX_WAIT:?}\n"
    );
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header([
        "PROTOCOL",
        "CALLS",
        "EXPIRED",
        "MADE",
        "A TIME",
        "LONGEST CALL",
        "EACH",
    ]);
    for column in 1..6 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let rows = [
        (Protocol::Meta, Way::Alone),
        (Protocol::Text, Way::Waiting),
        (Protocol::Meta, Way::Waiting),
        (Protocol::Text, Way::Stale),
        (Protocol::Meta, Way::Stale),
    ];
    for (protocol, way) in rows {
        let seen = run(server.address, protocol, way, arguments.seconds)?;
        table.add_row([
            protocol.to_string(),
            seen.calls.to_string(),
            seen.expired().to_string(),
            seen.loads.len().to_string(),
            format!("{:.1}", ratio(seen.loads.len(), seen.expired())),
            format!("{} ms", seen.longest),
            way.to_string(),
        ]);
    }
    println!("{}", table.trim_fmt());
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "they are small")]
fn ratio(loads: usize, expired: usize) -> f64 {
    loads as f64 / expired as f64
}

/// What the processes report.
#[derive(Default)]
struct Seen {
    calls: u64,
    /// In milliseconds.
    longest: u128,
    /// When the value was made: from and to, in milliseconds since 1970.
    loads: Vec<(u64, u64)>,
}

impl Seen {
    /// How often there was no fresh value: what is made before another could have expired, is made for
    /// the same reason.
    fn expired(&self) -> usize {
        let mut loads = self.loads.clone();
        loads.sort_unstable();
        let lifetime = u64::try_from(LIFETIME.as_millis()).unwrap_or(u64::MAX);
        let mut expires = 0;
        let mut count = 0;
        for (from, to) in loads {
            if from >= expires {
                count += 1;
                expires = to + lifetime;
            }
        }
        count
    }

    fn add(&mut self, line: &str) -> Result<()> {
        let mut words = line.split(' ');
        let mut next = || words.next().ok_or("a process reports nonsense");
        match next()? {
            "calls" => {
                self.calls += next()?.parse::<u64>()?;
                self.longest = self.longest.max(next()?.parse()?);
            }
            _ => self.loads.push((next()?.parse()?, next()?.parse()?)),
        }
        Ok(())
    }
}

/// Has the processes ask for the value.
fn run(server: SocketAddr, protocol: Protocol, way: Way, seconds: u64) -> Result<Seen> {
    for flushed in Client::new(server)?.flush_all(0) {
        flushed.result?;
    }
    let start = now() + u64::try_from(START.as_millis())?;
    let way = way.to_possible_value().ok_or("it has a name")?;
    let processes = (0..PROCESSES).map(|_| {
        Command::new(std::env::current_exe()?)
            .args(["--ask", &server.to_string()])
            .args(["--protocol", &protocol.to_string()])
            .args(["--way", way.get_name()])
            .args(["--start", &start.to_string()])
            .args(["--seconds", &seconds.to_string()])
            .stdout(Stdio::piped())
            .spawn()
    });
    let processes: Vec<Child> = processes.collect::<io::Result<_>>()?;
    let mut seen = Seen::default();
    for process in processes {
        let output = process.wait_with_output()?;
        if !output.status.success() {
            return Err("a process failed".into());
        }
        for line in String::from_utf8(output.stdout)?.lines() {
            seen.add(line)?;
        }
    }
    Ok(seen)
}

/// What each process does.
fn ask(server: SocketAddr, protocol: Protocol, way: Way, start: u64, time: Duration) -> Result<()> {
    let client = Client::builder().servers(server).protocol(protocol);
    let cache = Cache::new(client.build()?)
        .default_lifetime(LIFETIME)
        .max_wait(MAX_WAIT);
    let cache = match way {
        Way::Stale => cache.stale_for(Duration::from_secs(60)),
        _ => cache,
    };
    let seen = Mutex::new(Seen::default());
    let make = || {
        let from = now();
        thread::sleep(LOADING);
        seen.lock().unwrap().loads.push((from, now()));
        from
    };
    let get = || match way {
        Way::Alone => {
            if let Some(value) = cache.query::<u64>("hot")? {
                return Ok(value);
            }
            let value = make();
            cache.set("hot", value)?;
            Ok(value)
        }
        Way::Waiting | Way::Stale => cache.get_or_set("hot", make),
    };
    let thread = || -> moecache::Result<()> {
        thread::sleep(Duration::from_millis(start.saturating_sub(now())));
        let end = Instant::now() + time;
        while Instant::now() < end {
            let begin = Instant::now();
            get()?;
            let took = begin.elapsed().as_millis();
            let mut seen = seen.lock().unwrap();
            seen.calls += 1;
            seen.longest = seen.longest.max(took);
            drop(seen);
            thread::sleep(PAUSE);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads = [(); THREADS].map(|()| scope.spawn(thread));
        threads.into_iter().try_for_each(|it| it.join().unwrap())
    })?;
    let seen = seen.into_inner()?;
    println!("calls {} {}", seen.calls, seen.longest);
    for (from, to) in seen.loads {
        println!("made {from} {to}");
    }
    Ok(())
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or_default()
}

/// A server in a process of its own, which ends with this.
struct Process {
    child: Child,
    address: SocketAddr,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn memcached() -> Result<Process> {
    // A port that is free: it is given back, and not given to others soon.
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let program = std::env::var_os("MEMCACHED").unwrap_or_else(|| "memcached".into());
    let child = Command::new(program)
        .args(["-l", "127.0.0.1", "-U", "0", "-u", "root", "-p"])
        .arg(address.port().to_string())
        .spawn()?;
    let process = Process { child, address };
    let end = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(address).is_err() {
        if Instant::now() > end {
            return Err("memcached does not start".into());
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(process)
}

fn embedded() -> Result<Process> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("--serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take().ok_or("it has one")?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    let address = line.trim_end().parse()?;
    Ok(Process { child, address })
}

/// Until nobody needs it any more.
fn serve() -> Result<()> {
    let server = Server::start()?;
    println!("{}", server.address());
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
