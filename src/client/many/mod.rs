//! Calls for many keys: a plan of requests by server, and the results by key.

mod outcome;
mod read;
mod write;

pub use outcome::{Each, Many};

use super::Client;
use super::call;
use super::plan::{ByKey, Plan};
use crate::error::{Error, Result};
use crate::key::{Key, Scratch};
use crate::protocol::{Reply, Request};
use crate::route::Topology;

impl Client {
    /// Makes a request of each key, exchanges them all, and gives what each answer means.
    fn each<'k, K: AsRef<[u8]>, T>(
        &self,
        operation: &'static str,
        keys: &'k [K],
        scratch: &'k mut Scratch,
        request: impl FnMut(usize, Key<'k>) -> Result<Request<'k>>,
        meaning: impl FnMut(Reply<'_>) -> Result<T>,
    ) -> Vec<Result<T>> {
        let mut results: Vec<Option<Result<T>>> = keys.iter().map(|_| None).collect();
        let bytes = keys.iter().map(AsRef::as_ref);
        let refuse = |index: usize, error| results[index] = Some(Err(error));
        let plan = Plan::new(self, bytes, scratch, request, refuse);
        let mut meanings = Meanings {
            topology: plan.topology(),
            meaning,
            results,
        };
        plan.run(self, &mut meanings);
        let finish = |result: Option<Result<T>>| {
            let result = result.unwrap_or_else(|| Err(call::no_reply()));
            result.map_err(|error| error.during(operation))
        };
        meanings.results.into_iter().map(finish).collect()
    }
}

/// Collects what each answer means, in the order of the caller's keys.
struct Meanings<'t, T, M> {
    topology: &'t Topology,
    meaning: M,
    results: Vec<Option<Result<T>>>,
}

impl<T, M: FnMut(Reply<'_>) -> Result<T>> ByKey for Meanings<'_, T, M> {
    #[inline]
    fn reply(&mut self, key: usize, server: usize, reply: Result<Reply<'_>>) {
        let on = |error: Error| error.on(self.topology.backend(server).name());
        // What was refused before it was sent is about no server.
        let result = reply.and_then(|reply| (self.meaning)(reply).map_err(on));
        self.results[key] = Some(result);
    }
}

/// The keys of a call, and what came of each.
fn zip<K, T>(keys: Vec<K>, results: Vec<Result<T>>) -> Each<K, T> {
    Each::new(keys.into_iter().zip(results).collect())
}
