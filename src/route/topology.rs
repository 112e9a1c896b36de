use crate::conn::{Driver, Options, Pool};
use crate::error::Error;
use crate::key::Key;
use crate::locator::{Locator, Node, Trace};
use crate::server::Server;
use std::sync::Arc;

/// The servers of a client, and which key belongs to which.
#[derive(Debug)]
pub(crate) struct Topology {
    drivers: Vec<Box<dyn Driver>>,
    locator: Arc<dyn Locator>,
}

impl Topology {
    /// Judges the server list, whose locator `locator` makes. Nothing is resolved or connected.
    pub(crate) fn new(
        servers: &[Server],
        locator: impl FnOnce(&mut [Node]) -> Result<Arc<dyn Locator>, Error>,
        options: Options,
    ) -> Result<Self, Error> {
        if servers.is_empty() {
            return Err(Error::validation(
                "servers: the list is empty; at least one is needed",
            ));
        }
        let mut nodes: Vec<Node> = Vec::with_capacity(servers.len());
        for server in servers {
            let node = Node::new(server)?;
            let is_same = |earlier: &Node| earlier.address.is_same_server(&node.address);
            if nodes.iter().any(is_same) {
                let address = &node.address;
                return Err(Error::validation(format!(
                    "servers: {address} is listed twice"
                )));
            }
            nodes.push(node);
        }
        let locator = locator(&mut nodes)?;
        let driver = |node: &Node| Box::new(Pool::new(&node.address, options)) as Box<dyn Driver>;
        let drivers = nodes.iter().map(driver).collect();
        Ok(Self { drivers, locator })
    }

    /// All servers, in list order.
    pub(crate) fn drivers(&self) -> impl ExactSizeIterator<Item = &dyn Driver> {
        self.drivers.iter().map(AsRef::as_ref)
    }

    /// The place in the list of the server that `key` belongs to.
    pub(crate) fn locate(&self, key: Key<'_>) -> Result<usize, Error> {
        let servers = self.drivers.len();
        if servers == 1 {
            return Ok(0);
        }
        self.check(self.locator.locate(key.placed_by()))
    }

    /// How `locate` comes to its answer.
    pub(crate) fn explain(&self, key: Key<'_>) -> Result<Trace, Error> {
        if self.drivers.len() == 1 {
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
        if self.drivers.len() == 1 {
            return Some(vec![1.0]);
        }
        let shares = self.locator.shares()?;
        (shares.len() == self.drivers.len()).then_some(shares)
    }

    /// A locator may be the program's own.
    fn check(&self, server: usize) -> Result<usize, Error> {
        let servers = self.drivers.len();
        if server < servers {
            return Ok(server);
        }
        Err(Error::validation(format!(
            "locator: it answered server {server}; there are {servers}, counted from 0"
        )))
    }

    pub(crate) fn driver(&self, index: usize) -> &dyn Driver {
        &*self.drivers[index]
    }

    /// The server that `key` belongs to.
    pub(crate) fn driver_of(&self, key: Key<'_>) -> Result<&dyn Driver, Error> {
        Ok(self.driver(self.locate(key)?))
    }
}
