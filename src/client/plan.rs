use super::Client;
use super::call;
use crate::conn::{Batch, Deadline, ReplyHandler};
use crate::error::{Error, Result};
use crate::key::{Key, Scratch};
use crate::middleware::Backend;
use crate::protocol::{Reply, Request};
use crate::route::{FailurePolicy, Topology, scatter};
use std::sync::Arc;
use std::time::Instant;

/// The requests of a call for many keys, server by server.
pub(super) struct Plan<'k> {
    topology: Arc<Topology>,
    groups: Groups<'k>,
}

/// Takes the reply to each of the caller's keys, by its place among them. `server` is the one that was
/// asked, by its place in the list.
pub(super) trait ByKey {
    /// Gives the buffer that a large value is read into, in place of what it holds.
    fn buffer(&mut self) -> Vec<u8> {
        Vec::new()
    }

    /// The reply, which may borrow from where it was received; or why there is none.
    fn reply(&mut self, key: usize, server: usize, reply: Result<Reply<'_>>);
}

impl<'k> Plan<'k> {
    /// Makes a request of each key with `request`; where that fails or the key is not one, `refuse`
    /// is told. For one server the requests stay in the order of the keys.
    pub(super) fn new(
        client: &Client,
        names: impl ExactSizeIterator<Item = &'k [u8]> + Clone,
        scratch: &'k mut Scratch,
        mut request: impl FnMut(usize, Key<'k>) -> Result<Request<'k>>,
        mut refuse: impl FnMut(usize, Error),
    ) -> Self {
        let Client { shared, naming, .. } = client;
        let topology = shared.topology();
        let mut groups = Groups::new(topology.backends().len(), names.len());
        let keys = naming.keys(names.clone(), scratch);
        for (index, name) in names.enumerate() {
            let mut make = || {
                let key = keys.key(index, name)?;
                let request = request(index, key)?;
                shared.check(&request)?;
                Ok((topology.route(key)?, request))
            };
            match make() {
                Ok((server, request)) => groups.push(server, index, request),
                Err(error) => refuse(index, error),
            }
        }
        groups.number();
        Self { topology, groups }
    }

    /// The servers, which it was made for.
    pub(super) fn topology(&self) -> &Arc<Topology> {
        &self.topology
    }

    /// Exchanges all requests for their replies. What could not reach its server goes on to the next,
    /// as a call for one key does, if the policy says so.
    pub(super) fn run(&self, client: &Client, by_key: &mut impl ByKey) {
        let deadline = client.deadline();
        let mut unreached = self.exchange(&self.groups, client, by_key, deadline);
        if unreached.is_empty() {
            return;
        }
        if let Ok(rest) = deadline.try_restarted(Instant::now()) {
            let mut groups = Groups::new(self.topology.backends().len(), unreached.len());
            for it in unreached {
                groups.push(it.next, it.key, it.request);
            }
            groups.number();
            unreached = self.exchange(&groups, client, by_key, rest);
        }
        for it in unreached {
            by_key.reply(it.key, it.server, Err(it.error));
        }
    }

    fn exchange(
        &self,
        groups: &Groups<'k>,
        client: &Client,
        by_key: &mut impl ByKey,
        deadline: Deadline,
    ) -> Vec<Unreached<'k>> {
        let is_checked = client.shared.options.protocol.dialect().is_some();
        let batches: Vec<(&Backend, Batch<'_>)> = (groups.0.iter())
            .map(|group| {
                let batch = Batch {
                    requests: &group.requests,
                    first: group.first,
                    is_checked,
                    bypasses_breaker: false,
                    is_many: true,
                    is_step: false,
                };
                (self.topology.backend(group.server), batch)
            })
            .collect();
        let mut sorter = Sorter {
            topology: &self.topology,
            policy: client.policy,
            groups,
            last: 0,
            by_key,
            unreached: Vec::new(),
        };
        scatter(&batches, &mut sorter, deadline);
        sorter.unreached
    }
}

/// The requests for each server. The places by which a handler knows them go on from one server to the
/// next.
struct Groups<'k>(Vec<Group<'k>>);

struct Group<'k> {
    server: usize,
    /// The place of the first.
    first: usize,
    requests: Vec<Request<'k>>,
    /// For each, which of the caller's keys it is for.
    keys: Vec<usize>,
}

impl<'k> Groups<'k> {
    /// For so many keys on so many servers.
    fn new(servers: usize, keys: usize) -> Self {
        // No server has much more than its share, as a rule.
        let share = keys / servers + keys / servers / 4 + 1;
        let group = |server| Group {
            server,
            first: 0,
            requests: Vec::with_capacity(share),
            keys: Vec::with_capacity(share),
        };
        Self((0..servers).map(group).collect())
    }

    fn push(&mut self, server: usize, key: usize, request: Request<'k>) {
        let group = &mut self.0[server];
        group.requests.push(request);
        group.keys.push(key);
    }

    /// Leaves out servers without a request, and gives places to the requests of the others.
    fn number(&mut self) {
        self.0.retain(|group| !group.requests.is_empty());
        let mut first = 0;
        for group in &mut self.0 {
            group.first = first;
            first += group.requests.len();
        }
    }
}

/// A request that did not reach its server, and may go on to another.
struct Unreached<'k> {
    key: usize,
    server: usize,
    next: usize,
    request: Request<'k>,
    error: Error,
}

/// Knows whose request it is that something comes for.
struct Sorter<'p, 'k, B> {
    topology: &'p Topology,
    policy: FailurePolicy,
    groups: &'p Groups<'k>,
    /// The group of the last request: most come in a row.
    last: usize,
    by_key: &'p mut B,
    unreached: Vec<Unreached<'k>>,
}

impl<'p, 'k, B> Sorter<'p, 'k, B> {
    /// The group of the request at `place`, and its index in there.
    #[inline]
    fn at(&mut self, place: usize) -> (&'p Group<'k>, usize) {
        let groups = &self.groups.0;
        let index = place.wrapping_sub(groups[self.last].first);
        if index < groups[self.last].keys.len() {
            return (&groups[self.last], index);
        }
        self.last = groups.partition_point(|group| group.first <= place) - 1;
        (&groups[self.last], place - groups[self.last].first)
    }
}

impl<B: ByKey> Sorter<'_, '_, B> {
    /// Takes what is no plain reply: the request may go on to another server, or the policy hide it.
    #[cold]
    fn settle(&mut self, place: usize, reply: Result<Reply<'_>>) {
        let (group, index) = self.at(place);
        let (key, server, request) = (group.keys[index], group.server, group.requests[index]);
        if let Err(error) = &reply {
            let next = (request.key()).and_then(|key| self.topology.next(key, server, error));
            if let Some(next) = next {
                let error = error.clone();
                self.unreached.push(Unreached {
                    key,
                    server,
                    next,
                    request,
                    error,
                });
                return;
            }
        }
        let backend = self.topology.backend(server);
        let reply = call::accept(reply, self.policy, &request, backend);
        let reply = reply.map_err(|error| error.on(backend.name()));
        self.by_key.reply(key, server, reply);
    }
}

impl<B: ByKey> ReplyHandler for Sorter<'_, '_, B> {
    fn buffer(&mut self, _: usize) -> Vec<u8> {
        self.by_key.buffer()
    }

    fn reply(&mut self, place: usize, reply: Result<Reply<'_>>) {
        if matches!(reply, Ok(Reply::Refused(_)) | Err(_)) {
            return self.settle(place, reply);
        }
        let (group, index) = self.at(place);
        self.by_key.reply(group.keys[index], group.server, reply);
    }
}
