use super::placement::Placement;
use super::policy::FailurePolicy;
use crate::address::Server;
use crate::conn::{Circuit, Options, Pool};
use crate::error::Error;
use crate::key::Key;
use crate::locator::{Locator, Node, Trace, unrepeated};
use crate::middleware::{Backend, Chain};
use std::sync::{Arc, PoisonError, RwLock};

/// The servers of a client, and which key belongs to which.
#[derive(Debug)]
pub(crate) struct Topology {
    members: Vec<Member>,
    /// The list as it was given: one that is listed again is there again.
    nodes: Vec<Node>,
    locator: Arc<dyn Locator>,
    /// How keys are placed on those that are left, where they are.
    rehash: Option<Rehash>,
    /// How often the list has become another one before it was this.
    changes: u64,
}

/// Where keys go while servers are down.
#[derive(Debug)]
struct Rehash {
    placement: Arc<Placement>,
    /// The last that was made.
    left: RwLock<Option<Arc<Left>>>,
}

/// The servers that are left.
#[derive(Debug)]
struct Left {
    /// By their places in the list.
    members: Vec<usize>,
    locator: Arc<dyn Locator>,
}

/// A server.
#[derive(Debug)]
struct Member {
    node: Node,
    backend: Arc<Backend>,
}

impl Topology {
    /// Judges the server list. Nothing is connected, and nothing resolved unless `placement` says so.
    /// Servers that `previous` has, too, keep their connections.
    pub(crate) fn new(
        servers: &[Server],
        placement: &Arc<Placement>,
        policy: FailurePolicy,
        options: &Arc<Options>,
        middleware: &Chain,
        previous: Option<&Self>,
    ) -> Result<Self, Error> {
        if servers.is_empty() {
            return Err(Error::validation(
                "servers: the list is empty; at least one is needed",
            ));
        }
        let nodes = placement.nodes(servers)?;
        let locator = placement.locator(&nodes)?;
        let changes = previous.map_or(0, |previous| {
            previous.changes + u64::from(previous.nodes != nodes)
        });
        let member = |node: Node| {
            if let Some(backend) = previous.and_then(|previous| previous.backend_at(&node)) {
                return Ok(Member { node, backend });
            }
            let credentials = node.credentials.as_ref();
            let pool = Pool::new(&node.address, credentials, Arc::clone(options))?;
            let backend = Arc::new(Backend::new(pool, middleware.clone()));
            Ok(Member { node, backend })
        };
        let members: Result<_, Error> = unrepeated(&nodes).cloned().map(member).collect();
        let rehash = (policy == FailurePolicy::Rehash).then(|| Rehash {
            placement: Arc::clone(placement),
            left: RwLock::default(),
        });
        Ok(Self {
            members: members?,
            nodes,
            locator,
            rehash,
            changes,
        })
    }

    /// How often the list has become another one, by its servers, their order or their weights.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    /// The server with the same address as `node`, spelt the same, and the same credentials.
    fn backend_at(&self, node: &Node) -> Option<Arc<Backend>> {
        let mut members = self.members.iter();
        let same = members.find(|Member { node: other, .. }| {
            (&other.address, &other.credentials) == (&node.address, &node.credentials)
        })?;
        Some(Arc::clone(&same.backend))
    }

    /// Closes the connections to the servers that `next` has no more.
    pub(crate) fn close_all_but(&self, next: &Self) {
        for member in &self.members {
            if next.backend_at(&member.node).is_none() {
                member.backend.pool().close();
            }
        }
    }

    /// All servers, in list order.
    pub(crate) fn backends(&self) -> impl ExactSizeIterator<Item = &Backend> {
        self.members.iter().map(|member| &*member.backend)
    }

    /// The name and the weight of each of the list, one that is listed again again.
    pub(crate) fn listed(&self) -> impl Iterator<Item = (String, u32)> {
        let nodes = self.nodes.iter();
        nodes.map(|node| (node.address.to_string(), node.weight))
    }

