//! Runs the clients of a row in turn, and compares their times.

use crate::allocations;
use crate::peers::Client;
use crate::work::Operation;
use std::time::{Duration, Instant};

/// How long one round of each client takes, more or less.
const ROUND: Duration = Duration::from_millis(4);

/// How often all clients connect anew. One connection in several is slow with values of 1 MB for as
/// long as it lives, whoever has it: the median over several sittings leaves that out of account.
pub const SITTINGS: usize = 5;

/// How a client did in a row.
pub struct Cell {
    /// Its time, as a multiple of the base's.
    pub ratio: f64,
    /// Nine in ten of its rounds are between these.
    pub range: (f64, f64),
    /// Its CPU time, as a multiple of the base's; without the server's.
    pub cpu: f64,
    /// In one operation, on the calling thread.
    pub allocations: u64,
}

/// How all of them did.
pub struct Measured {
    /// Of one operation, in seconds.
    pub base: f64,
    pub cells: Vec<Option<Cell>>,
}

/// What the rounds of one client gave.
#[derive(Default)]
struct Rounds {
    ratios: Vec<f64>,
    cpu: Vec<f64>,
    allocations: u64,
}

/// Compares all clients with the base, in so many rounds. `connect` gives what a client does, anew
/// for each sitting.
pub fn measure(
    rounds: usize,
    clients: &[&Client],
    base: impl Fn() -> Operation,
    connect: impl Fn(&Client) -> Option<Operation>,
) -> Measured {
    let mut base_times = Vec::new();
    let mut results: Vec<Option<Rounds>> = clients.iter().map(|_| None).collect();
    for _ in 0..SITTINGS {
        let mut base = Contestant::new(base());
        let present = clients.iter().map(|client| connect(client)).enumerate();
        let mut contestants: Vec<_> = present
            .filter_map(|(index, operation)| Some((index, Contestant::new(operation?))))
            .collect();
        for round in 0..rounds.div_ceil(SITTINGS) {
            // Before and after the others, in case the machine changes its speed meanwhile.
            let before = base.round();
            let first = round % contestants.len().max(1);
            contestants.rotate_left(first);
            let times: Vec<_> = contestants.iter_mut().map(|(_, it)| it.round()).collect();
            let after = base.round();
            let time = f64::midpoint(before.time, after.time);
            let cpu = f64::midpoint(before.cpu, after.cpu);
            base_times.push(time);
            for ((index, contestant), its) in contestants.iter().zip(times) {
                let result = results[*index].get_or_insert_default();
                result.ratios.push(its.time / time);
                result.cpu.push(its.cpu / cpu);
                result.allocations = contestant.allocations;
            }
        }
    }
    Measured {
        base: percentile(&mut base_times, 50),
        cells: results
            .into_iter()
            .map(|it| it.map(Rounds::sum_up))
            .collect(),
    }
}

impl Rounds {
    fn sum_up(mut self) -> Cell {
        Cell {
            ratio: percentile(&mut self.ratios, 50),
            range: (
                percentile(&mut self.ratios, 5),
                percentile(&mut self.ratios, 95),
            ),
            cpu: percentile(&mut self.cpu, 50),
            allocations: self.allocations,
        }
    }
}

fn percentile(numbers: &mut [f64], percent: usize) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[(numbers.len() - 1) * percent / 100]
}

struct Contestant {
    operation: Operation,
    /// How many of them take about as long as a round.
    operations: u32,
    allocations: u64,
}

/// Of one operation, in seconds.
struct Time {
    time: f64,
    cpu: f64,
}

impl Contestant {
    fn new(mut operation: Operation) -> Self {
        let (started, mut operations) = (Instant::now(), 0);
        while started.elapsed() < ROUND {
            operation();
            operations += 1;
        }
        let before = allocations::count();
        (0..operations).for_each(|_| operation());
        let allocations = (allocations::count() - before) / u64::from(operations);
        Self {
            operation,
            operations,
            allocations,
        }
    }

    fn round(&mut self) -> Time {
        let (started, cpu) = (Instant::now(), cpu_time());
        (0..self.operations).for_each(|_| (self.operation)());
        let operations = f64::from(self.operations);
        Time {
            time: started.elapsed().as_secs_f64() / operations,
            cpu: (cpu_time() - cpu) / operations,
        }
    }
}

/// Of this process, in seconds.
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
