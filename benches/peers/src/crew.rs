//! Eight threads that work at the same time.

use crate::work::Operation;
use std::sync::Arc;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

pub const THREADS: usize = 8;

/// How often a thread works in one turn of the crew.
const TURNS: usize = 50;

/// A turn of it is that all threads work their turns. `work` makes what thread `0..8` does.
pub fn operation<W: FnMut() + Send + 'static>(work: impl Fn(usize) -> W) -> Operation {
    let crew = Crew::new(work);
    Box::new(move || crew.turn())
}

struct Crew {
    start: Arc<Barrier>,
    finish: Arc<Barrier>,
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Crew {
    fn new<W: FnMut() + Send + 'static>(work: impl Fn(usize) -> W) -> Self {
        let start = Arc::new(Barrier::new(THREADS + 1));
        let finish = Arc::new(Barrier::new(THREADS + 1));
        let over = Arc::new(AtomicBool::new(false));
        let thread = |number| {
            let (start, finish, over) = (start.clone(), finish.clone(), over.clone());
            let mut work = work(number);
            thread::spawn(move || {
                loop {
                    start.wait();
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                    (0..TURNS).for_each(|_| work());
                    finish.wait();
                }
            })
        };
        Self {
            threads: (0..THREADS).map(thread).collect(),
            start,
            finish,
            over,
        }
    }

    fn turn(&self) {
        self.start.wait();
        self.finish.wait();
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.start.wait();
        for thread in self.threads.drain(..) {
            thread.join().expect("no thread panicked");
        }
    }
}
