use super::super::Client;
use super::super::answer::{Answer, forgive};
use crate::conn::{Batch, Driver, Sink};
use crate::error::{Error, Result};
use crate::key::{Key, Scratch};
use crate::protocol::{Reply, Request, ValueHeader};
use crate::route::{FailurePolicy, Topology, scatter};
use std::sync::Arc;

/// The requests of a call for many keys, server by server.
///
/// The places by which a sink knows them go on from one server to the next.
pub(in super::super) struct Plan<'k> {
    policy: FailurePolicy,
    topology: Arc<Topology>,
    groups: Vec<Group<'k>>,
}

/// Those for one server.
struct Group<'k> {
    server: usize,
    /// The place of the first.
    first: usize,
    requests: Vec<Request<'k>>,
    /// For each, which of the caller's keys it is for.
    keys: Vec<usize>,
}

impl<'k> Plan<'k> {
    /// Makes a request of each key with `request`; where that fails or the key is not one, `refuse`
    /// is told. For one server the requests stay in the order of the keys.
    pub(in super::super) fn new(
        client: &Client,
        names: impl ExactSizeIterator<Item = &'k [u8]> + Clone,
        scratch: &'k mut Scratch,
        mut request: impl FnMut(usize, Key<'k>) -> Result<Request<'k>>,
        mut refuse: impl FnMut(usize, Error),
    ) -> Self {
        let Client { shared, naming, .. } = client;
        let topology = shared.topology();
        let servers = topology.drivers().len();
        // No server has much more than its share, as a rule.
        let share = names.len() / servers + names.len() / servers / 4 + 1;
        let group = |server| Group {
            server,
            first: 0,
            requests: Vec::with_capacity(share),
            keys: Vec::with_capacity(share),
        };
        let mut groups: Vec<Group<'k>> = (0..servers).map(group).collect();
        let keys = naming.keys(names.clone(), scratch);
        for (index, name) in names.enumerate() {
            let mut make = || {
                let key = keys.key(index, name)?;
                let request = request(index, key)?;
                shared.check(&request)?;
                Ok((topology.route(key)?, request))
            };
            match make() {
                Ok((server, request)) => {
                    let group = &mut groups[server];
                    group.requests.push(request);
                    group.keys.push(index);
                }
                Err(error) => refuse(index, error),
            }
        }
        groups.retain(|group| !group.requests.is_empty());
        let mut first = 0;
        for group in &mut groups {
            group.first = first;
            first += group.requests.len();
        }
        Self {
            policy: client.policy,
            topology,
            groups,
        }
    }

    /// Exchanges all requests for their replies.
    pub(in super::super) fn run(&self, client: &Client, sink: &mut dyn Sink) {
        let protocol = client.shared.options.protocol;
        let batches: Vec<(&dyn Driver, Batch<'_>)> = (self.groups.iter())
            .map(|group| {
                let batch = Batch {
                    requests: &group.requests,
                    first: group.first,
                    is_checked: protocol.dialect().is_some(),
                    insists: false,
                };
                (self.topology.driver(group.server), batch)
            })
            .collect();
        scatter(&batches, sink, client.deadline());
    }

    /// The servers, which it was made for.
    pub(in super::super) fn topology(&self) -> &Arc<Topology> {
        &self.topology
    }

    /// What the caller is to see in place of a failure.
    pub(in super::super) fn forgive(
        &self,
        place: usize,
        last: &mut usize,
        error: Error,
    ) -> Result<Answer> {
        let group = self.group(place, last);
        let request = &group.requests[place - group.first];
        let driver = self.topology.driver(group.server);
        forgive(self.policy, error, request, driver)
    }

    /// Which of the caller's keys the request at `place` is for, and its server, by its place in the
    /// list. `last` is where the last one was found: most come in a row.
    pub(in super::super) fn at(&self, place: usize, last: &mut usize) -> (usize, usize) {
        let group = self.group(place, last);
        (group.keys[place - group.first], group.server)
    }

    fn group(&self, place: usize, last: &mut usize) -> &Group<'k> {
        let has_it =
            |group: &Group<'_>| (group.first..group.first + group.requests.len()).contains(&place);
        if !has_it(&self.groups[*last]) {
            *last = self.groups.partition_point(|group| group.first <= place) - 1;
        }
        &self.groups[*last]
    }

    /// The server of each of so many keys, by its place in the list; 0 for one that is none.
    pub(in super::super) fn servers(&self, keys: usize) -> Vec<usize> {
        let mut servers = vec![0; keys];
        for group in &self.groups {
            for key in &group.keys {
                servers[*key] = group.server;
            }
        }
        servers
    }
}

/// Collects what each answer means, in the order of the caller's keys.
pub(super) struct Results<'p, T, M> {
    pub(super) plan: &'p Plan<'p>,
    pub(super) meaning: M,
    /// Where the last answer's request was found.
    pub(super) last: usize,
    pub(super) by_key: Vec<Option<Result<T>>>,
}

impl<T, M: FnMut(Answer, &dyn Driver) -> Result<T>> Results<'_, T, M> {
    fn answer(&mut self, place: usize, answer: Answer) {
        let (key, server) = self.plan.at(place, &mut self.last);
        let result = (self.meaning)(answer, self.plan.topology.driver(server));
        self.by_key[key] = Some(result);
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
        match self.plan.forgive(place, &mut self.last, error) {
            Ok(answer) => self.answer(place, answer),
            Err(error) => {
                let (key, _) = self.plan.at(place, &mut self.last);
                self.by_key[key] = Some(Err(error));
            }
        }
    }
}
