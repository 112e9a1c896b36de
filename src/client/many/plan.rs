use super::super::answer::Answer;
use super::super::{Client, Shared};
use crate::conn::{Batch, Driver, Sink};
use crate::error::{Error, Result};
use crate::key::Key;
use crate::protocol::{Reply, Request, ValueHeader};
use crate::route::{Topology, scatter};

/// The requests of a call for many keys, server by server.
pub(in super::super) struct Plan<'k> {
    requests: Vec<Request<'k>>,
    /// For each request, which of the caller's keys it is for.
    keys: Vec<usize>,
    /// The server of some requests, and where those end.
    groups: Vec<Group>,
}

/// Requests in a row, for one server.
#[derive(Clone, Copy)]
struct Group {
    server: usize,
    start: usize,
    end: usize,
}

impl<'k> Plan<'k> {
    /// Makes a request of each key with `request`; where that fails or the key is not one, `refuse`
    /// is told. For one server the requests stay in the order of the keys.
    pub(in super::super) fn new(
        shared: &Shared,
        keys: impl ExactSizeIterator<Item = &'k [u8]>,
        mut request: impl FnMut(usize, Key<'k>) -> Result<Request<'k>>,
        mut refuse: impl FnMut(usize, Error),
    ) -> Self {
        let topology = &shared.topology;
        let servers = topology.drivers().len();
        let mut unsorted = Vec::with_capacity(keys.len());
        let mut ends = vec![0; servers];
        for (index, bytes) in keys.enumerate() {
            let made = shared.key(bytes).and_then(|key| {
                let request = request(index, key)?;
                shared.check(&request)?;
                Ok((key, request))
            });
            match made {
                Ok((key, request)) => {
                    let server = topology.locate(key);
                    ends[server] += 1;
                    unsorted.push((server, index, request));
                }
                Err(error) => refuse(index, error),
            }
        }
        let mut groups = Vec::with_capacity(servers);
        let mut end = 0;
        for (server, count) in ends.iter_mut().enumerate() {
            let start = end;
            end += *count;
            *count = start;
            if end > start {
                groups.push(Group { server, start, end });
            }
        }
        Self::sorted(&unsorted, ends, groups)
    }

    /// Puts each request behind the others of its server; `places` are where the servers' begin.
    fn sorted(
        unsorted: &[(usize, usize, Request<'k>)],
        mut places: Vec<usize>,
        groups: Vec<Group>,
    ) -> Self {
        let mut requests = vec![Request::Version; unsorted.len()];
        let mut keys = vec![0; unsorted.len()];
        for (server, key, request) in unsorted {
            let place = &mut places[*server];
            requests[*place] = *request;
            keys[*place] = *key;
            *place += 1;
        }
        Self {
            requests,
            keys,
            groups,
        }
    }

    /// Exchanges all requests for their replies.
    pub(in super::super) fn run(&self, client: &Client, sink: &mut dyn Sink) {
        let topology = &client.shared.topology;
        let batches: Vec<(&dyn Driver, Batch<'_>)> = (self.groups.iter())
            .map(|group| {
                let batch = Batch {
                    requests: &self.requests[group.start..group.end],
                    first: group.start,
                    is_checked: client.shared.protocol.dialect().is_some(),
                };
                (topology.driver(group.server), batch)
            })
            .collect();
        scatter(&batches, sink, client.deadline());
    }

    /// Which of the caller's keys request `place` is for.
    pub(in super::super) fn key(&self, place: usize) -> usize {
        self.keys[place]
    }

    /// The server of each of so many keys, by its place in the list; 0 for one that is none.
    pub(in super::super) fn servers(&self, keys: usize) -> Vec<usize> {
        let mut servers = vec![0; keys];
        for group in &self.groups {
            for key in &self.keys[group.start..group.end] {
                servers[*key] = group.server;
            }
        }
        servers
    }

    /// The server of request `place`. `last` is where the last one was found: most come in a row.
    fn driver<'t>(&self, place: usize, last: &mut usize, topology: &'t Topology) -> &'t dyn Driver {
        let group = &self.groups[*last];
        if !(group.start..group.end).contains(&place) {
            *last = self.groups.partition_point(|group| group.end <= place);
        }
        topology.driver(self.groups[*last].server)
    }
}

/// Collects what each answer means, in the order of the caller's keys.
pub(super) struct Results<'p, T, M> {
    pub(super) plan: &'p Plan<'p>,
    pub(super) topology: &'p Topology,
    pub(super) meaning: M,
    /// Where the server of the last answer was found.
    pub(super) last: usize,
    pub(super) by_key: Vec<Option<Result<T>>>,
}

impl<T, M: FnMut(Answer, &dyn Driver) -> Result<T>> Results<'_, T, M> {
    fn answer(&mut self, place: usize, answer: Answer) {
        let driver = self.plan.driver(place, &mut self.last, self.topology);
        let result = (self.meaning)(answer, driver);
        self.by_key[self.plan.key(place)] = Some(result);
    }
}

impl<T, M: FnMut(Answer, &dyn Driver) -> Result<T>> Sink for Results<'_, T, M> {
    fn value(&mut self, place: usize, header: ValueHeader, data: Vec<u8>) {
        self.answer(place, Answer::item(header, data));
    }

    fn reply(&mut self, place: usize, reply: Reply<'_>) {
        self.answer(place, reply.into());
    }

    fn failed(&mut self, place: usize, error: Error) {
        self.by_key[self.plan.key(place)] = Some(Err(error));
    }
}
