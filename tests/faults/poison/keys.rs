use std::sync::{Mutex, PoisonError};

/// What is known of a key, which one thread alone writes: what the writer was told, and what it is
/// doing. Each write has a version, one more than the write before it; a delete is a write.
///
/// After a write that is ambiguous the key is abandoned for another one. For its bytes can sit in
/// some socket, and be applied at any later time, over what was acknowledged since; no client can
/// prevent that. So one could never again expect anything of the key but one of all versions that
/// are not acknowledged; while of a fresh one all is known.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// Which of the keys, one after the other.
    pub generation: u64,
    /// The last write that is known to have taken effect.
    pub acknowledged: u64,
    /// The last that was begun.
    pub begun: u64,
    /// The last after which the key is not there.
    pub absent: u64,
}

impl Known {
    pub fn is_there(&self) -> bool {
        self.absent < self.acknowledged
    }
}

/// The keys of all threads.
#[derive(Debug)]
pub struct Keys {
    name: String,
    known: Vec<Mutex<Known>>,
    per_thread: usize,
}

impl Keys {
    /// So many keys for each of so many threads; none of them is there.
    pub fn new(name: String, threads: usize, per_thread: usize) -> Self {
        let new = || {
            Mutex::new(Known {
                generation: 0,
                acknowledged: 0,
                begun: 0,
                absent: 0,
            })
        };
        Self {
            name,
            known: (0..threads * per_thread).map(|_| new()).collect(),
            per_thread,
        }
    }

    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Those of a thread.
    pub fn of(&self, thread: usize) -> std::ops::Range<usize> {
        thread * self.per_thread..(thread + 1) * self.per_thread
    }

    pub fn known(&self, index: usize) -> Known {
        self.change(index, |known| *known)
    }

    pub fn name(&self, index: usize, generation: u64) -> String {
        format!("{}-{index}-{generation}", self.name)
    }

    /// The name of a counter, which is a key besides.
    pub fn counter(&self, thread: usize, number: usize, generation: u64) -> String {
        format!("{}-counter-{thread}-{number}-{generation}", self.name)
    }

    /// A write begins: its version.
    pub fn begin(&self, index: usize) -> u64 {
        self.change(index, |known| {
            known.begun += 1;
            known.begun
        })
    }

    pub fn acknowledge(&self, index: usize, version: u64) {
        self.change(index, |known| known.acknowledged = version);
    }

    /// With this version the key is removed: a delete begins, or ends without effect.
    pub fn set_absent(&self, index: usize, version: u64) {
        self.change(index, |known| known.absent = version);
    }

    /// Nothing is known any more: there is a fresh key in its place.
    pub fn abandon(&self, index: usize) {
        self.change(index, |known| {
            let begun = known.begun + 1;
            *known = Known {
                generation: known.generation + 1,
                acknowledged: begun,
                begun,
                absent: begun,
            };
        });
    }

    fn change<T>(&self, index: usize, change: impl FnOnce(&mut Known) -> T) -> T {
        let known = self.known[index].lock();
        change(&mut known.unwrap_or_else(PoisonError::into_inner))
    }
}