    /// The place in the list of the server that `key` belongs to.
    pub(crate) fn locate(&self, key: Key<'_>) -> Result<usize, Error> {
        let servers = self.members.len();
        if servers == 1 {
            return Ok(0);
        }
        self.check(self.locator.locate(key.placed_by()))
    }

    /// How `locate` comes to its answer.
    pub(crate) fn explain(&self, key: Key<'_>) -> Result<Trace, Error> {
        if self.members.len() == 1 {
            let rule = "there is one server".to_owned();
            return Ok(Trace {
                rule,
                ..Trace::new(0)
            });
        }
        let trace = self.locator.explain(key.placed_by());
        self.check(trace.server)?;
        Ok(trace)
    }

    /// What part of the keys each server has, where the locator knows it.
    pub(crate) fn shares(&self) -> Option<Vec<f64>> {
        if self.members.len() == 1 {
            return Some(vec![1.0]);
        }
        let shares = self.locator.shares()?;
        (shares.len() == self.members.len()).then_some(shares)
    }

    /// A locator may be the program's own.
    fn check(&self, server: usize) -> Result<usize, Error> {
        let servers = self.members.len();
        if server < servers {
            return Ok(server);
        }
        Err(Error::validation(format!(
            "locator: it answered server {server}; there are {servers}, counted from 0"
        )))
    }

    pub(crate) fn backend(&self, index: usize) -> &Backend {
        &self.members[index].backend
    }

    /// The server that `key` belongs to.
    pub(crate) fn backend_of(&self, key: Key<'_>) -> Result<&Backend, Error> {
        Ok(self.backend(self.locate(key)?))
    }

    /// The place in the list of the server to ask for `key`: the one that it belongs to, or if that is
    /// down and the policy says so, another.
    pub(crate) fn route(&self, key: Key<'_>) -> Result<usize, Error> {
        let owner = self.locate(key)?;
        match &self.rehash {
            Some(rehash) if self.backend(owner).pool().circuit() == Circuit::Open => {
                let left = self.left(rehash)?;
                Ok(left.map_or(owner, |left| left.locate(key)))
            }
            _ => Ok(owner),
        }
    }

    /// The server to go on to with what `server` was asked for and never got, because of `error`: if
    /// the policy says so, and another has the key now.
    pub(crate) fn next(&self, key: Key<'_>, server: usize, error: &Error) -> Option<usize> {
        self.rehash.as_ref()?;
        if !error.is_connect() || error.is_ambiguous() {
            return None;
        }
        self.route(key).ok().filter(|next| *next != server)
    }

    /// The servers that are not down, or due to be tried; `None` if there is none.
    fn left(&self, rehash: &Rehash) -> Result<Option<Arc<Left>>, Error> {
        let is_up = |index: &usize| self.backend(*index).pool().circuit() == Circuit::Closed;
        let members: Vec<usize> = (0..self.members.len()).filter(is_up).collect();
        if members.is_empty() {
            return Ok(None);
        }
        let last = rehash.left.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(left) = last.as_ref().filter(|left| left.members == members) {
            return Ok(Some(Arc::clone(left)));
        }
        drop(last);
        let is_left = |node: &&Node| {
            let mut left = members.iter().map(|index| &self.members[*index].node);
            left.any(|left| left.is_same_server(node))
        };
        let nodes: Vec<Node> = self.nodes.iter().filter(is_left).cloned().collect();
        let locator = rehash.placement.locator(&nodes)?;
        let left = Arc::new(Left { members, locator });
        let mut last = rehash.left.write().unwrap_or_else(PoisonError::into_inner);
        *last = Some(Arc::clone(&left));
        Ok(Some(left))
    }
}

impl Left {
    /// The place in the whole list of the server that has `key` now.
    fn locate(&self, key: Key<'_>) -> usize {
        let place = match self.members.len() {
            1 => 0,
            _ => self.locator.locate(key.placed_by()),
        };
        // A program's own locator may answer what is not there.
        self.members[place.min(self.members.len() - 1)]
    }
}
